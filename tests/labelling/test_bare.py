"""Ornaments, lone numbers and links to edit are not content."""

from __future__ import annotations

import polars as pl
import pytest

import ingest


def labelled(text: str) -> pl.DataFrame:
    documents = ingest.read(pl.DataFrame({"text": [text]}))
    return ingest.label(ingest.detect(ingest.segment(documents)))


BODY = "The harbour council opened its new market on Sunday after two years of work on the quay."


@pytest.mark.parametrize(
    "line", ["ــــــــــــ", "* * *", "———", "20", "٣", "(12)", "• 7 •", "✦✦✦", "[edit]", "[عدل]"]
)
def test_what_says_nothing_is_not_kept(line):
    segments = labelled(f"New market opens\n{BODY}\n{line}\n{BODY.replace('market', 'library')}")
    assert segments.filter(pl.col("text") == line)["keep"].to_list() == [False]
    assert segments["keep"].sum() == 3


@pytest.mark.parametrize("line", ["$20", "50 %", "12:30", "2019", "3 ships"])
def test_other_short_lines_are_left_to_the_model(line):
    segments = labelled(f"New market opens\n{BODY}\n{line}\n{BODY.replace('market', 'library')}")
    assert "bare" not in segments["role_by"]


def test_a_number_in_a_table_or_a_heading_is_no_lone_number():
    page = f"<h1>New market</h1><p>{BODY}<h2>300</h2><table><tr><td>Stalls<td>60</table>"
    assert "bare" not in labelled(page)["role_by"]


@pytest.mark.parametrize("heading", ["تاريخ", "Early history"])
@pytest.mark.parametrize("link", ["[عدل | عدل المصدر]", "[edit]", "[ edit source ]"])
def test_a_link_to_edit_is_cut_off_its_heading(heading, link):
    segments = labelled(f"{BODY}\n{heading}{link}\n{BODY}")
    assert segments["text"].to_list()[1:3] == [heading, link]
    assert segments["keep"].to_list()[2] is False


def test_brackets_at_the_end_of_a_sentence_stay():
    segments = labelled(f"{BODY}\nTo change it, press the button [OK]\nThe list [edited]")
    assert len(segments) == 3

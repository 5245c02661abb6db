"""Which lines of a plain text are content when it is aligned or translated."""

import polars as pl

from ingest.labelling.plain_text import keep_sentences

SENTENCES = [
    "كتب الطبيب وصفة للمريض ثم خرج.",
    "بقلم رصاص رسم الطفل بيتا.",
    "By the time he came, she had left.",
    "Written by hand, the letter was hard to read.",
    "Source: the river begins in the north.",
]


def kept(lines, markup=None, repeats=()):
    frame = pl.DataFrame(
        {
            "doc_id": "a",
            "text": pl.Series(lines, dtype=pl.String),
            "markup": pl.Series([markup] * len(lines), dtype=pl.String),
            "duplicate_of": pl.Series([0 if x in repeats else None for x in lines], dtype=pl.Int64),
            "keep": False,
        }
    )
    return keep_sentences(frame).filter("keep")["text"].to_list()


def test_sentences_are_content_and_bylines_are_not():
    chrome = ["By John Smith", "بقلم: محمد علي", "© 2024 The company. All rights reserved."]
    assert kept([*SENTENCES, *chrome]) == SENTENCES


def test_all_lines_of_running_text_are_content():
    lines = [*SENTENCES * 4, "Chapter One", "Yes."]
    assert kept(lines) == lines


def test_pages_with_more_chrome_than_text_do_not_change():
    assert kept(["Home", "News", "Sport", SENTENCES[2]]) == []


def test_pages_with_markup_do_not_change():
    assert kept(SENTENCES, markup="body p") == []


def test_repeats_of_a_mixed_page_stay_out():
    assert kept([*SENTENCES, "Home", "News"], repeats=SENTENCES[:1]) == SENTENCES[1:]

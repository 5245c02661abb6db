"""Subtitles are read as the text of their cues."""

from __future__ import annotations

import pytest

import ingest
from ingest.readers.subtitles import is_subtitles, subtitle_text

CUES = ["The ship sails\nat noon.", "- Who is there?\n- Nobody.", "<i>Far away</i>", "{\\an8}42", "Tom &amp; Ann"]  # fmt: skip
TEXT = "The ship sails at noon.\n- Who is there?\n- Nobody.\nFar away\n42\nTom & Ann\n"
TIMES = "00:00:0{n},000 --> 00:00:0{n},900"


def subrip(end="\n", gap="\n"):
    cues = (f"{n}\n{TIMES.format(n=n)}\n{cue}\n" for n, cue in enumerate(CUES, 1))
    return gap.join(cues).replace("\n", end)


VTT = "WEBVTT - film\nKind: captions\n\nNOTE\nby me\n\nSTYLE\n::cue {}\n\n" + "\n".join(
    f"cue {n}\n{TIMES.format(n=n).replace(',', '.')} align:start\n{cue}\n" for n, cue in enumerate(CUES)
)  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [subrip(), subrip("\r\n"), subrip("\r"), subrip(gap="\n\n\n"), "\ufeff" + subrip(), VTT,
     subrip(gap=""), "\n" + subrip()],
)  # fmt: skip
def test_the_text_of_each_cue_is_a_line(data, tmp_path):
    assert is_subtitles(data)
    expected = TEXT if data != subrip(gap="") else TEXT.replace("42", "")
    if data != subrip(gap=""):
        assert subtitle_text(data) == expected
    path = tmp_path / "film.srt"
    path.write_bytes(data.encode())
    page = ingest.read(path).row(0, named=True)
    assert page["media_type"] == "text/plain"
    assert "-->" not in page["text"]


@pytest.mark.parametrize(
    "text", ["", "1\nOne\n", "From 10:30 to 11:00\n", "WEBVTTX", "10:30 --> 11:00"]
)
def test_what_is_no_subtitles(text):
    assert not is_subtitles(text)

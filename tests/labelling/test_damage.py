from __future__ import annotations

import polars as pl
import pytest

import ingest
from ingest.labelling.damage import find_damaged

SOUND = "زارت طالبات المدرسة الجديدة متحف المدينة وكتبن عن الرحلة في صحيفة محلية"


@pytest.mark.parametrize(
    "text",
    [
        SOUND[::-1],
        SOUND.replace("ة", "\ufffd"),
        " ".join("متحف المدينة"),
        " ".join("museum of the city"),
        "Ø§Ù\ufffdØªØªØ§Ø\ufffd Ù\ufffdÙ\ufffd",
    ],
)
def test_damaged_lines(text):
    assert find_damaged(pl.DataFrame({"text": [text], "script": ["Arab"]})).tolist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        f"{SOUND} \ufffd {SOUND}",
        "و هو في ب",
        "Plan A B C",
        "فقط لا غير",
        "Øl og Ørsted; SÃO",
    ],
)
def test_sound_lines(text):
    assert find_damaged(pl.DataFrame({"text": [text], "script": ["Arab"]})).tolist() == [False]


def test_damaged_lines_are_not_kept(tmp_path):
    lines = [SOUND, SOUND.replace("ة", "\ufffd"), f"{SOUND} أيضاً", " ".join("متحف المدينة الكبير")]
    (tmp_path / "page.txt").write_text("\n\n".join(lines), encoding="utf-8")
    segments = ingest.label(ingest.detect(ingest.segment(ingest.read(tmp_path))))
    kept = dict(segments.select("text", "keep").rows())
    assert [kept[line] for line in lines] == [True, False, True, False]

"""Put right lines of Arabic that are in visual order: the letters as they stand from left to right.

Some programs extract text from PDFs in this order: `.ديدجلا قوسلا` for `السوق الجديد.` Numbers and
Latin words in such a line are not reversed. The letters tell: a line is put right if it is far
likelier as Arabic when it is read from its end.
"""

from __future__ import annotations

import re

import numpy as np

from ingest._typing import F64, I64, Bools
from ingest.letter_model import arabic_likelihood
from ingest.readers.arabic_bytes import to_letters

REPAIR = "visual order"
# No word begins with these letters; in visual order, every fifth line has one that does.
_NEVER_FIRST = tuple(before + letter for letter in ("ة", "ى", "ء") for before in (" ", "\n"))
_FORMS = re.compile("[\ufe70-\ufefc]")
_ARABIC = re.compile("[\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = "A-Za-z\u00c0-\u024f"
# What is not reversed: Latin words and numbers, with what is between them. In a line that has been
# turned, a number may have a per cent sign before it.
_LEFT_TO_RIGHT = re.compile(rf"%?[{_LATIN}\d]+(?:[ .,:;/&'’@_+\-،]+[{_LATIN}\d]+)*")
_NUMBER = re.compile(r"%?\d+(?:[.,:/\-٫٬،]\d+)*")
_HAS_LATIN = re.compile(f"[{_LATIN}]")
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
_MARKS = "\u064b-\u065f\u0670"
_CLUSTER = re.compile(f"[^{_MARKS}][{_MARKS}]*|[{_MARKS}]+")
_LEADING_MARK = re.compile(f"(?<![\u0620-\u06ff])[{_MARKS}]")
_ENDS, _STARTS = re.compile(r"[.!؟:،؛…]\s*$"), re.compile(r"^\s*[.!؟:،؛…]")
# A line is reversed if that is likelier by this many nats, in all and per letter. Sound lines are
# unlikelier by 2.5 nats per letter. In a page whose lines mostly are, less is enough.
_MIN_GAIN, _MIN_GAIN_PER_LETTER = 12.0, 1.0
_MIN_TOTAL = -4.0  # nats per letter of a line that has been put right
_MIN_SHARE = 0.6  # of the Arabic letters of a page, in such lines


def repair_visual_order(text: str) -> tuple[str, list[str]]:
    """Put the lines that are in visual order right. Returns the text, and what was undone.

    >>> repair_visual_order("ةنيدملا يف ديدجلا كمسلا قوس حتتفا 2024 ماع")
    ('عام 2024 افتتح سوق السمك الجديد في المدينة', ['visual order'])
    >>> repair_visual_order("افتتح سوق السمك الجديد")
    ('افتتح سوق السمك الجديد', [])
    """
    if not may_be_visual(text):
        return text, []
    lines = text.split("\n")
    rows = [row for row, line in enumerate(lines) if not line.isascii() and _ARABIC.search(line)]
    logical = [to_logical(lines[row]) for row in rows]
    gain, letters, sound = _compare([lines[row] for row in rows], logical)
    sure = _is_sure(gain, letters) & sound
    sure &= np.array(
        [may_be_visual(lines[row]) for row in rows], bool
    )  # foreign names fit both ways
    if not sure.any():
        return text, []
    if letters[sure].sum() >= _MIN_SHARE * letters.sum():
        sure |= gain > 0
    for row, line, is_sure in zip(rows, logical, sure, strict=True):
        if is_sure and not _reverses_words_only(lines[row]):
            lines[row] = line
    repaired = "\n".join(lines)
    return repaired, [REPAIR] if repaired != text else []


def may_be_visual(text: str) -> bool:
    """Whether some lines may be in visual order. Takes much less time than to find out."""
    if text.isascii():
        return False
    if "لا" in text and text.count("لا ") + text.count("لا\n") > text.count(" ال"):
        return True
    return (
        text.startswith(("ة", "ى", "ء", "."))
        or any(sign in text for sign in _NEVER_FIRST)
        or _FORMS.search(text) is not None
    )


def find_visual_order(lines: list[str]) -> Bools:
    """Which lines are likelier in visual order than not: bool [lines].

    >>> find_visual_order([".ةيلحملا ةيمنتلا قودنص نم ءاج ليومتلا نإ", "سوق السمك"]).tolist()
    [True, False]
    """
    rows = [row for row, line in enumerate(lines) if may_be_visual(line)]
    found = np.zeros(len(lines), bool)
    if rows:
        tried = [lines[row] for row in rows]
        gain, letters, _ = _compare(tried, [to_logical(line) for line in tried])
        found[rows] = _is_sure(gain, letters)
    return found


def to_logical(line: str) -> str:
    """Turn a line from visual to logical order.

    >>> to_logical("(2.5 PDF ةخسن) فلملا")
    'الملف (نسخة 2.5 PDF)'
    """
    turned = line[::-1]
    if _LEADING_MARK.search(turned):  # marks were kept after their letters
        turned = "".join(reversed(_CLUSTER.findall(line)))
    turned = turned.translate(_MIRRORED)
    turned = _LEFT_TO_RIGHT.sub(lambda match: _turn_back(match[0]), turned)
    return to_letters(turned)


def _turn_back(run: str) -> str:
    """Restore Latin words in their order, or each of several numbers."""
    if _HAS_LATIN.search(run):
        return run[::-1].translate(_MIRRORED)
    return _NUMBER.sub(lambda match: match[0][::-1], run)


def _compare(lines: list[str], logical: list[str]) -> tuple[F64, I64, Bools]:
    """Nats by which lines are likelier in logical order, their letters, whether they are sound."""
    as_is, _ = arabic_likelihood([to_letters(line) for line in lines])
    turned, letters = arabic_likelihood(logical)
    return turned - as_is, letters, turned >= _MIN_TOTAL * letters


def _is_sure(gain: F64, letters: I64) -> Bools:
    sure: Bools = (gain >= _MIN_GAIN) & (gain >= _MIN_GAIN_PER_LETTER * letters)
    return sure


def _reverses_words_only(line: str) -> bool:
    """Whether the full stop shows that the words are in their order, and only letters are not."""
    return bool(_ENDS.search(line)) and not _STARTS.search(line)

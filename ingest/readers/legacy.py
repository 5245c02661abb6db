"""Repair Arabic in a one-byte encoding that was read as another: windows-1256 as windows-1252.

`السوق` becomes `ÇáÓæÞ` when its windows-1256 is read as windows-1252 (or latin-1, the default of
HTTP), and `ЗбУжЮ` when it is read as windows-1251. Whether a phrase is such a text is a matter of
likelihood: that of its letters as Arabic, against that of so many accented letters in a row,
capitals inside words included.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from ingest.letter_model import arabic_likelihood

# The right encodings, and the wrong ones. In UTF-8, Arabic read as Latin letters has three of them
# in a row, and read as other letters, a capital after a small one.
_RIGHT = {"windows-1256": "cp1256", "iso-8859-6": "iso8859-6", "x-mac-arabic": "mac_arabic"}
_LATIN, _OTHER = 5.5, 4.0  # nats: the least cost of a letter as it stands, by script
_ROW = re.compile(b"\xc3[\x80-\xbf]\xc3[\x80-\xbf]\xc3")
_CYRILLIC = re.compile(b"\xd0(?:[\xb0-\xbf]|[\x80-\xbf]\xd1[\x80-\x9f])\xd0[\x80-\xaf]")
_GREEK = re.compile(b"\xce(?:[\xac-\xbf]|[\x80-\xbf]\xcf[\x80-\x8e])\xce[\x86-\xab]")
_WRONG = {
    "windows-1252": ("cp1252", _ROW, _LATIN),
    "windows-1254": ("cp1254", _ROW, _LATIN),
    "windows-1250": ("cp1250", _ROW, _LATIN),
    "windows-1251": ("cp1251", _CYRILLIC, _OTHER),
    "windows-1253": ("cp1253", _GREEK, _OTHER),
}
_CAPITAL = 6.0  # nats: the cost of a capital after a small letter of the same word
# Nats by which Arabic must be likelier, in a phrase by itself; and in one of a page in which such
# phrases amount to _SURE.
_MIN_PHRASE, _MIN_IN_PAGE, _SURE = 10.0, 2.0, 30.0
_MIN_RARE = 20.0  # the same as _MIN_PHRASE for an encoding that is rare
_MIN_LEAD = 2.0  # nats by which one encoding must be likelier than the others
_MIN_LETTERS = 2  # of a phrase in such a page
_MARKS = "ًٌٍَُِّْـ"
_ODD = re.compile("[\u0080-\u00ff]")
_ODD_COST = 0.1  # nats for a sign that the right encoding does not change
_BETWEEN = r" \t\u00a0\d.,:;!?()«»“”\"'/\-–—…"


class _Reading(NamedTuple):
    """A wrong reading of an Arabic encoding.

    Attributes:
        repair: what was undone.
        table: the right character of each wrong one, for `str.translate`.
        phrase: pattern of words of such letters and nothing else.
        capital: pattern of a capital letter after a small one.
        cost: nats per letter.
        least: nats by which Arabic must be likelier, in a phrase by itself.
    """

    repair: str
    table: dict[int, str]
    phrase: re.Pattern[str]
    capital: re.Pattern[str]
    cost: float
    least: float


def repair_legacy(text: str, others: bytes) -> tuple[str, list[str]]:
    """Undo wrong decodings of Arabic. Returns the text, and what was undone.

    Args:
        text: a page, or a line.
        others: its `non_ascii_bytes`.

    >>> from ingest.readers.non_ascii import non_ascii_bytes
    >>> broken = "السوق الجديد".encode("cp1256").decode("cp1252")
    >>> repair_legacy(broken, non_ascii_bytes(broken))
    ('السوق الجديد', ['windows-1256 read as windows-1252'])
    """
    hints = {hint for hint in {hint for _, hint, _ in _WRONG.values()} if hint.search(others)}
    best, best_gain, second, name = text, 0.0, 0.0, ""
    for wrong, right in product(_WRONG, _RIGHT):
        if _WRONG[wrong][1] not in hints:
            continue
        reading = _build_reading(wrong, right)
        repaired, gain = _try_reading(text, reading)
        if gain > best_gain:
            second = second if repaired == best else best_gain
            best, best_gain, name = repaired, gain, reading.repair
        elif repaired != best:
            second = max(second, gain)
    if best_gain < second + _MIN_LEAD:
        return text, []
    return best, [name] if name else []


@cache  # to compile all of them takes 25 ms, and few pages need one
def _build_reading(wrong: str, right: str) -> _Reading:
    codec, _, cost = _WRONG[wrong]
    table: dict[int, str] = {}
    letters = signs = small = capital = ""
    for byte in range(0x80, 0x100):
        as_read = bytes([byte]).decode(codec, "ignore") or chr(byte)
        meant = bytes([byte]).decode(_RIGHT[right], "ignore")
        if not meant or as_read == meant:
            continue
        forms = {as_read, chr(byte)} if wrong == "windows-1252" else {as_read}  # or latin-1
        table |= {ord(form): meant for form in forms}
        if ("\u0600" <= meant < "\u0700" and meant.isalpha()) or meant in _MARKS:
            letters += "".join(forms)
            small += as_read if as_read.islower() else ""
            capital += as_read if as_read.isupper() else ""
        else:
            signs += "".join(forms)
    letters, signs = re.escape(letters), re.escape(signs)
    word = f"[{letters}]++(?:(?=[{signs}])|(?!\\w))"
    return _Reading(
        f"{right} read as {wrong}",
        table,
        re.compile(rf"(?<!\w){word}(?:[{_BETWEEN}{signs}]++{word})*+(?: ?[{signs}])*+"),
        re.compile(f"[{small}](?=[{capital}])"),
        cost,
        _MIN_PHRASE if right == "windows-1256" else _MIN_RARE,
    )


def _try_reading(text: str, reading: _Reading) -> tuple[str, float]:
    """The text with its phrases read rightly, and the nats by which they are likelier."""
    phrases = list(dict.fromkeys(reading.phrase.findall(text)))
    total, letters = arabic_likelihood([phrase.translate(reading.table) for phrase in phrases])
    capitals = np.array([len(reading.capital.findall(phrase)) for phrase in phrases])
    odd = np.array([len(_ODD.findall(phrase.translate(reading.table))) for phrase in phrases])
    gain = total + reading.cost * letters + _CAPITAL * capitals - _ODD_COST * odd
    sure = gain >= reading.least
    if gain[sure].sum() >= _SURE:
        sure |= (gain >= _MIN_IN_PAGE) & (letters >= _MIN_LETTERS)
    if not sure.any():
        return text, 0.0
    accepted = {phrase for phrase, is_sure in zip(phrases, sure, strict=True) if is_sure}
    repaired = reading.phrase.sub(
        lambda m: m[0].translate(reading.table) if m[0] in accepted else m[0], text
    )
    return repaired, float(gain[sure].sum())

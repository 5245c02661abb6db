"""Text that was decoded wrongly before it was stored: UTF-8 read as a one-byte encoding.

`القاهرة` becomes `Ø§Ù„Ù‚Ø§Ù‡Ø±Ø©` when its UTF-8 is read as windows-1252, and `ط§ظ„ظ‚ط§ظ‡ط±ط©`
when it is read as windows-1256. Such text is valid, so decoding cannot see it. It is undone only
where it is certain: a run of characters beyond ASCII is repaired whole or not at all, and only if
its bytes in that encoding are the UTF-8 of letters and signs used with Arabic and Latin script.
Text read as windows-1256 is found by its alefs and lams, so it must have one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# A table of all 256 bytes of each encoding as WHATWG has it: those undefined are C1 controls, so
# that text read as ISO-8859-1 by the letter is undone by windows-1252 too.
# With each, what a search for single strings finds quickly: the first bytes of Arabic and accented
# letters; where those are letters of Arabic themselves, the second bytes of alef and lam.
_CODECS = {
    "windows-1252": ("cp1252", ("Ø", "Ù", "Ã", "Ä", "Å", "â€", "â\x80")),
    "windows-1256": ("cp1256", ("§", "„", "أ©", "أ¨", "â€", "â\x80")),
}
_RUN = re.compile(r"[^\x00-\x7f]+")
# What may come out: Latin letters and signs, combining marks, Arabic and its supplements, Latin
# Extended Additional, punctuation and symbols, Arabic presentation forms, emoji.
_USED = re.compile(
    "[\u00a0-\u024f\u0300-\u036f\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u1e00-\u1eff\u2000-\u2bff"
    "\ufb50-\ufdff\ufe0f\ufe70-\ufeff\U0001f000-\U0001faff]+"
)
_ARABIC = re.compile("[\u0600-\u06ff]{3,}")
# Text that comes with so few of these may be about broken text, or an accident.
_LEAST_ARABIC = 6  # letters in runs of three or more
_LEAST_LATIN = 3  # runs inside words
_LEAST_SHARE = 0.05  # of the runs that are sound


def repair_mojibake(text: str) -> tuple[str, str | None]:
    """Undo a wrong decoding where there is one; returns the text, and what was undone or None.

    >>> repair_mojibake("القاهرة".encode().decode("cp1256"))
    ('القاهرة', 'utf-8 read as windows-1256')
    >>> repair_mojibake("« IRMÃ», São Paulo")
    ('« IRMÃ», São Paulo', None)
    """
    if text.isascii():
        return text, None
    for name, codec in _TABLES.items():
        if not any(sign in text for sign in codec.signs) or not codec.hint.search(text):
            continue
        if repaired := _repaired(text, codec):
            return repaired, f"utf-8 read as {name}"
    return text, None


class _Codec(NamedTuple):
    """Bytes for characters, and what text without damage seldom (`signs`) or never has."""

    table: dict[int, int]
    signs: tuple[str, ...]
    hint: re.Pattern[str]
    latin: re.Pattern[str]


def _codec(codec: str, signs: tuple[str, ...]) -> _Codec:
    chars = [bytes([b]).decode(codec, "ignore") or chr(b) for b in range(256)]

    def among(*ranges: tuple[int, int]) -> str:
        return "[" + "".join(re.escape(chars[b]) for r in ranges for b in range(*r)) + "]"

    # a C1 control stands for its own byte too: ISO-8859-1 by the letter
    table = {b: b for b in range(0x80, 0xA0)} | {ord(c): b for b, c in enumerate(chars)}
    follows = among((0x80, 0xC0))[:-1] + "\x80-\x9f]"
    arabic = f"(?:{among((0xD8, 0xDC))}{follows}){{3}}"
    accented = f"{among((0xC3, 0xC6))}{follows}"
    mark = f"{chars[0xE2]}[{chars[0x80]}\x80]{follows}"
    latin = f"(?<=[a-z]){accented}|{accented}(?=[a-z])|{mark}"
    hint = f"{arabic}|{latin}"
    return _Codec(table, signs, re.compile(hint), re.compile(latin))


_TABLES = {name: _codec(*codec) for name, codec in _CODECS.items()}


def _repaired(text: str, codec: _Codec) -> str | None:
    """The text with its damaged runs undone; None where that is not certain."""
    runs = {run: _undone(run, codec.table) for run in set(_RUN.findall(text))}
    sound = broken = arabic = 0
    for found in _RUN.finditer(text):
        undone = runs[found[0]]
        if undone is None:
            sound += 1
        else:
            broken += 1
            arabic += sum(map(len, _ARABIC.findall(undone)))
    latin = sum(1 for found in codec.latin.finditer(text))
    if arabic < _LEAST_ARABIC and latin < _LEAST_LATIN:
        return None
    if broken < _LEAST_SHARE * sound:
        return None
    return _RUN.sub(lambda found: runs[found[0]] or found[0], text)


def _undone(run: str, table: dict[int, int]) -> str | None:
    """A run of characters as it was before; None where it was never broken."""
    try:
        before = bytes(table[ord(c)] for c in run).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
    return before if _USED.fullmatch(before) else None

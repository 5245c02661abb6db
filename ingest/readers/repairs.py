"""Undo all the errors that text may have from before it was stored, and say what was undone."""

from __future__ import annotations

import html
import re

from ingest.readers.legacy import repair_legacy
from ingest.readers.mojibake import repair_mojibake
from ingest.readers.non_ascii import non_ascii_bytes

_REFERENCES = re.compile(r"&(?:#\d{3,5}|#[xX][0-9a-fA-F]{2,4}|[A-Za-z]{2,7}\d{0,2});")
# A reference to a Latin letter or sign before another one, or before a character that is not ASCII.
# Broken text has one in each broken character.
_USUAL = "nbsp|amp|lt|gt|quot|apos|[lr]a?quo|[lr][sd]quo|middot|bull|copy|[nm]dash|#160"
_ADJACENT = re.compile(
    rf"&(?!(?:{_USUAL});)(?:#(?:1[2-9]\d|2\d\d)|#[xX][89a-fA-F][0-9a-fA-F]|[A-Za-z]{{2,7}}\d{{0,2}});"
    r"(?=[^\x00-\x7f]|&[#A-Za-z])"
)
_CONTROL = re.compile(b"\xc2[\x80-\x9f]")
_CONTROLS = re.compile("[\x80-\x9f]")
_CP1252 = {
    chr(byte): bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
# UTF-8 that is still broken, and letters of Macintosh encodings, which become capitals and signs.
_NOT_CP1252 = re.compile(
    "[\u00c2-\u00f4][\x80-\x9f]|[a-z][\x88\x8a\x8c\x8e\x98\x9f]|[a-z][\x84\x93\x94\x99][a-z]"
)


def repair_text(text: str, encoded: bytes | None = None) -> tuple[str, str | None]:
    """Undo wrong decodings of a page. Returns the text, and what was undone or None.

    Character references count as what they stand for, but only a page that needs a repair loses
    them. The lines of the text stay the same.

    Args:
        text: the text.
        encoded: the same in UTF-8, if it is at hand.

    >>> repair_text("<p>&Oslash;&sect;&Ugrave;&bdquo;&#217;&#130;&Ugrave;&hellip;&Oslash;&plusmn;")
    ('<p>القمر', 'utf-8 read as windows-1252')
    """
    resolved = _resolve_references(text)
    if resolved is not None:
        repaired, repairs = _repair(resolved)
        if repairs:
            return repaired, "; ".join(repairs)
    repaired, repairs = _repair(text, encoded)
    return repaired, "; ".join(repairs) or None


def _repair(text: str, encoded: bytes | None = None) -> tuple[str, list[str]]:
    others = non_ascii_bytes(text, encoded)
    repairs: list[str] = []
    if others:
        for repair in (repair_mojibake, repair_legacy, _read_controls):
            text, undone = repair(text, others)
            if undone:
                others = non_ascii_bytes(text)
                repairs += undone
    return text, repairs


def _read_controls(text: str, others: bytes) -> tuple[str, list[str]]:
    """Read C1 controls, which no text has, as the quotation marks and dashes of windows-1252."""
    if not _CONTROL.search(others):
        return text, []
    found = set(_CONTROLS.findall(text))
    if not found <= _CP1252.keys() or _NOT_CP1252.search(text):
        return text, []
    return text.translate({ord(char): _CP1252[char] for char in found}), [
        "windows-1252 read as iso-8859-1"
    ]


def _resolve_references(text: str) -> str | None:
    """The text without references to characters other than ASCII; None if it can stay as it is."""
    if not _ADJACENT.search(text):
        return None
    return _REFERENCES.sub(_resolve, text)


def _resolve(match: re.Match[str]) -> str:
    char = html.unescape(match[0])
    return match[0] if char.isascii() else char

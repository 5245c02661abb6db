"""Repair text that was decoded wrongly before it was stored: UTF-8 read as a one-byte encoding.

`القاهرة` becomes `Ø§Ù„Ù‚Ø§Ù‡Ø±Ø©` when its UTF-8 is read as windows-1252, and `ط§ظ„ظ‚ط§ظ‡ط±ط©`
when it is read as windows-1256. Such text is valid, so decoding cannot detect it. We repair it only
if there is no doubt: a run of non-ASCII characters is repaired completely or not at all, and only
if its bytes in that encoding are the UTF-8 of letters and signs used with Arabic or Latin script.
Text read as windows-1256 is detected by its alefs and lams, so it must contain one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Each encoding has all 256 bytes, as in the WHATWG standard: undefined bytes are C1 controls, so
# that windows-1252 also repairs text read as strict ISO-8859-1.
# The strings allow a fast search: they are the first bytes of Arabic and accented letters or, if
# these are Arabic letters themselves, the second bytes of alef and lam.
_CODECS = {
    "windows-1252": ("cp1252", ("Ø", "Ù", "Ã", "Ä", "Å", "â€", "â\x80")),
    "windows-1256": ("cp1256", ("§", "„", "أ©", "أ¨", "â€", "â\x80")),
}
_ASCII = bytes(range(0x80))
_RUN = re.compile(r"[^\x00-\x7f]+")
# Characters that a repair may produce: Latin letters and signs, combining marks, Arabic and its
# supplements, Latin Extended Additional, punctuation and symbols, Arabic presentation forms, emoji.
_PLAUSIBLE = re.compile(
    "[\u00a0-\u024f\u0300-\u036f\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u1e00-\u1eff\u2000-\u2bff"
    "\ufb50-\ufdff\ufe0f\ufe70-\ufeff\U0001f000-\U0001faff]+"
)
_ARABIC = re.compile("[\u0600-\u06ff]{3,}")
# With less evidence than this, the text may be about mojibake, or it may be a coincidence.
_MIN_ARABIC = 6  # letters in runs of three or more
_MIN_LATIN = 3  # runs inside words
_MIN_SHARE = 0.05  # broken runs, relative to sound runs


def repair_mojibake(text: str, encoded: bytes | None = None) -> tuple[str, str | None]:
    """Undo a wrong decoding. Returns the text, and what was undone or None.

    If the text in UTF-8 is at hand, `encoded` saves time.

    >>> repair_mojibake("القاهرة".encode().decode("cp1256"))
    ('القاهرة', 'utf-8 read as windows-1256')
    >>> repair_mojibake("« IRMÃ», São Paulo")
    ('« IRMÃ», São Paulo', None)
    """
    if text.isascii():
        return text, None
    # Without ASCII, a page is short. What is adjacent in it still is, and a little more.
    encoded = encoded or text.encode("utf-8", "surrogatepass")
    others = encoded.translate(None, _ASCII)
    rest = others.decode("utf-8", "surrogatepass")
    for name, codec in _TABLES.items():
        if not any(sign in rest for sign in codec.signs) or not codec.pairs.search(rest):
            continue
        if not any(sign in text for sign in codec.signs):
            continue
        near = _surroundings(text)
        if codec.hint.search(near) and (repaired := _try_repair(text, near, codec)):
            return repaired, f"utf-8 read as {name}"
    return text, None


def _surroundings(text: str) -> str:
    """The runs of non-ASCII characters with one character on each side, for a quicker search."""
    return "\n".join(
        text[max(match.start() - 1, 0) : match.end() + 1] for match in _RUN.finditer(text)
    )


class _Codec(NamedTuple):
    """A wrong decoding.

    Attributes:
        table: byte of each character.
        signs: strings that are rare in sound text.
        hint: pattern that does not occur in sound text.
        latin: the part of `hint` for Latin script.
        pairs: pattern that matches wherever `hint` does, but does not look at ASCII letters.
    """

    table: dict[int, int]
    signs: tuple[str, ...]
    hint: re.Pattern[str]
    latin: re.Pattern[str]
    pairs: re.Pattern[str]


def _build_codec(codec: str, signs: tuple[str, ...]) -> _Codec:
    chars = [bytes([b]).decode(codec, "ignore") or chr(b) for b in range(256)]

    def among(*ranges: tuple[int, int]) -> str:
        return "[" + "".join(re.escape(chars[b]) for r in ranges for b in range(*r)) + "]"

    # C1 controls also represent their own bytes, as in strict ISO-8859-1
    table = {b: b for b in range(0x80, 0xA0)} | {ord(c): b for b, c in enumerate(chars)}
    follows = among((0x80, 0xC0))[:-1] + "\x80-\x9f]"
    arabic = f"(?:{among((0xD8, 0xDC))}{follows}){{3}}"
    accented = f"{among((0xC3, 0xC6))}{follows}"
    mark = f"{chars[0xE2]}[{chars[0x80]}\x80]{follows}"
    latin = f"(?<=[a-z]){accented}|{accented}(?=[a-z])|{mark}"
    hint = f"{arabic}|{latin}"
    pairs = f"{arabic}|{accented}|{mark}"
    return _Codec(table, signs, re.compile(hint), re.compile(latin), re.compile(pairs))


_TABLES = {name: _build_codec(*codec) for name, codec in _CODECS.items()}


def _try_repair(text: str, near: str, codec: _Codec) -> str | None:
    """The text with its broken runs repaired; None if `near` them is not enough evidence."""
    runs = {run: _repair_run(run, codec.table) for run in set(_RUN.findall(text))}
    sound = broken = arabic = 0
    for match in _RUN.finditer(text):
        repaired = runs[match[0]]
        if repaired is None:
            sound += 1
        else:
            broken += 1
            arabic += sum(map(len, _ARABIC.findall(repaired)))
    latin = sum(1 for _ in codec.latin.finditer(near))
    if arabic < _MIN_ARABIC and latin < _MIN_LATIN:
        return None
    if broken < _MIN_SHARE * sound:
        return None
    return _RUN.sub(lambda match: runs[match[0]] or match[0], text)


def _repair_run(run: str, table: dict[int, int]) -> str | None:
    """The original of a run of characters; None if the run is not broken."""
    try:
        original = bytes(table[ord(c)] for c in run).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
    return original if _PLAUSIBLE.fullmatch(original) else None

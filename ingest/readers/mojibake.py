"""Repair text that was decoded wrongly before it was stored: UTF-8 read as a one-byte encoding.

`القاهرة` becomes `Ø§Ù„Ù‚Ø§Ù‡Ø±Ø©` when its UTF-8 is read as windows-1252, and `ط§ظ„ظ‚ط§ظ‡ط±ط©`
when it is read as windows-1256. Such text is valid, so decoding cannot detect it. We repair it only
if there is no doubt. Broken characters are sequences that are the UTF-8 of letters and signs used
with Arabic or Latin script. A line is repaired if it has enough of them and hardly any letters
that are sound; or if the page as a whole has so many that they cannot be a coincidence.
"""

from __future__ import annotations

import re
from functools import cache, partial
from typing import NamedTuple

from ingest.readers.lost_bytes import restore_letters, restore_signs
from ingest.readers.non_ascii import non_ascii_bytes

# Each encoding has all 256 bytes, as in the WHATWG standard: undefined bytes are C1 controls, so
# that windows-1252 also repairs text read as strict ISO-8859-1. Where several of them would do,
# the first is meant.
_CODECS = {
    "windows-1252": "cp1252",
    "windows-1256": "cp1256",
    "windows-1251": "cp1251",
    "windows-1250": "cp1250",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1257": "cp1257",
    "iso-8859-2": "iso8859-2",
    "macintosh": "mac_roman",
    "cp437": "cp437",
    "cp850": "cp850",
}
_ARABIC_NAME = "windows-1256"
_LOSES_BYTES = ("windows-1252", "windows-1254")
_ROUNDS = 4  # text may be broken more than once
_LINE = re.compile(r"[^\n\r<>]+")
_SOUND = re.compile(r"[^\W\d_a-zA-Z]+")
# Characters that a repair may produce: Latin letters and signs, combining marks, Arabic and its
# supplements, Latin Extended Additional, punctuation and symbols, Arabic presentation forms, emoji.
_PLAUSIBLE = re.compile(
    "[\u0080-\u017f\u0192\u0218-\u021b\u02c6\u02dc\u0300-\u036f\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u1e00-\u1eff\u2000-\u2bff"
    "\ufb50-\ufdff\ufe0f\ufe70-\ufeff\U0001f000-\U0001faff]+"
)
# First bytes of these characters, by the length of their UTF-8.
_LEADS = {2: "C2-C6 C8 CB-CD D8-DB DD", 3: "E0-E2 EF", 4: "F0"}
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_USUAL_SIGNS = re.compile("[\u2010-\u203a\u20ac\u2122\U0001f300-\U0001faff]")
_DRAWING = re.compile("[\u2500-\u259f]+")
_COMMON = re.compile("[\u00a1-\u00ff\u0152\u0153]")  # Latin letters and signs that are frequent
_NO_LETTERS = "\u02c6\u00aa\u00b2\u00b3\u00b9\u00ba"  # which Python takes for letters or digits
_OPENING, _CLOSING = "\"'(«“‘", "\"')»”’"
# Evidence, in a line or in a page. With less, the text may be about mojibake, or it may be a
# coincidence.
_MIN_LINE = 2
_MIN_ARABIC = 6  # letters in runs of three or more
_MIN_LATIN = 3  # letters inside words, or signs
_MIN_SHARE = 0.05  # broken sequences, relative to sound runs
_MAX_SOUND = 0.5  # sound runs in a line, relative to broken sequences


def repair_mojibake(text: str, others: bytes) -> tuple[str, list[str]]:
    """Undo wrong decodings. Returns the text, and what was undone, the last error first.

    Args:
        text: a page, or a line.
        others: its `non_ascii_bytes`.

    >>> broken = "القاهرة".encode().decode("cp1256")
    >>> repair_mojibake(broken, non_ascii_bytes(broken))
    ('القاهرة', ['utf-8 read as windows-1256'])
    """
    repairs: list[str] = []
    while others and len(repairs) < _ROUNDS:
        every, first_bytes = _build_codecs()
        present = {byte for byte in first_bytes if byte in others}
        codecs = [
            codec
            for codec in every
            if not present.isdisjoint(codec.first_bytes)
            and any(hint.search(others) for hint in codec.hints)
        ]
        rest = others.decode("utf-8", "surrogatepass") if codecs else ""
        codecs = [codec for codec in codecs if _has_broken(rest, codec)]
        if not codecs:
            break
        lines = [line for line in dict.fromkeys(_split(text)) if not line.isascii()]
        best = _Repair({}, "", 0)
        for codec in codecs:
            repair = _try_repair(lines, codec)
            lines = [line for line in lines if repair.lines.get(line, "") is not None]
            if any(repair.lines.values()) and (not best.name or repair.weight > best.weight):
                best = repair
        if not best.name:
            break
        text = _LINE.sub(lambda match: best.lines.get(match[0]) or match[0], text)  # noqa: B023
        repairs.append(f"utf-8 read as {best.name}")
        others = non_ascii_bytes(text)
    return text, repairs


class _Codec(NamedTuple):
    """A wrong decoding.

    Attributes:
        name: its name in the WHATWG standard, if it has one.
        table: byte of each character.
        sequence: pattern of broken characters, one after the other.
        pairs: pattern that matches in any line with broken characters.
        first_bytes: bytes of which one is in such a line's UTF-8.
        hints: of which one matches in `non_ascii_bytes` of such a line.
    """

    name: str
    table: dict[int, int]
    sequence: re.Pattern[str]
    pairs: re.Pattern[str]
    first_bytes: frozenset[bytes]
    hints: list[re.Pattern[bytes]]


class _Repair(NamedTuple):
    """What one repair does.

    Attributes:
        lines: each broken line, and the line without its errors; None if it has to stay.
        name: the encoding.
        weight: the evidence.
    """

    lines: dict[str, str | None]
    name: str
    weight: int


class _Line(NamedTuple):
    """What speaks for and against a repair of one line.

    Attributes:
        weight: evidence for it.
        broken: the number of broken sequences.
        sound: the number of runs of sound letters, other than ASCII.
        arabic: the number of Arabic letters in runs of three or more that it would give.
        latin: the number of Latin letters inside words and signs that it would give.
    """

    weight: int
    broken: int
    sound: int
    arabic: int
    latin: int


def _build_codec(name: str, codec: str) -> _Codec:
    chars = [bytes([b]).decode(codec, "ignore") or chr(b) for b in range(256)]
    # In windows-1252, C1 controls also represent their own bytes, as in strict ISO-8859-1
    controls = {chr(b): b for b in range(0x80, 0xA0)} if codec == "cp1252" else {}

    def among(ranges: str) -> list[str]:
        spans = [[int(end, 16) for end in part.split("-")] for part in ranges.split()]
        return [chars[b] for span in spans for b in range(span[0], span[-1] + 1)]

    leads = {n: among(ranges) for n, ranges in _LEADS.items()}
    follows = [*among("80-BF"), *controls]
    one = "|".join(f"{_any(leads[n])}{_any(follows)}{{{n - 1}}}" for n in leads)
    all_leads = [char for chars in leads.values() for char in chars]
    if name == _ARABIC_NAME:  # where most of them are words and the signs after them
        arabic = among("D8-DB")
        pairs = [[arabic, follows] * 2, [["\u00e2"], ["\u20ac"]]]
        pairs.append([[chars[0xC3]], among("80 89 A2 A7-AA AE AF B4 B9")])
    elif name in _LOSES_BYTES:
        pairs = [[all_leads, follows], [["\u00c3"], [" "]]]
    else:
        pairs = [[all_leads, follows]]
    return _Codec(
        name,
        {ord(char): b for char, b in controls.items()}
        | {ord(char): b for b, char in enumerate(chars) if b >= 0x80},
        re.compile(f"(?:{one})+"),
        re.compile("|".join("".join(map(_any, pair)) for pair in pairs)),
        frozenset(char.encode()[:1] for pair in pairs for char in pair[0]),
        [re.compile(b"".join(map(_any_of_bytes, pair))) for pair in pairs],
    )


def _any_of_bytes(chars: list[str]) -> bytes:
    """A pattern for the UTF-8 of any of some characters."""
    by_start: dict[bytes, set[bytes]] = {}
    for char in chars:
        data = char.encode()
        by_start.setdefault(data[:-1], set()).add(re.escape(data[-1:]))
    groups = [re.escape(start) + b"[" + b"".join(sorted(e)) + b"]" for start, e in by_start.items()]
    return groups[0] if len(groups) == 1 else b"(?:" + b"|".join(groups) + b")"


def _any(chars: list[str]) -> str:
    return "[" + "".join(map(re.escape, chars)) + "]"


@cache  # 19 ms, which a worker that reads ASCII does not need
def _build_codecs() -> tuple[list[_Codec], list[bytes]]:
    """Return all codecs, and their first bytes."""
    codecs = [_build_codec(name, codec) for name, codec in _CODECS.items()]
    return codecs, sorted(frozenset().union(*(codec.first_bytes for codec in codecs)))


def _has_broken(text: str, codec: _Codec) -> bool:
    if codec.name in _LOSES_BYTES and "\u00c3 " in text:
        return True
    return any(_decode(match, text, codec) for match in codec.sequence.finditer(text))


def _split(text: str) -> list[str]:
    """All that `_LINE` matches, and empty strings."""
    for char in "\r<>":
        text = text.replace(char, "\n")
    return text.split("\n")


def _try_repair(lines: list[str], codec: _Codec) -> _Repair:
    """The repair of the lines for which there is enough evidence."""
    weighed = {
        line: _weigh(restore_signs(line) if codec.name in _LOSES_BYTES else line, codec)
        for line in lines
        if codec.pairs.search(line)
    }
    found = {line: weight for line, weight in weighed.items() if weight.broken}
    broken = sum(line.broken for line in found.values())
    sound = sum(len(_SOUND.findall(line)) for line in lines) - broken
    enough = (
        sum(line.arabic for line in found.values()) >= _MIN_ARABIC
        or sum(line.latin for line in found.values()) >= _MIN_LATIN
    ) and broken >= _MIN_SHARE * sound
    changed: dict[str, str | None] = {}
    weight = 0
    for line, of_line in found.items():
        is_sure = of_line.weight >= _MIN_LINE and of_line.sound <= _MAX_SOUND * of_line.broken
        if (enough or is_sure) and (repaired := _repair_line(line, codec)) != line:
            changed[line] = repaired
            weight += of_line.weight - of_line.sound if repaired else 0
    return _Repair(changed, codec.name, weight)


def _weigh(line: str, codec: _Codec) -> _Line:
    weight = broken = sound = arabic = latin = 0
    end = 0
    for match in codec.sequence.finditer(line):
        sound += len(_SOUND.findall(line, end, match.start()))
        end = match.end()
        original = _decode(match, line, codec)
        if original is None:
            sound += 1
            continue
        broken += 1
        before, after = line[max(match.start() - 2, 0) : match.start()], line[end : end + 1]
        last = before[-1:]
        if last and after and last in _OPENING and after in _CLOSING:
            continue  # an example of a broken text
        letters = len(_ARABIC.findall(original))
        signs = len(_USUAL_SIGNS.findall(original))
        short = sum(c < "\u0300" for c in original)
        arabic += letters if letters >= 3 else 0
        accented = _weigh_latin(match[0], original, before, after) if short else 0
        weight += (letters if letters >= 2 else 0) + 2 * signs + accented
        in_word = "a" <= last <= "z" or "a" <= after <= "z"
        latin += (in_word and accented > 1) * short + signs
    return _Line(weight, broken, sound + len(_SOUND.findall(line, end)), arabic, latin)


def _weigh_latin(sequence: str, original: str, before: str, after: str) -> int:
    """The evidence of a broken sequence that has Latin letters or signs.

    Args:
        sequence: the broken characters.
        original: what they stand for.
        before: up to two characters before the sequence.
        after: the character after it, or nothing.
    """
    last = before[-1:]
    in_word = "a" <= last <= "z" or "a" <= after <= "z"
    is_word = all(c.isalnum() and c not in _NO_LETTERS for c in sequence)
    if _DRAWING.fullmatch(sequence):
        weight = 0
    elif len(original) > 1:
        weight = 2
    elif not _COMMON.match(original):
        weight = int(in_word and original < "\u0180")
    elif original.isupper() and last.islower():
        weight = -2  # another encoding gives a small letter
    elif is_word:
        weight = 2 if last.islower() and sequence[0].isupper() else int(in_word)
    elif in_word or (after.isascii() and after.isalpha()):
        weight = 2
    elif last.isupper():  # OÃ¹, but not IRMÃ»
        weight = 2 if not before[:-1].isalpha() and sequence[-1] not in _CLOSING else 0
    elif not last or last.isspace() or last.isdigit():
        # Letters of other scripts stand before signs in sound text: «أ»
        weight = 1 if "\u0370" <= sequence[0] < "\u2000" else 2
    else:
        weight = 0
    return weight


def _repair_line(line: str, codec: _Codec) -> str | None:
    """The line without its errors; None if some of them cannot be repaired."""
    if codec.name in _LOSES_BYTES:
        line = restore_signs(line, sure=True)
        restored = restore_letters(line, partial(_decode_line, codec=codec))
        if restored is None:
            return None
        line = restored
    return _decode_line(line, codec)


def _decode_line(line: str, codec: _Codec) -> str:
    return codec.sequence.sub(lambda match: _decode(match, line, codec) or match[0], line)


def _decode(match: re.Match[str], line: str, codec: _Codec) -> str | None:
    """The original of a sequence of characters; None if it is not broken."""
    sequence = match[0]
    if codec.name == _ARABIC_NAME:  # whose broken text looks like words of Arabic letters
        around = line[max(match.start() - 1, 0) : match.start()] + line[match.end() :][:1]
        if _ARABIC.search(around):
            return None
    try:
        original = bytes(codec.table[ord(c)] for c in sequence).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return original if _PLAUSIBLE.fullmatch(original) else None

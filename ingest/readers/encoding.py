"""Decode bytes by their content, by declarations, or by detection, in this order.

The order follows the WHATWG Encoding and HTML standards: byte order mark, charset of the transport,
`<meta>` of the document, detection. There is one exception: non-ASCII bytes that are valid UTF-8
are UTF-8, whatever is declared. Wrong declarations, such as the default of a server, are far more
frequent in scrapes than other encodings that happen to be valid UTF-8. Two consecutive letters in
windows-1256 hardly ever are, and a page has thousands.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

import numpy as np
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

from ingest.errors import SourceError
from ingest.readers.arabic_bytes import arabic_encoding, to_letters
from ingest.readers.legacy import repair_legacy
from ingest.readers.non_ascii import non_ascii_bytes

_BOMS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 16  # bytes that are inspected for detection
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SURROGATE = re.compile(
    rb"\xed[\xa0-\xbf][\x80-\xbf]"
)  # not valid, but written by some UTF-8 encoders
_REPLACEMENT = "\ufffd"
# High bytes of UTF-16 units in Arabic and Latin text: Basic Latin, Latin Extended, Arabic,
# Arabic Supplement, General Punctuation, Arabic presentation forms.
_UTF16_PAGES = np.array([0x00, 0x01, 0x06, 0x07, 0x08, 0x20, 0xFB, 0xFC, 0xFD, 0xFE], np.uint16)
# Share of control bytes above which bytes are not text. Compressed or compiled data has about 11 %,
# text at most an occasional NUL. Valid UTF-8 may have more.
_BINARY_SHARE, _BINARY_SHARE_UTF8 = 0.03, 0.3
# In UTF-8 with some damage, nearly all sequences are still valid. In legacy encodings, almost none
# are.
_DAMAGED_SHARE = 0.1
# WHATWG maps labels to their windows supersets, which have quotation marks.
_SUPERSETS = {"ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254"}
# Servers often declare windows-1252 by default. Its languages rarely have three consecutive
# non-ASCII letters. In Arabic, Cyrillic and other scripts, nearly all letters are in such runs.
_RUNS = re.compile(rb"[\x80-\xff]{3,}")
_DEFAULT = "cp1252"
_ESCAPE = b"\x1b"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


class Decoded(NamedTuple):
    """Text, its encoding, and the number of U+FFFD that replace unreadable bytes."""

    text: str
    encoding: str
    replaced: int


def decode(data: bytes, header: str | None = None, meta: str | None = None) -> Decoded:
    r"""Decode one page.

    Args:
        data: the bytes of the page.
        header: the charset declared outside the page, for example in Content-Type.
        meta: the charset declared in the page, if it is HTML.

    Labels are read as in the WHATWG standard: iso-8859-1 means windows-1252. Unknown labels, utf-7
    and declared encodings that do not fit the bytes are ignored.

    Raises:
        SourceError: the bytes are not text.

    >>> decode("قتل أربعة أشخاص".encode("cp1256"))
    Decoded(text='قتل أربعة أشخاص', encoding='cp1256', replaced=0)
    >>> decode(b"l'\xe9t\xe9", header="utf-8", meta="latin1")
    Decoded(text="l'été", encoding='cp1252', replaced=0)
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], name)
    if wide := _detect_utf16(data):
        return _decode_as(data, wide)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        _check_not_binary(data, _BINARY_SHARE)
        return _decode_invalid_utf8(data, _declared_codecs(header, meta))
    _check_not_binary(data, _BINARY_SHARE_UTF8)
    if _ESCAPE in data and "iso2022_jp" in _declared_codecs(header, meta):  # its bytes are ASCII
        decoded = _decode_as(data, "iso2022_jp")
        if not (decoded.replaced or decoded.text.isascii()):
            return decoded
    return Decoded(text, "utf-8", 0)


def is_text(data: bytes) -> bool:
    """Whether bytes can be decoded as text.

    >>> is_text(b"abc"), is_text(bytes(range(32)))
    (True, False)
    """
    try:
        decode(data)
    except SourceError:
        return False
    return True


def _declared_codecs(header: str | None, meta: str | None) -> list[str]:
    """The declared codecs, the more reliable one first."""
    names = [_codec(header), _codec(meta)]
    if names[0] == _DEFAULT and names[1]:  # the page is more reliable than a server's default
        names.reverse()
    # UTF-16 would have been detected already, and could not be declared inside the page
    return [name for name in names if name and not name.startswith("utf-16")]


def _codec(label: str | None) -> str | None:
    return map_encoding_to_html5(label.strip(), False) if label else None


def _decode_as(data: bytes, name: str) -> Decoded:
    text = data.decode(name, "replace")
    replaced = 0
    if _REPLACEMENT in text:  # do not count those in the data
        encoded = _REPLACEMENT.encode(name, "ignore")
        replaced = text.count(_REPLACEMENT) - (data.count(encoded) if encoded else 0)
    return Decoded(text, name, max(replaced, 0))


def _decode_invalid_utf8(data: bytes, declared: list[str]) -> Decoded:
    cleaned, surrogates = _SURROGATE.subn(_REPLACEMENT.encode(), data)
    if surrogates and (damaged := _decode_as(cleaned, "utf-8")).replaced == 0:
        return damaged._replace(replaced=surrogates)
    damaged = _decode_as(data, "utf-8")
    ascii_bytes = int(np.count_nonzero(np.frombuffer(data, np.uint8) < 128))
    sound = len(damaged.text) - ascii_bytes - damaged.replaced
    if damaged.replaced <= _DAMAGED_SHARE * sound:
        return damaged
    decoded = _decode_one_byte(data, declared, len(data) - ascii_bytes)
    is_declared = decoded.encoding in declared
    if name := arabic_encoding(data, decoded.encoding, declared=is_declared):
        decoded = _decode_as(data, name)
        return decoded._replace(text=to_letters(decoded.text))
    if decoded.encoding == _DEFAULT:  # French, which has the same bytes in windows-1256, and Arabic
        arabic = _decode_as(data, "cp1256")
        repaired, _ = repair_legacy(decoded.text, non_ascii_bytes(decoded.text))
        if repaired == arabic.text != decoded.text:
            return arabic
    return decoded


def _decode_one_byte(data: bytes, declared: list[str], other_bytes: int) -> Decoded:
    for name in declared:
        if name == "utf-8" or (name == _DEFAULT and _is_not_default(data, other_bytes)):
            continue
        decoded = _decode_as(data, name)
        if decoded.replaced <= _DAMAGED_SHARE * other_bytes:
            return decoded
    first = _NOT_ASCII.search(data)
    at = max(first.start() - _SAMPLE // 2, 0) if first else 0
    name = detect_encoding(data[at : at + _SAMPLE]) or "utf-8"
    return _decode_as(data, _SUPERSETS.get(name, name))


def _is_not_default(data: bytes, other_bytes: int) -> bool:
    return sum(map(len, _RUNS.findall(data))) > other_bytes / 2


def _detect_utf16(data: bytes) -> str | None:
    sample = data[:_SAMPLE]
    if len(data) < 4 or len(data) % 2 or not (b"\x00" in sample or b"\x06" in sample):
        return None
    for name, kind in (("utf-16-le", "<u2"), ("utf-16-be", ">u2")):
        units = np.frombuffer(sample[: len(sample) // 2 * 2], kind).astype(np.uint16)
        control = (units < 32) & ~np.isin(units, (9, 10, 13))
        likely = np.isin(units >> 8, _UTF16_PAGES) & ~control
        if likely.mean() > 0.9:
            return name
    return None


def _check_not_binary(data: bytes, limit: float) -> None:
    sample = data[:_SAMPLE]
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if (share := control / max(len(sample), 1)) > limit:
        raise SourceError(f"not text: {share:.0%} of its first bytes are control bytes")

"""Bytes to text: byte order mark, UTF-16 without one, UTF-8, then detection."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

import numpy as np
from resiliparse.parse.encoding import detect_encoding

from ingest.errors import SourceError

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 16  # bytes that detection looks at
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # no UTF-8, but made by UTF-8 encoders
_REPLACEMENT = "\ufffd"
# High bytes of UTF-16 units in Arabic and Latin text: Basic Latin, Latin Extended, Arabic,
# Arabic Supplement, General Punctuation, Arabic presentation forms.
_UTF16_PAGES = np.array([0x00, 0x01, 0x06, 0x07, 0x08, 0x20, 0xFB, 0xFC, 0xFD, 0xFE], np.uint16)
# Share of control bytes above which bytes are no text. Compressed or compiled data has about
# 11 %; text has a stray NUL at most. UTF-8 that decodes without error is given more room.
_BINARY_SHARE, _BINARY_SHARE_UTF8 = 0.03, 0.3
# In UTF-8 cut or damaged here and there, nearly all sequences are still sound; legacy encodings
# look like almost none are.
_DAMAGED_SHARE = 0.1
# The WHATWG reading of labels: their windows superset, so that quotes survive.
_SUPERSETS = {"ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254"}


class Decoded(NamedTuple):
    """Text, the codec that read it, and how many U+FFFD stand for unreadable bytes."""

    text: str
    encoding: str
    replaced: int


def decode(data: bytes) -> Decoded:
    """Decode one page.

    Raises:
        SourceError: the bytes are not text.

    >>> decode("قتل أربعة أشخاص".encode("cp1256"))
    Decoded(text='قتل أربعة أشخاص', encoding='cp1256', replaced=0)
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _with(data[len(mark) :], name)
    if wide := _utf16_without_mark(data):
        return _with(data, wide)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        _refuse_binary(data, _BINARY_SHARE)
        return _not_quite_utf8(data)
    _refuse_binary(data, _BINARY_SHARE_UTF8)
    return Decoded(text, "utf-8", 0)


def _with(data: bytes, name: str) -> Decoded:
    text = data.decode(name, "replace")
    replaced = 0
    if _REPLACEMENT in text:  # tell those that came from those that were put
        replaced = text.count(_REPLACEMENT) - data.count(_REPLACEMENT.encode(name))
    return Decoded(text, name, max(replaced, 0))


def _not_quite_utf8(data: bytes) -> Decoded:
    whole, surrogates = _SURROGATE.subn(_REPLACEMENT.encode(), data)
    if surrogates and (damaged := _with(whole, "utf-8")).replaced == 0:
        return damaged._replace(replaced=surrogates)
    damaged = _with(data, "utf-8")
    ascii_bytes = int(np.count_nonzero(np.frombuffer(data, np.uint8) < 128))
    sound = len(damaged.text) - ascii_bytes - damaged.replaced
    if damaged.replaced <= _DAMAGED_SHARE * sound:
        return damaged
    first = _NOT_ASCII.search(data)
    at = max(first.start() - _SAMPLE // 2, 0) if first else 0
    name = detect_encoding(data[at : at + _SAMPLE]) or "utf-8"
    return _with(data, _SUPERSETS.get(name, name))


def _utf16_without_mark(data: bytes) -> str | None:
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


def _refuse_binary(data: bytes, limit: float) -> None:
    sample = np.frombuffer(data[:_SAMPLE], np.uint8)
    if not sample.size:
        return
    control = (sample < 32) & ~np.isin(sample, (9, 10, 12, 13, 27))
    if (share := float(control.mean())) > limit:
        raise SourceError(f"not text: {share:.0%} of its first bytes are control bytes")

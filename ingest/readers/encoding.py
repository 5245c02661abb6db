"""Bytes to text: what the bytes themselves prove, then what was declared, then detection.

The order is that of the WHATWG Encoding and HTML standards (a byte order mark, the transport's
charset, the document's own `<meta>`, detection), with one thing put before the declarations: bytes
beyond ASCII that are valid UTF-8 are UTF-8. In scrapes a wrong declaration, such as a server's
default, is far more frequent than text in another encoding that happens to be valid UTF-8: two
letters of windows-1256 in a row are hardly ever that, and a page has thousands.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

import numpy as np
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

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
# windows-1252 is what servers declare by default. Its languages seldom have three letters beyond
# ASCII in a row; in Arabic, Cyrillic and the like, nearly all are in such runs.
_RUNS = re.compile(rb"[\x80-\xff]{3,}")
_DEFAULT = "cp1252"
_ESCAPE = b"\x1b"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


class Decoded(NamedTuple):
    """Text, the codec that read it, and how many U+FFFD stand for unreadable bytes."""

    text: str
    encoding: str
    replaced: int


def decode(data: bytes, header: str | None = None, meta: str | None = None) -> Decoded:
    r"""Decode one page.

    Args:
        data: its bytes.
        header: the charset that came with it, such as in Content-Type.
        meta: the charset that it declares itself, where it is HTML.

    A label means what WHATWG says: iso-8859-1 is windows-1252; an unknown one, or utf-7, says
    nothing. A declared encoding that does not fit the bytes is passed over.

    Raises:
        SourceError: the bytes are not text.

    >>> decode("قتل أربعة أشخاص".encode("cp1256"))
    Decoded(text='قتل أربعة أشخاص', encoding='cp1256', replaced=0)
    >>> decode(b"l'\xe9t\xe9", header="utf-8", meta="latin1")
    Decoded(text="l'été", encoding='cp1252', replaced=0)
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
        return _not_quite_utf8(data, _declared(header, meta))
    _refuse_binary(data, _BINARY_SHARE_UTF8)
    if _ESCAPE in data and "iso2022_jp" in _declared(header, meta):  # ASCII bytes, but other text
        found = _with(data, "iso2022_jp")
        if not (found.replaced or found.text.isascii()):
            return found
    return Decoded(text, "utf-8", 0)


def is_text(data: bytes) -> bool:
    """Whether bytes can be the text of a page.

    >>> is_text(b"abc"), is_text(bytes(range(32)))
    (True, False)
    """
    try:
        decode(data)
    except SourceError:
        return False
    return True


def _declared(header: str | None, meta: str | None) -> list[str]:
    """The codecs of declarations, the likelier first."""
    names = [_codec(header), _codec(meta)]
    if names[0] == _DEFAULT and names[1]:  # the server's default tells less than the page
        names.reverse()
    # of UTF-16 the bytes have told already; a declaration inside it could not be found
    return [name for name in names if name and not name.startswith("utf-16")]


def _codec(label: str | None) -> str | None:
    return map_encoding_to_html5(label.strip(), False) if label else None


def _with(data: bytes, name: str) -> Decoded:
    text = data.decode(name, "replace")
    replaced = 0
    if _REPLACEMENT in text:  # tell those that came from those that were put
        came = _REPLACEMENT.encode(name, "ignore")
        replaced = text.count(_REPLACEMENT) - (data.count(came) if came else 0)
    return Decoded(text, name, max(replaced, 0))


def _not_quite_utf8(data: bytes, declared: list[str]) -> Decoded:
    whole, surrogates = _SURROGATE.subn(_REPLACEMENT.encode(), data)
    if surrogates and (damaged := _with(whole, "utf-8")).replaced == 0:
        return damaged._replace(replaced=surrogates)
    damaged = _with(data, "utf-8")
    ascii_bytes = int(np.count_nonzero(np.frombuffer(data, np.uint8) < 128))
    sound = len(damaged.text) - ascii_bytes - damaged.replaced
    if damaged.replaced <= _DAMAGED_SHARE * sound:
        return damaged
    others = len(data) - ascii_bytes
    for name in declared:
        if name == "utf-8" or (name == _DEFAULT and _beyond_default(data, others)):
            continue
        found = _with(data, name)
        if found.replaced <= _DAMAGED_SHARE * others:
            return found
    first = _NOT_ASCII.search(data)
    at = max(first.start() - _SAMPLE // 2, 0) if first else 0
    name = detect_encoding(data[at : at + _SAMPLE]) or "utf-8"
    return _with(data, _SUPERSETS.get(name, name))


def _beyond_default(data: bytes, others: int) -> bool:
    return sum(map(len, _RUNS.findall(data))) > others / 2


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
    sample = data[:_SAMPLE]
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if (share := control / max(len(sample), 1)) > limit:
        raise SourceError(f"not text: {share:.0%} of its first bytes are control bytes")

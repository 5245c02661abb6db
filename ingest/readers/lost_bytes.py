"""Restore bytes that were lost when UTF-8 was read as windows-1252, where this is certain.

windows-1252 leaves five bytes undefined: 81, 8D, 8F, 90 and 9D. Strict decoders put U+FFFD or `?`
in their place, or nothing. Programs that tidy text also remove the soft hyphen (AD) or turn the
no-break space (A0) into a space. In Arabic, 81 is the second byte of `ف`, and AD that of `ح`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ingest.letter_model import arabic_likelihood

# à, whose second byte has become a space. The space after it may have become one with it.
_GRAVE = re.compile("(?<![A-Z\u00c0-\u00de])\u00c3 {1,2}(?=\\S)")
_SURE_GRAVE = re.compile("(?<=[a-z])\u00c3 {1,2}(?=\\S)|(?<![A-Z\u00c0-\u00de])\u00c3  (?=\\S)")
_QUOTE = re.compile("\u00e2\u20ac[\ufffd?]?(?=[ \\n.,;:!?)]|$)")  # ”
_LEADS = "\u00d8-\u00db"
_UNKNOWN = re.compile("\u00e2\u20ac(?:[\ufffd?]|(?=[A-Za-z ]))")
_REPLACED = "\ufffd?"
# The second byte that Arabic letters lose after each first byte: of ح, if it was removed; of ف, ہ.
_SECOND = {"\u00d8": "\u00ad", "\u00d9": "\u0081", "\u00db": "\u0081"}
# Vowel signs lose bytes as well, so a letter must fit into its word. One that does costs 2.6 nats
# on average; one where none belongs makes its neighbours unlikely too.
_MIN_FIT = -6.0
_VOWELS = ("\u00d9\u017d", "\u00d9\u2019")  # fatha and sukun: voweled text also has the others


def restore_signs(line: str, *, sure: bool = False) -> str:
    r"""Put back the lost bytes of `à` and `”` in UTF-8 that was read as windows-1252.

    Args:
        line: the text.
        sure: whether the line has other errors; else an `Ã` that may be one is only removed.

    >>> restore_signs("voilÃ  â€?") == "voilÃ\u00a0 â€\u009d"
    True
    """
    line = _QUOTE.sub("\u00e2\u20ac\u009d", line)
    if sure:
        return _GRAVE.sub("\u00c3\u00a0 ", line)
    return _GRAVE.sub(" ", _SURE_GRAVE.sub("\u00c3\u00a0 ", line))


def restore_letters(line: str, decode: Callable[[str], str]) -> str | None:
    """Put back the lost bytes of Arabic letters; None if one of them is uncertain.

    Args:
        line: UTF-8 read as windows-1252.
        decode: replaces the broken characters of a line that are complete.
    """
    lost = re.compile(f"([{_LEADS}])(?:[{_REPLACED}]|(?=[{_LEADS}\\x00-\\x7f]|$))")
    if _UNKNOWN.search(line):
        return None
    matches = list(lost.finditer(line))
    if not matches:
        return line
    if any(vowel in line for vowel in _VOWELS):
        return None
    if any(m[1] not in _SECOND or (m[1] == "\u00d8" and len(m[0]) > 1) for m in matches):
        return None
    restored = lost.sub(lambda m: m[1] + _SECOND[m[1]], line)
    with_letters, without = decode(restored).split(), decode(lost.sub("", line)).split()
    if len(with_letters) != len(without):  # a word of this letter alone
        return None
    pairs = [pair for pair in zip(with_letters, without, strict=True) if pair[0] != pair[1]]
    likelier, letters = arabic_likelihood([word for word, _ in pairs])
    other, fewer = arabic_likelihood([word for _, word in pairs])
    fits = (likelier - other >= _MIN_FIT * (letters - fewer)).all()
    return restored if fits else None

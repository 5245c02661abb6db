"""Find the one-byte encoding of Arabic bytes by the likelihood of the letters they stand for."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from ingest.letter_model import arabic_likelihood

# By how usual they are on the web: of two that read a text almost alike, the first is meant.
CODECS = ("cp1256", "iso8859-6", "mac_arabic", "cp720", "cp864")
_SAMPLE = 1 << 14  # bytes
_NOT_ASCII = bytes(range(0x80, 0x100))
_WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]+(?![A-Za-z\x80-\xff])")
_FORMS = re.compile("[\ufe70-\ufefc]+")
_ARABIC = re.compile("[\u0621-\u065f\u0670-\u06d5]")
_ODD = re.compile("[^\u0600-\u06ff \u00a0«»“”‘’–—…!-/:-@\\[\\]0-9]")
_ODD_COST = 8.0  # nats for a character that is not found among Arabic words
_PER_LETTER = 5.0  # nats: the least cost of a byte that is not a letter
_RARE = 2.0  # nats against each next encoding
_MIN_SHARE = 0.5  # of bytes in words of Arabic letters only, among all that are not ASCII
# Nats per letter: sound text has 2.6; text read in another encoding has 4 or less.
_SURE, _LIKELY = -3.0, -3.6
_MIN_LETTERS = 6
_MIN_GAIN = 10.0  # nats by which one encoding is likelier than another


def arabic_encoding(data: bytes, name: str, *, declared: bool) -> str | None:
    """The encoding of Arabic bytes, or None if they are not Arabic or `name` may be right.

    Args:
        data: bytes that are not UTF-8.
        name: an encoding.
        declared: whether it is declared, or a guess.

    >>> arabic_encoding("سوق السمك في الميناء".encode("cp720"), "cp1252", declared=False)
    'cp720'
    >>> arabic_encoding("Привет, как дела сегодня".encode("cp1251"), "cp1251", declared=False)
    """
    words = _WORD.findall(data)
    size = sum(map(len, words))
    others = len(data) - len(data.translate(None, _NOT_ASCII))
    if size < _MIN_SHARE * others or size < _MIN_LETTERS:
        return None
    sample = b" ".join(words)[:_SAMPLE]
    own = _weigh(sample, name) if declared and name in CODECS else None
    if own and own.total >= _SURE * own.letters:
        return None
    best, codec = max(((_weigh(sample, c), c) for c in CODECS), key=lambda entry: entry[0].gain)
    if best.letters < max(_MIN_LETTERS, _MIN_SHARE * min(size, _SAMPLE)):
        return None
    if best.total < _LIKELY * best.letters or (own and best.gain < own.gain + _MIN_GAIN):
        return None
    return codec if codec != name else None


def to_letters(text: str) -> str:
    """Replace the presentation forms that cp864 has instead of letters.

    >>> to_letters("ﺳﻮﻕ ﻻ")
    'سوق لا'
    """
    return _FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


class _Weight(NamedTuple):
    """How likely a reading is: in nats, the number of letters, and nats for the choice of one."""

    total: float
    letters: int
    gain: float


def _weigh(sample: bytes, codec: str) -> _Weight:
    text = to_letters(sample.decode(codec, "replace"))
    likelihood = arabic_likelihood([text])
    letters = int(likelihood.letters[0])
    total = float(likelihood.total[0]) - _ODD_COST * len(_ODD.findall(text))
    return _Weight(
        total,
        letters,
        total + _PER_LETTER * len(_ARABIC.findall(text)) - _RARE * CODECS.index(codec),
    )

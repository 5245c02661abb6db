"""What each text shows by itself: its characters, its words, phrases that have a role."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest import phrases
from ingest._typing import F64, I64, Bools, Columns
from ingest.codepoints import (
    ARABIC,
    DIGIT,
    LOWER,
    PUNCTUATION,
    SYMBOL,
    UPPER,
    CodePoints,
    Words,
    distinct,
)

_HEAD, _TAIL = 1500, 500  # characters looked at in a very long segment
_WORD_STEPS = (2, 3, 4, 6, 9, 14, 23)
_STOPS = ".!?؟۔。…"
_CODE_MARKS = "{}[]();=<>$_\\`~^|&#/"
_DEBRIS = (
    "document.", "function(", "function (", "window.", "();", "});", "{{", "}}", "&nbsp;", "</",
    "/>", "<!--", "-->", "var ", "=>", "!=", "==", "://", "--", "@media", "$(", "\\u0",
)  # fmt: skip


class Wording(NamedTuple):
    """What was seen in the texts, a row each.

    `columns` by name; `words`: how many; `content`: the words that are no function words and longer
    than a letter; `plain`: whether a text is its own comparable form.
    """

    columns: Columns
    words: I64
    content: Words
    plain: Bools


def wording(texts: pl.Series) -> Wording:
    """Describe texts, each as if there were no other.

    >>> wording(pl.Series(["Share", "She won."])).words.tolist()
    [1, 2]
    """
    text = pl.col("text")
    # a site says the same on each of its pages: what a text says itself is looked at once
    different, which = distinct(texts)
    looked_at = different.to_frame("text").with_columns(cut=text.str.len_chars() > _HEAD + _TAIL)
    looked_at = looked_at.with_columns(
        head=pl.when("cut").then(text.str.head(_HEAD) + " " + text.str.tail(_TAIL)).otherwise(text)
    )
    chars = CodePoints(looked_at["head"])
    words = chars.words()
    count = np.bincount(words.text, minlength=len(different))
    function = phrases.look_up(words.key, phrases.function_words())[1]
    columns = _characters(chars)
    columns |= _word_shapes(chars, words, count, function)
    columns |= _phrases(words, len(different))
    columns |= _debris(different)
    content = words.where(~function & (words.end - words.start > 1))
    plain = chars.plain() & ~looked_at["cut"].to_numpy()
    return Wording(
        {name: column[which] for name, column in columns.items()},
        count[which],
        content.of_texts(which, len(different)),
        plain[which],
    )


def _characters(chars: CodePoints) -> Columns:
    n = np.maximum(chars.ends - chars.starts, 1)
    classes, sets = chars.classes, _flags()[chars.values]
    letters = np.maximum(chars.count(classes < DIGIT), 1)
    last, first = chars.at(chars.ends - 1), chars.at(chars.starts)
    last_class, first_class = _class_at(chars, chars.ends - 1), _class_at(chars, chars.starts)
    marks = chars.count(_in(sets, _CODE_MARKS))
    between = _in(sets, ":")
    digit = classes == DIGIT
    # between two digits of the same text
    among = np.zeros(len(classes), bool)
    among[1:-1] = digit[:-2] & digit[2:]
    some = chars.ends > chars.starts
    among[chars.starts[some]] = among[chars.ends[some] - 1] = False
    time, slash = between & among, _in(sets, "/-.") & among
    return {
        "chars": np.log1p(n) / 4,
        "upper": chars.count(classes == UPPER) / letters,
        "arabic": chars.count(classes == ARABIC) / letters,
        "digit": chars.count(digit) / n,
        "punctuation": chars.count(classes == PUNCTUATION) / n,
        "symbol": chars.count(classes == SYMBOL) / n,
        "no_letter": chars.count(classes < DIGIT) == 0,
        "commas": np.minimum(chars.count(_in(sets, ",،")), 6) / 3,
        "stops": np.minimum(chars.count(_in(sets, _STOPS)), 6) / 3,
        "quotes": chars.count(_in(sets, '"“”«»„')) > 0,
        "bars": np.minimum(chars.count(_in(sets, "|»›>•·←→")), 4) / 2,
        "dash": chars.count(_in(sets, "–—")) > 0,
        "time": chars.count(time) > 0,
        "date": np.minimum(chars.count(slash), 2) / 2,
        "percent": chars.count(_in(sets, "%٪")) > 0,
        "copyright": chars.count(_in(sets, "©®™")) > 0,
        "at_sign": chars.count(_in(sets, "@")) > 0,
        "hash": chars.count(_in(sets, "#")) > 0,
        "bracket": chars.count(_in(sets, "()")) > 0,
        "code_marks": np.minimum(marks / n * 5, 2),
        "code_many": marks >= 6,
        "ends_stop": _one_of(last, _STOPS),
        "ends_question": _one_of(last, "?؟"),
        "ends_exclamation": last == ord("!"),
        "ends_ellipsis": (last == ord("…"))
        | ((last == ord(".")) & (chars.at(chars.ends - 2) == ord("."))),
        "ends_colon": _one_of(last, ":："),
        "ends_bracket": _one_of(last, ")]"),
        "ends_quote": _one_of(last, "\"”»’'"),
        "ends_comma": _one_of(last, ",،;؛"),
        "ends_digit": last_class == DIGIT,
        "starts_digit": first_class == DIGIT,
        "starts_lower": first_class == LOWER,
        "starts_quote": _one_of(first, "\"“«'‘’"),
        "starts_mark": (first_class == SYMBOL)
        | ((first_class == PUNCTUATION) & ~_one_of(first, "\"“«'‘’(")),
    }


def _word_shapes(chars: CodePoints, words: Words, count: I64, function: Bools) -> Columns:
    texts = len(count)
    many = np.maximum(count, 1)
    first_class = _class_at(chars, words.start)
    cased = (first_class == LOWER) | (first_class == UPPER)
    cased_count = np.maximum(_per_text(words, cased, texts), 1)
    lengths = words.end - words.start
    upper = np.zeros(len(chars.classes) + 1, np.int64)
    np.cumsum(chars.classes == UPPER, out=upper[1:])
    shouted = (upper[words.end] - upper[words.start] == lengths) & (lengths > 1)
    first_word = np.searchsorted(words.text, np.arange(texts))
    shapes: Columns = {
        "words": np.log1p(count) / 2,
        "capitalised": _per_text(words, first_class == UPPER, texts) / cased_count,
        "shouted": _per_text(words, shouted, texts) / many,
        "function": _per_text(words, function, texts) / many,
        "function_any": _per_text(words, function, texts) > 0,
        "function_many": np.minimum(_per_text(words, function, texts), 8) / 4,
        "function_first": _at(function, first_word, count > 0),
        "numbers": _per_text(words, first_class == DIGIT, texts) / many,
        "word_length": _per_text(words, lengths, texts) / many / 5,
    }
    for step in _WORD_STEPS:
        shapes[f"words_{step}"] = count >= step
    return shapes


def _phrases(words: Words, texts: int) -> Columns:
    bits, share = phrases.find(words, texts)
    first = np.searchsorted(words.text, np.arange(texts))
    last = np.searchsorted(words.text, np.arange(texts), side="right") - 1
    found: Columns = {}
    for r, role in enumerate(phrases.phrases().roles):
        of_role = (bits >> r & 1).astype(bool)
        found[f"says_{role}"] = share[:, r]
        found[f"all_{role}"] = share[:, r] > 0.99
        found[f"first_{role}"] = _at(of_role, first, first <= last)
        found[f"last_{role}"] = _at(of_role, last, first <= last)
    return found


def _debris(text: pl.Series) -> Columns:
    frame = text.to_frame("text").select(
        debris=pl.col("text").str.contains_any(list(_DEBRIS)),
        link=pl.col("text").str.contains_any(["://", "www.", ".com", ".org", ".net"]),
    )
    return {name: frame[name].to_numpy() for name in frame.columns}


def _one_of(values: NDArray[np.uint32], characters: str) -> Bools:
    """Which code points are among the characters of a set."""
    return _in(_flags()[values], characters)


def _in(sets: NDArray[np.uint32], characters: str) -> Bools:
    """The same, where the sets of each code point have been looked up."""
    found: Bools = (sets & _FLAG[characters]) > 0
    return found


# Sets of characters that are looked for; each has a bit of the table below.
_SETS = (
    ",،", _STOPS, "\"“”«»„", "|»›>•·←→", "–—", "%٪", "©®™", "@", "#", "()", _CODE_MARKS, "/-.", ":",
    "?؟", ":：", ")]", "\"”»’'", ",،;؛", "\"“«'‘’", "\"“«'‘’(",
)  # fmt: skip
_FLAG = {characters: np.uint32(1 << bit) for bit, characters in enumerate(_SETS)}


@cache
def _flags() -> NDArray[np.uint32]:
    table = np.zeros(0x110000, np.uint32)
    for characters, bit in _FLAG.items():
        for c in characters:
            table[ord(c)] |= bit
    return table


def _class_at(chars: CodePoints, offsets: I64) -> NDArray[np.uint8]:
    if not len(chars.classes):
        return np.zeros(len(offsets), np.uint8)
    return chars.classes[np.clip(offsets, 0, len(chars.classes) - 1)]


def _per_text(words: Words, weights: NDArray[np.generic], texts: int) -> F64:
    total = np.bincount(words.text, weights=np.asarray(weights, np.float64), minlength=texts)
    return total.astype(np.float64)


def _at(mask: Bools, offsets: I64, valid: Bools) -> Bools:
    if not len(mask):
        return np.zeros(len(offsets), bool)
    return mask[np.clip(offsets, 0, len(mask) - 1)] & valid

"""Features from the text of a segment alone: characters, words, typical phrases."""

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
    unique_texts,
)
from ingest.labelling.word_tokens import WordTokens, find_word_tokens

_HEAD, _TAIL = 1500, 500  # only these characters of a very long segment are analysed
_WORD_STEPS = (2, 3, 4, 6, 9, 14, 23)
_STOPS = ".!?؟۔。…"
_CODE_MARKS = "{}[]();=<>$_\\`~^|&#/"
_DEBRIS = (
    "document.", "function(", "function (", "window.", "();", "});", "{{", "}}", "&nbsp;", "</",
    "/>", "<!--", "-->", "var ", "=>", "!=", "==", "://", "--", "@media", "$(", "\\u0",
)  # fmt: skip


class TextAnalysis(NamedTuple):
    """The characters and words of the distinct texts of a batch.

    Attributes:
        distinct: the distinct texts.
        text_of: int64 [texts], the distinct text of each text.
        chars, words: of the distinct texts; of long ones, the head and the tail.
        is_function_word: bool [words].
        content: the content words of all texts: longer than one letter, and not function words.
        comparable: bool [distinct texts], whether one is known to be its own comparable form.
    """

    distinct: pl.Series
    text_of: I64
    chars: CodePoints
    words: Words
    is_function_word: Bools
    content: Words
    comparable: Bools


class TextFeatures(NamedTuple):
    """The features of a batch of texts, and the words that other features need.

    Attributes:
        columns: the features by name, one value per text.
        words: int64 [texts], the number of words.
        tokens: the words of short texts.
    """

    columns: Columns
    words: I64
    tokens: WordTokens


def analyse_texts(texts: pl.Series) -> TextAnalysis:
    """Find the words of texts. Each distinct text is analysed once: the pages of a site share many.

    >>> texts = analyse_texts(pl.Series(["She won.", "Share", "She won."]))
    >>> len(texts.distinct), len(texts.words.text), len(texts.content.text)
    (2, 3, 3)
    """
    text = pl.col("text")
    distinct, index = unique_texts(texts)
    analysed = distinct.to_frame("text").with_columns(cut=text.str.len_chars() > _HEAD + _TAIL)
    analysed = analysed.with_columns(
        head=pl.when("cut").then(text.str.head(_HEAD) + " " + text.str.tail(_TAIL)).otherwise(text)
    )
    chars = CodePoints(analysed["head"])
    words = chars.words()
    is_function_word = phrases.load_function_words().find(words.key)[1]
    content = words.filter(~is_function_word & (words.end - words.start > 1))
    comparable = chars.are_comparable() & ~analysed["cut"].to_numpy()
    return TextAnalysis(
        distinct,
        index,
        chars,
        words,
        is_function_word,
        content.gather_texts(index, len(distinct)),
        comparable,
    )


def compute_text_features(texts: TextAnalysis) -> TextFeatures:
    """Compute the features that depend on the text alone.

    >>> compute_text_features(analyse_texts(pl.Series(["Share", "She won."]))).words.tolist()
    [1, 2]
    """
    count = np.bincount(texts.words.text, minlength=len(texts.distinct))
    columns = _char_columns(texts.chars)
    columns |= _word_columns(texts.chars, texts.words, count, texts.is_function_word)
    columns |= _phrase_columns(texts.words, len(texts.distinct))
    columns |= _debris_columns(texts.distinct)
    return TextFeatures(
        {name: column[texts.text_of] for name, column in columns.items()},
        count[texts.text_of],
        find_word_tokens(texts.words, texts.text_of, len(texts.distinct)),
    )


def _char_columns(chars: CodePoints) -> Columns:
    n = np.maximum(chars.ends - chars.starts, 1)
    count = chars.count_classes()
    letters = np.maximum(count[:, :DIGIT].sum(axis=1), 1)
    last, first = chars.at(chars.ends - 1), chars.at(chars.starts)
    last_class, first_class = _class_at(chars, chars.ends - 1), _class_at(chars, chars.starts)
    at = np.flatnonzero(_char_sets()[chars.values])
    sets = _char_sets()[chars.values[at]]

    def count_signs(characters: str, where: Bools | None = None) -> I64:
        marked = _has_bit(sets, characters)
        return chars.count_at(at[marked if where is None else marked & where])

    marks = count_signs(_CODE_MARKS)
    # between two digits of the same text
    owner = np.searchsorted(chars.ends, at, side="right")
    between_digits = (at > chars.starts[owner]) & (at + 1 < chars.ends[owner])
    between_digits[between_digits] = (chars.classes[at[between_digits] - 1] == DIGIT) & (
        chars.classes[at[between_digits] + 1] == DIGIT
    )
    return {
        "chars": np.log1p(n) / 4,
        "upper": count[:, UPPER] / letters,
        "arabic": count[:, ARABIC] / letters,
        "digit": count[:, DIGIT] / n,
        "punctuation": count[:, PUNCTUATION] / n,
        "symbol": count[:, SYMBOL] / n,
        "no_letter": count[:, :DIGIT].sum(axis=1) == 0,
        "commas": np.minimum(count_signs(",،"), 6) / 3,
        "stops": np.minimum(count_signs(_STOPS), 6) / 3,
        "quotes": count_signs('"“”«»„') > 0,
        "bars": np.minimum(count_signs("|»›>•·←→"), 4) / 2,
        "dash": count_signs("–—") > 0,
        "time": count_signs(":", between_digits) > 0,
        "date": np.minimum(count_signs("/-.", between_digits), 2) / 2,
        "percent": count_signs("%٪") > 0,
        "copyright": count_signs("©®™") > 0,
        "at_sign": count_signs("@") > 0,
        "hash": count_signs("#") > 0,
        "bracket": count_signs("()") > 0,
        "code_marks": np.minimum(marks / n * 5, 2),
        "code_many": marks >= 6,
        "ends_stop": _is_one_of(last, _STOPS),
        "ends_question": _is_one_of(last, "?؟"),
        "ends_exclamation": last == ord("!"),
        "ends_ellipsis": (last == ord("…"))
        | ((last == ord(".")) & (chars.at(chars.ends - 2) == ord("."))),
        "ends_colon": _is_one_of(last, ":："),
        "ends_bracket": _is_one_of(last, ")]"),
        "ends_quote": _is_one_of(last, "\"”»’'"),
        "ends_comma": _is_one_of(last, ",،;؛"),
        "ends_digit": last_class == DIGIT,
        "starts_digit": first_class == DIGIT,
        "starts_lower": first_class == LOWER,
        "starts_quote": _is_one_of(first, "\"“«'‘’"),
        "starts_mark": (first_class == SYMBOL)
        | ((first_class == PUNCTUATION) & ~_is_one_of(first, "\"“«'‘’(")),
    }


def _word_columns(chars: CodePoints, words: Words, count: I64, is_function_word: Bools) -> Columns:
    texts = len(count)
    divisor = np.maximum(count, 1)
    first_class = _class_at(chars, words.start)
    cased = (first_class == LOWER) | (first_class == UPPER)
    cased_count = np.maximum(_sum_by_text(words, cased, texts), 1)
    lengths = words.end - words.start
    upper = np.zeros(len(chars.classes) + 1, np.int64)
    np.cumsum(chars.classes == UPPER, out=upper[1:])
    all_upper = (upper[words.end] - upper[words.start] == lengths) & (lengths > 1)
    first_word = np.searchsorted(words.text, np.arange(texts))
    columns: Columns = {
        "words": np.log1p(count) / 2,
        "capitalised": _sum_by_text(words, first_class == UPPER, texts) / cased_count,
        "shouted": _sum_by_text(words, all_upper, texts) / divisor,
        "function": _sum_by_text(words, is_function_word, texts) / divisor,
        "function_any": _sum_by_text(words, is_function_word, texts) > 0,
        "function_many": np.minimum(_sum_by_text(words, is_function_word, texts), 8) / 4,
        "function_first": _mask_at(is_function_word, first_word, count > 0),
        "numbers": _sum_by_text(words, first_class == DIGIT, texts) / divisor,
        "word_length": _sum_by_text(words, lengths, texts) / divisor / 5,
    }
    for step in _WORD_STEPS:
        columns[f"words_{step}"] = count >= step
    return columns


def _phrase_columns(words: Words, texts: int) -> Columns:
    bits, share = phrases.find_phrases(words, texts)
    first = np.searchsorted(words.text, np.arange(texts))
    last = np.searchsorted(words.text, np.arange(texts), side="right") - 1
    columns: Columns = {}
    for r, role in enumerate(phrases.load_phrases().roles):
        of_role = (bits >> r & 1).astype(bool)
        columns[f"says_{role}"] = share[:, r]
        columns[f"all_{role}"] = share[:, r] > 0.99
        columns[f"first_{role}"] = _mask_at(of_role, first, first <= last)
        columns[f"last_{role}"] = _mask_at(of_role, last, first <= last)
    return columns


def _debris_columns(text: pl.Series) -> Columns:
    frame = text.to_frame("text").select(
        debris=pl.col("text").str.contains_any(list(_DEBRIS)),
        link=pl.col("text").str.contains_any(["://", "www.", ".com", ".org", ".net"]),
    )
    return {name: frame[name].to_numpy() for name in frame.columns}


def _is_one_of(values: NDArray[np.uint32], characters: str) -> Bools:
    """Whether each code point is in a set of characters."""
    return _has_bit(_char_sets()[values], characters)


def _has_bit(sets: NDArray[np.uint32], characters: str) -> Bools:
    """The same for code points whose sets have been looked up."""
    member: Bools = (sets & _SET_BIT[characters]) > 0
    return member


# The sets of characters that features use. Each has a bit in the table of `_char_sets`.
_SETS = (
    ",،", _STOPS, "\"“”«»„", "|»›>•·←→", "–—", "%٪", "©®™", "@", "#", "()", _CODE_MARKS, "/-.", ":",
    "?؟", ":：", ")]", "\"”»’'", ",،;؛", "\"“«'‘’", "\"“«'‘’(",
)  # fmt: skip
_SET_BIT = {characters: np.uint32(1 << bit) for bit, characters in enumerate(_SETS)}


@cache
def _char_sets() -> NDArray[np.uint32]:
    table = np.zeros(0x110000, np.uint32)
    for characters, bit in _SET_BIT.items():
        for c in characters:
            table[ord(c)] |= bit
    return table


def _class_at(chars: CodePoints, offsets: I64) -> NDArray[np.uint8]:
    if not len(chars.classes):
        return np.zeros(len(offsets), np.uint8)
    return chars.classes[np.clip(offsets, 0, len(chars.classes) - 1)]


def _sum_by_text(words: Words, weights: NDArray[np.generic], texts: int) -> F64:
    total = np.bincount(words.text, weights=np.asarray(weights, np.float64), minlength=texts)
    return total.astype(np.float64)


def _mask_at(mask: Bools, offsets: I64, valid: Bools) -> Bools:
    if not len(mask):
        return np.zeros(len(offsets), bool)
    return mask[np.clip(offsets, 0, len(mask) - 1)] & valid

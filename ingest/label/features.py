"""What the role model sees of each segment: itself, its place, its page, what repeats.

Every column is a number of order one, computed for a whole batch of pages at once. A
feature of a segment never depends on another page.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import (
    ARABIC,
    DIGIT,
    I64,
    LOWER,
    PUNCTUATION,
    SYMBOL,
    UPPER,
    CodePoints,
    Words,
    distinct,
)
from ingest.label import lexicon
from ingest.label.duplicates import Repeats, repeats
from ingest.label.markup import markup_features
from ingest.label.pages import F64, Bools, Pages, before, in_page, next_where, pages_of, paired

LONG_WORDS = 12  # a segment of so many words is taken for running text
SHORT_WORDS = 5  # one of so few for a menu item
_HEAD, _TAIL = 1500, 500  # characters looked at in a very long segment
_TURN = 0.05  # share of a paragraph's content words in the one before, below which topics differ
_WORD_STEPS = (2, 3, 4, 6, 9, 14, 23)
_STOPS = ".!?؟۔。…"
_CODE_MARKS = "{}[]();=<>$_\\`~^|&#/"
_DEBRIS = (
    "document.", "function(", "function (", "window.", "();", "});", "{{", "}}", "&nbsp;", "</",
    "/>", "<!--", "-->", "var ", "=>", "!=", "==", "://", "--", "@media", "$(", "\\u0",
)  # fmt: skip


class Features(NamedTuple):
    """Names [columns] and values, float32 [rows, columns]; and what they were made from.

    `content` are the words that are no function words and longer than a letter.
    """

    names: list[str]
    values: NDArray[np.float32]
    pages: Pages
    content: Words
    repeats: Repeats


def features(segments: pl.DataFrame) -> Features:
    """Describe segments (sorted by page) with the columns of `ingest.detect`.

    >>> frame = pl.DataFrame({"doc_id": ["d"], "segment": [0], "line": [1], "text": ["Share"],
    ...                       "script": ["Latn"], "lang": ["en"]}).with_columns(
    ...     pl.lit(None, pl.String).alias("block"), pl.lit(None, pl.String).alias("markup"),
    ...     pl.lit(None, pl.Float32).alias("links"))
    >>> features(frame).values.shape[0]
    1
    """
    pages = pages_of(segments["doc_id"])
    text = pl.col("text")
    # a site says the same on each of its pages: what a text says itself is looked at once
    texts, which = distinct(segments["text"])
    looked_at = texts.to_frame("text").with_columns(cut=text.str.len_chars() > _HEAD + _TAIL)
    looked_at = looked_at.with_columns(
        head=pl.when("cut").then(text.str.head(_HEAD) + " " + text.str.tail(_TAIL)).otherwise(text)
    )
    chars = CodePoints(looked_at["head"])
    words = chars.words()
    count = np.bincount(words.text, minlength=len(texts))
    function = lexicon.look_up(words.key, lexicon.function_words())[1]
    columns = _characters(chars)
    columns |= _word_shapes(chars, words, count, function)
    columns |= _phrases(words, len(texts))
    columns |= _debris(texts)
    columns = {name: column[which] for name, column in columns.items()}
    plain = (chars.plain() & ~looked_at["cut"].to_numpy())[which]
    content = words.where(~function & (words.end - words.start > 1)).of_texts(which, len(texts))
    count = count[which]
    same = repeats(segments["text"], pages, plain)
    columns |= _languages(segments, pages, count)
    columns |= _layout(segments["line"].to_numpy(), pages, count)
    columns |= _repetition(same)
    columns |= _overlap(content, pages, count)
    columns |= _page(pages, count, columns)
    columns |= markup_features(segments, pages, count)
    values = np.empty((len(segments), len(columns)), np.float32)
    for number, column in enumerate(columns.values()):
        values[:, number] = column
    return Features(list(columns), values, pages, content, same)


def _characters(chars: CodePoints) -> dict[str, NDArray[np.generic]]:
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


def _word_shapes(
    chars: CodePoints, words: Words, count: I64, function: Bools
) -> dict[str, NDArray[np.generic]]:
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
    shapes: dict[str, NDArray[np.generic]] = {
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


def _phrases(words: Words, texts: int) -> dict[str, NDArray[np.generic]]:
    bits, share = lexicon.find(words, texts)
    first = np.searchsorted(words.text, np.arange(texts))
    last = np.searchsorted(words.text, np.arange(texts), side="right") - 1
    found: dict[str, NDArray[np.generic]] = {}
    for r, role in enumerate(lexicon.phrases().roles):
        of_role = (bits >> r & 1).astype(bool)
        found[f"says_{role}"] = share[:, r]
        found[f"all_{role}"] = share[:, r] > 0.99
        found[f"first_{role}"] = _at(of_role, first, first <= last)
        found[f"last_{role}"] = _at(of_role, last, first <= last)
    return found


def _debris(text: pl.Series) -> dict[str, NDArray[np.generic]]:
    frame = text.to_frame("text").select(
        debris=pl.col("text").str.contains_any(list(_DEBRIS)),
        link=pl.col("text").str.contains_any(["://", "www.", ".com", ".org", ".net"]),
    )
    return {name: frame[name].to_numpy() for name in frame.columns}


def _languages(segments: pl.DataFrame, pages: Pages, count: I64) -> dict[str, NDArray[np.generic]]:
    codes, lang = np.unique(segments["lang"].to_numpy().astype(str), return_inverse=True)
    weight = np.where(count >= LONG_WORDS, count, count * 0.01)
    none = np.isin(codes, ("zxx", "und"))
    weight[none[lang]] = 0
    by_page = np.zeros((len(pages.first), len(codes)))
    np.add.at(by_page, (pages.page, lang), weight)
    total = by_page.sum(axis=1)
    # a page without any language has no main one; argmax would name the batch's first
    main = np.where(total > 0, by_page.argmax(axis=1), -1) if len(codes) else total
    total = np.maximum(total, 1e-9)
    arab = (segments["script"] == "Arab").to_numpy()
    main_arab = np.zeros(len(pages.first), bool)
    is_main = lang == main[pages.page]
    np.logical_or.at(main_arab, pages.page, is_main & arab)
    return {
        "main_lang": is_main,
        "no_lang": none[lang],
        "arab": arab,
        "lang_share": (by_page[pages.page, lang]) / total[pages.page],
        "main_is_arab": main_arab[pages.page],
        "lang_as_before": before(lang, pages, 1) == lang,
        "lang_as_after": before(lang, pages, -1) == lang,
    }


def _layout(line: I64, pages: Pages, count: I64) -> dict[str, NDArray[np.generic]]:
    index, size = pages.place, pages.size
    gap = np.where(index > 0, line - before(line, pages, 1), 9)
    after = np.where(index < size - 1, before(line, pages, -1) - line, 9)
    long = count >= LONG_WORDS
    weight = np.where(long, count, 0).astype(np.float64)
    passed = _running(weight, pages)
    total = np.bincount(pages.page, weights=weight, minlength=len(pages.first))[pages.page]
    row = np.arange(len(line))
    last_long = np.maximum.accumulate(np.where(long, row, -1)) if len(row) else row
    next_long = next_where(long)
    since = np.where(in_page(last_long, pages), row - last_long, 30)
    until = np.where(in_page(next_long, pages), next_long - row, 30)
    short_before, short_after = _streak(count <= SHORT_WORDS, pages)
    return {
        "gap_before": gap > 1,
        "gap_before_wide": gap > 2,
        "gap_after": after > 1,
        "is_first": index == 0,
        "is_last": index == size - 1,
        "from_start": np.log1p(index) / 3,
        "from_end": np.log1p(size - 1 - index) / 3,
        "place": index / np.maximum(size - 1, 1),
        "text_passed": np.where(total > 0, passed / np.maximum(total, 1), 0.5),
        "text_begun": passed > 0,
        "text_over": (passed >= total) & (total > 0) & ~long,
        "since_long": np.log1p(np.minimum(since, 30)) / 2,
        "until_long": np.log1p(np.minimum(until, 30)) / 2,
        "short_before": np.log1p(np.minimum(short_before, 30)) / 2,
        "short_after": np.log1p(np.minimum(short_after, 30)) / 2,
    }


def _repetition(same: Repeats) -> dict[str, NDArray[np.generic]]:
    row = np.arange(len(same.first))
    since = np.where(same.before >= 0, row - same.before, 0)
    until = np.where(same.after >= 0, same.after - row, 0)
    return {
        "repeated": same.times > 1,
        "times": np.log1p(np.minimum(same.times - 1, 20)),
        "is_repeat": same.before >= 0,
        "repeats_just_before": (since > 0) & (since <= 2),
        "repeats_just_after": (until > 0) & (until <= 2),
        "repeats_near": ((since > 0) & (since <= 8)) | ((until > 0) & (until <= 8)),
    }


def _overlap(content: Words, pages: Pages, count: I64) -> dict[str, NDArray[np.generic]]:
    """Shares of a segment's content words that stand elsewhere on its page."""
    texts = len(count)
    text, key = content.text, content.key
    many = np.maximum(np.bincount(text, minlength=texts), 1)

    def share(mask: Bools) -> F64:
        shared: F64 = np.bincount(text, weights=mask, minlength=texts) / many
        return shared

    long = count >= LONG_WORDS
    of_page = paired(key, pages.page[text])
    in_text = paired(key, text)
    long_pairs, once = np.unique(in_text[long[text]], return_index=True)
    in_long, lines = np.unique(of_page[long[text]][once], return_counts=True)
    at, found = lexicon.look_up(of_page, in_long)
    others = found & (lines[at] > long[text]) if len(lines) else found
    row = np.arange(texts)
    next_long = np.append(next_where(long), texts)[np.minimum(row + 1, texts)]
    previous_long = np.append(-1, np.maximum.accumulate(np.where(long, row, -1)))[:-1][:texts]
    kin = share(lexicon.look_up(paired(key, previous_long[text]), long_pairs)[1])
    kin_of_next = np.append(np.where(long, kin, 0.0), 0.0)[next_long]
    between = in_page(next_long, pages) & in_page(previous_long, pages)
    first = np.unique(paired(key, text)[pages.place[text] == 0])
    first_of = pages.first[pages.page]
    return {
        "in_text": share(others),
        "in_text_any": share(others) > 0,
        "in_next_text": share(
            lexicon.look_up(paired(key, next_long[text]), long_pairs)[1]
        ) * in_page(next_long, pages),
        "in_previous_text": kin * in_page(previous_long, pages),
        "topic_goes_on": kin_of_next * between,
        "topic_turns": between & (kin_of_next < _TURN),
        "in_title": share(lexicon.look_up(paired(key, first_of[text]), first)[1])
        * (pages.place > 0),
        "content": np.log1p(np.bincount(text, minlength=texts)) / 2,
        "distinct": np.bincount(text[np.unique(in_text, return_index=True)[1]], minlength=texts)
        / many,
    }  # fmt: skip


def _page(
    pages: Pages, count: I64, columns: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    def mean(values: NDArray[np.generic]) -> F64:
        total = np.bincount(pages.page, weights=values, minlength=len(pages.first))
        of_page: F64 = (total / np.maximum(pages.last - pages.first + 1, 1))[pages.page]
        return of_page

    return {
        "page_size": np.log1p(pages.size) / 5,
        "page_long": mean(count >= LONG_WORDS),
        "page_short": mean(count <= SHORT_WORDS),
        "page_stops": mean(np.asarray(columns["ends_stop"], np.float64)),
        "page_gaps": mean(np.asarray(columns["gap_before"], np.float64)),
        "page_debris": mean(np.asarray(columns["debris"], np.float64)),
        "page_repeats": mean(np.asarray(columns["is_repeat"], np.float64)),
    }


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


def _running(weight: F64, pages: Pages) -> F64:
    """Sum over the rows of the page before each row."""
    before = np.cumsum(weight) - weight
    return before - before[pages.first][pages.page] if len(before) else before


def _streak(mask: Bools, pages: Pages) -> tuple[I64, I64]:
    """How many marked rows stand in a row just before, and just after, each row of a page."""
    n = len(mask)
    row = np.arange(n)
    start = pages.first[pages.page] if n else row
    stop = pages.last[pages.page] if n else row
    last_other = np.maximum.accumulate(np.where(mask, -1, row)) if n else row
    next_other = next_where(~mask)
    before = row - np.maximum(np.append(-1, last_other)[:n] + 1, start)
    after = np.minimum(np.append(next_other, n)[1 : n + 1], stop + 1) - row - 1
    return before, after

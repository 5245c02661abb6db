"""Features from the context of a segment: its page, its neighbours, repetition."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F64, I64, U64, Bools, Columns
from ingest.codepoints import Words, mix
from ingest.key_table import KeyTable, sort_distinct
from ingest.labelling.duplicates import Duplicates
from ingest.page_spans import PageSpans, in_same_page, next_marked, shift_in_page

LONG_WORDS = 12  # a segment with at least this many words counts as running text
SHORT_WORDS = 5  # a segment with at most this many words counts as a menu item
# The topic changes if a paragraph shares less than this part of its content words with the last.
_TOPIC_CHANGE = 0.05
# A word and its text, or its page, in one number: the last bits are 40 of the word's hash.
_OWNER_BITS = 24
_WORD = np.uint64((1 << 64 - _OWNER_BITS) - 1)


def language_features(segments: pl.DataFrame, pages: PageSpans, words: I64) -> Columns:
    """The main language of the page, and whether a segment and its neighbours are in it."""
    codes, lang = np.unique(segments["lang"].to_numpy().astype(str), return_inverse=True)
    weight = np.where(words >= LONG_WORDS, words, words * 0.01)
    no_language = np.isin(codes, ("zxx", "und"))
    weight[no_language[lang]] = 0
    by_page = np.zeros((len(pages.first), len(codes)))
    np.add.at(by_page, (pages.page, lang), weight)
    total = by_page.sum(axis=1)
    # A page without language has no main one; argmax would pick the first language of the batch.
    main = np.where(total > 0, by_page.argmax(axis=1), -1) if len(codes) else total
    total = np.maximum(total, 1e-9)
    arabic = (segments["script"] == "Arab").to_numpy()
    main_is_arabic = np.zeros(len(pages.first), bool)
    is_main = lang == main[pages.page]
    np.logical_or.at(main_is_arabic, pages.page, is_main & arabic)
    return {
        "main_lang": is_main,
        "no_lang": no_language[lang],
        "arab": arabic,
        "lang_share": (by_page[pages.page, lang]) / total[pages.page],
        "main_is_arab": main_is_arabic[pages.page],
        "lang_as_before": shift_in_page(lang, pages, 1) == lang,
        "lang_as_after": shift_in_page(lang, pages, -1) == lang,
    }


def layout_features(line: I64, pages: PageSpans, words: I64) -> Columns:
    """The position of a segment on the page, blank lines around it, distance to running text."""
    index, size = pages.position, pages.size
    gap_before = np.where(index > 0, line - shift_in_page(line, pages, 1), 9)
    gap_after = np.where(index < size - 1, shift_in_page(line, pages, -1) - line, 9)
    long = words >= LONG_WORDS
    weight = np.where(long, words, 0).astype(np.float64)
    passed = _sum_before(weight, pages)
    total = np.bincount(pages.page, weights=weight, minlength=len(pages.first))[pages.page]
    row = np.arange(len(line))
    last_long = np.maximum.accumulate(np.where(long, row, -1)) if len(row) else row
    next_long = next_marked(long)
    since = np.where(in_same_page(last_long, pages), row - last_long, 30)
    until = np.where(in_same_page(next_long, pages), next_long - row, 30)
    short_before, short_after = _run_lengths(words <= SHORT_WORDS, pages)
    return {
        "gap_before": gap_before > 1,
        "gap_before_wide": gap_before > 2,
        "gap_after": gap_after > 1,
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


def repetition_features(duplicates: Duplicates) -> Columns:
    """Whether, where and how often the page repeats a segment."""
    row = np.arange(len(duplicates.first))
    since = np.where(duplicates.previous >= 0, row - duplicates.previous, 0)
    until = np.where(duplicates.next >= 0, duplicates.next - row, 0)
    return {
        "repeated": duplicates.times > 1,
        "times": np.log1p(np.minimum(duplicates.times - 1, 20)),
        "is_repeat": duplicates.previous >= 0,
        "repeats_just_before": (since > 0) & (since <= 2),
        "repeats_just_after": (until > 0) & (until <= 2),
        "repeats_near": ((since > 0) & (since <= 8)) | ((until > 0) & (until <= 8)),
    }


def overlap_features(content: Words, pages: PageSpans, words: I64) -> Columns:
    """The shares of a segment's content words that occur elsewhere on its page."""
    texts = len(words)
    text, key = content.text, content.key
    count = np.maximum(np.bincount(text, minlength=texts), 1)
    word = key >> np.uint64(_OWNER_BITS)

    def share(mask: Bools) -> F64:
        shared: F64 = np.bincount(text, weights=mask, minlength=texts) / count
        return shared

    def pairs(owner: I64) -> U64:
        return (owner.astype(np.uint64) << np.uint64(64 - _OWNER_BITS)) | word

    long = words >= LONG_WORDS
    in_text = pairs(text)
    # each word of a text once, with its text and then with its page
    distinct = sort_distinct(in_text)
    distinct_text = (distinct >> np.uint64(64 - _OWNER_BITS)).astype(np.int64)
    in_long = long[distinct_text]
    page = pages.page[distinct_text[in_long]].astype(np.uint64) << np.uint64(64 - _OWNER_BITS)
    of_page = np.sort(mix(page | (distinct[in_long] & _WORD)))
    starts = np.flatnonzero(np.r_[True, of_page[1:] != of_page[:-1]][: len(of_page)])
    lines = np.diff(starts, append=len(of_page))
    index, known = KeyTable(of_page[starts]).find(mix(pairs(pages.page[text])))
    in_other_text = known & (lines[index] > long[text]) if len(lines) else known
    row = np.arange(texts)
    next_long = np.append(next_marked(long), texts)[np.minimum(row + 1, texts)]
    previous_long = np.append(-1, np.maximum.accumulate(np.where(long, row, -1)))[:-1][:texts]
    in_long_text = KeyTable(np.sort(mix(distinct[in_long])))
    with_previous = share(in_long_text.find(mix(pairs(previous_long[text])))[1])
    next_with_previous = np.append(np.where(long, with_previous, 0.0), 0.0)[next_long]
    between = in_same_page(next_long, pages) & in_same_page(previous_long, pages)
    is_first = np.zeros(len(pages.page), bool)
    is_first[pages.first] = True
    first = np.sort(mix(distinct[is_first[distinct_text]]))
    first_of_page = pages.first[pages.page]
    return {
        "in_text": share(in_other_text),
        "in_text_any": share(in_other_text) > 0,
        "in_next_text": share(in_long_text.find(mix(pairs(next_long[text])))[1])
        * in_same_page(next_long, pages),
        "in_previous_text": with_previous * in_same_page(previous_long, pages),
        "topic_goes_on": next_with_previous * between,
        "topic_turns": between & (next_with_previous < _TOPIC_CHANGE),
        "in_title": share(KeyTable(first).find(mix(pairs(first_of_page[text])))[1])
        * (pages.position > 0),
        "content": np.log1p(np.bincount(text, minlength=texts)) / 2,
        "distinct": np.bincount(distinct_text, minlength=texts) / count,
    }  # fmt: skip


def page_means(pages: PageSpans, words: I64, columns: Columns) -> Columns:
    """The size of the page, and means over the page of columns computed earlier."""

    def mean(values: NDArray[np.generic]) -> F64:
        total = np.bincount(pages.page, weights=values, minlength=len(pages.first))
        means: F64 = (total / np.maximum(pages.last - pages.first + 1, 1))[pages.page]
        return means

    return {
        "page_size": np.log1p(pages.size) / 5,
        "page_long": mean(words >= LONG_WORDS),
        "page_short": mean(words <= SHORT_WORDS),
        "page_stops": mean(np.asarray(columns["ends_stop"], np.float64)),
        "page_gaps": mean(np.asarray(columns["gap_before"], np.float64)),
        "page_debris": mean(np.asarray(columns["debris"], np.float64)),
        "page_repeats": mean(np.asarray(columns["is_repeat"], np.float64)),
    }


def _sum_before(weight: F64, pages: PageSpans) -> F64:
    """The sum over the rows of the page before each row."""
    before = np.cumsum(weight) - weight
    return before - before[pages.first][pages.page] if len(before) else before


def _run_lengths(mask: Bools, pages: PageSpans) -> tuple[I64, I64]:
    """The numbers of consecutive marked rows of the page just before and just after each row."""
    n = len(mask)
    row = np.arange(n)
    start = pages.first[pages.page] if n else row
    stop = pages.last[pages.page] if n else row
    last_unmarked = np.maximum.accumulate(np.where(mask, -1, row)) if n else row
    next_unmarked = next_marked(~mask)
    before = row - np.maximum(np.append(-1, last_unmarked)[:n] + 1, start)
    after = np.minimum(np.append(next_unmarked, n)[1 : n + 1], stop + 1) - row - 1
    return before, after

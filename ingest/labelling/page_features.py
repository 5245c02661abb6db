"""What the place of a segment says of it: its page, its neighbours, what repeats."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest import phrases
from ingest._typing import F64, I64, Bools, Columns
from ingest.codepoints import Words
from ingest.labelling.duplicates import Repeats
from ingest.page_spans import Pages, before, in_page, next_where, paired

LONG_WORDS = 12  # a segment of so many words is taken for running text
SHORT_WORDS = 5  # one of so few for a menu item
_TURN = 0.05  # share of a paragraph's content words in the one before, below which topics differ


def of_languages(segments: pl.DataFrame, pages: Pages, count: I64) -> Columns:
    """The main language of the page, and whether a segment and its neighbours are in it."""
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


def of_layout(line: I64, pages: Pages, count: I64) -> Columns:
    """Where on the page a segment stands, and how far from running text."""
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


def of_repetition(same: Repeats) -> Columns:
    """Whether and where the page says the same again."""
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


def of_overlap(content: Words, pages: Pages, count: I64) -> Columns:
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
    at, found = phrases.look_up(of_page, in_long)
    others = found & (lines[at] > long[text]) if len(lines) else found
    row = np.arange(texts)
    next_long = np.append(next_where(long), texts)[np.minimum(row + 1, texts)]
    previous_long = np.append(-1, np.maximum.accumulate(np.where(long, row, -1)))[:-1][:texts]
    kin = share(phrases.look_up(paired(key, previous_long[text]), long_pairs)[1])
    kin_of_next = np.append(np.where(long, kin, 0.0), 0.0)[next_long]
    between = in_page(next_long, pages) & in_page(previous_long, pages)
    first = np.unique(paired(key, text)[pages.place[text] == 0])
    first_of = pages.first[pages.page]
    return {
        "in_text": share(others),
        "in_text_any": share(others) > 0,
        "in_next_text": share(
            phrases.look_up(paired(key, next_long[text]), long_pairs)[1]
        ) * in_page(next_long, pages),
        "in_previous_text": kin * in_page(previous_long, pages),
        "topic_goes_on": kin_of_next * between,
        "topic_turns": between & (kin_of_next < _TURN),
        "in_title": share(phrases.look_up(paired(key, first_of[text]), first)[1])
        * (pages.place > 0),
        "content": np.log1p(np.bincount(text, minlength=texts)) / 2,
        "distinct": np.bincount(text[np.unique(in_text, return_index=True)[1]], minlength=texts)
        / many,
    }  # fmt: skip


def of_page(pages: Pages, count: I64, columns: Columns) -> Columns:
    """What the page is like as a whole: means of columns that are there."""

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

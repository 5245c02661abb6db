"""The page as a prior: a hidden Markov chain over its segments, in page order.

Neighbouring segments tend to share a language, and most of a page is in one language. So with
probability STAY a segment has the language of the one before it; otherwise its language is drawn
from the languages of the page. The text of the segment is weighed against this prior. Two rules
keep names from counting as evidence of a language: a capitalised word may come from any language at
little cost, and a word that a page repeats counts less each time.

Each page is computed by itself from a fixed neighbourhood, so neither other pages nor the order of
rows can change a result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F64, I64, Bools
from ingest.codepoints import decode, hash_spans
from ingest.detection.char_kinds import LETTER, kinds_of
from ingest.page_spans import combine_keys

STAY = 0.7
REACH = 5  # neighbours used on each side; more change nothing on the dev pages
ROUNDS = 2  # alternations between page shares and segments; a third changes nothing there either
PRIOR = 0.2  # weight of the uniform prior against the segments of the page, in whole segments
LEAN = 0.8  # weight of English or Arabic, which all pages borrow from; the page's own weight is 1
MAX_LANGUAGES = 8  # languages of a script that are tracked on one page
WHOLE = 60.0  # letters from which a segment has full weight; below, the weight is quadratic
# The most nats that the text of a segment may weigh: a base, plus these for each name and for each
# letter outside names.
SLACK, SLACK_NAME, SLACK_LETTER = 0.5, 0.2, 1.1
NOVELTY = 0.5  # a word that occurs n times on a page counts n**-NOVELTY each time


class SegmentWeights(NamedTuple):
    """How much the text of each segment counts.

    Attributes:
        page: int64 [segments], page numbers, ascending.
        letters: float64 [segments], number of letters.
        slack: float64 [segments], the most nats that the text may weigh.
        novelty: float64 [segments], exponent of the likelihood: less for words the page repeats.
    """

    page: I64
    letters: F64
    slack: F64
    novelty: F64


def weigh_segments(segments: pl.DataFrame) -> SegmentWeights:
    """Compute the weights of segments from their words.

    Args:
        segments: `page` (integer, ascending), in page order, and the columns `clean`, `letters`,
            `names` and `others` of `script.detect_scripts`.

    >>> segments = pl.DataFrame({"page": [0, 0], "clean": ["Ramadan recipes", "Ramadan"],
    ...                          "letters": [14, 7], "names": [1, 1], "others": [7, 0]})
    >>> [a.round(2).tolist() for a in weigh_segments(segments)[2:]]
    [[8.4, 0.7], [0.85, 0.71]]
    """
    page, letters, names, others = (
        segments[name].to_numpy() for name in ("page", "letters", "names", "others")
    )
    short = letters <= WHOLE
    slack = SLACK + SLACK_NAME * names + SLACK_LETTER * others
    novelty = np.ones(len(segments))
    novelty[short] = _novelty(segments["clean"].filter(pl.Series(short)), page[short])
    return SegmentWeights(page, letters.astype(np.float64), np.where(short, slack, np.inf), novelty)


def _novelty(texts: pl.Series, page: I64) -> F64:
    """The mean of n**-NOVELTY over the words of each text, where n is how often its page has it."""
    codes, lengths = decode(texts.str.to_lowercase(), separator=" ")
    inside = kinds_of(codes) & LETTER > 0
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    start, end = edges[::2], edges[1::2]
    last = np.cumsum(lengths + 1)  # the space after each text
    text = np.searchsorted(last, start)
    keys = pl.DataFrame({"key": combine_keys(hash_spans(codes, start, end), page[text])})
    times = keys.select(pl.len().over("key")).to_series().to_numpy()
    out = np.ones(len(texts))
    first = np.flatnonzero(np.diff(text, prepend=-1))
    count = np.diff(first, append=len(text))
    out[text[first]] = np.add.reduceat(times.astype(np.float64) ** -NOVELTY, first) / count
    return out


def posterior(likelihood: F64, prior: F64) -> F64:
    """Compute the posterior of each text: exp(likelihood) * prior, normalised.

    Args:
        likelihood: log likelihood, [languages, texts].
        prior: [languages].

    >>> posterior(np.array([[0.0], [0.0]]), np.array([0.75, 0.25])).tolist()
    [[0.75], [0.25]]
    """
    out: F64 = np.exp(likelihood - likelihood.max(axis=0)) * prior[:, None]
    return _normalize(out)


def posterior_on_page(likelihood: F64, base: F64, lean: F64, weights: SegmentWeights) -> F64:
    """Compute the posterior of each segment given its page.

    Args:
        likelihood: log likelihood, [languages, segments].
        base: prior without a page, [languages] with sum 1; 0 excludes a language.
        lean: extra prior for languages that all pages borrow from, [languages].
        weights: the weights of the segments.

    Returns:
        [languages, segments], columns with sum 1.
    """
    pages = _find_pages(weights.page)
    weight = (np.minimum(weights.letters, WHOLE) / WHOLE) ** 2
    evidence = _weigh(likelihood - likelihood.max(axis=0), weights)
    evidence *= (base > 0)[:, None]
    alone = _normalize(evidence * base[:, None])
    kept = _main_languages(weight * alone + 1e-3 * lean[:, None], pages)[:, pages.number]
    # where in a [languages, segments] array the kept languages of each segment are
    place = kept * len(weight) + np.arange(len(weight))
    out, evidence = alone.take(place), evidence.take(place)
    base, lean = base[kept], lean[kept]
    for _ in range(ROUNDS):
        votes = weight * out
        others = np.maximum(pages.sum(votes)[:, pages.number] - votes, 0.0)
        count = _sum_languages(others) + PRIOR
        prior = _normalize((others + PRIOR * base) / count + LEAN * lean)
        before = _predict(evidence, prior, pages.joined, slice(None, -1), slice(1, None))
        after = _predict(evidence, prior, pages.joined, slice(1, None), slice(None, -1))
        # Both predictions include the prior, which must count once.
        out = _normalize(evidence * before * after / np.where(prior > 0, prior, 1.0))
    all_languages = np.zeros_like(alone)
    all_languages.put(place, out)
    return all_languages


def _weigh(logs: F64, weights: SegmentWeights) -> F64:
    """Compute (exp(logs) + exp(-slack)) ** novelty."""
    evidence: F64 = np.exp(logs)
    evidence += np.exp(-weights.slack)
    # Most segments have no word that the page repeats.
    rows = np.flatnonzero(weights.novelty != 1.0)
    evidence[:, rows] = evidence[:, rows] ** weights.novelty[rows]
    return evidence


class _Pages(NamedTuple):
    """Which segments belong to the same page.

    Attributes:
        number: int64 [segments], numbers from 0.
        first: int64 [pages], the first segment of each page.
        joined: bool [segments - 1], whether a segment and the next are on one page.
    """

    number: I64
    first: I64
    joined: Bools

    def sum(self, values: F64) -> F64:
        """Sum over the segments of each page: [languages, pages]."""
        totals: F64 = np.add.reduceat(values, self.first, axis=1)
        return totals


def _find_pages(page: I64) -> _Pages:
    joined = page[1:] == page[:-1]
    number = np.concatenate(([0], np.cumsum(~joined)))
    return _Pages(number, np.flatnonzero(np.diff(number, prepend=-1)), joined)


def _main_languages(votes: F64, pages: _Pages) -> I64:
    """The MAX_LANGUAGES languages with most votes on each page; others are excluded."""
    ranking: I64 = np.argsort(-pages.sum(votes), axis=0, kind="stable")
    return ranking[:MAX_LANGUAGES]


def _predict(evidence: F64, prior: F64, joined: Bools, source: slice, target: slice) -> F64:
    """Predict each segment from the REACH segments on one side of it.

    Args:
        evidence: [languages, segments].
        prior: [languages, segments].
        joined: bool [segments - 1], whether a segment and the next are on one page.
        source: the segments that have a neighbour to predict.
        target: these neighbours.
    """
    stay = STAY * joined
    jump = prior.copy()
    jump[:, target] *= np.where(joined, 1 - STAY, 1.0)
    prediction = prior
    for _ in range(REACH):
        state = _normalize(prediction * evidence)
        prediction = jump.copy()
        prediction[:, target] += stay * state[:, source]
    return prediction


def _normalize(values: F64) -> F64:
    shares: F64 = values / np.maximum(_sum_languages(values), 1e-300)
    return shares


def _sum_languages(values: F64) -> F64:
    """Sum over the first axis, in the same order for any number of segments."""
    total: F64 = values[0].copy()
    for row in values[1:]:
        total += row
    return total

"""The page as a prior: a hidden Markov chain over its segments, in the order they stand.

Segments of one language stand together, and most of a page is in one language. So the language of
a segment is with probability STAY that of the one before, else drawn from the languages of its
page; what a segment itself says is weighed against that. Two things keep names from counting as
evidence of a language: a capitalised word may come from anywhere at little cost, and a word that
a page repeats is not news each time.

Everything is computed page by page from a fixed neighbourhood, so neither other pages nor the
order of rows can change a result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STAY = 0.7
REACH = 5  # neighbours on each side that are heard; further ones change nothing on the dev pages
ROUNDS = 2  # page shares and segments in turn; a third round changes nothing there either
PRIOR = 0.2  # weight of the even prior against segments of the page, in whole segments
LEAN = 0.8  # what English or Arabic, which all pages borrow from, gets beside the page's 1
SPOKEN = 8  # languages of a script that are followed on one page
WHOLE = 60.0  # letters of a segment that counts fully; shorter ones count by the square
# nats that the text of a segment may weigh at most: a base, for each name, for each other letter
SLACK, SLACK_NAME, SLACK_LETTER = 0.5, 0.2, 1.1
NOVELTY = 0.5  # a word that stands n times on a page says n**-NOVELTY each time
_NAME = r"\p{Lu}[\p{L}\p{M}\d'’®-]*"


class Place(NamedTuple):
    """Of each segment: number of its page (ascending), and arrays that weigh what it says."""

    page: NDArray[np.int64]
    letters: Floats
    slack: Floats
    novelty: Floats


def place(seen: pl.DataFrame) -> Place:
    """Weigh segments by their words.

    Args:
        seen: `page` (integer, ascending), `clean` (text), `letters`; in the order of segments.

    >>> seen = pl.DataFrame({"page": [0, 0], "clean": ["Ramadan recipes", "Ramadan"]})
    >>> [a.round(2).tolist() for a in place(seen.with_columns(letters=pl.Series([14, 7])))[2:]]
    [[8.4, 0.7], [0.85, 0.71]]
    """
    short = pl.col("letters") <= WHOLE
    text = pl.when(short).then("clean")
    frame = seen.select(
        "page",
        "letters",
        names=text.str.count_matches(_NAME).fill_null(0),
        plain=text.str.replace_all(_NAME, " ").str.count_matches(r"\p{L}").fill_null(0),
    )
    words = (
        seen.select(pl.int_range(pl.len()).alias("row"), "page", "clean", "letters")
        .filter(short)
        .select("row", "page", word=pl.col("clean").str.to_lowercase().str.extract_all(r"\p{L}+"))
        .explode("word")
        .drop_nulls("word")
        .with_columns(times=pl.len().over("page", "word"))
        .group_by("row")
        .agg(novelty=(pl.col("times").cast(pl.Float64) ** -NOVELTY).sort().mean())
    )
    novelty = np.ones(len(seen))
    novelty[words["row"].to_numpy()] = words["novelty"].to_numpy()
    letters = frame["letters"].to_numpy().astype(np.float64)
    slack = (
        SLACK + SLACK_NAME * frame["names"].to_numpy() + SLACK_LETTER * frame["plain"].to_numpy()
    )
    slack[letters > WHOLE] = np.inf
    return Place(frame["page"].to_numpy(), letters, slack, novelty)


def posterior(likelihood: Floats, prior: Floats) -> Floats:
    """Normalised exp(likelihood) * prior, row by row.

    >>> posterior(np.array([[0.0, 0.0]]), np.array([[0.75, 0.25]])).tolist()
    [[0.75, 0.25]]
    """
    out: Floats = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * prior
    return _shares(out)


def with_page(likelihood: Floats, base: Floats, lean: Floats, at: Place) -> Floats:
    """Posterior of each segment given its page.

    Args:
        likelihood: log likelihood, (segments, languages).
        base: prior without a page, (languages,) of sum 1; 0 forbids a language.
        lean: languages to lean to, likewise.
        at: where the segments stand.

    Returns:
        (segments, languages), rows of sum 1.
    """
    logs = likelihood - likelihood.max(axis=1, keepdims=True)
    # log(exp(logs) + exp(-slack)), all of it at most 0
    says = (np.exp(logs) + np.exp(-at.slack)[:, None]) ** at.novelty[:, None] * (base > 0)
    weight = (np.minimum(at.letters, WHOLE) / WHOLE)[:, None] ** 2
    together = (at.page[1:] == at.page[:-1])[:, None]
    out = _shares(says * base)
    kept = _spoken(at.page, weight * out + 1e-3 * lean)
    whole = np.zeros_like(out)
    out, says = np.take_along_axis(out, kept, axis=1), np.take_along_axis(says, kept, axis=1)
    base, lean = base[kept], lean[kept]
    for _ in range(ROUNDS):
        votes = weight * out
        others = np.maximum(_totals(at.page, votes) - votes, 0.0)
        count = others.sum(axis=1, keepdims=True) + PRIOR
        prior = _shares((others + PRIOR * base) / count + LEAN * lean)
        before = _heard(says, prior, together)
        after = _heard(says[::-1], prior[::-1], together[::-1])[::-1]
        # both include the prior, which counts once
        out = _shares(says * before * after / np.where(prior > 0, prior, 1.0))
    np.put_along_axis(whole, kept, out, axis=1)
    return whole


def _spoken(page: NDArray[np.int64], votes: Floats) -> NDArray[np.int64]:
    """The SPOKEN languages with most votes of each segment's page: others have no chance there."""
    totals = _totals(page, votes)
    return np.argsort(-totals, axis=1, kind="stable")[:, :SPOKEN]


def _heard(says: Floats, prior: Floats, together: NDArray[np.bool_]) -> Floats:
    """The chain's prediction of each segment from the REACH segments before it."""
    heard = prior
    for _ in range(REACH):
        told = _shares(heard * says)
        heard = prior.copy()
        heard[1:] = np.where(together, STAY * told[:-1] + (1 - STAY) * prior[1:], prior[1:])
    return heard


def _shares(values: Floats) -> Floats:
    shares: Floats = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    return shares


def _totals(page: NDArray[np.int64], votes: Floats) -> Floats:
    first = np.flatnonzero(np.diff(page, prepend=-1))
    sizes = np.diff(first, append=len(page))
    return np.repeat(np.add.reduceat(votes, first, axis=0), sizes, axis=0)

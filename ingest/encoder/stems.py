"""Stems and proclitics of many words at once, as `words.split` finds those of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest._typing import I64
from ingest.encoder.words import ARTICLES, ENDINGS, PROCLITICS

if TYPE_CHECKING:
    from collections.abc import Callable


def are_arabic(words: pl.Series) -> pl.Series:
    """`arabic` of many words."""
    return (words >= "\u0600") & (words < "\u0700")


def splits(words: pl.Series, how_often: Callable[[pl.Series], I64]) -> tuple[pl.Series, pl.Series]:
    """`split` of many words: their proclitics and their stems.

    >>> seen = {"كتاب": 50}
    >>> count = lambda stems: np.array([seen.get(stem, 0) for stem in stems])
    >>> [s.to_list() for s in splits(pl.Series(["والكتب", "studies", "بكتاب"]), count)]
    [['', '', 'ب'], ['كتب', 'studi', 'كتاب']]
    """
    mask = are_arabic(words)
    order = np.argsort(~mask.to_numpy(), kind="stable")
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    own, other = words.filter(mask), words.filter(~mask)
    stems = [_lights(own)]
    most = 10 * how_often(stems[0])
    # which of all stems so far each word takes; the proclitic, by its length
    best, clitic = np.arange(len(own)), np.zeros(len(own), np.int64)
    heads, size = pl.Series(sorted(PROCLITICS)), own.str.len_chars()
    for n in (1, 2):
        at = np.flatnonzero(((size >= n + 3) & own.str.head(n).is_in(heads.implode())).to_numpy())
        rest = _lights(own.gather(at).str.slice(n))
        seen = how_often(rest)
        more = (seen > most[at]) & (rest.str.len_chars() >= 3).to_numpy()
        best[at[more]] = sum(map(len, stems)) + np.flatnonzero(more)
        clitic[at[more]], most[at[more]] = n, seen[more]
        stems.append(rest)
    base = pl.concat([pl.concat(stems).gather(best), _stems(other)]).gather(back)
    sizes = pl.Series(np.concatenate([clitic, np.zeros(len(other), np.int64)])).gather(back)
    return words.str.head(sizes), base


def _lights(words: pl.Series) -> pl.Series:
    """`_light` of many words."""
    article = rf"^(?:(?:{'|'.join(ARTICLES)})(.{{2,}})|و(.{{4,}}))$"
    ending = rf"^(.{{3,}}?)(?:{'|'.join(ENDINGS)})$"
    return words.str.replace(article, "${1}${2}").str.replace(ending, "${1}")


def _stems(words: pl.Series) -> pl.Series:
    """`_stem` of many words."""
    word = pl.col("word").str.strip_suffix("'s")
    one = word.str.replace("(?:ies|ied)$", "y").str.replace("(ss)es$|([^s])s$", "${1}${2}")
    two = pl.col("one").str.replace("^(.{3,})(?:ing|ed|ly)$", "${1}")
    last = pl.col("two").str.tail(1)
    doubled = (last == pl.col("two").str.tail(2).str.head(1)) & ~last.is_in(["l", "s"])
    doubled &= pl.col("two") != pl.col("one")
    three = pl.when(doubled).then(pl.col("two").str.head(-1)).otherwise("two")
    four = three.str.replace("^(.{3,})e$", "${1}").str.replace("y$", "i")
    frame = words.to_frame("word").with_columns(one=one).with_columns(two=two)
    return frame.select(pl.when(word.str.len_chars() < 4).then(word).otherwise(four)).to_series()

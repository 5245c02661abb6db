"""Split many words into proclitics and stems at once, with the same result as `words.split`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest._typing import I64
from ingest.encoder.words import ARTICLES, ENDINGS, PROCLITICS

if TYPE_CHECKING:
    from collections.abc import Callable


def are_arabic(words: pl.Series) -> pl.Series:
    """`words.is_arabic` for many words."""
    return (words >= "\u0600") & (words < "\u0700")


def split_words(
    words: pl.Series, how_often: Callable[[pl.Series], I64]
) -> tuple[pl.Series, pl.Series]:
    """Split many words as `words.split` does: their proclitics and their stems.

    Args:
        words: folded words.
        how_often: returns how often each stem was seen in training, int64 [stems].

    >>> seen = {"كتاب": 50}
    >>> count = lambda stems: np.array([seen.get(stem, 0) for stem in stems])
    >>> [s.to_list() for s in split_words(pl.Series(["والكتب", "studies", "بكتاب"]), count)]
    [['', '', 'ب'], ['كتب', 'studi', 'كتاب']]
    """
    mask = are_arabic(words)
    order = np.argsort(~mask.to_numpy(), kind="stable")
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    arabic, other = words.filter(mask), words.filter(~mask)
    stems = [_light_stems(arabic)]
    most = 10 * how_often(stems[0])
    # for each word, the index of its best stem among all candidates, and the proclitic's length
    best, clitic = np.arange(len(arabic)), np.zeros(len(arabic), np.int64)
    heads, size = pl.Series(sorted(PROCLITICS)), arabic.str.len_chars()
    for n in (1, 2):
        ok = (size >= n + 3) & arabic.str.head(n).is_in(heads.implode())
        at = np.flatnonzero(ok.to_numpy())
        rest = _light_stems(arabic.gather(at).str.slice(n))
        seen = how_often(rest)
        more = (seen > most[at]) & (rest.str.len_chars() >= 3).to_numpy()
        best[at[more]] = sum(map(len, stems)) + np.flatnonzero(more)
        clitic[at[more]], most[at[more]] = n, seen[more]
        stems.append(rest)
    stem = pl.concat([pl.concat(stems).gather(best), _english_stems(other)]).gather(back)
    sizes = pl.Series(np.concatenate([clitic, np.zeros(len(other), np.int64)])).gather(back)
    return words.str.head(sizes), stem


def _light_stems(words: pl.Series) -> pl.Series:
    """`words._light_stem` for many words."""
    article = rf"^(?:(?:{'|'.join(ARTICLES)})(.{{2,}})|و(.{{4,}}))$"
    ending = rf"^(.{{3,}}?)(?:{'|'.join(ENDINGS)})$"
    return words.str.replace(article, "${1}${2}").str.replace(ending, "${1}")


def _english_stems(words: pl.Series) -> pl.Series:
    """`words._english_stem` for many words."""
    word = pl.col("word").str.strip_suffix("'s")
    singular = word.str.replace("(?:ies|ied)$", "y").str.replace("(ss)es$|([^s])s$", "${1}${2}")
    base = pl.col("singular").str.replace("^(.{3,})(?:ing|ed|ly)$", "${1}")
    last = pl.col("base").str.tail(1)
    doubled = (last == pl.col("base").str.tail(2).str.head(1)) & ~last.is_in(["l", "s"])
    doubled &= pl.col("base") != pl.col("singular")
    single = pl.when(doubled).then(pl.col("base").str.head(-1)).otherwise("base")
    stem = single.str.replace("^(.{3,})e$", "${1}").str.replace("y$", "i")
    frame = words.to_frame("word").with_columns(singular=singular).with_columns(base=base)
    return frame.select(pl.when(word.str.len_chars() < 4).then(word).otherwise(stem)).to_series()

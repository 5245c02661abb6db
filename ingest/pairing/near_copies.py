"""Choose among near-copies: old versions of an article, or the same page at several addresses.

Vectors of whole pages hardly differ between near-copies. So pairs with a rival are compared
sentence by sentence: a quick alignment that keeps the order, and counts of numbers and of lines of
code.
Only these pages are read a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.pairing.candidates import WEIGHTS
from ingest.pairing.comparison import compare, read_sentences

if TYPE_CHECKING:
    from ingest.encoder.model import Encoder

_RIVAL = 0.6  # a rival has at least this share of the `segments` of the best candidate
_LEAST = 0.25  # pages that have nothing in common reach about .2
_LAST = -1e6  # rank of candidates without a rival

# Log odds: whether a candidate is any version of the right article. Set by hand, because the recipe
# (lang_models/align/pairing.py) has few wrong articles to learn from; see its README …
ARTICLE = {
    "bias": 7.7,
    "unaligned": -20.8,  # as a share
    "segments": 20.3,
    "names": 6.7,
    "numbers": 3.6,
}
# … and which version it is, per sentence, number and line of code that has no counterpart. These
# four were fitted by the recipe. The links are set by hand: an address names the wrong version as
# often as not.
VERSION = {
    "unaligned": -0.33,
    "unordered": -0.39,
    "numbers_apart": -0.39,
    "code_apart": -1.51,
    "url": 0.5,
    "hreflang": 2.5,
    "date": 0.5,
    "same_page": 1.5,
}
COMPARED = ("unaligned", "numbers_apart", "code_apart")  # evidence that is kept
_UNIT = ["doc_id", "article"]


def compare_rivals(
    pairs: pl.DataFrame,
    units: tuple[pl.DataFrame, pl.DataFrame],
    langs: tuple[str, ...],
    read: Callable[[], Iterable[pl.DataFrame]],
    encoder: Encoder,
) -> pl.DataFrame:
    """Compare the candidates that have a rival, and rank all candidates for the matching.

    Args:
        pairs: candidates from `find_candidates`, with their score.
        units: doc_id and article of the units of the source and of the target.
        langs: languages of source and target.
        read: yields doc_id, segment, text, lang, article, role and keep of segments, sorted by
            page. Not called if no candidate has a rival.
        encoder: encodes the sentences.

    Returns:
        The same rows with a new score, at least as high as before, and these columns:
        `unaligned`: Float32, share 0…1 of both units that the quick alignment leaves without a
        counterpart.
        `numbers_apart`, `code_apart`: Float32, numbers and lines of code that one unit has more
        often than the other. These three are null without a rival.
        `rank`: Float64, log odds of the score and, between rivals, of the version. A candidate
        without a rival comes after those with one.
    """
    rivals = find_rivals(pairs)
    odds = _log_odds(pl.col("score").cast(pl.Float64))
    alone = pairs.filter(~rivals).with_columns(
        *(pl.lit(None, pl.Float32).alias(name) for name in COMPARED), rank=odds + _LAST
    )
    if not rivals.any():
        return alone
    pairs = measure_rivals(pairs.filter(rivals), units, langs, read, encoder)
    version = sum(pl.col(name) * weight for name, weight in VERSION.items())
    pairs = pairs.with_columns(version=version)
    pairs = pairs.with_columns(pl.col("unaligned") / pl.col("size").clip(1e-6))
    content = pl.lit(ARTICLE["bias"]) + sum(
        pl.col(name) * weight for name, weight in ARTICLE.items() if name != "bias"
    )
    linked = sum(pl.col(name) * WEIGHTS[name] for name in ("url", "hreflang", "date", "same_page"))
    score = 1 / (1 + (-(content + linked)).exp())
    pairs = pairs.with_columns(
        rank=(content + pl.col("version")).cast(pl.Float64),
        score=pl.max_horizontal(pl.col("score"), score.cast(pl.Float32)),
    )
    return pl.concat([alone, pairs.select(alone.columns)]).sort("s", "t")


def measure_rivals(
    pairs: pl.DataFrame,
    units: tuple[pl.DataFrame, pl.DataFrame],
    langs: tuple[str, ...],
    read: Callable[[], Iterable[pl.DataFrame]],
    encoder: Encoder,
) -> pl.DataFrame:
    """Read the units of pairs again, and add the columns that `compare` returns.

    Args:
        pairs: s and t, rows of units.
        units: doc_id and article of the units of the source and of the target.
        langs: languages of source and target.
        read: yields segments, as for `compare_rivals`.
        encoder: encodes the sentences.
    """
    sides, rows = [], []
    shared = units[0].join(units[1], on=_UNIT, how="semi").select(_UNIT)
    for key, keys, lang in zip(("s", "t"), units, langs, strict=True):
        used = pairs[key].unique().sort()
        # An article with units in both languages is not its own translation line by line.
        own = shared.with_columns(lang=pl.lit(lang))
        wanted = keys[used].select(_UNIT).join(own, on=_UNIT, how="left", maintain_order="left")
        sides.append(read_sentences(read(), wanted, encoder))
        rows.append(used.search_sorted(pairs[key]).to_numpy().astype(np.int64))
    compared = compare(sides[0], sides[1], rows[0], rows[1])
    return pl.concat([pairs, compared], how="horizontal")


def find_rivals(pairs: pl.DataFrame) -> NDArray[np.bool_]:
    """Find the candidates with a rival: another candidate of the same unit that is about as good.

    Args:
        pairs: s, t and segments, as `find_candidates` returns them.

    >>> pairs = pl.DataFrame({"s": [0, 0, 1], "t": [0, 1, 2], "segments": [0.7, 0.6, 0.7]})
    >>> find_rivals(pairs).tolist()
    [True, True, False]
    """
    best = pl.max_horizontal(pl.col("segments").max().over(key) for key in ("s", "t"))
    good = (pl.col("segments") >= _RIVAL * best) & (pl.col("segments") >= _LEAST)
    rivals = pl.max_horizontal(good.sum().over("s"), good.sum().over("t")) > 1
    return pairs.select(good & rivals).to_series().to_numpy()


def _log_odds(probability: pl.Expr) -> pl.Expr:
    inside = probability.clip(1e-7, 1 - 1e-7)
    return (inside / (1 - inside)).log()

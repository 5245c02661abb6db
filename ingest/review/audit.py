"""Draw a sample for people to judge, and estimate from their judgements how much is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Unit: TypeAlias = Literal["segment", "pair"]
_Rows: TypeAlias = NDArray[np.int64]

SEED = 1
"""The seed of a draw if none is given."""

KEPT = "kept"
"""How the names of strata of kept segments and pairs begin; all others are of dropped ones."""

_ESTIMATES = pl.Schema(
    {
        "unit": pl.String(),
        "stratum": pl.String(),
        "population": pl.Int64(),
        "judged": pl.Int64(),
        "right": pl.Int64(),
        "precision": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)
_Z = 1.959963984540054  # 95 % of a normal distribution
_FIFTHS = 5
_NO_REASON = "no reason given"
_MAIN_SCORES = ("quality", "score")  # the first one that a file has divides the kept pairs


@dataclass(frozen=True)
class Stratum:
    """A part of a run, and the rows drawn from it.

    Attributes:
        name: such as "kept, ar" or "dropped, low score"; unique among those of its unit.
        unit: "segment" or "pair".
        population: number of rows in the stratum.
        rows: the rows drawn, as indices into the file that start at 0, sorted.
    """

    name: str
    unit: Unit
    population: int
    rows: list[int]


def draw(
    segments: pl.LazyFrame | None, pairs: pl.LazyFrame | None, n: int, seed: int = SEED
) -> list[Stratum]:
    """Draw a stratified random sample of a run.

    Strata of segments are kept or dropped, times Arabic, English or another language. Those of
    pairs are the fifths of the quality of the kept ones (of the score, if there is no quality), and
    the reasons of the dropped ones. Without a column `keep`, all pairs are kept. Segments and pairs
    share the sample equally. Half of it is divided equally among the strata, and half by size.

    The frames are read once each. Memory: a byte per segment, and some ten bytes per pair.

    Args:
        segments: columns lang and keep, or None.
        pairs: any of the columns keep, drop_reason, quality and score, or None.
        n: number of rows to draw; fewer if there are not as many.
        seed: another number gives another sample.

    Returns:
        The strata that have any rows, those of segments first. Some may have none drawn.

    >>> segments = pl.LazyFrame({"lang": ["ar", "en", "ar", "fr"], "keep": [True] * 3 + [False]})
    >>> for stratum in draw(segments, None, 3): print(stratum)
    Stratum(name='kept, ar', unit='segment', population=2, rows=[2])
    Stratum(name='kept, en', unit='segment', population=1, rows=[1])
    Stratum(name='dropped, other', unit='segment', population=1, rows=[3])
    """
    groups: list[tuple[Unit, list[str], NDArray[np.integer]]] = []
    if segments is not None:
        groups.append(("segment", *_segment_strata(segments)))
    if pairs is not None:
        groups.append(("pair", *_pair_strata(pairs)))
    totals = np.array([len(codes) for _, _, codes in groups], np.int64)
    shares = _allocate(totals, n, by_size=0.0)
    strata: list[Stratum] = []
    for (unit, names, codes), share in zip(groups, shares, strict=True):
        random = np.random.default_rng([seed, len(unit)])
        populations = np.bincount(codes, minlength=len(names))
        for code, size in enumerate(_allocate(populations, int(share), by_size=0.5)):
            rows = random.choice(np.flatnonzero(codes == code), size, replace=False) if size else ()
            if population := int(populations[code]):
                strata.append(Stratum(names[code], unit, population, sorted(map(int, rows))))
    return strata


def estimate(judgements: pl.DataFrame, strata: Sequence[Stratum]) -> pl.DataFrame:
    """Estimate from judgements how many labels are right, with 95 % intervals after Wilson.

    The estimate for all kept segments, or pairs, weights each stratum by its population. Its
    interval is that of as many judgements as are worth the same without weights (after Kish).
    Strata without a judgement have no estimate, and no weight.

    Args:
        judgements: one row per row judged: `unit`, `stratum` (a name) and `right` (Boolean).
            Those of unknown strata are left out.
        strata: the strata, as `draw` returns them.

    Returns:
        One row per stratum, and after those of a unit one for all that are kept, if any was judged:
        `unit`, `stratum` (null for all), `population`, `judged`, `right`, `precision`, `low` and
        `high` (shares, null if none was judged).

    >>> strata = [Stratum("kept, ar", "pair", 300, []), Stratum("kept, en", "pair", 100, [])]
    >>> rows = {"unit": ["pair"] * 4, "stratum": ["kept, ar"] * 2 + ["kept, en"] * 2}
    >>> table = estimate(pl.DataFrame(rows | {"right": [True, False, True, True]}), strata)
    >>> table.select("stratum", "right", "precision", pl.col("low", "high").round(3)).rows()
    [('kept, ar', 1, 0.5, 0.095, 0.905), ('kept, en', 2, 1.0, 0.342, 1.0), (None, 3, 0.625, 0.193, \
0.921)]
    """
    counts: dict[tuple[str, str], tuple[int, int]] = {
        (unit, name): (judged, right)
        for unit, name, judged, right in judgements.drop_nulls("right")
        .group_by("unit", "stratum")
        .agg(judged=pl.len(), right=pl.sum("right"))
        .iter_rows()
    }
    rows: list[tuple[Any, ...]] = []
    for unit in dict.fromkeys(stratum.unit for stratum in strata):
        weights: list[tuple[int, int, int]] = []
        for stratum in (s for s in strata if s.unit == unit):
            judged, right = counts.get((unit, stratum.name), (0, 0))
            interval = wilson(right / judged, judged) if judged else (None, None)
            share = right / judged if judged else None
            rows.append((unit, stratum.name, stratum.population, judged, right, share, *interval))
            if judged and stratum.name.startswith(f"{KEPT},"):
                weights.append((stratum.population, judged, right))
        if weights:
            rows.append((unit, None, *_estimate_all(weights)))
    return pl.DataFrame(rows, _ESTIMATES, orient="row")


def _estimate_all(strata: Sequence[tuple[int, int, int]]) -> tuple[Any, ...]:
    """Return population, judged, right, precision, low and high of several strata together.

    Args:
        strata: population, number judged (at least one) and number right of each.
    """
    population, judged, right = np.array(strata, np.float64).T
    weight = population / population.sum()
    precision = float((weight * right / judged).sum())
    size = 1 / float((weight**2 / judged).sum())
    totals = (int(population.sum()), int(judged.sum()), int(right.sum()))
    return (*totals, precision, *wilson(precision, size))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share that was observed in `n` trials.

    >>> [round(end, 3) for end in wilson(0.9, 100)]
    [0.826, 0.945]
    """
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low, high = ((share + _Z**2 / (2 * n) + sign * spread) / (1 + _Z**2 / n) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


def _segment_strata(segments: pl.LazyFrame) -> tuple[list[str], NDArray[np.integer]]:
    """Return the names of the strata, and the number of that of each segment."""
    names = [f"{state}, {lang}" for state in (KEPT, "dropped") for lang in ("ar", "en", "other")]
    lang = pl.when(pl.col("lang") == "ar").then(0).when(pl.col("lang") == "en").then(1).otherwise(2)
    kept = pl.col("keep").fill_null(value=False)
    code = (lang + pl.when(kept).then(0).otherwise(3)).cast(pl.UInt8).alias("code")
    return names, segments.select(code).collect(engine="streaming")["code"].to_numpy()


def _pair_strata(pairs: pl.LazyFrame) -> tuple[list[str], NDArray[np.integer]]:
    """Return the names of the strata, and the number of that of each pair."""
    columns = pairs.collect_schema().names()
    score = next((name for name in _MAIN_SCORES if name in columns), None)
    keep = pl.col("keep").fill_null(value=False) if "keep" in columns else pl.lit(value=True)
    reason = pl.col("drop_reason") if "drop_reason" in columns else pl.lit(None, pl.String)
    keys = pairs.select(
        pl.when(~keep)
        .then(reason.cast(pl.String).fill_null(_NO_REASON))
        .cast(pl.Categorical)
        .alias("reason"),
        (pl.col(score).cast(pl.Float32) if score else pl.lit(None, pl.Float32)).alias("score"),
        pl.first().is_null().alias("row"),  # gives literals the length of the file
    ).collect(engine="streaming")
    kept = keys["reason"].is_null().to_numpy()
    values = keys["score"].fill_null(float("nan")).to_numpy()
    scored = kept & np.isfinite(values)
    codes = np.full(len(keys), _FIFTHS, np.int64)  # kept, without a score
    if scored.any():
        # equal scores share a stratum
        edges = np.quantile(values[scored], np.arange(1, _FIFTHS) / _FIFTHS)
        codes[scored] = np.searchsorted(edges, values[scored], side="left")
    names = [f"{KEPT}, fifth {fifth + 1} of {score or 'score'}" for fifth in range(_FIFTHS)]
    names.append(f"{KEPT}, no score")
    reasons = keys["reason"].drop_nulls().cast(pl.String).unique().sort().to_list()
    numbers = (
        keys["reason"]
        .cast(pl.String)
        .replace_strict(reasons, range(len(reasons)), default=None, return_dtype=pl.Int64)
    )
    codes[~kept] = len(names) + numbers.drop_nulls().to_numpy()
    return [*names, *(f"dropped, {reason}" for reason in reasons)], codes


def _allocate(populations: _Rows, n: int, *, by_size: float) -> _Rows:
    """Divide a sample among strata, none of which gives more rows than it has.

    Args:
        populations: sizes of the strata.
        n: number of rows.
        by_size: the share that is divided by size; the rest is divided equally.

    >>> _allocate(np.array([1000, 100, 3]), 40, by_size=0.5).tolist()
    [27, 10, 3]
    """
    taken = np.zeros_like(populations)
    while (left := min(n, int(populations.sum())) - int(taken.sum())) > 0:
        room = populations - taken
        is_open = room > 0
        share = by_size * room / room.sum() + (1 - by_size) * is_open / is_open.sum()
        more = np.minimum(np.floor(share * left).astype(np.int64), room)
        if not more.any():  # fewer rows are left than strata
            first = np.lexsort((-share, taken))
            more[first[is_open[first]][:left]] = 1
        taken = taken + more
    return taken

"""Training pairs for the quality model: sources, held-out pairs, and balanced damage."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from lang_models.encoder import data
from lang_models.quality.damage import KINDS, Pair, Store, damage, vary

# Number of pairs from each group of sources
SAMPLE_SIZES = {"chat": 4000, "prose": 11000, "bible": 2500, "ui": 2000, "terms": 300}
# Machine-translated or loosely paired sources, in which many "good" pairs would be bad
EXCLUDED_SOURCES = {
    "ms_beginners_llm", "zechub", "raspberrypi_projects", "uw_translation_manual", "erpnext",
}  # fmt: skip
FOLDS = 5
_BLOCK = 25  # neighbouring pairs that are in the same fold
_KINDS_PER_PAIR = 2  # kinds of damage for each training pair
_RARE_KINDS = ("number", "name")  # few pairs have a number or a name, so these are always tried
PROSE = tuple(data.HELD_OUT)


def sources(folder: Path, held_out: dict[str, pl.DataFrame]) -> dict[str, list[Pair]]:
    """Read the pairs of each open source in order, without those that are held out."""
    excluded = {text for frame in held_out.values() for row in frame.rows() for text in row}
    pairs = {}
    for name in data.SOURCES:
        if (folder / f"{name}.tsv").is_file():
            rows = data.pairs(folder / f"{name}.tsv").rows()
            pairs[name] = [(e, a) for e, a in rows if e not in excluded and a not in excluded]
    return pairs


def training_set(pairs: dict[str, list[Pair]], store: Store, seed: int) -> pl.DataFrame:
    """Sample pairs of the sources, good and damaged.

    Returns:
        Columns english, arabic, kind (empty for good pairs) and fold (-1).
    """
    rng = random.Random(seed)
    rows = []
    for group, size in SAMPLE_SIZES.items():
        names = [n for n in pairs if data.SOURCES[n][0] == group and n not in EXCLUDED_SOURCES]
        weights = [data.SOURCES[name][1] * len(pairs[name]) for name in names]
        for name in rng.choices(names, weights, k=size):
            at = rng.randrange(1, len(pairs[name]) - 1)
            kinds = rng.sample(KINDS, _KINDS_PER_PAIR)
            kinds += [kind for kind in _RARE_KINDS if kind not in kinds]
            rows += _good_and_damaged(pairs[name], at, store, rng, kinds, fold=-1)
    return _frame(rows)


def evaluation_set(
    pairs: list[Pair], store: Store, seed: int, *, varied: bool = False, times: int = 1
) -> pl.DataFrame:
    """Damage held-out pairs in every way.

    Args:
        pairs: pairs of one source, in order.
        store: material for damage.
        seed: of the random generator.
        varied: whether to vary the good pairs too.
        times: how often to use each pair.

    Returns:
        Columns english, arabic, kind (empty for good pairs) and fold.
    """
    rng = random.Random(seed)
    rows = []
    for _ in range(times):
        for at in range(len(pairs)):
            fold = at // _BLOCK % FOLDS
            rows += _good_and_damaged(pairs, at, store, rng, KINDS, fold=fold, varied=varied)
    return _frame(rows)


def balance(frame: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Sample equally many pairs of each kind of damage, and as many good pairs as damaged ones."""
    sizes = dict(frame["kind"].value_counts().iter_rows())
    size = min(n for kind, n in sizes.items() if kind)
    damaged = [frame.filter(pl.col("kind") == kind).sample(size, seed=seed) for kind in KINDS]
    good = frame.filter(pl.col("kind") == "")
    return pl.concat([good.sample(min(len(good), size * len(KINDS)), seed=seed), *damaged])


def _good_and_damaged(
    pairs: list[Pair],
    at: int,
    store: Store,
    rng: random.Random,
    kinds: Iterable[str],
    *,
    fold: int,
    varied: bool = True,
) -> list[tuple[str, str, str, int]]:
    near = at + rng.choice((-1, 1))
    beside = pairs[near] if 0 <= near < len(pairs) else pairs[at - 1 if at else at + 1]
    pair = pairs[at]
    rows = [(*(vary(pair, beside, rng) if varied else pair), "", fold)]
    for kind in kinds:
        start = vary(pair, pairs[at - 2], rng) if varied else pair
        damaged = damage(kind, start, beside, store, rng)
        if damaged:
            rows.append((*damaged, kind, fold))
    return rows


def _frame(rows: list[tuple[str, str, str, int]]) -> pl.DataFrame:
    schema = {"english": pl.String, "arabic": pl.String, "kind": pl.String, "fold": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row")

"""Pairs to learn quality from: sources, what is held out, and damage in equal parts."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from lang_models.encoder import data
from lang_models.quality.damage import KINDS, Pair, Store, spoilt, varied

# pairs taken of each group of sources
TAKEN = {"chat": 4000, "prose": 11000, "bible": 2500, "ui": 2000, "terms": 300}
# ... but of these: machine-translated, or loosely paired, so that "good" would often be wrong
LEFT_OUT = {
    "ms_beginners_llm", "zechub", "raspberrypi_projects", "uw_translation_manual", "erpnext",
}  # fmt: skip
FOLDS = 5
_BLOCK = 25  # neighbouring pairs that stay in one fold
_OF_EACH = 2  # kinds of damage done to a pair of the training text
_SELDOM = ("number", "name")
PROSE = tuple(data.HELD_OUT)


def sources(folder: Path, held: dict[str, pl.DataFrame]) -> dict[str, list[Pair]]:
    """The pairs of each open source in their order, without those that are held out."""
    barred = {text for frame in held.values() for row in frame.rows() for text in row}
    found = {}
    for name in data.SOURCES:
        if (folder / f"{name}.tsv").is_file():
            rows = data.pairs(folder / f"{name}.tsv").rows()
            found[name] = [(e, a) for e, a in rows if e not in barred and a not in barred]
    return found


def training(pairs: dict[str, list[Pair]], store: Store, seed: int) -> pl.DataFrame:
    """Pairs of the sources, good and spoilt: columns english, arabic, kind, fold (-1)."""
    rng = random.Random(seed)
    rows = []
    for group, n in TAKEN.items():
        names = [n for n in pairs if data.SOURCES[n][0] == group and n not in LEFT_OUT]
        weights = [data.SOURCES[name][1] * len(pairs[name]) for name in names]
        for name in rng.choices(names, weights, k=n):
            at = rng.randrange(1, len(pairs[name]) - 1)
            kinds = rng.sample(KINDS, _OF_EACH)
            # few pairs have a number or a name to spoil
            kinds += [kind for kind in _SELDOM if kind not in kinds]
            rows += _made(pairs[name], at, store, rng, kinds, fold=-1)
    return _frame(rows)


def judged(
    pairs: list[Pair], store: Store, seed: int, *, dressed: bool = False, times: int = 1
) -> pl.DataFrame:
    """Held-out pairs, good and with damage of every kind: english, arabic, kind, fold."""
    rng = random.Random(seed)
    rows = []
    for _ in range(times):
        for at in range(len(pairs)):
            fold = at // _BLOCK % FOLDS
            rows += _made(pairs, at, store, rng, KINDS, fold=fold, dressed=dressed)
    return _frame(rows)


def balanced(frame: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """As many spoilt pairs of each kind, and as many good pairs as spoilt ones, if there are."""
    sizes = dict(frame["kind"].value_counts().iter_rows())
    each = min(n for kind, n in sizes.items() if kind)
    parts = [frame.filter(pl.col("kind") == k).sample(each, seed=seed) for k in KINDS]
    good = frame.filter(pl.col("kind") == "")
    return pl.concat([good.sample(min(len(good), each * len(KINDS)), seed=seed), *parts])


def _made(
    pairs: list[Pair],
    at: int,
    store: Store,
    rng: random.Random,
    kinds: Iterable[str],
    *,
    fold: int,
    dressed: bool = True,
) -> list[tuple[str, str, str, int]]:
    near = at + rng.choice((-1, 1))
    beside = pairs[near] if 0 <= near < len(pairs) else pairs[at - 1 if at else at + 1]
    pair = pairs[at]
    rows = [(*(varied(pair, beside, rng) if dressed else pair), "", fold)]
    for kind in kinds:
        begin = varied(pair, pairs[at - 2], rng) if dressed else pair
        made = spoilt(kind, begin, beside, store, rng)
        if made:
            rows.append((*made, kind, fold))
    return rows


def _frame(rows: list[tuple[str, str, str, int]]) -> pl.DataFrame:
    schema = {"english": pl.String, "arabic": pl.String, "kind": pl.String, "fold": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row")

"""Pairs to train, dev and test, so that nothing in one gives away what stands in another.

Pairs go together that share a page, an article in several places, or a text; and those with a side
that is nearly the same as a side of the other, or stands almost whole in it and is not short. What
hangs together stays so, all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, Batches
from ingest.config import Config, SplitConfig, config_of
from ingest.errors import ConfigError
from ingest.filtering.contamination import Lines
from ingest.frames import CLUSTERED, PAIRS, SEGMENTS, check, schema
from ingest.io.pairs_file import BATCH
from ingest.minhash import components
from ingest.splitting.groups import TEXTS, clusters_of, look, of_kept, together

TRAIN, DEV, TEST = "train", "dev", "test"
_CODES = {TRAIN: 1, DEV: 2, TEST: 3}


class Drawn(NamedTuple):
    """Each pair's split, null where it has none, and the sizes that were wanted and are."""

    split: pl.Series
    kept: int
    wanted: dict[str, int]
    groups: int
    largest: int  # pairs of the largest group


def split(
    pairs: pl.DataFrame,
    *,
    segments: pl.DataFrame | None = None,
    config: SplitConfig | Config | None = None,
) -> pl.DataFrame:
    """Add split: train, dev or test; null where keep is false.

    Groups of pairs that must not be parted are drawn, as many as make up dev and test; a group
    that is larger than what is still wanted is passed over, but for the smallest where else there
    would be none. A pair that a machine translated never goes to dev or test unless the settings
    say so: of a group drawn for these it has no split. The order of rows makes no difference.

    Args:
        pairs: a frame of pairs; without `keep` all are taken. Pairs that have a value in common
            in columns `cluster`, `source_cluster` or `target_cluster`, of strings, go together.
        segments: what the pairs were made of, if it has `cluster`: pages with copies of an article
            go together.
        config: the sizes, and the seed.

    Raises:
        FrameError: a column is missing or of another type, or a pair has no name.
        ConfigError: dev and test would take all pairs.

    >>> from ingest.alignment import align_lines
    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> split(pairs)["split"].to_list()
    ['train', 'train']
    """
    check(pairs, PAIRS, verb="split")
    same = None
    if segments is not None and "cluster" in segments.columns:
        check(segments, (*SEGMENTS[:1], *CLUSTERED), verb="split")
        same = clusters_of(segments.lazy())

    def batches() -> Iterator[pl.DataFrame]:
        return pairs.iter_slices(BATCH)

    return pairs.with_columns(draw(batches, same, config_of(config, SplitConfig)).split)


def draw(batches: Batches, same: pl.DataFrame | None, config: SplitConfig) -> Drawn:
    """The split of each pair.

    Args:
        batches: the pairs, a batch at a time; asked for several times.
        same: pages and their clusters, as `clusters_of` gives them.
        config: the sizes, and the seed.
    """
    rows = pl.concat(
        [look(pl.DataFrame(schema=schema(PAIRS))), *map(look, batches())]
    ).with_row_index("row")
    kept = rows.filter("keep")
    edges = together(kept, batches, same, config)
    wanted = _wanted(len(kept) if config.machine else int((~kept["machine"]).sum()), config)
    seen = np.zeros(len(kept), bool)  # held against all others
    while True:
        group = components(len(kept), edges)
        to = _drawn(kept.with_columns(group=group), wanted, config)
        drawn = (to != _CODES[TRAIN]).to_numpy() & ~seen
        if not drawn.any():
            break
        edges.append(_like(np.flatnonzero(drawn), kept, batches, config.near))
        seen |= drawn
    names = pl.Series([None, *_CODES]).gather(to)
    made = kept.select("row").with_columns(split=names)
    both = rows.select("row").join(made, on="row", how="left", maintain_order="left")
    sizes = np.bincount(group) if len(group) else np.zeros(1, np.int64)
    return Drawn(both["split"], len(kept), wanted, int((sizes > 0).sum()), int(sizes.max()))


def _wanted(pairs: int, config: SplitConfig) -> dict[str, int]:
    """How many pairs dev and test are to have, of so many."""
    wanted = {
        name: round(size * pairs) if size < 1 else int(size)
        for name, size in ((TEST, config.test), (DEV, config.dev))
    }
    if pairs and sum(wanted.values()) >= pairs:
        raise ConfigError(
            f"split.dev and split.test: {wanted[DEV]:,} and {wanted[TEST]:,} of {pairs:,} pairs "
            "leave nothing for train"
        )
    return wanted


def _drawn(kept: pl.DataFrame, wanted: dict[str, int], config: SplitConfig) -> pl.Series:
    """The code of each row's split; 0 for none."""
    own = pl.lit(True) if config.machine else ~pl.col("machine")
    groups = (
        kept.group_by("group")
        .agg(name=pl.col("pair_id").min(), size=own.sum())
        .filter(pl.col("size") > 0)
    )
    drawn = [hashlib.sha256(f"{config.seed} {n}".encode()).digest()[:8] for n in groups["name"]]
    groups = groups.with_columns(draw=pl.Series(drawn, dtype=pl.Binary)).sort("draw", "name")
    to = _taken(groups, wanted)
    number = pl.lit(_CODES[TRAIN])
    for name in (DEV, TEST):
        inside = pl.col("group").is_in(pl.Series(to[name], dtype=pl.Int64).implode())
        number = pl.when(inside & own).then(_CODES[name]).when(inside).then(0).otherwise(number)
    return kept.select(number.cast(pl.UInt32).alias("split"))["split"]


def _taken(groups: pl.DataFrame, wanted: dict[str, int]) -> dict[str, list[int]]:
    """The groups of dev and test, from all in the order in which they are drawn."""
    left = dict(wanted)
    to: dict[str, list[int]] = {name: [] for name in wanted}
    for group, size in groups.select("group", "size").iter_rows():
        name = next((name for name in left if size <= left[name]), None)
        if name:
            left[name] -= size
            to[name].append(group)
        if not any(left.values()):
            break
    # where every group is too large, the smallest is better than none, if most is left to train
    total, spent = int(groups["size"].sum()), sum(wanted.values()) - sum(left.values())
    for name in (name for name in to if wanted[name] and not to[name]):
        taken = pl.Series([g for some in to.values() for g in some], dtype=pl.Int64)
        rest = groups.filter(~pl.col("group").is_in(taken.implode()))
        for group, size in (
            rest.select("group", "size").sort("size", maintain_order=True)[:1].rows()
        ):
            if 2 * (spent + size) <= total:
                to[name].append(group)
                spent += size
    return to


def _like(drawn: I64, kept: pl.DataFrame, batches: Batches, near: float) -> tuple[I64, I64]:
    """Rows that are like some of those drawn for dev and test, with the row that each is like."""
    inside = np.zeros(len(kept), bool)
    inside[drawn] = True
    texts = [b.filter(pl.Series(inside[at : at + len(b)])) for at, b in of_kept(kept, batches)]
    lines = Lines(pl.concat([t[name] for name in TEXTS for t in texts]), near=near)
    found = []
    for at, batch in of_kept(kept, batches):
        for name in TEXTS:
            # rows of the same text go together already
            first = kept[name][at : at + len(batch)].is_first_distinct()
            some, row = batch[name].filter(first), first.arg_true().to_numpy() + at
            like = pl.concat([lines.like(some), lines.around(some)])
            other = drawn[like["line"].to_numpy() % len(drawn)]
            found.append((row[like["text"].to_numpy()], other))
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])

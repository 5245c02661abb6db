"""Assign pairs to train, dev and test so that no split gives away the content of another.

Pairs stay together if they share a page, a copy of an article, or a text; and also if a side of one
is nearly the same as a side of the other, or is not short and occurs almost completely in it. These
relations are transitive: each connected group is in one split.
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
from ingest.filtering.contamination import ReferenceTexts
from ingest.frames import CLUSTERED, PAIRS, SEGMENTS, check, schema
from ingest.io.pairs_file import BATCH_SIZE
from ingest.minhash import components
from ingest.splitting.groups import (
    TEXTS,
    clusters_of,
    kept_texts,
    pair_keys,
    related_rows,
    sharing_rows,
)

TRAIN, DEV, TEST = "train", "dev", "test"
_CODES = {TRAIN: 1, DEV: 2, TEST: 3}


class Assignment(NamedTuple):
    """The split of each pair, and how the sizes came about.

    Attributes:
        split: train, dev, test or null for each pair.
        kept: number of pairs that could be in a split.
        wanted: number of pairs that dev and test should have.
        groups: number of groups.
        largest: number of pairs in the largest group.
        original: number of pairs that stay in dev or test, where they were before.
        repeated: number of pairs in no split because they repeat one of those.
    """

    split: pl.Series
    kept: int
    wanted: dict[str, int]
    groups: int
    largest: int
    original: dict[str, int]
    repeated: int


def split(
    pairs: pl.DataFrame,
    *,
    segments: pl.DataFrame | None = None,
    config: SplitConfig | Config | None = None,
) -> pl.DataFrame:
    """Add split: train, dev or test; null where keep is false.

    Groups of pairs that must stay together are drawn at random until dev and test are full. A
    group that is too large for the remaining space is skipped, except that dev or test gets the
    smallest group if it would be empty otherwise. Machine-translated pairs are never in dev or
    test unless the settings allow it: in a group drawn for these, their split is null. The order
    of rows does not change the result.

    If pairs have a split already, such as those of an imported data set, what was dev or test stays
    there, and nothing is added to it. Pairs that share a page or a text with such a pair, or nearly
    repeat it, are in no split. All others are assigned anew.

    Args:
        pairs: a frame of pairs; without `keep`, all are used. Pairs with a common value in the
            string columns `cluster`, `source_cluster` or `target_cluster` stay together.
        segments: the segments of the pairs. If they have `cluster`, pages with copies of an
            article stay together.
        config: the sizes and the seed.

    Raises:
        FrameError: a column is missing or has the wrong type, or a pair has no pair_id.
        ConfigError: dev and test would take all pairs.

    >>> from ingest.alignment import align_lines
    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> split(pairs)["split"].to_list()
    ['train', 'train']
    """
    check(pairs, PAIRS, verb="split")
    page_clusters = None
    if segments is not None and "cluster" in segments.columns:
        check(segments, (*SEGMENTS[:1], *CLUSTERED), verb="split")
        page_clusters = clusters_of(segments.lazy())

    def batches() -> Iterator[pl.DataFrame]:
        return pairs.iter_slices(BATCH_SIZE)

    assignment = assign_splits(batches, page_clusters, config_of(config, SplitConfig))
    return pairs.with_columns(assignment.split)


def assign_splits(
    batches: Batches, page_clusters: pl.DataFrame | None, config: SplitConfig
) -> Assignment:
    """Assign each pair to a split.

    Args:
        batches: the pairs. They are read several times.
        page_clusters: the clusters of each page, as `clusters_of` returns them.
        config: the sizes and the seed.
    """
    rows = pl.concat(
        [pair_keys(pl.DataFrame(schema=schema(PAIRS))), *map(pair_keys, batches())]
    ).with_row_index("row")
    fixed, is_repeat = _keep_original(rows, batches, page_clusters, config)
    original = {name: fixed.filter(split=name).height for name in (DEV, TEST)}
    kept = rows.filter(pl.col("keep") & ~is_repeat).join(fixed, on="row", how="anti")
    kept = kept.filter(~pl.col("original").is_in([DEV, TEST]).fill_null(value=False)).sort("row")
    group = components(len(kept), related_rows(kept, batches, page_clusters, config))
    in_use = {name for name in (DEV, TEST) if (rows["original"] == name).any()}
    wanted = _wanted_sizes(
        len(kept) if config.machine else int((~kept["machine"]).sum()), config, in_use
    )
    # Similarity by signatures is approximate. So the pairs drawn for dev and test are compared
    # exactly with all others, and the draw is repeated until it contains no new pairs.
    is_compared = np.zeros(len(kept), bool)
    while True:
        codes = _draw(kept.with_columns(group=group), wanted, config)
        is_new = (codes != _CODES[TRAIN]).to_numpy() & ~is_compared
        if not is_new.any():
            break
        edges = _similar_rows(np.flatnonzero(is_new), group, kept, batches, config.near)
        group = components(len(kept), [edges], group)
        is_compared |= is_new
    names = pl.Series([None, *_CODES]).gather(codes)
    splits = pl.concat([kept.select("row").with_columns(split=names), fixed])
    joined = rows.select("row").join(splits, on="row", how="left", maintain_order="left")
    sizes = np.bincount(group) if len(group) else np.zeros(1, np.int64)
    return Assignment(
        split=joined["split"],
        kept=int(rows["keep"].sum()),
        wanted=wanted | {name: original[name] for name in in_use},
        groups=int((sizes > 0).sum()),
        largest=int(sizes.max()),
        original={name: original[name] for name in (DEV, TEST) if name in in_use},
        repeated=int((rows["keep"] & is_repeat).sum()),
    )


def _keep_original(
    rows: pl.DataFrame,
    batches: Batches,
    page_clusters: pl.DataFrame | None,
    config: SplitConfig,
) -> tuple[pl.DataFrame, pl.Series]:
    """Find pairs that stay in dev or test, and pairs that repeat them and must not be in train.

    Pairs of the original test that a filter dropped have no split, but still nothing may repeat
    them. What is in both stays in test.

    Returns:
        The rows that stay, with their split, and whether each row repeats one.
    """
    is_repeat = np.zeros(len(rows), bool)
    names = rows["original"]
    if not names.is_in([DEV, TEST]).any():
        return pl.DataFrame(schema={"row": pl.UInt32, "split": pl.String}), pl.Series(is_repeat)
    used = rows.filter(pl.col("keep") | names.is_in([DEV, TEST]).fill_null(value=False))
    at = used["row"].to_numpy()
    for name in (TEST, DEV):
        chosen = (used["original"] == name).fill_null(value=False).to_numpy()
        if not chosen.any():
            continue
        repeats = sharing_rows(used, chosen, page_clusters, config)
        drawn = np.flatnonzero(chosen)
        group = np.where(chosen, 0, -1)
        similar, _ = _similar_rows(drawn, group, used, batches, config.near, every=True)
        repeats[similar] = True
        is_test = (used["original"] == TEST).fill_null(value=False).to_numpy()
        is_repeat[at[repeats & ~chosen & ~is_test]] = True
    repeat = pl.Series(is_repeat)
    is_allowed = pl.lit(config.machine) | ~pl.col("machine")
    stays = pl.col("keep") & is_allowed & pl.col("original").is_in([DEV, TEST]) & ~repeat
    return rows.filter(stays).select("row", split="original"), repeat


def _wanted_sizes(pairs: int, config: SplitConfig, in_use: set[str]) -> dict[str, int]:
    """Return how many of `pairs` pairs test and dev should have: none if they have some already."""
    wanted = {
        name: 0 if name in in_use else round(size * pairs) if size < 1 else int(size)
        for name, size in ((TEST, config.test), (DEV, config.dev))
    }
    if pairs and sum(wanted.values()) >= pairs:
        raise ConfigError(
            f"split.dev and split.test: {wanted[DEV]:,} and {wanted[TEST]:,} of {pairs:,} pairs "
            "leave nothing for train; make them smaller"
        )
    return wanted


def _draw(kept: pl.DataFrame, wanted: dict[str, int], config: SplitConfig) -> pl.Series:
    """Draw groups for dev and test, and return the code of each row's split; 0 for none."""
    is_allowed = pl.lit(True) if config.machine else ~pl.col("machine")
    groups = (
        kept.group_by("group")
        .agg(name=pl.col("pair_id").min(), size=is_allowed.sum())
        .filter(pl.col("size") > 0)
    )
    draws = [_draw_number(config.seed, n) for n in groups["name"]]
    groups = groups.with_columns(draw=pl.Series(draws, dtype=pl.UInt64)).sort("draw", "name")
    chosen = _choose_groups(groups, wanted)
    code = pl.lit(_CODES[TRAIN])
    for name in (DEV, TEST):
        is_chosen = pl.col("group").is_in(pl.Series(chosen[name], dtype=pl.Int64).implode())
        code = (
            pl.when(is_chosen & is_allowed).then(_CODES[name]).when(is_chosen).then(0)
            .otherwise(code)
        )  # fmt: skip
    return kept.select(code.cast(pl.UInt32).alias("split"))["split"]


def _draw_number(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8])


def _choose_groups(groups: pl.DataFrame, wanted: dict[str, int]) -> dict[str, list[int]]:
    """Choose groups for dev and test, going through them in the order of the draw."""
    left = dict(wanted)
    chosen: dict[str, list[int]] = {name: [] for name in wanted}
    for group, size in groups.select("group", "size").iter_rows():
        name = next((name for name in left if size <= left[name]), None)
        if name:
            left[name] -= size
            chosen[name].append(group)
        if not any(left.values()):
            break
    # If every group is too large, the smallest is better than none, provided that train keeps half.
    total, used = int(groups["size"].sum()), sum(wanted.values()) - sum(left.values())
    for name in (name for name in chosen if wanted[name] and not chosen[name]):
        taken = pl.Series([g for of_split in chosen.values() for g in of_split], dtype=pl.Int64)
        rest = groups.filter(~pl.col("group").is_in(taken.implode()))
        smallest = rest.select("group", "size").sort("size", maintain_order=True)[:1]
        for group, size in smallest.rows():
            if 2 * (used + size) <= total:
                chosen[name].append(group)
                used += size
    return chosen


def _similar_rows(
    drawn: I64,
    group: I64,
    kept: pl.DataFrame,
    batches: Batches,
    min_similarity: float,
    *,
    every: bool = False,
) -> tuple[I64, I64]:
    """Find rows that are similar to one drawn for dev or test, but in another group.

    Args:
        drawn: the drawn rows.
        group: the group of each row; for edges between rows, the number of a row in it.
        kept: keys of the pairs to split.
        batches: all pairs.
        min_similarity: what counts as similar.
        every: compare every row, not only one of those with the same text.

    Returns:
        The similar rows, and for each the group of the drawn row.
    """
    is_drawn = np.zeros(len(kept), bool)
    is_drawn[drawn] = True
    drawn_texts = [
        batch.filter(pl.Series(is_drawn[start : start + len(batch)]))
        for start, batch in kept_texts(kept, batches)
    ]
    references = ReferenceTexts(
        pl.concat([batch[name] for name in TEXTS for batch in drawn_texts]),
        min_similarity=min_similarity,
        groups=np.tile(group[drawn], len(TEXTS)),
    )
    edges = []
    for start, batch in kept_texts(kept, batches):
        for name in TEXTS:
            # rows with the same text are in one group already
            is_first = kept[name][start : start + len(batch)].is_first_distinct() | every
            row = is_first.arg_true().to_numpy() + start
            matches = references.find_matches(batch[name].filter(is_first), group[row])
            edges.append((row[matches["text"].to_numpy()], matches["group"].to_numpy()))
    return np.concatenate([a for a, _ in edges]), np.concatenate([b for _, b in edges])

"""Assign pairs to train, dev and test so that no split gives away the content of another.

Pairs stay together if they share a page, a copy of an article, or a text; and also if a side of one
is nearly the same as a side of the other, or is not short and occurs almost completely in it. These
relations are transitive: each connected group is in one split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import U8, U64, Bools
from ingest.config import Config, SplitConfig, config_of
from ingest.errors import ConfigError
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.frames import CLUSTERED, PAIRS, SEGMENTS, check
from ingest.io.pairs_file import BATCH_SIZE
from ingest.splitting.drawing import Groups, draw
from ingest.splitting.exact import matching_rows, merge_matches
from ingest.splitting.groups import PageClusters, hash_clusters, merge_sharing, sharing_rows
from ingest.splitting.keys import (
    CODES,
    DEV,
    KEEP,
    MACHINE,
    TEST,
    TRAIN,
    WAS_DEV,
    WAS_TEST,
    FramePairs,
    PairBatches,
    PairKeys,
)
from ingest.splitting.similar import merge_similar

# Signatures of 63 numbers estimate similarity to ± 0.06, so pairs slightly below the threshold are
# joined too. What this still misses is found when dev and test are compared with the rest.
_TOLERANCE = 0.1


class Assignment(NamedTuple):
    """The split of each pair, and how the sizes came about.

    Attributes:
        codes: uint8 [pairs], the split of each pair, as `split_names` takes it.
        kept: number of pairs that could be in a split.
        wanted: number of pairs that dev and test should have.
        groups: number of groups.
        largest: number of pairs in the largest group.
        original: number of pairs that stay in dev or test, where they were before.
        repeated: number of pairs in no split because they repeat one of those.
    """

    codes: U8
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
    page_clusters: PageClusters | None = None
    if segments is not None and "cluster" in segments.columns:
        check(segments, (*SEGMENTS[:1], *CLUSTERED), verb="split")
        of_segments = segments.select("doc_id", "cluster")

        def page_clusters() -> Iterator[tuple[U64, U64]]:
            return map(hash_clusters, of_segments.iter_slices(BATCH_SIZE))

    assignment = assign_splits(FramePairs(pairs), page_clusters, config_of(config, SplitConfig))
    return pairs.with_columns(split_names(assignment.codes))


def split_names(codes: U8) -> pl.Series:
    """Return the names of splits for their codes: train, dev, test or null.

    >>> split_names(np.array([1, 0], np.uint8)).to_list()
    ['train', None]
    """
    return pl.Series([None, *CODES]).gather(codes).alias("split")


def assign_splits(
    pairs: PairBatches, page_clusters: PageClusters | None, config: SplitConfig
) -> Assignment:
    """Assign each pair to a split.

    About 20 bytes per pair are in memory. Hashes and signatures, about 500 bytes per pair, are
    in temporary files.

    Args:
        pairs: the pairs. They are read several times.
        page_clusters: the clusters of each page.
        config: the sizes and the seed.
    """
    with PairKeys(pairs) as keys:
        stays, is_repeat = _keep_original(keys, pairs, page_clusters, config)
        used = keys.have(KEEP) & ~is_repeat & ~keys.have(WAS_DEV | WAS_TEST)
        allowed = np.ones(pairs.count, bool) if config.machine else ~keys.have(MACHINE)
        originals = {TEST: keys.have(WAS_TEST), DEV: keys.have(WAS_DEV)}
        in_use = [name for name in (DEV, TEST) if originals[name].any()]
        wanted = _wanted_sizes(int((used & allowed).sum()), config, in_use)
        sets = DisjointSets(pairs.count)
        merge_sharing(sets, keys, used, page_clusters, config)
        merge_similar(sets, keys, pairs, max(config.near - _TOLERANCE, 0.01))
        # Similarity by signatures is approximate. So the pairs drawn for dev and test are compared
        # exactly with all others, and the draw is repeated until it contains no new pairs.
        is_compared = np.zeros(pairs.count, bool)
        while True:
            codes = draw(Groups(sets, used, allowed), pairs, wanted, config.seed)
            is_new = used & (codes != CODES[TRAIN]) & ~is_compared
            if not is_new.any():
                break
            merge_matches(sets, keys, pairs, is_new, config.near)
            is_compared |= is_new
        original = {}
        for name in in_use:
            stayed = stays & originals[name]
            codes[stayed] = CODES[name]
            original[name] = int(stayed.sum())
        sizes = Groups(sets, used, used).size
        return Assignment(
            codes=codes,
            kept=int(keys.have(KEEP).sum()),
            wanted=wanted | original,
            groups=int((sizes > 0).sum()),
            largest=int(sizes.max(initial=0)),
            original=original,
            repeated=int((keys.have(KEEP) & is_repeat).sum()),
        )


def _keep_original(
    keys: PairKeys,
    pairs: PairBatches,
    page_clusters: PageClusters | None,
    config: SplitConfig,
) -> tuple[Bools, Bools]:
    """Find pairs that stay in dev or test, and pairs that repeat them and must not be in train.

    Pairs of the original test that a filter dropped have no split, but still nothing may repeat
    them. What is in both stays in test.

    Returns:
        Which pairs stay, and which repeat one of the others.
    """
    is_repeat = np.zeros(pairs.count, bool)
    used = keys.have(KEEP | WAS_DEV | WAS_TEST)
    is_test = keys.have(WAS_TEST)
    for chosen in (is_test, keys.have(WAS_DEV)):
        if chosen.any():
            repeats = sharing_rows(keys, chosen, page_clusters, config)
            repeats |= matching_rows(pairs, chosen, used, config.near)
            is_repeat |= used & repeats & ~chosen & ~is_test
    stays = keys.have(KEEP) & keys.have(WAS_DEV | WAS_TEST) & ~is_repeat
    if not config.machine:
        stays &= ~keys.have(MACHINE)
    return stays, is_repeat


def _wanted_sizes(pairs: int, config: SplitConfig, in_use: Collection[str]) -> dict[str, int]:
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

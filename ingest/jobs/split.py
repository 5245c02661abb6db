"""`ingest split`: assign the pairs of a file to train, dev and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from ingest._typing import U64, Progress
from ingest.config import Config, SplitConfig
from ingest.frames import SPLIT, schema
from ingest.io.pairs_file import BATCH_SIZE, PairsFile
from ingest.io.parquet import scan_parquet
from ingest.io.snapshot import Snapshot
from ingest.jobs.damage import names_damage
from ingest.splitting import Assignment, assign_splits, split_names
from ingest.splitting.groups import PageClusters, hash_clusters
from ingest.splitting.keys import CODES, DEV, TEST
from ingest.text import count_noun

_REPORT_SUFFIX = ".split.json"
# Over the pairs, usually: for keys, for signatures, to draw, two for texts that match those drawn,
# to draw again, and to write. Each further draw takes three more.
_PASSES = 7
_SEGMENTS = 1 << 18  # segments whose pages and clusters are read at once
_SEPARATE = "to separate pairs of one page: --set 'split.by=\"text\"'"


@dataclass
class SplitResult:
    """Number of pairs in each split.

    Attributes:
        pairs: all pairs.
        kept: pairs that the filters kept, or all if there was no filter.
        sizes: pairs by split.
        wanted: pairs that dev and test should have.
        groups: number of groups of pairs that must stay in one split.
        largest: pairs in the largest group.
        shares: dev and test where the configured share rounds to no pairs.
        filtered: whether a filter has marked the pairs to keep.
        original: pairs that stay in dev or test, where the data set had them.
        repeated: pairs in no split because they repeat one of those.
        by_page: whether the pairs of a page stay together.
    """

    pairs: int
    kept: int
    sizes: dict[str, int]
    wanted: dict[str, int]
    groups: int
    largest: int
    shares: dict[str, float] = field(default_factory=dict)
    filtered: bool = True
    original: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    by_page: bool = True

    in_error = 0  # the file is read completely or not at all

    def __str__(self) -> str:
        """Summarize the sizes.

        >>> sizes, wanted = {"train": 8, "dev": 0, "test": 3}, {"dev": 1, "test": 1}
        >>> print(SplitResult(13, 12, sizes, wanted, 2, 8))
        8 train, 0 dev, 3 test of 12 kept pairs, in 2 groups
        """
        sizes = ", ".join(f"{count:,} {name}" for name, count in self.sizes.items())
        return f"{sizes} of {self.kept:,} kept pairs, in {self.groups:,} groups"

    @property
    def messages(self) -> list[str]:
        """Why sizes differ from what was configured.

        >>> sizes, wanted = {"train": 8, "dev": 0, "test": 3}, {"dev": 1, "test": 1}
        >>> for message in SplitResult(13, 12, sizes, wanted, 2, 8).messages:
        ...     print(message.partition(";")[0])
        1 in no split: machine-translated, and their pages are in dev or test
        dev has 0 pairs instead of 1: groups stay together, and the largest has 8 pairs
        test has 3 pairs instead of 1: groups stay together, and no smaller group is left
        """
        messages = []
        if not self.filtered:
            messages.append(
                "the pairs are not filtered, so all of them were used; to leave out bad ones and "
                "duplicates, run ingest filter first"
            )
        if self.original:
            sizes = " and ".join(f"{count:,} {name}" for name, count in self.original.items())
            messages.append(
                f"{sizes} pairs stay in the split that they came with, and none was added; drop "
                "the column split to draw all anew"
            )
        if self.repeated:
            messages.append(
                f"{self.repeated:,} in no split: they share a text or page with a pair of that dev "
                "or test, or nearly repeat one"
            )
        if unassigned := self.kept - sum(self.sizes.values()) - self.repeated:
            messages.append(
                f"{unassigned:,} in no split: machine-translated, and their pages are in dev or "
                "test"
            )
        for name, share in self.shares.items():
            messages.append(
                f"{name} is empty: {share:g} of the pairs rounds to 0; set a number of pairs, "
                f"such as {name} = 1, in [split] of --config"
            )
        hint = f"; {_SEPARATE}" if self.by_page else ""
        for name, wanted in self.wanted.items():
            pairs = count_noun(self.sizes[name], "pair")
            size = f"{name} has {pairs} instead of {wanted:,}: groups stay together"
            if self.sizes[name] < wanted:
                messages.append(f"{size}, and the largest has {self.largest:,} pairs{hint}")
            if self.sizes[name] > wanted:
                messages.append(f"{size}, and no smaller group is left{hint}")
        return messages


@names_damage("source")
def split_file(
    source: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    config: Config | None = None,
    progress: Progress | None = None,
) -> SplitResult:
    """Split a file of pairs, and write a report to run.json or next to `out`.

    If the pairs are in the folder of a run, articles that are copies of each other stay together.

    Args:
        source: a Parquet file of pairs, or a folder that contains pairs.parquet.
        out: Parquet file to write.
        overwrite: whether to replace `out` and its report.
        config: the settings.
        progress: called with the number of pairs read, in several passes, and the total.

    Raises:
        SourceError: there is no such file, or it cannot be read.
        FrameError: a column is missing, or a pair has no pair_id.
        ConfigError: dev and test would take all pairs.
        OutputError: `out` or its report exists already, or is an input.
        WriteError: `out` cannot be written, or its parent folder does not exist.
    """
    config = config or Config()
    pairs = PairsFile(source, verb="split", progress=progress, passes=_PASSES)
    pairs.check_outputs(out, _REPORT_SUFFIX, overwrite=overwrite)
    assignment = assign_splits(pairs, _read_clusters(pairs), config.split)

    def batches() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(pairs.batches()):
            start = number * BATCH_SIZE
            yield batch.with_columns(split_names(assignment.codes[start : start + BATCH_SIZE]))

    result = _result(pairs, assignment, config.split)
    report = {
        "source": str(pairs.path),
        "out": str(out),
        "settings": asdict(config.split),
        **asdict(result),
    }
    with pairs.write(out, batches(), new_columns=schema(SPLIT)):
        pairs.write_report(out, "split", report, _REPORT_SUFFIX)
    return result


def _read_clusters(pairs: PairsFile) -> PageClusters | None:
    """Read the clusters of pages from segments.parquet in the same folder, if it has any."""
    path = pairs.path.parent / "segments.parquet"
    if not path.is_file():
        return None
    read = Snapshot(path).read
    segments = scan_parquet(path)
    if "cluster" not in read(segments.collect_schema):
        return None
    count = int(read(segments.select(pl.len()).collect).item())

    def page_clusters() -> Iterator[tuple[U64, U64]]:
        columns = segments.select("doc_id", "cluster")
        for start in range(0, count, _SEGMENTS):
            yield hash_clusters(read(columns.slice(start, _SEGMENTS).collect))

    return page_clusters


def _result(pairs: PairsFile, assignment: Assignment, config: SplitConfig) -> SplitResult:
    counts = np.bincount(assignment.codes, minlength=len(CODES) + 1)
    shares = {DEV: config.dev, TEST: config.test} if assignment.kept else {}
    return SplitResult(
        pairs=pairs.count,
        kept=assignment.kept,
        sizes={name: int(counts[code]) for name, code in CODES.items()},
        wanted=assignment.wanted,
        groups=assignment.groups,
        largest=assignment.largest,
        filtered="keep" in pairs.columns,
        shares={
            name: share
            for name, share in shares.items()
            if share and not assignment.wanted[name] and name not in assignment.original
        },
        original=assignment.original,
        repeated=assignment.repeated,
        by_page=config.by == "page",
    )

"""A file of pairs to another with splits: what `ingest split` does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from ingest.config import Config, SplitConfig
from ingest.errors import SourceError
from ingest.frames import SPLIT, schema
from ingest.io.pairs_file import BATCH, PairsFile
from ingest.splitting import DEV, TEST, TRAIN, Drawn, draw
from ingest.splitting.groups import clusters_of

_BESIDE = ".split.json"  # ending of the report


@dataclass
class Report:
    """How many pairs each split has.

    `kept`: of all pairs; `wanted`: of dev and test; `groups`: of pairs that must not be parted;
    `largest`: pairs of the largest group; `shares`: of dev and test, where they come to no pair.
    """

    pairs: int
    kept: int
    sizes: dict[str, int]
    wanted: dict[str, int]
    groups: int
    largest: int
    shares: dict[str, float] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The same for a person.

        >>> sizes, wanted = {"train": 8, "dev": 0, "test": 3}, {"dev": 1, "test": 1}
        >>> for line in Report(13, 12, sizes, wanted, 2, 8).lines():
        ...     print(line)
        8 train, 0 dev, 3 test of 12 kept pairs, in 2 groups
        1 in none: a machine translated them, and their pages are in dev or test
        dev has 0 of 1 pairs: groups must not be parted, and the largest has 8 pairs; with by = \
"text" in [split] of --config, pairs of one page may be
        test has 3 of 1 pairs: groups must not be parted, and none that is left is smaller
        """
        sizes = ", ".join(f"{number:,} {name}" for name, number in self.sizes.items())
        said = [f"{sizes} of {self.kept:,} kept pairs, in {self.groups:,} groups"]
        if none := self.kept - sum(self.sizes.values()):
            said.append(
                f"{none:,} in none: a machine translated them, and their pages are in dev or test"
            )
        for name, share in self.shares.items():
            said.append(
                f"{name} has none: {share:g} of so few pairs comes to none; set a number of pairs, "
                f"such as {name} = 1, in [split] of --config"
            )
        for name, wanted in self.wanted.items():
            has = f"{name} has {self.sizes[name]:,} of {wanted:,} pairs"
            if self.sizes[name] < wanted:
                said.append(
                    f"{has}: groups must not be parted, and the largest has {self.largest:,} "
                    'pairs; with by = "text" in [split] of --config, pairs of one page may be'
                )
            if self.sizes[name] > wanted:
                said.append(f"{has}: groups must not be parted, and none that is left is smaller")
        return said


def split_file(
    source: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    config: Config | None = None,
) -> Report:
    """Split a file of pairs, and say in run.json, or beside `out`, how.

    Where the pairs stand in the folder of a run, its articles that are copies go together.

    Args:
        source: a Parquet file of pairs, or a folder that holds pairs.parquet.
        out: Parquet file to write.
        overwrite: replace `out`, and the report beside it.
        config: the settings.

    Raises:
        SourceError: there is no such file, or it cannot be read.
        FrameError: a column is missing, or a pair has no name.
        ConfigError: dev and test would take all pairs.
        OutputError: `out` or the report beside it exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or Config()
    pairs = PairsFile(source, verb="split")
    pairs.refuse(out, _BESIDE, overwrite=overwrite)
    drawn = draw(pairs.batches, _clusters(pairs), config.split)

    def batches() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(pairs.batches()):
            yield batch.with_columns(split=drawn.split[number * BATCH : (number + 1) * BATCH])

    pairs.rewrite(out, batches(), new=schema(SPLIT))
    report = _report(pairs, drawn, config.split)
    said = {
        "source": str(pairs.path),
        "out": str(out),
        "settings": asdict(config.split),
        **asdict(report),
    }
    pairs.tell(out, "split", said, _BESIDE)
    return report


def _clusters(pairs: PairsFile) -> pl.DataFrame | None:
    """The clusters of the run that the pairs are of."""
    path = pairs.path.parent / "segments.parquet"
    if not path.is_file():
        return None
    try:
        segments = pl.scan_parquet(path)
        if "cluster" not in segments.collect_schema():
            return None
        return clusters_of(segments)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}") from error


def _report(pairs: PairsFile, drawn: Drawn, config: SplitConfig) -> Report:
    sizes = dict(drawn.split.drop_nulls().value_counts().iter_rows())
    shares = {DEV: config.dev, TEST: config.test} if drawn.kept else {}
    return Report(
        pairs.pairs,
        drawn.kept,
        {name: sizes.get(name, 0) for name in (TRAIN, DEV, TEST)},
        drawn.wanted,
        drawn.groups,
        drawn.largest,
        {name: share for name, share in shares.items() if share and not drawn.wanted[name]},
    )

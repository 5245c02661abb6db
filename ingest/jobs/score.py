"""A file of pairs to one with their scores: what `ingest score` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ingest.config import Config
from ingest.frames import SCORED, schema
from ingest.io.atomic import check_output
from ingest.io.pairs_file import PairsFile
from ingest.scoring import score

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = 0.5


@dataclass
class Report:
    """What was scored.

    `pairs`: all; `good`: those with a quality of a half or more; `other`: those in languages for
    which there is no quality.

    >>> Report(pairs=3, good=1, other=1).lines()
    ['3 pairs scored, 1 with a quality of 0.5 or more', '1 in other languages than ar and en: \
no quality']
    """

    pairs: int = 0
    good: int = 0
    other: int = 0

    def lines(self) -> list[str]:
        """It, for a person."""
        said = [f"{self.pairs:,} pairs scored, {self.good:,} with a quality of {_GOOD} or more"]
        if self.other:
            said.append(f"{self.other:,} in other languages than ar and en: no quality")
        return said


def score_file(
    pairs: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    config: Config | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Score the pairs of a Parquet file, a batch at a time: memory does not grow with the file.

    Args:
        pairs: the file, or a folder that holds pairs.parquet.
        out: Parquet file to write.
        overwrite: replace `out`.
        config: the settings; those of detection count.
        progress: called with the pairs that are scored, and all.

    Raises:
        SourceError: there is no such file, or it is no Parquet file.
        FrameError: it lacks a column of pairs.
        OutputError: `out` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    held = PairsFile(pairs, verb="score")
    check_output(out, overwrite=overwrite, inputs=[held.path], parquet=True)
    detect = (config or Config()).detect
    report = Report()

    def scored() -> Iterator[pl.DataFrame]:
        for batch in held.batches():
            made = score(batch, config=detect)
            report.pairs += len(made)
            report.good += int((made["quality"] >= _GOOD).sum())
            report.other += made["quality"].null_count()
            if progress:
                progress(report.pairs, held.pairs)
            yield made

    held.rewrite(out, scored(), new=schema(SCORED))
    return report

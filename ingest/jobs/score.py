"""`ingest score`: add scores to a file of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from ingest._typing import Progress
from ingest.config import Config
from ingest.frames import SCORED, schema
from ingest.io.atomic import check_output
from ingest.io.pairs_file import PairsFile
from ingest.jobs.damage import names_damage
from ingest.pipeline.executors import Executor
from ingest.pipeline.row_groups import describe_one_task, map_pairs
from ingest.pipeline.row_part import RowCall, RowFunction
from ingest.scoring import score_columns

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = 0.5  # quality from which the summary counts a pair as good


@dataclass
class ScoreResult:
    r"""Number of pairs that were scored.

    Attributes:
        pairs: all pairs.
        good: pairs with a quality of 0.5 or more.
        other_languages: pairs in languages that have no quality model.
        notes: what else the user should know.

    >>> result = ScoreResult(pairs=3, good=1, other_languages=1)
    >>> print(result, *result.messages, sep="\n")
    3 pairs scored, 1 with a quality of 0.5 or more
    1 in languages other than ar and en, which have no quality
    """

    pairs: int = 0
    good: int = 0
    other_languages: int = 0
    notes: list[str] = field(default_factory=list)

    in_error = 0  # the file is read completely or not at all

    def __str__(self) -> str:
        return f"{self.pairs:,} pairs scored, {self.good:,} with a quality of {_GOOD} or more"

    @property
    def messages(self) -> list[str]:
        """What the user should know besides the summary."""
        if not self.other_languages:
            return self.notes
        return [
            f"{self.other_languages:,} in languages other than ar and en, which have no quality",
            *self.notes,
        ]


@names_damage("pairs")
def score_file(
    pairs: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    config: Config | None = None,
    executor: Executor = Executor(),  # noqa: B008
    progress: Progress | None = None,
) -> ScoreResult:
    """Score the pairs of a Parquet file in batches. Memory does not grow with the file.

    Args:
        pairs: the file, or a folder that contains pairs.parquet.
        out: Parquet file to write.
        overwrite: whether to replace `out`.
        config: the settings; only those of detection are used.
        executor: where pairs are scored. The bytes of `out` are the same everywhere.
        progress: called with the number of pairs scored and the total.

    Raises:
        SourceError: there is no such file, or it is not Parquet.
        FrameError: a column of pairs is missing.
        OutputError: `out` exists already, is an input, or is being written by another process.
        WriteError: `out` cannot be written, its parent folder does not exist, or a worker was lost.
        ConfigError: the Ray cluster cannot be reached, or a node of it differs.
        MissingExtraError: the extra `ray` is needed and not installed.
    """
    executor.check()
    source = PairsFile(pairs, verb="score", progress=progress)
    check_output(out, overwrite=overwrite, inputs=[source.path], parquet=True)
    result = ScoreResult()

    def batches(scored: Iterator[tuple[pl.DataFrame, pl.DataFrame]]) -> Iterator[pl.DataFrame]:
        for batch, scores in scored:
            result.pairs += len(scores)
            result.good += int((scores["quality"] >= _GOOD).sum())
            result.other_languages += scores["quality"].null_count()
            yield batch.with_columns(scores)

    call = RowCall(prepare_scores, config or Config())
    with (
        map_pairs(source, call, executor, out=out) as scored,
        source.write(out, batches(scored), new_columns=schema(SCORED)),
    ):
        pass
    result.notes += describe_one_task(executor, source.count, "pair")
    return result


def prepare_scores(config: Config) -> RowFunction:
    """Return what scores pairs, for `map_pairs`."""
    return partial(score_columns, config=config)

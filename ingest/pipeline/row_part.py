"""What a worker does for `ingest.pipeline.row_groups`: call a function on some rows of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from ingest.config import Config
from ingest.io.atomic import atomic_write
from ingest.io.opening import Stamp
from ingest.io.pairs_file import check_text_sizes
from ingest.io.parquet import scan_parquet
from ingest.io.snapshot import Snapshot
from ingest.pipeline.plan import check_unchanged, stamps_of

_HINT = "; start again"
_JOB = "job.json"  # the columns to read, and the keywords that are not frames

RowFunction: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]
"""Called with the rows of a task. What it returns must not depend on how the rows are cut."""


class RowCall(NamedTuple):
    """A function to call on rows, as what makes it: workers import that by its name.

    Attributes:
        prepare: a function of a module. Each process calls it once, with `config` and the keywords;
            it returns the `RowFunction`.
        config: the settings.
        keywords: what else `prepare` gets: frames, and values that JSON can hold. Workers read
            them from files, in which there is nothing that could run.
    """

    prepare: Callable[..., RowFunction]
    config: Config
    keywords: Mapping[str, Any] = MappingProxyType({})

    @property
    def name(self) -> str:
        """The function as MODULE:FUNCTION."""
        return f"{self.prepare.__module__}:{self.prepare.__qualname__}"

    def prepare_function(self) -> RowFunction:
        """Make the function for this process."""
        return self.prepare(config=self.config, **self.keywords)


def part_path(folder: Path, number: int) -> Path:
    """Return the file of a part.

    >>> part_path(Path("parts"), 3).name
    '3.arrow'
    """
    return folder / f"{number}.arrow"


def write_job(folder: Path, call: RowCall, columns: Sequence[str]) -> None:
    """Write what all tasks have in common, for `write_part`."""
    values = {}
    frames = []
    for name, value in call.keywords.items():
        if isinstance(value, pl.DataFrame):
            frames.append(name)
            value.write_ipc(_frame_path(folder, name))
        else:
            values[name] = value
    job = {"columns": list(columns), "values": values, "frames": frames}
    (folder / _JOB).write_text(json.dumps(job), encoding="utf-8")


def _frame_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.keyword.arrow"


class _Job(NamedTuple):
    columns: list[str]
    function: RowFunction


@lru_cache(maxsize=1)  # a process works for one run at a time, and each run has a folder of its own
def _read_job(folder: Path, function: str, config: Config) -> _Job:
    job = json.loads((folder / _JOB).read_bytes())
    frames = {name: pl.read_ipc(_frame_path(folder, name).read_bytes()) for name in job["frames"]}
    module, _, name = function.partition(":")
    prepare = getattr(import_module(module), name)
    return _Job(job["columns"], prepare(config=config, **job["values"], **frames))


def write_part(
    part: Path,
    function: str,
    source: str,
    rows: tuple[int, int],
    *,
    stamps: dict[str, Stamp],
    config: Config,
    before_write: Callable[[], None],
) -> None:
    """Call a function on some rows of a Parquet file, and write what it returns.

    Args:
        part: the file to write, in a folder for which `write_job` was called.
        function: what prepares the function, as MODULE:FUNCTION.
        source: the Parquet file.
        rows: the first row, and the number of rows.
        stamps: the stamp of the file at the start.
        config: the settings, which the function gets.
        before_write: called before the part is written.

    Raises:
        SourceError: the file is damaged, has changed, or has a text that is too large.
        WriteError: the part cannot be written.
    """
    snapshot = Snapshot(Path(source))
    check_unchanged(stamps, stamps_of(stamps), hint=_HINT)
    job = _read_job(part.parent, function, config)
    scan = scan_parquet(source).slice(*rows)
    frame: pl.DataFrame = snapshot.read((scan.select(job.columns) if job.columns else scan).collect)
    check_text_sizes(frame, Path(source), rows[0])
    result = job.function(frame)
    before_write()
    with atomic_write(part, durable=False) as work, work.open("wb") as file:
        result.write_ipc(file)

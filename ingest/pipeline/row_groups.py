"""Call a function on all rows of a Parquet file, in this process, in several, or on Ray.

Each task reads its own rows of the file and writes what the function makes of them to a part file.
The parts lie in a hidden folder next to the output, which is removed at the end. The main process
reads them in order, so the result is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ingest.io.opening import Stamp
from ingest.io.pairs_file import BATCH_SIZE, PairsFile
from ingest.io.parquet import scan_parquet
from ingest.io.parts_folder import parts_folder, remove_parts
from ingest.io.snapshot import Snapshot
from ingest.pipeline.executors import Executor
from ingest.pipeline.plan import stamp
from ingest.pipeline.row_part import RowCall, part_path, write_job
from ingest.pipeline.tasks import Task
from ingest.text import count_noun

TASK_ROWS = BATCH_SIZE // 4  # small, so that all workers end at about the same time


class RowSlices(NamedTuple):
    """What the tasks read of a Parquet file.

    Attributes:
        path: the file.
        slices: the first row, and the number of rows, of each task.
        columns: the columns to read; all if empty.
        stamp: what shows whether the file has changed since.
    """

    path: Path
    slices: Sequence[tuple[int, int]]
    columns: tuple[str, ...]
    stamp: Stamp

    @classmethod
    def of(
        cls, path: Path, slices: Sequence[tuple[int, int]], columns: tuple[str, ...] = ()
    ) -> RowSlices:
        """Describe the file as it is now."""
        return cls(path, slices, columns, stamp(str(path)))


def cut_rows(count: int, rows: int) -> list[tuple[int, int]]:
    """Cut `count` rows into slices of `rows` rows.

    >>> cut_rows(5, 2)
    [(0, 2), (2, 2), (4, 1)]
    """
    return [(start, min(rows, count - start)) for start in range(0, count, rows)]


@contextmanager
def map_rows(
    rows: RowSlices,
    call: RowCall,
    executor: Executor,
    *,
    out: str | Path,
    report: Callable[[int], None] = lambda _rows: None,
    in_order: bool = True,
) -> Iterator[Iterator[pl.DataFrame]]:
    """Yield an iterator of what the function returns for each slice.

    With one worker, each slice is handled when it is asked for. Otherwise all tasks are done first,
    unless their order does not matter.

    Args:
        rows: what to read.
        call: what to call.
        executor: where to call it.
        out: the output. On Ray, all nodes must see its folder.
        report: called with the number of rows of each task that is done.
        in_order: whether the results come in order; otherwise each comes as soon as it is there.

    Raises:
        SourceError: the file is damaged, or has changed.
        ConfigError: the Ray cluster cannot be reached, or a node of it differs.
        OutputError: another process is writing `out`.
        WriteError: a part cannot be written, or a worker was lost.
    """
    if is_done_here(executor, len(rows.slices)):
        remove_parts(out)
        yield _map_here(rows, call, report)
        return
    with parts_folder(out) as folder:
        with _run_tasks(folder, rows, call, executor) as numbers:
            if not in_order:
                yield (_read_part(folder, n) for n in _reported(numbers, rows, report))
                return
            for _ in _reported(numbers, rows, report):
                pass
        yield (_read_part(folder, number) for number in range(len(rows.slices)))


@contextmanager
def map_pairs(
    pairs: PairsFile, call: RowCall, executor: Executor, *, out: str | Path
) -> Iterator[Iterator[tuple[pl.DataFrame, pl.DataFrame]]]:
    """Yield an iterator of batches of pairs, in order, each with what the function returns.

    The function returns one row per pair, which must not depend on the other pairs. Arguments and
    errors are those of `map_rows`. Tasks are reported as one pass over the pairs.
    """
    rows = RowSlices.of(pairs.path, cut_rows(pairs.count, TASK_ROWS))
    if is_done_here(executor, len(rows.slices)):
        remove_parts(out)
        function = call.prepare_function()
        yield ((batch, function(batch)) for batch in pairs.batches())
        return
    pairs.begin_pass()
    with map_rows(rows, call, executor, out=out, report=pairs.report) as parts:
        yield _join_parts(pairs, parts)


def is_done_here(executor: Executor, tasks: int) -> bool:
    """Whether this process does all tasks itself, without parts."""
    return executor.ray is None and min(executor.workers, tasks) <= 1


def describe_one_task(
    executor: Executor, rows: int, noun: str, rows_of_task: int | None = None
) -> list[str]:
    """Say that there is one task only, if more than one worker was asked for.

    >>> describe_one_task(Executor(4), 5000, "pair")
    ['5,000 pairs are one task, so more than one worker makes no difference']
    """
    if not 0 < rows <= (rows_of_task or TASK_ROWS) or executor.is_alone:
        return []
    are = "is" if rows == 1 else "are"
    return [f"{count_noun(rows, noun)} {are} one task, so more than one worker makes no difference"]


def _map_here(
    rows: RowSlices, call: RowCall, report: Callable[[int], None]
) -> Iterator[pl.DataFrame]:
    function = call.prepare_function()
    snapshot, scan = Snapshot(rows.path), scan_parquet(rows.path)
    for start, count in rows.slices:
        part = scan.slice(start, count)
        frame: pl.DataFrame = snapshot.read(
            (part.select(rows.columns) if rows.columns else part).collect
        )
        yield function(frame)
        report(count)


@contextmanager
def _run_tasks(
    folder: Path, rows: RowSlices, call: RowCall, executor: Executor
) -> Iterator[Iterator[int]]:
    """Yield an iterator of the numbers of tasks, each when it is done."""
    write_job(folder, call, rows.columns)
    source = str(rows.path)
    stamps, settings = {source: rows.stamp}, call.config.to_dict()
    tasks = (
        Task(call.name, str(folder), number, [(source, *rows_of_task)], stamps, settings, {})
        for number, rows_of_task in enumerate(rows.slices)
    )

    @contextmanager
    def mark_running() -> Iterator[str]:
        marker = folder / "running" / "marker"
        marker.parent.mkdir()
        marker.touch()
        try:
            yield str(marker)
        finally:
            marker.unlink(missing_ok=True)

    with executor.start(mark_running, len(rows.slices)) as run_tasks:
        yield run_tasks(tasks, lambda _number, _rows: None)


def _reported(
    numbers: Iterator[int], rows: RowSlices, report: Callable[[int], None]
) -> Iterator[int]:
    for number in numbers:
        yield number
        report(rows.slices[number][1])


def _read_part(folder: Path, number: int) -> pl.DataFrame:
    """Read a part, which is not needed any more then."""
    path = part_path(folder, number)
    frame = pl.read_ipc(path.read_bytes())
    path.unlink()
    return frame


def _join_parts(
    pairs: PairsFile, parts: Iterator[pl.DataFrame]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    for batch in pairs.batches(reported=False):
        of_batch: list[pl.DataFrame] = []
        while sum(map(len, of_batch)) < len(batch):
            of_batch.append(next(parts))
        yield batch, pl.concat(of_batch)

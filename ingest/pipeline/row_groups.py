"""Call a function on all pairs of a file, in this process, in several, or on Ray.

Each task reads its own rows of the file and writes what the function makes of them to a part file.
The parts lie in a hidden folder next to the output, which is removed at the end. The main process
puts them together in order, so the result is the same everywhere.
"""

from __future__ import annotations

import pickle
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import polars as pl

from ingest.config import Config
from ingest.io.atomic import wrap_os_errors
from ingest.io.pairs_file import BATCH_SIZE, PairsFile
from ingest.pipeline.executors import Executor
from ingest.pipeline.plan import stamps_of
from ingest.pipeline.row_part import keywords_path, part_path
from ingest.pipeline.tasks import Task

TASK_ROWS = BATCH_SIZE // 4  # small, so that all workers end at about the same time


RowFunction: TypeAlias = Callable[..., pl.DataFrame]
"""A function of a module, which workers import by its name.

It is called with a frame of pairs, the keyword `config`, and others that `map_row_groups` is given.
It returns one row per pair, which must not depend on the other pairs.
"""


@contextmanager
def map_row_groups(
    pairs: PairsFile,
    function: RowFunction,
    config: Config,
    executor: Executor,
    *,
    out: str | Path,
    keywords: Mapping[str, object] = MappingProxyType({}),
) -> Iterator[Iterator[tuple[pl.DataFrame, pl.DataFrame]]]:
    """Yield an iterator of batches of the pairs, in order, each with what the function returns.

    With one worker, each batch is handled when it is asked for. Otherwise all tasks are done first,
    and reported as one pass over the pairs.

    Args:
        pairs: the file.
        function: what to call.
        config: the settings that it gets.
        executor: where to call it.
        out: the output. On Ray, all nodes must see its folder.
        keywords: what else the function gets. Workers get it pickled.

    Raises:
        SourceError: the file is damaged, or has changed since it was opened.
        ConfigError: the Ray cluster cannot be reached, or a node of it differs.
        WriteError: a part cannot be written, or a worker was lost.
    """
    tasks = -(-pairs.count // TASK_ROWS)
    if executor.ray is None and min(executor.workers, tasks) <= 1:
        yield ((batch, function(batch, config=config, **keywords)) for batch in pairs.batches())
        return
    with _temporary_folder(Path(out)) as folder:
        keywords_path(folder).write_bytes(pickle.dumps(dict(keywords)))
        _write_parts(folder, pairs, function, config, executor)
        yield _join_parts(folder, pairs)


@contextmanager
def _temporary_folder(out: Path) -> Iterator[Path]:
    folder = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}")
    with wrap_os_errors(out):
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write_parts(
    folder: Path, pairs: PairsFile, function: RowFunction, config: Config, executor: Executor
) -> None:
    source = str(pairs.path)
    name = f"{function.__module__}:{function.__qualname__}"
    stamps, settings = stamps_of([source]), config.to_dict()
    counts = {
        number: min(TASK_ROWS, pairs.count - start)
        for number, start in enumerate(range(0, pairs.count, TASK_ROWS))
    }
    tasks = (
        Task(name, str(folder), n, [(source, n * TASK_ROWS, count)], stamps, settings, {})
        for n, count in counts.items()
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

    pairs.begin_pass()
    with executor.start(mark_running, len(counts)) as run_tasks:
        for number in run_tasks(tasks, lambda _number, _rows: None):
            pairs.report(counts[number])


def _join_parts(folder: Path, pairs: PairsFile) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    number = 0
    for batch in pairs.batches(reported=False):
        parts: list[pl.DataFrame] = []
        while sum(map(len, parts)) < len(batch):
            parts.append(pl.read_ipc(part_path(folder, number).read_bytes()))
            number += 1
        yield batch, pl.concat(parts)

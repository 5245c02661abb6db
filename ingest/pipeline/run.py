"""The whole run: shards through the steps, then across pages by keys, then four files at once.

The first half labels each shard and leaves its keys; then the keys of all shards are compared, by
themselves; the second half gives each shard what came of that. Either half runs in any process and
in any order. The outputs are put together from the shards, in order, and renamed to OUT when they
are complete. Whatever a shard or a stage leaves appears by a rename, so that a run that was killed
can go on.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ingest._typing import Progress
from ingest.config import Config
from ingest.errors import ConfigError, OutputError, SourceError
from ingest.io.atomic import wrap_os_errors
from ingest.io.run_files import check_run_output
from ingest.pipeline.assemble import join, write
from ingest.pipeline.plan import check_plan, make_plan
from ingest.pipeline.state import State
from ingest.pipeline.workers import Each, Task, one_by_one, pool
from ingest.readers.sources import FoundSources, find_sources


def run_shards(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    overwrite: bool = False,
    resume: bool = False,
    workers: int = 1,
    shard: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Take pages through the steps of a run, shard by shard, and write its four files.

    The arguments and errors are those of `ingest.run`, which also aligns and translates.

    Returns:
        What run.json holds; of a part of the shards only `shards`, how many there are, and `done`.
    """
    began = time.perf_counter()
    if workers < 1:
        raise ConfigError(f"workers: {workers} is less than 1")
    if shard and not 1 <= shard[0] <= shard[1]:
        raise ConfigError(f"shard: there is no part {shard[0]} of {shard[1]}")
    if overwrite and (resume or shard):
        raise OutputError(f"{out}: to overwrite is to start again, and all of it")
    state = State(Path(os.path.abspath(out)))
    job = _Job(state, config or Config(), progress)
    found = sources_without_own(state, find_sources(sources))
    if not state.folder.exists():
        _refuse(state, overwrite=overwrite, resume=resume)
    return _done(
        job, found, began, overwrite=overwrite, resume=resume, workers=workers, shard=shard
    )


class _Job:
    """One run: its plan, and how far it has come."""

    def __init__(self, state: State, config: Config, progress: Progress | None) -> None:
        self.state = state
        self.config = config
        self.progress = progress
        self.begun = False
        self.once = False  # whether an input can be read but once

    def begin(self, found: FoundSources, *, overwrite: bool, resume: bool, part: bool) -> None:
        """Take over the plan of an unfinished run, or make one."""
        state = self.state
        with state.planning():
            plan = None if overwrite else state.plan()
            if plan and (resume or part):
                check_run_output(state.target, overwrite=plan.overwrite)
                check_plan(plan, found, self.config)
            else:
                _refuse(state, overwrite=overwrite, resume=resume)
                if plan and state.parts():
                    raise OutputError(
                        f"{state.target}: an earlier run did not finish; --resume goes on with it, "
                        "--overwrite starts again"
                    )
                plan = make_plan(found, self.config, overwrite=overwrite)
                if part and plan.once:
                    raise SourceError(f"{plan.once[0]}: can be read but once, so by no part alone")
                state.begin(plan)
        self.plan = plan
        self.begun, self.once = True, bool(plan.once)
        # shards are as they were cut, whatever the settings say now
        whole_run = dataclasses.replace(self.config.run, shard_bytes=plan.shard_bytes)
        self.config = dataclasses.replace(self.config, run=whole_run)

    def label_part(self, part: int, parts: int, workers: int) -> dict[str, Any]:
        """Label every `parts`-th shard."""
        with pool(min(workers, len(self.plan.shards))) as each:
            self._label(range(len(self.plan.shards))[part - 1 :: parts], each)
        return {"shards": len(self.plan.shards), "done": len(self.state.parts())}

    def finish(self, workers: int, began: float) -> dict[str, Any]:
        """All that is still to be done."""
        numbers = range(len(self.plan.shards))
        with pool(min(workers, len(numbers))) as each:
            self._label(numbers, each)
            join(self.state, numbers, self.config.dedupe.threshold)
            pieces = self.state.pieces()
            tasks = (self._task("finish", n) for n in numbers if n not in pieces)
            for _ in each(tasks, lambda _number, _size: None):
                pass
        report = write(self.state, self.plan, self.config, began)
        self.state.publish()
        self.state.let_go()
        return report

    def _label(self, numbers: Sequence[int], each: Each) -> None:
        sizes = [sum(part.size for part in shard) for shard in self.plan.shards]
        total, read = sum(sizes[n] for n in numbers), dict[int, int]()
        done = 0

        def tell(number: int, size: int) -> None:
            nonlocal done
            done += size - read.get(number, 0)
            read[number] = size
            if self.progress:
                self.progress(done, total)

        finished = self.state.parts()
        once = set(self.plan.once)
        # a worker cannot read our standard input and pipes
        here = {
            n for n in numbers if once.intersection(part.source for part in self.plan.shards[n])
        }
        for n in numbers:
            if n in finished:
                tell(n, sizes[n])
        for do, those in ((one_by_one, here), (each, set(numbers) - here)):
            tasks = (self._task("label", n) for n in sorted(those - finished))
            for number in do(tasks, tell):
                tell(number, sizes[number])

    def _task(self, half: str, number: int) -> Task:
        shard = self.plan.shards[number]
        stamps = {part.source: self.plan.stamps[part.source] for part in shard}
        return Task(half, str(self.state.target), number, shard, stamps, self.config.to_dict())


def _done(
    job: _Job,
    found: FoundSources,
    began: float,
    *,
    overwrite: bool,
    resume: bool,
    workers: int,
    shard: tuple[int, int] | None,
) -> dict[str, Any]:
    """All of the run, or a part of it, while others are kept out."""
    state = job.state
    with wrap_os_errors(state.target), state.held("{}-of-{}".format(*shard) if shard else None):
        try:
            if state.swapping() and state.alone():
                state.publish()
                if resume:
                    state.let_go()
                    return state.published()
            job.begin(found, overwrite=overwrite, resume=resume, part=shard is not None)
            if shard:
                return job.label_part(*shard, workers)
            return job.finish(workers, began)
        except BaseException as error:
            if state.leave(again=not job.once) and job.begun:
                error.add_note(f"{state.folder} holds what is done; --resume goes on from there")
            raise


def sources_without_own(state: State, found: FoundSources) -> FoundSources:
    """The sources without what the run itself writes, which may stand in a folder that it reads."""
    own = tuple(f"{os.path.realpath(folder)}{os.sep}" for folder in (state.target, state.folder))
    files, skipped = (
        [p for p in paths if not os.path.realpath(p).startswith(own)] for paths in found
    )
    if not files:
        raise SourceError(f"{found.files[0]}: stands in OUT; there is no other page to read")
    return FoundSources(files, skipped)


def _refuse(state: State, *, overwrite: bool, resume: bool) -> None:
    if resume and os.path.lexists(state.target):
        raise OutputError(f"{state.target}: is there already; nothing to go on with")
    check_run_output(state.target, overwrite=overwrite)

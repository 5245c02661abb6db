"""The whole run: label every shard, compare keys across shards, finish every shard, assemble.

1. Label: read, segment, detect and label each shard, and store its keys.
2. Join: compare the keys of all shards, without their texts.
3. Finish: apply the result to each shard.
4. Assemble: put the outputs together from the shards, in order, and rename them to OUT.

Steps 1 and 3 run in any process and in any order. Every result is renamed into place when it is
complete, so a run that was killed can be resumed.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ingest._typing import Progress
from ingest.config import Config
from ingest.errors import ConfigError, OutputError, SourceError
from ingest.io.access import access, options_for
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.io.urls import check_target_is_writable, is_remote, with_two_slashes
from ingest.pipeline.assemble import write_outputs
from ingest.pipeline.complete import find_same_run
from ingest.pipeline.executors import Executor
from ingest.pipeline.join import join_shards
from ingest.pipeline.open_state import open_state
from ingest.pipeline.plan import check_plan, make_plan
from ingest.pipeline.state import State
from ingest.pipeline.stream_copies import copied_streams
from ingest.pipeline.tasks import RunTasks, ShardProgress, Task
from ingest.pipeline.workers import run_task
from ingest.readers.sources import FoundSources, find_sources
from ingest.review.corrections import (
    Corrections,
    merge_corrections,
    parse_corrections,
    read_corrections,
    write_corrections,
)
from ingest.text import count_noun

_log = logging.getLogger(__name__)
_MAX_NAMED = 3  # files that cannot be cut, before the run starts


def run_shards(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    overwrite: bool = False,
    resume: bool = False,
    executor: Executor = Executor(),  # noqa: B008
    shard: tuple[int, int] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Process pages shard by shard, and write the four files of a run.

    Arguments and errors are those of `ingest.run`, which can also align and translate; `executor`
    has the number of workers and the Ray cluster.

    Returns:
        The content of run.json. With `shard`, only `shards` (their number) and `done`.
    """
    started = time.perf_counter()
    executor.check()
    if shard and not 1 <= shard[0] <= shard[1]:
        raise ConfigError(f"shard: {shard[0]}/{shard[1]} is not a part; use I/N with 1 <= I <= N")
    if overwrite and (resume or shard):
        raise OutputError(
            f"{out}: --overwrite starts a new run; it cannot be used with --resume or --shard"
        )
    check_target_is_writable(out)
    given = read_corrections(Path(corrections)) if corrections is not None else Corrections()
    part = "{}-of-{}".format(*shard) if shard else None
    with ExitStack() as stack:
        stack.enter_context(access(storage_options))
        state = stack.enter_context(open_state(absolute_target(out)))
        run = _Run(state, out, config or Config(), progress)
        with state.wrap_errors():  # first, because to list the sources may take long
            state.check_free(part)
        listing = exclude_outputs(state, find_sources(sources))
        stack.enter_context(state.wrap_errors())
        if not state.has_work():
            if resume and not shard:
                report = find_same_run(state, listing.files, run.config, given, shown=run.out)
                if report:
                    return {**report, "unchanged": True}
            run.check_target(overwrite=overwrite, resume=resume)
        stack.enter_context(state.lock(part))
        try:
            if state.publish_was_interrupted() and state.try_exclusive() and state.can_publish():
                state.publish()
                if resume:
                    state.remove_folder()
                    return {**state.read_report(), **run.notes()}
            run.load_or_make_plan(listing, overwrite=overwrite, resume=resume, is_part=bool(shard))
            if shard:
                return run.label_part(*shard, executor)
            return run.complete(executor, started, given)
        except BaseException as error:
            if state.clean_up(rereadable=not run.has_streams) and run.has_plan:
                error.add_note(
                    f"finished work is kept in {state.folder_name}; use --resume to continue"
                )
            for note in state.notes:
                error.add_note(note)
            raise


class _Run:
    """One run: its state, settings and plan."""

    def __init__(
        self,
        state: State,
        out: str | os.PathLike[str],
        config: Config,
        progress: Progress | None,
    ) -> None:
        self.state = state
        self.out = os.fspath(out)  # as the user gave it, for messages
        self.config = config
        self.progress = progress
        self.has_plan = False
        self.is_resumed = False  # whether the plan is that of an earlier or concurrent run
        self.has_streams = False  # whether an input can be read only once

    def check_target(self, *, overwrite: bool, resume: bool) -> None:
        """Raise unless a new run may write to OUT."""
        if resume:
            self.state.check_resumable(shown=self.out)
        self.state.check_output(overwrite=overwrite, shown=self.out)

    def load_or_make_plan(
        self, sources: FoundSources, *, overwrite: bool, resume: bool, is_part: bool
    ) -> None:
        """Use the plan of an unfinished run, or make a new one."""
        state = self.state
        with state.lock_plan():
            plan = None if overwrite else state.load_plan()
            if plan and (resume or is_part):
                state.check_output(overwrite=plan.overwrite, shown=self.out)
                check_plan(plan, sources, self.config)
                self.is_resumed = True
            elif is_part and state.notes:  # other parts may be in progress
                raise OutputError(
                    f"{self.out}: the plan of its parts is damaged; delete {state.folder_name} "
                    "and start all parts again"
                )
            else:
                if plan and state.has_shards():  # OUT may be there: a new one was to replace it
                    raise OutputError(
                        f"{self.out}: an earlier run did not finish; use --resume to continue "
                        "it, or --overwrite to start again"
                    )
                self.check_target(overwrite=overwrite, resume=resume)
                if state.notes:  # of a plan that is damaged
                    state.notes[-1] += "; the run starts again"
                plan = make_plan(sources, self.config, overwrite=overwrite)
                if is_part and plan.streams:
                    raise SourceError(
                        f"{plan.streams[0]}: can be read only once, which --shard does not allow"
                    )
                if (other := state.save_plan(plan)) is not plan:
                    check_plan(other, sources, self.config)
                    plan = other
        for line in plan.uncut[:_MAX_NAMED]:  # now, for such a file takes long
            _log.info("%s", line)
        if more := plan.uncut[_MAX_NAMED:]:
            _log.info("and %s", count_noun(len(more), "more file") + " like that")
        self.plan = plan
        self.has_plan, self.has_streams = True, bool(plan.streams)
        # the shards are already cut, whatever the settings are now
        run_config = dataclasses.replace(self.config.run, shard_bytes=plan.shard_bytes)
        self.config = dataclasses.replace(self.config, run=run_config)

    def label_part(self, part: int, parts: int, executor: Executor) -> dict[str, Any]:
        """Label every `parts`-th shard, starting with number `part`."""
        numbers = range(len(self.plan.shards))[part - 1 :: parts]
        if self.is_resumed:
            self.state.drop_damaged(numbers, only_labelled=True)
        with executor.start(self.state.mark_running, len(self.plan.shards)) as run_tasks:
            self._label(numbers, run_tasks)
        report = {"shards": len(self.plan.shards), "done": len(self.state.labelled_shards())}
        return {**report, **self.notes()}

    def complete(self, executor: Executor, started: float, given: Corrections) -> dict[str, Any]:
        """Do all remaining work and write the outputs.

        Corrections of an earlier run of OUT, of this run before it stopped, and those given now
        are applied.
        """
        corrections = self._merge_corrections(given)
        self.state.save_corrections(write_corrections(corrections))
        numbers = range(len(self.plan.shards))
        if self.is_resumed:
            self.state.drop_damaged(numbers)
        with executor.start(self.state.mark_running, len(numbers)) as run_tasks:
            self._label(numbers, run_tasks)
            join_shards(self.state, len(numbers), self.config, run_tasks)
            finished = self.state.finished_shards()
            tasks = (self._task("finish", n) for n in numbers if n not in finished)
            for _ in run_tasks(tasks, lambda _number, _size: None):
                self.state.check_lock()
        report = write_outputs(self.state, self.plan, self.config, started)
        self.state.publish()
        self.state.remove_folder()
        uncut = {"uncut": self.plan.uncut} if self.plan.uncut else {}
        damaged = {"damaged_corrections": corrections.damaged} if corrections.damaged else {}
        return {**report, **uncut, **damaged, **self.notes()}

    def _merge_corrections(self, given: Corrections) -> Corrections:
        try:
            stored = self.state.read_corrections()
        except OutputError:
            if not given:
                raise
            stored = b""
            self.state.notes.append(
                f"{self.state.folder_name}: its corrections were damaged; only those given now "
                "are applied"
            )
        earlier = (self.state.read_kept_corrections(), stored)
        return merge_corrections(
            [*(parse_corrections(d, CORRECTIONS_FILE) for d in earlier), given]
        )

    def notes(self) -> dict[str, list[str]]:
        """Return what a report says of work that was damaged, or that cannot be removed."""
        return {"damaged_work": self.state.notes} if self.state.notes else {}

    def _label(self, numbers: Sequence[int], run_tasks: RunTasks) -> None:
        sizes = [sum(item.size for item in shard) for shard in self.plan.shards]
        total, read = sum(sizes[n] for n in numbers), dict[int, int]()
        done = 0

        def report_progress(number: int, size: int) -> None:
            nonlocal done
            done += size - read.get(number, 0)
            read[number] = size
            self.state.check_lock()
            if self.progress:
                self.progress(done, total)

        labelled = self.state.labelled_shards()
        streams = set(self.plan.streams)
        # only this process can read its standard input and pipes
        local = {
            n for n in numbers if streams.intersection(item.source for item in self.plan.shards[n])
        }
        for n in numbers:
            if n in labelled:
                report_progress(n, sizes[n])
        tried = self.state.tried_shards()
        for run, shards in ((self._run_streams, local), (run_tasks, set(numbers) - local)):
            # large shards first, so that all workers end at about the same time
            left = sorted(shards - labelled, key=lambda n: (-sizes[n], n))
            tasks = (self._task("label", n, careful=n in tried) for n in left)
            for number in run(tasks, report_progress):
                report_progress(number, sizes[number])

    def _run_streams(self, tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
        """Label shards with inputs that can be read only once, each from a copy.

        Carefully at once: if a page ends this process, the input cannot be read again.
        """
        for task in tasks:
            streams = [source for source in task.stamps if source in self.plan.streams]
            with copied_streams(streams, self.state.folder / "streams") as copies:
                as_json = {source: [copy.path, copy.error] for source, copy in copies.items()}
                run_task(task._replace(careful=True, copies=as_json), progress)
            yield task.number

    def _task(self, step: str, number: int, *, careful: bool = False) -> Task:
        shard = self.plan.shards[number]
        stamps = {item.source: self.plan.stamps[item.source] for item in shard}
        config = self.config.to_dict()
        storage = options_for(stamps)
        return Task(step, self.state.name, number, shard, stamps, config, storage, careful)


def absolute_target(out: str | os.PathLike[str]) -> str:
    """OUT as an absolute path, or as a URL."""
    text = with_two_slashes(out)
    return text if is_remote(text) else os.path.abspath(out)


def exclude_outputs(state: State, sources: FoundSources) -> FoundSources:
    """Remove the run's own files from its sources, which may include the folder of OUT."""
    files = [path for path in sources.files if not state.owns(path)]
    skipped = [item for item in sources.skipped if not state.owns(item.source)]
    if not files:
        raise SourceError(f"{sources.files[0]}: is inside OUT, and there are no other pages")
    return FoundSources(files, skipped)

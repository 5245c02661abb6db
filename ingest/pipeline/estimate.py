"""What a run would cost: its shards, and time, memory and room on disk from a timed sample."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ingest.config import Config
from ingest.io.access import options_for
from ingest.io.temporary import temporary_folder
from ingest.pipeline.assemble import write_outputs
from ingest.pipeline.join import join_shards
from ingest.pipeline.plan import Plan, make_plan
from ingest.pipeline.sample import Sample, label_sample
from ingest.pipeline.shard import finish_shard
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Task
from ingest.pipeline.workers import run_in_process
from ingest.readers.records import Slice
from ingest.readers.sources import FoundSources

_MAX_SHARDS = 16  # of a sample


class Estimate(NamedTuple):
    """What is known of a run before it starts. Sizes are in bytes, times in seconds.

    Attributes:
        inputs: number of files to read.
        stored: their size.
        shards: number of shards.
        largest: stored size of the largest shard.
        sampled: number of shards that were timed, at least in part.
        sampled_stored: stored size of what was timed, without pages in error.
        sampled_pages: number of its pages that are not in error.
        shard_time: time of the steps that run per shard, for the sample.
        joint_time: time of the steps that need all shards, for the sample.
        memory: most memory that this process has used, which a worker needs, too.
        output: size of the outputs of the sample.
        working: size of the working files of the sample besides the outputs.
        uncut: messages about large files that are one shard because they cannot be cut.
        startup: time before the first shard: loading code and models, finding and cutting sources.
        first_of: the file of which only the beginning was timed; empty if that is not so.
        in_error: number of pages in error in the sample, also those that end a process or take too
            long. They are not counted: that they are found says nothing of the time that others
            take.
        in_error_stored: their stored size, about.
        first_in_error: the URI or source of the first of them, and its error; empty if none is.
        is_cut_off: whether the sample was ended at such pages, because they took all its time.
        is_read_once: whether nothing can be timed because it can be read only once.
    """

    inputs: int
    stored: int
    shards: int
    largest: int
    sampled: int
    sampled_stored: int
    sampled_pages: int
    shard_time: float
    joint_time: float
    memory: int
    output: int
    working: int
    uncut: tuple[str, ...] = ()
    startup: float = 0.0
    first_of: str = ""
    in_error: int = 0
    in_error_stored: int = 0
    first_in_error: tuple[str, str] = ("", "")
    is_cut_off: bool = False
    is_read_once: bool = False

    def scale(self, sampled: float) -> float:
        """Return an amount of the sample as that of the whole run, in proportion to the bytes."""
        return sampled * self._stored_to_time() / max(self.sampled_stored, 1)

    def time_on(self, cores: int) -> float:
        """Return how long the run takes with this many workers, each on a core of its own.

        The workers share the shards, but none of them can share one; what needs all shards is done
        by one process.

        >>> Estimate(1, 800, 8, 100, 2, 200, 5, 2.0, 0.1, 0, 0, 0).time_on(4)
        2.4
        """
        per_shard = max(self.scale(self.shard_time) / cores, self.largest_time())
        return round(self.startup + per_shard + self.scale(self.joint_time), 6)

    def stored_per_hour(self, cores: int) -> float:
        """Return how many stored bytes that many cores process in an hour, of an endless input."""
        shard_time = self.shard_time / cores
        return 3600 * self.sampled_stored / max(shard_time + self.joint_time, 1e-9)

    def largest_time(self) -> float:
        """Return how long the largest shard takes."""
        largest = min(self.largest, self._stored_to_time())
        return self.shard_time * largest / max(self.sampled_stored, 1)

    def _stored_to_time(self) -> int:
        return self.stored - self.in_error_stored


def estimate_run(
    found: FoundSources,
    config: Config,
    progress: Callable[[int, int], None] | None = None,
    *,
    startup: float = 0.0,
) -> Estimate:
    """Cut the inputs into shards, and run some of them in a temporary folder.

    The sample is at most 16 shards, evenly spaced, and ends after ten seconds, also within a shard.
    Its pages are labelled by a process of its own, which they may end; a page that takes all the
    time ends the sample after a minute. Steps that look at all shards are assumed to need time in
    proportion to the input, which is true of all but the sorting of keys.

    Args:
        found: the inputs.
        config: the settings.
        progress: called with the stored bytes of the sample that are done, and all of them.
        startup: seconds since the program started.

    Raises:
        SourceError: a file cannot be opened, or has changed meanwhile.
    """
    begun = time.perf_counter()
    plan = make_plan(found, config, overwrite=False)
    sizes = [sum(item.size for item in shard) for shard in plan.shards]
    at = np.linspace(0, len(sizes) - 1, min(len(sizes), _MAX_SHARDS)).round().astype(int).tolist()
    rereadable = [n for n in at if not {s.source for s in plan.shards[n]} & set(plan.streams)]
    known = Estimate(
        len(plan.stamps), sum(sizes), len(sizes), max(sizes, default=0),
        0, 0, 0, 0.0, 0.0, 0, 0, 0, tuple(plan.uncut),
    )  # fmt: skip
    if not rereadable:
        return known._replace(is_read_once=bool(plan.streams))
    # the first is the one in the middle, so that a sample that ends early is not the beginning
    middle = len(rereadable) // 2
    numbers = [*rereadable[middle:], *rereadable[:middle]]
    part = plan._replace(shards=[[item for n in numbers for item in plan.shards[n]]])
    startup += time.perf_counter() - begun
    with temporary_folder() as folder:
        state = State(folder / "out")
        state.folder.mkdir()
        total = sum(sizes[n] for n in numbers)
        show = progress or (lambda _done, _total: None)
        task = _sample_task(state, part, config)
        sample = label_sample(state, task, lambda done: show(done, total))
        known = known._replace(
            in_error=len(sample.left_out),
            first_in_error=next(iter(sample.left_out), ("", "")),
            is_cut_off=sample.is_cut_off,
        )
        if not state.has(state.labelled(0)):
            return known
        return _complete(state, part, config, sample, known)._replace(
            **_extent(sample.stored, [(sizes[n], plan.shards[n]) for n in numbers]),
            startup=startup + sample.startup,
        )


def _sample_task(state: State, part: Plan, config: Config) -> Task:
    [shard] = part.shards
    stamps = {item.source: part.stamps[item.source] for item in shard}
    return Task("label", state.name, 0, shard, stamps, config.to_dict(), options_for(stamps))


def _complete(
    state: State, part: Plan, config: Config, sample: Sample, known: Estimate
) -> Estimate:
    """Do the other steps on what was labelled."""
    started = time.perf_counter()
    join_shards(state, 1, config, run_in_process)
    joined = time.perf_counter()
    finish_shard(state, 0, config.label.keep)
    finished = time.perf_counter()
    report = write_outputs(state, part, config, finished)
    ended = time.perf_counter()
    output = _size(state.out)
    [labelled] = state.read_reports([state.labelled(0)])
    in_error = stored_in_error(part.shards[0], labelled["sources"], sample.stored)
    errors = report["counts"]["errors"]
    if report["in_error"] and known.in_error < errors:
        first = report["in_error"][0]
        known = known._replace(first_in_error=(first["uri"], first["error"]))
    return known._replace(
        in_error=max(errors, known.in_error),
        in_error_stored=in_error,
        sampled_stored=sample.stored - in_error,
        sampled_pages=report["counts"]["pages"] - errors,
        shard_time=sample.seconds + finished - joined,
        joint_time=joined - started + ended - finished,
        memory=sample.memory,
        output=output,
        working=_size(state.folder) - output,
    )


def stored_in_error(
    slices: Sequence[Slice], sources: Iterable[Mapping[str, Any]], stored: int
) -> int:
    """Return the stored size of pages in error, as if the pages of a source had the same size.

    Args:
        slices: what was read, in order.
        sources: `source`, `records` and `errors` of each.
        stored: how many of the stored bytes were read.

    >>> slices = [Slice("a.txt", "file", size=10), Slice("b.jsonl", "jsonl", size=90)]
    >>> sources = [
    ...     {"source": "a.txt", "records": 1, "errors": 0},
    ...     {"source": "b.jsonl", "records": 4, "errors": 3},
    ... ]
    >>> stored_in_error(slices, sources, 50)
    30
    """
    shares = {row["source"]: row["errors"] / max(row["records"], 1) for row in sources}
    total = 0.0
    for item in slices:
        size = min(item.size, stored)
        stored -= size
        total += size * shares.get(item.source, 0.0)
    return round(total)


def _extent(stored: int, shards: Sequence[tuple[int, list[Slice]]]) -> dict[str, Any]:
    """How many shards of a sample were read, and of which file only the beginning.

    Args:
        stored: the stored bytes that were read.
        shards: size and slices of each, in the order in which they were read.
    """
    ends = list(accumulate(size for size, _ in shards))
    count = min(bisect_left(ends, stored) + 1, len(ends))
    [*_, (_, last)] = shards[:count]
    is_first = count == 1 and len(last) == 1 and not last[0].start and stored < ends[0]
    return {"sampled": count, "first_of": last[0].source if is_first else ""}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

"""What a run would cost: its shards, and time, memory and room on disk from a timed sample."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest.config import Config
from ingest.io.temporary import temporary_folder
from ingest.pipeline.assemble import write_outputs
from ingest.pipeline.join import join_shards
from ingest.pipeline.label import label_shard, load_models
from ingest.pipeline.plan import Plan, make_plan
from ingest.pipeline.shard import finish_shard
from ingest.pipeline.state import State
from ingest.pipeline.workers import run_in_process
from ingest.readers.sources import FoundSources

_MAX_SHARDS, _MAX_SECONDS = 16, 10.0  # of a sample; at least one shard is always timed


class Estimate(NamedTuple):
    """What is known of a run before it starts. Sizes are in bytes, times in seconds.

    Attributes:
        inputs: number of files to read.
        stored: their size.
        shards: number of shards.
        largest: stored size of the largest shard.
        sampled: number of shards that were timed.
        sampled_stored: their stored size.
        sampled_pages: number of their pages.
        shard_time: time of the steps that run per shard, for the sample.
        joint_time: time of the steps that need all shards, for the sample.
        memory: most memory that this process has used, which a worker needs, too.
        output: size of the outputs of the sample.
        working: size of the working files of the sample besides the outputs.
        uncut: messages about large files that are one shard because they cannot be cut.
        startup: time before the first shard: loading code and models, finding and cutting sources.
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

    def scale(self, sampled: float) -> float:
        """Return an amount of the sample as that of the whole run, in proportion to the bytes."""
        return sampled * self.stored / max(self.sampled_stored, 1)

    def time_on(self, cores: int) -> float:
        """Return how long the run takes with this many workers, each on a core of its own.

        The workers share the shards, but none of them can share one; what needs all shards is done
        by one process.

        >>> Estimate(1, 800, 8, 100, 2, 200, 5, 2.0, 0.1, 0, 0, 0).time_on(4)
        2.4
        """
        per_shard = max(self.scale(self.shard_time) / cores, self._largest_time())
        return round(self.startup + per_shard + self.scale(self.joint_time), 6)

    def stored_per_hour(self, cores: int) -> float:
        """Return how many stored bytes that many cores process in an hour, of an endless input."""
        shard_time = self.shard_time / cores
        return 3600 * self.sampled_stored / max(shard_time + self.joint_time, 1e-9)

    def _largest_time(self) -> float:
        return self.shard_time * self.largest / max(self.sampled_stored, 1)


def estimate_run(
    found: FoundSources,
    config: Config,
    progress: Callable[[int, int], None] | None = None,
    *,
    startup: float = 0.0,
) -> Estimate:
    """Cut the inputs into shards, and run some of them in a temporary folder.

    The sample is at most 16 shards, evenly spaced, and ends after ten seconds. Steps that look at
    all shards are assumed to need time in proportion to the input, which is true of all but the
    sorting of keys.

    Args:
        found: the inputs.
        config: the settings.
        progress: called with the number of sampled shards done and of all to sample.
        startup: seconds since the program started.

    Raises:
        SourceError: a file cannot be opened, or has changed meanwhile.
    """
    begun = time.perf_counter()
    plan = make_plan(found, config, overwrite=False)
    sizes = [sum(item.size for item in shard) for shard in plan.shards]
    at = np.linspace(0, len(sizes) - 1, min(len(sizes), _MAX_SHARDS)).round().astype(int).tolist()
    rereadable = [n for n in at if not {s.source for s in plan.shards[n]} & set(plan.streams)]
    known = (len(plan.stamps), sum(sizes), len(sizes), max(sizes, default=0))
    if not rereadable:
        return Estimate(*known, 0, 0, 0, 0.0, 0.0, 0, 0, 0, tuple(plan.uncut))
    load_models(config)
    startup += time.perf_counter() - begun
    with temporary_folder() as folder:
        state = State(folder / "out")
        state.folder.mkdir()
        sampled, label_time = _label_sample(state, plan, rereadable, config, progress)
        joined = time.perf_counter()
        join_shards(state, len(sampled), config, run_in_process)
        finish_started = time.perf_counter()
        for number in range(len(sampled)):
            finish_shard(state, number, config.label.keep)
        finished = time.perf_counter()
        part = plan._replace(shards=[plan.shards[n] for n in sampled])
        report = write_outputs(state, part, config, finish_started)
        ended = time.perf_counter()
        output = _size(state.out)
        working = _size(state.folder) - output
    return Estimate(
        *known,
        sampled=len(sampled),
        sampled_stored=sum(sizes[n] for n in sampled),
        sampled_pages=report["counts"]["pages"],
        shard_time=label_time + finished - finish_started,
        joint_time=finish_started - joined + ended - finished,
        memory=_peak_memory(),
        output=output,
        working=working,
        uncut=tuple(plan.uncut),
        startup=startup,
    )


def _label_sample(
    state: State,
    plan: Plan,
    numbers: list[int],
    config: Config,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[int], float]:
    """Label some shards, as shards 0, 1, … of `state`. Return which ones, and the time it took.

    The first is the one in the middle, so that a sample that ends early is not the beginning of
    the input.
    """
    started = time.perf_counter()
    done: list[int] = []
    middle = len(numbers) // 2
    for number in [*numbers[middle:], *numbers[:middle]]:
        shard = plan.shards[number]
        stamps = {item.source: plan.stamps[item.source] for item in shard}
        label_shard(state, len(done), shard, lambda _size: None, stamps=stamps, config=config)
        done.append(number)
        if progress:
            progress(len(done), len(numbers))
        if time.perf_counter() - started > _MAX_SECONDS:
            break
    return done, time.perf_counter() - started


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _peak_memory() -> int:
    """Return the most memory that this process has used, in bytes; 0 where that is unknown."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

"""Compare the keys of all shards: find clusters of articles and the template lines of sites.

A run with few keys compares them in the main process. Otherwise the keys are cut into chunks and
buckets of limited size, and each step of `ingest.pipeline.join_steps` runs as tasks on the workers.
The main process then reads no keys. The result is the same.

The results are folders of `State.joined`: "plan", how the keys are cut; "final", clusters and
template lines per chunk; and "report". The other steps keep only their reports.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import I64, U16
from ingest.config import Config
from ingest.dedup.clusters import Signatures, find_leaders
from ingest.dedup.site_templates import find_template_lines
from ingest.io.access import options_for
from ingest.minhash import BANDS, ROWS
from ingest.pipeline.join_files import (
    JoinPlan,
    read_join_plan,
    read_keys,
    read_lines,
    read_values,
    write_clusters,
    write_template,
)
from ingest.pipeline.join_steps import BANDS_AT_ONCE
from ingest.pipeline.shard import StepTimer
from ingest.pipeline.state import State
from ingest.pipeline.stats import sum_counts
from ingest.pipeline.tasks import RunTasks, Task

_CHUNK_KEYS = 1 << 19  # keys of a chunk; a run with fewer is compared in the main process
_LINES_IN_MEMORY = 1 << 21  # the most lines for that
_MAX_CHUNKS = 1 << 11  # then chunks grow: each step writes a file per pair of chunks
_CHUNKS_PER_BUCKET = 4  # rows of a bucket of a band, in chunks
_BUCKET_LINES = 1 << 21


def join_shards(state: State, shards: int, config: Config, run_tasks: RunTasks) -> None:
    """Find clusters of articles and the template lines of sites by comparing keys.

    Args:
        state: where the labelled shards are. `read_final` reads the result, per shard.
        shards: number of shards.
        config: the settings.
        run_tasks: runs tasks, for many keys.
    """
    if state.has(state.joined("report", 0)):
        return
    sizes = _read_sizes(state, shards)
    keys, lines = sizes.sum(axis=0).tolist()
    if not state.has(state.joined("plan", 0)):
        with state.store(state.joined("plan", 0)) as work:
            plan = _cut(sizes[:, 0], lines)
            (work / "plan.json").write_text(json.dumps(plan._asdict()), encoding="utf-8")
    plan = read_join_plan(state)
    if plan.chunks == 1 and lines <= _LINES_IN_MEMORY:
        report = _join_in_memory(state, shards, keys, config)
    else:
        report = _Steps(state, plan, config, run_tasks).run_all()
    with state.store(state.joined("report", 0)) as work:
        (work / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _read_sizes(state: State, shards: int) -> I64:
    """Return the number of keys and of lines of each shard: int64 [shards, 2]."""
    reports = state.read_reports(map(state.labelled, range(shards)))
    sizes: I64 = np.empty((shards, 2), np.int64)
    for n, report in enumerate(reports):
        sizes[n] = report["sizes"]["keys"], report["sizes"]["lines"]
    return sizes


def _cut(keys: I64, lines: int) -> JoinPlan:
    """Cut shards into chunks.

    Args:
        keys: int64 [shards], number of keys of each shard.
        lines: number of lines of all shards.

    >>> _cut(np.array([300_000, 300_000, 0, 5]), 0)
    JoinPlan(starts=[0, 2, 4], rows=[600000, 5], band_buckets=1, line_buckets=1)
    """
    total = int(keys.sum())
    chunk_keys = max(_CHUNK_KEYS, -(-total // _MAX_CHUNKS))
    chunk = (np.cumsum(keys) - keys) // chunk_keys
    starts = np.flatnonzero(np.diff(chunk, prepend=-1))
    return JoinPlan(
        starts=[*starts.tolist(), len(keys)],
        rows=np.add.reduceat(keys, starts).tolist(),
        band_buckets=1 + total // (chunk_keys * _CHUNKS_PER_BUCKET),
        line_buckets=min(1 + lines // _BUCKET_LINES, _MAX_CHUNKS),
    )


def _join_in_memory(state: State, shards: int, rows: int, config: Config) -> dict[str, Any]:
    timer = StepTimer()
    keys = [read_keys(state, n) for n in range(shards)]
    ends = np.cumsum([len(frame) for frame in keys])
    starts = ends - [len(frame) for frame in keys]
    values: U16 = np.empty((rows, BANDS * ROWS), np.uint16)
    for n in range(shards):
        values[starts[n] : ends[n]] = read_values(state, n)
    every = pl.concat(keys)
    first = timer("dedupe", find_leaders, Signatures(every, values), config.dedupe.threshold)
    lines = pl.concat(
        read_lines(state, n)
        .drop_nulls()
        .select("line", article=pl.col("row").cast(pl.Int64) + int(starts[n]))
        for n in range(shards)
    )
    articles = pl.Series(first[lines["article"].to_numpy()])
    template = timer("dedupe", find_template_lines, lines["line"], articles)
    with state.store(state.joined("final", 0)) as work:
        for n, own in enumerate(keys):
            write_clusters(work, n, own, every[first[starts[n] : ends[n]]])
        write_template(work, template.to_numpy())
    is_article = (every["article"] > 0).to_numpy()
    counts = {"articles": int(is_article.sum()), "clusters": len(np.unique(first[is_article]))}
    return {"counts": counts, "seconds": timer.seconds}


class _Steps:
    """The steps of the join of many keys, one after the other."""

    def __init__(self, state: State, plan: JoinPlan, config: Config, run_tasks: RunTasks) -> None:
        self._state = state
        self._plan = plan
        self._config = config.to_dict()
        self._run_tasks = run_tasks
        self._seconds: dict[str, float] = {}

    def run_all(self) -> dict[str, Any]:
        """Run what is left of all steps, and return their report."""
        chunks = self._plan.chunks
        self._run("keys", chunks)
        paired = [f"pairs-{n}" for n in range(BANDS // BANDS_AT_ONCE)]
        for n, pairs in enumerate(paired):
            self._run(f"bands-{n}", chunks, n)
            self._run(pairs, self._plan.band_buckets * BANDS_AT_ONCE, n, used=[f"bands-{n}"])
        self._run("wanted", chunks, used=paired)
        self._run("signatures", chunks)
        self._run("edges", chunks, used=["wanted", "signatures"])
        edges, n = "edges", 0
        while self._run(f"large-{n}", chunks, n, used=[edges])["unsettled"]:
            self._run(f"small-{n}", chunks, n, used=[f"large-{n}"])
            edges, n = f"small-{n}", n + 1
        self._run("names", chunks, n, used=[f"large-{n}"])
        self._run("leaders", chunks, used=["names"])
        self._run("lines", chunks)
        self._run("templates", self._plan.line_buckets, used=["lines"])
        counts = self._run("final", chunks, used=["keys", "leaders", "templates"])
        return {"counts": counts, "seconds": self._seconds}

    def _run(
        self, step: str, tasks: int, count: int = 0, *, used: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Run what is left of a step, and return its counts.

        Args:
            step: its name.
            tasks: number of its tasks.
            count: its round, which the tasks need to know.
            used: steps whose rows nothing needs after this one; they are deleted.
        """
        state = self._state
        done = state.joined_tasks(step)
        storage = options_for([])
        left = (
            Task(f"join {step} {count}", state.name, n, [], {}, self._config, storage)
            for n in range(tasks)
            if n not in done
        )
        for _ in self._run_tasks(left, lambda _number, _size: None):
            state.check_lock()
        for name in used:
            state.empty_joined(name)
        reports = list(state.read_reports(state.joined(step, n) for n in range(tasks)))
        self._seconds = sum_counts([self._seconds, *(report["seconds"] for report in reports)])
        return sum_counts(report["counts"] for report in reports)

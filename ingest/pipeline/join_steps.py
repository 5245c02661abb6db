"""The steps of the join of a large run, as tasks that each look at one bucket.

A *chunk* is a run of consecutive shards; a *node* is a row of its keys, as one number. Rows go from
step to step through files (`ingest.pipeline.shuffle`):

    bands-G     chunk   → each band of each node, by the hash of the band
    pairs-G     bucket  → pairs of nodes to compare, to the chunk of the later one
    wanted      chunk   → the earlier nodes of its pairs, to their chunks
    signatures  chunk   → their signatures, back to who wants them
    edges       chunk   → pairs that are similar, to the chunks of both nodes
    large-R     chunk   → edges, see `ingest.dedup.stars`, to the chunk of the greater node
    small-R     chunk   → edges, to the chunks of both nodes
    names       chunk   → the doc_id and article of each node, to the chunk of its star's centre
    leaders     chunk   → the first of each cluster, to the chunks of its members
    lines       chunk   → short lines with their clusters, by the hash of the line
    templates   bucket  → lines of templates, to the chunks that have them
    final       chunk   → what `finish_shard` reads
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U16, U64
from ingest.config import Config
from ingest.dedup.candidates import ENTRY, distinct_pairs, find_candidates
from ingest.dedup.clusters import cluster_names, least_similarity
from ingest.dedup.site_templates import MIN_ARTICLES, find_template_lines
from ingest.dedup.stars import Neighbours, Pairs
from ingest.io.parquet import read_parquet
from ingest.minhash import BANDS, ROWS, are_similar, band_keys
from ingest.pipeline.doc_ids import number_to_doc_id
from ingest.pipeline.shuffle import Rows, append_rows, read_rows, write_rows
from ingest.pipeline.state import State

BANDS_AT_ONCE = 7  # so that a third of them are on disk at a time
_SHIFT = 40  # bits of a node for its row in the chunk
_PAIRED_ENTRIES = 1 << 22  # entries that are sorted at once
_SORTED_PAIRS = 1 << 18  # pairs that are collected before they are sorted
_COMPARED = 1 << 14  # pairs of signatures compared at once

_PAIR = np.dtype([("left", "<i8"), ("right", "<i8")])
_NODE = np.dtype([("node", "<i8")])
_SIGNATURE = np.dtype([("node", "<i8"), ("values", "<u2", (BANDS * ROWS,))])
_NAMED = np.dtype([("to", "<i8"), ("node", "<i8"), ("doc", "<u8"), ("article", "<i4")])
_LINE = np.dtype([("line", "<u8"), ("article", "<i8"), ("chunk", "<i4")])
_TEMPLATE = np.dtype([("line", "<u8")])
_NO_ARTICLE = -1  # of a line that counts for no article


class JoinPlan(NamedTuple):
    """How the keys of all shards are cut.

    Attributes:
        starts: the first shard of each chunk, and the number of shards.
        rows: number of keys of each chunk.
        band_buckets: buckets of one band.
        line_buckets: buckets of lines.
    """

    starts: list[int]
    rows: list[int]
    band_buckets: int
    line_buckets: int

    @property
    def chunks(self) -> int:
        return len(self.rows)

    def chunk_of(self, shard: int) -> int:
        """Return the chunk of a shard."""
        return int(np.searchsorted(self.starts, shard, side="right")) - 1


def read_join_plan(state: State) -> JoinPlan:
    """Read the plan that `ingest.pipeline.join` stored."""
    with state.borrow(state.joined("plan", 0), "plan.json") as folder:
        return JoinPlan(**json.loads((folder / "plan.json").read_bytes()))


def run_join_task(state: State, step: str, number: int, config: Config) -> None:
    """Run a step for one chunk or bucket, and store its rows and a report.

    Args:
        state: where all steps are.
        step: name of the step, and which round it is.
        number: number of the chunk or bucket.
        config: the settings.
    """
    name, count = step.split(" ")
    started = time.perf_counter()
    plan = read_join_plan(state)
    with state.store(state.joined(name, number)) as work:
        task = _Task(state, plan, work, number, int(count), config.dedupe.threshold)
        counts = _STEPS[name.partition("-")[0]](task) or {}
        report = {"counts": counts, "seconds": {"dedupe": time.perf_counter() - started}}
        (work / "report.json").write_text(json.dumps(report), encoding="utf-8")


class _Task(NamedTuple):
    """What a step has to do: `work` is its folder, and `round` counts repeated steps."""

    state: State
    plan: JoinPlan
    work: Path
    number: int
    round: int
    threshold: float

    @property
    def base(self) -> int:
        """The first node of the chunk."""
        return self.number << _SHIFT

    @property
    def rows(self) -> int:
        """Number of nodes of the chunk."""
        return self.plan.rows[self.number]

    @property
    def shards(self) -> range:
        return range(*self.plan.starts[self.number : self.number + 2])

    def read(
        self, step: str, dtype: np.dtype[Any], tasks: int | None = None
    ) -> Iterator[tuple[int, Rows]]:
        """Yield the rows for this chunk or bucket, each block with the task it comes from."""
        tasks = self.plan.chunks if tasks is None else tasks
        return read_rows(self.state, step, range(tasks), self.number, dtype)

    def read_pairs(self, step: str) -> Iterator[Pairs]:
        for _, rows in self.read(step, _PAIR):
            yield rows["left"], rows["right"]

    def write_to_left(self, pairs: Iterable[Pairs]) -> None:
        """Send pairs to the chunk of the left node."""
        for left, right in pairs:
            write_rows(self.work, left >> _SHIFT, _records(_PAIR, left=left, right=right))

    def keys(self) -> pl.DataFrame:
        return pl.concat([read_keys(self.state, n) for n in self.shards])

    def values(self) -> U16:
        values: U16 = np.empty((self.rows, BANDS * ROWS), np.uint16)
        start = 0
        for n in self.shards:
            part = read_values(self.state, n)
            values[start : start + len(part)] = part
            start += len(part)
        return values


def read_keys(state: State, shard: int) -> pl.DataFrame:
    """Read the keys of a shard, with doc_id as a number."""
    with state.borrow(state.labelled(shard), "keys.parquet") as folder:
        return read_parquet(folder / "keys.parquet")


def read_values(state: State, shard: int) -> U16:
    """Read the signatures of a shard."""
    with state.borrow(state.labelled(shard), "values.npy") as folder:
        values: U16 = np.load(folder / "values.npy")
        return values


def read_lines(state: State, shard: int) -> pl.DataFrame:
    """Read the short lines of a shard."""
    with state.borrow(state.labelled(shard), "lines.parquet") as folder:
        return read_parquet(folder / "lines.parquet")


def _bands(task: _Task) -> None:
    keys, values = task.keys(), task.values()
    is_page = (keys["article"] == 0).to_numpy().astype(np.uint64)
    buckets = task.plan.band_buckets
    for n in range(BANDS_AT_ONCE):
        key = band_keys(values, task.round * BANDS_AT_ONCE + n, is_page)
        entries = _records(
            ENTRY,
            key=key,
            doc=keys["doc_id"].to_numpy(),
            article=keys["article"].to_numpy(),
            node=task.base + np.arange(task.rows),
        )
        write_rows(task.work, n * buckets + _spread(key, buckets), entries)


def _pairs(task: _Task) -> None:
    step = f"bands-{task.round}"
    total = sum(len(rows) for _, rows in task.read(step, ENTRY))
    parts = max(-(-total // _PAIRED_ENTRIES), 1)  # a key that many rows share can need several
    ends = np.empty(0, ENTRY)
    for part in range(parts):
        blocks = [ends]
        for _, rows in task.read(step, ENTRY):
            blocks.append(rows[_spread(rows["doc"], parts) == part])
        found = find_candidates(np.concatenate(blocks))
        ends = found.ends
        write_rows(
            task.work, found.later >> _SHIFT, _records(_PAIR, left=found.earlier, right=found.later)
        )


def _wanted(task: _Task) -> None:
    pairs = np.empty(0, _PAIR)
    waiting: list[Rows] = []
    for n in range(BANDS // BANDS_AT_ONCE):
        for _, rows in task.read(f"pairs-{n}", _PAIR, task.plan.band_buckets * BANDS_AT_ONCE):
            waiting.append(rows)
            if sum(map(len, waiting)) > max(len(pairs), _SORTED_PAIRS):
                pairs = _distinct([pairs, *waiting])
                waiting.clear()
    pairs = _distinct([pairs, *waiting])
    wanted = np.unique(pairs["left"])
    write_rows(task.work, wanted >> _SHIFT, _records(_NODE, node=wanted))
    append_rows(task.work, task.plan.chunks, pairs)  # kept for `_edges`


def _distinct(pairs: list[Rows]) -> Rows:
    rows = np.concatenate(pairs)
    left, right = distinct_pairs(rows["left"], rows["right"])
    return _records(_PAIR, left=left, right=right)


def _signatures(task: _Task) -> None:
    values = task.values()
    for asking, rows in task.read("wanted", _NODE):
        node = rows["node"]
        append_rows(
            task.work, asking, _records(_SIGNATURE, node=node, values=values[node - task.base])
        )


def _edges(task: _Task) -> None:
    values = task.values()
    least = least_similarity(task.keys(), task.threshold)
    own = read_rows(task.state, "wanted", [task.number], task.plan.chunks, _PAIR)
    pairs = np.concatenate([np.empty(0, _PAIR), *(rows for _, rows in own)])
    earlier, later = pairs["left"].copy(), pairs["right"].copy()
    for _, rows in task.read("signatures", _SIGNATURE):
        node, signature = rows["node"].copy(), rows["values"]
        start = np.searchsorted(earlier, node[0])
        end = np.searchsorted(earlier, node[-1], side="right")
        for at in range(start, end, _COMPARED):
            a, b = (side[at : min(at + _COMPARED, end)] for side in (earlier, later))
            row = b - task.base
            similar = are_similar(signature[np.searchsorted(node, a)], values[row], least[row])
            a, b = a[similar], b[similar]
            task.write_to_left([(a, b), (b, a)])


def _large(task: _Task) -> dict[str, int]:
    step = f"small-{task.round - 1}" if task.round else "edges"
    neighbours = Neighbours(task.base, task.rows, task.read_pairs(step))
    task.write_to_left(neighbours.large_star(task.read_pairs(step)))
    return {"unsettled": neighbours.count_unsettled()}


def _small(task: _Task) -> None:
    step = f"large-{task.round}"
    neighbours = Neighbours(task.base, task.rows, task.read_pairs(step))
    for greater, lesser in neighbours.small_star(task.read_pairs(step)):
        task.write_to_left([(greater, lesser), (lesser, greater)])


def _names(task: _Task) -> None:
    centre = Neighbours(task.base, task.rows, task.read_pairs(f"large-{task.round}")).least
    is_leaf = centre < task.base + np.arange(task.rows)
    keys = task.keys().filter(is_leaf)
    rows = _records(
        _NAMED,
        to=centre[is_leaf],
        node=np.flatnonzero(is_leaf) + task.base,
        doc=keys["doc_id"].to_numpy(),
        article=keys["article"].to_numpy(),
    )
    write_rows(task.work, rows["to"] >> _SHIFT, rows)


def _leaders(task: _Task) -> None:
    keys, node = task.keys(), task.base + np.arange(task.rows)
    first = _records(
        _NAMED,
        to=node,
        node=node,
        doc=keys["doc_id"].to_numpy(),
        article=keys["article"].to_numpy(),
    )
    for _, rows in task.read("names", _NAMED):
        centres = np.unique(rows["to"]) - task.base
        both = np.concatenate([rows, first[centres]])
        both = both[np.lexsort((both["node"], both["article"], both["doc"], both["to"]))]
        new = np.diff(both["to"], prepend=-1) > 0
        first[centres] = both[new]
    for _, rows in task.read("names", _NAMED):
        _write_leaders(task, rows["node"], first[rows["to"] - task.base])
    _write_leaders(task, node, first)


def _write_leaders(task: _Task, node: I64, leader: Rows) -> None:
    """Tell nodes the name of their leader, except leaders themselves."""
    differ = leader["node"] != node
    rows = leader[differ]
    rows["to"] = node[differ]
    write_rows(task.work, rows["to"] >> _SHIFT, rows)


def _lines(task: _Task) -> None:
    # the last element is for lines whose article has no words, and so no key
    leader = np.append(task.base + np.arange(task.rows), _NO_ARTICLE)
    for _, rows in task.read("leaders", _NAMED):
        leader[rows["to"] - task.base] = rows["node"]
    start = 0
    frames = []
    for n in task.shards:
        lines = read_lines(task.state, n)
        row = (lines["row"].cast(pl.Int64) + start).fill_null(task.rows).to_numpy()
        frames.append(pl.DataFrame({"line": lines["line"], "article": leader[row]}).unique())
        start += len(read_keys(task.state, n))
    # as many as make a template, so that a line of a large site does not fill a bucket
    some = (
        pl.concat(frames)
        .unique()
        .group_by("line")
        .agg(pl.col("article").sort(descending=True).head(MIN_ARTICLES))
        .explode("article")
        .sort("line", "article")
    )
    line = some["line"].to_numpy()
    rows = _records(_LINE, line=line, article=some["article"].to_numpy(), chunk=task.number)
    write_rows(task.work, _spread(line, task.plan.line_buckets), rows)


def _templates(task: _Task) -> None:
    rows = np.concatenate([np.empty(0, _LINE), *(rows for _, rows in task.read("lines", _LINE))])
    counted = rows[rows["article"] != _NO_ARTICLE]
    template = find_template_lines(pl.Series(counted["line"]), pl.Series(counted["article"]))
    rows = rows[np.isin(rows["line"], template.to_numpy())]
    write_rows(task.work, rows["chunk"].astype(np.int64), _records(_TEMPLATE, line=rows["line"]))


def _final(task: _Task) -> dict[str, int]:
    buckets = task.plan.line_buckets
    lines = [rows["line"] for _, rows in task.read("templates", _TEMPLATE, buckets)]
    members = np.concatenate(
        [np.empty(0, _NAMED), *(rows for _, rows in task.read("leaders", _NAMED))]
    )
    keys = task.keys()
    row = members["to"] - task.base
    doc, article = keys["doc_id"].to_numpy().copy(), keys["article"].to_numpy().copy()
    is_article = article > 0
    doc[row], article[row] = members["doc"], members["article"]
    leaders = pl.DataFrame({"doc_id": doc, "article": article})
    start = 0
    for n in task.shards:
        own = read_keys(task.state, n)
        write_clusters(task.work, n, own, leaders[start : start + len(own)])
        start += len(own)
    write_template(task.work, np.unique(np.concatenate([np.empty(0, np.uint64), *lines])))
    articles = int(is_article.sum())
    return {"articles": articles, "clusters": articles - int(is_article[row].sum())}


def write_clusters(folder: Path, shard: int, keys: pl.DataFrame, leaders: pl.DataFrame) -> None:
    """Write the clusters of a shard: columns doc_id, article, cluster.

    Args:
        folder: where to write.
        shard: number of the shard.
        keys: its keys.
        leaders: the key of the leader of each of them.
    """
    frame = _with_doc_ids(keys).with_columns(cluster=cluster_names(_with_doc_ids(leaders)))
    frame.write_parquet(folder / f"{shard:06d}.parquet", compression="lz4")


def write_template(folder: Path, lines: U64) -> None:
    """Write the template lines of sites."""
    np.save(folder / "template.npy", lines)


def read_final(state: State, shard: int) -> tuple[pl.DataFrame, pl.Series]:
    """Read the clusters of a shard, and the template lines of sites."""
    chunk = read_join_plan(state).chunk_of(shard)
    names = f"{shard:06d}.parquet", "template.npy"
    with state.borrow(state.joined("final", chunk), *names) as folder:
        return read_parquet(folder / names[0]), pl.Series(np.load(folder / names[1]))


def _with_doc_ids(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(number_to_doc_id(keys["doc_id"]))


def _spread(keys: U64, buckets: int) -> I64:
    """Return the bucket of each key, in the order of the keys."""
    bucket: I64 = ((keys >> np.uint64(32)) * np.uint64(buckets) >> np.uint64(32)).astype(np.int64)
    return bucket


def _records(dtype: np.dtype[Any], **columns: Any) -> Rows:
    rows = np.empty(len(next(iter(columns.values()))), dtype)
    for name, column in columns.items():
        rows[name] = column
    return rows


_STEPS: dict[str, Callable[[_Task], dict[str, int] | None]] = {
    "bands": _bands,
    "pairs": _pairs,
    "wanted": _wanted,
    "signatures": _signatures,
    "edges": _edges,
    "large": _large,
    "small": _small,
    "names": _names,
    "leaders": _leaders,
    "lines": _lines,
    "templates": _templates,
    "final": _final,
}

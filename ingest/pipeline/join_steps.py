"""The steps of the join of a large run, as tasks that each look at one bucket.

For "chunk" and "node" see `ingest.pipeline.join_task`. Rows go from step to step through files:

    keys        chunk   → the keys and signatures of its shards, which are many small files
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
from collections.abc import Callable

import numpy as np
import polars as pl

from ingest._typing import I64, U64
from ingest.config import Config
from ingest.dedup.candidates import ENTRY, distinct_pairs, find_candidates
from ingest.dedup.clusters import least_similarity
from ingest.dedup.site_templates import MIN_ARTICLES, find_template_lines
from ingest.dedup.stars import Neighbours
from ingest.minhash import BANDS, ROWS, are_similar, band_keys
from ingest.pipeline.join_files import (
    read_join_plan,
    read_keys,
    read_lines,
    read_values,
    write_clusters,
    write_template,
)
from ingest.pipeline.join_task import (
    KEY,
    LINE,
    NAMED,
    NODE,
    NODE_BITS,
    PAIR,
    SIGNATURE,
    TEMPLATE,
    JoinTask,
    records,
    spread,
)
from ingest.pipeline.shuffle import Rows, append_rows, read_rows, write_rows
from ingest.pipeline.state import State

BANDS_AT_ONCE = 7  # so that a third of them are on disk at a time
_PAIRED_ENTRIES = 1 << 22  # entries that are sorted at once, or twice those of a usual bucket
_SORTED_PAIRS = 1 << 18  # pairs that are collected before they are sorted
_COMPARED = 1 << 14  # pairs of signatures compared at once
_NO_ARTICLE = (1 << 63) - 1  # of a line that counts for no article; sorted last


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
        task = JoinTask(state, plan, work, number, int(count), config.dedupe.threshold)
        counts = _STEPS[name.partition("-")[0]](task) or {}
        report = {"counts": counts, "seconds": {"dedupe": time.perf_counter() - started}}
        (work / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _keys(task: JoinTask) -> None:
    keys = np.empty(task.rows, KEY)
    values = np.empty((task.rows, BANDS * ROWS), np.uint16)
    start = 0
    for n in task.shards:
        own = read_keys(task.state, n)
        end = start + len(own)
        keys["doc"][start:end] = own["doc_id"].to_numpy()
        keys["article"][start:end] = own["article"].to_numpy()
        keys["shard"][start:end] = n
        values[start:end] = read_values(task.state, n)
        start = end
    np.save(task.work / "keys.npy", keys)
    np.save(task.work / "values.npy", values)


def _bands(task: JoinTask) -> None:
    keys, values = task.keys(), task.values()
    is_page = (keys["article"] == 0).astype(np.uint64)
    buckets = task.plan.band_buckets
    for n in range(BANDS_AT_ONCE):
        key = band_keys(values, task.round * BANDS_AT_ONCE + n, is_page)
        entries = records(
            ENTRY,
            key=key,
            doc=keys["doc"],
            article=keys["article"],
            node=task.base + np.arange(task.rows),
        )
        write_rows(task.work, n * buckets + spread(key, buckets), entries)


def _pairs(task: JoinTask) -> None:
    step = f"bands-{task.round}"
    usual = sum(task.plan.rows) // task.plan.band_buckets
    most = max(_PAIRED_ENTRIES, 2 * usual)
    total = 0
    blocks: list[Rows] = []
    for _, rows in task.read(step, ENTRY):
        total += len(rows)
        blocks = [*blocks, rows] if total <= most else []
    # a key that many rows share can be too many to sort at once
    parts = max(-(-total // most), 1)
    ends = np.empty(0, ENTRY)
    for part in range(parts):
        if parts > 1:
            every = (rows for _, rows in task.read(step, ENTRY))
            blocks = [rows[spread(rows["doc"], parts) == part] for rows in every]
        found = find_candidates(np.concatenate([ends, *blocks]))
        ends = found.ends
        write_rows(
            task.work,
            found.later >> NODE_BITS,
            records(PAIR, left=found.earlier, right=found.later),
        )


def _wanted(task: JoinTask) -> None:
    pairs = np.empty(0, PAIR)
    waiting: list[Rows] = []
    for n in range(BANDS // BANDS_AT_ONCE):
        for _, rows in task.read(f"pairs-{n}", PAIR, task.plan.band_buckets * BANDS_AT_ONCE):
            waiting.append(rows)
            if sum(map(len, waiting)) > max(len(pairs), _SORTED_PAIRS):
                pairs = _distinct([pairs, *waiting])
                waiting.clear()
    pairs = _distinct([pairs, *waiting])
    wanted = np.unique(pairs["left"])
    write_rows(task.work, wanted >> NODE_BITS, records(NODE, node=wanted))
    append_rows(task.work, task.plan.chunks, pairs)  # kept for `_edges`


def _distinct(pairs: list[Rows]) -> Rows:
    rows = np.concatenate(pairs)
    left, right = distinct_pairs(rows["left"], rows["right"])
    return records(PAIR, left=left, right=right)


def _signatures(task: JoinTask) -> None:
    values = task.values()
    for asking, rows in task.read("wanted", NODE):
        node = rows["node"]
        append_rows(
            task.work, asking, records(SIGNATURE, node=node, values=values[node - task.base])
        )


def _edges(task: JoinTask) -> None:
    values = task.values()
    least = least_similarity(task.keys()["article"] == 0, task.threshold)
    own = read_rows(task.state, "wanted", [task.number], task.plan.chunks, PAIR)
    pairs = np.concatenate([np.empty(0, PAIR), *(rows for _, rows in own)])
    earlier, later = pairs["left"].copy(), pairs["right"].copy()
    for _, rows in task.read("signatures", SIGNATURE):
        node, signature = rows["node"].copy(), rows["values"]
        start = np.searchsorted(earlier, node[0])
        end = np.searchsorted(earlier, node[-1], side="right")
        for at in range(start, end, _COMPARED):
            a, b = (side[at : min(at + _COMPARED, end)] for side in (earlier, later))
            row = b - task.base
            similar = are_similar(signature[np.searchsorted(node, a)], values[row], least[row])
            a, b = a[similar], b[similar]
            task.write_to_left([(a, b), (b, a)])


def _large(task: JoinTask) -> dict[str, int]:
    step = f"small-{task.round - 1}" if task.round else "edges"
    neighbours = Neighbours(task.base, task.rows, task.read_pairs(step))
    task.write_to_left(neighbours.large_star(task.read_pairs(step)))
    return {"unsettled": neighbours.count_unsettled()}


def _small(task: JoinTask) -> None:
    step = f"large-{task.round}"
    neighbours = Neighbours(task.base, task.rows, task.read_pairs(step))
    for greater, lesser in neighbours.small_star(task.read_pairs(step)):
        task.write_to_left([(greater, lesser), (lesser, greater)])


def _names(task: JoinTask) -> None:
    centre = Neighbours(task.base, task.rows, task.read_pairs(f"large-{task.round}")).least
    is_leaf = centre < task.base + np.arange(task.rows)
    keys = task.keys()[is_leaf]
    rows = records(
        NAMED,
        to=centre[is_leaf],
        node=np.flatnonzero(is_leaf) + task.base,
        doc=keys["doc"],
        article=keys["article"],
    )
    write_rows(task.work, rows["to"] >> NODE_BITS, rows)


def _leaders(task: JoinTask) -> None:
    keys, node = task.keys(), task.base + np.arange(task.rows)
    first = records(
        NAMED,
        to=node,
        node=node,
        doc=keys["doc"],
        article=keys["article"],
    )
    for _, rows in task.read("names", NAMED):
        centres = np.unique(rows["to"]) - task.base
        both = np.concatenate([rows, first[centres]])
        both = both[np.lexsort((both["node"], both["article"], both["doc"], both["to"]))]
        new = np.diff(both["to"], prepend=-1) > 0
        first[centres] = both[new]
    for _, rows in task.read("names", NAMED):
        _write_leaders(task, rows["node"], first[rows["to"] - task.base])
    _write_leaders(task, node, first)


def _write_leaders(task: JoinTask, node: I64, leader: Rows) -> None:
    """Tell nodes the name of their leader, except leaders themselves."""
    differ = leader["node"] != node
    rows = leader[differ]
    rows["to"] = node[differ]
    write_rows(task.work, rows["to"] >> NODE_BITS, rows)


def _lines(task: JoinTask) -> None:
    # the last element is for lines whose article has no words, and so no key
    leader = np.append(task.base + np.arange(task.rows), _NO_ARTICLE)
    for _, rows in task.read("leaders", NAMED):
        leader[rows["to"] - task.base] = rows["node"]
    starts = np.searchsorted(task.keys()["shard"], task.shards)
    parts: list[tuple[U64, I64]] = [(np.empty(0, np.uint64), np.empty(0, np.int64))]
    for n, start in zip(task.shards, starts.tolist(), strict=True):
        lines = read_lines(task.state, n)
        row = (lines["row"].cast(pl.Int64) + start).fill_null(task.rows).to_numpy()
        parts.append((lines["line"].to_numpy(), leader[row]))
    line, article = distinct_pairs(*map(np.concatenate, zip(*parts, strict=True)))
    # as many as make a template, so that a line of a large site does not fill a bucket
    start = np.searchsorted(line, line)
    some = np.arange(len(line)) - start < MIN_ARTICLES
    line, article = line[some], article[some]
    rows = records(LINE, line=line, article=article, chunk=task.number)
    write_rows(task.work, spread(line, task.plan.line_buckets), rows)


def _templates(task: JoinTask) -> None:
    rows = np.concatenate([np.empty(0, LINE), *(rows for _, rows in task.read("lines", LINE))])
    counted = rows[rows["article"] != _NO_ARTICLE]
    template = find_template_lines(pl.Series(counted["line"]), pl.Series(counted["article"]))
    rows = rows[np.isin(rows["line"], template.to_numpy())]
    write_rows(task.work, rows["chunk"].astype(np.int64), records(TEMPLATE, line=rows["line"]))


def _final(task: JoinTask) -> dict[str, int]:
    buckets = task.plan.line_buckets
    lines = [rows["line"] for _, rows in task.read("templates", TEMPLATE, buckets)]
    members = np.concatenate(
        [np.empty(0, NAMED), *(rows for _, rows in task.read("leaders", NAMED))]
    )
    keys = task.keys()
    row = members["to"] - task.base
    leaders = keys.copy()
    for name in ("doc", "article"):
        leaders[name][row] = members[name]
    cuts = np.searchsorted(keys["shard"], [*task.shards, task.shards.stop])
    for n, start, end in zip(task.shards, cuts, cuts[1:], strict=False):
        write_clusters(task.work, n, _frame(keys[start:end]), _frame(leaders[start:end]))
    is_article = keys["article"] > 0
    write_template(task.work, np.unique(np.concatenate([np.empty(0, np.uint64), *lines])))
    articles = int(is_article.sum())
    return {"articles": articles, "clusters": articles - int(is_article[row].sum())}


def _frame(keys: Rows) -> pl.DataFrame:
    return pl.DataFrame({"doc_id": keys["doc"], "article": keys["article"].astype(np.int64)})


_STEPS: dict[str, Callable[[JoinTask], dict[str, int] | None]] = {
    "keys": _keys,
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

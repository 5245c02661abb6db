"""The join in chunks and buckets gives what one comparison of all keys gives."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.config import Config
from ingest.dedup.candidates import ENTRY, find_candidates
from ingest.dedup.clusters import Signatures, find_leaders
from ingest.dedup.site_templates import find_template_lines
from ingest.dedup.stars import Neighbours
from ingest.errors import WriteError
from ingest.minhash import BANDS, ROWS, components
from ingest.pipeline import join, join_steps, shuffle
from ingest.pipeline.doc_ids import number_to_doc_id
from ingest.pipeline.join import join_shards
from ingest.pipeline.join_files import read_final
from ingest.pipeline.state import State
from ingest.pipeline.workers import run_in_process

KEYS = {"doc_id": pl.UInt64, "article": pl.Int64}
LINES = {"line": pl.UInt64, "row": pl.UInt32}


@pytest.fixture(scope="module", autouse=True)
def tiny():
    """Chunks of a few keys, and buckets and blocks of a few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "_CHUNK_KEYS", 5)
        patch.setattr(join, "_CHUNKS_PER_BUCKET", 2)
        patch.setattr(join, "_BUCKET_LINES", 7)
        patch.setattr(join, "_LINES_IN_MEMORY", 0)
        patch.setattr(join_steps, "_PAIRED_ENTRIES", 6)
        patch.setattr(join_steps, "_SORTED_PAIRS", 4)
        patch.setattr(join_steps, "_COMPARED", 3)
        patch.setattr(shuffle, "_BLOCK_BYTES", 400)
        yield


def write_shards(state: State, keys: pl.DataFrame, values, lines: pl.DataFrame, cuts) -> None:
    """Write what the join reads of labelled shards; `cuts` are the rows where a new one starts."""
    edges = [0, *cuts, len(keys)]
    for n, (start, end) in enumerate(pairwise(edges)):
        own = lines.filter(pl.col("row").is_between(start, end - 1))
        if n == 0:
            own = pl.concat([own, lines.filter(pl.col("row").is_null())])
        with state.store(state.labelled(n)) as work:
            keys[start:end].write_parquet(work / "keys.parquet")
            np.save(work / "values.npy", values[start:end])
            own.with_columns(pl.col("row") - start).write_parquet(work / "lines.parquet")
            sizes = {"keys": end - start, "lines": len(own)}
            (work / "report.json").write_text(json.dumps({"sizes": sizes}))


def expected(keys: pl.DataFrame, values, lines: pl.DataFrame, threshold: float):
    """Clusters, template lines and counts by comparing all keys at once."""
    first = find_leaders(Signatures(keys, values), threshold)
    kept = lines.drop_nulls()
    template = find_template_lines(kept["line"], pl.Series(first[kept["row"].to_numpy()]))
    leader = keys[first]
    clusters = pl.select(
        pl.format("{}:{}", number_to_doc_id(leader["doc_id"]), leader["article"])
    ).to_series()
    is_article = keys["article"].to_numpy() > 0
    counts = {"articles": int(is_article.sum()), "clusters": len(set(first[is_article].tolist()))}
    return clusters.to_list(), set(template.to_list()), counts


def check(keys, values, lines, cuts, threshold=0.6) -> int:
    """Compare the join of shards with the comparison of all keys. Return the number of clusters."""
    keys, lines = pl.DataFrame(keys, KEYS), pl.DataFrame(lines, LINES, orient="row")
    values = np.asarray(values, np.uint16).reshape(-1, BANDS * ROWS)
    config = Config.from_dict({"dedupe": {"threshold": threshold}})
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder) / "out")
        write_shards(state, keys, values, lines, cuts)
        join_shards(state, len(cuts) + 1, config, run_in_process)
        clusters, template, counts = expected(keys, values, lines, threshold)
        frames = [read_final(state, n) for n in range(len(cuts) + 1)]
        assert pl.concat(frame for frame, _ in frames)["cluster"].to_list() == clusters
        every = pl.concat(frame for frame, _ in frames)
        assert every["doc_id"].to_list() == number_to_doc_id(keys["doc_id"]).to_list()
        assert every["article"].to_list() == keys["article"].to_list()
        edges = [0, *cuts, len(keys)]
        for n, (_, found) in enumerate(frames):
            own = lines.filter(pl.col("row").is_between(edges[n], edges[n + 1] - 1))
            if n == 0:
                own = pl.concat([own, lines.filter(pl.col("row").is_null())])
            assert set(found.to_list()) <= template
            assert set(own["line"].to_list()) & template <= set(found.to_list())
        [report] = state.read_reports([state.joined("report", 0)])
        assert report["counts"] == counts
        return len(set(clusters))


def make_keys(rng: np.random.Generator, rows: int, *, articles: tuple[int, ...] = (0, 1, 2)):
    """Different keys: several articles of each page, in any order."""
    doc = rng.choice(1 << 62, size=1 + rows // 2, replace=False).astype(np.uint64)
    number = rng.permutation(len(doc) * len(articles))[:rows]
    doc, article = doc[number // len(articles)], np.array(articles)[number % len(articles)]
    return {"doc_id": doc * np.uint64(4), "article": article}


def make_lines(rng: np.random.Generator, rows: int, lines: int):
    row = rng.integers(0, rows, lines).tolist()
    return [
        (int(line) << 55, None if rng.random() < 0.1 else r)
        for line, r in zip(rng.integers(0, 30, lines), row, strict=True)
    ]


@settings(max_examples=settings.default.max_examples // 4, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 60),
    alphabet=st.integers(1, 3),
    threshold=st.sampled_from([0.2, 0.6, 1.0]),
    data=st.data(),
)
def test_random_keys(seed, rows, alphabet, threshold, data):
    rng = np.random.default_rng(seed)
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=8)))
    # few texts, in which some values are replaced, so that rows agree to all degrees
    texts = rng.integers(0, 1000, (1 + rows // 8, BANDS * ROWS))
    values = texts[rng.integers(0, len(texts), rows)]
    replaced = rng.random(values.shape) < rng.random((rows, 1)) * 0.5
    values = np.where(replaced, rng.integers(0, alphabet + 1, values.shape), values)
    check(make_keys(rng, rows), values, make_lines(rng, rows, 80), cuts, threshold)


def test_one_text_on_all_pages():
    rng = np.random.default_rng(1)
    keys = make_keys(rng, 60, articles=(1, 2))
    assert check(keys, np.ones((60, BANDS * ROWS)), make_lines(rng, 60, 50), [7, 20, 20, 41]) == 1


def test_one_key_in_one_band_of_different_texts():
    rng = np.random.default_rng(2)
    values = rng.integers(0, 1 << 16, (60, BANDS * ROWS))
    values[:, :ROWS] = 1
    assert check(make_keys(rng, 60), values, make_lines(rng, 60, 50), [30]) == 60


@pytest.mark.parametrize("ordered", [False, True])
def test_a_chain_in_which_only_neighbours_are_alike(ordered):
    rng = np.random.default_rng(3)
    # a third of the bands changes from one row to the next
    values = (np.arange(60)[:, None] + np.arange(BANDS * ROWS) // ROWS) // 3
    keys = make_keys(rng, 60, articles=(1, 2))
    if ordered:
        keys["doc_id"].sort()
        keys["article"][:] = 1 + np.arange(60) % 2
    assert check(keys, values, make_lines(rng, 60, 50), [1, 2, 30]) == 1


def test_no_keys_and_no_lines():
    nothing = {"doc_id": [], "article": []}
    assert check(nothing, [], [], []) == 0
    assert check(nothing, [], [], [0, 0]) == 0


def test_a_join_that_stops_goes_on(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    keys = pl.DataFrame(make_keys(rng, 30), KEYS)
    values = rng.integers(0, 3, (30, BANDS * ROWS)).astype(np.uint16)
    lines = pl.DataFrame(make_lines(rng, 30, 60), LINES, orient="row")
    state = State(tmp_path / "out")
    write_shards(state, keys, values, lines, [10, 20])
    store, calls = State.store, count()

    def stop(self, folder):
        if next(calls) % 4 == 3:
            raise WriteError(f"{folder}: the disk is full")
        return store(self, folder)

    monkeypatch.setattr(State, "store", stop)
    for _ in range(100):
        with suppress(WriteError):
            join_shards(state, 3, Config(), run_in_process)
            break
    assert next(calls) > 60
    clusters, _, counts = expected(keys, values, lines, 0.6)
    frames = [read_final(state, n)[0] for n in range(3)]
    assert pl.concat(frames)["cluster"].to_list() == clusters
    [report] = state.read_reports([state.joined("report", 0)])
    assert report["counts"] == counts
    left = {path.name for path in (state.folder / "joined").rglob("*") if path.is_file()}
    assert left == {
        "plan.json",
        "checksums.json",
        "emptied",
        "report.json",
        "template.npy",
        *(f"{n:06d}.parquet" for n in range(3)),
    }


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2), max_size=40)
        )
    ),
    st.integers(1, 9),
)
def test_stars_are_components(graph, width):
    nodes, edges = graph
    edges = [(a, b) for a, b in edges if a != b]
    expect = components(nodes, [tuple(np.array(edges, np.int64).reshape(-1, 2).T)])
    both = {(a, b) for a, b in edges} | {(b, a) for a, b in edges}
    starts = range(0, nodes, width)

    def step(pairs, name):
        out, unsettled = set(), 0
        for start in starts:
            own = [p for p in sorted(pairs) if start <= p[0] < start + width]
            blocks = [tuple(np.array([p], np.int64).T) for p in own]
            neighbours = Neighbours(start, width, blocks)
            unsettled += neighbours.count_unsettled()
            for left, right in getattr(neighbours, name)(blocks):
                out |= set(zip(left.tolist(), right.tolist(), strict=True))
        return out, unsettled

    for _ in range(20):
        large, unsettled = step(both, "large_star")
        if not unsettled:
            break
        small, _ = step(large, "small_star")
        both = small | {(b, a) for a, b in small}
    assert not unsettled
    least = dict(large)
    assert [least.get(n, n) for n in range(nodes)] == expect.tolist()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 2)), max_size=30),
    st.integers(1, 9),
)
def test_entries_in_parts_give_the_same_candidates(rows, cut):
    entries = np.array([(k, d, a, n) for n, (k, d, a) in enumerate(rows)], ENTRY)
    whole = find_candidates(entries)
    first = find_candidates(entries[entries["doc"] < cut])
    rest = find_candidates(np.concatenate([first.ends, entries[entries["doc"] >= cut]]))

    def pairs(*found):
        return {p for f in found for p in zip(f.earlier.tolist(), f.later.tolist(), strict=True)}

    assert pairs(first, rest) == pairs(whole)
    assert set(rest.ends.tolist()) == set(whole.ends.tolist())

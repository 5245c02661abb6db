"""What looks at all shards at once: comparing their keys, and putting the outputs together."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import I64
from ingest._version import __version__
from ingest.config import Config
from ingest.dedup.clusters import Signatures, cluster_names, leaders
from ingest.dedup.site_templates import template_lines
from ingest.frames import DOCUMENTS, schema
from ingest.io.atomic import atomic_folder
from ingest.io.parquet import sink
from ingest.minhash import BANDS, ROWS
from ingest.pipeline.plan import Plan
from ingest.pipeline.shard import SEGMENTS_OUT, Clock, to_hex
from ingest.pipeline.state import State
from ingest.pipeline.stats import SHOWN, SPREAD, merged, summed, totals
from ingest.text import escape_file_name

# Rows of a Parquet row group: fixed, so that the size of a batch or shard cannot show in the
# bytes, and small enough that one is some megabytes.
_DOCUMENT_ROWS, _SEGMENT_ROWS = 1 << 10, 1 << 16
_LINES = 1 << 20  # short lines compared at once, in a run of no more than _LINES * _DEALS
_DEALS = 1 << 8  # files open at a time
_LINE = np.dtype([("line", np.uint64), ("article", np.int64)])


def join(state: State, numbers: Sequence[int], threshold: float) -> None:
    """Find clusters of articles, then the template lines of sites, by keys alone.

    Leaves, in the state's folder `joined`, a frame a shard with columns doc_id, article, cluster;
    template.npy, as `template_lines` gives it; and report.json.
    """
    if state.joined.exists():
        return
    clock = Clock()
    with atomic_folder(state.joined) as work:
        keys = pl.concat([pl.read_parquet(state.part(n) / "keys.parquet") for n in numbers])
        first, ends = clock("dedupe", _leaders, state, numbers, keys, threshold)
        template = clock("dedupe", _template, state, numbers, first, ends, work)
        np.save(work / "template.npy", template.to_numpy())
        for n, end, start in zip(numbers, ends, [0, *ends], strict=False):
            names = cluster_names(_spelt(keys[first[start:end]]))
            frame = _spelt(keys[start:end]).with_columns(cluster=names)
            frame.write_parquet(work / f"{n:06d}.parquet", compression="lz4")
        own = (keys["article"] > 0).to_numpy()
        counts = {"articles": int(own.sum()), "clusters": len(np.unique(first[own]))}
        report = {"counts": counts, "seconds": clock.seconds}
        (work / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _leaders(
    state: State, numbers: Sequence[int], keys: pl.DataFrame, threshold: float
) -> tuple[I64, list[int]]:
    """The first of each row's cluster, and where the rows of each shard end."""
    values = np.empty((len(keys), BANDS * ROWS), np.uint16)
    ends: list[int] = []
    at = 0
    for n in numbers:
        part = np.load(state.part(n) / "values.npy")
        values[at : at + len(part)] = part
        at += len(part)
        ends.append(at)
    return leaders(Signatures(keys, values), threshold), ends


def _template(
    state: State, numbers: Sequence[int], first: I64, ends: list[int], work: Path
) -> pl.Series:
    """Template lines; all lines are first dealt out to files that are compared one at a time."""
    paths = [state.part(n) / "lines.parquet" for n in numbers]
    total = sum(pl.scan_parquet(p).select(pl.len()).collect().item() for p in paths)
    deals = min(1 + total // _LINES, _DEALS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=work)))
        names = [folder / str(deal) for deal in range(deals)]
        files = [stack.enter_context(name.open("w+b")) for name in names]
        for path, start in zip(paths, [0, *ends], strict=False):
            some = pl.read_parquet(path)
            rows = np.empty(len(some), _LINE)
            rows["line"] = some["line"].to_numpy()
            rows["article"] = first[some["row"].to_numpy() + start]
            deal = rows["line"] % deals
            order = np.argsort(deal, kind="stable")
            rows, deal = rows[order], deal[order]
            cuts = np.searchsorted(deal, np.arange(deals + 1))
            for file, begin, end in zip(files, cuts, cuts[1:], strict=False):
                file.write(rows[begin:end].tobytes())
        found = []
        for file in files:
            file.seek(0)
            dealt = np.frombuffer(file.read(), _LINE)
            found.append(template_lines(pl.Series(dealt["line"]), pl.Series(dealt["article"])))
    return pl.concat(found)


def _spelt(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(to_hex(keys["doc_id"]))


def write(state: State, plan: Plan, config: Config, began: float) -> dict[str, Any]:
    """Put the outputs together from the parts and pieces, in order; returns what run.json holds.

    Args:
        state: where the parts and pieces are, and the outputs go.
        plan: of the run.
        config: its settings.
        began: when it did, by the clock of performance.
    """
    if state.out.exists():  # a run was killed just before it put them into place
        return _read(state.out, "run.json")
    clock = Clock()
    numbers = range(len(plan.shards))
    documents = (p for n in numbers for p in sorted(state.part(n).glob("documents-*.parquet")))
    segments = (p for n in numbers for p in sorted(state.piece(n).glob("segments-*.parquet")))
    with atomic_folder(state.out) as work:
        to = work / "documents.parquet"
        clock(
            "write",
            sink,
            map(pl.read_parquet, documents),
            schema(DOCUMENTS),
            to,
            rows=_DOCUMENT_ROWS,
        )
        to = work / "segments.parquet"
        clock("write", sink, map(pl.read_parquet, segments), SEGMENTS_OUT, to, rows=_SEGMENT_ROWS)
        clock("write", _join_articles, state, numbers, work / "articles.jsonl")
        report = _report(state, plan, config, clock)
        report["elapsed"] = round(time.perf_counter() - began, 3)
        with (work / "run.json").open("w", encoding="utf-8") as file:
            json.dump(report, file, ensure_ascii=False, indent=2)
            file.write("\n")
    return report


def _join_articles(state: State, numbers: Sequence[int], to: Path) -> None:
    with to.open("wb") as file:
        for n in numbers:
            with (state.piece(n) / "articles.jsonl").open("rb") as piece:
                shutil.copyfileobj(piece, file)


def _report(state: State, plan: Plan, config: Config, clock: Clock) -> dict[str, Any]:
    numbers = range(len(plan.shards))
    parts = [_read(state.part(n)) for n in numbers]
    pieces = [_read(state.piece(n)) for n in numbers]
    across = _read(state.joined)
    by_source = merged(entry for part in parts for entry in part["sources"])
    inputs = []
    for name, stamp in plan.stamps.items():
        source = escape_file_name(name)  # as documents have it
        seen = by_source.get(source, {"records": 0, "errors": 0, "sha256": None})
        inputs.append({"source": source, "bytes": stamp[0] if stamp else 0, **seen})
    spread = summed([pl.DataFrame(p["by_role_and_lang"], SPREAD) for p in pieces])
    seconds = totals(r["seconds"] for r in (*parts, across, *pieces, {"seconds": clock.seconds}))
    return {
        "version": __version__,
        "config": config.to_dict(),
        "fingerprint": config.fingerprint(),
        "inputs": inputs,
        "in_error": [page for part in parts for page in part["in_error"]][:SHOWN],
        "skipped": [escape_file_name(name) for name in plan.skipped],
        "columns": [escape_file_name(line) for line in plan.columns],
        "counts": {
            **totals(r["counts"] for r in (*parts, *pieces)),
            **across["counts"],
            "by_role_and_lang": spread.to_dicts(),
        },
        "seconds": {step: round(s, 3) for step, s in seconds.items()},
    }


def _read(folder: Path, name: str = "report.json") -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / name).read_bytes())
    return report

"""The steps of a run that need all shards: compare their keys, and assemble the outputs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import zstandard

from ingest._typing import I64
from ingest._version import __version__
from ingest.config import Config
from ingest.dedup.clusters import Signatures, cluster_names, find_leaders
from ingest.dedup.site_templates import find_template_lines
from ingest.frames import DOCUMENTS, schema
from ingest.io.arrays import save_array
from ingest.io.memory import release_memory
from ingest.io.parquet import read_parquet, scan_parquet, sink, write_parquet
from ingest.io.run_files import CORRECTIONS_FILE, RUN_FILE
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS
from ingest.pipeline.plan import Plan
from ingest.pipeline.shard import ARTICLES_FILE, OUTPUT_SEGMENTS, StepTimer, number_to_doc_id
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    MAX_LISTED_ERRORS,
    MAX_LISTED_SKIPPED,
    ROLE_COUNTS,
    merge_sources,
    sum_counts,
    sum_role_counts,
)
from ingest.review.corrections import parse_corrections
from ingest.text import escape_file_name

# Size of a Parquet row group. It depends on neither batches nor shards, so neither do the outputs.
# A group takes a few megabytes, of which Polars holds several at a time, and two kilobytes per
# column until the file is complete, so there must not be too many.
SEGMENT_ROWS = 1 << 13
_DOCUMENT_CHARS, _MAX_DOCUMENT_ROWS = 1 << 19, 1 << 10
_BUCKET_LINES = 1 << 20  # short lines compared at once, while _MAX_BUCKETS are enough
_MAX_BUCKETS = 1 << 8  # files open at a time
_LINES = "lines.parquet"
_LINE = np.dtype([("line", np.uint64), ("article", np.int64)])


def join_shards(state: State, numbers: Sequence[int], threshold: float) -> None:
    """Find clusters of articles and the template lines of sites by comparing keys.

    The folder `state.joined` then has one frame per shard with columns doc_id, article, cluster;
    template.npy, as `find_template_lines` returns it; and report.json.
    """
    if state.has(state.joined):
        return
    timer = StepTimer()
    with state.store(state.joined) as work:
        keys = pl.concat([_read_keys(state, n) for n in numbers])
        first, ends = timer("dedupe", _cluster_leaders, state, numbers, keys, threshold)
        template = timer("dedupe", _find_template_lines, state, numbers, first, ends, work)
        save_array(template.to_numpy(), work / "template.npy")
        for n, start, end in zip(numbers, [0, *ends], ends, strict=False):
            names = cluster_names(_with_doc_ids(keys[first[start:end]]))
            frame = _with_doc_ids(keys[start:end]).with_columns(cluster=names)
            write_parquet(frame, work / f"{n:06d}.parquet", compression="lz4")
        is_article = (keys["article"] > 0).to_numpy()
        counts = {
            "articles": int(is_article.sum()),
            "clusters": len(np.unique(first[is_article])),
        }
        report = {"counts": counts, "seconds": timer.seconds}
        (work / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _read_keys(state: State, number: int) -> pl.DataFrame:
    with state.borrow(state.labelled(number), "keys.parquet") as folder:
        return read_parquet(folder / "keys.parquet")


def _cluster_leaders(
    state: State, numbers: Sequence[int], keys: pl.DataFrame, threshold: float
) -> tuple[I64, list[int]]:
    """Return the first row of each row's cluster, and where the rows of each shard end."""
    ends: list[int] = []
    start = 0
    with RowStore(BANDS * ROWS, np.uint16) as store:
        for n in numbers:
            with state.borrow(state.labelled(n), "values.npy") as folder:
                values = np.load(folder / "values.npy")
            store.append(values)
            start += len(values)
            ends.append(start)
        return find_leaders(Signatures(keys, store.rows()), threshold), ends


def _find_template_lines(
    state: State, numbers: Sequence[int], first: I64, ends: list[int], work: Path
) -> pl.Series:
    """Find template lines. Equal lines go to the same bucket, and one bucket is read at a time."""
    total = 0
    for n in numbers:
        with state.borrow(state.labelled(n), _LINES) as shard:
            total += scan_parquet(shard / _LINES).select(pl.len()).collect().item()
    buckets = min(1 + total // _BUCKET_LINES, _MAX_BUCKETS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=work)))
        names = [folder / str(bucket) for bucket in range(buckets)]
        files = [stack.enter_context(name.open("w+b")) for name in names]
        for n, start in zip(numbers, [0, *ends], strict=False):
            with state.borrow(state.labelled(n), _LINES) as shard:
                lines = read_parquet(shard / _LINES)
            rows = np.empty(len(lines), _LINE)
            rows["line"] = lines["line"].to_numpy()
            rows["article"] = first[lines["row"].to_numpy() + start]
            bucket = rows["line"] % buckets
            order = np.argsort(bucket, kind="stable")
            rows, bucket = rows[order], bucket[order]
            cuts = np.searchsorted(bucket, np.arange(buckets + 1))
            for file, begin, end in zip(files, cuts, cuts[1:], strict=False):
                file.write(rows[begin:end].tobytes())
        templates = []
        for file in files:
            file.seek(0)
            rows = np.frombuffer(file.read(), _LINE)
            templates.append(
                find_template_lines(pl.Series(rows["line"]), pl.Series(rows["article"]))
            )
    return pl.concat(templates)


def _with_doc_ids(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(number_to_doc_id(keys["doc_id"]))


def write_outputs(state: State, plan: Plan, config: Config, started: float) -> dict[str, Any]:
    """Assemble the outputs from the shards, in order. Return the content of run.json.

    Args:
        state: where the shards are and the outputs go.
        plan: the plan of the run.
        config: its settings.
        started: `time.perf_counter()` at the start of the run.
    """
    if state.has(state.out):  # an earlier run was killed just before it moved them into place
        return state.read_written_report()
    timer = StepTimer()
    numbers = range(len(plan.shards))
    documents = _batches(state, map(state.labelled, numbers), "documents-*.parquet")
    segments = _batches(state, map(state.finished, numbers), "segments-*.parquet")
    labelled = state.read_reports(map(state.labelled, numbers))
    pages = sum_counts(report["counts"] for report in labelled)
    document_rows = _DOCUMENT_CHARS * pages["pages"] // max(pages["chars"], 1)
    release_memory()
    state.check_room(numbers)
    with state.store(state.out) as work:
        for name, paths, columns, rows in (
            (
                "documents.parquet",
                documents,
                schema(DOCUMENTS),
                min(max(document_rows, 1), _MAX_DOCUMENT_ROWS),
            ),
            ("segments.parquet", segments, OUTPUT_SEGMENTS, SEGMENT_ROWS),
        ):
            timer("write", sink, map(read_parquet, paths), columns, work / name, rows=rows)
            timer("write", state.add_output, work / name)
        timer("write", _concat_articles, state, numbers, work / "articles.jsonl")
        timer("write", state.add_output, work / "articles.jsonl")
        if corrections := state.read_corrections():
            (work / CORRECTIONS_FILE).write_bytes(corrections)
            state.add_output(work / CORRECTIONS_FILE)
        report = _build_report(state, plan, config, labelled, timer)
        report["elapsed"] = round(time.perf_counter() - started, 3)
        with (work / RUN_FILE).open("w", encoding="utf-8") as file:
            json.dump(report, file, ensure_ascii=False, indent=2)
            file.write("\n")
        state.add_output(work / RUN_FILE)
    return report


def _batches(state: State, folders: Iterable[Path], pattern: str) -> Iterator[Path]:
    """The files of shards, in order. Each shard is there until the next one is asked for."""
    for folder in folders:
        with state.borrow(folder, pattern) as shard:
            yield from sorted(shard.glob(pattern))


def _concat_articles(state: State, numbers: Sequence[int], dest: Path) -> None:
    with dest.open("wb") as out:
        for n in numbers:
            with (
                state.borrow(state.finished(n), ARTICLES_FILE) as shard,
                zstandard.open(shard / ARTICLES_FILE) as file,
            ):
                shutil.copyfileobj(file, out)


def _build_report(
    state: State, plan: Plan, config: Config, labelled: list[dict[str, Any]], timer: StepTimer
) -> dict[str, Any]:
    finished = state.read_reports(map(state.finished, range(len(plan.shards))))
    (joined,) = state.read_reports([state.joined])
    by_source = merge_sources(entry for report in labelled for entry in report["sources"])
    inputs = []
    for name, stamp in plan.stamps.items():
        source = escape_file_name(name)  # as in documents
        counts = by_source.get(source, {"records": 0, "errors": 0, "sha256": None})
        inputs.append({"source": source, "bytes": stamp[0] if stamp else 0, **counts})
    corrected = sum_counts(report["corrected"] for report in finished)
    joined["counts"]["articles"] += corrected.pop("articles", 0)
    if corrections := state.read_corrections():
        given = len(parse_corrections(corrections, CORRECTIONS_FILE).segments)
        corrected = {"segments": given, **corrected}
    role_counts = [pl.DataFrame(r["by_role_and_lang"], ROLE_COUNTS) for r in finished]
    seconds = sum_counts(
        r["seconds"] for r in (*labelled, joined, *finished, {"seconds": timer.seconds})
    )
    return {
        "version": __version__,
        "config": config.to_dict(),
        "fingerprint": config.fingerprint(),
        "inputs": inputs,
        "in_error": [page for r in labelled for page in r["in_error"]][:MAX_LISTED_ERRORS],
        "skipped": [
            {"source": escape_file_name(source), "reason": reason}
            for source, reason in plan.skipped[:MAX_LISTED_SKIPPED]
        ],
        "left_out": dict(sorted(sum_counts(r["left_out"] for r in labelled).items())),
        "columns": [escape_file_name(line) for line in plan.columns],
        "counts": {
            **sum_counts(r["counts"] for r in (*labelled, *finished)),
            **joined["counts"],
            "skipped": len(plan.skipped),
            "by_role_and_lang": sum_role_counts(role_counts).to_dicts(),
        },
        **({"corrected": corrected} if corrected else {}),
        "seconds": {step: round(s, 3) for step, s in seconds.items()},
    }

"""The whole run: batches of pages through the steps, then across pages, then four files at once.

Pass one looks at one batch of pages at a time and writes it as a part; pass two compares keys;
pass three writes the outputs from the parts. Nothing holds the corpus. The outputs are made in a
folder beside OUT and renamed when complete, so they appear whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest.config import Config
from ingest.dedupe import Signatures, clusters, signatures, with_clusters
from ingest.detect import detect
from ingest.errors import OutputError, WriteError
from ingest.frames import CLUSTERED, DETECTED, LABELLED, SEGMENTS, schema
from ingest.label import label
from ingest.read import batches
from ingest.read.sources import find
from ingest.segment import segment
from ingest.sites import short_lines, sites, template_lines, without_template

OUTPUTS = ("documents.parquet", "segments.parquet", "articles.jsonl", "run.json")
# Rows of a Parquet row group: fixed, so that the size of a batch cannot show in the bytes, and
# small enough that one is some megabytes.
_DOCUMENT_ROWS, _SEGMENT_ROWS = 1 << 10, 1 << 16

Progress = Callable[[int, int], None]


def run(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Read, segment, detect, label and dedupe pages, and write what came of it to a folder.

    Writes documents.parquet, segments.parquet, articles.jsonl (one record an article that has
    kept text) and run.json. But for the timings in run.json, the same pages and settings give the
    same bytes, in whatever order the sources are named and whatever the size of a batch.

    Args:
        sources: files, folders, globs, or '-' for standard input.
        out: folder to make.
        config: settings; the defaults where None.
        overwrite: replace `out` if an earlier run made it.
        progress: called with the number of pages done and of all pages.

    Returns:
        What run.json holds.

    Raises:
        SourceError: no page was found.
        OutputError: `out` exists.
        WriteError: `out` cannot be written; nothing of it is left.

    >>> import tempfile, ingest
    >>> done = run(ingest.samples(), tempfile.mkdtemp() + "/out")
    >>> done["counts"]["errors"]
    0
    """
    config = config or Config()
    found = find(sources)
    target = Path(out)
    _refuse_existing(target, overwrite=overwrite)
    with _made_whole(target) as work:
        job = _Job(work, config)
        job.label(found.files, progress or (lambda _done, _all: None))
        job.dedupe()
        job.write()
        report = job.report(found.skipped)
        (work / "run.json").write_text(
            json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        shutil.rmtree(job.parts)
    return report


class _Job:
    """The state of one run: its working folder, its counts and its clock."""

    def __init__(self, work: Path, config: Config) -> None:
        self.work = work
        self.parts = work / "parts"
        self.parts.mkdir()
        self.config = config
        self.count = 0
        self.empty = 0
        self.seconds: dict[str, float] = {}
        self.signatures: list[Signatures] = []
        self.lines: list[pl.DataFrame] = []
        self.clusters = pl.DataFrame()

    def label(self, files: list[str], progress: Progress) -> None:
        """Pass one: each batch of pages becomes a labelled part."""
        pages = batches(files, batch_chars=self.config.run.batch_chars)
        done = 0
        while (documents := self._timed("read", next, pages, None)) is not None:
            segments = self._timed("segment", segment, documents, config=self.config.segment)
            segments = self._timed("detect", detect, segments, config=self.config.detect)
            segments = self._timed("label", label, segments)
            self._timed("dedupe", self._note, documents, segments)
            self._timed("write", self._keep, documents, segments)
            done += len(documents)
            progress(done, len(files))

    def dedupe(self) -> None:
        """Pass two: clusters of articles, then template lines of sites, by their keys."""
        self._timed("dedupe", self._dedupe)

    def write(self) -> None:
        """Pass three: the outputs, from the parts."""
        self._timed("write", self._write)

    def _keep(self, documents: pl.DataFrame, segments: pl.DataFrame) -> None:
        documents.write_parquet(self._part("documents", self.count), compression="lz4")
        segments.write_parquet(self._part("segments", self.count), compression="lz4")
        self.count += 1

    def _part(self, name: str, number: int) -> Path:
        return self.parts / f"{name}-{number:08d}.parquet"

    def _paths(self, name: str) -> list[Path]:
        return [self._part(name, n) for n in range(self.count)]

    def _note(self, documents: pl.DataFrame, segments: pl.DataFrame) -> None:
        blank = pl.col("text").str.strip_chars() == ""
        self.empty += documents.select(blank.sum()).item()
        self.signatures.append(signatures(segments))
        self.lines.append(short_lines(segments, sites(documents)))

    def _dedupe(self) -> None:
        everything = Signatures(
            pl.concat([s.keys for s in self.signatures]),
            np.concatenate([s.values for s in self.signatures]),
        )
        self.signatures.clear()
        self.clusters = clusters(everything, self.config.dedupe.threshold)
        found = template_lines(pl.concat(self.lines), self.clusters)
        self.lines.clear()
        for n in range(self.count if len(found) else 0):
            site = sites(pl.read_parquet(self._part("documents", n)))
            segments = pl.read_parquet(self._part("segments", n))
            without_template(segments, site, found).write_parquet(
                self._part("segments", n), compression="lz4"
            )

    def _write(self) -> None:
        columns = schema(SEGMENTS, DETECTED, LABELLED, CLUSTERED).names()
        found = self.clusters.lazy()
        pl.scan_parquet(self._paths("documents")).sink_parquet(
            self.work / "documents.parquet", row_group_size=_DOCUMENT_ROWS, maintain_order=True
        )
        pl.scan_parquet(self._paths("segments")).join(
            found, on=["doc_id", "article"], how="left", maintain_order="left"
        ).select(columns).sink_parquet(
            self.work / "segments.parquet", row_group_size=_SEGMENT_ROWS, maintain_order=True
        )
        with (self.work / "articles.jsonl").open("wb") as file:
            for n in range(self.count):
                documents = pl.read_parquet(
                    self._part("documents", n), columns=["doc_id", "source"]
                )
                segments = pl.read_parquet(self._part("segments", n))
                articles(with_clusters(segments, self.clusters), documents).write_ndjson(file)

    def report(self, skipped: list[str]) -> dict[str, Any]:
        """What run.json says."""
        from ingest import __version__  # the package imports this module

        documents = pl.scan_parquet(self.work / "documents.parquet")
        segments = pl.scan_parquet(self.work / "segments.parquet")
        one_row = documents.select(
            pages=pl.len(),
            errors=pl.col("error").count(),
            replaced=pl.col("replaced").sum(),
            chars=pl.col("chars").sum(),
        ).collect(engine="streaming")
        sums = segments.select(
            segments=pl.len(),
            kept=pl.col("keep").sum(),
            duplicates=pl.col("duplicate_of").count(),
            template_lines=(pl.col("role_by") == "site").sum(),
        ).collect(engine="streaming")
        spread = (
            segments.group_by("role", "lang")
            .agg(segments=pl.len(), kept=pl.col("keep").sum())
            .sort("role", "lang")
            .collect(engine="streaming")
        )
        articles = self.clusters.filter(pl.col("article") > 0)
        inputs = documents.select("source", "sha256", "error").collect(engine="streaming")
        return {
            "version": __version__,
            "config": self.config.to_dict(),
            "fingerprint": self.config.fingerprint(),
            "inputs": inputs.to_dicts(),
            "skipped": skipped,
            "counts": {
                **one_row.to_dicts()[0],
                "empty": self.empty,
                **sums.to_dicts()[0],
                "articles": len(articles),
                "clusters": articles["cluster"].n_unique(),
                "by_role_and_lang": spread.to_dicts(),
            },
            "seconds": {step: round(s, 3) for step, s in self.seconds.items()},
        }

    def _timed(self, step: str, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - began


def articles(segments: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """One row an article that has kept text, in page order.

    Columns: doc_id, source, article, cluster, lang (of most of its kept text), headline (null
    where none was found), text (kept segments, one a line), lines ([first, last] line in the file
    of each of them).
    """
    kept = segments.filter("keep").with_columns(weight=pl.col("text").str.len_chars())
    same = ["doc_id", "article"]
    lang = (
        kept.group_by(*same, "lang")
        .agg(pl.col("weight").sum())
        .sort("weight", "lang", descending=[True, False])
        .unique(same, keep="first", maintain_order=True)
        .select(*same, "lang")
    )
    # a segment never holds a newline, so text.split("\n") goes with lines
    return (
        kept.group_by(same, maintain_order=True)
        .agg(
            pl.col("cluster").first(),
            headline=pl.col("text").filter(pl.col("role") == "headline").first(),
            text=pl.col("text").str.join("\n"),
            lines=pl.concat_list("line", "line"),
        )
        .join(lang, on=same, how="left", maintain_order="left")
        .join(documents.select("doc_id", "source"), on="doc_id", how="left", maintain_order="left")
        .select("doc_id", "source", "article", "cluster", "lang", "headline", "text", "lines")
    )


def _refuse_existing(target: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OutputError(f"{target}: exists; choose another folder, or give --overwrite")
    if not target.is_dir():
        raise OutputError(f"{target}: is no folder; choose another")
    others = sorted(p.name for p in target.iterdir() if p.name not in OUTPUTS)
    if others:
        raise OutputError(
            f"{target}: holds what ingest did not write ({', '.join(others[:3])}); "
            "choose another folder"
        )


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all went well, and vanishes if not."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise WriteError(f"{target}: cannot be made: {error.strerror}") from error
    try:
        yield work
        work.chmod(0o777 & ~_umask())
        if target.exists():
            old = work.with_name(work.name + ".old")
            target.rename(old)
            work.rename(target)
            shutil.rmtree(old)
        else:
            work.rename(target)
    except OSError as error:
        raise WriteError(f"{target}: cannot be written: {error}") from error
    except pl.exceptions.PolarsError as error:
        if "os error" not in str(error):  # how Polars tells of a full disk
            raise
        raise WriteError(f"{target}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

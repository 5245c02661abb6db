"""A Parquet file of pairs, read and written in batches, and the report that goes with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import Progress
from ingest.frames import PAIRS, check
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import scan_parquet, sink
from ingest.io.run_files import RUN_FILE, find_pairs
from ingest.io.snapshot import Snapshot

BATCH_SIZE = 1 << 15  # pairs whose texts are in memory at the same time


class PairsFile:
    """A Parquet file of pairs that is read in batches.

    Args:
        source: the file, or a folder that contains pairs.parquet.
        verb: the step that reads it, for error messages.
        progress: called with the number of pairs read, and of all pairs to read.
        passes: how often the step usually reads all pairs; the total grows if it is more often.

    Raises:
        SourceError: there is no such file, or it is not Parquet.
        FrameError: a column of pairs is missing.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        verb: str,
        progress: Progress | None = None,
        passes: int = 1,
    ) -> None:
        self.path = find_pairs(source)
        self._read = Snapshot(self.path).read
        self._frame = scan_parquet(self.path)
        self.columns = self._read(self._frame.collect_schema)
        self.count = int(self._read(self._frame.select(pl.len()).collect).item())
        check(pl.DataFrame(schema=self.columns), PAIRS, verb=f"{verb} of {self.path}")
        self._progress, self._passes, self._begun, self._done = progress, passes, 0, 0

    def batches(
        self, *, columns: Sequence[str] | None = None, reported: bool = True
    ) -> Iterator[pl.DataFrame]:
        """Yield the pairs in order. This can be called more than once.

        Args:
            columns: the columns to read; all if None.
            reported: whether this is a pass of which the progress is reported.

        Raises:
            SourceError: the file is damaged, or has changed since it was opened.
        """
        if reported:
            self.begin_pass()
        frame = self._frame if columns is None else self._frame.select(columns)
        for start in range(0, self.count, BATCH_SIZE):
            batch: pl.DataFrame = self._read(frame.slice(start, BATCH_SIZE).collect)
            yield batch
            if reported:
                self.report(len(batch))

    def begin_pass(self) -> None:
        """Report that all pairs are about to be read, once more."""
        self._done = self._begun * self.count
        self._begun += 1
        self.report(0)

    def report(self, read: int) -> None:
        """Report that some more pairs were read in this pass."""
        self._done += read
        if self._progress:
            self._progress(self._done, max(self._passes, self._begun) * self.count)

    def check_outputs(
        self,
        out: str | Path,
        report_suffix: str,
        *,
        overwrite: bool,
        other_inputs: Sequence[str | Path] = (),
    ) -> None:
        """Raise unless `out` and its report may be written.

        Args:
            out: Parquet file to write.
            report_suffix: suffix of the report file, used if there is no run.json to extend.
            overwrite: whether existing files may be replaced.
            other_inputs: inputs besides these pairs.

        Raises:
            WriteError: the parent folder does not exist.
            OutputError: a file exists and must not be replaced, or is an input.
        """
        inputs = (self.path, *other_inputs)
        check_output(out, overwrite=overwrite, inputs=inputs, parquet=True)
        if self._run(out) is None:
            check_output(Path(out).with_suffix(report_suffix), overwrite=overwrite, inputs=inputs)

    def _run(self, out: str | Path) -> dict[str, Any] | None:
        """Return run.json of the run that the pairs and `out` both belong to, or None."""
        if Path(out).resolve().parent != self.path.resolve().parent:
            return None  # an experiment elsewhere must not replace what the run says of itself
        try:
            run = json.loads((self.path.parent / RUN_FILE).read_bytes())
        except (OSError, ValueError):
            return None
        return run if isinstance(run, dict) and "fingerprint" in run else None

    def write(
        self, dest: str | Path, batches: Iterable[pl.DataFrame], *, new_columns: pl.Schema
    ) -> None:
        """Write batches of these pairs to `dest`, with `new_columns` added."""
        with atomic_write(dest) as work:
            sink(batches, pl.Schema({**self.columns, **new_columns}), work)

    def write_report(
        self, out: str | Path, verb: str, report: dict[str, Any], report_suffix: str
    ) -> Path:
        """Add a report to run.json if pairs and `out` belong to one run, else write it by `out`.

        Args:
            out: the Parquet file that was written.
            verb: key of the report in run.json; other keys are kept.
            report: what to write.
            report_suffix: suffix of the report file, used if there is no run.json to extend.

        Returns:
            The file that contains the report.
        """
        path, content = Path(out).with_suffix(report_suffix), report
        if run := self._run(out):
            path, content = self.path.parent / RUN_FILE, {**run, verb: report}
        with atomic_write(path) as work:
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            work.write_text(text, encoding="utf-8")
        return path

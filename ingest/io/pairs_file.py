"""A Parquet file of pairs, read and written in batches, and the report that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import Progress
from ingest.errors import SourceError
from ingest.frames import PAIRS, check
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import scan_parquet, sink
from ingest.io.parquet_bombs import refuse_bombs
from ingest.io.run_files import RUN_FILE, find_pairs
from ingest.io.run_json import read_run_of
from ingest.io.snapshot import Snapshot
from ingest.text import json_document

TEXTS = ("source_text", "target_text")
BATCH_SIZE = 1 << 15  # pairs whose texts are in memory at the same time
# The largest text of a pair, in UTF-8. A chapter of a book has a twentieth of it. Scores and
# patterns need up to a hundred times the memory of a text, and a file of a few kilobytes may hold
# texts of any size.
MAX_TEXT_BYTES = 1 << 20
TOO_LARGE = f"has a text of more than {MAX_TEXT_BYTES:,} bytes"


class PairsFile:
    """A Parquet file of pairs that is read in batches.

    Args:
        source: the file, or a folder that contains pairs.parquet.
        verb: the step that reads it, for error messages.
        progress: called with the number of pairs read, and of all pairs to read.
        passes: how often the step usually reads all pairs; the total grows if it is more often.

    Raises:
        SourceError: there is no such file, it is not Parquet, or it has rows that must not be read.
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
        refuse_bombs(self.path)
        self._progress, self._passes, self._begun, self._done = progress, passes, 0, 0

    def batches(
        self, *, columns: Sequence[str] | None = None, reported: bool = True
    ) -> Iterator[pl.DataFrame]:
        """Yield the pairs in order. This can be called more than once.

        Args:
            columns: the columns to read; all if None.
            reported: whether this is a pass of which the progress is reported.

        Raises:
            SourceError: the file is damaged, has changed since it was opened, or has a text that
                is too large.
        """
        if reported:
            self.begin_pass()
        frame = self._frame if columns is None else self._frame.select(columns)
        for start in range(0, self.count, BATCH_SIZE):
            batch: pl.DataFrame = self._read(frame.slice(start, BATCH_SIZE).collect)
            check_text_sizes(batch, self.path, start)
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
            SourceError: run.json, to which the report will be added, cannot be read.
        """
        inputs = (self.path, *other_inputs)
        check_output(out, overwrite=overwrite, inputs=inputs, parquet=True)
        if self._run(out) is None:
            check_output(Path(out).with_suffix(report_suffix), overwrite=overwrite, inputs=inputs)

    def _run(self, out: str | Path) -> dict[str, Any] | None:
        """Return run.json of the run that the pairs and `out` both belong to, or None.

        It is read only to add to it. So a run whose run.json is damaged still gives its pairs to
        an output elsewhere, and to steps without a report.

        Raises:
            SourceError: it cannot be read.
        """
        if Path(out).resolve().parent != self.path.resolve().parent:
            return None  # an experiment elsewhere must not replace what the run says of itself
        run = read_run_of(self.path)
        return run if "fingerprint" in run else None

    @contextmanager
    def write(
        self, dest: str | Path, batches: Iterable[pl.DataFrame], *, new_columns: pl.Schema
    ) -> Iterator[None]:
        """Write batches of these pairs with `new_columns` added; at the end they become `dest`.

        What is written within the block, such as a report, is there if `dest` is.
        """
        with atomic_write(dest) as work:
            sink(batches, pl.Schema({**self.columns, **new_columns}), work)
            yield

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
            text = json_document(content)
            work.write_text(text, encoding="utf-8")
        return path


def find_large_texts(frame: pl.DataFrame) -> pl.Series:
    """Return for each row whether one of its texts has more than MAX_TEXT_BYTES.

    >>> find_large_texts(pl.DataFrame({"a": ["x", "y" * (MAX_TEXT_BYTES + 1)]})).to_list()
    [False, True]
    """
    is_large = [
        pl.repeat(value=False, n=pl.len()),
        *(
            (pl.col(name).str.len_bytes() > MAX_TEXT_BYTES).fill_null(value=False)
            for name, dtype in frame.schema.items()
            if dtype == pl.String
        ),
    ]
    return frame.select(pl.any_horizontal(is_large)).to_series()


def check_text_sizes(pairs: pl.DataFrame, path: Path, start: int) -> None:
    """Raise if a text of a pair is too large to work on.

    Args:
        pairs: some rows of a file.
        path: the file.
        start: the number of the first of them.

    Raises:
        SourceError: a text is too large.
    """
    texts = pairs.select(name for name in TEXTS if name in pairs.columns)
    large = find_large_texts(texts).arg_true()
    if len(large):
        raise SourceError(
            f"{path}, row {start + large[0] + 1:,}: {TOO_LARGE}; ingest import leaves such pairs "
            "out, and counts them"
        )

"""A file of pairs: read and written a batch at a time, and what is told of that in its run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ingest.frames import PAIRS, check
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import sink
from ingest.io.run_files import RUN_FILE, find_pairs
from ingest.io.snapshot import Snapshot

BATCH = 1 << 15  # pairs whose texts are looked at together


class PairsFile:
    """A Parquet file of pairs, read a batch at a time.

    Args:
        source: the file, or a folder that holds pairs.parquet.
        verb: who asks, for errors.

    Raises:
        SourceError: there is no such file, or it is no Parquet file.
        FrameError: it lacks a column of pairs.
    """

    def __init__(self, source: str | Path, *, verb: str) -> None:
        self.path = find_pairs(source)
        self._read = Snapshot(self.path).read
        self._frame = pl.scan_parquet(self.path)
        self.columns = self._read(self._frame.collect_schema)
        self.pairs = int(self._read(self._frame.select(pl.len()).collect).item())
        check(pl.DataFrame(schema=self.columns), PAIRS, verb=f"{verb} of {self.path}")

    def batches(self) -> Iterator[pl.DataFrame]:
        """The pairs, in order; as often as is wanted.

        Raises:
            SourceError: the file is damaged, or not what it was when it was opened.
        """
        for at in range(0, self.pairs, BATCH):
            yield self._read(self._frame.slice(at, BATCH).collect)

    def refuse(
        self, out: str | Path, beside: str, *, overwrite: bool, others: Sequence[str | Path] = ()
    ) -> None:
        """Raise unless `out`, and the report on it, may be made.

        Args:
            out: what is to be written.
            beside: ending of the report's file, where it does not go to run.json.
            overwrite: whether they may be replaced.
            others: inputs beside these pairs.

        Raises:
            WriteError: the folder that they are to stand in is not there.
            OutputError: one is there, and is not to be replaced or is an input.
        """
        inputs = (self.path, *others)
        check_output(out, overwrite=overwrite, inputs=inputs, parquet=True)
        if self._run() is None:
            check_output(Path(out).with_suffix(beside), overwrite=overwrite, inputs=inputs)

    def _run(self) -> dict[str, Any] | None:
        """What run.json of the run that the pairs are of holds; None where there is none."""
        try:
            held = json.loads((self.path.parent / RUN_FILE).read_bytes())
        except (OSError, ValueError):
            return None
        return held if isinstance(held, dict) and "fingerprint" in held else None

    def rewrite(self, dest: str | Path, batches: Iterable[pl.DataFrame], *, new: pl.Schema) -> None:
        """Write batches of these pairs, which have columns `new` too."""
        with atomic_write(dest) as work:
            sink(batches, pl.Schema({**self.columns, **new}), work)

    def tell(self, out: str | Path, verb: str, report: dict[str, Any], beside: str) -> Path:
        """Leave a report in run.json of the run that the pairs are of, else beside `out`.

        Args:
            out: what was written.
            verb: the key of run.json that it stands under; what else is there stays.
            report: it.
            beside: ending of the file beside `out`.

        Returns:
            Where it stands.
        """
        to, what = Path(out).with_suffix(beside), report
        if held := self._run():
            to, what = self.path.parent / RUN_FILE, {**held, verb: report}
        with atomic_write(to) as work:
            work.write_text(json.dumps(what, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return to

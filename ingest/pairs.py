"""A file of pairs: read and written a batch at a time, and what is told of that in its run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import SourceError
from ingest.export.parquet import sink
from ingest.export.selection import RUN_FILE, find
from ingest.frames import PAIRS, check
from ingest.places import placed

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
        self.path = find(source)
        try:
            self._frame = pl.scan_parquet(self.path)
            self.columns = self._frame.collect_schema()
            self.pairs = int(self._frame.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise SourceError(f"{self.path}: cannot be read as Parquet: {error}") from error
        check(pl.DataFrame(schema=self.columns), PAIRS, verb=f"{verb} of {self.path}")

    def batches(self) -> Iterator[pl.DataFrame]:
        """The pairs, in order."""
        for at in range(0, self.pairs, BATCH):
            yield self._frame.slice(at, BATCH).collect()

    def rewrite(self, dest: str | Path, batches: Iterable[pl.DataFrame], *, new: pl.Schema) -> None:
        """Write batches of these pairs, which have columns `new` too."""
        with placed(dest) as work:
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
        run = self.path.parent / RUN_FILE
        try:
            held = json.loads(run.read_bytes())
        except (OSError, ValueError):
            held = None
        to, what = Path(out).with_suffix(beside), report
        if isinstance(held, dict) and "fingerprint" in held:
            to, what = run, {**held, verb: report}
        with placed(to) as work:
            work.write_text(json.dumps(what, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return to

"""What a worker does for `ingest.pipeline.row_groups`: call a function on some rows of a file."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from ingest.config import Config
from ingest.io.atomic import atomic_write
from ingest.io.opening import Stamp
from ingest.io.pairs_file import check_text_sizes
from ingest.io.parquet import scan_parquet
from ingest.io.snapshot import Snapshot
from ingest.pipeline.plan import check_unchanged, stamps_of

_HINT = "; start again"


def part_path(folder: Path, number: int) -> Path:
    """Return the file of a part.

    >>> part_path(Path("parts"), 3).name
    '3.arrow'
    """
    return folder / f"{number}.arrow"


def keywords_path(folder: Path) -> Path:
    """Return the file of the keywords that the function gets, next to the parts."""
    return folder / "keywords.pickle"


@cache  # so once per process; each run has a folder of its own
def _read_keywords(path: Path) -> dict[str, Any]:
    keywords: dict[str, Any] = pickle.loads(path.read_bytes())  # noqa: S301 - written by the main process of this run
    return keywords


def write_part(
    part: Path,
    function: str,
    source: str,
    rows: tuple[int, int],
    *,
    stamps: dict[str, Stamp],
    config: Config,
    before_write: Callable[[], None],
) -> None:
    """Call a function on some rows of a Parquet file, and write what it returns.

    Args:
        part: the file to write.
        function: its name, as MODULE:FUNCTION.
        source: the Parquet file.
        rows: the first row, and the number of rows.
        stamps: the stamp of the file at the start.
        config: the settings, which the function gets.
        before_write: called before the part is written.

    Raises:
        SourceError: the file is damaged, has changed, or has a text that is too large.
        WriteError: the part cannot be written.
    """
    snapshot = Snapshot(Path(source))
    check_unchanged(stamps, stamps_of(stamps), hint=_HINT)
    pairs: pl.DataFrame = snapshot.read(scan_parquet(source).slice(*rows).collect)
    check_text_sizes(pairs, Path(source), rows[0])
    module, _, name = function.partition(":")
    result = getattr(import_module(module), name)(
        pairs, config=config, **_read_keywords(keywords_path(part.parent))
    )
    before_write()
    with atomic_write(part, durable=False) as work, work.open("wb") as file:
        result.write_ipc(file)

"""Write the sentences that are in no pair (`ingest align --unmatched FILE`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from ingest.errors import ConfigError
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import write_parquet
from ingest.writers.plain_text import LINE_BREAKERS, replace_matches


def check_unmatched(path: str, *, overwrite: bool, inputs: Iterable[str]) -> None:
    """Check that a file of unmatched sentences can be written.

    Raises:
        ConfigError: the name ends in none of .parquet, .tsv and .jsonl.
        OutputError: the file exists, or is an input.
    """
    if Path(path).suffix not in _WRITERS:
        names = ", ".join(_WRITERS)
        raise ConfigError(f"--unmatched {path}: the name must end in one of {names}")
    check_output(path, overwrite=overwrite, inputs=inputs)


def write_unmatched(sentences: pl.DataFrame, path: str) -> None:
    """Write unmatched sentences as the ending of the name says."""
    with atomic_write(path) as work:
        _WRITERS[Path(path).suffix](sentences, work)


def _write_tsv(sentences: pl.DataFrame, path: Path) -> None:
    plain, _ = replace_matches(sentences, LINE_BREAKERS, " ")
    plain.write_csv(path, separator="\t", quote_style="never")


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".parquet": write_parquet,
    ".tsv": _write_tsv,
    ".jsonl": pl.DataFrame.write_ndjson,
}


def langs_of(pairs: pl.DataFrame) -> tuple[str | None, str | None]:
    """Languages of both sides; unknown if there are no pairs."""
    return pairs.select("source_lang", "target_lang").row(0) if len(pairs) else (None, None)

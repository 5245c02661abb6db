"""The segments of a run to a file of pairs, a batch at a time: memory does not grow with them."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingest._typing import TranslationProgress
from ingest.config import Config
from ingest.errors import FrameError, OutputError, SourceError
from ingest.frames import DETECTED, LABELLED, SEGMENTS, schema
from ingest.io.atomic import check_output, wrap_os_errors
from ingest.io.locks import LockHeldError, hold_lock
from ingest.io.parquet import sink
from ingest.translation.cache import Cache
from ingest.translation.pool import COLUMNS, NEEDED, TranslatorPool, counts, routes, wanted

SEGMENTS_FILE = "segments.parquet"
_ROWS = 1 << 16  # read at once: a row group of a run
_TOGETHER = 1 << 13  # segments to translate that are held at once


@dataclass
class Report:
    """What was translated, and what was not."""

    what: str = "segment"
    texts: int = 0
    tokens: int = 0
    seconds: float = 0.0
    in_error: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{self.texts:,} {self.what}{'s' * (self.texts != 1)} translated"
        if self.tokens:
            told += f", {self.tokens:,} tokens at {self.tokens / self.seconds:,.0f} a second"
        if self.flags:
            told += "; flagged: " + ", ".join(f"{n:,} {f}" for f, n in self.flags.most_common())
        return told


@dataclass(frozen=True)
class Order:
    """What is to be translated into what, and how.

    Args:
        to: language of the translations, ISO 639-1.
        source: the one language to translate from; all that have a package where None.
        config: the settings.
        cache: folder of what was translated before; the platform's where None.
        overwrite: replace what is there.
        progress: told how far it is.
    """

    to: str = "en"
    source: str | None = None
    config: Config = field(default_factory=Config)
    cache: str | os.PathLike[str] | None = None
    overwrite: bool = False
    progress: TranslationProgress | None = None


def translate_segments(segments: Path, dest: Path, order: Order) -> Report:
    """Translate the kept segments of a Parquet file into a Parquet file of pairs.

    Args:
        segments: as `ingest run` writes them.
        dest: file to write.
        order: what into what.

    Raises:
        SourceError: the segments cannot be read; or the cache is damaged.
        FrameError: a column of theirs is missing.
        ConfigError: source and target are one language.
        ModelError: no package is installed for the languages, or one is damaged.
        MissingExtraError: the extra `translate` is not installed.
        OutputError: `dest` exists.
        WriteError: it could not be written.
    """
    to, source = order.to, order.source
    check_output(dest, overwrite=order.overwrite, inputs=[segments], parquet=True)
    scan = _scan(segments)
    found = Counter[str]()
    for some in _batches(scan.with_columns(text=pl.lit("")), segments, to, source):
        found.update(counts(some))
    ways, without = routes(found, to, source)
    report = Report(said=_left(found, without, to))
    total = sum(found.get(lang, 0) for lang in ways)
    with (
        working(report, order.cache) as held,
        _beside(dest) as folder,
    ):
        pool = TranslatorPool(ways, to, order.config.translate, held)
        pl.DataFrame(schema=COLUMNS).write_parquet(folder / "part.parquet")
        for number, some in enumerate(_batches(scan, segments, to, source)):
            before = report.texts
            pairs = pool.pairs(some, teller(order.progress, before, len(some), total, pool))
            pairs.write_parquet(folder / f"part-{number:06d}.parquet")
            report.texts += len(pairs)
            report.flags.update(pairs["flags"].explode().drop_nulls().to_list())
        report.tokens = pool.tokens
        parts = map(pl.read_parquet, sorted(folder.glob("part*.parquet")))
        sink(parts, COLUMNS, folder / "whole.parquet", rows=_ROWS)
        (folder / "whole.parquet").replace(dest)
    return report


@contextmanager
def _beside(dest: Path) -> Iterator[Path]:
    """A folder for the parts of `dest`, of one name, so that the next call clears what a kill left.

    Raises:
        OutputError: another process is at work in it.
        WriteError: a file could not be written.
    """
    folder = dest.with_name(f".{dest.name}.parts")
    try:
        with wrap_os_errors(dest), hold_lock(folder / "lock"):
            for left in folder.glob("*.parquet"):
                left.unlink()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except LockHeldError:
        raise OutputError(f"{dest}: another translation is writing it; wait for its end") from None


def _left(found: Counter[str], without: Collection[str], to: str) -> list[str]:
    """What is said of segments in languages that have no package."""
    left = [(lang, count) for lang, count in found.most_common() if lang in without]
    if not left:
        return []
    counted = ", ".join(f"{count:,} in {lang}" for lang, count in left)
    return [
        f"segments without a package, not translated: {counted}; to install one: "
        f"ingest models install {left[0][0]} {to}"
    ]


@contextmanager
def working(report: Report, folder: str | os.PathLike[str] | None) -> Iterator[Cache]:
    """The cache to work with; afterwards the report has the time, and who stops it is told."""
    begun = time.perf_counter()
    with Cache(folder) as cache:
        try:
            yield cache
        except KeyboardInterrupt as stop:
            stop.add_note(f"{cache.path} holds what was translated; the same command goes on")
            raise
        finally:
            report.seconds = time.perf_counter() - begun


def teller(
    progress: TranslationProgress | None,
    before: int,
    size: int,
    total: int | None,
    pool: TranslatorPool,
) -> Callable[[float], None] | None:
    """What tells how many texts are done from the share of some of them."""
    if progress is None:
        return None
    return lambda share: progress(before + round(size * share), total, pool.tokens)


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise SourceError(
            f"{path.parent}: no {path.name} in it; name a folder that ingest run made"
        )
    with _readable(path):
        scan = pl.scan_parquet(path)
        found = scan.collect_schema()
    types = schema(SEGMENTS, DETECTED, LABELLED)
    for name in NEEDED:
        if found.get(name) != types[name]:
            is_ = found.get(name, "missing")
            raise FrameError(f"{path}: column {name!r} is {is_}, must be {types[name]}")
    return scan.select(NEEDED)


def _batches(scan: pl.LazyFrame, path: Path, to: str, source: str | None) -> Iterator[pl.DataFrame]:
    """The segments to translate, from a row group at a time, some thousands at once."""
    with _readable(path):
        rows = int(scan.select(pl.len()).collect().item())
    for at in range(0, rows, _ROWS):
        with _readable(path):
            some = wanted(scan.slice(at, _ROWS).collect(), to, source)
        yield from some.iter_slices(_TOGETHER)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}") from error

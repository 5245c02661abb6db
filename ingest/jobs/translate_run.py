"""Translate the segments of a run into a file of pairs, batch by batch, in constant memory."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import TranslationProgress
from ingest.config import Config
from ingest.errors import FrameError, SourceError
from ingest.frames import DETECTED, LABELLED, SEGMENTS, schema
from ingest.io.atomic import check_output
from ingest.io.durable import replace
from ingest.io.parquet import read_parquet, scan_parquet, sink_lazy, stream, write_parquet
from ingest.io.parts_folder import parts_folder
from ingest.io.remake import unreadable
from ingest.jobs.correct_pairs import apply_stored
from ingest.jobs.damage import names_damage
from ingest.jobs.translate_tasks import translate_missing
from ingest.labelling.plain_text import describe_left_out
from ingest.pipeline.executors import Executor
from ingest.text import count_noun
from ingest.translation.cache import Cache
from ingest.translation.pool import (
    COLUMNS,
    NEEDED,
    TranslatorPool,
    count_by_language,
    describe_shipped,
    find_routes,
    select_translatable,
)

SEGMENTS_FILE = "segments.parquet"
ROWS_PER_READ = 1 << 16  # the row groups of a run
_BATCH_SEGMENTS = 1 << 13  # bounds memory


# Attributes that have another name in what `ingest.run` returns.
_KEYS = {"unit": "what", "messages": "said"}


@dataclass
class TranslationResult:
    """Counts of a translation; an `ingest._typing.Result`.

    Attributes:
        unit: what the texts are: segments or lines.
        texts: number of texts.
        tokens: number of source tokens that the models translated; cached ones are not counted.
        seconds: time taken.
        in_error: number of pages that could not be read.
        flags: number of translations with each flag.
        messages: what the user should know, one line each.
        left_out: lines of plain texts that were not translated because they are no content.

    >>> str(TranslationResult(texts=2, tokens=50, seconds=2, flags=Counter(copied=1)))
    '2 segments translated, 50 tokens at 25 a second; flagged: 1 copied'
    """

    unit: str = "segment"
    texts: int = 0
    tokens: int = 0
    seconds: float = 0.0
    in_error: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    messages: list[str] = field(default_factory=list)
    left_out: int = 0

    def __str__(self) -> str:
        summary = f"{count_noun(self.texts, self.unit)} translated"
        if self.tokens:
            summary += f", {self.tokens:,} tokens at {self.tokens / self.seconds:,.0f} a second"
        if self.flags:
            summary += "; flagged: " + ", ".join(f"{n:,} {f}" for f, n in self.flags.most_common())
        if self.left_out:
            summary += f"\n{describe_left_out(self.left_out, verb='translates')}"
        return summary

    def to_dict(self) -> dict[str, Any]:
        """Return the entry `translated` of what `ingest.run` returns: all but `left_out`."""
        fields = {name: value for name, value in vars(self).items() if name != "left_out"}
        entry = {_KEYS.get(name, name): value for name, value in fields.items()}
        return {**entry, "flags": dict(self.flags)}

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> TranslationResult:
        """Build from what `to_dict` returns."""
        fields = {name: entry[_KEYS.get(name, name)] for name in vars(cls()).keys() - {"left_out"}}
        return cls(**{**fields, "flags": Counter(fields["flags"])})


@dataclass(frozen=True)
class TranslateOptions:
    """Languages and settings of a translation.

    Args:
        to: target language, ISO 639-1.
        source: translate only from this language; None means every language with a package.
        config: the settings.
        cache: folder of the translation cache; None means the platform's cache folder.
        overwrite: whether to replace an existing output.
        executor: where texts are translated. With one worker, that is this process, on all cores.
            The output is the same everywhere.
        progress: called with the texts done, the total if known, and the tokens translated. With
            several workers, texts are done twice: translated by them, then written by this process.
    """

    to: str = "en"
    source: str | None = None
    config: Config = field(default_factory=Config)
    cache: str | os.PathLike[str] | None = None
    overwrite: bool = False
    executor: Executor = field(default_factory=Executor)
    progress: TranslationProgress | None = None


@names_damage("segments")
def translate_segments(segments: Path, dest: Path, options: TranslateOptions) -> TranslationResult:
    """Translate the kept segments of a Parquet file into a Parquet file of pairs.

    Args:
        segments: the segments file of a run.
        dest: file to write.
        options: languages and settings.

    Raises:
        SourceError: the segments cannot be read, or the cache is of another version.
        FrameError: the segments lack a column.
        ConfigError: source and target are the same language; or the Ray cluster cannot be reached,
            or a node of it differs.
        ModelError: no package is installed for the languages, also on a node of the Ray cluster, or
            a package is damaged.
        MissingExtraError: the extra `translate`, or the extra `ray`, is not installed.
        OutputError: `dest` exists, or is being written by another process.
        WriteError: `dest` or the cache cannot be written, or a worker was lost.
    """
    options.executor.check()
    to, source = options.to, options.source
    check_output(dest, overwrite=options.overwrite, inputs=[segments], parquet=True)
    scan = _scan(segments)
    counts = Counter[str]()
    for batch in _read_batches(scan.with_columns(text=pl.lit("")), segments, to, source):
        counts.update(count_by_language(batch))
    routes, missing = find_routes(counts, to, source)
    packages = [package for route in routes.values() for package in route]
    messages = describe_shipped(packages) + _describe_untranslated(counts, missing, to)
    result = TranslationResult(messages=messages)
    total = sum(counts.get(lang, 0) for lang in routes)
    with open_cache(result, options.cache) as cache, parts_folder(dest) as folder:
        pool = TranslatorPool(routes, to, options.config.translate, cache)
        if not options.executor.is_alone:
            result.messages += translate_missing(
                lambda: _read_batches(scan, segments, to, source),
                pool,
                routes,
                cache,
                options.executor,
                config=options.config,
                folder=folder,
                report=batch_progress(options.progress, 0, total, total, pool) or (lambda _: None),
            )
        write_parquet(pl.DataFrame(schema=COLUMNS), folder / "part.parquet")
        for number, batch in enumerate(_read_batches(scan, segments, to, source)):
            progress = batch_progress(options.progress, result.texts, len(batch), total, pool)
            pairs = pool.translate_segments(batch, progress)
            write_parquet(pairs, folder / f"part-{number:06d}.parquet")
            result.texts += len(pairs)
            result.flags.update(pairs["flags"].explode().drop_nulls().to_list())
        result.tokens = pool.tokens
        parts = sorted(folder.glob("part*.parquet"))
        translated = stream(lambda: map(read_parquet, parts), pl.Schema(COLUMNS))
        corrected = apply_stored(translated, segments.parent)
        sink_lazy(corrected, folder / "whole.parquet", rows=ROWS_PER_READ)
        replace(folder / "whole.parquet", dest)
    return result


def _describe_untranslated(counts: Counter[str], missing: Collection[str], to: str) -> list[str]:
    """Describe the segments in languages without a package."""
    untranslated = [(lang, count) for lang, count in counts.most_common() if lang in missing]
    if not untranslated:
        return []
    listed = ", ".join(f"{count:,} in {lang}" for lang, count in untranslated)
    return [
        f"not translated because no package is installed: {listed}; to install one: "
        f"ingest models install {untranslated[0][0]} {to}"
    ]


@contextmanager
def open_cache(result: TranslationResult, folder: str | os.PathLike[str] | None) -> Iterator[Cache]:
    """Open the cache for a translation, and record the time that the translation takes."""
    start = time.perf_counter()
    with Cache(folder) as cache:
        try:
            yield cache
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(
                f"finished translations are in {cache.path}; run the same command to resume"
            )
            raise
        finally:
            result.seconds = time.perf_counter() - start
            result.messages += cache.notes


def batch_progress(
    progress: TranslationProgress | None,
    done: int,
    size: int,
    total: int | None,
    pool: TranslatorPool,
) -> Callable[[float], None] | None:
    """Convert the progress within a batch into the number of texts done."""
    if progress is None:
        return None
    return lambda share: progress(done + round(size * share), total, pool.tokens)


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise SourceError(
            f"{path.parent}: does not contain {path.name}; give the folder of an ingest run"
        )
    with _parquet_errors(path):
        scan = scan_parquet(path)
        actual = scan.collect_schema()
    expected = schema(SEGMENTS, DETECTED, LABELLED)
    for name in NEEDED:
        if actual.get(name) != expected[name]:
            dtype = actual.get(name, "missing")
            raise FrameError(f"{path}: column {name!r} is {dtype}, must be {expected[name]}")
    return scan.select(NEEDED)


def _read_batches(
    scan: pl.LazyFrame, path: Path, to: str, source: str | None
) -> Iterator[pl.DataFrame]:
    """Yield the segments to translate, in batches from one row group at a time."""
    with _parquet_errors(path):
        rows = int(scan.select(pl.len()).collect().item())
    for start in range(0, rows, ROWS_PER_READ):
        with _parquet_errors(path):
            group = scan.slice(start, ROWS_PER_READ).collect()
            translatable = select_translatable(group, to, source)
        yield from translatable.iter_slices(_BATCH_SEGMENTS)


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(path, error) from error

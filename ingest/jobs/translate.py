"""Translate pages or a run into a file of pairs: `ingest translate` without --lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from ingest.errors import ConfigError
from ingest.io.atomic import check_output
from ingest.jobs.run import run
from ingest.jobs.translate_run import (
    SEGMENTS_FILE,
    TranslateOptions,
    TranslationResult,
    translate_segments,
)
from ingest.text import count_noun
from ingest.translation.cache import Cache
from ingest.translation.pool import require_package


def translate_files(
    sources: Sequence[str],
    out: str,
    options: TranslateOptions,
    reading: Callable[[int, int], None] | None = None,
) -> TranslationResult:
    """Translate the kept segments of pages into a Parquet file of pairs.

    Args:
        sources: pages, as for `ingest.run`; or the folder of one run.
        out: Parquet file to write.
        options: languages and settings.
        reading: called with the bytes of pages read so far, and the total.

    Raises:
        SourceError: no page was found, a file cannot be read, or the cache is damaged.
        ConfigError: source and target are the same language, or `sources` names a run and
            something else.
        ModelError: no package is installed for any of the languages, or a package is damaged.
        MissingExtraError: the extra `translate` is not installed.
        OutputError: `out` exists.
        WriteError: `out` or the cache cannot be written.
    """

    def translate_run(folder: str) -> TranslationResult:
        segments = Path(folder) / SEGMENTS_FILE
        result = translate_segments(segments, Path(out), options)
        if not result.texts and not result.messages:
            result.messages.append(_why_nothing(segments, options))
        return result

    runs = [name for name in sources if (Path(name) / SEGMENTS_FILE).is_file()]
    if runs and len(sources) > 1:
        raise ConfigError(f"{runs[0]}: is the folder of a run; give either one run or pages")
    if runs:
        return translate_run(runs[0])
    check_output(out, overwrite=options.overwrite, parquet=True)
    require_package(options.to, options.source)
    with Cache(options.cache):  # fails early if it cannot be written
        pass
    target = Path(out)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        pages = os.path.join(folder, "run")
        report = run(sources, pages, config=options.config, progress=reading)
        result = translate_run(pages)
    result.in_error = report["counts"]["errors"]
    result.messages += [f"{page['uri']}: {page['error']}" for page in report["in_error"]]
    return result


def _why_nothing(segments: Path, options: TranslateOptions) -> str:
    """Return why no segment of a run was translated."""
    counts = (
        pl.scan_parquet(segments)
        .group_by("keep", "lang")
        .len()
        .sort("len", "lang", descending=[True, False])
    )
    rows = counts.collect()
    kept = rows.filter("keep")
    if kept.is_empty() and rows.is_empty():
        return "nothing was translated: the pages have no text"
    if kept.is_empty():
        return (
            f"nothing was translated: none of {count_noun(int(rows['len'].sum()), 'segment')} is "
            "content, and ingest show prints the reasons; --lines translates each line of a text"
        )
    langs = ", ".join(f"{count:,} in {lang}" for lang, count in kept.select("lang", "len").rows())
    wanted = f"from {options.source} " if options.source else ""
    return f"nothing was translated {wanted}to {options.to}: the kept segments are {langs}"

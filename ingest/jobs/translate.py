"""Translate pages or a run into a file of pairs: `ingest translate` without --lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from ingest.errors import ConfigError
from ingest.io.atomic import check_output
from ingest.io.parquet import scan_parquet, sink
from ingest.jobs.pair import read_batches, split_at_pages
from ingest.jobs.run import run
from ingest.jobs.translate_run import (
    ROWS_PER_READ,
    SEGMENTS_FILE,
    TranslateOptions,
    TranslationResult,
    translate_segments,
)
from ingest.labelling.plain_text import keep_sentences
from ingest.text import count_noun, describe_rest
from ingest.translation.cache import Cache
from ingest.translation.pool import NO_LANGUAGE, require_package


def translate_files(
    sources: Sequence[str],
    out: str,
    options: TranslateOptions,
    reading: Callable[[int, int], None] | None = None,
) -> TranslationResult:
    """Translate the kept segments of pages into a Parquet file of pairs.

    In a plain text file, also those are kept that read like sentences (`keep_sentences`).

    Args:
        sources: pages, as for `ingest.run`; or the folder of one run.
        out: Parquet file to write.
        options: languages and settings.
        reading: called with the bytes of pages read so far, and the total.

    Raises:
        SourceError: no page was found, a file cannot be read, or the cache is of another version.
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
    with Cache(options.cache) as cache:  # fails early if it cannot be written
        notes = cache.notes
    target = Path(out)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        pages = os.path.join(folder, "run")
        report = run(
            sources, pages, config=options.config, progress=reading, **options.executor._asdict()
        )
        left_out, unknown = _keep_sentences_of_texts(Path(pages))
        result = translate_run(pages)
    result.left_out = left_out
    result.messages += notes
    if unknown:
        result.messages.append(
            f"not translated because the language is unknown: {count_noun(unknown, 'line')}; "
            "--lines --from CODE translates every line"
        )
    result.in_error = report["counts"]["errors"]
    listed = [f"{page['uri']}: {page['error']}" for page in report["in_error"]]
    rest = describe_rest(result.in_error, len(listed), "ingest read --json prints all")
    result.messages += listed + [rest] * bool(rest)
    return result


def _keep_sentences_of_texts(run_folder: Path) -> tuple[int, int]:
    """Keep what reads like a sentence in the plain text files of a run, as `align` does.

    Such a sentence gets the language of its file if it was taken for code, which has none.

    Returns:
        The number of their lines that are still not kept, and of the kept ones without a language.
    """
    is_file = pl.col("record").is_null() & (pl.col("media_type") == "text/plain")
    documents = scan_parquet(run_folder / "documents.parquet")
    texts = documents.filter(is_file).select("doc_id").collect()["doc_id"]
    of_text, keep, lang = pl.col("doc_id").is_in(texts.implode()), pl.col("keep"), pl.col("lang")
    usual = lang.filter(lang.is_in(NO_LANGUAGE).not_()).mode().sort().first().over("doc_id")
    path, new_path = run_folder / SEGMENTS_FILE, run_folder / "changed.parquet"
    scan = scan_parquet(path)
    left_out = unknown = 0

    def batches() -> Iterator[pl.DataFrame]:
        nonlocal left_out, unknown
        columns = scan.collect_schema().names()
        for batch in split_at_pages(read_batches(scan, columns, ROWS_PER_READ)):
            restored = of_text & ~keep & keep_sentences(batch)["keep"]
            is_code = restored & (lang == "zxx")
            changed = batch.with_columns(
                keep=keep | restored,
                lang=pl.when(is_code).then(pl.coalesce(usual, lang)).otherwise(lang),
            )
            left_out += changed.filter(of_text, ~keep).height
            unknown += changed.filter(of_text, keep, lang.is_in(NO_LANGUAGE)).height
            yield changed

    sink(batches(), scan.collect_schema(), new_path, rows=ROWS_PER_READ)
    new_path.replace(path)
    return left_out, unknown


def _why_nothing(segments: Path, options: TranslateOptions) -> str:
    """Return why no segment of a run was translated."""
    rows = (
        scan_parquet(segments)
        .group_by("keep", "lang")
        .len()
        .sort("len", "lang", descending=[True, False])
        .collect()
    )
    kept = rows.filter("keep")
    if rows.is_empty():
        return "nothing was translated: the pages have no text"
    if kept.is_empty():
        return (
            f"nothing was translated: none of {count_noun(int(rows['len'].sum()), 'segment')} is "
            "content, and ingest show prints the reasons; --lines translates each line of a text"
        )
    langs = ", ".join(f"{count:,} in {lang}" for lang, count in kept.select("lang", "len").rows())
    wanted = f"from {options.source} " if options.source else ""
    return f"nothing was translated {wanted}to {options.to}: the kept segments are {langs}"

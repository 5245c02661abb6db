"""Align the pages of a run into a file of sentence pairs (`ingest align OUT`)."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ingest.alignment.machine_translation import translation_messages
from ingest.config import Config
from ingest.errors import AlignError, ConfigError, FrameError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import read_parquet, scan_parquet, sink_lazy, write_parquet
from ingest.io.remake import DamagedFileError, describe_damage
from ingest.jobs.align import AlignResult
from ingest.jobs.correct_pairs import apply_stored
from ingest.jobs.damage import names_damage
from ingest.jobs.pair import pair_run
from ingest.pairing.sentences import SIDE_COLUMNS, align_articles
from ingest.pipeline.executors import Executor
from ingest.text import count_noun, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ingest._typing import Progress

_BATCH_PAIRS = 500  # page pairs whose segments are in memory at once


@names_damage("out")
def align_run(
    out: str,
    to: str,
    *,
    overwrite: bool = False,
    config: Config | None = None,
    executor: Executor = Executor(),  # noqa: B008
    progress: Progress | None = None,
) -> AlignResult:
    """Align the articles of a run that translate each other, and write the sentence pairs.

    `out`/pages.parquet says which articles those are. It is used as it is if it exists; otherwise
    `pair_run` writes it first.

    Args:
        out: folder written by `ingest run`.
        to: Parquet file to write.
        overwrite: replace `to`.
        config: settings; the defaults if None.
        executor: where articles are encoded, if `pair_run` is called. Their sentences are aligned
            in this process.
        progress: called with the number of segments read to pair the articles, and of all; then
            with the number of pairs of articles done, and of all.

    Raises:
        SourceError: `out` is not the folder of a run, its files cannot be read, or pages.parquet
            belongs to another run.
        ConfigError: pages.parquet was made for other languages.
        OutputError: `to` exists already, or is an input.
        WriteError: `to` could not be written, or its parent folder does not exist.
    """
    config = config or Config()
    names = ("documents.parquet", "segments.parquet", "pages.parquet")
    documents_path, segments_path, pages_path = (Path(out) / name for name in names)
    check_output(
        to, overwrite=overwrite, inputs=(documents_path, segments_path, pages_path), parquet=True
    )
    result = AlignResult(unit="article")
    if not pages_path.exists():
        pair_run(out, config=config.align, executor=executor, progress=progress)
    elif config.align.encoder:
        result.messages.append(
            safe(
                f"{pages_path}: exists and is used, whatever encoder it was made with; "
                f"{_rebuild_hint(out)}"
            )
        )
    try:
        pages = read_parquet(pages_path).select(*SIDE_COLUMNS, "score")
        segments = scan_parquet(segments_path).filter("keep")
        segments.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    _refuse_other_languages(pages, pages_path, config.align.langs)
    matched = pages.drop_nulls("score").select(SIDE_COLUMNS)
    for column in matched:
        if count := column.null_count():
            what = f"column {column.name!r} has no value in {count_noun(count, 'matched pair')}"
            raise DamagedFileError(describe_damage(pages_path, what))

    def report() -> None:
        if progress:
            progress(result.aligned + result.in_error, len(matched))

    report()
    target = Path(to)
    with (
        atomic_write(target) as work,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder,
    ):
        empty = Path(folder) / "pairs-empty.parquet"
        write_parquet(pl.DataFrame(schema=schema(PAIRS, ALIGNED)), empty)
        for number, batch in enumerate(matched.iter_slices(_BATCH_PAIRS)):
            aligned = _align_batch(batch, segments, config, result, out, report=report)
            write_parquet(aligned, Path(folder) / f"pairs-{number:06d}.parquet")
            result.count(aligned)
        pairs = scan_parquet(sorted(Path(folder).glob("*.parquet")))
        sink_lazy(apply_stored(pairs, Path(out)), work)
    if result.aligned:
        result.messages += translation_messages(config.align)
    return result


def _rebuild_hint(out: str, langs: Sequence[str] = ()) -> str:
    """Return the command that makes pages.parquet again.

    >>> _rebuild_hint("out", ("en", "ar"))
    'to rebuild it: ingest pair out --overwrite --langs en,ar'
    """
    more = f" --langs {','.join(langs)}" if langs else ""
    return f"to rebuild it: ingest pair {shlex.quote(out)} --overwrite{more}"


def _refuse_other_languages(pages: pl.DataFrame, path: Path, langs: tuple[str, ...]) -> None:
    for actual in pages.select("source_lang", "target_lang").unique().sort(pl.all()).rows():
        if langs and actual != tuple(langs):
            raise ConfigError(
                f"{path}: pairs {' with '.join(actual)}, not {' with '.join(langs)} as set by "
                f"align.langs or --langs; {_rebuild_hint(str(path.parent), langs)}"
            )


def _align_batch(
    matched: pl.DataFrame,
    segments: pl.LazyFrame,
    config: Config,
    result: AlignResult,
    out: str,
    *,
    report: Callable[[], None],
) -> pl.DataFrame:
    """Return the sentence pairs of a batch of article pairs, in order."""
    docs = pl.concat([matched["source_doc"], matched["target_doc"]]).unique()
    batch_segments = segments.filter(pl.col("doc_id").is_in(docs.implode())).collect()
    frames = [pl.DataFrame(schema=schema(PAIRS, ALIGNED))]
    try:
        for pairs in align_articles(matched, batch_segments, config.align, config.translate):
            if isinstance(pairs, AlignError):
                result.in_error += 1
                result.messages.append(safe(str(pairs)))
            else:
                result.aligned += 1
                frames.append(pairs)
            report()
    except FrameError as error:
        reason = str(error).removeprefix("align: ").partition("; ")[0]  # not how to call `align`
        what = f"is damaged, or belongs to another run: {reason}"
        raise SourceError(describe_damage(Path(out, "pages.parquet"), what)) from error
    return pl.concat(frames)

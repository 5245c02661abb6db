"""The pages of a run to a file of pairs: what `ingest align OUT` does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ingest.config import Config
from ingest.errors import AlignError, ConfigError, FrameError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.io.atomic import placed, refuse
from ingest.jobs.align import Report
from ingest.jobs.pair import pair_run
from ingest.pairing.sentences import SIDE_COLUMNS, align_articles
from ingest.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOGETHER = 500  # pairs of pages whose segments are held at once


def align_run(
    out: str, to: str, *, overwrite: bool = False, config: Config | None = None
) -> Report:
    """Align the articles of a run that translate one another, and write the pairs of sentences.

    Which those are stands in `out`/pages.parquet; `pair_run` makes it where it is not there, and
    where it is there it is taken as it is.

    Args:
        out: folder that `ingest run` made.
        to: Parquet file to write.
        overwrite: replace `to`.
        config: the settings.

    Raises:
        SourceError: `out` is not the folder of a run, its files cannot be read, or pages.parquet is
            of another run.
        ConfigError: pages.parquet has been made for other languages.
        OutputError: `to` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or Config()
    names = ("documents.parquet", "segments.parquet", "pages.parquet")
    documents, cut, pages = (Path(out) / name for name in names)
    refuse(to, overwrite=overwrite, inputs=(documents, cut, pages), parquet=True)
    report = Report(what="article")
    if not pages.exists():
        pair_run(out, config=config.align)
    elif config.align.encoder:
        report.said.append(
            safe(f"{pages}: was there and is kept, whatever encoder it was made with; {_anew(out)}")
        )
    try:
        made = pl.read_parquet(pages).select(*SIDE_COLUMNS, "score")
        segments = pl.scan_parquet(cut).filter("keep")
        segments.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    _refuse_other_languages(made, pages, config.align.langs)
    paired = made.drop_nulls("score").select(SIDE_COLUMNS)
    with placed(to) as work, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "pairs-empty.parquet"
        pl.DataFrame(schema=schema(PAIRS, ALIGNED)).write_parquet(empty)
        for number, some in enumerate(paired.iter_slices(_TOGETHER)):
            pairs = _aligned(some, segments, config, report, out)
            pairs.write_parquet(Path(folder) / f"pairs-{number:06d}.parquet")
            report.count(pairs)
        pl.scan_parquet(sorted(Path(folder).glob("*.parquet"))).sink_parquet(work)
    return report


def _anew(out: str, langs: Sequence[str] = ()) -> str:
    """What makes the pairs of pages anew.

    >>> _anew("out", ("en", "ar"))
    'make it anew with: ingest pair out --overwrite --langs en,ar'
    """
    more = f" --langs {','.join(langs)}" if langs else ""
    return f"make it anew with: ingest pair {out} --overwrite{more}"


def _refuse_other_languages(made: pl.DataFrame, pages: Path, langs: tuple[str, ...]) -> None:
    for found in made.select("source_lang", "target_lang").unique().sort(pl.all()).rows():
        if langs and found != tuple(langs):
            raise ConfigError(
                f"{pages}: pairs {' with '.join(found)}, not {' with '.join(langs)} as align.langs "
                f"or --langs says; {_anew(str(pages.parent), langs)}"
            )


def _aligned(
    paired: pl.DataFrame, segments: pl.LazyFrame, config: Config, report: Report, out: str
) -> pl.DataFrame:
    """The pairs of sentences of some pairs of articles, in their order."""
    docs = pl.concat([paired["source_doc"], paired["target_doc"]]).unique()
    held = segments.filter(pl.col("doc_id").is_in(docs.implode())).collect()
    frames = [pl.DataFrame(schema=schema(PAIRS, ALIGNED))]
    try:
        for pairs in align_articles(paired, held, config.align, config.translate):
            if isinstance(pairs, AlignError):
                report.failed += 1
                report.said.append(safe(str(pairs)))
            else:
                report.aligned += 1
                frames.append(pairs)
    except FrameError as error:
        raise SourceError(
            f"{out}/pages.parquet: is of another run: {error}; {_anew(out)}"
        ) from error
    return pl.concat(frames)

"""The pages of a run to a file of pairs: what `ingest align OUT` does."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from ingest.align.documents import pair_run
from ingest.align.files import Report
from ingest.align.verbs import align
from ingest.config import Config
from ingest.errors import AlignError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.places import placed, refuse
from ingest.text import safe

_TOGETHER = 500  # pairs of pages whose segments are held at once
_KEY = ["doc_id", "article", "lang"]


def align_run(
    out: str, to: str, *, overwrite: bool = False, config: Config | None = None
) -> Report:
    """Align the articles of a run that translate one another, and write the pairs of sentences.

    Which those are stands in `out`/pages.parquet; `pair_run` makes it where it is not there.

    Args:
        out: folder that `ingest run` made.
        to: Parquet file to write.
        overwrite: replace `to`.
        config: the settings.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        OutputError: `to` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or Config()
    names = ("documents.parquet", "segments.parquet", "pages.parquet")
    documents, cut, pages = (Path(out) / name for name in names)
    refuse(to, overwrite=overwrite, inputs=(documents, cut, pages))
    report = Report(what="article")
    if not pages.exists():
        pair_run(out, config=config.align)
    try:
        paired = pl.read_parquet(pages).drop_nulls("score")
        segments = pl.scan_parquet(cut).filter("keep")
        segments.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with placed(to) as work, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "pairs-empty.parquet"
        pl.DataFrame(schema=schema(PAIRS, ALIGNED)).write_parquet(empty)
        for number, some in enumerate(paired.iter_slices(_TOGETHER)):
            pairs = _aligned(some, segments, config, report)
            pairs.write_parquet(Path(folder) / f"pairs-{number:06d}.parquet")
            report.pairs += len(pairs)
        pl.scan_parquet(sorted(Path(folder).glob("*.parquet"))).sink_parquet(work)
    return report


def _aligned(
    paired: pl.DataFrame, segments: pl.LazyFrame, config: Config, report: Report
) -> pl.DataFrame:
    """The pairs of sentences of some pairs of articles, in their order."""
    docs = pl.concat([paired["source_doc"], paired["target_doc"]]).unique()
    held = segments.filter(pl.col("doc_id").is_in(docs.implode())).collect()
    of_article = dict(held.group_by(_KEY, maintain_order=True))
    found = [pl.DataFrame(schema=schema(PAIRS, ALIGNED))]
    for row in paired.iter_rows(named=True):
        sides = [
            of_article[row[f"{side}_doc"], row[f"{side}_article"], row[f"{side}_lang"]]
            for side in ("source", "target")
        ]
        langs = row["source_lang"], row["target_lang"]
        try:
            found.append(align(sides[0], sides[1], langs=langs, config=config.align))
            report.aligned += 1
        except AlignError as error:
            report.failed += 1
            report.said.append(safe(str(error)))
    return pl.concat(found)

"""Which page of one language is the translation of which page of the other, and which of none.

What is paired is the unit: the text of an article in one language, so that an Arabic and an
English body on one page can go together like two pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ingest.align.addresses import COLUMNS as OF_DOCUMENTS
from ingest.align.addresses import Addresses, said_by
from ingest.align.candidates import WEIGHTS, candidates, one_to_one, scores
from ingest.align.encoder import Encoder
from ingest.align.page_units import units_of
from ingest.config import AlignConfig
from ingest.errors import ConfigError, FrameError, SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, Column, schema
from ingest.places import placed, refuse

EVIDENCE = ("cosine", *(name for name in WEIGHTS if name != "bias"))
PAGES: tuple[Column, ...] = (
    Column("source_doc", pl.String(), "page of the source; null where the target has no partner"),
    Column("target_doc", pl.String(), "page of the target; null where the source has no partner"),
    Column("source_article", pl.Int64(), "article of that page, as in segments"),
    Column("target_article", pl.Int64(), "the same of the target"),
    Column("source_lang", pl.String(), "language of the source"),
    Column("target_lang", pl.String(), "language of the target"),
    Column("score", pl.Float32(), "probability that they are translations; null: no partner"),
    *(Column(name, pl.Float32(), "evidence, as `candidates` says") for name in EVIDENCE),
)

LEAST = 0.5  # a pair that scores less is none
_SEGMENT_COLUMNS = ("doc_id", "segment", "text", "lang", "article", "keep")
_PAGES, _ROWS = 1 << 12, 1 << 16  # documents and segments read at a time


class Report(NamedTuple):
    """What `pair_run` did: units a language, pairs among them, and units without a partner."""

    units: dict[str, int]
    pairs: int
    none: int

    def __str__(self) -> str:
        sides = ", ".join(f"{count:,} {lang}" for lang, count in self.units.items())
        return f"{sides}: {self.pairs:,} pairs, {self.none:,} without a partner"


def pair_pages(
    documents: pl.DataFrame,
    segments: pl.DataFrame,
    *,
    config: AlignConfig | None = None,
    min_score: float = LEAST,
) -> pl.DataFrame:
    """Find the pages, or articles of pages, that are translations of one another.

    Args:
        documents: doc_id, url, canonical_url, alternates and metadata of a documents frame.
        segments: doc_id, segment, text, lang, article and keep of a labelled segments frame; kept
            segments of two languages count.
        config: `langs` of source and target, ("ar", "en") where empty; `encoder`.
        min_score: the least score of a pair.

    Returns:
        A frame with the columns PAGES, sorted by them: every unit in one row, with its partner or
        with nulls. The order of pages in the frames changes nothing.

    Raises:
        FrameError: a column is missing or of another type.
        ConfigError: both languages are the same, or `min_score` is not in 0…1.
        ModelError: the encoder is missing or damaged.

    >>> types = schema(DOCUMENTS), schema(SEGMENTS, DETECTED, LABELLED)
    >>> pair_pages(*map(pl.DataFrame, ({}, {}), types)).is_empty()
    True
    """
    config = config or AlignConfig()
    _check(documents, OF_DOCUMENTS, schema(DOCUMENTS))
    _check(segments, _SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
    kept = segments.select(_SEGMENT_COLUMNS).filter("keep").sort("doc_id", "segment")
    return _paired(said_by([documents]), [kept], config, min_score)[0]


def pair_run(
    out: str | Path,
    to: str | Path | None = None,
    *,
    config: AlignConfig | None = None,
    min_score: float = LEAST,
    overwrite: bool = False,
) -> Report:
    """Pair the pages of a run, and write the frame of `pair_pages` to a Parquet file.

    Text is read a row group at a time. What is held of a unit is some 10 kB: its vector, those of
    its first segments in a byte a number, and its numbers and Latin words as hashes.

    Args:
        out: folder that `ingest run` made.
        to: file to write; pages.parquet in `out` where None.
        config: as in `pair_pages`.
        min_score: as there.
        overwrite: replace `to`.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: they lack a column.
        ConfigError: as in `pair_pages`.
        OutputError: `to` exists, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or AlignConfig()
    folder = Path(out)
    target = Path(to) if to is not None else folder / "pages.parquet"
    paths = [folder / name for name in ("documents.parquet", "segments.parquet")]
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{out}: no {path.name} in it; name a folder that ingest run made")
    refuse(target, overwrite=overwrite, inputs=paths)
    try:
        scans = [pl.scan_parquet(path) for path in paths]
        _check(scans[0], OF_DOCUMENTS, schema(DOCUMENTS))
        _check(scans[1], _SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
        addresses = said_by(_batches(scans[0], OF_DOCUMENTS, _PAGES))
        segments = (b.filter("keep") for b in _batches(scans[1], _SEGMENT_COLUMNS, _ROWS))
        made, units = _paired(addresses, _whole(segments), config, min_score)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with placed(target) as work:
        made.write_parquet(work)
    pairs = made["score"].count()
    return Report(units, pairs, len(made) - pairs)


def _check(frame: pl.DataFrame | pl.LazyFrame, names: Iterable[str], types: pl.Schema) -> None:
    found = frame.collect_schema()
    for name in names:
        if name not in found:
            raise FrameError(f"pair: column {name!r} is missing; ingest run makes it")
        if found[name] != types[name]:
            raise FrameError(f"pair: column {name!r} is {found[name]}, must be {types[name]}")


def _batches(scan: pl.LazyFrame, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file, so many rows at a time."""
    for at in range(0, scan.select(pl.len()).collect().item(), rows):
        yield scan.slice(at, rows).select(columns).collect()


def _whole(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in batches that end where a page does."""
    rest: pl.DataFrame | None = None
    for batch in batches:
        both = pl.concat([rest, batch]) if rest is not None else batch
        if both.is_empty():
            continue
        last = both["doc_id"] == both["doc_id"][-1]
        rest = both.filter(last)
        yield both.filter(~last)
    if rest is not None:
        yield rest


def _paired(
    addresses: Addresses, batches: Iterable[pl.DataFrame], config: AlignConfig, min_score: float
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The frame of pages, and how many units each language has."""
    langs = config.langs or ("ar", "en")
    if langs[0] == langs[1]:
        raise ConfigError(f"pair: source and target are both {langs[0]!r}")
    if not 0 <= min_score <= 1:
        raise ConfigError(f"pair: least score {min_score} is not in [0, 1]")
    source, target = units_of(batches, langs, Encoder.load(config.encoder or None))
    looked = candidates(source, target, addresses)
    looked = looked.with_columns(score=scores(looked))
    good = looked.filter(pl.col("score") >= min_score)
    chosen = one_to_one(good.select("s", "t", "score").iter_rows())
    types = {"s": pl.UInt32, "t": pl.UInt32, "score": pl.Float32}
    found = pl.DataFrame(chosen, types, orient="row")
    found = found.join(looked.drop("score"), on=["s", "t"], how="left", maintain_order="left")
    for key, side, units in (("s", "source", source), ("t", "target", target)):
        names = units.keys.select(
            pl.col("doc_id").alias(f"{side}_doc"), pl.col("article").alias(f"{side}_article")
        )
        found = found.join(names.with_row_index(key), on=key, how="full", coalesce=True)
    made = found.with_columns(source_lang=pl.lit(langs[0]), target_lang=pl.lit(langs[1]))
    order = ["source_doc", "source_article", "target_doc", "target_article"]
    made = made.select(schema(PAGES).names()).sort(order, nulls_last=True)
    return made, {langs[0]: len(source.keys), langs[1]: len(target.keys)}

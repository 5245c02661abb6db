"""Which page of one language is the translation of which page of the other, and which of none.

What is paired is the unit: the text of an article in one language, so that an Arabic and an
English body on one page can go together like two pages.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ingest.config import AlignConfig, Config, config_of
from ingest.encoder.model import Encoder
from ingest.errors import ConfigError, FrameError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, Column, schema
from ingest.pairing.candidates import WEIGHTS, find_candidates, one_to_one, scores
from ingest.pairing.units import units_of
from ingest.pairing.urls import DOCUMENT_COLUMNS, PageUrls, collect_page_urls

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

MIN_SCORE = 0.5  # a pair that scores less is none
SEGMENT_COLUMNS = ("doc_id", "segment", "text", "lang", "article", "keep")


def pair_pages(
    documents: pl.DataFrame,
    segments: pl.DataFrame,
    *,
    config: AlignConfig | Config | None = None,
    min_score: float = MIN_SCORE,
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
    config = config_of(config, AlignConfig)
    check_columns(documents, DOCUMENT_COLUMNS, schema(DOCUMENTS))
    check_columns(segments, SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
    kept = segments.select(SEGMENT_COLUMNS).filter("keep").sort("doc_id", "segment")
    return pair_units(collect_page_urls([documents]), [kept], config, min_score)[0]


def check_columns(
    frame: pl.DataFrame | pl.LazyFrame, names: Iterable[str], types: pl.Schema
) -> None:
    found = frame.collect_schema()
    for name in names:
        if name not in found:
            raise FrameError(f"pair: column {name!r} is missing; ingest run makes it")
        if found[name] != types[name]:
            raise FrameError(f"pair: column {name!r} is {found[name]}, must be {types[name]}")


def pair_units(
    addresses: PageUrls, batches: Iterable[pl.DataFrame], config: AlignConfig, min_score: float
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The frame of pages, and how many units each language has."""
    langs = config.langs or ("ar", "en")
    if langs[0] == langs[1]:
        raise ConfigError(f"pair: source and target are both {langs[0]!r}")
    if not 0 <= min_score <= 1:
        raise ConfigError(f"pair: least score {min_score} is not in [0, 1]")
    source, target = units_of(batches, langs, Encoder.load(config.encoder or None))
    looked = find_candidates(source, target, addresses)
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

"""Find the pages of one language that translate pages of the other.

Pairs are made of units. A unit is the text of an article in one language, so an Arabic and an
English version on the same page can be paired like two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from ingest.config import AlignConfig, Config, config_of
from ingest.encoder.model import Encoder
from ingest.errors import ConfigError, FrameError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, Column, schema
from ingest.pairing.candidates import WEIGHTS, find_candidates, one_to_one, scores, sort_pairs
from ingest.pairing.near_copies import COMPARED, compare_rivals
from ingest.pairing.units import Units, join_units, unit_rows
from ingest.pairing.urls import DOCUMENT_COLUMNS, PageUrls, collect_page_urls

EVIDENCE = ("cosine", *(name for name in WEIGHTS if name != "bias"))
PAGES: tuple[Column, ...] = (
    Column("source_doc", pl.String(), "page of the source; null if the target has no partner"),
    Column("target_doc", pl.String(), "page of the target; null if the source has no partner"),
    Column("source_article", pl.Int64(), "article of that page, as in segments"),
    Column("target_article", pl.Int64(), "the same for the target"),
    Column("source_lang", pl.String(), "language of the source"),
    Column("target_lang", pl.String(), "language of the target"),
    Column("score", pl.Float32(), "probability that they are translations; null: no partner"),
    *(Column(name, pl.Float32(), "evidence, see `find_candidates`") for name in EVIDENCE),
    *(
        Column(name, pl.Float32(), "evidence, see `compare_rivals`; null if there was no rival")
        for name in COMPARED
    ),
)

MIN_SCORE = 0.5  # candidates with a lower score are not pairs
SEGMENT_COLUMNS = ("doc_id", "segment", "text", "lang", "article", "role", "keep")


def pair_pages(
    documents: pl.DataFrame,
    segments: pl.DataFrame,
    *,
    config: AlignConfig | Config | None = None,
    min_score: float = MIN_SCORE,
) -> pl.DataFrame:
    """Find the pages, or articles of pages, that translate each other.

    Args:
        documents: doc_id, url, canonical_url, alternates and metadata of a documents frame.
        segments: doc_id, segment, text, lang, article, role and keep of a labelled segments frame.
            Only kept segments in the two languages count; lines of code decide between near-copies.
        config: `langs` of source and target, ("ar", "en") if empty, and `encoder`.
        min_score: the lowest score of a pair.

    Returns:
        A frame with the columns PAGES, sorted by page and article. Every unit is in exactly one
        row, with its partner or with nulls. The order of pages in the frames does not matter. Of
        equally good partners the newest is chosen, then the one with the shortest address, then
        the one with the first doc_id.

    Raises:
        FrameError: a column is missing or has the wrong type.
        ConfigError: both languages are the same, or `min_score` is not in 0…1.
        ModelError: the encoder is missing or damaged.

    >>> types = schema(DOCUMENTS), schema(SEGMENTS, DETECTED, LABELLED)
    >>> pair_pages(*map(pl.DataFrame, ({}, {}), types)).is_empty()
    True
    """
    settings = config_of(config, AlignConfig)
    langs = check_pairing(settings, min_score)
    check_columns(documents, DOCUMENT_COLUMNS, schema(DOCUMENTS))
    check_columns(segments, SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
    rows = segments.select(SEGMENT_COLUMNS).sort("doc_id", "segment")
    encoder = Encoder.load(settings.encoder or None)
    units = join_units([unit_rows(rows.filter("keep"), langs, encoder)], langs, encoder.dim)
    urls = collect_page_urls([documents])
    return match_units(
        units, urls, lambda: [rows], encoder=encoder, langs=langs, min_score=min_score
    )


def check_columns(
    frame: pl.DataFrame | pl.LazyFrame, names: Iterable[str], types: pl.Schema
) -> None:
    """Check that a frame has the named columns, with their types in `types`.

    Raises:
        FrameError: a column is missing or has the wrong type.
    """
    actual = frame.collect_schema()
    for name in names:
        if name not in actual:
            raise FrameError(f"pair: column {name!r} is missing; ingest run makes it")
        if actual[name] != types[name]:
            raise FrameError(f"pair: column {name!r} is {actual[name]}, must be {types[name]}")


def check_pairing(config: AlignConfig, min_score: float) -> tuple[str, str]:
    """Return the languages to pair.

    Raises:
        ConfigError: both are the same, or `min_score` is not in 0…1.
    """
    langs = config.langs or ("ar", "en")
    if langs[0] == langs[1]:
        raise ConfigError(f"pair: source and target are both {langs[0]!r}; set langs to ar,en")
    if not 0 <= min_score <= 1:
        raise ConfigError(f"pair: min_score {min_score} is not in [0, 1]")
    return langs[0], langs[1]


def match_units(
    units: tuple[Units, Units],
    urls: PageUrls,
    read: Callable[[], Iterable[pl.DataFrame]],
    *,
    encoder: Encoder,
    langs: tuple[str, str],
    min_score: float,
) -> pl.DataFrame:
    """Pair units: the frame of pages.

    Args:
        units: the units of the source and of the target.
        urls: what the pages say about their addresses and dates.
        read: yields the SEGMENT_COLUMNS of segments, sorted by page, in batches of whole pages.
            Called for pages that have near-copies.
        encoder: the encoder that the units were made with.
        langs: languages of source and target.
        min_score: the lowest score of a pair.
    """
    source, target = units
    candidates = find_candidates(source, target, urls)
    candidates = candidates.with_columns(score=scores(candidates))
    candidates = compare_rivals(candidates, (source.keys, target.keys), langs, read, encoder)
    good = candidates.filter(pl.col("score") >= min_score)
    best_first = sort_pairs(good.select("s", "t", "rank"), source, target, urls)
    matching = one_to_one(best_first.select("s", "t").iter_rows())
    pairs = pl.DataFrame(matching, {"s": pl.UInt32, "t": pl.UInt32}, orient="row")
    pairs = pairs.join(candidates, on=["s", "t"], how="left", maintain_order="left")
    for key, side, of_side in (("s", "source", source), ("t", "target", target)):
        names = of_side.keys.select(
            pl.col("doc_id").alias(f"{side}_doc"), pl.col("article").alias(f"{side}_article")
        )
        pairs = pairs.join(names.with_row_index(key), on=key, how="full", coalesce=True)
    pages = pairs.with_columns(source_lang=pl.lit(langs[0]), target_lang=pl.lit(langs[1]))
    order = ["source_doc", "source_article", "target_doc", "target_article"]
    return pages.select(schema(PAGES).names()).sort(order, nulls_last=True)

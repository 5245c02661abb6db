"""From labelled pages to pairs of sentences: pair the articles, then align their sentences."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ingest.alignment import align
from ingest.config import AlignConfig, Config, TranslateConfig, config_of
from ingest.errors import AlignError, FrameError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.pairing import MIN_SCORE, pair_pages

SIDE_COLUMNS = [
    f"{side}_{name}" for side in ("source", "target") for name in ("doc", "article", "lang")
]
_ARTICLE = ["doc_id", "article", "lang"]


def align_pages(
    documents: pl.DataFrame,
    segments: pl.DataFrame,
    *,
    config: AlignConfig | Config | None = None,
    min_score: float = MIN_SCORE,
) -> pl.DataFrame:
    """Find the articles that translate each other, and align their sentences.

    Args:
        documents: a documents frame.
        segments: a labelled segments frame of these documents.
        config: languages, encoder, and whether a machine translation counts as evidence.
        min_score: the lowest probability, 0…1, at which two articles count as a pair.

    Returns:
        A pairs frame with one row per pair of sentences, article by article. Articles that cannot
        be aligned have no rows.

    Raises:
        FrameError: a column is missing or has the wrong type.
        ConfigError: both languages are the same, or `min_score` is not in 0…1.
        ModelError: the encoder, or the package to translate with, is missing or damaged.

    >>> import ingest
    >>> pages = ingest.read(ingest.samples() / "ar_gov_news.txt")
    >>> segments = ingest.label(ingest.detect(ingest.segment(pages)))
    >>> align_pages(pages, segments).is_empty()
    True
    """
    settings = config_of(config, AlignConfig)
    translation = config_of(config if isinstance(config, Config) else None, TranslateConfig)
    articles = pair_pages(documents, segments, config=settings, min_score=min_score)
    paired = articles.drop_nulls("score").select(SIDE_COLUMNS)
    aligned = align_articles(paired, segments, settings, translation)
    frames = (pairs for pairs in aligned if isinstance(pairs, pl.DataFrame))
    return pl.concat([pl.DataFrame(schema=schema(PAIRS, ALIGNED)), *frames])


def align_articles(
    paired: pl.DataFrame,
    segments: pl.DataFrame,
    config: AlignConfig,
    translation: TranslateConfig,
) -> Iterator[pl.DataFrame | AlignError]:
    """Align the sentences of each pair of articles; yield the pairs, or the error if that fails.

    Args:
        paired: source_doc, source_article, source_lang, target_doc, target_article, target_lang.
        segments: the labelled segments of these pages.
        config: the encoder, and whether a machine translation counts as evidence.
        translation: how to translate one side.

    Raises:
        FrameError: `segments` lacks an article.
    """
    by_article = dict(segments.filter("keep").group_by(_ARTICLE, maintain_order=True))
    for row in paired.select(SIDE_COLUMNS).iter_rows():
        sides = row[:3], row[3:]
        for doc, article, lang in sides:
            if (doc, article, lang) not in by_article:
                raise FrameError(
                    f"align: page {doc} has no article {article} in {lang}; "
                    "pass the segments that the articles were paired from"
                )
        langs = sides[0][2], sides[1][2]
        source, target = (by_article[side] for side in sides)
        try:
            yield align(source, target, langs=langs, config=config, translation=translation)
        except AlignError as error:
            yield error

"""Detect languages: `detect` for the segments of pages, `identify` for single texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ingest.codepoints import unique_texts
from ingest.config import Config, DetectConfig, config_of
from ingest.detection.decision import decide_languages, resolve_rival_scripts
from ingest.detection.script import detect_scripts
from ingest.frames import SEGMENTS, check
from ingest.page_spans import cut_between_pages
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

_REQUIRED = ("doc_id", "segment", "text")
_PART = 1 << 16  # segments analysed at once, unless a single page has more
_MAX_PAGE = 1 << 13  # segments; keeps memory constant for a page with a million lines


def detect(
    segments: pl.DataFrame, *, config: DetectConfig | Config | None = None, context: bool = True
) -> pl.DataFrame:
    """Detect the language of each segment.

    Args:
        segments: at least `doc_id`, `segment` (integer), `text` (string).
        config: detector and candidate languages.
        context: use the languages of the page as a prior for its segments.

    Returns:
        The same rows in the same order, with four more columns. `script`: ISO 15924. `lang`: ISO
        639-1, or `ckb`; `zxx` if there is no language in it, `und` if it is not one of the
        candidates. `lang_score`: Float32, posterior probability, 0…1. `lang_by`: what decided,
        `script`, `model`, `page` (the page outweighed the model) or `none`.

    Raises:
        FrameError: a column is missing or has the wrong type.
        ConfigError: a language or the detector is unknown.
        MissingExtraError: the detector's extra is not installed.
        ModelError: the model is missing or damaged.

    >>> page = pl.DataFrame({"doc_id": "a", "segment": [0, 1, 2], "text": [
    ...     "The ministers met in Ankara and spoke about trade.", "Reliance on Türkiye", "20"]})
    >>> detect(page)["lang"].to_list()
    ['en', 'en', 'zxx']
    """
    check(segments, verb="detect")
    dtype = segments.schema.get("segment")
    checked = "segment" if dtype is not None and dtype.is_integer() else ""
    check(
        segments, [c for c in SEGMENTS if c.name in _REQUIRED and c.name != checked], verb="detect"
    )
    config = config_of(config, DetectConfig)
    order = (
        segments.select("doc_id", "segment", "text")
        .with_row_index("row")
        .sort("doc_id", "segment", "row", maintain_order=True)
    )
    order = order.with_columns(page=_number_pages(order["doc_id"]))
    ends = order["page"].rle().struct.field("len").cum_sum().cast(pl.Int64).to_numpy()
    parts = [
        _detect_part(order[start:end], config, context=context)
        for start, end in cut_between_pages(ends, _PART)
    ]
    decisions = pl.concat(parts or [_detect_part(order, config, context=context)])
    original_order = order["row"].arg_sort()
    return segments.with_columns(
        decisions.select("script", "lang", "lang_score", "lang_by")[original_order]
    )


def _detect_part(segments: pl.DataFrame, config: DetectConfig, *, context: bool) -> pl.DataFrame:
    """Detect the languages of a few pages: the columns of `decide_languages`."""
    # The pages of a site have many lines in common, so each distinct text is analysed once.
    distinct, index = unique_texts(segments["text"])
    texts = detect_scripts(distinct)[index]
    if context:
        texts = resolve_rival_scripts(texts.with_columns(segments["page"]))
    return decide_languages(texts, config)


def identify(
    texts: pl.Series | Sequence[str],
    *,
    langs: Sequence[str] = (),
    detector: str = "langdetect-exact",
    top: int = 3,
) -> pl.DataFrame:
    """Detect the language of each text by itself.

    Args:
        texts: one string or several; nulls and lone surrogates are allowed.
        langs: candidate languages, by the codes of `lang`; all known languages if empty.
        detector: langdetect-exact, langdetect, fasttext or cld2.
        top: the most runners-up to return.

    Returns:
        `text`, `script`, `lang`, `lang_score` and `lang_by` as from `detect`; and `runners_up`, a
        list of struct {lang: String, score: Float32}, best first.

    Raises:
        ConfigError, MissingExtraError, ModelError: as for `detect`.

    >>> identify(["Wo ist der Bahnhof?", "ئەم کتێبە زۆر باشە", ""])["lang"].to_list()
    ['de', 'ckb', 'zxx']
    """
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, pl.Series):
        texts = pl.Series([t if t is None else scrub(t) for t in texts], dtype=pl.String)
    series = texts.cast(pl.String).alias("text")
    config = DetectConfig(detector, tuple(langs))
    decisions = decide_languages(detect_scripts(series), config, top=top)
    return decisions.select(series, "script", "lang", "lang_score", "lang_by", "runners_up")


def _number_pages(doc_ids: pl.Series) -> pl.Series:
    """Number the pages; a page with more than _MAX_PAGE segments counts as several."""
    frame = pl.DataFrame({"doc": doc_ids.rle_id()})
    part = pl.int_range(pl.len()).over("doc") // _MAX_PAGE
    return frame.select(pl.struct("doc", part.alias("part")).rle_id().cast(pl.Int64)).to_series()

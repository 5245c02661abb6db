"""The two verbs: `detect` for the segments of pages, `identify` for texts by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ingest.codepoints import unique_texts
from ingest.config import Config, DetectConfig, config_of
from ingest.detection import script
from ingest.detection.decision import answer, by_page
from ingest.frames import SEGMENTS, check
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDED = ("doc_id", "segment", "text")
_LONGEST = 1 << 13  # segments: keeps memory flat for a page of a million lines


def detect(
    segments: pl.DataFrame, *, config: DetectConfig | Config | None = None, context: bool = True
) -> pl.DataFrame:
    """Name the language of each segment.

    Args:
        segments: at least `doc_id`, `segment` (integer), `text` (string).
        config: detector and candidate languages.
        context: let a page's languages be a prior for its segments.

    Returns:
        The same rows in the same order with `script` (ISO 15924), `lang` (ISO 639-1; `ckb`; `zxx`:
        no language in it; `und`: cannot be said), `lang_score` (Float32, posterior 0…1), `lang_by`
        (`script` | `model` | `page`: the model alone said otherwise | `none`).

    Raises:
        FrameError: a column is missing, or of another type.
        ConfigError: a language is none that the detector knows.
        MissingExtraError: the detector's extra is not installed.
        ModelError: the model is missing or damaged.

    >>> page = pl.DataFrame({"doc_id": "a", "segment": [0, 1, 2], "text": [
    ...     "The ministers met in Ankara and spoke about trade.", "Reliance on Türkiye", "20"]})
    >>> detect(page)["lang"].to_list()
    ['en', 'en', 'zxx']
    """
    check(segments, verb="detect")
    number = segments.schema.get("segment")
    given = "segment" if number is not None and number.is_integer() else ""
    check(segments, [c for c in SEGMENTS if c.name in _NEEDED and c.name != given], verb="detect")
    settings = config_of(config, DetectConfig)
    order = (
        segments.select("doc_id", "segment", "text")
        .with_row_index("row")
        .sort("doc_id", "segment", "row", maintain_order=True)
    )
    # a site says the same on each of its pages: each text is looked at once
    texts, which = unique_texts(order["text"])
    seen = script.read(texts)[which]
    if context:
        seen = by_page(seen.with_columns(page=_pages(order["doc_id"])))
    found = answer(seen, settings)
    back = order["row"].arg_sort()
    return segments.with_columns(found.select("script", "lang", "lang_score", "lang_by")[back])


def identify(
    texts: pl.Series | Sequence[str],
    *,
    langs: Sequence[str] = (),
    detector: str = "langdetect-exact",
    top: int = 3,
) -> pl.DataFrame:
    """Name the language of each text by itself.

    Args:
        texts: strings, or one of them; nulls and lone surrogates are allowed.
        langs: the candidates, as `lang` names them; none given: all that are known.
        detector: langdetect-exact, langdetect, fasttext or cld2.
        top: how many runners-up to tell.

    Returns:
        `text, script, lang, lang_score, lang_by` as from `detect`, and `runners_up`: a list of
        struct {lang: String, score: Float32}, best first.

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
    found = answer(script.read(series), DetectConfig(detector, tuple(langs)), top=top)
    return found.select(series, "script", "lang", "lang_score", "lang_by", "runners_up")


def _pages(doc_ids: pl.Series) -> pl.Series:
    """A number for each page; a page of more than _LONGEST segments counts as several."""
    frame = pl.DataFrame({"doc": doc_ids.rle_id()})
    stretch = pl.int_range(pl.len()).over("doc") // _LONGEST
    return frame.select(
        pl.struct("doc", stretch.alias("stretch")).rle_id().cast(pl.Int64)
    ).to_series()

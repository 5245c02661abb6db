"""Detect languages: `detect` for the segments of pages, `identify` for single texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

import polars as pl

from ingest.codepoints import unique_texts
from ingest.config import Config, DetectConfig, config_of
from ingest.detection.decision import decide_languages, resolve_rival_scripts
from ingest.detection.script import detect_scripts
from ingest.errors import FrameError
from ingest.frames import DETECTED, SEGMENTS, check, schema
from ingest.page_spans import cut_between_pages
from ingest.text import scrub

# The type of what `identify` gives for each text.
IDENTIFIED = pl.Struct(
    {
        **schema(DETECTED),
        "runners_up": pl.List(pl.Struct({"lang": pl.String(), "score": pl.Float32()})),
    }
)

_MISSING_OF_PANDAS = ("NAType", "NaTType")
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


@overload
def identify(
    texts: pl.Series, *, langs: Sequence[str] = ..., detector: str = ..., top: int = ...
) -> pl.Series: ...
@overload
def identify(
    texts: str | Sequence[str | None],
    *,
    langs: Sequence[str] = ...,
    detector: str = ...,
    top: int = ...,
) -> pl.DataFrame: ...
def identify(
    texts: pl.Series | str | Sequence[str | None],
    *,
    langs: Sequence[str] = (),
    detector: str = "langdetect-exact",
    top: int = 3,
) -> pl.Series | pl.DataFrame:
    """Detect the language of each text by itself.

    Args:
        texts: a series of strings or categories, a list of strings, or one string; or a series of
            pandas. Nulls, missing values of pandas and lone surrogates are allowed.
        langs: candidate languages, by the codes of `lang`; all known languages if empty.
        detector: langdetect-exact, langdetect, fasttext or cld2.
        top: the most runners-up to return.

    Returns:
        For a series, a series of structs with its name and length. The fields are `script`, `lang`,
        `lang_score` and `lang_by`, as from `detect`; and `runners_up`, a list of struct {lang:
        String, score: Float32}, best first. For strings, a frame with the column `text` and these
        fields as columns. All fields of a text that is null are null; an empty one is zxx.

    Raises:
        FrameError: something is not a text.
        ConfigError, MissingExtraError, ModelError: as for `detect`.

    >>> identify(["Wo ist der Bahnhof?", "ئەم کتێبە زۆر باشە", ""])["lang"].to_list()
    ['de', 'ckb', 'zxx']
    >>> identify(pl.Series("title", ["Wo ist der Bahnhof?"])).struct.field("lang").to_list()
    ['de']
    """
    if isinstance(texts, pl.Series):
        languages = identify_texts(texts, langs=langs, detector=detector, top=top)
        return _null_where_missing(languages).drop("text").to_struct(texts.name)
    series = pl.Series(
        [_text_of(t, row) for row, t in enumerate(_as_sequence(texts))], dtype=pl.String
    )
    return _null_where_missing(identify_texts(series, langs=langs, detector=detector, top=top))


def identify_texts(
    texts: pl.Series,
    *,
    langs: Sequence[str] = (),
    detector: str = "langdetect-exact",
    top: int = 3,
) -> pl.DataFrame:
    """Detect the language of each text of a series; as `identify` for a list of strings.

    Raises:
        FrameError: the series does not contain texts.

    >>> identify_texts(pl.Series(["Wo ist der Bahnhof?"])).select("text", "lang").row(0)
    ('Wo ist der Bahnhof?', 'de')
    """
    if texts.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise FrameError(f"identify: texts: must contain strings, is a Series of {texts.dtype}")
    series = texts.cast(pl.String).alias("text")
    config = DetectConfig(detector, tuple(langs))
    parts = [
        decide_languages(detect_scripts(part), config, top=top).select(
            part, "script", "lang", "lang_score", "lang_by", "runners_up"
        )
        for part in (series.slice(at, _PART) for at in range(0, max(len(series), 1), _PART))
    ]
    return pl.concat(parts)


def _null_where_missing(languages: pl.DataFrame) -> pl.DataFrame:
    """Nothing is known about a text that is null."""
    known = pl.col("text").is_not_null()
    return languages.with_columns(pl.when(known).then(pl.exclude("text")).name.keep())


def _as_sequence(texts: object) -> Iterable[object]:
    """The texts themselves; one string is one text."""
    if isinstance(texts, str):
        return [texts]
    is_table = isinstance(texts, (pl.DataFrame, pl.LazyFrame)) or getattr(texts, "ndim", 1) == 2
    if is_table or isinstance(texts, (bytes, Mapping)) or not isinstance(texts, Iterable):
        raise FrameError(
            f"identify: texts: must be a Polars Series or a list of strings, is "
            f"{type(texts).__name__}"
            + ('; give one of its columns, such as table["text"]' if is_table else "")
        )
    return texts


def _text_of(text: object, row: int) -> str | None:
    kind = type(text)
    is_nan = isinstance(text, float) and math.isnan(text)
    if is_nan or (kind.__module__.startswith("pandas.") and kind.__name__ in _MISSING_OF_PANDAS):
        return None
    if text is None or isinstance(text, str):
        return text and scrub(text)
    raise FrameError(f"identify: texts: text {row} must be a string, is {type(text).__name__}")


def _number_pages(doc_ids: pl.Series) -> pl.Series:
    """Number the pages; a page with more than _MAX_PAGE segments counts as several."""
    frame = pl.DataFrame({"doc": doc_ids.rle_id()})
    part = pl.int_range(pl.len()).over("doc") // _MAX_PAGE
    return frame.select(pl.struct("doc", part.alias("part")).rle_id().cast(pl.Int64)).to_series()

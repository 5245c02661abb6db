"""Offline machine translation: kept segments in, translated pairs out."""

from __future__ import annotations

import os

import polars as pl

from ingest.config import Config, TranslateConfig, config_of
from ingest.frames import DETECTED, LABELLED, SEGMENTS, check
from ingest.translation.cache import Cache
from ingest.translation.pool import (
    TranslatorPool,
    count_by_language,
    find_routes,
    select_translatable,
)


def translate(
    segments: pl.DataFrame,
    *,
    to: str = "en",
    source: str | None = None,
    config: TranslateConfig | Config | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> pl.DataFrame:
    """Translate the kept segments that are in another language.

    Segments that are not kept, such as boilerplate, are not translated. Each distinct text is
    translated once.

    Args:
        segments: a labelled segments frame.
        to: target language, ISO 639-1.
        source: translate only from this language; None means every language with an installed
            package.
        config: beam size and length of the pieces.
        cache: folder of the translation cache; None means the platform's cache folder.

    Returns:
        A pairs frame with one row per segment, in order. `method` is "translated", `target_doc`
        and `target_segments` are null, `model` names the packages and their hashes, `score` is the
        mean probability of the output tokens, and `flags` lists possible problems.

    Raises:
        FrameError: a column is missing.
        ConfigError: `source` equals `to`.
        ModelError: no package is installed for the languages, or a package is damaged.
        MissingExtraError: the extra `translate` is not installed.

    >>> import tempfile, ingest
    >>> page = ingest.read(pl.DataFrame({"text": ["أعلنت الحكومة عن خطة جديدة لبناء المدارس."]}))
    >>> segments = ingest.label(ingest.detect(ingest.segment(page)))
    >>> pairs = translate(segments, to="en", cache=tempfile.mkdtemp())
    >>> pairs.select("source_lang", "target_lang", "method").rows()
    [('ar', 'en', 'translated')]
    """
    check(segments, SEGMENTS, DETECTED, LABELLED, verb="translate")
    translatable = select_translatable(segments, to, source)
    routes, _ = find_routes(count_by_language(translatable), to, source)
    with Cache(cache) as opened:
        pool = TranslatorPool(routes, to, config_of(config, TranslateConfig), opened)
        return pool.translate_segments(translatable)

"""The verb: the kept segments of pages, each with its translation, as pairs."""

from __future__ import annotations

import os

import polars as pl

from ingest.config import Config, TranslateConfig, config_of
from ingest.frames import DETECTED, LABELLED, SEGMENTS, check
from ingest.translation.cache import Cache
from ingest.translation.pool import TranslatorPool, counts, routes, wanted


def translate(
    segments: pl.DataFrame,
    *,
    to: str = "en",
    source: str | None = None,
    config: TranslateConfig | Config | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> pl.DataFrame:
    """Translate the kept segments that are in another language.

    Segments that are not kept, furniture among them, are never translated; and the same text is
    translated once.

    Args:
        segments: a labelled segments frame.
        to: language of the translations, ISO 639-1.
        source: the one language to translate from; all that a package is installed for where None.
        config: beam and length of pieces.
        cache: folder of what was translated before; the platform's where None.

    Returns:
        A pairs frame, one row a segment, in order: `method` is "translated", `target_doc` and
        `target_segments` are null, `model` names the packages and their hashes, `score` is the
        mean probability of the model's tokens, `flags` say what looks wrong.

    Raises:
        FrameError: a column is missing.
        ConfigError: `source` is `to`.
        ModelError: no package is installed for the languages, or one is damaged.
        MissingExtraError: the extra `translate` is not installed.
    """
    check(segments, SEGMENTS, DETECTED, LABELLED, verb="translate")
    some = wanted(segments, to, source)
    ways, _ = routes(counts(some), to, source)
    with Cache(cache) as held:
        return TranslatorPool(ways, to, config_of(config, TranslateConfig), held).pairs(some)

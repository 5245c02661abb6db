"""The evidence for the quality model: all measures of a pair of Arabic and English."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.encoder.model import Encoder
from ingest.scoring import fluency, lexical, meaning, surface
from ingest.scoring.model import Model
from ingest.scoring.words import repetition, split_words


def measure_evidence(
    first: pl.Series,
    second: pl.Series,
    alike: tuple[pl.Series, pl.Series],
    langs: tuple[pl.Series, pl.Series],
    *,
    model: Model,
    detector: str,
) -> F32:
    """Measure pairs.

    Args:
        first: texts in Arabic.
        second: texts in English.
        alike: the same texts from `write_alike`.
        langs: the language that each text should be in.
        model: supplies grammars and background.
        detector: name of the language detector.

    Returns:
        float32 [pairs, NAMES].
    """
    words = split_words(*alike)
    sides = (words.first, words.second)
    vectors = Encoder.load().encode_sums(words.distinct)
    fluencies = [
        fluency.measure_fluency(
            side, fluency.word_classes(words.distinct.column, grammar.classes), grammar
        )
        for side, grammar in zip(sides, model.grammars, strict=True)
    ]
    meanings, similarity = meaning.measure_meaning(words, vectors, model.background)
    n = len(first)
    texts, text_langs = pl.concat([first, second]), pl.concat(langs)
    counts = surface.count_marks(texts)
    per_text = np.stack(
        [
            surface.language_probability(texts, text_langs, detector),
            surface.script_share(texts, text_langs),
            np.concatenate([repetition(side, n) for side in sides]),
            np.concatenate([side.lengths for side in sides]),
        ],
        axis=1,
    )
    boilerplate = surface.boilerplate_share(texts)
    of_first, of_second = counts[:n], counts[n:]
    # in the order of model.NAMES
    return np.concatenate(
        [
            meanings,
            lexical.measure_lexical(words, similarity),
            *fluencies,
            of_first,
            of_second,
            per_text[:n],
            per_text[n:],
            np.maximum(boilerplate[:n], boilerplate[n:])[:, None],
            surface.punctuation_agreement(of_first, of_second)[:, None],
            surface.bracket_agreement(of_first, of_second)[:, None],
            surface.length_ratio(of_first, of_second, langs)[:, None],
        ],
        axis=1,
    ).astype(np.float32)

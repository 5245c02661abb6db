"""All that is measured of a pair, one side in Arabic and one in English: the model's evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest.encoder.model import Encoder
from ingest.scoring import fluency, lexical, meaning, surface
from ingest.scoring.model import Model
from ingest.scoring.words import repeated, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]


def measure_evidence(
    first: pl.Series, second: pl.Series, langs: tuple[pl.Series, pl.Series], model: Model,
    detector: str,
) -> F32:  # fmt: skip
    """float32 [pairs, NAMES].

    Args:
        first: texts in Arabic.
        second: texts in English.
        langs: the language that each text should be in.
        model: its grammars and background.
        detector: what tells languages.
    """
    found = words(first, second)
    vectors = Encoder.load().encode_sums(found.distinct)
    flowing = [
        fluency.fluency(side, fluency.classes(found.distinct.column, grammar.classes), grammar)
        for side, grammar in zip((found.first, found.second), model.grammars, strict=True)
    ]
    means, like = meaning.meaning(found, vectors, model.background)
    n = len(first)
    both, both_langs = pl.concat([first, second]), pl.concat(langs)
    counts = surface.counts(both)
    own = np.stack(
        [
            surface.languages(both, both_langs, detector),
            surface.scripts(both, both_langs),
            np.concatenate([repeated(side, n) for side in (found.first, found.second)]),
            np.concatenate([side.lengths for side in (found.first, found.second)]),
        ],
        axis=1,
    )
    phrase = surface.boilerplate(both)
    one, two = counts[:n], counts[n:]
    return np.concatenate(
        [
            means,
            lexical.lexical(found, like),
            *flowing,
            one, two,
            own[:n], own[n:],
            np.maximum(phrase[:n], phrase[n:])[:, None],
            surface.punctuation(one, two)[:, None],
            surface.brackets(one, two)[:, None],
            surface.ratio(one, two, langs)[:, None],
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip

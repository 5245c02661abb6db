"""The verb: what speaks for and against each pair, in columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.config import Config, DetectConfig, config_of
from ingest.frames import PAIRS, SCORED, check, schema
from ingest.scoring.evidence import measure_evidence
from ingest.scoring.model import LANGS, NAMES, quality, shipped_model

_TOGETHER = 4096  # pairs looked at together, of so many characters at most
_CHARACTERS = 1 << 21


def score(pairs: pl.DataFrame, *, config: DetectConfig | Config | None = None) -> pl.DataFrame:
    """Measure each pair by itself; nothing is decided and no row is left out.

    Args:
        pairs: a pairs frame; other columns stay, those of SCORED are made anew.
        config: the detector that tells the language of each side.

    Returns:
        The same rows in the same order with the columns of SCORED. What a pair gets does not
        depend on the others. The encoder looks at the first 256 words of a side. A side that is
        null counts as empty, and a pair with an empty side has a quality of 0. `quality` holds for
        Arabic and English, either way round, and is null for pairs that say they are in other
        languages.

    Raises:
        FrameError: a column is missing, or is of another type.
        ModelError: a shipped model is missing or damaged.
    """
    check(pairs, PAIRS, verb="score")
    detector = config_of(config, DetectConfig).detector
    columns = pairs.select("source_text", "target_text", "source_lang", "target_lang", "method")
    made = [pl.DataFrame(schema=schema(SCORED))]
    at = 0
    texts = pl.col("source_text", "target_text").str.len_chars().cast(pl.Int64)
    size = columns.select(pl.sum_horizontal(texts).cum_sum()).to_series().to_numpy()
    while at < len(columns):
        before = int(size[at - 1]) if at else 0
        most = int(np.searchsorted(size, before + _CHARACTERS, side="right"))
        to = min(max(at + 1, most), at + _TOGETHER)
        made.append(_scored(columns[at:to], detector))
        at = to
    return pairs.with_columns(pl.concat(made))


def _scored(pairs: pl.DataFrame, detector: str) -> pl.DataFrame:
    """The columns of SCORED."""
    source, target = (pairs[f"{side}_text"].fill_null("") for side in ("source", "target"))
    langs = pairs["source_lang"], pairs["target_lang"]
    # the first side of the evidence is the one in Arabic
    turned = (langs[1] == LANGS[0]).fill_null(value=False) & (langs[0] != LANGS[0]).fill_null(
        value=True
    )
    first, second = target.zip_with(turned, source), source.zip_with(turned, target)
    first_lang = langs[1].zip_with(turned, langs[0])
    second_lang = langs[0].zip_with(turned, langs[1])
    held = shipped_model()
    values = measure_evidence(first, second, (first_lang, second_lang), held, detector)
    found = dict(zip(NAMES, values.T, strict=True))
    flip = turned.to_numpy()

    def sides(name: str) -> tuple[F32, F32]:
        """What the source has, and the target."""
        one, two = found[f"{name}_first"], found[f"{name}_second"]
        source: F32 = np.where(flip, two, one)
        target: F32 = np.where(flip, one, two)
        return source, target

    words, right, scripts = (sides(name) for name in ("words", "language", "script"))
    margin = (found["margin_first"] + found["margin_second"]) / 2
    empty = (found["length_first"] == 0) | (found["length_second"] == 0)
    chance = quality(held, values)
    chance[empty] = 0.0
    known = ((first_lang == LANGS[0]) & (second_lang == LANGS[1])).fill_null(value=False)
    made = {
        "quality": pl.Series(chance).set(~known, None),
        "similarity": np.clip(found["cosine"], 0.0, 1.0),
        "similarity_margin": np.clip(margin, -1.0, 1.0),
        "words_source": words[0],
        "words_target": words[1],
        "length_ratio": np.where(flip, 1.0 / found["longer"], found["longer"]),
        "numbers_kept": _kept(sides("numbers_missed"), sides("numbers")),
        "names_kept": _kept(sides("names_missed"), sides("names")),
        "source_lang_right": right[0],
        "target_lang_right": right[1],
        "source_script": scripts[0],
        "target_script": scripts[1],
        "copy": sides("copied")[1],
        "repetition": np.maximum(*sides("repetition")),
        "punctuation": found["punctuation"],
        "brackets": found["brackets"],
        "machine": (pairs["method"] == "translated").fill_null(value=False),
        "boilerplate": found["boilerplate"],
    }
    return pl.DataFrame(made).cast(schema(SCORED))


def _kept(missed: tuple[F32, F32], there: tuple[F32, F32]) -> F32:
    """Share of both sides' that the other has; 1 where there are none."""
    share: F32 = 1.0 - (missed[0] + missed[1]) / np.maximum(there[0] + there[1], 1.0)
    return share

"""Score pairs: measure the evidence for and against each, and estimate how good it is."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.config import Config, DetectConfig, config_of
from ingest.frames import METHOD_TRANSLATED, PAIRS, SCORED, check, schema
from ingest.scoring.alike import write_alike
from ingest.scoring.evidence import measure_evidence
from ingest.scoring.model import LANGS, NAMES, predict_quality, shipped_model
from ingest.scoring.surface import kept_numbers

# Limits of a batch
_MAX_PAIRS = 4096
_MAX_CHARS = 1 << 21


def score(pairs: pl.DataFrame, *, config: DetectConfig | Config | None = None) -> pl.DataFrame:
    """Add the columns of SCORED. No pair is dropped, and no decision is made.

    The scores of a pair do not depend on other pairs. The encoder reads the first 256 words of a
    side. A null side counts as empty, and a pair with an empty side has a quality of 0. `quality`
    is for Arabic and English in either direction, and null for other languages.

    Args:
        pairs: a frame of pairs. Existing columns of SCORED are replaced; other columns are kept.
        config: the detector that identifies the language of each side.

    Returns:
        The same rows in the same order, with the columns of SCORED.

    Raises:
        FrameError: a column is missing or has the wrong type.
        ModelError: a shipped model is missing or damaged.

    >>> from ingest.alignment import align_lines
    >>> texts = ["أين المدرسة الجديدة؟", "أغلق المطر طريقين"]
    >>> pairs = align_lines(texts, ["Where is the new school?", "The rain closed two roads"])
    >>> bool(score(pairs)["quality"].min() > 0.5)
    True
    """
    check(pairs, PAIRS, verb="score")
    return pairs.with_columns(score_columns(pairs, config=config))


def score_columns(
    pairs: pl.DataFrame, *, config: DetectConfig | Config | None = None
) -> pl.DataFrame:
    """Return only the columns that `score` adds. The pairs are not checked."""
    detector = config_of(config, DetectConfig).detector
    columns = pairs.select("source_text", "target_text", "source_lang", "target_lang", "method")
    scores = [pl.DataFrame(schema=schema(SCORED))]
    texts = pl.col("source_text", "target_text").str.len_chars().cast(pl.Int64)
    chars = columns.select(pl.sum_horizontal(texts).cum_sum()).to_series().to_numpy()
    start = 0
    while start < len(columns):
        before = int(chars[start - 1]) if start else 0
        fitting = int(np.searchsorted(chars, before + _MAX_CHARS, side="right"))
        end = min(max(start + 1, fitting), start + _MAX_PAIRS)
        scores.append(_score_batch(columns[start:end], detector))
        start = end
    return pl.concat(scores)


def _score_batch(pairs: pl.DataFrame, detector: str) -> pl.DataFrame:
    """Return the columns of SCORED."""
    source, target = (pairs[f"{side}_text"].fill_null("") for side in ("source", "target"))
    source_lang, target_lang = pairs["source_lang"], pairs["target_lang"]
    # The first side of the evidence is the Arabic one.
    is_turned = (target_lang == LANGS[0]).fill_null(value=False) & (
        source_lang != LANGS[0]
    ).fill_null(value=True)
    first, second = target.zip_with(is_turned, source), source.zip_with(is_turned, target)
    first_lang = target_lang.zip_with(is_turned, source_lang)
    second_lang = source_lang.zip_with(is_turned, target_lang)
    model = shipped_model()
    alike = write_alike(first, second)
    values = measure_evidence(
        first, second, alike, (first_lang, second_lang), model=model, detector=detector
    )
    evidence = dict(zip(NAMES, values.T, strict=True))
    turned = is_turned.to_numpy()

    def sides(name: str) -> tuple[F32, F32]:
        """Return the evidence of the source and of the target."""
        of_first, of_second = evidence[f"{name}_first"], evidence[f"{name}_second"]
        of_source: F32 = np.where(turned, of_second, of_first)
        of_target: F32 = np.where(turned, of_first, of_second)
        return of_source, of_target

    words, langs, scripts = (sides(name) for name in ("words", "language", "script"))
    margin = (evidence["margin_first"] + evidence["margin_second"]) / 2
    is_empty = (evidence["length_first"] == 0) | (evidence["length_second"] == 0)
    quality = predict_quality(model, values)
    quality[is_empty] = 0.0
    has_model = ((first_lang == LANGS[0]) & (second_lang == LANGS[1])).fill_null(value=False)
    scores = {
        "quality": pl.Series(quality).set(~has_model, None),
        "similarity": np.clip(evidence["cosine"], 0.0, 1.0),
        "similarity_margin": np.clip(margin, -1.0, 1.0),
        "words_source": words[0],
        "words_target": words[1],
        "length_ratio": np.where(turned, 1.0 / evidence["longer"], evidence["longer"]),
        "numbers_kept": kept_numbers(*alike),
        "names_kept": _kept_share(sides("names_missed"), sides("names")),
        "source_lang_right": langs[0],
        "target_lang_right": langs[1],
        "source_script": scripts[0],
        "target_script": scripts[1],
        "copy": sides("copied")[1],
        "repetition": np.maximum(*sides("repetition")),
        "punctuation": evidence["punctuation"],
        "brackets": evidence["brackets"],
        "machine": (pairs["method"] == METHOD_TRANSLATED).fill_null(value=False),
        "boilerplate": evidence["boilerplate"],
    }
    return pl.DataFrame(scores).cast(schema(SCORED))


def _kept_share(missed: tuple[F32, F32], total: tuple[F32, F32]) -> F32:
    """Return the share of items of both sides that the other side has; 1 if there are none."""
    share: F32 = 1.0 - (missed[0] + missed[1]) / np.maximum(total[0] + total[1], 1.0)
    return share

"""Measures of two texts that do not need their words: punctuation, length, script, boilerplate."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.codepoints import CodePoints
from ingest.detection import identify_texts
from ingest.detection.rules import candidate_languages, load_rules
from ingest.languages import DENSITY
from ingest.numbers import number_keys
from ingest.phrases import find_phrases, load_phrases
from ingest.roles import BOILERPLATE_ROLES
from ingest.scoring.code_spans import LETTER, without_code

_MARKS = {
    "question": "[?؟]", "exclamation": "!", "stop": "[.…۔]", "pause": "[,،;؛:]",
    "quotes": '["“”„«»]', "opened": r"[(\[{]", "closed": r"[)\]}]",
}  # fmt: skip
_SENTENCE_END = r"[.!?؟…۔][\"'”’»)\]\s\p{Cf}]*$"
# How much each mark counts for the agreement of punctuation
_MARK_WEIGHTS = {
    "question": 2.0, "exclamation": 1.0, "stop": 1.0, "pause": 0.5, "quotes": 0.5, "end": 2.0,
}  # fmt: skip
COUNTS = ("chars", *_MARKS, "end")
_MAX_LOG_RATIO = 12.0  # keeps the ratio finite if a side is empty
_MAX_BOILERPLATE_CHARS = 80  # longer texts are never boilerplate
UNKNOWN = 0.5  # probability of a language if nothing can be said
_DETECTED_CHARS = 200  # characters that are used for language detection


def count_marks(texts: pl.Series) -> F32:
    """Count characters and marks, and check for the end of a sentence: float32 [texts, COUNTS]."""
    text = pl.col("text")
    counts = texts.alias("text").to_frame().select(
        text.str.len_chars().alias("chars"),
        *(text.str.count_matches(mark).alias(name) for name, mark in _MARKS.items()),
        text.str.contains(_SENTENCE_END).alias("end"),
    )  # fmt: skip
    return counts.cast(pl.Float32).to_numpy()


def punctuation_agreement(first: F32, second: F32) -> F32:
    """Return how far two texts have the same marks, 0…1; 1 if neither has any.

    Args:
        first: float32 [pairs, COUNTS].
        second: the same for the other side.
    """
    columns = [COUNTS.index(name) for name in _MARK_WEIGHTS]
    weight = np.array(list(_MARK_WEIGHTS.values()), np.float32)
    difference = (np.abs(first - second)[:, columns] * weight).sum(axis=1)
    maximum = (np.maximum(first, second)[:, columns] * weight).sum(axis=1)
    agreement: F32 = 1.0 - difference / np.maximum(maximum, 1.0)
    return agreement


def bracket_agreement(first: F32, second: F32) -> F32:
    """Return how far two texts have the same brackets, all closed, 0…1; 1 if neither has any.

    Args:
        first: float32 [pairs, COUNTS].
        second: the same for the other side.
    """
    opened, closed = COUNTS.index("opened"), COUNTS.index("closed")
    a, b, c, d = first[:, opened], first[:, closed], second[:, opened], second[:, closed]
    difference = np.abs(a - c) + np.abs(b - d) + np.abs(a - b) + np.abs(c - d)
    agreement: F32 = 1.0 - difference / np.maximum(2.0 * (a + b + c + d), 1.0)
    return agreement


def length_ratio(source: F32, target: F32, langs: tuple[pl.Series, pl.Series]) -> F32:
    """Return the length of the target over that of the source, as if both were English.

    Args:
        source: float32 [pairs, COUNTS].
        target: the same for the target.
        langs: languages of source and target.
    """
    lengths = [
        (side[:, 0] + 1.0) / lang.replace_strict(DENSITY, default=1.0, return_dtype=pl.Float32)
        .fill_null(1.0).to_numpy()
        for side, lang in zip((source, target), langs, strict=True)
    ]  # fmt: skip
    log_ratio = np.clip(np.log(lengths[1] / lengths[0]), -_MAX_LOG_RATIO, _MAX_LOG_RATIO)
    ratio: F32 = np.exp(log_ratio).astype(np.float32)
    return ratio


def kept_numbers(source: pl.Series, target: pl.Series) -> F32:
    """Return the share of the distinct numbers of both sides that the other side has too.

    A time, date, version or IP address is one number; see `ingest.numbers.number_keys`.

    Args:
        source: String [pairs], without nulls, from `write_alike`.
        target: the same for the target.

    Returns:
        float32 [pairs], 0…1; 1 if neither side has a number.

    >>> kept_numbers(pl.Series(["1.1.1.1", "5 and 7"]), pl.Series(["1.1.1", "٧ و٥"])).tolist()
    [0.0, 1.0]
    """
    sides = {
        name: number_keys(texts).list.unique()
        for name, texts in (("source", source), ("target", target))
    }
    source_keys, target_keys = pl.col("source").list, pl.col("target").list
    total = source_keys.len() + target_keys.len()
    kept = 2 * source_keys.set_intersection("target").list.len() / total
    share: F32 = (
        pl.DataFrame(sides)
        .select(pl.when(total > 0).then(kept).otherwise(1.0).cast(pl.Float32))
        .to_series()
        .to_numpy()
    )
    return share


def script_share(texts: pl.Series, langs: pl.Series) -> F32:
    """Return the share of letters in the script of each text's language: float32 [texts].

    It is 1 if there are no letters, or if the script is unknown. What is the same in every
    language does not count: URLs, placeholders, code, mentions, and the tatweel.

    >>> texts = pl.Series(["انظر https://example.org", "شكـــرا", "see this"])
    >>> script_share(texts, pl.Series(["ar", "ar", "ar"])).tolist()
    [1.0, 1.0, 0.0]
    """
    out = np.ones(len(texts), np.float32)
    for lang in langs.unique().drop_nulls().sort():
        pattern = _script_pattern(lang)
        if not pattern:
            continue
        of_lang = (langs == lang).fill_null(value=False).arg_true()
        share = _share_of_letters(texts.gather(of_lang), pattern)
        # code can only hide letters of other scripts where there are some: this saves time
        has_others = np.flatnonzero(share < 1)
        without = without_code(pl.col("text"))
        if len(has_others):
            rest = texts.gather(of_lang)[has_others].to_frame("text").select(without).to_series()
            share[has_others] = _share_of_letters(rest, pattern)
        out[of_lang.to_numpy()] = share
    return out


def _share_of_letters(texts: pl.Series, pattern: str) -> F32:
    """Return the share of letters that match a pattern of a script; 1 without letters."""
    letters = texts.str.count_matches(LETTER).to_numpy().astype(np.float32)
    own = texts.str.count_matches(rf"[{pattern}&&{LETTER}]").to_numpy().astype(np.float32)
    share: F32 = np.where(letters > 0, own / np.maximum(letters, 1.0), np.float32(1.0))
    return share


@cache
def _script_pattern(lang: str) -> str:
    """Return a pattern for the script of a language; empty if it is unknown."""
    rules = load_rules()
    patterns = {s["code"]: rf"\p{{{s['property']}}}" for s in rules["scripts"]}
    for script in rules["languages"]:
        if lang in {code.partition("-")[0] for code in candidate_languages(script)}:
            return patterns[script]
    own = [patterns[script["code"]] for script in rules["scripts"] if script["lang"] == lang]
    if lang == "ja":
        own.append(r"\p{Han}")
    return f"[{''.join(own)}]" if own else ""


def language_probability(texts: pl.Series, langs: pl.Series, detector: str) -> F32:
    """Return the probability that each text is in its language; UNKNOWN if nothing can be said."""
    texts = texts.str.slice(0, _DETECTED_CHARS)
    detected = identify_texts(texts.unique(maintain_order=True), detector=detector, top=3)
    best = detected.select("text", "lang", score="lang_score")
    runners_up = detected.select("text", "runners_up").explode("runners_up").drop_nulls()
    others = runners_up.select(
        "text",
        lang=pl.col("runners_up").struct.field("lang"),
        score=pl.col("runners_up").struct.field("score"),
    )
    unsure = best.filter(pl.col("lang").is_in(["und", "zxx"])).select("text", unsure=True)
    frame = pl.DataFrame({"text": texts, "lang": langs})
    frame = frame.join(
        pl.concat([best, others]), on=["text", "lang"], how="left", maintain_order="left"
    )
    frame = frame.join(unsure, on="text", how="left", maintain_order="left")
    is_known = pl.col("unsure").is_null() & pl.col("lang").is_not_null()
    score = pl.when(is_known).then(pl.col("score").fill_null(0.0)).otherwise(UNKNOWN)
    probability: F32 = frame.select(score.cast(pl.Float32)).to_series().to_numpy()
    return probability


def boilerplate_share(texts: pl.Series) -> F32:
    """Return the share of words in boilerplate phrases; 0 for long texts."""
    out = np.zeros(len(texts), np.float32)
    chars = texts.str.len_chars()
    short = ((chars <= _MAX_BOILERPLATE_CHARS) & (chars > 0)).arg_true()
    if short.is_empty():
        return out
    words = CodePoints(texts.gather(short)).words()
    _, share = find_phrases(words, len(short))
    table = load_phrases()
    roles = [table.roles.index(role) for role in BOILERPLATE_ROLES if role in table.roles]
    out[short.to_numpy()] = share[:, roles].max(axis=1)
    return out

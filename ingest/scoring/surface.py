"""What is seen of two texts without their words: marks, brackets, length, script, phrases."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.codepoints import CodePoints
from ingest.detection import identify
from ingest.detection.rules import candidate_languages, load_rules
from ingest.languages import DENSITY
from ingest.phrases import find_phrases, load_phrases

_MARKS = {
    "question": "[?؟]", "exclamation": "!", "stop": "[.…۔]", "pause": "[,،;؛:]",
    "quotes": '["“”„«»]', "opened": r"[(\[{]", "closed": r"[)\]}]",
}  # fmt: skip
_END = r"[.!?؟…۔][\"'”’»)\]\s\p{Cf}]*$"
_AGREE = {"question": 2.0, "exclamation": 1.0, "stop": 1.0, "pause": 0.5, "quotes": 0.5, "end": 2.0}
COUNTS = ("chars", *_MARKS, "end")
_LOG = 12.0  # of the ratio of lengths, at most: so that a side without text has one too
_PHRASE = 80  # characters of the longest text that can be furniture
_FURNITURE = ("nav", "widget", "ad", "credit")
NOT_KNOWN = 0.5  # probability of a language where nothing can be said
_IDENTIFIED = 200  # characters by which a language is told


def counts(texts: pl.Series) -> F32:
    """float32 [texts, COUNTS]: characters, marks, and whether the text ends like a sentence."""
    text = pl.col("text")
    made = (
        texts.alias("text")
        .to_frame()
        .select(
            text.str.len_chars().alias("chars"),
            *(text.str.count_matches(mark).alias(name) for name, mark in _MARKS.items()),
            text.str.contains(_END).alias("end"),
        )
    )
    return made.cast(pl.Float32).to_numpy()


def punctuation(one: F32, two: F32) -> F32:
    """How far two texts have the same marks, 0…1; 1 where they have none."""
    at = [COUNTS.index(name) for name in _AGREE]
    weight = np.array(list(_AGREE.values()), np.float32)
    apart = (np.abs(one - two)[:, at] * weight).sum(axis=1)
    most = (np.maximum(one, two)[:, at] * weight).sum(axis=1)
    agreed: F32 = 1.0 - apart / np.maximum(most, 1.0)
    return agreed


def brackets(one: F32, two: F32) -> F32:
    """How far the brackets of two texts are the same and closed, 0…1; 1 where there are none."""
    (a, b), (c, d) = ((x[:, COUNTS.index("opened")], x[:, COUNTS.index("closed")])
                      for x in (one, two))  # fmt: skip
    apart = np.abs(a - c) + np.abs(b - d) + np.abs(a - b) + np.abs(c - d)
    agreed: F32 = 1.0 - apart / np.maximum(2.0 * (a + b + c + d), 1.0)
    return agreed


def ratio(source: F32, target: F32, langs: tuple[pl.Series, pl.Series]) -> F32:
    """Characters of the target over those of the source, each as if it were English."""
    sizes = [
        (side[:, 0] + 1.0) / lang.replace_strict(DENSITY, default=1.0, return_dtype=pl.Float32)
        .fill_null(1.0).to_numpy()
        for side, lang in zip((source, target), langs, strict=True)
    ]  # fmt: skip
    log = np.clip(np.log(sizes[1] / sizes[0]), -_LOG, _LOG)
    made: F32 = np.exp(log).astype(np.float32)
    return made


def scripts(texts: pl.Series, langs: pl.Series) -> F32:
    """Share of the letters of each text that are of its language's script; 1 without letters."""
    out = np.ones(len(texts), np.float32)
    for lang in langs.unique().drop_nulls().sort():
        pattern = _script(lang)
        which = (langs == lang).fill_null(value=False).arg_true()
        if not pattern:
            continue
        some = texts.gather(which)
        letters = some.str.count_matches(r"\p{L}").to_numpy().astype(np.float32)
        own = some.str.count_matches(rf"[{pattern}&&\p{{L}}]").to_numpy().astype(np.float32)
        out[which.to_numpy()] = np.where(letters > 0, own / np.maximum(letters, 1.0), 1.0)
    return out


@cache
def _script(lang: str) -> str:
    """The properties of the script of a language, as a pattern; empty where it is not known."""
    table = {s["code"]: rf"\p{{{s['property']}}}" for s in load_rules()["scripts"]}
    for script in load_rules()["languages"]:
        if lang in {code.partition("-")[0] for code in candidate_languages(script)}:
            return table[script]
    for script in load_rules()["scripts"]:
        if script["lang"] == lang:
            return rf"[{table[script['code']]}]"
    return ""


def languages(texts: pl.Series, langs: pl.Series, detector: str) -> F32:
    """Probability that each text is in its language; NOT_KNOWN where nothing can be said."""
    texts = texts.str.slice(0, _IDENTIFIED)
    seen = identify(texts.unique(maintain_order=True), detector=detector, top=3)
    first = seen.select("text", "lang", score="lang_score")
    rest = seen.select("text", "runners_up").explode("runners_up").drop_nulls()
    others = rest.select(
        "text",
        lang=pl.col("runners_up").struct.field("lang"),
        score=pl.col("runners_up").struct.field("score"),
    )
    unsure = first.filter(pl.col("lang").is_in(["und", "zxx"])).select("text", unsure=True)
    frame = pl.DataFrame({"text": texts, "lang": langs})
    frame = frame.join(pl.concat([first, others]), on=["text", "lang"], how="left",
                       maintain_order="left")  # fmt: skip
    frame = frame.join(unsure, on="text", how="left", maintain_order="left")
    known = pl.col("unsure").is_null() & pl.col("lang").is_not_null()
    score = pl.when(known).then(pl.col("score").fill_null(0.0)).otherwise(NOT_KNOWN)
    found: F32 = frame.select(score.cast(pl.Float32)).to_series().to_numpy()
    return found


def boilerplate(texts: pl.Series) -> F32:
    """Share of the words of each text that phrases of page furniture cover; 0 for long texts."""
    out = np.zeros(len(texts), np.float32)
    short = ((texts.str.len_chars() <= _PHRASE) & (texts.str.len_chars() > 0)).arg_true()
    if short.is_empty():
        return out
    words = CodePoints(texts.gather(short)).words()
    _, share = find_phrases(words, len(short))
    table = load_phrases()
    roles = [table.roles.index(role) for role in _FURNITURE if role in table.roles]
    out[short.to_numpy()] = share[:, roles].max(axis=1)
    return out

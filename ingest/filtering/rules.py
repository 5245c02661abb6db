"""The rules that look at one pair alone, in the order in which they have their say."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import NamedTuple

import polars as pl

from ingest.config import FilterConfig
from ingest.detection.rules import load_rules
from ingest.drop_reasons import NO_SCORE, OF_PAIRS, RULES
from ingest.errors import FrameError
from ingest.frames import METHOD_IMPORTED, TRANSLATED, check
from ingest.languages import DENSITY
from ingest.scoring.model import LANGS
from ingest.text import comparable

_SIDES = ("source", "target")
_TEXTS = ("source_text", "target_text")
_GIVEN = 15  # characters that are given to both sides, for short texts differ more
# Scripts written without spaces, in which two letters or so make a word
_UNSPACED = r"[\p{scx:Han}\p{scx:Hira}\p{scx:Kana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}&&\p{L}]"
_WORD = (
    rf"(?:{_UNSPACED}\p{{M}}*){{1,2}}"
    rf"|[[\p{{L}}\p{{N}}]--\u0640--{_UNSPACED}][[\p{{L}}\p{{M}}\p{{N}}'’]--{_UNSPACED}]*"
)


class _Scored(NamedTuple):
    """A rule about columns that `ingest.score` makes."""

    rule: str
    columns: tuple[str, ...]
    setting: str
    least: bool  # whether the setting is the least value, or the most


_SCORED = (
    _Scored("copy", ("copy",), "max_copy", least=False),
    _Scored("wrong language", ("source_lang_right", "target_lang_right"), "min_language", True),
    _Scored("low quality", ("quality",), "min_quality", least=True),
    _Scored("boilerplate", ("boilerplate",), "max_boilerplate", least=False),
    _Scored("repetition", ("repetition",), "max_repetition", least=False),
)


def check_scores(columns: pl.Schema, config: FilterConfig) -> None:
    """Raise unless the columns that rules ask for are there, and can be compared.

    Raises:
        FrameError: one is not.
    """
    _asked(columns, config)
    if "flags" in columns:
        check(pl.DataFrame(schema=columns), TRANSLATED, verb="filter")


def first_reason(pairs: pl.DataFrame, excluded: pl.Series, config: FilterConfig) -> pl.Series:
    """The first rule that each pair does not pass, as an index into RULES; null where it passes.

    Args:
        pairs: a batch of them, with columns that `check_scores` has seen.
        excluded: whether each has an excluded text.
        config: the thresholds.
    """
    hits = _hits(config)
    asked = _asked(pairs.schema, config)
    compared = [name for rule in asked for name in rule.columns]
    compared += ["score"] if config.min_score else []
    flags = ["flags"] if "flags" in pairs.columns and not config.flagged else []
    measures = pairs.select(
        *{"method", "score", "source_lang", "target_lang", *compared, *flags},
        *(_words(side).alias(f"words_in_{side}") for side in _SIDES),
        *(_length(side).alias(f"length_of_{side}") for side in _SIDES),
        *(_script_share(side, pairs[f"{side}_lang"]).alias(f"script_of_{side}") for side in _SIDES),
        same_text=_same(),
    ).with_columns(excluded=excluded)
    for rule in asked:
        limit = pl.lit(getattr(config, rule.setting), pl.Float32)
        for value in map(_number, rule.columns):
            hits.setdefault(rule.rule, []).append(value < limit if rule.least else value > limit)
    hits[NO_SCORE] = [_missing(name) for name in compared]
    hits["flagged translation"] = [pl.col(name).list.len() > 0 for name in flags]
    reason = pl.lit(None, pl.UInt8)
    for name in OF_PAIRS[::-1]:
        if some := hits.get(name):
            hit = pl.any_horizontal(some).fill_null(False)
            number = pl.lit(RULES.index(name), pl.UInt8)
            reason = pl.when(hit).then(number).otherwise(reason)
    return measures.select(reason=reason)["reason"]


def _hits(config: FilterConfig) -> dict[str, list[pl.Expr]]:
    """The rules about what every pair has; any of a rule's expressions is enough."""
    words = [pl.col(f"words_in_{side}") for side in _SIDES]
    least = pl.lit(config.min_score, pl.Float32)
    hits = {
        "empty": [count == 0 for count in words],
        "copy": [pl.col("same_text")],
        "too short": [count < config.min_words for count in words],
        "wrong script": [pl.col(f"script_of_{side}") < config.min_script for side in _SIDES],
        "low score": [(pl.col("method") == "aligned") & (pl.col("score") < least)],
        "excluded": [pl.col("excluded")],
    }
    if config.max_words:
        hits["too long"] = [count > config.max_words for count in words]
    if config.max_ratio:
        one, other = (pl.col(f"length_of_{side}") for side in _SIDES)
        hits["length ratio"] = [one / other > config.max_ratio, other / one > config.max_ratio]
    if not config.machine:
        hits["machine text"] = [pl.col("method") == "translated"]
    return hits


def _number(name: str) -> pl.Expr:
    """A score, null where it is no number."""
    return pl.col(name).cast(pl.Float32).fill_nan(None)


def _missing(name: str) -> pl.Expr:
    """No score where there should be one: not of given pairs; no quality of other languages."""
    langs = pl.concat_list(f"{side}_lang" for side in _SIDES).list.sort()
    judged = langs == pl.lit(list(LANGS)) if name == "quality" else pl.lit(True)
    judged = pl.col("method") != METHOD_IMPORTED if name == "score" else judged
    return _number(name).is_null() & judged


def _words(side: str) -> pl.Expr:
    return pl.col(f"{side}_text").str.count_matches(_WORD).fill_null(0)


def _same() -> pl.Expr:
    """Both sides say the same, and not in digits alone."""
    one, other = (comparable(pl.col(text)).str.to_lowercase() for text in _TEXTS)
    return (one == other) & pl.col(_TEXTS[0]).str.contains(r"\p{L}")


def _length(side: str) -> pl.Expr:
    density = pl.col(f"{side}_lang").replace_strict(DENSITY, default=1.0, return_dtype=pl.Float64)
    return pl.col(f"{side}_text").str.len_chars() / density + _GIVEN


def _script_share(side: str, langs: pl.Series) -> pl.Expr:
    """Share of letters in the script of the side's language; null where that is not known."""
    text, lang = pl.col(f"{side}_text"), pl.col(f"{side}_lang")
    letters = text.str.count_matches(r"\p{L}")
    share = pl.lit(None, pl.Float64)
    there = set(langs.unique())
    for of_script, letter in _scripts():
        if some := there.intersection(of_script):
            known = text.str.count_matches(letter) / letters
            share = pl.when(lang.is_in(sorted(some))).then(known).otherwise(share)
    return pl.when(letters > 0).then(share)


@cache
def _scripts() -> list[tuple[list[str], str]]:
    """Languages that are written in one script, and a pattern for its letters."""
    by_model = load_rules()["languages"]
    made = []
    for script in load_rules()["scripts"]:
        langs = by_model.get(script["code"], "").replace("|", "").split()
        langs = sorted({lang.partition("-")[0] for lang in langs})
        if script["lang"] and script["lang"] != "ja":  # which is written in two
            langs.append(script["lang"])
        if langs:
            made.append((langs, rf"[\p{{{script['property']}}}&&\p{{L}}]"))
    return made


def _asked(columns: pl.Schema, config: FilterConfig) -> list[_Scored]:
    """Rules about scores that are on and whose columns are there.

    Raises:
        FrameError: one is asked for, by another setting than the default, and is not there.
    """
    default = {f.name: f.default for f in fields(FilterConfig)}
    asked = []
    for rule in _SCORED:
        missing = [name for name in rule.columns if name not in columns]
        value = getattr(config, rule.setting)
        if value and missing and value != default[rule.setting]:
            raise FrameError(
                f"filter: {rule.setting} = {value:g} needs the column {missing[0]!r}; "
                "ingest.score makes it"
            )
        if value and not missing:
            for name in rule.columns:
                if not (columns[name].is_numeric() or columns[name] == pl.Boolean):
                    raise FrameError(f"filter: column {name!r} is {columns[name]}, must be Float32")
            asked.append(rule)
    return asked

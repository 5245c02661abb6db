"""The rules that look at one pair alone."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import polars as pl

from ingest.config import FilterConfig
from ingest.drop_reasons import NO_SCORE, REJECTED, RULES, SINGLE_PAIR_RULES
from ingest.errors import FrameError
from ingest.frames import BY_HAND, METHOD_ALIGNED, METHOD_TRANSLATED, TRANSLATED, check
from ingest.languages import DENSITY
from ingest.scoring.model import LANGS
from ingest.scoring.surface import script_share
from ingest.text import comparable

_SIDES = ("source", "target")
_TEXTS = ("source_text", "target_text")
# Added to the length of both sides, because the ratio of short texts varies more.
_EXTRA_CHARS = 15
# Letters of scripts without spaces, in which about two letters make a word.
_UNSPACED = r"[\p{scx:Han}\p{scx:Hira}\p{scx:Kana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}&&\p{L}]"
_WORD = (
    rf"(?:{_UNSPACED}\p{{M}}*){{1,2}}"
    rf"|[[\p{{L}}\p{{N}}]--\u0640--{_UNSPACED}][[\p{{L}}\p{{M}}\p{{N}}'’]--{_UNSPACED}]*"
)

KEPT_BY_HAND = BY_HAND[0].name
# A person who keeps a pair does not know that it is in a test set.
_ALWAYS_ASKED = (REJECTED, "excluded")


class _ScoreRule(NamedTuple):
    """A rule about columns that `ingest.score` adds."""

    name: str
    columns: tuple[str, ...]
    setting: str
    is_minimum: bool  # whether the setting is a minimum or a maximum


_SCORE_RULES = (
    _ScoreRule("copy", ("copy",), "max_copy", is_minimum=False),
    _ScoreRule(
        "wrong language",
        ("source_lang_right", "target_lang_right"),
        "min_language",
        is_minimum=True,
    ),
    _ScoreRule("low quality", ("quality",), "min_quality", is_minimum=True),
    _ScoreRule("boilerplate", ("boilerplate",), "max_boilerplate", is_minimum=False),
    _ScoreRule("repetition", ("repetition",), "max_repetition", is_minimum=False),
)


def unchecked_rules(columns: pl.Schema, config: FilterConfig) -> list[str]:
    """Return the rules that are switched on, but cannot be checked without `ingest.score`.

    >>> unchecked_rules(pl.Schema({"quality": pl.Float32}), FilterConfig(max_repetition=0))
    ['copied words', 'wrong language', 'boilerplate']
    """
    active = _active_score_rules(columns, config)
    rules = [rule for rule in _SCORE_RULES if getattr(config, rule.setting) and rule not in active]
    # without scores, a copy of the whole text is still found
    return ["copied words" if rule.name == "copy" else rule.name for rule in rules]


def check_scores(columns: pl.Schema, config: FilterConfig) -> None:
    """Raise unless the columns that the rules need exist and are numeric.

    Raises:
        FrameError: a column is missing or has the wrong type.
    """
    _active_score_rules(columns, config)
    if "flags" in columns:
        check(pl.DataFrame(schema=columns), TRANSLATED, verb="filter")


def first_failed_rule(pairs: pl.DataFrame, excluded: pl.Series, config: FilterConfig) -> pl.Series:
    """Return the first rule that each pair fails, as an index into RULES; null if none.

    Args:
        pairs: a batch of pairs, whose columns `check_scores` has checked.
        excluded: whether each pair has an excluded text.
        config: the thresholds.
    """
    failures = _basic_failures(config)
    score_rules = _active_score_rules(pairs.schema, config)
    scores = [name for rule in score_rules for name in rule.columns]
    scores += ["score"] if config.min_score else []
    flags = ["flags"] if "flags" in pairs.columns and not config.flagged else []
    # a person's decision in an earlier file stays, and no other rule is asked
    by_hand = ["drop_reason"] if pairs.schema.get("drop_reason") == pl.String else []
    measures = pairs.select(
        *{"method", "score", "source_lang", "target_lang", *scores, *flags, *by_hand},
        *_text_measures(pairs),
        same_text=_is_same_text(),
        asked=~kept_by_hand(pairs.schema),
    ).with_columns(excluded=excluded)
    for rule in score_rules:
        limit = pl.lit(getattr(config, rule.setting), pl.Float32)
        for value in map(_number, rule.columns):
            failure = value < limit if rule.is_minimum else value > limit
            failures.setdefault(rule.name, []).append(failure)
    failures[REJECTED] = [pl.col(name) == REJECTED for name in by_hand]
    failures[NO_SCORE] = [_lacks_score(name) for name in scores]
    failures["flagged translation"] = [pl.col(name).list.len() > 0 for name in flags]
    reason = pl.lit(None, pl.UInt8)
    for name in SINGLE_PAIR_RULES[::-1]:
        if expressions := failures.get(name):
            failed = pl.any_horizontal(expressions).fill_null(False)
            if name not in _ALWAYS_ASKED:
                failed &= pl.col("asked")
            index = pl.lit(RULES.index(name), pl.UInt8)
            reason = pl.when(failed).then(index).otherwise(reason)
    return measures.select(reason=reason)["reason"]


def kept_by_hand(columns: pl.Schema) -> pl.Expr:
    """Return whether a person keeps each pair, whatever the rules say."""
    if columns.get(KEPT_BY_HAND) != pl.Boolean:
        return pl.repeat(False, pl.len(), dtype=pl.Boolean)
    return pl.col(KEPT_BY_HAND).fill_null(value=False)


def rule_values(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return what each rule with a threshold measures: one column per setting, one row per pair.

    A pair fails a rule if the value is below a `min_` setting or above a `max_` one.

    Args:
        pairs: pairs; the columns of `ingest.score` are used if they are there.
    """
    measures = pairs.select("method", "score", *_text_measures(pairs))
    words = [f"words_in_{side}" for side in _SIDES]
    source, target = (pl.col(f"length_of_{side}") for side in _SIDES)
    is_aligned = pl.col("method") == METHOD_ALIGNED
    values = measures.select(
        min_words=pl.min_horizontal(words),
        max_words=pl.max_horizontal(words),
        max_ratio=pl.max_horizontal(source / target, target / source),
        min_script=pl.min_horizontal(f"script_of_{side}" for side in _SIDES),
        min_score=pl.when(is_aligned).then(_number("score")),
    )
    score_rules = [rule for rule in _SCORE_RULES if {*rule.columns} <= {*pairs.columns}]
    return values.hstack(
        pairs.select(
            (pl.min_horizontal if rule.is_minimum else pl.max_horizontal)(
                map(_number, rule.columns)
            ).alias(rule.setting)
            for rule in score_rules
        )
    )


def _text_measures(pairs: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    """Return the words, length and script of each side, to select from pairs."""
    return [
        *(_word_count(side).alias(f"words_in_{side}") for side in _SIDES),
        *(_length(side).alias(f"length_of_{side}") for side in _SIDES),
        *(_script_share(pairs, side) for side in _SIDES),
    ]


def _basic_failures(config: FilterConfig) -> dict[str, list[pl.Expr]]:
    """Return the rules about columns that all pairs have. One true expression fails the rule."""
    words = [pl.col(f"words_in_{side}") for side in _SIDES]
    min_score = pl.lit(config.min_score, pl.Float32)
    failures = {
        "empty": [count == 0 for count in words],
        "copy": [pl.col("same_text")],
        "too short": [count < config.min_words for count in words],
        "wrong script": [pl.col(f"script_of_{side}") < config.min_script for side in _SIDES],
        "low score": [(pl.col("method") == METHOD_ALIGNED) & (pl.col("score") < min_score)],
        "excluded": [pl.col("excluded")],
    }
    if config.max_words:
        failures["too long"] = [count > config.max_words for count in words]
    if config.max_ratio:
        source, target = (pl.col(f"length_of_{side}") for side in _SIDES)
        failures["length ratio"] = [
            source / target > config.max_ratio, target / source > config.max_ratio,
        ]  # fmt: skip
    if not config.machine:
        failures["machine text"] = [pl.col("method") == METHOD_TRANSLATED]
    return failures


def _number(name: str) -> pl.Expr:
    """Return a score column, with null for NaN."""
    return pl.col(name).cast(pl.Float32).fill_nan(None)


def _lacks_score(name: str) -> pl.Expr:
    """Return whether a score is missing that should be there.

    `score` comes from the alignment, so pairs of other origin need none; languages other than ar
    and en have no `quality`.
    """
    expected = pl.lit(True)
    if name == "quality":
        langs = pl.concat_list(f"{side}_lang" for side in _SIDES).list.sort()
        expected = langs == pl.lit(list(LANGS))
    elif name == "score":
        expected = pl.col("method") == METHOD_ALIGNED
    return _number(name).is_null() & expected


def _word_count(side: str) -> pl.Expr:
    return pl.col(f"{side}_text").str.count_matches(_WORD).fill_null(0)


def _is_same_text() -> pl.Expr:
    """Return whether both sides have the same text, with at least one letter."""
    source, target = (comparable(pl.col(text)).str.to_lowercase() for text in _TEXTS)
    return (source == target) & pl.col(_TEXTS[0]).str.contains(r"\p{L}")


def _length(side: str) -> pl.Expr:
    density = pl.col(f"{side}_lang").replace_strict(DENSITY, default=1.0, return_dtype=pl.Float64)
    return pl.col(f"{side}_text").str.len_chars() / density + _EXTRA_CHARS


def _script_share(pairs: pl.DataFrame, side: str) -> pl.Series:
    share = script_share(pairs[f"{side}_text"].fill_null(""), pairs[f"{side}_lang"])
    return pl.Series(f"script_of_{side}", share)


def _active_score_rules(columns: pl.Schema, config: FilterConfig) -> list[_ScoreRule]:
    """Return the score rules that are switched on and whose columns exist.

    Raises:
        FrameError: a setting differs from its default, but its column does not exist; or a column
            is not numeric.
    """
    defaults = {f.name: f.default for f in fields(FilterConfig)}
    active = []
    for rule in _SCORE_RULES:
        missing = [name for name in rule.columns if name not in columns]
        value = getattr(config, rule.setting)
        if value and missing and value != defaults[rule.setting]:
            raise FrameError(
                f"filter: {rule.setting} = {value:g} needs column {missing[0]!r}, which "
                "ingest.score adds"
            )
        if value and not missing:
            for name in rule.columns:
                if not (columns[name].is_numeric() or columns[name] == pl.Boolean):
                    raise FrameError(f"filter: column {name!r} is {columns[name]}, must be Float32")
            active.append(rule)
    return active

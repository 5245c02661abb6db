"""Lines that need no model: codes, commands, script debris, Arabizi, and names of languages."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ingest.detection.informal import is_arabizi
from ingest.detection.rules import load_rules

_MAX_CODE = 6  # letters of a line that can be a code
_MIN_ARABIZI = 6  # letters of a line that can be Arabizi
_MIN_OPERATORS = 0.04  # share of brackets, quotes and operators from which a line can be debris
_OPERATORS = r"[(){}\[\];=<>'\"`$\\|&+]"
_AROUND_NAMES = " \t\r\n|/·•()[]<>«»-–—:*"  # characters around an entry of a language menu


def decide_special_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Set `lang` for lines that have letters but no language, and for names of languages.

    Codes, commands and debris of scripts become zxx. The name of a language in that language,
    such as "Deutsch", becomes that language. Arabic in Latin letters becomes und: no model of Latin
    script knows it.

    Args:
        frame: columns raw, clean, script, lang, letters.
    """
    rules = load_rules()
    clean, raw = frame["clean"], frame["raw"]
    undecided, size = frame["lang"].is_null(), clean.str.len_bytes()
    may_be_code = undecided & (size < 32) & (frame["letters"] <= _MAX_CODE)
    code = _matches(clean, may_be_code, rules["codes"])
    latin = undecided & (frame["script"] == "Latn")
    shell = _matches(raw, latin & raw.str.contains(r"^\s*[$#>a-z]"), rules["shell"])
    shell &= ~_matches(raw, shell, [rules["prose"]])
    debris = _matches(raw, latin & raw.str.contains(r"[;{}=$|(]"), rules["debris"])
    debris = _test(raw, debris, _has_operators)
    arabizi = _test(clean, latin & (frame["letters"] >= _MIN_ARABIZI), is_arabizi)
    autonyms = {name.lower(): lang for lang, names in rules["autonyms"].items() for name in names}
    may_be_name = undecided & (size < 64) & (frame["letters"] <= max(map(len, autonyms)))
    name = pl.when(may_be_name).then("clean").str.strip_chars(_AROUND_NAMES).str.to_lowercase()
    return frame.with_columns(
        lang=pl.when(code | shell | debris)
        .then(pl.lit("zxx"))
        .when(arabizi)
        .then(pl.lit("und"))
        .otherwise(pl.coalesce("lang", name.replace_strict(autonyms, default=None)))
    )


def _has_operators(texts: pl.Series) -> pl.Series:
    return texts.str.count_matches(_OPERATORS) > _MIN_OPERATORS * texts.str.len_chars()


def _matches(texts: pl.Series, where: pl.Series, patterns: list[str]) -> pl.Series:
    """Whether each text matches a pattern. Only the texts that `where` marks are tested."""

    def matches(tested: pl.Series) -> pl.Series:
        any_ = pl.any_horizontal(pl.col("text").str.contains(p) for p in patterns)
        return tested.to_frame("text").select(any_).to_series()

    return _test(texts, where, matches)


def _test(texts: pl.Series, where: pl.Series, test: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The results of a test on the texts that `where` marks; false for the others."""
    out = pl.repeat(False, len(texts), eager=True)
    rows = where.arg_true()
    if rows.is_empty():
        return out
    return out.scatter(rows, test(texts.gather(rows)))

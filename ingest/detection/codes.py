"""What has letters but no language: codes, commands, debris of scripts."""

from __future__ import annotations

import polars as pl

from ingest.detection.rules import rules

_DENSE = 0.04  # share of brackets, quotes and operators from which a line can be debris
_OPERATORS = r"[(){}\[\];=<>'\"`$\\|&+]"
_AROUND = " \t\r\n|/·•()[]<>«»-–—:*"  # what stands around an entry of a language menu


def settle(frame: pl.DataFrame) -> pl.DataFrame:
    """Settle as zxx what has letters but no language, and lines that name their own language."""
    found = rules()
    clean, raw = frame["clean"], frame["raw"]
    open_, size = frame["lang"].is_null(), clean.str.len_bytes()
    code = _matching(clean, open_ & (size < 32), found["codes"])
    latin = open_ & (frame["script"] == "Latn")
    shell = _matching(raw, latin & raw.str.contains(r"^\s*[$#>a-z]"), found["shell"])
    shell &= ~_matching(raw, shell, [found["prose"]])
    debris = _matching(raw, latin & raw.str.contains(r"[;{}=$|(]"), found["debris"])
    debris &= raw.str.count_matches(_OPERATORS) > _DENSE * raw.str.len_chars()
    own = {name.lower(): lang for lang, names in found["autonyms"].items() for name in names}
    named = pl.when(size < 64).then(clean).str.strip_chars(_AROUND).str.to_lowercase()
    return frame.with_columns(
        lang=pl.when(code | shell | debris)
        .then(pl.lit("zxx"))
        .otherwise(pl.coalesce("lang", named.replace_strict(own, default=None)))
    )


def _matching(texts: pl.Series, where: pl.Series, patterns: list[str]) -> pl.Series:
    """Which texts match one of the patterns, tried only where that is worth while."""
    out = pl.repeat(False, len(texts), eager=True)
    hit = where.arg_true()
    if hit.is_empty():
        return out
    some = pl.DataFrame({"text": texts.gather(hit)})
    any_ = pl.any_horizontal(pl.col("text").str.contains(p) for p in patterns)
    return out.scatter(hit, some.select(any_).to_series())

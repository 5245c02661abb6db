"""Training pairs of the translation models: selected and cleaned."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import polars as pl

from ingest.encoder.words import words
from lang_models.encoder.data import HELD_OUT, SOURCES, pairs

if TYPE_CHECKING:
    from pathlib import Path

# Passes per epoch where they differ from the encoder's: more for prose in whole sentences, less for
# scripture and two-word labels.
PASSES = {
    "ms_beginners_llm": 1.0,
    "zechub": 2.0,
    "aquifer_study_notes": 0.6,
    "bible_onav_bsb": 0.5,
    "bible_vandyck_bsb": 0.0,
    "uw_questions": 0.4,
    "uw_translation_notes": 0.15,
    "odoo": 0.4,
    "kde": 0.4,
    "mediawiki": 0.5,
}
# Arabic diacritics, tatweel, dagger alif, recitation marks
_REMOVED = {*range(0x64B, 0x660), 0x640, 0x670, *range(0x6D6, 0x6EE)}
MAX_RATIO = 2.2  # of the lengths of the two sides in characters, if one has more than 30


def load_pairs(folder: Path, exclude: list[Path]) -> pl.DataFrame:
    """Load all training pairs: english, arabic (String), passes (Float32), held (Boolean).

    Pairs with a side that equals a line of `exclude`, ignoring case, diacritics and punctuation,
    are dropped. An English sentence occurs at most twice, with different Arabic.
    """
    frames = [
        pairs(folder / f"{name}.tsv").with_columns(
            source=pl.lit(name), passes=pl.lit(PASSES.get(name, passes), pl.Float32)
        )
        for name, (_, passes) in SOURCES.items()
        if (folder / f"{name}.tsv").is_file()
    ]
    rows = pl.concat(frames).filter(pl.col("passes") > 0)
    row, count = pl.int_range(pl.len()).over("source"), pl.len().over("source")
    held_out_count = pl.lit(0).cast(pl.Int64)
    for name, n in HELD_OUT.items():
        held_out_count = pl.when(pl.col("source") == name).then(n).otherwise(held_out_count)
    rows = rows.with_columns(held=(row >= count // 2) & (row < count // 2 + held_out_count))
    rows = rows.with_columns(en_key=_keys(rows["english"]), ar_key=_keys(rows["arabic"]))
    excluded = pl.concat(
        [_keys(pairs(path)[column]) for path in exclude for column in ("english", "arabic")]
        or [pl.Series([], dtype=pl.UInt64)]
    )
    rows = rows.filter(~pl.col("en_key").is_in(excluded.implode()))
    rows = rows.filter(~pl.col("ar_key").is_in(excluded.implode()))
    held_out = rows.filter("held")
    rows = rows.filter(
        pl.col("held")
        | ~(
            pl.col("en_key").is_in(held_out["en_key"].implode())
            | pl.col("ar_key").is_in(held_out["ar_key"].implode())
        )
    ).unique(["en_key", "ar_key"], keep="first", maintain_order=True)
    rows = rows.filter(pl.int_range(pl.len()).over("en_key") < 2)
    long, short = (
        f(pl.col("english").str.len_chars(), pl.col("arabic").str.len_chars())
        for f in (pl.max_horizontal, pl.min_horizontal)
    )
    return rows.filter((long <= 30) | (long <= MAX_RATIO * short)).select(
        "english", "arabic", "passes", "held"
    )


def normalization_rules() -> str:
    """Return SentencePiece's normalization rules.

    They remove Arabic diacritics, tatweel and bidi controls, fold presentation forms and full-width
    letters, and turn every decimal digit into ASCII.
    """
    rules = []
    for code in range(0xA0, 0x10000):
        if 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            replacement = str(unicodedata.decimal(char))
        elif code in _REMOVED or (category == "Cf" and code != 0x200C):
            replacement = ""
        else:
            replacement = unicodedata.normalize("NFKC", char)
        if replacement != char:
            rules.append(f"{code:X}\t{' '.join(f'{ord(c):X}' for c in replacement)}\t")
    rules += [f"{code:X}\t20\t" for code in (0x9, 0xA, 0xD)]
    return "\n".join(rules) + "\n"


def _keys(texts: pl.Series) -> pl.Series:
    return words(texts).list.join(" ").hash()

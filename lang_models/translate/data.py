"""The training pairs of the translation models: which sources, cleaned, as sentence pieces."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest.encoder.words import words
from lang_models.encoder.data import HELD_OUT, SOURCES, pairs

if TYPE_CHECKING:
    from pathlib import Path

    import sentencepiece
    from numpy.typing import NDArray

    Ints = NDArray[np.int32]

# Passes in one epoch where translation wants another share than the encoder: whole sentences of
# prose more, scripture and two-word labels less.
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
LONGEST = 100  # pieces a side: what is longer is more often misaligned than useful
# Arabic marks, tatweel, dagger alif, signs of recitation
_DROPPED = {*range(0x64B, 0x660), 0x640, 0x670, *range(0x6D6, 0x6EE)}
RATIO = 2.2  # characters of one side to those of the other, beyond 30 characters


def table(folder: Path, exclude: list[Path]) -> pl.DataFrame:
    """All training pairs: columns english, arabic (String), passes (Float32), held (Boolean).

    A pair equal to a line of `exclude` on either side, case, marks and punctuation ignored, is
    left out; one English sentence stands at most twice, whatever its Arabic.
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
    held = pl.lit(0).cast(pl.Int64)
    for name, n in HELD_OUT.items():
        held = pl.when(pl.col("source") == name).then(n).otherwise(held)
    rows = rows.with_columns(held=(row >= count // 2) & (row < count // 2 + held))
    rows = rows.with_columns(en_key=_keys(rows["english"]), ar_key=_keys(rows["arabic"]))
    barred = pl.concat(
        [_keys(pairs(p)[c]) for p in exclude for c in ("english", "arabic")]
        or [pl.Series([], dtype=pl.UInt64)]
    )
    rows = rows.filter(~pl.col("en_key").is_in(barred.implode()))
    rows = rows.filter(~pl.col("ar_key").is_in(barred.implode()))
    of_held = rows.filter("held")
    rows = rows.filter(
        pl.col("held")
        | ~(
            pl.col("en_key").is_in(of_held["en_key"].implode())
            | pl.col("ar_key").is_in(of_held["ar_key"].implode())
        )
    ).unique(["en_key", "ar_key"], keep="first", maintain_order=True)
    rows = rows.filter(pl.int_range(pl.len()).over("en_key") < 2)
    long, short = (
        f(pl.col("english").str.len_chars(), pl.col("arabic").str.len_chars())
        for f in (pl.max_horizontal, pl.min_horizontal)
    )
    return rows.filter((long <= 30) | (long <= RATIO * short)).select(
        "english", "arabic", "passes", "held"
    )


def normalisation() -> str:
    """SentencePiece's rules for one form of a text.

    Arabic marks, tatweel and bidi controls are dropped, presentation forms and wide letters
    folded, and every decimal digit becomes ASCII.
    """
    rules = []
    for code in range(0xA0, 0x10000):
        if 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        kind = unicodedata.category(char)
        if kind == "Nd":
            to = str(unicodedata.decimal(char))
        elif code in _DROPPED or (kind == "Cf" and code != 0x200C):
            to = ""
        else:
            to = unicodedata.normalize("NFKC", char)
        if to != char:
            rules.append(f"{code:X}\t{' '.join(f'{ord(c):X}' for c in to)}\t")
    rules += [f"{a:X}\t20\t" for a in (0x9, 0xA, 0xD)]
    return "\n".join(rules) + "\n"


def pieces(texts: pl.Series, model: sentencepiece.SentencePieceProcessor) -> tuple[Ints, Ints]:
    """All texts as piece numbers, flat, and where each begins (one more than texts)."""
    ids = model.encode(texts.to_list(), num_threads=2)
    starts = np.concatenate([[0], np.cumsum([len(i) for i in ids])]).astype(np.int32)
    return np.concatenate([np.asarray(i, np.int32) for i in ids]), starts


def _keys(texts: pl.Series) -> pl.Series:
    return words(texts).list.join(" ").hash()

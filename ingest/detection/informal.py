"""Informal spelling: letters held on (`شكراااا`), letters spaced out, Arabic in Latin letters."""

from __future__ import annotations

import numpy as np
import polars as pl
import regex
from numpy.typing import NDArray

from ingest._typing import I64, Bools
from ingest.codepoints import decode
from ingest.detection.char_kinds import CharKinds
from ingest.detection.rules import load_rules

# A letter three times in a row is held on. The few words that are spelled so (Walnussschale) are
# still recognised with one letter.
_HELD = regex.compile(r"(\p{L})\1{2,}")
_LAUGHTER = regex.compile(r"(?<![\p{L}\p{M}])(\p{L})\1{2,}(?![\p{L}\p{M}])")  # a word of one letter
_SPACED_LETTERS = 4  # letters by themselves, one after the other, that are a word
_SPACED = r"(?:^|\P{L})\p{L}\p{M}*(?: +\p{L}\p{M}*){3}(?:\P{L}|$)"
_SPACED_RUN = regex.compile(
    r"(?<![\p{L}\p{M}])\p{L}\p{M}*(?: {1,4}\p{L}\p{M}*){3,}(?![\p{L}\p{M}])"
)
_WORD_GAP = regex.compile(r" {2,}")
# Arabizi is at least this part of the words of a line, and at least two words.
_ARABIZI_SHARE, _ARABIZI_WORDS = 0.4, 2
_LETTER_AND_DIGIT = (
    r"[a-z][235679]|[235679]'?[a-z]"  # stands in every word with a digit for a letter
)


def fold_informal(texts: pl.Series) -> pl.Series:
    """Spell words as usual where letters are held on or spaced out, for comparing with a model.

    A word of one letter, such as laughter, says nothing about a language and is left out.

    >>> fold_informal(pl.Series(["شكراااا ههههه", "س و ق   ا ل س م ك", "Nooooo", "III"])).to_list()
    ['شكرا  ', 'سوق السمك', 'No', ' ']
    """
    held = _held_rows(texts)
    if len(held):
        folded = [_HELD.sub(r"\1", _LAUGHTER.sub(" ", text)) for text in texts.gather(held)]
        texts = texts.clone().scatter(held, pl.Series(folded, dtype=pl.String))
    spaced = texts.str.contains(_SPACED).arg_true()
    if len(spaced):
        folded = [_SPACED_RUN.sub(_join_letters, text) for text in texts.gather(spaced)]
        texts = texts.clone().scatter(spaced, pl.Series(folded, dtype=pl.String))
    return texts


def may_be_informal(chars: CharKinds) -> Bools:
    """Whether each text may have letters held on or spaced out: bool [texts].

    >>> may_be_informal(CharKinds(pl.Series(["Nooooo", "s o u k", "a b", "--- 1000"]))).tolist()
    [True, True, False, False]
    """
    codes, letter = chars.codes, chars.is_letter
    # letters without letters beside them, after a space
    alone = 1 + np.flatnonzero(letter[1:-1] & ~letter[:-2] & ~letter[2:])
    alone = alone[codes[alone - 1] == ord(" ")]
    return (chars.count_at(_held(codes)) > 0) | (chars.count_at(alone) > _SPACED_LETTERS - 2)


def is_arabizi(texts: pl.Series) -> pl.Series:
    """Whether each line of Latin script is Arabic written in Latin letters and digits.

    >>> is_arabizi(pl.Series(["ana msh 3aref a3mel eh", "The MP3 player"])).to_list()
    [True, False]
    """
    rules = load_rules()["arabizi"]
    text = pl.col("text")
    # Ignoring case, s and k also match two letters outside ASCII.
    words = [*rules["telling"].split(), "ſ", "\u212a"]
    may_be = text.str.contains(_LETTER_AND_DIGIT) | text.str.contains_any(
        words, ascii_case_insensitive=True
    )
    rows = texts.to_frame("text").select(may_be.arg_true()).to_series()
    if rows.is_empty():
        return pl.repeat(False, len(texts), eager=True)
    counts = (
        texts.gather(rows)
        .to_frame("text")
        .select(
            words=text.str.count_matches(r"[\p{L}\d'’]+"),
            spelled=text.str.count_matches(rules["spelling"]),
            other=text.str.count_matches(rules["technical"]),
            usual=text.str.count_matches(_any_of(rules["words"])),
            telling=text.str.count_matches(_any_of(rules["telling"])),
        )
    )
    found = pl.col("spelled") - pl.col("other") + pl.col("usual") + pl.col("telling")
    sure = (pl.col("spelled") > pl.col("other")) | (pl.col("telling") >= _ARABIZI_WORDS)
    is_so = sure & (found >= _ARABIZI_WORDS) & (found >= _ARABIZI_SHARE * pl.col("words"))
    out = pl.repeat(False, len(texts), eager=True)
    return out.scatter(rows, counts.select(is_so).to_series())


def _any_of(words: str) -> str:
    return rf"(?i)\b(?:{'|'.join(words.split())})\b"


def _held_rows(texts: pl.Series) -> pl.Series:
    """The numbers of the texts in which some letter may be held on."""
    codes, lengths = decode(texts, separator=" ")
    text = np.searchsorted(np.cumsum(lengths + 1), _held(codes), side="right")
    return pl.Series(np.unique(text))


def _held(codes: NDArray[np.uint32]) -> I64:
    """The positions of what may be a letter that repeats the two before it."""
    same = codes[1:] == codes[:-1]
    at = 2 + np.flatnonzero(same[1:] & same[:-1])
    code = codes[at]
    return at[(code > ord("@")) & ~((code >= 0x2000) & (code < 0x2070))]


def _join_letters(match: regex.Match[str]) -> str:
    """One word for each run of letters: gaps between words are wider than between letters."""
    return " ".join(word.replace(" ", "") for word in _WORD_GAP.split(match.group()))

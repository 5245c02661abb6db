"""Which columns hold the two texts, by their names, and what is kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest import frames
from ingest.errors import SourceError
from ingest.frames import TURNED
from ingest.pairs.languages import named

_SIDES = (
    ("source_text", "source", "src", "source_sentence", "src_text"),
    ("target_text", "target", "tgt", "target_sentence", "tgt_text", "trg"),
)
_LANGS = (("source_lang", "src_lang", "source_language"),
          ("target_lang", "tgt_lang", "target_language"))  # fmt: skip
# Columns that verbs make; of no use in a file that does not say how its pairs were made.
_MADE = {
    **frames.schema(
        frames.ALIGNED, frames.TRANSLATED, frames.SCORED, frames.FILTERED, frames.SPLIT
    ),
    TURNED: pl.Boolean(),
}
_PAIRS = frames.schema(frames.PAIRS)
_OURS = {"pair_id", "method"}  # what every file of pairs of ingest has
_BOTH = {"id", "no"}  # codes of languages that in most tables mean something else


class Columns(NamedTuple):
    """The columns of a table of pairs.

    `texts`: source and target. `langs`: the languages that these are named by; None where they are
    not. `said`: columns that hold the language of each row's source and target; None where there
    are none.
    """

    texts: tuple[str, str]
    langs: tuple[str, str] | None
    said: tuple[str, str] | None


def choose(names: Sequence[str], langs: tuple[str, str] | None) -> Columns | None:
    """The columns of both texts; None where the names do not tell.

    Args:
        names: of all columns.
        langs: source and target, as the call names them: which of several languages are taken.

    >>> choose(["id", "English", "Arabic"], None)
    Columns(texts=('English', 'Arabic'), langs=('en', 'ar'), said=None)
    >>> choose(["en", "ar", "fr"], ("ar", "fr")).texts
    ('ar', 'fr')
    """
    lower = {name.strip().lower(): name for name in reversed(names)}
    said = _two(lower, _LANGS)
    if texts := _two(lower, _SIDES):
        return Columns(texts, None, said)
    by_lang: dict[str, str] = {}
    for name in names:
        if lang := named(name):
            by_lang.setdefault(lang, name)
    if len(by_lang) > 2 and not langs:
        by_lang = {lang: name for lang, name in by_lang.items() if lang not in _BOTH}
    if langs and all(lang in by_lang for lang in langs):
        return Columns((by_lang[langs[0]], by_lang[langs[1]]), langs, said)
    if len(by_lang) != 2:
        return None
    (one, first), (other, second) = by_lang.items()
    return Columns((first, second), (one, other), said)


def kept(names: Sequence[str]) -> pl.Schema:
    """The columns beside those of PAIRS that a file of ingest's own brings with it.

    >>> list(kept(["pair_id", "method", "quality", "mine"]))
    ['quality']
    """
    ours = set(names) >= _OURS
    return pl.Schema({n: dtype for n, dtype in _MADE.items() if ours and n in names})


def known(name: str) -> bool:
    """Whether a column is one that pairs of ingest may have."""
    return name in _PAIRS or name in _MADE


def none_known(what: str, names: Sequence[str]) -> SourceError:
    """That the columns of a table do not tell where the texts are."""
    listed = ", ".join(repr(name[:40]) for name in names[:20])
    return SourceError(
        f"{what}: its columns are {listed}; which two hold the texts? Name them source_text and "
        "target_text, or by their languages, such as ar and en; of more than two languages, "
        "--langs names two"
    )


def _two(lower: dict[str, str], usual: tuple[tuple[str, ...], ...]) -> tuple[str, str] | None:
    one, other = (next((lower[n] for n in of_side if n in lower), None) for of_side in usual)
    return (one, other) if one and other else None

"""Pairs that people already have: convert any table of two texts to a pairs frame."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import polars as pl

from ingest.errors import FrameError, SourceError
from ingest.frames import check
from ingest.pairs.dictionaries import unnest_translation
from ingest.pairs.ids import IdGenerator
from ingest.pairs.languages import parse_languages
from ingest.pairs.rows import EMPTY_SIDE, PairReader


def read_pairs(frame: pl.DataFrame, *, langs: Sequence[str] | None = None) -> pl.DataFrame:
    """Convert a frame with two texts per row to a pairs frame, for scoring and exporting.

    The texts are in `source_text` and `target_text`, in two columns named by their languages
    (`ar` and `en`, or `Arabic` and `English`), or in a struct column `translation` of such fields.
    Other columns of a pairs frame are used if present and filled otherwise: `method` is
    "imported", and `pair_id` is a hash of the languages and texts, plus the row number if an
    earlier row is the same. Imported pairs have no score and no model. Pairs that the frame marks
    as machine-translated keep that mark.

    Args:
        frame: the texts. Every row is kept, in order, and so are other columns.
        langs: source and target, such as ("ar", "en"), if the frame does not name them. By
            default they are detected.

    Raises:
        FrameError: the columns of the texts are unclear, or the language or method of a row is
            unknown.
        ConfigError: the languages cannot be detected.

    >>> pairs = read_pairs(pl.DataFrame({"en": ["Good morning"], "ar": ["صباح الخير"]}))
    >>> pairs.select("source_lang", "target_text", "method", "score").row(0)
    ('en', 'صباح الخير', 'imported', None)
    """
    check(frame, verb="read_pairs")
    table = unnest_translation(frame)
    try:
        reader = PairReader(table, parse_languages(langs), "the frame")
    except SourceError as error:
        raise FrameError(f"read_pairs: {error}") from error
    pairs, problems = reader.read(table)
    if reader.notice:
        warnings.warn(f"read_pairs: {reader.notice}", stacklevel=2)
    if reader.exchanged.any():
        warnings.warn(
            f"read_pairs: {reader.exchanged.sum():,} of {len(pairs):,} rows have their sides "
            f"exchanged, the first is row {reader.exchanged.arg_true()[0]}; each side is now in "
            "its language",
            stacklevel=2,
        )
    for row, remark in reader.remarks:
        warnings.warn(f"read_pairs: row {row}: {remark}", stacklevel=2)
    invalid = (problems != EMPTY_SIDE).fill_null(value=False)  # `filter` drops empty sides
    if invalid.any():
        row = invalid.arg_true()[0]
        more = int(invalid.sum()) - 1
        raise FrameError(
            f"read_pairs: row {row} {problems[row]}; {more:,} more rows have a problem"
        )
    rows = pl.int_range(len(pairs), eager=True)
    return IdGenerator().fill_null(pairs, rows).hstack(table.select(reader.other_columns))

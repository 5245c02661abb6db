"""The verb: any frame with two texts a row to a frame of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ingest.errors import FrameError, SourceError
from ingest.frames import check
from ingest.pairs.ids import Names
from ingest.pairs.languages import pair_of_names
from ingest.pairs.rows import EMPTY, Taker, unnested


def read_pairs(frame: pl.DataFrame, *, langs: Sequence[str] | None = None) -> pl.DataFrame:
    """Make a pairs frame of any frame with two texts a row, so that it can be scored and exported.

    The texts stand in `source_text` and `target_text`, in two columns named by their languages
    (`ar` and `en`, or `Arabic` and `English`), or in a struct `translation` of such. What else a
    pairs frame has is taken where it is there, and filled where not: `method` is "imported", and
    `pair_id` a hash of the languages and texts, with the row's number where a row before says the
    same. A given pair has no score and no model. A frame that
    says of a pair that a machine translated it keeps that.

    Args:
        frame: rows stay in their order, and none is dropped; other columns stay too.
        langs: source and target, such as ("ar", "en"), where the frame does not say them; without
            them they are found out.

    Raises:
        FrameError: it is not known which columns hold the texts, or what the language or method of
            a row is.
        ConfigError: the languages cannot be told.

    >>> pairs = read_pairs(pl.DataFrame({"en": ["Good morning"], "ar": ["صباح الخير"]}))
    >>> pairs.select("source_lang", "target_text", "method", "score").row(0)
    ('en', 'صباح الخير', 'imported', None)
    """
    check(frame, verb="read_pairs")
    table = unnested(frame)
    try:
        taker = Taker(table, pair_of_names(langs), "the frame")
    except SourceError as error:
        raise FrameError(f"read_pairs: {error}") from error
    pairs, why = taker.pairs(table)
    wrong = (why != EMPTY).fill_null(value=False)  # an empty side is for `filter` to tell
    if wrong.any():
        row = wrong.arg_true()[0]
        raise FrameError(
            f"read_pairs: row {row} {why[row]}, and {int(wrong.sum()) - 1:,} rows more are like it"
        )
    rows = pl.int_range(len(pairs), eager=True)
    return Names().fill(pairs, rows).hstack(table.select(taker.others))

"""Which languages many texts are in, by a sample of them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ingest.detection import identify

_SAMPLE = 400  # texts that are looked at
_NONE = ("zxx", "und")


def shares(texts: Iterable[str], *, longest: int | None = None) -> pl.DataFrame:
    """The languages of some texts, those with most characters first: columns lang, chars.

    Args:
        texts: of which every so many is looked at, blank ones left out.
        longest: characters of a text that count; all where None.

    >>> shares(["The boat sails at seven.", "20", " "])["lang"].to_list()
    ['en']
    """
    full = [text for text in texts if text.strip()]
    some = full[:: max(1, len(full) // _SAMPLE)][:_SAMPLE]
    return (
        identify([text[:longest] for text in some])
        .filter(~pl.col("lang").is_in(_NONE))
        .group_by("lang")
        .agg(chars=pl.col("text").str.len_chars().sum())
        .sort("chars", "lang", descending=True)
    )

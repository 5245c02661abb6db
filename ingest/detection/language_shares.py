"""Which languages a collection of texts is in, estimated from a sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from ingest.detection import identify

_SAMPLE = 400  # texts
_NO_LANGUAGE = ("zxx", "und")


class MajorityLanguage(NamedTuple):
    """The language of most of a sample.

    Attributes:
        lang: its code.
        chars: the number of characters in it.
    """

    lang: str
    chars: int


def majority_language(
    texts: Iterable[str], *, min_share: float = 0.0, max_chars: int | None = None
) -> MajorityLanguage | None:
    """Find the language with the most characters in a sample of texts.

    Args:
        texts: the texts. Blank ones are ignored.
        min_share: least share of the sample's characters that must be in the language, 0…1.
        max_chars: characters of each text to look at; all if None.

    Returns:
        None if no text has a language, or no language has the share.

    >>> majority_language(["The boat sails at seven.", "20", " "])
    MajorityLanguage(lang='en', chars=24)
    """
    not_blank = [text for text in texts if text.strip()]
    sample = not_blank[:: max(1, len(not_blank) // _SAMPLE)][:_SAMPLE]
    counts = (
        identify([text[:max_chars] for text in sample])
        .filter(~pl.col("lang").is_in(_NO_LANGUAGE))
        .group_by("lang")
        .agg(chars=pl.col("text").str.len_chars().sum())
        .sort("chars", "lang", descending=True)
    )
    if counts.is_empty() or counts["chars"][0] < min_share * float(counts["chars"].sum()):
        return None
    return MajorityLanguage(str(counts["lang"][0]), int(counts["chars"][0]))

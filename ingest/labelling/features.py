"""What the role model sees of each segment: itself, its place, its page, what repeats.

Every column is a number of order one, computed for a whole batch of pages at once. A
feature of a segment never depends on another page.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import Words
from ingest.labelling import page_features
from ingest.labelling.duplicates import Repeats, repeats
from ingest.labelling.markup_features import markup_features
from ingest.labelling.text_features import wording
from ingest.page_spans import Pages, pages_of


class Features(NamedTuple):
    """Names [columns] and values, float32 [rows, columns]; and what they were made from.

    `content` are the words that are no function words and longer than a letter.
    """

    names: list[str]
    values: NDArray[np.float32]
    pages: Pages
    content: Words
    repeats: Repeats


def compute_features(segments: pl.DataFrame) -> Features:
    """Describe segments (sorted by page) with the columns of `ingest.detect`.

    >>> frame = pl.DataFrame({"doc_id": ["d"], "segment": [0], "line": [1], "text": ["Share"],
    ...                       "script": ["Latn"], "lang": ["en"]}).with_columns(
    ...     pl.lit(None, pl.String).alias("block"), pl.lit(None, pl.String).alias("markup"),
    ...     pl.lit(None, pl.Float32).alias("links"))
    >>> compute_features(frame).values.shape[0]
    1
    """
    pages = pages_of(segments["doc_id"])
    said = wording(segments["text"])
    same = repeats(segments["text"], pages, said.plain)
    # the order of the columns is that of the model's weights
    columns = said.columns
    columns |= page_features.of_languages(segments, pages, said.words)
    columns |= page_features.of_layout(segments["line"].to_numpy(), pages, said.words)
    columns |= page_features.of_repetition(same)
    columns |= page_features.of_overlap(said.content, pages, said.words)
    columns |= page_features.of_page(pages, said.words, columns)
    columns |= markup_features(segments, pages, said.words)
    values = np.empty((len(segments), len(columns)), np.float32)
    for number, column in enumerate(columns.values()):
        values[:, number] = column
    return Features(list(columns), values, pages, said.content, same)

"""The input of the role model: each segment's text, layout, page, repetition and markup.

Every column is a number of order one, computed for a whole batch of pages at once. A feature of a
segment never depends on another page.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.labelling import page_features
from ingest.labelling.duplicates import Duplicates, find_duplicates
from ingest.labelling.markup import MarkupTable, table_markup
from ingest.labelling.markup_features import compute_markup_features
from ingest.labelling.text_features import TextAnalysis, analyse_texts, compute_text_features
from ingest.labelling.word_tokens import WordTokens
from ingest.page_spans import PageSpans, find_pages


class Context(NamedTuple):
    """What is known of a batch of segments besides their features.

    Attributes:
        pages: the pages of the batch.
        texts: the words of the segments.
        duplicates: equal segments of a page.
        markup: the markup of the segments.
    """

    pages: PageSpans
    texts: TextAnalysis
    duplicates: Duplicates
    markup: MarkupTable


class Features(NamedTuple):
    """The features of a batch of segments.

    Attributes:
        names: one per column.
        values: float32 [segments, columns].
        tokens: the words of short segments.
        context: what they were computed from.
    """

    names: list[str]
    values: F32
    tokens: WordTokens
    context: Context


def find_context(segments: pl.DataFrame) -> Context:
    """Find the words, copies and markup of segments.

    Args:
        segments: segments, sorted by page; the columns doc_id, text and markup.
    """
    pages = find_pages(segments["doc_id"])
    texts = analyse_texts(segments["text"])
    duplicates = find_duplicates(texts.distinct, texts.comparable, texts.text_of, pages)
    return Context(pages, texts, duplicates, table_markup(segments["markup"]))


def compute_features(segments: pl.DataFrame, context: Context | None = None) -> Features:
    """Compute the features of segments.

    Args:
        segments: segments, sorted by page, with the columns of `ingest.detect`.
        context: the result of `find_context`, if it is at hand.

    >>> frame = pl.DataFrame({"doc_id": ["d"], "segment": [0], "line": [1], "text": ["Share"],
    ...                       "script": ["Latn"], "lang": ["en"]}).with_columns(
    ...     pl.lit(None, pl.String).alias("block"), pl.lit(None, pl.String).alias("markup"),
    ...     pl.lit(None, pl.Float32).alias("links"), pl.lit(None, pl.Boolean).alias("visible"))
    >>> compute_features(frame).values.shape[0]
    1
    """
    context = context or find_context(segments)
    pages, duplicates, markup = context.pages, context.duplicates, context.markup
    text = compute_text_features(context.texts)
    # The order of the columns is that of the model's weights.
    columns = text.columns
    columns |= page_features.language_features(segments, pages, text.words)
    columns |= page_features.layout_features(segments["line"].to_numpy(), pages, text.words)
    columns |= page_features.repetition_features(duplicates)
    columns |= page_features.overlap_features(context.texts.content, pages, text.words)
    columns |= page_features.page_means(pages, text.words, columns)
    columns |= compute_markup_features(segments, markup, pages, text.words)
    values = np.empty((len(columns), len(segments)), np.float32)
    for number, column in enumerate(columns.values()):
        values[number] = column
    return Features(list(columns), values.T, text.tokens, context)

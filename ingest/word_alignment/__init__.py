"""Word alignments: which words of a pair translate each other, as links between tokens.

A link is `i-j`: token i of the source belongs to token j of the target, both counted from 0. This
is the Pharaoh format that Marian, fast_align and eflomal use. Tokens are what stands between spaces
and line breaks: `بالكتاب،` is one token. How links are found is in README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest.frames import PAIRS, WORD_ALIGNMENT, check
from ingest.word_alignment.affixes import attach
from ingest.word_alignment.paths import best_path
from ingest.word_alignment.similarity import score_cells
from ingest.word_alignment.symmetry import symmetrize
from ingest.word_alignment.tokens import MAX_TOKENS, TokenTable, tabulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest._typing import I64

LANGS = ["ar", "en"]
_CHUNK = 4096  # pairs whose distinct tokens are in memory at once
_CELLS = 1 << 17  # cells of the score matrices that are in memory at once: 40 MB of vectors


def align_words(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add `word_alignment`, the links between the words of each pair.

    A link is `i-j`: token i of source_text and token j of target_text, both from 0, belong
    together. Tokens are separated by spaces, tabs, line breaks and other control characters, but
    not by no-break spaces. Links are sorted and separated by spaces. The links of a pair do not
    depend on the other pairs, and are the same in the other direction.

    Args:
        pairs: a frame of pairs.

    Returns:
        The frame with `word_alignment`: "" for a pair without links, and null for a pair that is
        not Arabic–English or has more than 1,000 tokens on a side.

    Raises:
        FrameError: a column is missing or has another type.
        ModelError: the encoder is missing or damaged.

    >>> import ingest
    >>> pairs = ingest.align_lines(["قرأت الكتاب الجديد"], ["I read the new book"])
    >>> align_words(pairs)["word_alignment"].to_list()
    ['0-0 0-1 1-2 1-4 2-3']
    """
    check(pairs, PAIRS, verb="align_words")
    columns = pairs.select("source_lang", "target_lang", "source_text", "target_text")
    parts = [
        _align_chunk(columns[start : start + _CHUNK]) for start in range(0, len(pairs), _CHUNK)
    ]
    links = pl.concat([pl.Series([], dtype=pl.String), *parts])
    return pairs.with_columns(links.alias(WORD_ALIGNMENT))


def swap_sides(links: pl.Series) -> pl.Series:
    """Return the links of the same pairs in the other direction.

    >>> swap_sides(pl.Series(["0-1 1-0 1-2", "", None])).to_list()
    ['0-1 1-0 2-1', '', None]
    """
    frame = pl.DataFrame({"pair": np.arange(len(links)), "link": links.str.split(" ")})
    halves = frame.explode("link").select(
        "pair",
        pl.col("link").str.extract(r"-(\d+)$").cast(pl.Int64).alias("source"),
        pl.col("link").str.extract(r"^(\d+)-").cast(pl.Int64).alias("target"),
    )
    swapped = _format(halves.drop_nulls(), len(links))
    return swapped.zip_with(links.is_not_null(), pl.Series([None], dtype=pl.String)).rename(
        links.name
    )


def _align_chunk(pairs: pl.DataFrame) -> pl.Series:
    table, (source, target) = tabulate(pairs["source_text"], pairs["target_text"])
    langs = pl.concat_list("source_lang", "target_lang").list.sort()
    has_model = pairs.select(langs == pl.lit(LANGS, pl.List(pl.String))).to_series()
    has_texts = pairs["source_text"].is_not_null() & pairs["target_text"].is_not_null()
    longest = np.maximum(source.lengths, target.lengths)
    has_links = (has_model.fill_null(value=False) & has_texts).to_numpy() & (longest <= MAX_TOKENS)
    which = np.flatnonzero(has_links & (np.minimum(source.lengths, target.lengths) > 0))
    columns: list[list[I64]] = [[], [], []]
    for batch in _batches(which, source.lengths, target.lengths):
        *tokens, at = _align_batch(source.padded(batch), target.padded(batch), table)
        for column, values in zip(columns, (*tokens, batch[at]), strict=True):
            column.append(values)
    empty = np.zeros(0, np.int64)
    names = ("source", "target", "pair")
    joined = (np.concatenate([empty, *column]) for column in columns)
    links = _format(pl.DataFrame(dict(zip(names, joined, strict=True))), len(pairs))
    return links.zip_with(pl.Series(has_links), pl.Series([None], dtype=pl.String))


def _batches(which: I64, source: I64, target: I64) -> Iterator[I64]:
    """Group pairs of similar lengths, so that little is padded."""
    order = which[np.lexsort((target[which], source[which]))]
    start = 0
    while start < len(order):
        step = order[start : start + _CHUNK]
        high = np.maximum.accumulate(source[step])
        wide = np.maximum.accumulate(target[step])
        cells = high * wide * np.arange(1, len(step) + 1)
        stop = start + max(1, int(np.searchsorted(cells, _CELLS, side="right")))
        yield order[start:stop]
        start = stop


def _align_batch(source: I64, target: I64, table: TokenTable) -> tuple[I64, ...]:
    """Return the links of several pairs as (source token, target token, pair)."""
    scores = score_cells(source, target, table)
    forward = best_path(scores)
    backward = best_path(np.ascontiguousarray(scores.transpose(1, 0, 2)))
    links = symmetrize(forward, backward.transpose(1, 0, 2))
    of_source = attach(links, table.needs[source].T, table.has[target].T)
    of_target = attach(links.transpose(1, 0, 2), table.needs[target].T, table.has[source].T)
    return np.nonzero(links | of_source | of_target.transpose(1, 0, 2))


def _format(links: pl.DataFrame, pairs: int) -> pl.Series:
    """Write links as text, one row per pair: sorted, separated by spaces, "" if there are none."""
    link = pl.format("{}-{}", "source", "target")
    rows = links.sort("pair", "source", "target").group_by("pair", maintain_order=True)
    texts = rows.agg(link.str.join(" ").alias(WORD_ALIGNMENT))
    every = pl.DataFrame({"pair": np.arange(pairs)})
    return every.join(texts, on="pair", how="left", maintain_order="left")[
        WORD_ALIGNMENT
    ].fill_null("")

"""The units of pages as vectors and tokens. A unit is the text of an article in one language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32
from ingest.encoder.model import Encoder
from ingest.encoder.words import words

FIRST = 16  # segments of a unit that are compared one by one
LEVELS = 400.0  # steps of a quantized number from 0 to 1; it is clipped at 127 steps
_MIN_SHARE = 0.2  # share of an article's characters that its text in a language needs to be a unit


class Units(NamedTuple):
    """The units of one language, sorted by page and article."""

    keys: pl.DataFrame  # doc_id String, article Int64, chars Int64; one row per unit
    vectors: F32  # [units, dimensions], rows of length 1 or 0
    tokens: pl.DataFrame  # unit UInt32, token UInt64, number Boolean; distinct tokens of each unit
    first: NDArray[np.int8]  # [units, FIRST, dimensions], quantized vectors of the first segments
    weights: F32  # [units, FIRST], weights of these segments; 0 if there is none


def quantize(vectors: F32) -> NDArray[np.int8]:
    """Quantize unit vectors to one byte per number."""
    steps: F32 = np.rint(vectors * np.float32(LEVELS))
    return np.clip(steps, -127, 127).astype(np.int8)


def build_units(
    batches: Iterable[pl.DataFrame], langs: tuple[str, ...], encoder: Encoder
) -> tuple[Units, Units]:
    """Build the units of both languages from kept segments, in batches of whole pages."""
    parts: dict[str, list[Units]] = {lang: [] for lang in langs}
    for batch in batches:
        for lang, rows in _segments_of_units(batch, langs):
            parts[lang].append(_units_of_batch(rows, encoder))
    source, target = (_concat(parts[lang], encoder.dim) for lang in langs)
    return source, target


def _segments_of_units(
    kept: pl.DataFrame, langs: tuple[str, ...]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each language with the segments of its units, sorted by unit, with column `chars`."""
    unit = ["doc_id", "article", "lang"]
    segments = kept.with_columns(chars=pl.col("text").str.len_chars().cast(pl.Int64))
    share = pl.col("chars").sum().over(unit) / pl.col("chars").sum().over("doc_id", "article")
    segments = segments.filter(share >= _MIN_SHARE)
    for lang in langs:
        rows = segments.filter(pl.col("lang") == lang).sort("doc_id", "article", "segment")
        if len(rows):
            yield lang, rows


def _units_of_batch(rows: pl.DataFrame, encoder: Encoder) -> Units:
    """Build the units of a batch of segments.

    The vector of a unit is the sum of the unit vectors of its segments, weighted by log(1 +
    characters): a long paragraph says more than a short one, but not in proportion.
    """
    keys = rows.group_by("doc_id", "article", maintain_order=True).agg(
        chars=pl.col("chars").sum(), rows=pl.len()
    )
    vectors = encoder.encode(rows["text"])
    weights = np.log1p(rows["chars"].to_numpy()).astype(np.float32)
    counts = keys["rows"].to_numpy().astype(np.int64)
    starts = counts.cumsum() - counts
    sums = np.add.reduceat(vectors * weights[:, None], starts, axis=0)
    length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    sums /= np.maximum(length, 1e-9)[:, None]
    unit = np.repeat(np.arange(len(keys), dtype=np.uint32), counts)
    position = np.arange(len(rows)) - starts[unit]
    lead = position < FIRST
    first = np.zeros((len(keys), FIRST, encoder.dim), np.int8)
    first[unit[lead], position[lead]] = quantize(vectors[lead])
    first_weights = np.zeros((len(keys), FIRST), np.float32)
    first_weights[unit[lead], position[lead]] = weights[lead]
    return Units(keys.drop("rows"), sums, _tokens(rows["text"], unit), first, first_weights)


def _tokens(texts: pl.Series, unit: NDArray[np.uint32]) -> pl.DataFrame:
    """Distinct numbers of two or more digits and Latin words of three or more letters per unit."""
    exploded = pl.DataFrame({"unit": unit, "word": words(texts)}).explode("word")
    number = pl.col("word").str.contains(r"^\d{2,}$")
    name = pl.col("word").str.contains(r"^\p{Latin}{3,}$")
    return (
        exploded.filter(number | name)
        .select("unit", token=pl.col("word").hash(), number=number)
        .unique()
        .sort("unit", "token")
    )


def _concat(parts: list[Units], dim: int) -> Units:
    """Concatenate the units of a language and sort them by page and article."""
    keys = {"doc_id": pl.String, "article": pl.Int64, "chars": pl.Int64}
    tokens = {"unit": pl.UInt32, "token": pl.UInt64, "number": pl.Boolean}
    if not parts:
        vectors = np.zeros((0, dim), np.float32)
        first = np.zeros((0, FIRST, dim), np.int8)
        return Units(pl.DataFrame(schema=keys), vectors, pl.DataFrame(schema=tokens), first,
                     np.zeros((0, FIRST), np.float32))  # fmt: skip
    starts = np.cumsum([0, *(len(part.keys) for part in parts)])
    renumbered = [
        part.tokens.with_columns(pl.col("unit") + int(start))
        for part, start in zip(parts, starts, strict=False)
    ]
    all_keys = pl.concat([part.keys for part in parts]).with_row_index("old")
    all_keys = all_keys.sort("doc_id", "article")
    order = all_keys["old"].to_numpy()
    position = np.empty(len(order), np.uint32)
    position[order] = np.arange(len(order), dtype=np.uint32)
    all_tokens = pl.concat(renumbered)
    all_tokens = all_tokens.with_columns(unit=pl.Series(position[all_tokens["unit"].to_numpy()]))
    return Units(
        all_keys.drop("old"),
        np.concatenate([part.vectors for part in parts])[order],
        all_tokens,
        np.concatenate([part.first for part in parts])[order],
        np.concatenate([part.weights for part in parts])[order],
    )

"""The units of pages as vectors and tokens. A unit is the text of an article in one language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

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
    return join_units((unit_rows(batch, langs, encoder) for batch in batches), langs, encoder.dim)


def unit_rows(kept: pl.DataFrame, langs: Sequence[str], encoder: Encoder) -> pl.DataFrame:
    """Build the units of a batch of pages; they do not depend on other pages.

    Args:
        kept: kept segments of whole pages.
        langs: the two languages.
        encoder: encodes the segments.

    Returns:
        One row per unit. `vector`, `first` and `weights` are rows of those of `Units`; `token` and
        `number` list its tokens.
    """
    batches = [_unit_rows_of(rows, lang, encoder) for lang, rows in _segments_of_units(kept, langs)]
    return pl.concat([pl.DataFrame(schema=_columns(encoder.dim)), *batches])


def join_units(
    parts: Iterable[pl.DataFrame], langs: tuple[str, ...], dim: int
) -> tuple[Units, Units]:
    """Join what `unit_rows` returns for all pages, in any order."""
    rows = pl.concat([pl.DataFrame(schema=_columns(dim)), *parts])
    source, target = (
        _to_units(rows.filter(lang=lang).sort("doc_id", "article"), dim) for lang in langs
    )
    return source, target


def _columns(dim: int) -> pl.Schema:
    return pl.Schema(
        {
            "lang": pl.String(),
            "doc_id": pl.String(),
            "article": pl.Int64(),
            "chars": pl.Int64(),
            "vector": pl.Array(pl.Float32(), dim),
            "first": pl.Array(pl.Int8(), FIRST * dim),
            "weights": pl.Array(pl.Float32(), FIRST),
            "token": pl.List(pl.UInt64()),
            "number": pl.List(pl.Boolean()),
        }
    )


def _to_units(rows: pl.DataFrame, dim: int) -> Units:
    tokens = rows.with_row_index("unit").select("unit", "token", "number")
    return Units(
        rows.select("doc_id", "article", "chars"),
        _to_array(rows["vector"], dim),
        tokens.explode("token", "number").drop_nulls(),
        _to_array(rows["first"], FIRST * dim).reshape(-1, FIRST, dim),
        _to_array(rows["weights"], FIRST),
    )


def _to_array(rows: pl.Series, width: int) -> NDArray[Any]:
    """Convert a column of arrays: [rows, width]."""
    return rows.rechunk().to_numpy().reshape(-1, width)


def _segments_of_units(
    kept: pl.DataFrame, langs: Sequence[str]
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


def _unit_rows_of(rows: pl.DataFrame, lang: str, encoder: Encoder) -> pl.DataFrame:
    """Build the units of one language of a batch.

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
    columns = _columns(encoder.dim)
    arrays = {"vector": sums, "first": first.reshape(len(keys), -1), "weights": first_weights}
    tokens = _tokens(rows["text"], unit).group_by("unit").agg("token", "number")
    return (
        keys.with_row_index("unit")
        .with_columns(
            pl.lit(lang).alias("lang"),
            *(pl.Series(name, values, columns[name]) for name, values in arrays.items()),
        )
        .join(tokens, on="unit", how="left", maintain_order="left")
        .with_columns(pl.col("token", "number").fill_null([]))
        .select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    )


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

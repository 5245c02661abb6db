"""The units of pages: the text of an article in one language, as vectors and tokens."""

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
LEVELS = 400.0  # steps of a packed number from 0 to 1; beyond 127 steps it is cut off
_SHARE = 0.2  # share of an article's characters that makes its text in a language a unit


class Units(NamedTuple):
    """The units of one language, sorted by page and article."""

    keys: pl.DataFrame  # doc_id String, article Int64, chars Int64; a row a unit
    vectors: F32  # (units, dimensions), rows of length 1 or 0
    tokens: pl.DataFrame  # unit UInt32, token UInt64, number Boolean; each token once a unit
    first: NDArray[np.int8]  # (units, FIRST, dimensions): its first segments, as `packed` gives
    weights: F32  # (units, FIRST): what each of them counts for, 0 where there is none


def packed(vectors: F32) -> NDArray[np.int8]:
    """Rows of length 1 in a byte a number; `candidates` takes them for exact."""
    steps: F32 = np.rint(vectors * np.float32(LEVELS))
    return np.clip(steps, -127, 127).astype(np.int8)


def units_of(
    batches: Iterable[pl.DataFrame], langs: tuple[str, ...], encoder: Encoder
) -> tuple[Units, Units]:
    """The units of both languages, of kept segments in batches that end where a page does."""
    made: dict[str, list[Units]] = {lang: [] for lang in langs}
    for batch in batches:
        for lang, rows in _of_languages(batch, langs):
            made[lang].append(_some_units(rows, encoder))
    source, target = (_joined(made[lang], encoder.dim) for lang in langs)
    return source, target


def _of_languages(kept: pl.DataFrame, langs: tuple[str, ...]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Of each language the segments of its units, with chars, those of a unit together."""
    unit = ["doc_id", "article", "lang"]
    sized = kept.with_columns(chars=pl.col("text").str.len_chars().cast(pl.Int64))
    share = pl.col("chars").sum().over(unit) / pl.col("chars").sum().over("doc_id", "article")
    sized = sized.filter(share >= _SHARE)
    for lang in langs:
        rows = sized.filter(pl.col("lang") == lang).sort("doc_id", "article", "segment")
        if len(rows):
            yield lang, rows


def _some_units(rows: pl.DataFrame, encoder: Encoder) -> Units:
    """The units of some segments.

    The vector is the sum of those of the segments, each of the length log(1 + its characters): a
    long paragraph tells more than a short one, but not in proportion.
    """
    keys = rows.group_by("doc_id", "article", maintain_order=True).agg(
        chars=pl.col("chars").sum(), rows=pl.len()
    )
    each = encoder.encode(rows["text"])
    weights = np.log1p(rows["chars"].to_numpy()).astype(np.float32)
    many = keys["rows"].to_numpy().astype(np.int64)
    starts = many.cumsum() - many
    sums = np.add.reduceat(each * weights[:, None], starts, axis=0)
    length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    sums /= np.maximum(length, 1e-9)[:, None]
    unit = np.repeat(np.arange(len(keys), dtype=np.uint32), many)
    place = np.arange(len(rows)) - starts[unit]
    lead = place < FIRST
    first = np.zeros((len(keys), FIRST, encoder.dim), np.int8)
    first[unit[lead], place[lead]] = packed(each[lead])
    counts = np.zeros((len(keys), FIRST), np.float32)
    counts[unit[lead], place[lead]] = weights[lead]
    return Units(keys.drop("rows"), sums, _tokens(rows["text"], unit), first, counts)


def _tokens(texts: pl.Series, unit: NDArray[np.uint32]) -> pl.DataFrame:
    """Numbers of two digits or more, and Latin words of three letters or more, once a unit."""
    listed = pl.DataFrame({"unit": unit, "word": words(texts)}).explode("word")
    number = pl.col("word").str.contains(r"^\d{2,}$")
    name = pl.col("word").str.contains(r"^\p{Latin}{3,}$")
    return (
        listed.filter(number | name)
        .select("unit", token=pl.col("word").hash(), number=number)
        .unique()
        .sort("unit", "token")
    )


def _joined(parts: list[Units], dim: int) -> Units:
    """All units of a language, sorted by page and article."""
    keys = {"doc_id": pl.String, "article": pl.Int64, "chars": pl.Int64}
    tokens = {"unit": pl.UInt32, "token": pl.UInt64, "number": pl.Boolean}
    if not parts:
        none = np.zeros((0, dim), np.float32)
        first = np.zeros((0, FIRST, dim), np.int8)
        return Units(pl.DataFrame(schema=keys), none, pl.DataFrame(schema=tokens), first,
                     np.zeros((0, FIRST), np.float32))  # fmt: skip
    starts = np.cumsum([0, *(len(part.keys) for part in parts)])
    moved = [
        part.tokens.with_columns(pl.col("unit") + int(start))
        for part, start in zip(parts, starts, strict=False)
    ]
    whole = pl.concat([part.keys for part in parts]).with_row_index("old")
    whole = whole.sort("doc_id", "article")
    order = whole["old"].to_numpy()
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    every = pl.concat(moved)
    every = every.with_columns(unit=pl.Series(place[every["unit"].to_numpy()]))
    return Units(
        whole.drop("old"),
        np.concatenate([part.vectors for part in parts])[order],
        every,
        np.concatenate([part.first for part in parts])[order],
        np.concatenate([part.weights for part in parts])[order],
    )

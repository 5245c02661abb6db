"""The doc_ids of pages as numbers, which take less room."""

from __future__ import annotations

import polars as pl


def doc_id_to_number(doc_id: pl.Expr) -> pl.Expr:
    """Convert doc_ids to UInt64, which sort in the same order.

    >>> pl.select(doc_id_to_number(pl.lit("00000000000000ff"))).item()
    255
    """
    return doc_id.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")


def number_to_doc_id(numbers: pl.Series) -> pl.Series:
    """Convert UInt64 numbers back to doc_ids.

    >>> number_to_doc_id(pl.Series([255], dtype=pl.UInt64)).to_list()
    ['00000000000000ff']
    """
    digits = numbers.to_numpy().astype(">u8").tobytes().hex()
    return pl.Series(
        numbers.name, [digits[at : at + 16] for at in range(0, len(digits), 16)], pl.String
    )

"""Hashes of texts: corrections name with them the text that a person saw."""

from __future__ import annotations

import hashlib

import polars as pl

_DIGITS = 16


def hash_text(text: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a text in UTF-8.

    >>> hash_text("نص")
    'e01176c2a05916f0'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def text_hash(text: pl.Expr) -> pl.Expr:
    """Return the hash of each text; of an empty text if it is null.

    >>> pl.select(text_hash(pl.lit("نص"))).item()
    'e01176c2a05916f0'
    """
    return text.fill_null("").map_batches(
        lambda texts: pl.Series(map(hash_text, texts), dtype=pl.String), return_dtype=pl.String
    )


def pair_hash() -> pl.Expr:
    """Return the hash of each pair: of its source text, a line break, and its target text."""
    sides = (pl.col(f"{side}_text").fill_null("") for side in ("source", "target"))
    return text_hash(pl.concat_str(sides, separator="\n"))

"""Hashes of texts: a correction names with them the text that a person saw."""

from __future__ import annotations

import hashlib

import polars as pl

_DIGITS = 16


def text_hash(text: pl.Expr) -> pl.Expr:
    """Return the first 16 hex digits of the SHA-256 of each text in UTF-8; null counts as empty.

    >>> pl.select(text_hash(pl.lit("نص"))).item()
    'e01176c2a05916f0'
    """
    return text.fill_null("").map_batches(_hash_all, return_dtype=pl.String)


def pair_hash(source: pl.Expr, target: pl.Expr) -> pl.Expr:
    r"""Return the hash of each pair: of its source text, a line break, and its target text.

    >>> pl.select(pair_hash(pl.lit("نعم"), pl.lit("Yes")) == text_hash(pl.lit("نعم\nYes"))).item()
    True
    """
    return text_hash(pl.concat_str(source.fill_null(""), target.fill_null(""), separator="\n"))


def _hash_all(texts: pl.Series) -> pl.Series:
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] for text in texts]
    return pl.Series(texts.name, hashes, pl.String)

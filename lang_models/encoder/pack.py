"""Compress a trained table: compose word rows, keep the rows that matter, use 3 bits per number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lang_models.encoder.lexicon import Lexicon

    Floats = NDArray[np.float32]

ROWS = 127_000  # of 512 numbers: they fit in 25 MB

# Three-bit levels with the least mean square error for a normal distribution (Max 1960). Dropping
# rows costs more accuracy than dropping bits.
_HALF = [0.2451, 0.7560, 1.3439, 2.1520]
LEVELS = np.array([-x for x in reversed(_HALF)] + _HALF, dtype=np.float32)


def pack(
    path: Path,
    table: Floats,
    lexicon: Lexicon,
    subwords: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    *,
    vocabulary: list[str],
    rows: int = ROWS,
) -> None:
    """Write the encoder's file.

    Args:
        path: the file to write.
        table: float32 [features, dim], as trained.
        lexicon: names and counts of the features.
        subwords: features of each word of the vocabulary, from `lexicon.feature_matrix`.
        vocabulary: the training words.
        rows: number of rows to keep.
    """
    keep = _most_valuable(table, lexicon, rows)
    own = [name.startswith("w:") for name in lexicon.names]
    order = sorted(np.flatnonzero(keep), key=lambda i: (not own[i], i))
    composed = table.astype(np.float32)  # a copy
    flat, starts, weights = subwords
    number = {name: i for i, name in enumerate(lexicon.names)}
    for at, word in enumerate(vocabulary):
        row = number.get(f"w:{word}")
        if row is not None and keep[row]:
            span = slice(starts[at], starts[at + 1])
            composed[row] = weights[span] @ table[flat[span]]
    composed = composed[order]
    sizes = composed.std(axis=1).astype(np.float16)
    scaled = composed / np.maximum(sizes.astype(np.float32), 1e-6)[:, None]
    codes = np.searchsorted((LEVELS[1:] + LEVELS[:-1]) / 2, scaled).astype(np.uint8)
    bits = np.unpackbits(codes[..., None], axis=-1, count=3, bitorder="little")
    settings = json.dumps({"dim": table.shape[1]}).encode()
    np.savez_compressed(
        path,
        allow_pickle=False,
        settings=np.frombuffer(settings, dtype=np.uint8),
        names=np.frombuffer("\n".join(lexicon.names[i] for i in order).encode(), dtype=np.uint8),
        seen=lexicon.seen[order].astype(np.uint32),
        levels=LEVELS,
        sizes=sizes,
        codes=np.packbits(bits.reshape(len(codes), -1), axis=1, bitorder="little"),
    )


def _most_valuable(table: Floats, lexicon: Lexicon, rows: int) -> NDArray[np.bool_]:
    """Select the rows whose loss would cost most: squared length times frequency."""
    size = np.einsum("ij,ij->i", table, table)
    several = np.array([name.startswith(("g:", "k3:")) for name in lexicon.names])
    value = lexicon.seen * size * np.where(several, 0.15, 1.0)
    # Shared rows serve all features that the training text lacks.
    value[[name.startswith("#") for name in lexicon.names]] = np.inf
    keep = np.zeros(len(table), dtype=np.bool_)
    keep[np.argsort(-value, kind="stable")[:rows]] = True
    return keep

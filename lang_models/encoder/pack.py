"""A trained table made small: composed word rows, the rows that matter, three bits a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lang_models.encoder.lexicon import Lexicon

    Floats = NDArray[np.float32]

ROWS = 127_000  # of 512 numbers: what fits in 25 MB

# The levels of least mean square error for a normal distribution (Max 1960), three bits. Rows left
# out cost more accuracy than bits do.
_HALF = [0.2451, 0.7560, 1.3439, 2.1520]
LEVELS = np.array([-x for x in reversed(_HALF)] + _HALF, dtype=np.float32)


def pack(
    path: Path,
    table: Floats,
    lexicon: Lexicon,
    parts: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    *,
    vocabulary: list[str],
    rows: int = ROWS,
) -> None:
    """Write the encoder's file.

    Args:
        path: Where to.
        table: (features, dim) as trained.
        lexicon: The features' names and counts.
        parts: Features of each word of the vocabulary, as `lexicon.matrix` gives them.
        vocabulary: The training words.
        rows: How many rows to keep.
    """
    keep = _worth_most(table, lexicon, rows)
    own = [name.startswith("w:") for name in lexicon.names]
    order = sorted(np.flatnonzero(keep), key=lambda i: (not own[i], i))
    made = table.astype(np.float32)  # a copy
    flat, starts, weights = parts
    number = {name: i for i, name in enumerate(lexicon.names)}
    for at, word in enumerate(vocabulary):
        row = number.get(f"w:{word}")
        if row is not None and keep[row]:
            span = slice(starts[at], starts[at + 1])
            made[row] = weights[span] @ table[flat[span]]
    made = made[order]
    sizes = made.std(axis=1).astype(np.float16)
    scaled = made / np.maximum(sizes.astype(np.float32), 1e-6)[:, None]
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


def _worth_most(table: Floats, lexicon: Lexicon, rows: int) -> NDArray[np.bool_]:
    """The rows whose loss would cost most: length squared times how often they are met."""
    size = np.einsum("ij,ij->i", table, table)
    several = np.array([name.startswith(("g:", "k3:")) for name in lexicon.names])
    worth = lexicon.seen * size * np.where(several, 0.15, 1.0)
    # rows of the unseen are met by whatever the training text did not hold
    worth[[name.startswith("#") for name in lexicon.names]] = np.inf
    keep = np.zeros(len(table), dtype=np.bool_)
    keep[np.argsort(-worth, kind="stable")[:rows]] = True
    return keep

"""How likely two tokens translate each other, as whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.word_alignment.tokens import SCALE

if TYPE_CHECKING:
    from ingest._typing import I64
    from ingest.word_alignment.tokens import TokenTable

I32 = NDArray[np.int32]

UNIT = 1000  # score of two tokens with the same vector
PADDING = -(1 << 20)  # lower than any score: no path goes here
# Subtracted if one token is the first and the other the last. Of equal words, those in the same
# place belong together.
_DISTANCE = round(0.4 * UNIT)


def score_cells(source: I64, target: I64, table: TokenTable) -> I32:
    """Score all pairs of tokens of several pairs of texts.

    Args:
        source: int64 [pairs, longest source], tokens as indices in the table.
        target: int64 [pairs, longest target].
        table: the distinct tokens.

    Returns:
        int32 [longest source, longest target, pairs]: the cosine times UNIT, less up to `_DISTANCE`
        for how far the tokens are from the same place in their texts. The cosine of signs without a
        vector counts as 1 if they are equal, and else 0. Cells that are only padding have PADDING.
    """
    products = table.vectors[source] @ table.vectors[target].transpose(0, 2, 1)
    scores = np.rint(products * np.float32(UNIT / SCALE**2)).astype(np.int32)
    first, second = table.symbol[source][:, :, None], table.symbol[target][:, None, :]
    scores[(first == second) & (first >= 0)] = UNIT
    cells: I32 = np.ascontiguousarray(scores.transpose(1, 2, 0))
    is_source, is_target = ((side < len(table.symbol) - 1).T for side in (source, target))
    cells -= _distances(is_source.sum(axis=0), is_target.sum(axis=0), cells.shape)
    cells[~(is_source[:, None] & is_target)] = PADDING
    return cells


def _distances(source: I64, target: I64, shape: tuple[int, ...]) -> I32:
    """Return how far the tokens of each cell are from the same place in texts of these lengths."""
    rows, columns = (np.arange(1, 2 * size, 2, dtype=np.int32)[:, None] for size in shape[:2])
    n, m = source.astype(np.int32), target.astype(np.int32)
    distance: I32 = np.abs((rows * m)[:, None] - columns * n) * _DISTANCE // (2 * n * m)
    return distance

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


def score_cells(source: I64, target: I64, table: TokenTable) -> I32:
    """Score all pairs of tokens of several pairs of texts.

    Args:
        source: int64 [pairs, longest source], tokens as indices in the table.
        target: int64 [pairs, longest target].
        table: the distinct tokens.

    Returns:
        int32 [longest source, longest target, pairs]: the cosine times UNIT. Signs without a vector
        score UNIT if they are equal, and else 0. Cells that are only padding have PADDING.
    """
    products = table.vectors[source] @ table.vectors[target].transpose(0, 2, 1)
    scores = np.rint(products * np.float32(UNIT / SCALE**2)).astype(np.int32)
    first, second = table.symbol[source][:, :, None], table.symbol[target][:, None, :]
    scores[(first == second) & (first >= 0)] = UNIT
    last = len(table.symbol) - 1
    scores[(source == last)[:, :, None] | (target == last)[:, None, :]] = PADDING
    return np.ascontiguousarray(scores.transpose(1, 2, 0))

"""Join the links of both directions: grow-diag-final-and (Och & Ney 2003, Koehn et al. 2005)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ingest._typing import Bools


def symmetrize(forward: Bools, backward: Bools) -> Bools:
    """Return links that both directions have, and of the others those that continue them.

    A link that only one direction has is added if it touches a link, also at a corner, and its row
    or its column has none yet; after that, if neither has any. Links are added all at once in each
    round, so that the order of rows and columns does not matter.

    Args:
        forward: bool [rows, columns, pairs], the links from rows to columns.
        backward: bool [rows, columns, pairs], the links from columns to rows.

    >>> forward = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], bool)[..., None]
    >>> backward = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0]], bool)[..., None]
    >>> symmetrize(forward, backward)[..., 0].astype(int).tolist()
    [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    """
    links, either = forward & backward, forward | backward
    while True:
        has_none = ~links.any(axis=1, keepdims=True) | ~links.any(axis=0, keepdims=True)
        new = either & ~links & has_none & _touching(links)
        if not new.any():
            break
        links |= new
    has_none = ~links.any(axis=1, keepdims=True) & ~links.any(axis=0, keepdims=True)
    return links | (either & has_none)


def _touching(links: Bools) -> Bools:
    """Mark the links and their eight neighbours."""
    edged = np.pad(links, ((1, 1), (1, 1), (0, 0)))
    across = edged[:, :-2] | edged[:, 1:-1] | edged[:, 2:]
    touching: Bools = across[:-2] | across[1:-1] | across[2:]
    return touching

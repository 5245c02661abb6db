"""How two documents differ as wholes: the one wordier, or cut into longer lines or sentences.

News is translated sentence by sentence, and full stops stand at the same places. A novel is not:
three sentences become one, a clause a line. How much the marks and lines of a document can be
trusted is seen from how long they are on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ingest.alignment.spans import Side

_MOST_WORDY = 0.7  # log of how many times as long as usual: about double
_DOUBT = 8.0  # lines that speak for the usual ratio of lengths
_MOST_APART = 1.5


class Wholes(NamedTuple):
    """Two documents side by side.

    `wordy`: length of the target over that of the source, each as long as if it were English;
    near 1 where there are few lines to tell it from. `lines`, `sentences`: absolute log of the
    ratio of what a line, or a sentence in it, typically holds.
    """

    wordy: float
    lines: float
    sentences: float


def wholes(source: Side, target: Side) -> Wholes:
    """Compare two documents."""
    totals = [float(side.units.chars.sum()) / side.rate + 1.0 for side in (source, target)]
    few = min(source.units.lines, target.units.lines)
    log = np.clip(np.log(totals[1] / totals[0]), -_MOST_WORDY, _MOST_WORDY)
    apart = [
        abs(np.log(_typical(source, inner) / _typical(target, inner))) for inner in (False, True)
    ]
    lines, sentences = (float(min(a, _MOST_APART)) for a in apart)
    return Wholes(float(np.exp(log * few / (few + _DOUBT))), lines, sentences)


def _typical(side: Side, inner: bool) -> float:
    """Characters of the line, or of a sentence of the line, that the middle character stands in."""
    chars = side.units.chars / side.rate
    each = np.maximum(chars / (side.units.sentences if inner else 1.0), 1.0)
    order = np.argsort(each, kind="stable")
    total = np.cumsum(chars[order])
    if not len(total):
        return 1.0
    middle = np.searchsorted(total, total[-1] / 2)
    return float(each[order[min(int(middle), len(order) - 1)]])

"""How two documents differ as a whole: in wordiness, and in the length of lines and sentences.

News is translated sentence by sentence, so full stops correspond. Novels are not: three sentences
become one, or each clause gets a line. Comparing typical lengths on both sides shows how far line
breaks and full stops can be trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ingest.alignment.spans import Side

_MAX_LOG_RATIO = 0.7  # of total lengths, beyond the usual ratio: about double
_PRIOR_LINES = 8.0  # lines' worth of belief in the usual ratio of lengths
_MAX_DIFFERENCE = 1.5


class DocumentStats(NamedTuple):
    """Comparison of two documents.

    Attributes:
        length_ratio: length of the target over that of the source, both scaled to English; close
            to 1 if there are too few lines to tell.
        lines: absolute log ratio of the typical line lengths.
        sentences: the same for sentences within lines.
    """

    length_ratio: float
    lines: float
    sentences: float


def compare_documents(source: Side, target: Side) -> DocumentStats:
    """Compare the two sides of a document pair."""
    totals = [float(side.lines.chars.sum()) / side.rate + 1.0 for side in (source, target)]
    fewest = min(source.lines.size, target.lines.size)
    log = np.clip(np.log(totals[1] / totals[0]), -_MAX_LOG_RATIO, _MAX_LOG_RATIO)
    differences = [
        abs(np.log(_typical_length(source, within) / _typical_length(target, within)))
        for within in (False, True)
    ]
    lines, sentences = (float(min(d, _MAX_DIFFERENCE)) for d in differences)
    return DocumentStats(float(np.exp(log * fewest / (fewest + _PRIOR_LINES))), lines, sentences)


def _typical_length(side: Side, sentences: bool) -> float:
    """Characters in the line that contains the median character, or in a sentence of that line."""
    chars = side.lines.chars / side.rate
    lengths = np.maximum(chars / (side.lines.sentences if sentences else 1.0), 1.0)
    order = np.argsort(lengths, kind="stable")
    total = np.cumsum(chars[order])
    if not len(total):
        return 1.0
    median = np.searchsorted(total, total[-1] / 2)
    return float(lengths[order[min(int(median), len(order) - 1)]])

"""The best path of links from the tokens of one side to the tokens of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.word_alignment.similarity import PADDING, UNIT
from ingest.word_alignment.tokens import MAX_TOKENS

if TYPE_CHECKING:
    from ingest._typing import U8, Bools
    from ingest.word_alignment.similarity import I32

# Chosen on the development pairs of tests/benchmarks/word_alignment.py; values nearby do as well.
_UNLINKED = round(0.15 * UNIT)  # score of a token without a link
_JUMP = round(0.06 * UNIT)  # cost of each token that a step from link to link skips
_MAX_JUMPS = 4  # a longer jump costs no more
_STAY = round(0.01 * UNIT)  # cost of staying, so that equal words in a row are linked one by one
# The steps from column to column that cost less than the longest jump, with their cost
_STEPS = {step: jumps * _JUMP for jumps in range(_MAX_JUMPS) for step in (jumps + 1, -jumps)}
_STEPS[0] = _STAY
_STEP = np.array(list(_STEPS))
# Steps are numbered from the back, so that the first wins a tie; a longer jump is 0.
_CODE_BITS = 4
_COLUMN_BITS = (MAX_TOKENS - 1).bit_length()


class _Steps(NamedTuple):
    """How each column was reached, in each row.

    Attributes:
        step: uint8 [rows, columns, pairs], number of the step; 0 for a longer jump.
        farthest: int32 [rows, pairs], the column that a longer jump came from.
        was_unlinked: bool [rows, columns, pairs], whether the row before had no link.
    """

    step: U8
    farthest: I32
    was_unlinked: Bools


def best_path(scores: I32) -> Bools:
    """Link each row to the best column or to none: a hidden Markov model, decoded with Viterbi.

    From one row to the next, it costs nothing to go on to the next column, and little to stay. Each
    column farther, forwards or backwards, costs `_JUMP`. Rows without a link are skipped.

    Args:
        scores: int32 [rows, columns, pairs], PADDING where there are no tokens.

    Returns:
        bool [rows, columns, pairs]: the links, at most one per row.

    >>> best_path(np.array([[[900], [0]], [[0], [100]]], np.int32))[..., 0].astype(int).tolist()
    [[1, 0], [0, 0]]
    """
    rows, columns, pairs = scores.shape
    steps = _Steps(
        np.zeros((rows, columns, pairs), np.uint8),
        np.zeros((rows, pairs), np.int32),
        np.zeros((rows, columns, pairs), bool),
    )
    is_column = scores.max(axis=0) > PADDING
    is_row = scores.max(axis=1) > PADDING
    # best scores of all paths that end in a column, with and without a link in the last row
    start = -_JUMP * np.minimum(np.arange(columns, dtype=np.int32), _MAX_JUMPS)
    start = np.where(is_column, start[:, None], PADDING).astype(np.int32)
    linked, unlinked = np.maximum(start + scores[0], PADDING), start + _UNLINKED
    for row in range(1, rows):
        before = np.maximum(linked, unlinked)
        np.greater(unlinked, linked, out=steps.was_unlinked[row])
        reached, steps.step[row], steps.farthest[row] = _advance(before)
        with_link, without = np.maximum(reached + scores[row], PADDING), before + _UNLINKED
        if is_row[row].all():
            linked, unlinked = with_link, without
        else:
            linked = np.where(is_row[row], with_link, linked)
            unlinked = np.where(is_row[row], without, unlinked)
    return _trace_back(linked, unlinked, steps, is_row)


def _advance(before: I32) -> tuple[I32, U8, I32]:
    """Return the best score with which each column is reached, by which step, and the farthest."""
    columns = len(before)
    # Score and step are packed into one number, so that one maximum finds both.
    packed = before << _COLUMN_BITS
    packed |= np.arange(columns - 1, -1, -1, dtype=np.int32)[:, None]
    top = packed.max(axis=0)
    farthest = columns - 1 - (top & ((1 << _COLUMN_BITS) - 1))
    packed = before << _CODE_BITS
    best = np.empty_like(before)
    best[:] = ((top >> _COLUMN_BITS) - _MAX_JUMPS * _JUMP) << _CODE_BITS
    for nth, (step, cost) in enumerate(_STEPS.items()):
        if abs(step) < columns:
            to, since = best[max(step, 0) : columns + min(step, 0)], packed[max(-step, 0) :]
            code = len(_STEPS) - nth - (cost << _CODE_BITS)
            np.maximum(to, since[: len(to)] + code, out=to)
    return best >> _CODE_BITS, (best & ((1 << _CODE_BITS) - 1)).astype(np.uint8), farthest


def _trace_back(linked: I32, unlinked: I32, steps: _Steps, is_row: Bools) -> Bools:
    """Follow the best path back from the last row of each pair."""
    links = np.zeros(steps.step.shape, bool)
    pair = np.arange(steps.step.shape[2])
    column = np.maximum(linked, unlinked).argmax(axis=0)
    is_linked = linked[column, pair] >= unlinked[column, pair]
    for row in range(len(links) - 1, -1, -1):
        links[row, column, pair] = is_row[row] & is_linked
        code = steps.step[row, column, pair]
        before = np.where(
            code > 0, column - _STEP[len(_STEPS) - np.maximum(code, 1)], steps.farthest[row]
        )
        before = np.where(is_linked, before, column)
        is_linked = np.where(is_row[row], ~steps.was_unlinked[row, before, pair], is_linked)
        column = np.where(is_row[row], before, column)
    return links

"""Accuracy of retrieving translations, by which an encoder is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def retrieval(
    source: NDArray[np.float32], target: NDArray[np.float32], k: int = 4
) -> dict[str, float]:
    """Measure how often row i of `target` is found from row i of `source`, and back.

    Rows are unit vectors. `plain` ranks by cosine. `margin` divides the cosine by the mean of the k
    nearest on both sides (Artetxe and Schwenk 2019). Keys are `plain>`, `plain<`, `margin>` and
    `margin<`.
    """
    cosine = source @ target.T
    near = np.sort(cosine, axis=1)[:, -k:].mean(1)[:, None] + np.sort(cosine, axis=0)[-k:].mean(0)
    scores: dict[str, Any] = {"plain": cosine, "margin": cosine / (near / 2)}
    right = np.arange(len(source))
    out: dict[str, float] = {}
    for name, score in scores.items():
        out[f"{name}>"] = float((score.argmax(1) == right).mean())
        out[f"{name}<"] = float((score.argmax(0) == right).mean())
    return out


def table_row(name: str, figures: dict[str, float]) -> str:
    """Format figures as one row of a Markdown table, in percent.

    >>> table_row("x", {"plain>": 0.5, "margin>": 1.0})
    '| x | 50.0 | 100.0 |'
    """
    return " | ".join([f"| {name}", *(f"{100 * value:.1f}" for value in figures.values())]) + " |"

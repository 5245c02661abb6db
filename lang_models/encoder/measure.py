"""Retrieval of translations: the figures by which a table is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def retrieval(one: NDArray[np.float32], two: NDArray[np.float32], k: int = 4) -> dict[str, float]:
    """Accuracy of finding row i of `two` from row i of `one` and back, unit vectors given.

    `plain` is by cosine; `margin` divides it by the mean of the k nearest on both sides (Artetxe
    and Schwenk 2019). Keys are `plain>`, `plain<`, `margin>`, `margin<`.
    """
    cosine = one @ two.T
    near = np.sort(cosine, axis=1)[:, -k:].mean(1)[:, None] + np.sort(cosine, axis=0)[-k:].mean(0)
    scores: dict[str, Any] = {"plain": cosine, "margin": cosine / (near / 2)}
    right = np.arange(len(one))
    out: dict[str, float] = {}
    for name, score in scores.items():
        out[f"{name}>"] = float((score.argmax(1) == right).mean())
        out[f"{name}<"] = float((score.argmax(0) == right).mean())
    return out


def line(name: str, figures: dict[str, float]) -> str:
    """One row of a Markdown table.

    >>> line("x", {"plain>": 0.5, "margin>": 1.0})
    '| x | 50.0 | 100.0 |'
    """
    return " | ".join([f"| {name}", *(f"{100 * value:.1f}" for value in figures.values())]) + " |"

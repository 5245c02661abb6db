"""The learned lexicon: which Arabic and English stems translate each other."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ingest.encoder.words import split
from ingest.errors import ModelError
from ingest.resources import load_npz, model_dir

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    I32 = NDArray[np.int32]

UNSEEN = -1
_ARRAYS = ("stems", "counts", "lines", "left", "right")
_MAX_CACHED = 1 << 20  # words


class Lexicon:
    """Numbered stems, and the stems of the other language that translate each of them.

    Attributes:
        stems: number of each stem; both languages share one list.
        counts: lines of the training text that contain each stem, by feature name `s:stem`.
        idf: float32 [stems], log of (lines of the training text / lines that contain the stem).
        first: int64 [stems + 1], first row of each stem in `to`.
        to: int32 [2 * pairs], translations of each stem; a pair is listed under both its stems.
    """

    def __init__(self, stems: list[str], counts: I32, lines: int, left: I32, right: I32) -> None:
        self.stems = {stem: i for i, stem in enumerate(stems)}
        self.counts = dict(zip((f"s:{s}" for s in stems), counts.tolist(), strict=True))
        self.idf = np.log(lines / np.maximum(counts, 1)).astype(np.float32)
        a, b = np.concatenate([left, right]), np.concatenate([right, left])
        order = np.lexsort((b, a))
        self.to = b[order]
        self.first = np.searchsorted(a[order], np.arange(len(stems) + 1))
        self._numbers: dict[str, int] = {}

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read `lexicon.npz` as the recipe writes it.

        Raises:
            ModelError: the file is missing or damaged.
        """
        arrays = load_npz(path, _ARRAYS)
        try:
            stems = arrays["stems"].tobytes().decode().split("\n")
            return cls(
                stems, arrays["counts"], int(arrays["lines"]), arrays["left"], arrays["right"]
            )
        except ValueError as error:
            raise ModelError(f"{path}: is damaged ({error}); rebuild or reinstall it") from error

    def number(self, word: str) -> int:
        """Return the number of the stem of a folded word, or UNSEEN."""
        number = self._numbers.get(word)
        if number is None:
            number = self.stems.get(split(word, self.counts)[1], UNSEEN)
            if len(self._numbers) < _MAX_CACHED:
                self._numbers[word] = number
        return number


@cache
def lexicon() -> Lexicon:
    """Load the lexicon that ships with ingest.

    >>> shipped = lexicon()
    >>> book = shipped.number("books")
    >>> shipped.number("كتاب") in shipped.to[shipped.first[book] : shipped.first[book + 1]]
    True
    """
    return Lexicon.load(model_dir("align") / "lexicon.npz")

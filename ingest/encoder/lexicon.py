"""The learned word lexicon: which Arabic stems and English stems translate one another."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ingest.encoder.words import split
from ingest.errors import ModelError
from ingest.resources import model_dir

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    I32 = NDArray[np.int32]

UNSEEN = -1


class Lexicon:
    """Stems by number, and pairs of them in rows: what one side's stem may be on the other.

    Attributes:
        stems: number of each stem; both languages stand in one list.
        idf: float32 [stems], log of lines in the training text over lines that hold the stem.
        first: int64 [stems + 1], row of each stem in `to`.
        to: int32 [pairs], stems that translate it; each pair stands under both its stems.
    """

    def __init__(self, stems: list[str], counts: I32, lines: int, left: I32, right: I32) -> None:
        self.stems = {stem: i for i, stem in enumerate(stems)}
        self.counts = dict(zip((f"s:{s}" for s in stems), counts.tolist(), strict=True))
        self.idf = np.log(lines / np.maximum(counts, 1)).astype(np.float32)
        a, b = np.concatenate([left, right]), np.concatenate([right, left])
        order = np.lexsort((b, a))
        self.to = b[order]
        self.first = np.searchsorted(a[order], np.arange(len(stems) + 1))
        self._known: dict[str, int] = {}

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read `lexicon.npz` as the recipe writes it.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            with np.load(path) as held:
                stems = held["stems"].tobytes().decode().split("\n")
                return cls(stems, held["counts"], int(held["lines"]), held["left"], held["right"])
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(f"{path}: {error}") from error

    def number(self, word: str) -> int:
        """The number of the stem of a folded word; UNSEEN where it has none."""
        found = self._known.get(word)
        if found is None:
            found = self.stems.get(split(word, self.counts)[1], UNSEEN)
            if len(self._known) < 1 << 20:
                self._known[word] = found
        return found


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with ingest.

    >>> held = lexicon()
    >>> book = held.number("books")
    >>> held.number("كتاب") in held.to[held.first[book] : held.first[book + 1]]
    True
    """
    return Lexicon.load(model_dir("align") / "lexicon.npz")

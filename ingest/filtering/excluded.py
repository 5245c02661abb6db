"""The texts that pairs must not contain, and which pairs contain one of each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.filtering.contamination import ReferenceTexts
from ingest.filtering.reference_files import read_texts

# Texts less similar than this to a line of a test set may well be different sentences.
_MIN_SIMILARITY = 0.6
# A longer text contains a line of a test set if it has this share of its word pairs: one word may
# differ in six, such as the first one, onto which Arabic writes "and".
_MIN_CONTAINED = 0.75


class ExcludedTexts:
    """Texts of several files, to compare pairs with.

    Attributes:
        files: the files.
        texts: number of texts in each.
    """

    def __init__(self, files: Sequence[str], texts: Sequence[list[str]]) -> None:
        self.files = list(files)
        self.texts = [len(of_file) for of_file in texts]
        self._references = ReferenceTexts(
            pl.Series([text for of_file in texts for text in of_file], dtype=pl.String),
            min_similarity=_MIN_SIMILARITY,
            min_contained=_MIN_CONTAINED,
            groups=np.repeat(np.arange(len(files)), self.texts),
        )

    @classmethod
    def read(cls, files: Sequence[str | Path]) -> ExcludedTexts:
        """Read the texts of files or folders, each of them once.

        Raises:
            SourceError: one cannot be read.
        """
        names = list(dict.fromkeys(map(str, files)))
        return cls(names, [read_texts(name) for name in names])

    def match(self, pairs: pl.DataFrame) -> Bools:
        """Return whether each pair has a side that matches a text of each file.

        Args:
            pairs: the pairs.

        Returns:
            bool [pairs, files].

        >>> excluded = ExcludedTexts(["test.en"], [["The cat sat on the red mat."]])
        >>> texts = {"source_text": ["قطة", "كلب"], "target_text": ["Cat sat on the red mat!", ""]}
        >>> excluded.match(pl.DataFrame(texts)).tolist()
        [[True], [False]]
        """
        is_match = np.zeros((len(pairs), len(self.files)), bool)
        for side in ("source_text", "target_text"):
            found = self._references.find_matches(pairs[side])
            is_match[found["text"].to_numpy(), found["group"].to_numpy()] = True
        return is_match

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


_TEXTS = pl.Schema({"file": pl.Int64(), "text": pl.String()})


def read_excluded(files: Sequence[str | Path]) -> tuple[list[str], pl.DataFrame]:
    """Read the texts of files or folders, each of them once.

    Returns:
        The files; and one row per text: `file` (Int64), its file by number from 0, and `text`.

    Raises:
        SourceError: a file cannot be read.
    """
    names = list(dict.fromkeys(map(str, files)))
    frames = [
        pl.DataFrame({"text": read_texts(name)}, {"text": pl.String}).select(
            file=pl.lit(number, pl.Int64), text="text"
        )
        for number, name in enumerate(names)
    ]
    return names, pl.concat([pl.DataFrame(schema=_TEXTS), *frames])


class ExcludedTexts:
    """Texts of several files, to compare pairs with.

    Args:
        files: the files.
        texts: their texts, as `read_excluded` returns them.
    """

    def __init__(self, files: Sequence[str], texts: pl.DataFrame) -> None:
        self._files = len(files)
        self._references = ReferenceTexts(
            texts["text"],
            min_similarity=_MIN_SIMILARITY,
            min_contained=_MIN_CONTAINED,
            groups=texts["file"].to_numpy(),
        )

    def match(self, pairs: pl.DataFrame) -> Bools:
        """Return whether each pair has a side that matches a text of each file.

        Args:
            pairs: the pairs.

        Returns:
            bool [pairs, files].

        >>> lines = pl.DataFrame({"file": [0], "text": ["The cat sat on the red mat."]})
        >>> excluded = ExcludedTexts(["test.en"], lines)
        >>> texts = {"source_text": ["قطة", "كلب"], "target_text": ["Cat sat on the red mat!", ""]}
        >>> excluded.match(pl.DataFrame(texts)).tolist()
        [[True], [False]]
        """
        is_match = np.zeros((len(pairs), self._files), bool)
        for side in ("source_text", "target_text"):
            found = self._references.find_matches(pairs[side])
            is_match[found["text"].to_numpy(), found["group"].to_numpy()] = True
        return is_match

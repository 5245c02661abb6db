"""Find texts that repeat one of a few reference texts, such as the lines of a test set.

A text is similar to a reference if all words are the same; if the Jaccard similarity of their word
bigrams is at least `min_similarity`; or if it contains almost all of a reference that is not
short. The search is exact: no similar text is missed. Only the bigrams of the first 4,000
characters count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from ingest._typing import I64, U64
from ingest.minhash import bigrams, text_keys

_MIN_CONTAINED = 0.9  # share of a reference's bigrams that a text must have to contain it
_MIN_BIGRAMS = 5  # a reference with fewer is a phrase, and may be contained by chance
_BATCH_TEXTS = 1 << 14
_BATCH_CANDIDATES = 1 << 17  # takes about 100 MB
_GRAMS = pl.Schema({"text": pl.Int64(), "gram": pl.UInt64()})


class ReferenceTexts:
    """Texts to compare others with.

    Args:
        texts: the references.
        min_similarity: minimum Jaccard similarity of word bigrams, 0…1.

    >>> references = ReferenceTexts(pl.Series(["The cat sat on the red mat."]), min_similarity=0.6)
    >>> texts = pl.Series(["the CAT sat on the red mat", "a cat", "A cat sat on the red mat"])
    >>> references.find_similar(texts)["text"].to_list()
    [0, 2]
    """

    def __init__(self, texts: pl.Series, *, min_similarity: float) -> None:
        self._min_similarity = min_similarity
        self._keys = pl.DataFrame({"key": text_keys(texts), "line": np.arange(len(texts))})
        batches = [
            _grams(texts[start : start + _BATCH_TEXTS], start)
            for start in range(0, len(texts), _BATCH_TEXTS)
        ]
        grams = pl.concat([pl.DataFrame(schema=_GRAMS), *batches]).unique().sort("text", "gram")
        self._line, self._gram = grams["text"].to_numpy(), grams["gram"].to_numpy()
        self._size = np.bincount(self._line, minlength=len(texts))
        self._sorted_grams = np.sort(self._gram)
        min_share = min(min_similarity, _MIN_CONTAINED)
        self._rare = self._rarest(self._line, self._gram, min_share).rename({"owner": "line"})

    def _rarest(self, owner: I64, gram: U64, min_share: float) -> pl.DataFrame:
        """Return the bigrams of each text that are rarest in the references.

        There are just enough of them that a text without any cannot have `min_share` of the
        bigrams.

        Args:
            owner: the text of each bigram, sorted.
            gram: the bigrams.
            min_share: minimum share of a text's bigrams.

        Returns:
            Columns owner and gram.
        """
        size = np.bincount(owner)
        needed = np.ceil(min_share * size - 1e-9).astype(np.int64)
        first, end = (np.searchsorted(self._sorted_grams, gram, side) for side in ("left", "right"))
        order = np.lexsort((gram, end - first, owner))
        owner, gram = owner[order], gram[order]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        is_rare = rank <= (size - needed)[owner]
        return pl.DataFrame({"owner": owner[is_rare], "gram": gram[is_rare]})

    def find_similar(self, texts: pl.Series) -> pl.DataFrame:
        """Find texts that are similar to a reference, or contain one.

        Returns:
            Columns text and line: the index of the text and of the reference.
        """
        return _in_batches(self._find_similar, texts)

    def find_contained(self, texts: pl.Series) -> pl.DataFrame:
        """Find texts that are not short and that a reference contains almost completely.

        Returns:
            Columns text and line: the index of the text and of the reference.

        >>> lines = pl.Series(["x", "They say the cat sat on the red mat."])
        >>> references = ReferenceTexts(lines, min_similarity=0.6)
        >>> texts = pl.Series(["on the red mat", "The cat sat on the red mat"])
        >>> references.find_contained(texts).rows()
        [(1, 1)]
        """
        return _in_batches(self._find_contained, texts)

    def _find_similar(self, texts: pl.Series) -> pl.DataFrame:
        keys = pl.DataFrame({"key": text_keys(texts), "text": np.arange(len(texts))})
        same = keys.join(self._keys, on="key")
        grams = _grams(texts, 0)
        candidates = grams.join(self._rare, on="gram").select("text", "line").unique()
        grams = grams.join(candidates, on="text", how="semi").unique()
        size = np.bincount(grams["text"].to_numpy(), minlength=len(texts))
        text, line = candidates["text"].to_numpy(), candidates["line"].to_numpy()
        common = self._count_common(text, line, grams)
        union = size[text] + self._size[line] - common
        is_similar = common >= self._min_similarity * union - 1e-9
        is_long = self._size[line] >= _MIN_BIGRAMS
        contains_line = is_long & (common >= _MIN_CONTAINED * self._size[line] - 1e-9)
        hits = candidates.filter(pl.Series(is_similar | contains_line, dtype=pl.Boolean))
        return pl.concat([same.select("text", "line"), hits]).unique().sort("text", "line")

    def _find_contained(self, texts: pl.Series) -> pl.DataFrame:
        grams = _grams(texts, 0).unique()
        size = np.bincount(grams["text"].to_numpy(), minlength=len(texts))
        grams = grams.filter(pl.Series(size >= _MIN_BIGRAMS).gather(grams["text"]))
        rare = self._rarest(grams["text"].to_numpy(), grams["gram"].to_numpy(), _MIN_CONTAINED)
        references = pl.DataFrame({"line": self._line, "gram": self._gram})
        candidates = rare.join(references, on="gram").select(text="owner", line="line").unique()
        text, line = candidates["text"].to_numpy(), candidates["line"].to_numpy()
        common = self._count_common(text, line, grams)
        is_contained = common >= _MIN_CONTAINED * size[text] - 1e-9
        return candidates.filter(pl.Series(is_contained, dtype=pl.Boolean)).sort("text", "line")

    def _count_common(self, text: I64, line: I64, grams: pl.DataFrame) -> I64:
        """Count the bigrams that each text and reference have in common: int64 [candidates]."""
        starts = np.cumsum(self._size) - self._size
        counts = [np.empty(0, np.int64)]
        for first in range(0, len(text), _BATCH_CANDIDATES):
            texts = text[first : first + _BATCH_CANDIDATES]
            lines = line[first : first + _BATCH_CANDIDATES]
            size = self._size[lines]
            candidate = np.repeat(np.arange(len(lines)), size)
            offset = np.arange(len(candidate)) - (np.cumsum(size) - size)[candidate]
            gram = self._gram[starts[lines][candidate] + offset]
            wanted = pl.DataFrame({"candidate": candidate, "text": texts[candidate], "gram": gram})
            common = wanted.join(grams, on=["text", "gram"])
            counts.append(np.bincount(common["candidate"].to_numpy(), minlength=len(lines)))
        return np.concatenate(counts)


def _in_batches(find: Callable[[pl.Series], pl.DataFrame], texts: pl.Series) -> pl.DataFrame:
    matches = [pl.DataFrame(schema={"text": pl.Int64, "line": pl.Int64})]
    for start in range(0, len(texts), _BATCH_TEXTS):
        batch = find(texts[start : start + _BATCH_TEXTS].fill_null(""))
        matches.append(batch.with_columns(pl.col("text") + start))
    return pl.concat(matches)


def _grams(texts: pl.Series, first: int) -> pl.DataFrame:
    """Return the bigrams of texts that are numbered from `first` on: columns text and gram."""
    text, gram = bigrams(texts.fill_null(""))
    return pl.DataFrame({"text": text + first, "gram": gram}, _GRAMS)

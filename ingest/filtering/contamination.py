"""Find texts that repeat one of a few reference texts, such as the lines of a test set.

A text matches a reference if all words are the same; if the Jaccard similarity of their word
bigrams is at least `min_similarity`; or if one of them is not short and almost all of its bigrams
are in the other. The search is exact: no match is missed. Only the bigrams of the first 4,000
characters count.

Two texts that have k bigrams in common, of s and t, also have one in common among the s - k + 1 and
t - k + 1 bigrams that are rarest in the references (prefix filtering, Chaudhuri et al. 2006). So
lines that share a template of frequent words, such as lines of code, are only compared if they have
enough in common to match; and once a text matches a group of references, the rest of that group is
skipped. Both keep the work in proportion to the number of texts.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U64, Bools
from ingest.minhash import bigrams, text_keys

# A text with fewer bigrams is a phrase, and may be inside another text by chance: "at the end of
# the day" has five.
_MIN_BIGRAMS = 5
_MIN_CONTAINED = 0.9  # share of a text's bigrams that must be in a reference that contains it
_BATCH_TEXTS = 1 << 14
_BATCH_CANDIDATES = 1 << 17  # takes about 100 MB
_FIRST_STEP, _STEP_FACTOR = 2, 8  # references of a range to compare at first, and how it grows
_NEVER = np.iinfo(np.int64).max
_GRAMS = pl.Schema({"text": pl.Int64(), "gram": pl.UInt64()})


class ReferenceTexts:
    """Texts to compare others with.

    Args:
        texts: the references.
        min_similarity: minimum Jaccard similarity of word bigrams, 0…1.
        min_contained: share of a reference's bigrams that a text which contains it must have, 0…1.
        groups: int64 [texts], a number of each reference. A match with one reference of a group
            is enough. By default, each is its own group, numbered from 0.

    >>> references = ReferenceTexts(pl.Series(["The cat sat on the red mat."]), min_similarity=0.6)
    >>> texts = ["the CAT sat on the red mat", "a cat", "They say the cat sat on the red mat, too."]
    >>> references.find_matches(pl.Series(texts)).rows()
    [(0, 0), (2, 0)]
    """

    def __init__(
        self,
        texts: pl.Series,
        *,
        min_similarity: float,
        min_contained: float = _MIN_CONTAINED,
        groups: I64 | None = None,
    ) -> None:
        self._min_similarity, self._min_contained = min_similarity, min_contained
        self._group = np.arange(len(texts)) if groups is None else groups
        self._keys = pl.DataFrame({"key": text_keys(texts), "group": self._group}).unique()
        batches = [
            _grams(texts[start : start + _BATCH_TEXTS], start)
            for start in range(0, len(texts), _BATCH_TEXTS)
        ]
        grams = pl.concat([pl.DataFrame(schema=_GRAMS), *batches]).unique().sort("text", "gram")
        self._line, self._gram = grams["text"].to_numpy(), grams["gram"].to_numpy()
        self._size = np.bincount(self._line, minlength=len(texts))
        self._sorted_grams = np.sort(self._gram)
        rank = self._ranks(self._line, self._gram)
        share = min(min_similarity, min_contained)
        most_missing = (self._size - np.ceil(share * self._size - 1e-9)).astype(np.int64)
        is_rare = rank <= most_missing[self._line]
        self._rare = self._index(is_rare, rank)
        self._all = self._index(np.ones(len(rank), bool), rank)

    def _ranks(self, owner: I64, gram: U64) -> I64:
        """Return the rank of each bigram among those of its text, the rarest first, from 0.

        Args:
            owner: the text of each bigram, sorted.
            gram: the bigrams.
        """
        first, end = (np.searchsorted(self._sorted_grams, gram, side) for side in ("left", "right"))
        order = np.lexsort((gram, end - first, owner))
        rank = np.empty(len(owner), np.int64)
        rank[order] = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return rank

    def _index(self, which: Bools, rank: I64) -> _Index:
        line = self._line[which]
        return _Index(line, self._gram[which], rank[which], self._size[line], self._group[line])

    def find_matches(self, texts: pl.Series, own: I64 | None = None) -> pl.DataFrame:
        """Find the groups of references that texts match.

        Args:
            texts: the texts.
            own: int64 [texts], a group for each text that is not of interest. By default none.

        Returns:
            Columns text and group, sorted: the index of the text, and the number of the group.
        """
        own = np.full(len(texts), -1) if own is None else own
        matches = [pl.DataFrame(schema={"text": pl.Int64, "group": pl.Int64})]
        for start in range(0, len(texts), _BATCH_TEXTS):
            batch = slice(start, start + _BATCH_TEXTS)
            found = self._find_matches(texts[batch].fill_null(""), own[batch])
            matches.append(found.with_columns(pl.col("text") + start))
        return pl.concat(matches)

    def _find_matches(self, texts: pl.Series, own: I64) -> pl.DataFrame:
        rows = np.arange(len(texts))
        keys = pl.DataFrame({"key": text_keys(texts), "text": rows, "own": own})
        same = keys.join(self._keys, on="key").filter(pl.col("group") != pl.col("own"))
        grams = _grams(texts, 0).unique().sort("text", "gram")
        owner, gram = grams["text"].to_numpy(), grams["gram"].to_numpy()
        size = np.bincount(owner, minlength=len(texts))
        rank = self._ranks(owner, gram)
        grams = grams.with_columns(size=size[owner], rank=rank)
        matched = _Matched(
            np.concatenate([rows, same["text"].to_numpy()]),
            np.concatenate([own, same["group"].to_numpy()]),
        )
        is_long = size >= _MIN_BIGRAMS
        most_missing = np.where(is_long, size - np.ceil(_MIN_CONTAINED * size - 1e-9), -1)
        inner = grams.filter(pl.Series(rank <= most_missing[owner], dtype=pl.Boolean))
        for index, own_grams in ((self._rare, grams), (self._all, inner)):
            self._search(index, own_grams, grams, size, matched)
        text, group = matched.text[len(rows) :], matched.group[len(rows) :]
        return pl.DataFrame({"text": text, "group": group}).unique().sort("text", "group")

    def _needed(self, size: I64, text_size: I64) -> I64:
        """Return how many bigrams a reference and a text of these sizes must have in common."""
        share = self._min_similarity / (1 + self._min_similarity)
        needed = (
            _least(share * (size + text_size), possible=np.minimum(size, text_size)),
            np.where(size >= _MIN_BIGRAMS, _least(self._min_contained * size), _NEVER),
            np.where(text_size >= _MIN_BIGRAMS, _least(_MIN_CONTAINED * text_size), _NEVER),
        )
        least: I64 = np.minimum(np.minimum(needed[0], needed[1]), needed[2])
        return least

    def _search(
        self, index: _Index, prefix: pl.DataFrame, grams: pl.DataFrame, size: I64, matched: _Matched
    ) -> None:
        """Compare texts with the references that share a bigram of their prefixes.

        Args:
            index: bigrams of the references.
            prefix: bigrams of the texts to look up in it: columns text, gram, size, rank.
            grams: all bigrams of the texts.
            size: number of bigrams of each text.
            matched: what is known already; matches are added to it.
        """
        cells = prefix.join(index.cells, on="gram")
        needed = self._needed(cells["size_right"].to_numpy(), cells["size"].to_numpy())
        may_match = (cells["rank_right"].to_numpy() <= cells["size_right"].to_numpy() - needed) & (
            cells["rank"].to_numpy() <= cells["size"].to_numpy() - needed
        )
        cells = cells.filter(pl.Series(may_match, dtype=pl.Boolean)).sort("text", "start")
        text, at, end = (cells[name].to_numpy() for name in ("text", "start", "end"))
        step = _FIRST_STEP
        while len(text):
            # where a text has matched the group, go on behind it
            at = np.where(matched.contains(text, index.group[at]), index.group_end[at], at)
            is_open = at < end
            text, at, end = text[is_open], at[is_open], end[is_open]
            for first in range(0, len(text), _BATCH_CANDIDATES // step):
                batch = slice(first, first + _BATCH_CANDIDATES // step)
                count = np.minimum(end[batch] - at[batch], step)
                offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
                entry = np.repeat(at[batch], count) + offset
                owner = np.repeat(text[batch], count)
                is_new = ~matched.contains(owner, index.group[entry])
                key = np.sort(owner[is_new] * len(self._size) + index.line[entry[is_new]])
                key = key[np.diff(key, prepend=-1) > 0]
                candidate, line = np.divmod(key, len(self._size))
                is_match = self._count_common(candidate, line, grams) >= self._needed(
                    self._size[line], size[candidate]
                )
                matched.add(candidate[is_match], self._group[line[is_match]])
            at = np.minimum(at + step, end)
            is_open = at < end
            text, at, end = text[is_open], at[is_open], end[is_open]
            step = min(step * _STEP_FACTOR, _BATCH_CANDIDATES)

    def _count_common(self, text: I64, line: I64, grams: pl.DataFrame) -> I64:
        """Count the bigrams that each text and reference have in common: int64 [candidates]."""
        starts = np.cumsum(self._size) - self._size
        size = self._size[line]
        candidate = np.repeat(np.arange(len(line)), size)
        offset = np.arange(len(candidate)) - (np.cumsum(size) - size)[candidate]
        gram = self._gram[starts[line][candidate] + offset]
        wanted = pl.DataFrame({"candidate": candidate, "text": text[candidate], "gram": gram})
        common = wanted.join(grams.select("text", "gram"), on=["text", "gram"])
        return np.bincount(common["candidate"].to_numpy(), minlength=len(line))


class _Index:
    """The bigrams of references, sorted so that those of equal use are neighbours.

    Attributes:
        line, group: int64 [bigrams], the reference of each, and its group.
        group_end: int64 [bigrams], end of the run of the same cell and group.
        cells: columns gram, size (of the reference), rank, start, end: the range in the others.
    """

    def __init__(self, line: I64, gram: U64, rank: I64, size: I64, group: I64) -> None:
        order = np.lexsort((line, group, rank, size, gram))
        self.line, self.group = line[order], group[order]
        gram, rank, size = gram[order], rank[order], size[order]
        is_start = np.ones(len(order), bool)
        is_start[1:] = (np.diff(rank) != 0) | (np.diff(size) != 0) | (gram[1:] != gram[:-1])
        starts = np.flatnonzero(is_start)
        ends = _run_ends(is_start)[starts]
        self.cells = pl.DataFrame(
            {
                "gram": gram[starts], "size": size[starts], "rank": rank[starts],
                "start": starts, "end": ends,
            },
            {"gram": pl.UInt64, **dict.fromkeys(("size", "rank", "start", "end"), pl.Int64)},
        )  # fmt: skip
        is_start[1:] |= np.diff(self.group) != 0
        self.group_end = _run_ends(is_start)


class _Matched:
    """Which text is known to match which group: both columns, and a search in them."""

    def __init__(self, text: I64, group: I64) -> None:
        self.text, self.group = text, group
        self._known = np.unique(_pair_key(text, group))

    def add(self, text: I64, group: I64) -> None:
        """Add matches."""
        if len(text):
            self.text = np.concatenate([self.text, text])
            self.group = np.concatenate([self.group, group])
            # both parts are sorted, which the stable sort makes use of
            new = np.unique(_pair_key(text, group))
            self._known = np.sort(np.concatenate([self._known, new]), kind="stable")

    def contains(self, text: I64, group: I64) -> Bools:
        """Return which of these are known: bool [texts]."""
        key = _pair_key(text, group)
        at = np.minimum(np.searchsorted(self._known, key), len(self._known) - 1)
        known: Bools = self._known[at] == key
        return known


def _run_ends(is_start: Bools) -> I64:
    """Return the end of the run of each element, given which elements start one."""
    ends: I64 = np.append(np.flatnonzero(is_start)[1:], len(is_start))
    return ends[np.cumsum(is_start) - 1] if len(is_start) else ends[:0]


def _pair_key(text: I64, group: I64) -> I64:
    """Return one number for a text of a batch and a group, which is at least -1."""
    return (group + 1) * _BATCH_TEXTS + text


def _least(share: NDArray[np.floating], possible: I64 | None = None) -> I64:
    """Round up to whole bigrams; what is more than `possible` becomes impossible."""
    least = np.ceil(share - 1e-9).astype(np.int64)
    return least if possible is None else np.where(least <= possible, least, _NEVER)


def _grams(texts: pl.Series, first: int) -> pl.DataFrame:
    """Return the bigrams of texts that are numbered from `first` on: columns text and gram."""
    text, gram = bigrams(texts.fill_null(""))
    return pl.DataFrame({"text": text + first, "gram": gram}, _GRAMS)

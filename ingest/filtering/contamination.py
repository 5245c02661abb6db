"""Find texts that repeat one of a few reference texts, such as the lines of a test set.

A text matches a reference if all words are the same; if the Jaccard similarity of their word
bigrams is at least `min_similarity`; or if one of them is not short and almost all of its bigrams
are in the other. Only the bigrams of the first 4,000 characters count. The search is exact: no
match is missed, unless a text shares its rarest bigrams with over a thousand references.

Two texts that have k bigrams in common, of s and t, also have one in common among the s - k + 1 and
t - k + 1 bigrams that are rarest in the references (prefix filtering, Chaudhuri et al. 2006). So
lines that share a template of frequent words, such as lines of code, are only compared if they have
enough in common to match; and once a text matches a group of references, the rest of that group is
skipped. Both keep the work in proportion to the number of texts.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, Bools
from ingest.codepoints import expand_ranges
from ingest.filtering.text_grams import MIN_BIGRAMS, MIN_CONTAINED, GramSet, TextGrams, least_common
from ingest.minhash import text_keys

_BATCH_TEXTS = 1 << 14
_BATCH_CANDIDATES = 1 << 17  # takes about 100 MB
_FIRST_STEP, _STEP_FACTOR = 2, 8  # references of a range to compare at first, and how it grows
_MAX_STEP = 1 << 7  # of a text that is left soon, not much more is looked at
# After about so many references that share one of its rarest bigrams, a text is left. Of 480,000
# pairs of people, none shared one with more than 12 lines of a test set, and none of 30,000 verses
# with more than 78 of another Bible. Lines that permute a few words share them with any number.
_MAX_LOOKED_AT = 1 << 10
_NEVER = np.iinfo(np.int64).max


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
        min_contained: float = MIN_CONTAINED,
        groups: I64 | None = None,
    ) -> None:
        group = np.arange(len(texts)) if groups is None else groups
        self._keys = pl.DataFrame({"key": text_keys(texts), "group": group}).unique()
        grams = TextGrams.concat(
            [
                TextGrams.of(texts[start : start + _BATCH_TEXTS])
                for start in range(0, len(texts), _BATCH_TEXTS)
            ]
        )
        self._grams = ReferenceGrams(
            grams, group, min_similarity=min_similarity, min_contained=min_contained
        )

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
        matched = _Matched(
            np.concatenate([rows, same["text"].to_numpy()]),
            np.concatenate([own, same["group"].to_numpy()]),
        )
        self._grams.match(TextGrams.of(texts), matched)
        text, group = matched.text[len(rows) :], matched.group[len(rows) :]
        return pl.DataFrame({"text": text, "group": group}).unique().sort("text", "group")


class Matches(Protocol):
    """What is known of the matches of a batch of texts with groups of references."""

    def add(self, text: I64, group: I64) -> None:
        """Add matches."""

    def contains(self, text: I64, group: I64) -> Bools:
        """Return which of these are known: bool [texts]."""


class ReferenceGrams:
    """The bigrams of reference texts, to find texts that have enough of them in common.

    Args:
        grams: the bigrams of each reference.
        group: int64 [references], see `ReferenceTexts`.
        min_similarity: minimum Jaccard similarity of bigrams, 0…1.
        min_contained: share of a reference's bigrams that a text which contains it must have, 0…1.
    """

    def __init__(
        self,
        grams: TextGrams,
        group: I64,
        *,
        min_similarity: float,
        min_contained: float = MIN_CONTAINED,
    ) -> None:
        self._min_similarity, self._min_contained = min_similarity, min_contained
        self._size, self._line = grams.size, grams.text
        self._starts = np.cumsum(grams.size) - grams.size
        # From here on, a bigram is its number among the distinct ones.
        self._set = GramSet(grams.gram)
        self._gram = self._set.find(grams.gram)
        self._rank = self._ranks(self._line, self._gram)
        share = min(min_similarity, min_contained)
        most_missing = (self._size - np.ceil(share * self._size - 1e-9)).astype(np.int64)
        self._is_rare = self._rank <= most_missing[self._line]
        self.regroup(group)

    def regroup(self, group: I64) -> None:
        """Change the group of each reference."""
        self.group = group
        self._rare = self._index(self._is_rare)
        self._all = self._index(np.ones(len(self._gram), bool))

    def _index(self, which: Bools) -> _Index:
        line, gram = self._line[which], self._gram[which]
        grams = _Grams(line, gram, self._size[line], self._rank[which])
        return _Index(grams, self.group[line], len(self._set))

    def _ranks(self, owner: I64, gram: I64) -> I64:
        """Return the rank of each bigram among those of its text, the rarest first, from 0.

        Args:
            owner: the text of each bigram, sorted.
            gram: the bigrams.
        """
        order = np.lexsort((gram, self._set.counts[gram], owner))
        rank = np.empty(len(owner), np.int64)
        rank[order] = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return rank

    def match(self, grams: TextGrams, matched: Matches) -> None:
        """Find the groups of references that texts match.

        Args:
            grams: the bigrams of the texts. Those that no reference has may be left out.
            matched: what is known already; matches are added to it.
        """
        gram = self._set.find(grams.gram)
        text, gram = grams.text[gram >= 0], gram[gram >= 0]
        known = np.bincount(text, minlength=len(grams.size))
        least = least_common(grams.size, self._min_similarity, self._min_contained)
        is_candidate = (known >= least)[text]
        text, gram = text[is_candidate], gram[is_candidate]
        size = grams.size[text]
        # bigrams that no reference has are the rarest
        rank = self._ranks(text, gram) + size - known[text]
        own = _Grams(text, gram, size, rank)
        most_missing = np.where(
            size >= MIN_BIGRAMS, size - np.ceil(MIN_CONTAINED * size - 1e-9), -1
        )
        inner = rank <= most_missing
        key = text * len(self._set) + gram  # sorted
        self._search(self._rare, own, key, grams.size, matched)
        prefix = _Grams(*(values[inner] for values in own))
        self._search(self._all, prefix, key, grams.size, matched)

    def _needed(self, size: I64, text_size: I64) -> I64:
        """Return how many bigrams a reference and a text of these sizes must have in common."""
        share = self._min_similarity / (1 + self._min_similarity)
        needed = (
            _least(share * (size + text_size), possible=np.minimum(size, text_size)),
            np.where(size >= MIN_BIGRAMS, _least(self._min_contained * size), _NEVER),
            np.where(text_size >= MIN_BIGRAMS, _least(MIN_CONTAINED * text_size), _NEVER),
        )
        least: I64 = np.minimum(np.minimum(needed[0], needed[1]), needed[2])
        return least

    def _search(
        self, index: _Index, prefix: _Grams, keys: I64, size: I64, matched: Matches
    ) -> None:
        """Compare texts with the references that share a bigram of their prefixes.

        Args:
            index: bigrams of the references.
            prefix: bigrams of the texts to look up in it.
            keys: text and bigram as one number, of all bigrams of the texts; sorted.
            size: number of bigrams of each text.
            matched: what is known already; matches are added to it.
        """
        text, at, end = index.find_ranges(prefix, self._needed)
        step = _FIRST_STEP
        looked_at = np.zeros(len(size), np.int64)  # not only compared: that depends on the batches
        while len(text):
            # where a text has matched the group, go on behind it
            at = np.where(matched.contains(text, index.group[at]), index.group_end[at], at)
            is_open = at < end
            text, at, end = text[is_open], at[is_open], end[is_open]
            for first in range(0, len(text), _BATCH_CANDIDATES // step):
                batch = slice(first, first + _BATCH_CANDIDATES // step)
                count = np.minimum(end[batch] - at[batch], step)
                entry = expand_ranges(at[batch], count)
                owner = np.repeat(text[batch], count)
                is_new = ~matched.contains(owner, index.group[entry])
                key = np.sort(owner[is_new] * len(self._size) + index.line[entry[is_new]])
                key = key[np.diff(key, prepend=-1) > 0]
                candidate, line = np.divmod(key, len(self._size))
                is_match = self._count_common(candidate, line, keys) >= self._needed(
                    self._size[line], size[candidate]
                )
                matched.add(candidate[is_match], self.group[line[is_match]])
            np.add.at(looked_at, text, np.minimum(end - at, step))
            at = np.minimum(at + step, end)
            is_open = (at < end) & (looked_at[text] < _MAX_LOOKED_AT)
            text, at, end = text[is_open], at[is_open], end[is_open]
            step = min(step * _STEP_FACTOR, _MAX_STEP)

    def _count_common(self, text: I64, line: I64, keys: I64) -> I64:
        """Count the bigrams that each text and reference have in common: int64 [candidates]."""
        size = self._size[line]
        candidate = np.repeat(np.arange(len(line)), size)
        gram = self._gram[expand_ranges(self._starts[line], size)]
        wanted = text[candidate] * len(self._set) + gram
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.bincount(candidate[keys[at] == wanted], minlength=len(line))


class _Grams(NamedTuple):
    """Bigrams of texts: their numbers, sizes of the texts, and ranks in these; int64 [bigrams]."""

    text: I64
    gram: I64
    size: I64
    rank: I64


class _Index:
    """The bigrams of references, sorted so that those of equal use are neighbours.

    Bigrams of the same number, rank and size of the reference form a cell.

    Attributes:
        line, group: int64 [bigrams], the reference of each, and its group.
        group_end: int64 [bigrams], end of the run of the same cell and group.
    """

    def __init__(self, grams: _Grams, group: I64, distinct: int) -> None:
        line, gram, size, rank = grams
        order = np.lexsort((line, group, rank, size, gram))
        self.line, self.group = line[order], group[order]
        gram, rank, size = gram[order], rank[order], size[order]
        is_start = np.ones(len(order), bool)
        is_start[1:] = (np.diff(rank) != 0) | (np.diff(size) != 0) | (np.diff(gram) != 0)
        self._starts = np.flatnonzero(is_start)
        self._ends = _run_ends(is_start)[self._starts]
        self._size, self._rank = size[self._starts], rank[self._starts]
        self._first_cell = np.searchsorted(gram[self._starts], np.arange(distinct + 1))
        is_start[1:] |= np.diff(self.group) != 0
        self.group_end = _run_ends(is_start)

    def find_ranges(self, prefix: _Grams, needed: _Needed) -> tuple[I64, I64, I64]:
        """Return texts, and the ranges of references that may have enough in common with them."""
        first = self._first_cell[prefix.gram]
        count = self._first_cell[prefix.gram + 1] - first
        cell, own = expand_ranges(first, count), np.repeat(np.arange(len(count)), count)
        size, own_size = self._size[cell], prefix.size[own]
        least = needed(size, own_size)
        may_match = (self._rank[cell] <= size - least) & (prefix.rank[own] <= own_size - least)
        cell, text = cell[may_match], prefix.text[own[may_match]]
        order = np.lexsort((cell, text))
        cell = cell[order]
        return text[order], self._starts[cell], self._ends[cell]


class _Needed(Protocol):
    def __call__(self, size: I64, text_size: I64, /) -> I64: ...


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

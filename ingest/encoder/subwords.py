"""The subword features of many words at once, as rows of the encoder's table.

The result is that of `words.features`. Letters are processed as numbers: a letter n-gram is packed
into one integer, the consonants of a word are a run of signs, and three signs index a small table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64
from ingest.codepoints import decode_with_owner
from ingest.encoder.stems import are_arabic, split_words
from ingest.encoder.words import FEW, GROUPS, LONG, PAIRS, SIGNS, bucket, features

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# A word has many features of these kinds: their sum is divided by the square root of their number.
_SEVERAL = ("g:", "k3")
_BITS = 15  # per letter of an n-gram
_FIRST, _LAST = len(SIGNS) + 1, len(SIGNS) + 2  # signs that mark the ends of a word: ^ and $


class Rows(NamedTuple):
    """The rows that make up several words, word after word.

    Attributes:
        row: int64 [rows].
        share: float32 [rows], weight of each row.
        lengths: int64 [words], number of rows of each word.
    """

    row: I64
    share: F32
    lengths: I64


class SubwordTable:
    """Maps words to the rows of their subword features.

    Args:
        row: row of each feature.
        counts: how often words and stems were seen in training.
    """

    def __init__(self, row: Mapping[str, int], counts: Mapping[str, int]) -> None:
        self._row, self._counts = row, counts
        kinds: dict[str, dict[str, int]] = {kind: {} for kind in ("s", "p", "k", "k3", "g")}
        for name, at in row.items():
            kind, _, rest = name.partition(":")
            if kind in kinds:
                kinds[kind][rest] = at
        self._skeletons = kinds["k"]
        self._clitics, self._stems = _Table(kinds["p"]), _Table(kinds["s"])
        seen = [counts.get(f"s:{stem}", 0) for stem in kinds["s"]]
        self._seen = np.array([*seen, 0], np.int64)  # the last entry is for all other stems
        letters = sorted(set("".join(kinds["g"])))
        self._letter = _group_numbers(letters)
        number = {letter: i for i, letter in enumerate(letters, 1)}
        keys = [_pack(gram, number) for gram in kinds["g"]]
        keys.append(np.iinfo(np.int64).max)  # sentinel that no n-gram equals
        order = np.argsort(keys)
        self._grams = np.array(keys)[order]
        self._gram_rows = np.array([*kinds["g"].values(), -1], np.int64)[order]
        self._threes = np.full(1 << 12, -1, np.int64)
        sign = {letter: i for i, letter in enumerate(SIGNS + "^$", 1)}
        for three, at in kinds["k3"].items():
            a, b, c = (sign[letter] for letter in three)
            self._threes[(a << 8) + (b << 4) + c] = at

    def rows_of(self, words: list[str]) -> Rows:
        """Return the rows of all features of each word, except the row of the word itself."""
        large = len(words) > FEW
        batched = np.array([large and len(w) <= LONG and w[0].isalpha() for w in words], np.bool_)
        batch, rest = np.flatnonzero(batched), np.flatnonzero(~batched)
        singles = [self._rows_of_word(words[at]) for at in rest.tolist()]
        columns = [(
            np.repeat(rest, [len(rows) for rows, _ in singles]),
            np.array([row for rows, _ in singles for row in rows], np.int64),
            np.array([share for _, shares in singles for share in shares], np.float32),
        )]  # fmt: skip
        if len(batch):
            series = pl.Series(words, dtype=pl.String).filter(pl.Series(batched))
            rows_of_batch = self._rows_of_batch(series)
            columns += [(batch[word], row, share) for word, row, share in rows_of_batch]
        word, row, share = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = np.argsort(word, kind="stable")
        return Rows(row[order], share[order], np.bincount(word, minlength=len(words)))

    def _rows_of_word(self, word: str) -> tuple[list[int], list[float]]:
        """Rows and shares of one word: for small batches, numbers, symbols and very long words."""
        rows: list[int] = []
        kinds: list[str] = []
        for name in features(word, self._counts):
            row = self._row.get(name)
            if row is None:
                row = self._row.get(bucket(name))
            if row is not None:
                rows.append(row)
                kinds.append(name[:2])
        share = {kind: max(1, kinds.count(kind)) ** -0.5 for kind in _SEVERAL}
        return rows, [share.get(kind, 1.0) for kind in kinds]

    def _rows_of_batch(self, words: pl.Series) -> Iterator[tuple[I64, I64, F32]]:
        """Yield (word, row, share) of the features of each kind."""
        clitics, stems = split_words(words, self._how_often)
        for table, names in ((self._clitics, clitics), (self._stems, stems)):
            index = table.index_of(names)
            known = np.flatnonzero(index >= 0)
            yield known, table.rows[index[known]], np.ones(len(known), np.float32)
        yield _with_shares(*self._ngrams(words))
        plain = words.str.strip_suffix("'s")
        whole, threes = self._skeletons_of(stems.zip_with(are_arabic(words), plain))
        yield *whole, np.ones(len(whole[0]), np.float32)
        yield _with_shares(*threes)

    def _how_often(self, stems: pl.Series) -> I64:
        return self._seen[self._stems.index_of(stems)]

    def _ngrams(self, words: pl.Series) -> tuple[I64, I64]:
        """(word, row) of letter n-grams, trigrams before 4-grams."""
        letter, word = _flatten("<" + words + ">", self._letter)
        known = letter > 0
        keys, owners = [], []
        for n in (3, 4):
            last = len(letter) - n + 1
            ok = word[: max(last, 0)] == word[n - 1 :]
            for i in range(n):
                ok &= known[i : last + i]
            at = np.flatnonzero(ok)
            key = letter[at]
            for i in range(1, n):
                key = (key << _BITS) + letter[at + i]
            keys.append(key)
            owners.append(word[at])
        key, owner = np.concatenate(keys), np.concatenate(owners)
        index = np.searchsorted(self._grams, key)
        known = self._grams[index] == key
        return owner[known], self._gram_rows[index[known]]

    def _skeletons_of(self, words: pl.Series) -> tuple[tuple[I64, I64], tuple[I64, I64]]:
        """(word, row) of the skeletons, and of all sequences of three signs in them."""
        sign, word = consonants(words)
        count = np.bincount(word, minlength=len(words))
        enough = count > 1
        word, sign = word[enough[word]], sign[enough[word]]
        owner, count = np.flatnonzero(enough), count[enough]
        end = count.cumsum()
        text = _LETTERS[sign].tobytes().decode()
        skeletons = [text[a:b] for a, b in zip((end - count).tolist(), end.tolist(), strict=True)]
        rows = np.array([self._skeleton_row(s) for s in skeletons], np.int64)
        whole = owner[rows >= 0], rows[rows >= 0]
        # the signs of all words, each word between _FIRST and _LAST
        edged = np.full(len(sign) + 2 * len(owner), _LAST, np.int64)
        nth = np.repeat(np.arange(len(owner)), count)
        edged[np.arange(len(sign)) + 2 * nth + 1] = sign
        edged[end - count + 2 * np.arange(len(owner))] = _FIRST
        at = np.arange(len(sign)) + 2 * nth
        three = self._threes[(edged[at] << 8) + (edged[at + 1] << 4) + edged[at + 2]]
        return whole, (word[three >= 0], three[three >= 0])

    def _skeleton_row(self, skeleton: str) -> int:
        row = self._skeletons.get(skeleton)
        return self._row.get(bucket(f"k:{skeleton}"), -1) if row is None else row


def consonants(words: pl.Series) -> tuple[I64, I64]:
    """Find the consonants of many words, as `words.skeleton` does for one.

    Returns:
        For each sign of each word, its 1-based position in SIGNS, and the index of its word.

    >>> consonants(pl.Series(["book", "a", "no"]))[1].tolist()
    [0, 0, 2]
    """
    column = pl.col("word")
    for pair, single in PAIRS:
        column = column.str.replace_all(pair, single, literal=True)
    sign, word = _flatten(words.to_frame("word").select(column).to_series(), _SIGN)
    word, sign = word[sign > 0], sign[sign > 0]
    new = np.ones(len(sign), np.bool_)
    new[1:] = (sign[1:] != sign[:-1]) | (word[1:] != word[:-1])
    return sign[new], word[new]


class _Table:
    """The rows of the features of one kind."""

    def __init__(self, row_by_name: Mapping[str, int]) -> None:
        self._index = {name: i for i, name in enumerate(row_by_name)}
        self.rows = np.array(list(row_by_name.values()), np.int64)

    def index_of(self, names: pl.Series) -> I64:
        """Index of each name in `rows`; -1 if it has none."""
        return np.array([self._index.get(name, -1) for name in names.to_list()], np.int64)


_LETTERS = np.frombuffer(f" {SIGNS}".encode(), np.uint8)


def _group_numbers(groups: Iterable[str]) -> I64:
    """For each code point, the 1-based number of its group, or 0; the last entry is always 0."""
    number = {ord(letter): i for i, group in enumerate(groups, 1) for letter in group}
    table = np.zeros(max(number, default=0) + 2, np.int64)
    table[list(number)] = list(number.values())
    return table


def _pack(gram: str, number: Mapping[str, int]) -> int:
    key = 0
    for letter in gram:
        key = (key << _BITS) + number[letter]
    return key


def _flatten(words: pl.Series, table: I64) -> tuple[I64, I64]:
    """Return the number of each letter of all words, and the index of its word."""
    letters, word = decode_with_owner(words)
    return table[np.minimum(letters, len(table) - 1)], word


def _with_shares(word: I64, row: I64) -> tuple[I64, I64, F32]:
    """Add the share of each row: 1 / sqrt(number of rows of its word)."""
    count = np.bincount(word)
    return word, row, (np.maximum(count, 1) ** -0.5).astype(np.float32)[word]


_SIGN = _group_numbers(GROUPS)

"""The parts of many words at once: what `words.features` says of one, as rows of the encoder.

Letters are looked at as numbers: a letter n-gram is four of them in one integer, the consonants of
a word are a run of signs, three of which are a place in a small table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64
from ingest.encoder.stems import are_arabic, splits
from ingest.encoder.words import FEW, GROUPS, LONG, PAIRS, SIGNS, bucket, features

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# A word has many of these: their sum is divided by the root of their number.
_SEVERAL = ("g:", "k3")
_BITS = 15  # of a letter in an n-gram
_FIRST, _LAST = len(SIGNS) + 1, len(SIGNS) + 2  # signs that stand for the ends of a word: ^ and $


class Rows(NamedTuple):
    """The rows that make up words, word after word.

    Attributes:
        row: int64 [rows].
        share: float32 [rows], what each counts for.
        lengths: int64 [words], how many each word has.
    """

    row: I64
    share: F32
    lengths: I64


class Parts:
    """Which rows stand for the parts of a word.

    Args:
        row: number of each feature.
        counts: how often words and stems were seen.
    """

    def __init__(self, row: Mapping[str, int], counts: Mapping[str, int]) -> None:
        self._row, self._counts = row, counts
        kinds: dict[str, dict[str, int]] = {kind: {} for kind in ("s", "p", "k", "k3", "g")}
        for name, at in row.items():
            kind, _, rest = name.partition(":")
            if kind in kinds:
                kinds[kind][rest] = at
        self._bones = kinds["k"]
        self._clitics, self._stems = _Table(kinds["p"]), _Table(kinds["s"])
        seen = [counts.get(f"s:{stem}", 0) for stem in kinds["s"]]
        self._seen = np.array([*seen, 0], np.int64)  # the last is of all other stems
        letters = sorted(set("".join(kinds["g"])))
        self._letter = _numbers(letters)
        number = {letter: i for i, letter in enumerate(letters, 1)}
        keys = [_key(gram, number) for gram in kinds["g"]]
        keys.append(np.iinfo(np.int64).max)  # after all: of no n-gram
        order = np.argsort(keys)
        self._grams = np.array(keys)[order]
        self._gram_rows = np.array([*kinds["g"].values(), -1], np.int64)[order]
        self._threes = np.full(1 << 12, -1, np.int64)
        sign = {letter: i for i, letter in enumerate(SIGNS + "^$", 1)}
        for three, at in kinds["k3"].items():
            a, b, c = (sign[letter] for letter in three)
            self._threes[(a << 8) + (b << 4) + c] = at

    def of(self, words: list[str]) -> Rows:
        """The rows of each word: all of its features but its own row."""
        many = len(words) > FEW
        usual = np.array([many and len(w) <= LONG and w[0].isalpha() for w in words], np.bool_)
        places = np.flatnonzero(usual), np.flatnonzero(~usual)
        odd = [self._odd(words[at]) for at in places[1].tolist()]
        found = [(
            np.repeat(places[1], [len(rows) for rows, _ in odd]),
            np.array([row for rows, _ in odd for row in rows], np.int64),
            np.array([share for _, shares in odd for share in shares], np.float32),
        )]  # fmt: skip
        if len(places[0]):
            series = pl.Series(words, dtype=pl.String).filter(pl.Series(usual))
            found += [(places[0][word], row, share) for word, row, share in self._usual(series)]
        word, row, share = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(word, kind="stable")
        return Rows(row[order], share[order], np.bincount(word, minlength=len(words)))

    def _odd(self, word: str) -> tuple[list[int], list[float]]:
        """One word alone: of few words, and for numbers, signs and words longer than any."""
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

    def _usual(self, words: pl.Series) -> Iterator[tuple[I64, I64, F32]]:
        """(word, row, share) of the features of each kind."""
        clitics, stems = splits(words, self._how_often)
        for table, names in ((self._clitics, clitics), (self._stems, stems)):
            place = table.places(names)
            some = np.flatnonzero(place >= 0)
            yield some, table.rows[place[some]], np.ones(len(some), np.float32)
        yield _shared(*self._ngrams(words))
        plain = words.str.strip_suffix("'s")
        whole, threes = self._bones_of(stems.zip_with(are_arabic(words), plain))
        yield *whole, np.ones(len(whole[0]), np.float32)
        yield _shared(*threes)

    def _how_often(self, stems: pl.Series) -> I64:
        return self._seen[self._stems.places(stems)]

    def _ngrams(self, words: pl.Series) -> tuple[I64, I64]:
        """(word, row) of letter n-grams, those of three before those of four."""
        letter, word = _flat("<" + words + ">", self._letter)
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
        place = np.searchsorted(self._grams, key)
        found = self._grams[place] == key
        return owner[found], self._gram_rows[place[found]]

    def _bones_of(self, words: pl.Series) -> tuple[tuple[I64, I64], tuple[I64, I64]]:
        """(word, row) of the skeletons, and of three signs each of them."""
        sign, word = consonants(words)
        count = np.bincount(word, minlength=len(words))
        enough = count > 1
        word, sign = word[enough[word]], sign[enough[word]]
        owner, count = np.flatnonzero(enough), count[enough]
        end = count.cumsum()
        text = _LETTERS[sign].tobytes().decode()
        bones = [text[a:b] for a, b in zip((end - count).tolist(), end.tolist(), strict=True)]
        rows = np.array([self._skeleton(b) for b in bones], np.int64)
        whole = owner[rows >= 0], rows[rows >= 0]
        # with a sign before and one after
        edged = np.full(len(sign) + 2 * len(owner), _LAST, np.int64)
        nth = np.repeat(np.arange(len(owner)), count)
        edged[np.arange(len(sign)) + 2 * nth + 1] = sign
        edged[end - count + 2 * np.arange(len(owner))] = _FIRST
        at = np.arange(len(sign)) + 2 * nth
        three = self._threes[(edged[at] << 8) + (edged[at + 1] << 4) + edged[at + 2]]
        return whole, (word[three >= 0], three[three >= 0])

    def _skeleton(self, bones: str) -> int:
        row = self._bones.get(bones)
        return self._row.get(bucket(f"k:{bones}"), -1) if row is None else row


def consonants(words: pl.Series) -> tuple[I64, I64]:
    """`skeleton` of many words: place of each sign in SIGNS, from 1; and its word.

    >>> consonants(pl.Series(["book", "a", "no"]))[1].tolist()
    [0, 0, 2]
    """
    column = pl.col("word")
    for pair, single in PAIRS:
        column = column.str.replace_all(pair, single, literal=True)
    sign, word = _flat(words.to_frame("word").select(column).to_series(), _SIGN)
    word, sign = word[sign > 0], sign[sign > 0]
    fresh = np.ones(len(sign), np.bool_)
    fresh[1:] = (sign[1:] != sign[:-1]) | (word[1:] != word[:-1])
    return sign[fresh], word[fresh]


class _Table:
    """The features of one kind."""

    def __init__(self, held: Mapping[str, int]) -> None:
        self._place = {name: at for at, name in enumerate(held)}
        self.rows = np.array(list(held.values()), np.int64)

    def places(self, names: pl.Series) -> I64:
        """Where each stands in `rows`; -1: nowhere."""
        return np.array([self._place.get(name, -1) for name in names.to_list()], np.int64)


_LETTERS = np.frombuffer(f" {SIGNS}".encode(), np.uint8)


def _numbers(groups: Iterable[str]) -> I64:
    """By code point: in which group a letter is, from 1; 0: in none, as the last of all is."""
    number = {ord(letter): i for i, group in enumerate(groups, 1) for letter in group}
    table = np.zeros(max(number, default=0) + 2, np.int64)
    table[list(number)] = list(number.values())
    return table


def _key(gram: str, number: Mapping[str, int]) -> int:
    key = 0
    for letter in gram:
        key = (key << _BITS) + number[letter]
    return key


def _flat(words: pl.Series, table: I64) -> tuple[I64, I64]:
    """The number of each letter of all words, and its word."""
    letters = np.frombuffer("".join(words.to_list()).encode("utf-32-le"), np.uint32)
    lengths = words.str.len_chars().to_numpy().astype(np.int64)
    number = table[np.minimum(letters, len(table) - 1)]
    return number, np.repeat(np.arange(len(words)), lengths)


def _shared(word: I64, row: I64) -> tuple[I64, I64, F32]:
    """With the root of how many rows the word has, below one."""
    count = np.bincount(word)
    return word, row, (np.maximum(count, 1) ** -0.5).astype(np.float32)[word]


_SIGN = _numbers(GROUPS)

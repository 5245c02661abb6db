"""The tokens of both sides of many pairs, and what is known of each distinct token."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64, U16
from ingest.encoder.model import Encoder
from ingest.word_alignment.affixes import affix_bits

MAX_TOKENS = 1000  # per side: memory grows with the product of both sides
# Exports to lines turn control characters and line breaks into spaces. No-break spaces do not
# separate tokens, as in Moses and Marian.
_SEPARATORS = r"[\x00-\x20\x7F-\x9F\u2028\u2029]+"
# Entries of a vector of length 1, times this, are rounded to whole numbers. A product of two such
# vectors is then exact in float32 (its terms add up to less than 2**24), in whatever order they are
# added up. So links never depend on the batch.
SCALE = 2000
# Signs that each language writes in its own way
_FOLD = {
    **dict(zip("،؛٫٬۔", ",;.,.", strict=True)),
    **dict.fromkeys("«»“”„", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—", "-"),
}


class SideTokens(NamedTuple):
    """The tokens of one side of several pairs.

    Attributes:
        code: int64 [tokens of all texts], index of each token in the table.
        lengths: int64 [texts], number of tokens of each text.
        padding: index in the table of no token.
    """

    code: I64
    lengths: I64
    padding: int

    def padded(self, texts: I64) -> I64:
        """Return the tokens of some texts: int64 [texts, longest], filled up with `padding`."""
        size = self.lengths[texts]
        at = np.arange(size.max(initial=0))
        is_token = at < size[:, None]
        index = (self.lengths.cumsum() - self.lengths)[texts][:, None] + at
        return np.where(is_token, self.code[np.where(is_token, index, 0)], self.padding)


class TokenTable(NamedTuple):
    """What is known of each distinct token; the last row is for padding.

    Attributes:
        vectors: float32 [tokens, dim], the encoder's vector, scaled and rounded.
        symbol: int64 [tokens], equal for equal tokens without a vector; -1 for all others.
        needs: uint16 [tokens], the affixes that may translate an English word, as bits.
        has: uint16 [tokens], the affixes that an Arabic word has, as bits.
    """

    vectors: F32
    symbol: I64
    needs: U16
    has: U16


def tabulate(source: pl.Series, target: pl.Series) -> tuple[TokenTable, list[SideTokens]]:
    """Find the tokens of both sides. A text that is null has none.

    >>> table, (source, target) = tabulate(pl.Series(["a book"]), pl.Series([" كتاب "]))
    >>> source.lengths.tolist(), target.lengths.tolist(), len(table.symbol)
    ([2], [1], 4)
    """
    tokens = [split_tokens(texts) for texts in (source, target)]
    both = pl.concat([side.explode().drop_nulls() for side in tokens])
    distinct = both.unique(maintain_order=True)
    code = both.cast(pl.Enum(distinct)).to_physical().to_numpy().astype(np.int64)
    lengths = [side.list.len().to_numpy().astype(np.int64) for side in tokens]
    middle = int(lengths[0].sum())
    sides = [
        SideTokens(codes, count, len(distinct))
        for codes, count in zip((code[:middle], code[middle:]), lengths, strict=True)
    ]
    return _describe(distinct), sides


def split_tokens(texts: pl.Series) -> pl.Series:
    r"""Split texts at spaces, line breaks and other control characters: String to List(String).

    >>> split_tokens(pl.Series([" a\tb\r\n", "10\xa0km", "", None])).to_list()
    [['a', 'b'], ['10\xa0km'], [], []]
    """
    lists = texts.fill_null("").str.replace_all(_SEPARATORS, " ").str.split(" ")
    return lists.list.eval(pl.element().filter(pl.element() != ""))


def _describe(distinct: pl.Series) -> TokenTable:
    vectors = Encoder.load().encode_sums(pl.concat([distinct, pl.Series([""])]))
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors *= (SCALE / np.maximum(length, 1e-9))[:, None]
    np.rint(vectors, out=vectors)
    symbol = np.full(len(vectors), -1, np.int64)
    without = np.flatnonzero(length[:-1] == 0)
    folded = distinct.gather(without).str.replace_many(_FOLD).to_numpy()
    symbol[without] = np.unique(folded.astype(str), return_inverse=True)[1]
    needs, has = affix_bits(distinct)
    return TokenTable(vectors, symbol, np.append(needs, np.uint16(0)), np.append(has, np.uint16(0)))

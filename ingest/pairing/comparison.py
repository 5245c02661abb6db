"""Compare units by sentence: a quick alignment, and counts of numbers and of lines of code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64
from ingest.codepoints import expand_ranges
from ingest.encoder.words import words
from ingest.pairing.units import LEVELS, quantize
from ingest.sentences import split_sentences

if TYPE_CHECKING:
    from ingest.encoder.model import Encoder

_MAX_SENTENCES = 512  # of a page that are compared; with more, the first ones
_CELLS = 1 << 21  # numbers of a block of pairs in memory at once: 8 MB
_MIDDLE, _WIDTH = 0.35, 0.1  # a sentence pair with cosine _MIDDLE is a translation or not: 50 %


class Sentences(NamedTuple):
    """The sentences of some units, as numbers of distinct sentences."""

    vectors: NDArray[np.int8]  # [distinct sentences, dimensions], quantized
    weights: F32  # [distinct sentences], 1 on average
    first: I64  # [units + 1], where the sentences of each unit begin in `number`
    number: I64  # [sentences of all units], row of `vectors`
    tokens: pl.DataFrame  # unit UInt32, kind String, token UInt64, count UInt32


def read_sentences(
    batches: Iterable[pl.DataFrame], units: pl.DataFrame, encoder: Encoder
) -> Sentences:
    """Read the sentences of units.

    Args:
        batches: doc_id, segment, text, lang, article, role and keep of segments, sorted by page.
        units: doc_id, article and lang (null: all languages) of each unit.
        encoder: encodes the sentences.
    """
    wanted = units.with_row_index("unit")
    known = pl.DataFrame(schema={"key": pl.UInt64})
    rows, tokens = [], []
    vectors, chars = [], []
    for batch in batches:
        lines = (
            _give_code_an_article(batch)
            .join(wanted, on=["doc_id", "article"], suffix="_unit")
            .filter(
                (pl.col("role") == "code").fill_null(value=False)
                | (
                    pl.col("keep")
                    & (pl.col("lang") == pl.col("lang_unit").fill_null(pl.col("lang")))
                )
            )
        )
        code = (pl.col("role") == "code").fill_null(value=False)
        text = lines.filter(~code).sort("unit", "segment").select("unit", "text")
        distinct = text["text"].unique(maintain_order=True)
        split = pl.Series([split_sentences(x) for x in distinct], dtype=pl.List(pl.String))
        sentences = pl.DataFrame({"text": distinct, "sentence": split})
        text = text.join(sentences, on="text", maintain_order="left").explode("sentence")
        text = text.drop_nulls("sentence").with_columns(key=pl.col("sentence").hash())
        new = text.unique("key", keep="first", maintain_order=True).join(
            known, on="key", how="anti"
        )
        known = pl.concat([known, new.select("key")])
        vectors.append(quantize(encoder.encode(new["sentence"])))
        chars.append(new["sentence"].str.len_chars().to_numpy())
        rows.append(text.select("unit", "key"))
        tokens.append(_count_tokens(text, lines.filter(code)))
    order = pl.concat(rows).filter(pl.int_range(pl.len()).over("unit") < _MAX_SENTENCES)
    order = order.sort("unit", maintain_order=True)
    number = order.join(known.with_row_index(), on="key", how="left", maintain_order="left")
    weights = np.log1p(np.concatenate(chars)).astype(np.float32)
    return Sentences(
        np.concatenate(vectors),
        weights / np.float32(max(float(weights.mean()), 1e-9) if len(weights) else 1),
        np.searchsorted(order["unit"].to_numpy(), np.arange(len(units) + 1)),
        number["index"].to_numpy().astype(np.int64),
        pl.concat(tokens),
    )


def _give_code_an_article(segments: pl.DataFrame) -> pl.DataFrame:
    """Count lines of code outside of articles to the article above, or to the first of the page."""
    inside = pl.when(pl.col("article") > 0).then("article")
    around = inside.forward_fill().over("doc_id"), inside.backward_fill().over("doc_id")
    code = (pl.col("role") == "code") & (pl.col("article") == 0)
    return segments.with_columns(
        article=pl.when(code).then(pl.coalesce(*around, "article")).otherwise("article")
    )


def _count_tokens(text: pl.DataFrame, code: pl.DataFrame) -> pl.DataFrame:
    """Count the numbers in sentences, and equal lines of code: unit, kind, token, count."""
    word = text.select("unit", word=words(text["sentence"])).explode("word")
    return (
        pl.concat([
            word.filter(pl.col("word").str.contains(r"^\d")).select(
                "unit", pl.lit("number").alias("kind"), token=pl.col("word").hash()
            ),
            code.select(
                "unit", pl.lit("code").alias("kind"),
                token=pl.col("text").str.strip_chars().hash(),
            ),
        ])
        .group_by("unit", "kind", "token")
        .agg(count=pl.len())
        .sort("unit", "kind", "token")
    )  # fmt: skip


def compare(source: Sentences, target: Sentences, s: I64, t: I64) -> pl.DataFrame:
    """Compare pairs of units sentence by sentence.

    A pair of sentences counts by how likely it is a translation, given its cosine, and a sentence
    by the logarithm of its length. The unit is a sentence of mean length.

    Args:
        source: sentences of the source.
        target: sentences of the target.
        s: rows of units of the source.
        t: rows of units of the target, one for each in `s`.

    Returns:
        A frame with one row per pair and these Float32 columns:
        `size`: sentences of both sides.
        `unordered`: sentences of both sides without a counterpart, wherever that may be.
        `unaligned`: the same, but the counterparts must be one to one and in the same order.
        `numbers_apart`, `code_apart`: numbers, and lines of code, that one side has more often.
    """
    sizes = [np.diff(x.first)[rows] for x, rows in ((source, s), (target, t))]
    out = np.zeros((len(s), 3), np.float32)
    for block in _blocks(sizes[0], sizes[1], source.vectors.shape[1]):
        left, right = _padded(source, s[block]), _padded(target, t[block])
        out[block] = _align_block(*left, *right)
    frame = pl.DataFrame(out, dict.fromkeys(("size", "unordered", "unaligned"), pl.Float32))
    apart = _tokens_apart(source.tokens, target.tokens, s, t)
    return frame.with_columns(apart.select("numbers_apart", "code_apart"))


def _blocks(left: I64, right: I64, dim: int) -> Iterator[I64]:
    """Yield rows of pairs of similar size, so many that their numbers fit into `_CELLS`."""
    order = np.lexsort((right, left))
    begin = 0
    while begin < len(order):
        end = begin + 1
        widest = right[order[begin]]
        while end < len(order):
            n, m = left[order[end]], max(widest, right[order[end]])
            if (end + 1 - begin) * max(n * m, (n + m) * dim) > _CELLS:
                break
            widest, end = m, end + 1
        yield order[begin:end]
        begin = end


def _padded(side: Sentences, units: I64) -> tuple[F32, F32]:
    """Vectors [units, sentences, dimensions] and weights [units, sentences]; padding is 0."""
    size = side.first[units + 1] - side.first[units]
    row = np.repeat(np.arange(len(units)), size)
    column = expand_ranges(np.zeros_like(size), size)
    number = side.number[expand_ranges(side.first[units], size)]
    shape = (len(units), max(int(size.max(initial=0)), 1))
    vectors = np.zeros((*shape, side.vectors.shape[1]), np.float32)
    vectors[row, column] = side.vectors[number] / np.float32(LEVELS)
    weights = np.zeros(shape, np.float32)
    weights[row, column] = side.weights[number]
    return vectors, weights


def _align_block(left: F32, left_weights: F32, right: F32, right_weights: F32) -> F32:
    """Size, unordered and unaligned of pairs: float32 [pairs, 3]."""
    cosine = np.matmul(left, right.transpose(0, 2, 1))
    likely = 1 / (1 + np.exp((_MIDDLE - cosine) / _WIDTH))
    likely *= (left_weights > 0)[:, :, None] & (right_weights > 0)[:, None, :]
    size = left_weights.sum(axis=1) + right_weights.sum(axis=1)
    unordered = (left_weights * (1 - likely.max(axis=2))).sum(axis=1)
    unordered += (right_weights * (1 - likely.max(axis=1))).sum(axis=1)
    likely *= np.sqrt(left_weights[:, :, None] * right_weights[:, None, :])
    # best[:, j]: the best alignment of the lines so far with the first j lines of the other side
    best = np.zeros((len(left), right.shape[1] + 1), np.float32)
    for line in range(left.shape[1]):
        with_line = np.maximum(best[:, 1:], best[:, :-1] + likely[:, line])
        best[:, 1:] = np.maximum.accumulate(with_line, axis=1)
    return np.stack([size, unordered, size - 2 * best[:, -1]], axis=1)


def _tokens_apart(left: pl.DataFrame, right: pl.DataFrame, s: I64, t: I64) -> pl.DataFrame:
    """Count the tokens that one side has more often: numbers_apart and code_apart, Float32."""
    pairs = pl.DataFrame({"s": s, "t": t}, {"s": pl.UInt32, "t": pl.UInt32}).with_row_index()
    left, right = left.rename({"unit": "s"}), right.rename({"unit": "t"})
    both = (
        pairs.join(left, on="s")
        .join(right, on=["t", "kind", "token"])
        .group_by("index", "kind")
        .agg(count=-2 * pl.min_horizontal("count", "count_right").cast(pl.Int64).sum())
    )
    totals = [
        pairs.join(side.group_by(key, "kind").agg(pl.col("count").sum()), on=key).select(
            "index", "kind", pl.col("count").cast(pl.Int64)
        )
        for key, side in (("s", left), ("t", right))
    ]
    apart = pl.concat([both, *totals]).group_by("index", "kind").agg(pl.col("count").sum())
    for kind, name in (("number", "numbers_apart"), ("code", "code_apart")):
        counts = apart.filter(pl.col("kind") == kind).select("index", pl.col("count").alias(name))
        pairs = pairs.join(counts, on="index", how="left", maintain_order="left")
    return pairs.with_columns(pl.col("numbers_apart", "code_apart").fill_null(0).cast(pl.Float32))

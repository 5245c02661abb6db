"""The role model: features and markup of a segment, then gated convolutions over its page."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ingest._typing import F64, U64, Bools
from ingest.errors import ModelError
from ingest.labelling.features import Features
from ingest.labelling.markup_tokens import sum_token_vectors
from ingest.labelling.word_tokens import sum_word_vectors
from ingest.page_spans import PageSpans
from ingest.resources import load_npz, model_dir
from ingest.roles import KEPT_ROLES, ROLES

# What the network tells apart: the roles, code last once more. That is a listing, which belongs to
# the text around it; the other code is left over from scraping.
OUTPUTS = (*ROLES, "code")
LISTING = len(ROLES)
CONTENT: Bools = np.isin(OUTPUTS, KEPT_ROLES)
CONTENT[LISTING] = True

FILE = "roles.npz"
_CHUNK = 1 << 11  # segments computed at once, so that they stay in the cache
_LIMIT = 6.0  # standard deviations at which features are cut off, as in training
_EPSILON = 1e-5  # of a layer norm, as in PyTorch


class Block(NamedTuple):
    """One gated convolution: norm, depthwise convolution, pointwise layer, gate, residual.

    Attributes:
        dilation: distance between the segments that one kernel looks at.
        scale, shift: of the layer norm [width].
        kernel, kernel_bias: of the depthwise convolution [taps, width], [width].
        point, point_bias: of the pointwise layer [width, 2 * width], [2 * width].
    """

    dilation: int
    scale: F64
    shift: F64
    kernel: F64
    kernel_bias: F64
    point: F64
    point_bias: F64


class Network(NamedTuple):
    """The network.

    Attributes:
        names: feature names [columns].
        mean, deviation: of the features [columns].
        tokens: the row of each known markup token in `vectors` [tokens, width].
        words: the keys of known words of short texts; their vectors [words, width].
        first, first_bias: the input layer [columns, width], [width].
        blocks: the convolutions.
        pools: after which block the mean and maximum of the page are added, by what layer
            [2 * width, width], [width].
        last_scale, last_shift: the final layer norm [width].
        last, last_bias: the output layer [width, outputs], [outputs].
    """

    names: list[str]
    mean: F64
    deviation: F64
    tokens: dict[str, int]
    vectors: F64
    words: U64
    word_vectors: F64
    first: F64
    first_bias: F64
    blocks: list[Block]
    pools: dict[int, tuple[F64, F64]]
    last_scale: F64
    last_shift: F64
    last: F64
    last_bias: F64


@cache
def load_network() -> Network:
    """Load the shipped network, `lang_models/roles/roles.npz`.

    Raises:
        ModelError: the file is missing, damaged or incomplete.
    """
    path = model_dir("roles") / FILE
    header = load_npz(path, ["names", "tokens", "words", "dilations", "pools"])
    dilations, pools = header["dilations"].tolist(), header["pools"].tolist()
    keys = ["mean", "deviation", "vectors", "word_vectors", "first", "first_bias"]
    keys += [f"{b}.{field}" for b in range(len(dilations)) for field in Block._fields[1:]]
    keys += [f"pool.{b}{kind}" for b in pools for kind in ("", "_bias")]
    keys += ["last_scale", "last_shift", "last", "last_bias"]
    arrays = {key: array.astype(np.float64) for key, array in load_npz(path, keys).items()}
    return Network(
        names=header["names"].tolist(),
        mean=arrays["mean"],
        deviation=arrays["deviation"],
        tokens={token: row for row, token in enumerate(header["tokens"].tolist())},
        vectors=arrays["vectors"],
        words=header["words"],
        word_vectors=arrays["word_vectors"],
        first=arrays["first"],
        first_bias=arrays["first_bias"],
        blocks=[
            Block(dilation, *(arrays[f"{b}.{field}"] for field in Block._fields[1:]))
            for b, dilation in enumerate(dilations)
        ],
        pools={b: (arrays[f"pool.{b}"], arrays[f"pool.{b}_bias"]) for b in pools},
        last_scale=arrays["last_scale"],
        last_shift=arrays["last_shift"],
        last=arrays["last"],
        last_bias=arrays["last_bias"],
    )


def predict_roles(features: Features) -> F64:
    """Compute the probability of each of OUTPUTS: float64 [segments, outputs], with 4 digits.

    Rounding hides the last bits, in which a matrix product may differ for a batch of another
    size. With float64, that noise is far below the last digit that is kept.

    Args:
        features: the features of a batch of pages; their names must be those of the training.

    Raises:
        ModelError: the model is missing or damaged, or was trained with other features.
    """
    network = load_network()
    if network.names != features.names:
        raise ModelError(
            f"lang_models/roles/{FILE}: trained with other features; "
            "rebuild it with lang_models/roles/recipe.py"
        )
    pages = features.context.pages
    h = _first_layer(network, features)
    for number, block in enumerate(network.blocks):
        h += _gated(block, h, pages)
        if number in network.pools:
            weight, bias = network.pools[number]
            h += (_pooled(h, pages) @ weight + bias)[pages.page]
    logits = _norm(h, network.last_scale, network.last_shift) @ network.last + network.last_bias
    return np.round(_softmax(logits), 4)


def _first_layer(network: Network, features: Features) -> F64:
    values, text_of = features.values, features.tokens.text_of
    markup = features.context.markup
    row = markup.row_of
    sums = sum_token_vectors(markup, network.tokens, network.vectors)
    words = sum_word_vectors(features.tokens, network.words, network.word_vectors)
    h = np.empty((len(values), len(network.first_bias)))
    for start in range(0, len(values), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        scaled = (values[chunk] - network.mean) / network.deviation
        np.clip(scaled, -_LIMIT, _LIMIT, out=scaled)
        named = sums[row[chunk]] + words[text_of[chunk]]
        h[chunk] = np.maximum(scaled @ network.first + network.first_bias + named, 0)
    return h


def _gated(block: Block, h: F64, pages: PageSpans) -> F64:
    """What one block adds to each segment."""
    normed = _norm(h, block.scale, block.shift)
    added = np.empty_like(h)
    middle = len(block.kernel) // 2
    width = h.shape[1]
    for start in range(0, len(h), _CHUNK):
        stop = min(start + _CHUNK, len(h))
        rows = slice(start, stop)
        x = np.broadcast_to(block.kernel_bias, (stop - start, width)).copy()
        for tap, weight in enumerate(block.kernel):
            shift = (tap - middle) * block.dilation
            first, last = max(start + shift, 0), min(stop + shift, len(h))
            if first >= last:
                continue
            message = normed[first:last] * weight
            here = slice(first - shift, last - shift)
            message[pages.page[first:last] != pages.page[here]] = 0
            x[here.start - start : here.stop - start] += message
        x = (x * _sigmoid(x)) @ block.point + block.point_bias
        added[rows] = np.tanh(x[:, :width]) * _sigmoid(x[:, width:])
    return added


def _pooled(h: F64, pages: PageSpans) -> F64:
    """Mean and maximum of each page: float64 [pages, 2 * width]."""
    if not len(h):
        return np.zeros((0, 2 * h.shape[1]))
    size = (pages.last - pages.first + 1)[:, None]
    total = np.add.reduceat(h, pages.first, axis=0)
    return np.concatenate([total / size, np.maximum.reduceat(h, pages.first, axis=0)], axis=1)


def _norm(h: F64, scale: F64, shift: F64) -> F64:
    centred = h - h.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    normed: F64 = centred / np.sqrt(variance + _EPSILON) * scale + shift
    return normed


def _sigmoid(x: F64) -> F64:
    result: F64 = 1.0 / (1.0 + np.exp(-x))
    return result


def _softmax(logits: F64) -> F64:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability: F64 = e / e.sum(axis=1, keepdims=True)
    return probability

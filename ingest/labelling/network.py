"""The role model: features and markup of a segment, then gated convolutions over its page.

A matrix product adds in an order that depends on the size of its operands, so that the last bits of
a segment could depend on the batch around it. Here, the operands are whole numbers: inputs on a
grid, and weights rounded so that no sum reaches 2**24. Such sums are exact in float32, whatever
the order. All other steps treat each number by itself, or in a fixed order.

Arrays have one column for each segment, so that each step runs along contiguous memory.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, F64, Bools
from ingest.errors import ModelError
from ingest.key_table import KeyTable
from ingest.labelling.features import Features
from ingest.labelling.markup_tokens import TokenTable, build_token_table, sum_token_vectors
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

_Float = TypeVar("_Float", np.float32, np.float64)

FILE = "roles.npz"
_CHUNK = 1 << 10  # segments computed at once, so that they stay in the cache
_EXACT = 1 << 24  # float32 has all whole numbers up to this one
_EPSILON = np.float32(1e-5)  # of a layer norm, as in PyTorch
# Inputs of a layer are whole multiples of 1/steps, cut off at a limit. That of the first layer is
# in standard deviations, as in training; the activations of the others are below 7, and
# those of a page below 12.
_FIRST_LIMIT, _FIRST_STEPS = 6, 64
_LIMIT, _STEPS = 8, 256
_POOL_LIMIT, _POOL_STEPS = 32, 64


class Layer(NamedTuple):
    """A linear layer whose inputs are whole numbers.

    Attributes:
        weight: whole numbers as float32 [outputs, inputs].
        scale: what a unit of an output is worth.
        bias: float32 [outputs, 1].
        limit, steps: the largest input, and the inputs that make up 1.
    """

    weight: F32
    scale: np.float32
    bias: F32
    limit: int
    steps: int

    def __call__(self, x: F32) -> F32:
        """Apply the layer to float32 [inputs, segments], which is overwritten.

        >>> layer = build_layer(np.array([[0.5], [-2.0]]), np.array([1.0]), limit=8, steps=256)
        >>> layer(np.array([[1.0, 0.0], [2.0, 100.0]], np.float32)).round(2).tolist()
        [[-2.5, -15.0]]
        """
        x *= np.float32(self.steps)
        np.rint(x, out=x)
        np.clip(x, -self.limit * self.steps, self.limit * self.steps, out=x)
        y: F32 = self.weight @ x
        y *= self.scale
        y += self.bias
        return y


def build_layer(weight: F64, bias: F64, *, limit: int, steps: int) -> Layer:
    """Build a layer from its weight [inputs, outputs] and bias [outputs]."""
    # The largest sum of weights, less what rounding may add to it.
    largest = _EXACT / (limit * steps) - len(weight) / 2
    scale = largest / max(np.abs(weight).sum(axis=0).max(), 1e-9)
    return Layer(
        np.ascontiguousarray(np.rint(weight * scale).T, np.float32),
        np.float32(1 / (scale * steps)),
        bias.astype(np.float32)[:, None],
        limit,
        steps,
    )


class Block(NamedTuple):
    """One gated convolution: norm, depthwise convolution, pointwise layer, gate, residual.

    Attributes:
        dilation: distance between the segments that one kernel looks at.
        scale, shift: of the layer norm, float32 [width, 1].
        kernel, kernel_bias: of the depthwise convolution, float32 [taps, width, 1], [width, 1].
        point: from width to values and their gates [2 * width].
    """

    dilation: int
    scale: F32
    shift: F32
    kernel: F32
    kernel_bias: F32
    point: Layer


class Network(NamedTuple):
    """The network.

    Attributes:
        names: feature names [columns].
        mean, deviation: of the features, float32 [columns, 1].
        tokens: the known markup tokens.
        vectors: of the markup tokens, float32 [tokens, width].
        words: the known words of short texts.
        word_vectors: of the words, float32 [words, width].
        first: the input layer.
        blocks: the convolutions.
        pools: after which block the mean and maximum of the page are added, by what layer.
        last_scale, last_shift: the final layer norm, float32 [width, 1].
        last: the output layer.
    """

    names: list[str]
    mean: F32
    deviation: F32
    tokens: TokenTable
    vectors: F32
    words: KeyTable
    word_vectors: F32
    first: Layer
    blocks: list[Block]
    pools: dict[int, Layer]
    last_scale: F32
    last_shift: F32
    last: Layer


@cache
def load_network() -> Network:
    """Load the shipped network, `lang_models/roles/roles.npz`.

    Raises:
        ModelError: the file is missing, damaged or incomplete.
    """
    path = model_dir("roles") / FILE
    header = load_npz(path, ["names", "tokens", "words", "dilations", "pools"])
    dilations, pools = header["dilations"].tolist(), header["pools"].tolist()
    fields = ("scale", "shift", "kernel", "kernel_bias", "point", "point_bias")
    keys = ["mean", "deviation", "vectors", "word_vectors", "first", "first_bias"]
    keys += [f"{b}.{field}" for b in range(len(dilations)) for field in fields]
    keys += [f"pool.{b}{kind}" for b in pools for kind in ("", "_bias")]
    keys += ["last_scale", "last_shift", "last", "last_bias"]
    arrays = {key: array.astype(np.float32) for key, array in load_npz(path, keys).items()}

    def layer(name: str, limit: int = _LIMIT, steps: int = _STEPS) -> Layer:
        weight, bias = (arrays[key].astype(np.float64) for key in (name, f"{name}_bias"))
        return build_layer(weight, bias, limit=limit, steps=steps)

    def column(name: str) -> F32:
        return arrays[name][..., None]

    return Network(
        names=header["names"].tolist(),
        mean=column("mean"),
        deviation=column("deviation"),
        tokens=build_token_table(header["tokens"].tolist()),
        vectors=arrays["vectors"],
        words=KeyTable(header["words"]),
        word_vectors=arrays["word_vectors"],
        first=layer("first", _FIRST_LIMIT, _FIRST_STEPS),
        blocks=[
            Block(
                dilation,
                scale=column(f"{b}.scale"),
                shift=column(f"{b}.shift"),
                kernel=column(f"{b}.kernel"),
                kernel_bias=column(f"{b}.kernel_bias"),
                point=layer(f"{b}.point"),
            )
            for b, dilation in enumerate(dilations)
        ],
        pools={b: layer(f"pool.{b}", _POOL_LIMIT, _POOL_STEPS) for b in pools},
        last_scale=column("last_scale"),
        last_shift=column("last_shift"),
        last=layer("last"),
    )


def predict_roles(features: Features) -> F64:
    """Compute the probability of each of OUTPUTS: float64 [segments, outputs], with 4 digits.

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
    sizes = pages.last - pages.first + 1
    h = _first_layer(network, features)
    neighbours = _find_neighbours(network, pages)
    for number, block in enumerate(network.blocks):
        _add_block(block, h, neighbours)
        if number in network.pools:
            h += np.repeat(network.pools[number](_pooled(h, pages)), sizes, axis=1)
    logits = network.last(_norm(h, network.last_scale, network.last_shift))
    return np.round(_softmax(logits.astype(np.float64)), 4).T


def _first_layer(network: Network, features: Features) -> F32:
    values, text_of = features.values.T, features.tokens.text_of
    markup = features.context.markup
    row = markup.row_of
    sums = sum_token_vectors(markup, network.tokens, network.vectors)
    words = sum_word_vectors(features.tokens, network.words, network.word_vectors)
    h = np.empty((len(network.first.bias), values.shape[1]), np.float32)
    for start in range(0, values.shape[1], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        scaled = values[:, chunk] - network.mean
        scaled /= network.deviation
        h[:, chunk] = network.first(scaled)
        h[:, chunk] += (sums[row[chunk]] + words[text_of[chunk]]).T
    return np.maximum(h, 0, out=h)


def _find_neighbours(network: Network, pages: PageSpans) -> dict[int, F32]:
    """For each distance in a kernel, 1 where the segment so much later is of the same page."""
    distances = {
        block.dilation * tap
        for block in network.blocks
        for tap in range(1, len(block.kernel) // 2 + 1)
    }
    page = pages.page
    return {d: (page[d:] == page[:-d]).astype(np.float32) for d in distances}


def _add_block(block: Block, h: F32, neighbours: dict[int, F32]) -> None:
    """Add to each segment what one block says of it."""
    width, segments = h.shape
    normed = np.empty_like(h)
    for start in range(0, segments, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        normed[:, chunk] = _norm(h[:, chunk], block.scale, block.shift)
    middle = len(block.kernel) // 2
    for start in range(0, segments, _CHUNK):
        stop = min(start + _CHUNK, segments)
        x = normed[:, start:stop] * block.kernel[middle]
        x += block.kernel_bias
        for tap, weight in enumerate(block.kernel):
            shift = (tap - middle) * block.dilation
            first, last = max(start + shift, 0), min(stop + shift, segments)
            if shift == 0 or first >= last:
                continue
            low = min(first, first - shift)
            message = normed[:, first:last] * weight
            message *= neighbours[abs(shift)][low : low + last - first]
            x[:, first - shift - start : last - shift - start] += message
        x /= 1 + np.exp(-x)
        y = block.point(x)
        value = np.tanh(y[:width], out=y[:width])
        value /= 1 + np.exp(-y[width:])
        h[:, start:stop] += value


def _pooled(h: F32, pages: PageSpans) -> F32:
    """Mean and maximum of each page: float32 [2 * width, pages]."""
    if not h.shape[1]:
        return np.zeros((2 * len(h), 0), np.float32)
    total = np.add.reduceat(h.astype(np.float64), pages.first, axis=1)
    mean = total / (pages.last - pages.first + 1)
    return np.concatenate([mean.astype(np.float32), np.maximum.reduceat(h, pages.first, axis=1)])


def _norm(h: F32, scale: F32, shift: F32) -> F32:
    normed = h - _sum_rows(h) / np.float32(len(h))
    variance = _sum_rows(np.square(normed)) / np.float32(len(h))
    normed *= 1 / np.sqrt(variance + _EPSILON)
    normed *= scale
    normed += shift
    return normed


def _sum_rows(x: NDArray[_Float]) -> NDArray[_Float]:
    """The sum of the rows, in an order that does not depend on their length."""
    while len(x) > 1:
        half = len(x) // 2
        sums = x[:half] + x[half : 2 * half]
        if len(x) % 2:
            sums[0] += x[-1]
        x = sums
    total: NDArray[_Float] = x[0]
    return total


def _softmax(logits: F64) -> F64:
    e = np.exp(logits - logits.max(axis=0))
    probability: F64 = e / _sum_rows(e)
    return probability

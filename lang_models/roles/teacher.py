"""The first role model, trained on this project's sample pages alone: it teaches the shipped one.

It says how likely each role is where the gold says only whether a segment is content. Its weights,
`teacher.npz`, are those of an ensemble of two small networks; it does not know the newer roles.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest._typing import F32, F64, I64
from ingest.labelling.network import LISTING, OUTPUTS
from ingest.resources import load_npz

# How many segments away each convolution looks, before and after.
REACH: tuple[tuple[int, ...], ...] = ((1, 2), (1, 3, 6))


class Network(NamedTuple):
    """One network of the ensemble.

    Attributes:
        names: feature names.
        layers: (weight [in, out], bias [out]) of each layer: the input layer; two layers for each
            convolution of REACH, which compute the message of a segment and combine the messages
            of its neighbours; and the output layer. The scaling of the features is folded into
            the input layer.
    """

    names: list[str]
    layers: list[tuple[F64, F64]]


@cache
def load_networks() -> list[Network]:
    """Load the ensemble, `teacher.npz`.

    Raises:
        ModelError: the file is missing, damaged or incomplete.
    """
    path = Path(__file__).with_name("teacher.npz")
    header = load_npz(path, ["names", "members"])
    members, layers = int(header["members"]), 2 * len(REACH) + 2
    keys = [f"{m}.{i}.{kind}" for m in range(members) for i in range(layers) for kind in "wb"]
    arrays = {key: array.astype(np.float64) for key, array in load_npz(path, keys).items()}
    return [
        Network(
            header["names"].tolist(),
            [(arrays[f"{m}.{i}.w"], arrays[f"{m}.{i}.b"]) for i in range(layers)],
        )
        for m in range(members)
    ]


def teach(values: F32, page: I64) -> F32:
    """Compute the probability of each of OUTPUTS: float32 [segments, outputs].

    It is 0 for the newer roles. Code is listing as likely as leftover.

    Args:
        values: features, float32 [segments, columns].
        page: the page number of each segment. The segments of a page are contiguous.
    """
    total = np.zeros((len(values), len(OUTPUTS)), np.float32)
    networks = load_networks()
    for network in networks:
        known = values[:, : len(network.names)].astype(np.float64)  # newer features come last
        probability = _softmax(_logits(network, known, page))
        total[:, : probability.shape[1]] += probability.astype(np.float32) / len(networks)
    total[:, LISTING] = total[:, OUTPUTS.index("code")]
    return total


def _logits(network: Network, values: F64, page: I64) -> F64:
    (first, first_bias), *convolutions, (last, last_bias) = network.layers
    h = np.maximum(values @ first + first_bias, 0)
    for (send, send_bias), (kernel, bias), reach in zip(
        convolutions[::2], convolutions[1::2], REACH, strict=True
    ):
        message = h @ send + send_bias
        neighbours = [_shift(message, page, s) for r in reach for s in (-r, r)]
        h = h + np.maximum(np.concatenate([h, *neighbours], axis=1) @ kernel + bias, 0)
    logits: F64 = h @ last + last_bias
    return logits


def _shift(h: F64, page: I64, steps: int) -> F64:
    """Return the row `steps` rows earlier (later if negative); zeros outside the page."""
    shifted = np.zeros_like(h)
    if steps > 0:
        same = page[steps:] == page[:-steps]
        shifted[steps:][same] = h[:-steps][same]
    else:
        same = page[:steps] == page[-steps:]
        shifted[:steps][same] = h[-steps:][same]
    return shifted


def _softmax(logits: F64) -> F64:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability: F64 = e / e.sum(axis=1, keepdims=True)
    return probability

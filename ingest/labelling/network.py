"""The role model: features of the segment itself, then two convolutions over its neighbours."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ingest._typing import F32, F64, I64
from ingest.errors import ModelError
from ingest.frames import ROLES
from ingest.resources import load_npz, model_dir

_CHUNK = 1 << 10  # segments computed at once, so that they stay in the cache on a page of any size
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
    """Load the shipped ensemble, `lang_models/roles/roles.npz`.

    Raises:
        ModelError: the file is missing, damaged or incomplete.
    """
    path = model_dir("roles") / "roles.npz"
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


def predict_roles(names: list[str], values: F32, page: I64) -> F64:
    """Compute the probability of each role: float64 [segments, roles], rounded to 4 digits.

    Rounding hides the last bits, in which a matrix product may differ for a batch of another
    size. With float64, that noise is far below the last digit that is kept.

    Args:
        names: feature names, which must be those the model was trained with.
        values: features, float32 [segments, columns].
        page: the page number of each segment. The segments of a page are contiguous.

    Raises:
        ModelError: the model is missing or damaged, or was trained with other features.
    """
    total = np.zeros((len(values), len(ROLES)))
    networks = load_networks()
    for network in networks:
        if network.names != names:
            raise ModelError(
                "lang_models/roles/roles.npz: trained with other features; "
                "rebuild it with lang_models/roles/recipe.py"
            )
    margin = sum(max(reach) for reach in REACH)
    for start in range(0, len(values), _CHUNK):
        low, high = max(start - margin, 0), start + _CHUNK + margin
        chunk, chunk_page = values[low:high].astype(np.float64), page[low:high]
        for network in networks:
            total[start : start + _CHUNK] += _softmax(_logits(network, chunk, chunk_page))[
                start - low : start - low + _CHUNK
            ]
    return np.round(total / len(networks), 4)


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

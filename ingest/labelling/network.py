"""The role model: a line's own features, then two convolutions over its neighbours."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F64
from ingest.errors import ModelError
from ingest.frames import ROLES
from ingest.resources import model_dir

_CHUNK = 1 << 10  # lines computed at once: they stay in the cache, whatever the size of a page
# How many lines away each convolution looks, before and after.
REACH: tuple[tuple[int, ...], ...] = ((1, 2), (1, 3, 6))


class Weights(NamedTuple):
    """One network: feature names, and (weight [in, out], bias [out]) of each layer.

    The layers are the line's own; for each of REACH, what a line tells its neighbours and what it
    makes of theirs; and the output. Scaling of the features is folded into the first.
    """

    names: list[str]
    layers: list[tuple[F64, F64]]


@cache
def weights() -> list[Weights]:
    """The shipped ensemble, `lang_models/roles/roles.npz`.

    Raises:
        ModelError: the file is missing or damaged.
    """
    path = model_dir("roles") / "roles.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            names = held["names"].tolist()
            return [
                Weights(names, [(_wide(held, f"{m}.{i}.w"), _wide(held, f"{m}.{i}.b"))
                                for i in range(2 * len(REACH) + 2)])
                for m in range(int(held["members"]))
            ]  # fmt: skip
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"{path}: cannot be loaded ({error}); reinstall ingest") from error


def _wide(held: np.lib.npyio.NpzFile, name: str) -> F64:
    return held[name].astype(np.float64)


def probabilities(names: list[str], values: NDArray[np.float32], page: NDArray[np.int64]) -> F64:
    """Probability of each role for each line: float64 [lines, roles], rounded to 4 digits.

    Rounding hides the last bits, which a matrix product may give differently for a batch of
    another size; float64 keeps that noise far below the digit that is kept.

    Args:
        names: feature names, which must be those the model was trained with.
        values: features, float32 [lines, columns].
        page: number of each line's page, the lines of a page standing together.

    Raises:
        ModelError: the features are not those of the model.
    """
    total = np.zeros((len(values), len(ROLES)))
    members = weights()
    for member in members:
        if member.names != names:
            raise ModelError(
                "lang_models/roles/roles.npz was made for other features; run recipe.py"
            )
    margin = sum(max(reach) for reach in REACH)
    for at in range(0, len(values), _CHUNK):
        low, high = max(at - margin, 0), at + _CHUNK + margin
        part, its_page = values[low:high].astype(np.float64), page[low:high]
        for member in members:
            total[at : at + _CHUNK] += _softmax(_logits(member, part, its_page))[
                at - low : at - low + _CHUNK
            ]
    return np.round(total / len(members), 4)


def _logits(member: Weights, values: F64, page: NDArray[np.int64]) -> F64:
    (own, own_bias), *near, (out, out_bias) = member.layers
    h = np.maximum(values @ own + own_bias, 0)
    for (tell, tell_bias), (kernel, bias), reach in zip(near[::2], near[1::2], REACH, strict=True):
        told = h @ tell + tell_bias
        around = [_shifted(told, page, s) for r in reach for s in (-r, r)]
        h = h + np.maximum(np.concatenate([h, *around], axis=1) @ kernel + bias, 0)
    logits: F64 = h @ out + out_bias
    return logits


def _shifted(h: F64, page: NDArray[np.int64], steps: int) -> F64:
    """Each row's neighbour `steps` rows before (after where negative); zeros outside its page."""
    moved = np.zeros_like(h)
    if steps > 0:
        same = page[steps:] == page[:-steps]
        moved[steps:][same] = h[:-steps][same]
    else:
        same = page[:steps] == page[-steps:]
        moved[:steps][same] = h[-steps:][same]
    return moved


def _softmax(logits: F64) -> F64:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    normal: F64 = e / e.sum(axis=1, keepdims=True)
    return normal

"""The model of quality: what it holds beside the encoder, and the network that weighs evidence."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, F64
from ingest.errors import ModelError
from ingest.resources import model_dir
from ingest.scoring import fluency, lexical, meaning, surface
from ingest.scoring.fluency import OTHER, Grammar
from ingest.scoring.meaning import exact

if TYPE_CHECKING:
    from pathlib import Path


FILE = "quality.npz"
LANGS = ("ar", "en")
_SIDES = ("first", "second")
_SURFACE = tuple(f"{name}_{side}" for side in _SIDES for name in surface.COUNTS)
OWN = ("language", "script", "repetition", "length")
NAMES = (
    *meaning.NAMES,
    *lexical.NAMES,
    *(f"{name}_{side}" for side in _SIDES for name in fluency.NAMES),
    *_SURFACE,
    *(f"{name}_{side}" for side in _SIDES for name in OWN),
    "boilerplate", "punctuation", "brackets", "longer",
)  # fmt: skip
_ROWS = 4096  # pairs that are judged at once


class Model(NamedTuple):
    """What `quality.npz` holds.

    Attributes:
        names: of the evidence.
        background: unit vectors of Arabic and of English sentences, float32 [sentences, numbers].
        grammars: what follows what in Arabic and in English.
        mean, scale: of what `shaped` gives, float64.
        layers: of each network, (weight [in, out], bias [out]) of each layer.
        calibration: what the mean log odds are multiplied with, and what is added.
    """

    names: list[str]
    background: tuple[F32, F32]
    grammars: tuple[Grammar, Grammar]
    mean: F64
    scale: F64
    layers: list[list[tuple[F64, F64]]]
    calibration: F64


@cache
def shipped_model() -> Model:
    """The one that ships with ingest.

    >>> shipped_model().background[0].shape == shipped_model().background[1].shape
    True
    """
    return load(model_dir("quality") / FILE)


def load(path: Path) -> Model:
    """Read a file as `save` writes it.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            grammars = tuple(
                Grammar(
                    {
                        name: at
                        for at, name in enumerate(_lines(held[f"{lang}.classes"]), OTHER + 1)
                    },
                    held[f"{lang}.follows"],
                )
                for lang in LANGS
            )
            background = tuple(_unit(held[f"{lang}.background"]) for lang in LANGS)
            networks, depth = (int(n) for n in held["shape"])
            return Model(
                _lines(held["names"]),
                (background[0], background[1]),
                (grammars[0], grammars[1]),
                _wide(held["mean"]),
                _wide(held["scale"]),
                [
                    [(_wide(held[f"{m}.{i}.w"]), _wide(held[f"{m}.{i}.b"])) for i in range(depth)]
                    for m in range(networks)
                ],
                held["calibration"],
            )
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"{path}: cannot be loaded ({error}); reinstall ingest") from error


def save(made: Model, path: Path) -> None:
    """Write it."""
    held: dict[str, NDArray[Any]] = {
        "names": np.frombuffer("\n".join(made.names).encode(), np.uint8),
        "shape": np.array([len(made.layers), len(made.layers[0])]),
        "mean": made.mean.astype(np.float32),
        "scale": made.scale.astype(np.float32),
        "calibration": made.calibration,
    }
    for lang, grammar, vectors in zip(LANGS, made.grammars, made.background, strict=True):
        held[f"{lang}.classes"] = np.frombuffer("\n".join(grammar.classes).encode(), np.uint8)
        held[f"{lang}.follows"] = grammar.follows
        held[f"{lang}.background"] = packed(vectors)
    for m, layers in enumerate(made.layers):
        for i, (weight, bias) in enumerate(layers):
            held[f"{m}.{i}.w"] = weight.astype(np.float16)
            held[f"{m}.{i}.b"] = bias.astype(np.float16)
    np.savez_compressed(path, allow_pickle=False, **held)


def packed(vectors: F32) -> NDArray[np.int8]:
    """Unit vectors in a byte a number."""
    most = np.abs(vectors).max(axis=1, keepdims=True)
    steps: F32 = np.rint(vectors / most * np.float32(127))
    return steps.astype(np.int8)


def _lines(held: NDArray[Any]) -> list[str]:
    return held.tobytes().decode().split("\n")


def _wide(values: NDArray[Any]) -> F64:
    return values.astype(np.float64)


def _unit(vectors: NDArray[Any]) -> F32:
    rows = vectors.astype(np.float32)
    made: F32 = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return made


def shaped(names: list[str], values: F32) -> F64:
    """Evidence as the networks take it: counts as logarithms, and differences of the sides."""
    at = {name: i for i, name in enumerate(names)}
    counted = [i for name, i in at.items() if name.rpartition("_")[0] in _COUNTED]
    made = values.astype(np.float64)
    made[:, counted] = np.log1p(made[:, counted])
    made[:, at["longer"]] = np.log(made[:, at["longer"]])
    pairs = [(i, at[f"{name[:-6]}_second"]) for name, i in at.items() if name.endswith("_first")]
    ours, theirs = (list(side) for side in zip(*pairs, strict=True))
    apart = np.abs(made[:, ours] - made[:, theirs])
    return np.concatenate([made, apart], axis=1)


_COUNTED = {
    "chars", "question", "exclamation", "stop", "pause", "quotes", "opened", "closed", "length",
    "numbers", "numbers_missed", "names", "names_missed", "strange_missed",
    "lost_names", "lost_strange",
}  # fmt: skip
_FAR = 4.0  # deviations from the mean from which on a number says no more


def scaled(made: Model, values: F32) -> F64:
    """What goes into the networks."""
    inputs: F64 = np.clip((shaped(made.names, values) - made.mean) / made.scale, -_FAR, _FAR)
    return inputs


def logits(made: Model, values: F32) -> F64:
    """Mean log odds of the networks: float64 [pairs]."""
    inputs = scaled(made, values)
    out = np.zeros(len(inputs))
    for at in range(0, len(inputs), _ROWS):
        for layers in made.layers:
            h = inputs[at : at + _ROWS]
            for i, (weight, bias) in enumerate(layers):
                h = exact(h, bits=16) @ exact(weight) + bias
                if i + 1 < len(layers):
                    h = np.maximum(h, 0.0)
            out[at : at + _ROWS] += h[:, 0]
    return out / len(made.layers)


def quality(made: Model, values: F32) -> F32:
    """Calibrated probability of a good pair: float32 [pairs].

    Raises:
        ModelError: the model was made for other evidence.
    """
    if made.names != list(NAMES):
        raise ModelError(f"lang_models/quality/{FILE} was made for other evidence; run recipe.py")
    slope, shift = made.calibration
    chance: F32 = (1.0 / (1.0 + np.exp(-(slope * logits(made, values) + shift)))).astype(np.float32)
    return chance

"""The quality model: grammars, background sentences, and the networks that weigh the evidence."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, F64
from ingest.errors import ModelError
from ingest.resources import load_npz, model_dir
from ingest.scoring import fluency, lexical, meaning, surface
from ingest.scoring.fluency import OTHER, Grammar
from ingest.scoring.meaning import round_to_bits

if TYPE_CHECKING:
    from pathlib import Path


FILE = "quality.npz"
LANGS = ("ar", "en")
_SIDES = ("first", "second")
_SURFACE = tuple(f"{name}_{side}" for side in _SIDES for name in surface.COUNTS)
_PER_TEXT = ("language", "script", "repetition", "length")
NAMES = (
    *meaning.NAMES,
    *lexical.NAMES,
    *(f"{name}_{side}" for side in _SIDES for name in fluency.NAMES),
    *_SURFACE,
    *(f"{name}_{side}" for side in _SIDES for name in _PER_TEXT),
    "boilerplate", "punctuation", "brackets", "longer",
)  # fmt: skip
"""Names of the evidence, in order. They are stored in the model."""

# Evidence that the networks get as logarithms.
_COUNTS = {
    "chars", "question", "exclamation", "stop", "pause", "quotes", "opened", "closed", "length",
    "numbers", "numbers_missed", "names", "names_missed", "strange_missed",
    "lost_names", "lost_strange",
}  # fmt: skip
_MAX_DEVIATIONS = 4.0  # standard deviations from the mean at which inputs are clipped
_BATCH_PAIRS = 4096


class Model(NamedTuple):
    """The content of `quality.npz`.

    Attributes:
        names: names of the evidence that it was trained on.
        background: unit vectors of Arabic and of English sentences, float32 [sentences,
            dimensions].
        grammars: grammars of Arabic and English.
        mean, scale: mean and standard deviation of the transformed evidence, float64.
        layers: for each network, (weight [in, out], bias [out]) of each layer.
        calibration: slope and intercept for the mean log odds.
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
    """Return the model that ships with ingest.

    >>> shipped_model().background[0].shape == shipped_model().background[1].shape
    True
    """
    return load_model(model_dir("quality") / FILE)


def load_model(path: Path) -> Model:
    """Load a file that `save_model` wrote.

    Raises:
        ModelError: it is missing or damaged.
    """
    arrays = load_npz(path)
    try:
        grammars = [
            Grammar(
                {name: n for n, name in enumerate(_lines(arrays[f"{lang}.classes"]), OTHER + 1)},
                arrays[f"{lang}.follows"],
            )
            for lang in LANGS
        ]
        background = [_unit_vectors(arrays[f"{lang}.background"]) for lang in LANGS]
        networks, depth = (int(n) for n in arrays["shape"])
        return Model(
            names=_lines(arrays["names"]),
            background=(background[0], background[1]),
            grammars=(grammars[0], grammars[1]),
            mean=arrays["mean"].astype(np.float64),
            scale=arrays["scale"].astype(np.float64),
            layers=[
                [
                    (
                        arrays[f"{network}.{layer}.w"].astype(np.float64),
                        arrays[f"{network}.{layer}.b"].astype(np.float64),
                    )
                    for layer in range(depth)
                ]
                for network in range(networks)
            ],
            calibration=arrays["calibration"],
        )
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path}: cannot be loaded ({error}); rebuild or reinstall it") from error


def save_model(model: Model, path: Path) -> None:
    """Write a model to a file."""
    arrays: dict[str, NDArray[Any]] = {
        "names": np.frombuffer("\n".join(model.names).encode(), np.uint8),
        "shape": np.array([len(model.layers), len(model.layers[0])]),
        "mean": model.mean.astype(np.float32),
        "scale": model.scale.astype(np.float32),
        "calibration": model.calibration,
    }
    for lang, grammar, vectors in zip(LANGS, model.grammars, model.background, strict=True):
        arrays[f"{lang}.classes"] = np.frombuffer("\n".join(grammar.classes).encode(), np.uint8)
        arrays[f"{lang}.follows"] = grammar.follows
        arrays[f"{lang}.background"] = quantize(vectors)
    for n, layers in enumerate(model.layers):
        for i, (weight, bias) in enumerate(layers):
            arrays[f"{n}.{i}.w"] = weight.astype(np.float16)
            arrays[f"{n}.{i}.b"] = bias.astype(np.float16)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def quantize(vectors: F32) -> NDArray[np.int8]:
    """Quantize vectors to int8, scaled so that the largest component of each is ±127."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    steps: F32 = np.rint(vectors / largest * np.float32(127))
    return steps.astype(np.int8)


def _lines(data: NDArray[Any]) -> list[str]:
    return data.tobytes().decode().split("\n")


def _unit_vectors(vectors: NDArray[Any]) -> F32:
    rows = vectors.astype(np.float32)
    unit: F32 = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return unit


def transform_evidence(names: list[str], values: F32) -> F64:
    """Transform evidence for the networks.

    Counts become logarithms, and the absolute difference of both sides is added to each pair of
    values.
    """
    index = {name: i for i, name in enumerate(names)}
    counts = [i for name, i in index.items() if name.rpartition("_")[0] in _COUNTS]
    inputs = values.astype(np.float64)
    inputs[:, counts] = np.log1p(inputs[:, counts])
    inputs[:, index["longer"]] = np.log(inputs[:, index["longer"]])
    first = [name for name in names if name.endswith("_first")]
    second = [name.removesuffix("_first") + "_second" for name in first]
    difference = np.abs(
        inputs[:, [index[name] for name in first]] - inputs[:, [index[name] for name in second]]
    )
    return np.concatenate([inputs, difference], axis=1)


def normalize_evidence(model: Model, values: F32) -> F64:
    """Return the inputs of the networks."""
    deviations = (transform_evidence(model.names, values) - model.mean) / model.scale
    inputs: F64 = np.clip(deviations, -_MAX_DEVIATIONS, _MAX_DEVIATIONS)
    return inputs


def logits(model: Model, values: F32) -> F64:
    """Return the mean log odds of the networks: float64 [pairs]."""
    inputs = normalize_evidence(model, values)
    out = np.zeros(len(inputs))
    for start in range(0, len(inputs), _BATCH_PAIRS):
        for layers in model.layers:
            hidden = inputs[start : start + _BATCH_PAIRS]
            for i, (weight, bias) in enumerate(layers):
                hidden = round_to_bits(hidden, bits=16) @ round_to_bits(weight) + bias
                if i + 1 < len(layers):
                    hidden = np.maximum(hidden, 0.0)
            out[start : start + _BATCH_PAIRS] += hidden[:, 0]
    return out / len(model.layers)


def predict_quality(model: Model, values: F32) -> F32:
    """Return the calibrated probability that a pair is good: float32 [pairs].

    Raises:
        ModelError: the model was trained on other evidence.
    """
    if model.names != list(NAMES):
        raise ModelError(
            f"lang_models/quality/{FILE}: was trained on other evidence; run recipe.py again"
        )
    slope, intercept = model.calibration
    odds = slope * logits(model, values) + intercept
    probability: F32 = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    return probability

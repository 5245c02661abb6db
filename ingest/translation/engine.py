"""Translate texts with argos packages on CTranslate2, deterministically.

Each batch holds pieces of the same number of tokens, so nothing is padded, and a translation is
the same to the last bit whatever else is in the batch. Matrix products are exact in int8, but with
padding, attention sums over other lengths in float32; scores then differ in the last digit, which
can decide between two words.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ingest.config import TranslateConfig
from ingest.text import scrub
from ingest.translation.cache import Cache, CachedTranslation
from ingest.translation.flags import find_flags
from ingest.translation.package_translator import FractionProgress, PackageTranslator

if TYPE_CHECKING:
    from ingest.translation.packages.package import Package

_TEXTS_AT_ONCE = 1 << 13  # bounds memory

LOW_SCORE = 0.4
"""Score of one package under which a translation is most likely useless.

Most lines of FLORES devtest with a lower score have a chrF below 35 against the reference, which is
close to word salad; most lines with a higher one have more. `tests/benchmarks/translate.py
--calibrate` prints the table and the best threshold of a package.
"""


class Translation(NamedTuple):
    """The translation of one text.

    `score` is the geometric mean of the probabilities of the output tokens, 0 to 1; with two
    packages, the product of both means; 0 if nothing was translated. `flags` lists possible
    problems: see `ingest.translation.flags`.
    """

    text: str
    score: float
    flags: tuple[str, ...]


class Translator:
    """Translates with one package, or with several in sequence.

    Args:
        packages: the route from source to target language.
        config: beam size and length of the pieces.
        cache: where translations are looked up and stored; None means no cache.
        threads: cores to use; None means all that the process may use.

    Attributes:
        name: names and hashes of the packages.
        from_lang, to_lang: ends of the route.
        tokens: number of source tokens that the models have translated so far.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: a package cannot be loaded, or its files were changed.
    """

    def __init__(
        self,
        *packages: Package,
        config: TranslateConfig | None = None,
        cache: Cache | None = None,
        threads: int | None = None,
    ) -> None:
        config = config or TranslateConfig()
        cores = threads or _available_cores()
        self._steps = [PackageTranslator(package, config, cache, cores) for package in packages]
        self.name = "+".join(f"{p.name}-{p.sha256[:12]}" for p in packages)
        self.from_lang, self.to_lang = packages[0].from_lang, packages[-1].to_lang

    @property
    def tokens(self) -> int:
        return sum(step.tokens for step in self._steps)

    def translate(
        self, texts: Sequence[str], *, progress: FractionProgress | None = None
    ) -> list[Translation]:
        """Translate texts, in order. Each distinct text is translated once.

        Args:
            texts: texts without letters come back unchanged; in the others, line breaks and tabs
                are kept.
            progress: called with the share that is done, 0 to 1.
        """
        distinct = list(dict.fromkeys(texts))
        translations: dict[str, Translation] = {}
        steps = len(self._steps)
        work = len(distinct) * steps
        for start in range(0, len(distinct), _TEXTS_AT_ONCE):
            window = distinct[start : start + _TEXTS_AT_ONCE]
            share = len(window) / work
            outputs = sources = [scrub(text) for text in window]
            scores, ended = [1.0] * len(window), [True] * len(window)
            unsure = [False] * len(window)
            for number, step in enumerate(self._steps):
                step_progress = scale_progress(
                    progress, start * steps / work + share * number, share
                )
                results = step.translate(outputs, step_progress)
                outputs = [result.text for result in results]
                scores = [a * r.score for a, r in zip(scores, results, strict=True)]
                ended = [a and not r.cut for a, r in zip(ended, results, strict=True)]
                unsure = [a or _is_unsure(r) for a, r in zip(unsure, results, strict=True)]
            pair = (self.from_lang, self.to_lang)
            flags = find_flags(sources, outputs, ended, pair, unsure)
            rows = map(Translation, outputs, scores, flags)
            translations.update(zip(window, rows, strict=True))
        return [translations[text] for text in texts]

    def find_missing(self, texts: Sequence[str], step: int) -> dict[bytes, str]:
        """Return what one of the packages would be given first, and the cache does not have.

        Args:
            texts: texts to translate, of which the packages before have cached translations.
            step: number of the package, from 0.

        Returns:
            Texts for `PackageTranslator.translate_attempts`, by their keys in the cache.
        """
        outputs = [scrub(text) for text in dict.fromkeys(texts)]
        for earlier in self._steps[:step]:
            outputs = [result.text for result in earlier.translate(outputs, lambda _: None)]
        return self._steps[step].find_missing(outputs)


def scale_progress(
    progress: FractionProgress | None, start: float, size: float
) -> FractionProgress:
    """Map the progress of a part of the work to [start, start + size] of the whole."""
    return lambda share: progress(start + size * share) if progress else None


def _is_unsure(translation: CachedTranslation) -> bool:
    """Whether the score of a translation is low; nothing translated has no score."""
    return translation.tokens > 0 and translation.score < LOW_SCORE


def _available_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1

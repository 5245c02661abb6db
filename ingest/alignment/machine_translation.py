"""Machine translation as evidence: translate one side and compare it with the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ingest._typing import F32
from ingest.alignment.char_ngrams import Encode, encode_ngrams
from ingest.errors import ModelError

if TYPE_CHECKING:
    from ingest.config import AlignConfig, TranslateConfig
    from ingest.translation.engine import Translator
    from ingest.translation.packages.package import Package

# Preferred direction first: English words inflect less.
_DIRECTIONS = (("ar", "en"), ("en", "ar"))


class SideTranslator:
    """Translates the lines of one side of a document pair and caches the translations.

    Args:
        translator: translates from one language of the pair to the other.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._translations: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Names and hashes of the packages."""
        return self._translator.name

    @property
    def encode(self) -> dict[str, Encode]:
        """For each language, a function that encodes its texts as they read in `to_lang`."""
        return {
            self._translator.from_lang: self._encode_translated,
            self._translator.to_lang: encode_ngrams,
        }

    def chrf(
        self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], source: str
    ) -> list[float]:
        """Compute chrF, 0…100, of the translation of one side of each pair against the other side.

        Args:
            pairs: source lines and target lines of each pair.
            source: language of the source.
        """
        from ingest.translation.chrf import chrf

        if source != self._translator.from_lang:
            pairs = [(target, lines) for lines, target in pairs]
        translated = [" ".join(self._translations[line] for line in lines) for lines, _ in pairs]
        return [float(x) for x in chrf(translated, [" ".join(lines) for _, lines in pairs])]

    def _encode_translated(self, texts: list[str]) -> F32:
        new = [text for text in dict.fromkeys(texts) if text not in self._translations]
        translations = self._translator.translate(new)
        self._translations.update((text, t.text) for text, t in zip(new, translations, strict=True))
        return encode_ngrams([self._translations[text] for text in texts])


def load_side_translator(
    langs: tuple[str, str], config: TranslateConfig | None = None
) -> SideTranslator:
    """Load a translator between two languages, in whichever direction a package is installed.

    Raises:
        ModelError: no package is installed.
        MissingExtraError: the extra `translate` is not installed.
    """
    return SideTranslator(_load_translator(tuple(_find_packages(langs)), config))


def translation_messages(config: AlignConfig) -> list[str]:
    """Return what the user should know about the packages that alignment uses, if it does."""
    from ingest.translation.pool import describe_shipped

    return describe_shipped(_find_packages(_DIRECTIONS[0])) if config.translate else []


def _find_packages(langs: tuple[str, str]) -> list[Package]:
    from ingest.translation.packages.install import find

    first_error: ModelError | None = None
    for pair in _DIRECTIONS:
        if set(langs) == set(pair):
            try:
                return find(*pair)
            except ModelError as error:
                first_error = first_error or error
    raise first_error or ModelError(
        f"no package translates between {' and '.join(sorted(langs))}; alignment knows ar and en"
    )


@lru_cache(maxsize=2)
def _load_translator(packages: tuple[Package, ...], config: TranslateConfig | None) -> Translator:
    from ingest.translation.cache import Cache
    from ingest.translation.engine import Translator

    return Translator(*packages, config=config, cache=Cache())

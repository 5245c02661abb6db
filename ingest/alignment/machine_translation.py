"""A machine's translation as evidence: one side translated, and how like the other it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ingest._typing import F32
from ingest.alignment.char_ngrams import Encode, encode_ngrams
from ingest.errors import ModelError

if TYPE_CHECKING:
    from ingest.config import TranslateConfig
    from ingest.translation.engine import Translator
    from ingest.translation.packages.install import Package

# Which side is translated: into English, whose words change less, where a package can
_DIRECTIONS = (("ar", "en"), ("en", "ar"))


class SideTranslator:
    """Translates one side of a document pair, and remembers what was said.

    Args:
        translator: from one of the languages to the other.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._said: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Names and hashes of the packages."""
        return self._translator.name

    @property
    def encode(self) -> dict[str, Encode]:
        """By language, vectors of texts as they are spelled in the language translated into."""
        return {
            self._translator.from_lang: self._translated,
            self._translator.to_lang: encode_ngrams,
        }

    def chrf(
        self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], source: str
    ) -> list[float]:
        """ChrF, 0…100, of the translation of one side of each pair against the other.

        Args:
            pairs: lines of the source and of the target.
            source: language of the source.
        """
        from ingest.translation.chrf import chrf

        if source != self._translator.from_lang:
            pairs = [(target, lines) for lines, target in pairs]
        said = [" ".join(self._said[line] for line in lines) for lines, _ in pairs]
        return [float(x) for x in chrf(said, [" ".join(lines) for _, lines in pairs])]

    def _translated(self, texts: list[str]) -> F32:
        new = [text for text in dict.fromkeys(texts) if text not in self._said]
        made = self._translator.translate(new)
        self._said.update((text, m.text) for text, m in zip(new, made, strict=True))
        return encode_ngrams([self._said[text] for text in texts])


def load_side_translator(
    langs: tuple[str, str], config: TranslateConfig | None = None
) -> SideTranslator:
    """One for the lines of two documents, in whichever direction a package is installed.

    Raises:
        ModelError: none is.
        MissingExtraError: the extra `translate` is not installed.
    """
    return SideTranslator(_translator(tuple(_way(langs)), config))


def _way(langs: tuple[str, str]) -> list[Package]:
    from ingest.translation.packages.install import find

    failed: ModelError | None = None
    for pair in _DIRECTIONS:
        if set(langs) == set(pair):
            try:
                return find(*pair)
            except ModelError as error:
                failed = failed or error
    raise failed or ModelError(f"no package translates between {' and '.join(sorted(langs))}")


@lru_cache(maxsize=2)
def _translator(way: tuple[Package, ...], config: TranslateConfig | None) -> Translator:
    from ingest.translation.cache import Cache
    from ingest.translation.engine import Translator

    return Translator(*way, config=config, cache=Cache())

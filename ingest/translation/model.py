"""The two foreign parts of a package: its tokenizer and its CTranslate2 model, ready for use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from ingest.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from ingest.translation.packages.install import Package

END, UNKNOWN = "</s>", "<unk>"  # where the model does not name others


class Tokenizer(Protocol):
    """What cuts texts into a model's tokens, and puts tokens together."""

    def encode(self, texts: list[str]) -> list[list[str]]:
        """The tokens of each text."""

    def decode(self, tokens: list[str]) -> str:
        """The text of some tokens."""


class _Pieces:
    """SentencePiece itself: argostranslate's class would turn each _ of a text into a space."""

    def __init__(self, path: str) -> None:
        from sentencepiece import SentencePieceProcessor

        self._processor = SentencePieceProcessor(model_file=path)

    def encode(self, texts: list[str]) -> list[list[str]]:
        found: list[list[str]] = self._processor.encode(texts, out_type=str)
        return found

    def decode(self, tokens: list[str]) -> str:
        return str(self._processor.decode_pieces(tokens))


class _Pairs:
    """Byte pairs after Moses' tokenizer, as older packages have them."""

    def __init__(self, package: Package) -> None:
        from argostranslate.tokenizer import BPETokenizer

        path = package.path / package.tokenizer
        self._tokenizer = BPETokenizer(path, package.from_lang, package.to_lang)
        self._tokenizer.lazy_load()

    def encode(self, texts: list[str]) -> list[list[str]]:
        return [self._tokenizer.encode(text) for text in texts]

    def decode(self, tokens: list[str]) -> str:
        return str(self._tokenizer.decode(tokens))


def tokenizer(package: Package) -> Tokenizer:
    """The package's tokenizer.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: it cannot be loaded.
    """
    try:
        if package.tokenizer == "bpe.model":
            return _Pairs(package)
        return _Pieces(str(package.path / package.tokenizer))
    except ModuleNotFoundError as error:
        raise MissingExtraError("translate", error.name or "argostranslate") from error
    except Exception as error:  # whatever a foreign library makes of a damaged file
        raise _broken(package, package.tokenizer, error) from error


def model(package: Package, cores: int) -> Any:
    """The package's model as a ctranslate2.Translator, in int8, with a batch at work on each core.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: it cannot be loaded.
    """
    try:
        import ctranslate2
    except ModuleNotFoundError as error:
        raise MissingExtraError("translate", error.name or "ctranslate2") from error
    try:
        return ctranslate2.Translator(
            str(package.path / "model"),
            device="cpu",
            compute_type="int8",
            inter_threads=cores,
            intra_threads=1,
        )
    except (RuntimeError, ValueError) as error:
        raise _broken(package, "model", error) from error


def signs(package: Package) -> tuple[str, str]:
    """What the model ends a translation with, and what stands for what it has no token for."""
    path = package.path / "model" / "config.json"
    try:
        about = json.loads(path.read_bytes()) if path.exists() else {}  # older models have none
        return str(about.get("eos_token", END)), str(about.get("unk_token", UNKNOWN))
    except (OSError, ValueError, AttributeError) as error:
        raise _broken(package, "model/config.json", error) from error


def _broken(package: Package, part: str, error: Exception) -> ModelError:
    return ModelError(f"{package.path}: {part} cannot be loaded: {error}; install the package anew")

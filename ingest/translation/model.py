"""Load the tokenizer and the CTranslate2 model of a package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from ingest.errors import MissingExtraError, ModelError
from ingest.translation.bpe import BpeTokenizer

if TYPE_CHECKING:
    from ingest.translation.packages.package import Package

DEFAULT_END, DEFAULT_UNKNOWN = "</s>", "<unk>"


class Tokenizer(Protocol):
    """Converts between texts and a model's tokens."""

    def encode(self, texts: list[str]) -> list[list[str]]:
        """Return the tokens of each text."""

    def decode(self, tokens: list[str]) -> str:
        """Return the text of a list of tokens."""


class _SentencePieceTokenizer:
    """SentencePiece, used directly: argostranslate's class turns each _ of a text into a space."""

    def __init__(self, path: str) -> None:
        from sentencepiece import SentencePieceProcessor

        self._processor = SentencePieceProcessor(model_file=path)

    def encode(self, texts: list[str]) -> list[list[str]]:
        if len(texts) == 1:  # a list starts threads, which takes longer than one text
            return [self._processor.encode(texts[0], out_type=str)]
        tokens: list[list[str]] = self._processor.encode(texts, out_type=str)
        return tokens

    def decode(self, tokens: list[str]) -> str:
        return str(self._processor.decode_pieces(tokens))


def load_tokenizer(package: Package) -> Tokenizer:
    """Load the tokenizer of a package.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: the tokenizer cannot be loaded.
    """
    try:
        if package.tokenizer == "bpe.model":
            path = package.path / package.tokenizer
            return BpeTokenizer(path, package.from_lang, package.to_lang)
        return _SentencePieceTokenizer(str(package.path / package.tokenizer))
    except ModuleNotFoundError as error:
        raise MissingExtraError("translate", error.name or "sacremoses") from error
    except Exception as error:  # the libraries raise anything on a damaged file
        raise _load_error(package, package.tokenizer, error) from error


def load_model(package: Package, cores: int) -> Any:
    """Load the model of a package as a ctranslate2.Translator in int8, with one batch per core.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: the model cannot be loaded.
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
        raise _load_error(package, "model", error) from error


def special_tokens(package: Package) -> tuple[str, str]:
    """Return the model's end token and its token for unknown words."""
    path = package.path / "model" / "config.json"
    try:
        config = json.loads(path.read_bytes()) if path.exists() else {}  # absent in older models
        end = config.get("eos_token", DEFAULT_END)
        return str(end), str(config.get("unk_token", DEFAULT_UNKNOWN))
    except (OSError, ValueError, AttributeError) as error:
        raise _load_error(package, "model/config.json", error) from error


def _load_error(package: Package, part: str, error: Exception) -> ModelError:
    return ModelError(f"{package.path}: cannot load {part}: {error}; reinstall the package")

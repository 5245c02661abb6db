"""Byte pair encoding after the Moses tokenizer, which older argos packages use.

The same tokens as argostranslate's `BPETokenizer`, so that `ingest` needs sacremoses but not
argostranslate.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

_END = "</w>"  # marks the end of a word in the list of merges
_JOINER = "@@"  # marks a token inside a word
_MAX_CACHED = 1 << 16  # words whose tokens are cached


class BpeTokenizer:
    """Tokenizes with the merges of a `bpe.model` file.

    Args:
        path: the file: `#version: 0.2` (or no such line, for 0.1), then one merge per line, the
            most frequent first.
        from_lang: Code of the source language, for the rules of punctuation.
        to_lang: Code of the target language.

    Raises:
        ModuleNotFoundError: sacremoses is not installed.
        ValueError: the file is not a list of merges.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path, from_lang: str, to_lang: str) -> None:
        from sacremoses.normalize import MosesPunctNormalizer
        from sacremoses.tokenize import MosesDetokenizer, MosesTokenizer

        self._ranks, self._is_end_separate = _read_merges(path)
        self._normalizer = MosesPunctNormalizer(from_lang)
        self._tokenizer = MosesTokenizer(from_lang)
        self._detokenizer = MosesDetokenizer(to_lang)
        self._split = lru_cache(_MAX_CACHED)(self._split_word)

    def encode(self, texts: list[str]) -> list[list[str]]:
        """Return the tokens of each text."""
        return [self._encode(text) for text in texts]

    def decode(self, tokens: list[str]) -> str:
        """Return the text of a list of tokens."""
        words = " ".join(tokens).replace(f"{_JOINER} ", "").split(" ")
        return str(self._detokenizer.detokenize(words))

    def _encode(self, text: str) -> list[str]:
        words = self._tokenizer.tokenize(self._normalizer.normalize(text))
        return [token for word in words if word for token in self._split(word)]

    def _split_word(self, word: str) -> list[str]:
        symbols = [*word, _END] if self._is_end_separate else [*word[:-1], word[-1] + _END]
        while len(symbols) > 1:
            pairs = pairwise(symbols)
            best = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            symbols = _merge(symbols, best)
        if symbols[-1] == _END:
            symbols.pop()
        *inner, last = symbols
        return [*(symbol + _JOINER for symbol in inner), last.removesuffix(_END)]


def _read_merges(path: Path) -> tuple[dict[tuple[str, str], int], bool]:
    """Return the rank of each merge, and whether the end of a word is a symbol of its own."""
    lines = path.read_text(encoding="utf-8").split("\n")  # others than \n may be symbols
    version = lines.pop(0).split()[-1] if lines[0].startswith("#version:") else "0.1"
    if version not in ("0.1", "0.2"):
        raise ValueError(f"its version is {version}, not 0.1 or 0.2")
    ranks: dict[tuple[str, str], int] = {}
    for number, line in enumerate(filter(None, lines)):
        merge = line.strip(" ").split(" ")
        if len(merge) != 2:
            raise ValueError(f"{line[:40]!r} is not a merge of two symbols")
        ranks.setdefault((merge[0], merge[1]), number)
    return ranks, version == "0.1"


def _merge(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """Join each occurrence of a pair, from left to right.

    >>> _merge(["a", "a", "a", "b"], ("a", "a"))
    ['aa', 'a', 'b']
    """
    merged: list[str] = []
    position = 0
    while position < len(symbols):
        is_pair = tuple(symbols[position : position + 2]) == pair
        merged.append("".join(pair) if is_pair else symbols[position])
        position += 2 if is_pair else 1
    return merged

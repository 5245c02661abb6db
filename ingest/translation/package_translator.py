"""Translate pieces of text with one package, in batches on CTranslate2."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from ingest.config import TranslateConfig
from ingest.errors import ModelError
from ingest.translation.attempts import combine, first_attempts, translate_marked
from ingest.translation.cache import Cache, CachedTranslation, cache_key
from ingest.translation.masks import CUT_MARK, MARK, Piece, mark_items, split_items
from ingest.translation.model import load_model, load_tokenizer, special_tokens
from ingest.translation.pieces import cut, join

if TYPE_CHECKING:
    from ingest.translation.packages.package import Package

FractionProgress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

_TokenizedPiece = tuple[str, list[str]]

_RECIPE_VERSION = 3  # increase when the same piece, model and options give another translation
# Largest batch: more tokens or pieces do not fit a core's cache and gain nothing.
_BATCH_TOKENS, _BATCH_PIECES = 1024, 32
_COMMIT_SECONDS = 2.0  # how often translations are written to the cache
_LENGTH_PENALTY = 1.0  # scores are means per token, so that long translations have a chance
# Longest output of a piece: CTranslate2's own limit, and less for short pieces, so that a loop does
# not hold up the others.
_MAX_OUTPUT, _OUTPUT_PER_TOKEN, _OUTPUT_BASE = 256, 3, 24

# Languages whose texts also have other digits than ASCII, by their argos codes; numbers that are
# kept for these are left as they are.
_OWN_DIGITS = frozenset(("ar", "fa", "ur", "ps", "ckb", "hi", "mr", "ne", "bn", "my"))

# A translation has the line breaks of its source and no others, and no marks of ours.
_CONTROLS = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{MARK}{CUT_MARK}]+")
# Replacement characters, from models that spell rare characters in bytes and produce invalid UTF-8.
_REPLACEMENT_CHARS = re.compile("(?<!\\S)\ufffd+\\s+|\ufffd+")


class PackageTranslator:
    """One loaded package.

    Args:
        package: the package.
        config: beam size and length of the pieces.
        cache: where translations are looked up and stored; None means no cache.
        cores: cores to use.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: the package cannot be loaded, or its files were changed.
    """

    def __init__(
        self, package: Package, config: TranslateConfig, cache: Cache | None, cores: int
    ) -> None:
        package.verify()
        self._package, self._config, self._cache = package, config, cache
        self._tokenizer = load_tokenizer(package)
        self._model = load_model(package, cores)
        self._max_queued = 2 * cores  # batches that the model is given in advance
        self._end_token, self._unknown_token = special_tokens(package)
        self._ascii_numbers = package.to_lang not in _OWN_DIGITS
        self._options = f"recipe {_RECIPE_VERSION} beam {config.beam_size}"
        self.tokens = 0

    def translate(self, texts: list[str], progress: FractionProgress) -> list[CachedTranslation]:
        """Return one translation per text; its score is a probability."""
        split = self._split(texts)
        # the first attempt is nearly all of the work
        steps = chain([progress], repeat(lambda _: None))
        known = translate_marked(
            list(dict.fromkeys(piece for _, pieces in split for piece in pieces)),
            lambda texts: self._translate_pieces(texts, next(steps)),
            ascii_numbers=self._ascii_numbers,
        )
        progress(1.0)  # also if everything was cached
        return [self._join(parts, [known[piece] for piece in pieces]) for parts, pieces in split]

    def find_missing(self, texts: list[str]) -> dict[bytes, str]:
        """Return what the model would be given first, and the cache does not have, by key."""
        pieces = dict.fromkeys(piece for _, pieces in self._split(texts) for piece in pieces)
        keys = {self._key(attempt): attempt for attempt in first_attempts(pieces)}
        cached = self._cache.get(list(keys)) if self._cache else {}
        return {key: attempt for key, attempt in keys.items() if key not in cached}

    def translate_attempts(self, attempts: list[str]) -> Iterator[tuple[bytes, CachedTranslation]]:
        """Yield entries for the cache: what the model makes of some distinct texts."""
        for attempt, translation in self._run_model(attempts, lambda _: None):
            yield self._key(attempt), translation

    def _split(self, texts: list[str]) -> list[tuple[list[str], list[Piece]]]:
        """Cut each text into parts, and return the pieces of them for the model."""
        return [
            split_items(
                cut(text, self._count_tokens, self._config.max_tokens),
                items,
                ascii_numbers=self._ascii_numbers,
            )
            for text, items in map(mark_items, texts)
        ]

    def _key(self, attempt: str) -> bytes:
        return cache_key(attempt, self._package.sha256, self._options)

    def _join(self, parts: list[str], translations: list[CachedTranslation]) -> CachedTranslation:
        whole = combine(
            translations, join(parts, [t.text for t in translations], self._package.to_lang)
        )
        return whole._replace(score=math.exp(whole.score))

    def _count_tokens(self, texts: list[str]) -> list[int]:
        return [len(tokens) for tokens in self._tokenizer.encode(texts)]

    def _translate_pieces(
        self, pieces: list[str], progress: FractionProgress
    ) -> dict[str, CachedTranslation]:
        """Translate pieces; take from the cache what it has, and add the rest to it."""
        if not self._cache:
            return dict(self._run_model(pieces, progress))
        keys = {piece: self._key(piece) for piece in pieces}
        cached = self._cache.get(list(keys.values()))
        known = {piece: cached[key] for piece, key in keys.items() if key in cached}
        unsaved: list[tuple[bytes, CachedTranslation]] = []
        last_commit = time.monotonic()
        try:
            missing = [piece for piece in pieces if piece not in known]
            for piece, translation in self._run_model(missing, progress):
                known[piece] = translation
                unsaved.append((keys[piece], translation))
                if time.monotonic() - last_commit > _COMMIT_SECONDS:
                    self._cache.put(unsaved)
                    unsaved, last_commit = [], time.monotonic()
        finally:  # Ctrl-C loses nothing
            self._cache.put(unsaved)
        return known

    def _run_model(
        self, pieces: list[str], progress: FractionProgress
    ) -> Iterator[tuple[str, CachedTranslation]]:
        """Translate pieces batch by batch, the longest first."""
        by_length = defaultdict[int, list[_TokenizedPiece]](list)
        for piece, tokens in zip(pieces, self._tokenizer.encode(pieces), strict=True):
            by_length[len(tokens)].append((piece, tokens))
        for piece, _ in by_length.pop(0, []):  # the tokenizer drops every character
            yield piece, CachedTranslation("", 0.0, 0, False)
        total = sum(length * len(same_length) for length, same_length in by_length.items())
        tokens_before = self.tokens
        queue = deque[tuple[int, list[_TokenizedPiece], list[Any]]]()
        for length in sorted(by_length, reverse=True):
            batch_size = max(1, min(_BATCH_PIECES, _BATCH_TOKENS // length))
            for start in range(0, len(by_length[length]), batch_size):
                batch = by_length[length][start : start + batch_size]
                results = self._submit([tokens for _, tokens in batch], length)
                queue.append((length, batch, results))
                if len(queue) > self._max_queued:
                    yield from self._collect(*queue.popleft())
                    progress((self.tokens - tokens_before) / total)
        while queue:
            yield from self._collect(*queue.popleft())
            progress((self.tokens - tokens_before) / total)

    def _submit(
        self, batch: list[list[str]], length: int, replace_unknowns: bool = False
    ) -> list[Any]:
        """Start translating a batch; return CTranslate2's asynchronous results."""
        prefix = self._package.target_prefix
        results: list[Any] = self._model.translate_batch(
            batch,
            [[prefix]] * len(batch) if prefix else None,
            asynchronous=True,
            beam_size=self._config.beam_size,
            length_penalty=_LENGTH_PENALTY,
            max_decoding_length=_max_output_tokens(length),
            max_input_length=0,
            replace_unknowns=replace_unknowns,
            return_end_token=True,
            return_scores=True,
        )
        return results

    def _collect(
        self, length: int, pieces: list[_TokenizedPiece], results: list[Any]
    ) -> Iterator[tuple[str, CachedTranslation]]:
        """Wait for the results of a batch."""
        for (piece, tokens), pending in zip(pieces, results, strict=True):
            try:
                result = pending.result()
                if self._unknown_token in result.hypotheses[0]:
                    # Unknown words are copied from the source by attention. Computing attention for
                    # every piece would take a sixth of the time.
                    result = self._submit([tokens], length, replace_unknowns=True)[0].result()
            except (RuntimeError, ValueError) as error:  # such as too few position encodings
                raise ModelError(
                    f"{self._package.path}: the model cannot translate {piece[:40]!r}: {error}"
                ) from error
            yield piece, self._decode(piece, result.hypotheses[0], result.scores[0], length)
        self.tokens += length * len(pieces)

    def _decode(
        self, piece: str, tokens: list[str], score: float, length: int
    ) -> CachedTranslation:
        ended = len(tokens) < _max_output_tokens(length) or tokens[-1] == self._end_token
        words = tokens[:-1] if tokens[-1:] == [self._end_token] else tokens
        if self._package.target_prefix and words[:1] == [self._package.target_prefix]:
            words = words[1:]
        text = _CONTROLS.sub(" ", self._tokenizer.decode(words))
        if "\ufffd" not in piece:
            text = _REPLACEMENT_CHARS.sub("", text)
        return CachedTranslation(text.strip(), float(score), len(tokens), not ended)


def _max_output_tokens(length: int) -> int:
    """Return the output limit for a piece of `length` tokens.

    >>> _max_output_tokens(5), _max_output_tokens(150)
    (39, 256)
    """
    return min(_MAX_OUTPUT, _OUTPUT_PER_TOKEN * length + _OUTPUT_BASE)

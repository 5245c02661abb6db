"""Texts to translations with argos packages on CTranslate2: one translation for one text.

Pieces of the same number of tokens go through the model together, and only those: then nothing is
padded, and a translation is the same to the last bit whatever stands beside it. (Products of
matrices are exact in int8; with padding the attention over a sentence is summed over other lengths
in float32, and scores differ in the last digit, which can decide between two words.)
"""

from __future__ import annotations

import math
import os
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.config import TranslateConfig
from ingest.errors import ModelError
from ingest.text import scrub
from ingest.translation.cache import Cache, Said, key
from ingest.translation.flags import flags
from ingest.translation.model import model, signs, tokenizer
from ingest.translation.pieces import cut, join

if TYPE_CHECKING:
    from ingest.translation.packages.install import Package

Progress = Callable[[float], None]

_RECIPE = 2  # goes up when the same piece, model and options would be translated otherwise
# Tokens and pieces of a batch: a larger one leaves the cache of a core, and gains nothing
_BATCH, _ROWS = 1024, 32
_COMMIT = 2.0  # seconds of work that a killed run does again
_WINDOW = 1 << 13  # texts whose pieces are held at once
_PENALTY = 1.0  # of length: scores are means a token, so that long translations have a chance
# Longest translation of a piece: CTranslate2's own bound, and the less the shorter the piece is, so
# that one that runs in circles does not hold up the others.
_MOST_OUT, _OUT_BY_TOKEN, _OUT_AT_LEAST = 256, 3, 24

# A translation has the line breaks of its source, and no others
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What tokenizers make of bytes that are no UTF-8, such as models say that spell rare signs by bytes
_NO_SIGNS = re.compile("(?<!\\S)\ufffd+\\s+|\ufffd+")


class Translation(NamedTuple):
    """What became of one text.

    `score` is the geometric mean of the probabilities that the model gave its tokens, 0…1; through
    two packages, the product of both. It is 0 where nothing was translated. `flags` say what looks
    wrong: see `ingest.translation.flags`.
    """

    text: str
    score: float
    flags: tuple[str, ...]


class Translator:
    """Translates with one package, or through the languages of several.

    Args:
        packages: the way from source to target: one package, or several to go through in turn.
        config: beam and length of pieces.
        cache: what was said before; nothing is kept where None.
        threads: cores to use; all that the process may use where None.

    Attributes:
        name: names and hashes of the packages.
        from_lang, to_lang: of the way.
        tokens: how many tokens the models have been given so far.

    Raises:
        MissingExtraError: the extra `translate` is not installed.
        ModelError: a package cannot be loaded, or is not what was installed.
    """

    def __init__(
        self,
        *packages: Package,
        config: TranslateConfig | None = None,
        cache: Cache | None = None,
        threads: int | None = None,
    ) -> None:
        config = config or TranslateConfig()
        cores = threads or _cores()
        self._steps = [_Step(package, config, cache, cores) for package in packages]
        self.name = "+".join(f"{p.name}-{p.sha256[:12]}" for p in packages)
        self.from_lang, self.to_lang = packages[0].from_lang, packages[-1].to_lang

    @property
    def tokens(self) -> int:
        return sum(step.tokens for step in self._steps)

    def translate(
        self, texts: Sequence[str], *, progress: Progress | None = None
    ) -> list[Translation]:
        """One translation for each text, in their order; the same text is translated once.

        Args:
            texts: empty and white ones come back as they are; in others, line breaks and tabs
                stay, and so does what has neither letter nor digit.
            progress: called with the share that is done, 0…1.
        """
        distinct = list(dict.fromkeys(texts))
        made: dict[str, Translation] = {}
        steps = len(self._steps)
        whole = len(distinct) * steps
        for at in range(0, len(distinct), _WINDOW):
            some = distinct[at : at + _WINDOW]
            size = len(some) / whole
            said = clean = [scrub(text) for text in some]
            score, ended = [1.0] * len(some), [True] * len(some)
            for number, step in enumerate(self._steps):
                tell = part_of(progress, at * steps / whole + size * number, size)
                told = step.translate(said, tell)
                said = [t.text for t in told]
                score = [a * t.score for a, t in zip(score, told, strict=True)]
                ended = [a and not t.cut for a, t in zip(ended, told, strict=True)]
            found = flags(clean, said, ended, (self.from_lang, self.to_lang))
            made.update(zip(some, map(Translation, said, score, found), strict=True))
        return [made[text] for text in texts]


def part_of(progress: Progress | None, first: float, size: float) -> Progress:
    """What tells of the progress of a part of the work, from `first` on, of the whole."""
    return lambda share: progress(first + size * share) if progress else None


class _Step:
    """One package at work."""

    def __init__(
        self, package: Package, config: TranslateConfig, cache: Cache | None, cores: int
    ) -> None:
        package.verify()
        self._package, self._config, self._cache = package, config, cache
        self._tokenizer = tokenizer(package)
        self._model = model(package, cores)
        self._waiting = 2 * cores  # batches that are given to the model before it has answered
        self._end, self._unknown = signs(package)
        self._options = f"recipe {_RECIPE} beam {config.beam_size}"
        self.tokens = 0

    def translate(self, texts: list[str], tell: Progress) -> list[Said]:
        """One answer a text."""
        parts = [cut(text, self._count, self._config.max_tokens) for text in texts]
        known = self._known(list(dict.fromkeys(p for some in parts for p in some[1::2])), tell)
        tell(1.0)  # also where the cache had it all
        return [self._joined(some, [known[piece] for piece in some[1::2]]) for some in parts]

    def _joined(self, parts: list[str], said: list[Said]) -> Said:
        tokens = sum(s.tokens for s in said)
        mean = sum(s.score * s.tokens for s in said) / tokens if tokens else -math.inf
        text = join(parts, [s.text for s in said], self._package.to_lang)
        return Said(text, math.exp(mean), tokens, any(s.cut for s in said))

    def _count(self, texts: list[str]) -> list[int]:
        return [len(tokens) for tokens in self._tokenizer.encode(texts)]

    def _known(self, pieces: list[str], tell: Progress) -> dict[str, Said]:
        """What is said of each piece, from the cache where it holds that."""
        if not self._cache:
            return dict(self._answers(pieces, tell))
        keys = {piece: key(piece, self._package.sha256, self._options) for piece in pieces}
        held = self._cache.get(list(keys.values()))
        known = {piece: held[name] for piece, name in keys.items() if name in held}
        fresh: list[tuple[bytes, Said]] = []
        begun = time.monotonic()
        try:
            for piece, said in self._answers([p for p in pieces if p not in known], tell):
                known[piece] = said
                fresh.append((keys[piece], said))
                if time.monotonic() - begun > _COMMIT:
                    self._cache.put(fresh)
                    fresh, begun = [], time.monotonic()
        finally:  # Ctrl-C loses nothing
            self._cache.put(fresh)
        return known

    def _answers(self, pieces: list[str], tell: Progress) -> Iterator[tuple[str, Said]]:
        """What the model says of each piece, batch by batch, the longest first."""
        by_length = defaultdict[int, list[tuple[str, list[str]]]](list)
        for piece, tokens in zip(pieces, self._tokenizer.encode(pieces), strict=True):
            by_length[len(tokens)].append((piece, tokens))
        for piece, _ in by_length.pop(0, []):  # nothing that the tokenizer keeps
            yield piece, Said("", 0.0, 0, False)
        total = sum(length * len(some) for length, some in by_length.items())
        before = self.tokens
        at_work = deque[tuple[int, list[tuple[str, list[str]]], list[Any]]]()
        for length in sorted(by_length, reverse=True):
            step = max(1, min(_ROWS, _BATCH // length))
            for at in range(0, len(by_length[length]), step):
                some = by_length[length][at : at + step]
                at_work.append((length, some, self._give([tokens for _, tokens in some], length)))
                if len(at_work) > self._waiting:
                    yield from self._take(*at_work.popleft())
                    tell((self.tokens - before) / total)
        while at_work:
            yield from self._take(*at_work.popleft())
            tell((self.tokens - before) / total)

    def _give(self, batch: list[list[str]], length: int, unknowns: bool = False) -> list[Any]:
        """Have a batch translated; the answers come when they are asked for."""
        prefix = self._package.target_prefix
        answers: list[Any] = self._model.translate_batch(
            batch,
            [[prefix]] * len(batch) if prefix else None,
            asynchronous=True,
            beam_size=self._config.beam_size,
            length_penalty=_PENALTY,
            max_decoding_length=_most_out(length),
            max_input_length=0,
            replace_unknowns=unknowns,
            return_end_token=True,
            return_scores=True,
        )
        return answers

    def _take(
        self, length: int, pieces: list[tuple[str, list[str]]], answers: list[Any]
    ) -> Iterator[tuple[str, Said]]:
        """The answers to a batch."""
        for (piece, tokens), answer in zip(pieces, answers, strict=True):
            try:
                result = answer.result()
                if self._unknown in result.hypotheses[0]:
                    # what the model has no word for is copied from where it looks; to follow that
                    # for every piece would take a sixth of the time
                    result = self._give([tokens], length, unknowns=True)[0].result()
            except (RuntimeError, ValueError) as error:  # such as no room for so many positions
                raise ModelError(
                    f"{self._package.path}: the model does not translate {piece[:40]!r}: {error}"
                ) from error
            yield piece, self._said(piece, result.hypotheses[0], result.scores[0], length)
        self.tokens += length * len(pieces)

    def _said(self, piece: str, tokens: list[str], score: float, length: int) -> Said:
        ended = len(tokens) < _most_out(length) or tokens[-1] == self._end
        spoken = tokens[:-1] if tokens[-1:] == [self._end] else tokens
        if self._package.target_prefix and spoken[:1] == [self._package.target_prefix]:
            spoken = spoken[1:]
        text = _CONTROLS.sub(" ", self._tokenizer.decode(spoken))
        if "\ufffd" not in piece:
            text = _NO_SIGNS.sub("", text)
        return Said(text.strip(), float(score), len(tokens), not ended)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _most_out(length: int) -> int:
    """Tokens of the longest translation of a piece of so many.

    >>> _most_out(5), _most_out(150)
    (39, 256)
    """
    return min(_MOST_OUT, _OUT_BY_TOKEN * length + _OUT_AT_LEAST)

"""Translate marked pieces in several attempts, until no item is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import regex

from ingest.translation.cache import CachedTranslation
from ingest.translation.masks import (
    MARK,
    TURNS,
    Piece,
    has_items,
    is_whole,
    mark_numbers,
    restore,
    show,
    unmark,
)

TranslatePieces = Callable[[list[str]], Mapping[str, CachedTranslation]]

_LETTER = regex.compile(r"\p{L}")
_FRAGMENT = regex.compile(rf"[^\s{MARK}](?:[^{MARK}]*[^\s{MARK}])?")


def first_attempts(pieces: Iterable[Piece]) -> list[str]:
    """Return the distinct texts that `translate_marked` has translated first."""
    shown = (show(piece, 0) if has_items(piece) else piece for piece in pieces)
    return list(dict.fromkeys(attempt.text for attempt in shown if attempt))


def translate_marked(
    pieces: Sequence[Piece], translate: TranslatePieces, *, ascii_numbers: bool
) -> dict[Piece, CachedTranslation]:
    """Translate pieces and put their items back.

    Args:
        pieces: distinct pieces, each with letters besides its items.
        translate: gives the model's translation of each of some distinct texts.
        ascii_numbers: whether the target language writes numbers in ASCII digits.

    Returns:
        A translation for each piece. All items are in it, but whole numbers may be missing.
    """
    done: dict[Piece, CachedTranslation] = {}
    unfinished = {piece: piece for piece in pieces if has_items(piece)}
    plain = [piece for piece in pieces if piece not in unfinished]
    for turn in range(TURNS):
        shown = ((piece, show(marked, turn)) for piece, marked in unfinished.items())
        attempts = {piece: attempt for piece, attempt in shown if attempt}
        texts = [piece.text for piece in plain] + [attempt.text for attempt in attempts.values()]
        known = translate(list(dict.fromkeys(texts)))
        done.update((piece, known[piece.text]) for piece in plain)
        plain = []
        for piece, attempt in attempts.items():
            translation = known[attempt.text]
            text, lost_masks, lost_numbers = restore(attempt, translation.text)
            complete = not lost_masks and not lost_numbers
            # Whole numbers may be written in words, and a sentence is not cut for their sake.
            if complete or (
                not lost_masks and all(map(is_whole, lost_numbers)) and piece not in done
            ):
                done[piece] = translation._replace(text=text)
            if complete:
                del unfinished[piece]
            else:
                unfinished[piece] = mark_numbers(
                    unfinished[piece], lost_numbers, ascii_numbers=ascii_numbers
                )
    cut = {piece: marked for piece, marked in unfinished.items() if piece not in done}
    return done | _translate_between(cut, translate)


def combine(translations: Iterable[CachedTranslation], text: str) -> CachedTranslation:
    """Return the translation of a whole from those of its pieces; its score is the mean."""
    pieces = list(translations)
    tokens = sum(t.tokens for t in pieces)
    mean = sum(t.score * t.tokens for t in pieces) / tokens if tokens else -math.inf
    return CachedTranslation(text, mean, tokens, any(t.cut for t in pieces))


def _translate_between(
    cut: Mapping[Piece, Piece], translate: TranslatePieces
) -> dict[Piece, CachedTranslation]:
    """Translate the text between the marks of each piece."""
    fragments = {
        piece: [f for f in _FRAGMENT.findall(marked.text) if _LETTER.search(f)]
        for piece, marked in cut.items()
    }
    known = translate(list(dict.fromkeys(f for texts in fragments.values() for f in texts)))
    done = {}
    for piece, marked in cut.items():
        text = _FRAGMENT.sub(lambda match: _fragment(match, known), marked.text)
        translations = [known[fragment] for fragment in fragments[piece]]
        done[piece] = combine(translations, unmark(marked._replace(text=text)))
    return done


def _fragment(match: regex.Match[str], known: Mapping[str, CachedTranslation]) -> str:
    """Return the translation of a fragment; a word that touched an item gets a space."""
    translation = known.get(match[0])
    if not translation:
        return str(match[0])
    text = translation.text
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() :][:1]
    left = " " if before == MARK and match[0][0].isalnum() else ""
    right = " " if after == MARK and match[0][-1].isalnum() else ""
    return f"{left}{text}{right}"

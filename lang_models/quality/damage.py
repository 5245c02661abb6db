"""Damage good pairs the way crawls and machines do. There is one function per kind.

Each function takes a pair (English, Arabic) and a random generator, and returns the damaged pair,
or None if this pair cannot be damaged in this way.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingest.encoder.lexicon import lexicon
from ingest.encoder.words import skeleton, words

Pair = tuple[str, str]
KINDS = ("neighbour", "cut", "dropped", "number", "name", "untranslated", "language", "noise")
# Languages that could be mistaken for English and for Arabic, because they share the script
_SIMILAR_LANGS = (("fr", "de", "es", "tr"), ("fa", "ur", "ckb", "ps", "sd", "ug"))
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_ARABIC = re.compile(r"[\u0621-\u064a]{3,}")
_NUMBER = re.compile(r"\d+")
_CLAUSE_END = re.compile(r"[,،;؛:] |[.!?؟] ")
_END_MARK = re.compile(r"[.!?؟…\"”»)]+$")
_EASTERN_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_GLOSSES = 3  # number of translations from which a gloss chooses


@dataclass(frozen=True)
class Store:
    """Material for damage.

    Attributes:
        texts: lines in other languages.
        names: names in English and in Arabic.
        by_number: stems of the lexicon by number.
    """

    texts: dict[str, list[str]]
    names: tuple[list[str], list[str]]
    by_number: list[str]

    @classmethod
    def build(cls, lid_text: Path, pairs: list[Pair]) -> Store:
        """Read `<lang>.txt` from the folder `lid_text`, and find names in pairs."""
        texts = {}
        for lang in (lang for langs in _SIMILAR_LANGS for lang in langs):
            lines = (lid_text / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
            texts[lang] = [line for line in lines if len(line) > 15]
        english_names: set[str] = set()
        arabic_names: set[str] = set()
        for english, arabic in pairs:
            for name, arabic_name in _find_names(english, arabic):
                english_names.add(name)
                if arabic_name:
                    arabic_names.add(arabic_name)
        return cls(texts, (sorted(english_names), sorted(arabic_names)), list(lexicon().stems))


def _find_names(english: str, arabic: str) -> list[tuple[str, str]]:
    """Return the names in an English sentence, each with the Arabic word of the same consonants."""
    by_skeleton = {skeleton(word): word for word in arabic.split() if _ARABIC.fullmatch(word)}
    names = []
    for name in _NAME.findall(english):
        consonants = skeleton(name.lower())
        names.append((name, by_skeleton.get(consonants, "") if len(consonants) > 2 else ""))
    return names


def damage(kind: str, pair: Pair, beside: Pair, store: Store, rng: random.Random) -> Pair | None:
    """Damage a pair in one way. `beside` is the pair next to it in its document."""
    if kind == "neighbour":
        mixed = (pair[0], beside[1]) if rng.random() < 0.5 else (beside[0], pair[1])
        return mixed if beside[0] != pair[0] and beside[1] != pair[1] else None
    functions: dict[str, Callable[[Pair, Store, random.Random], Pair | None]] = {
        "cut": _cut, "dropped": _drop_words, "number": _change_number, "name": _change_name,
        "untranslated": _untranslate, "language": _change_language, "noise": _add_noise,
    }  # fmt: skip
    damaged = functions[kind](pair, store, rng)
    return None if damaged == pair else damaged


def vary(pair: Pair, beside: Pair, rng: random.Random) -> Pair:
    """Return a variant of a good pair that is still good."""
    english, arabic = pair
    draw = rng.random()
    if draw < 0.08 and beside != pair:
        english, arabic = f"{english} {beside[0]}", f"{arabic} {beside[1]}"
    elif draw < 0.16:
        english, arabic = _END_MARK.sub("", english), _END_MARK.sub("", arabic)
    elif draw < 0.20:
        english = _END_MARK.sub("", english)
    elif draw < 0.24:
        arabic = _END_MARK.sub("", arabic)
    elif draw < 0.27:
        english = english.lower()
    if rng.random() < 0.25:
        arabic = arabic.translate(_EASTERN_DIGITS)
    return english, arabic


def _replace(pair: Pair, side: int, text: str) -> Pair:
    return (text, pair[1]) if side == 0 else (pair[0], text)


def _change_side(
    pair: Pair, rng: random.Random, change: Callable[[str], str | None]
) -> Pair | None:
    """Change a random side."""
    side = rng.randrange(2)
    text = change(pair[side])
    return _replace(pair, side, text) if text and text.strip() else None


def _cut(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    """Leave out the beginning or the end of a side."""

    def change(text: str) -> str | None:
        parts = text.split()
        if len(parts) < 6:
            return None
        end_mark = _END_MARK.search(text)
        clause_ends = [match.end() for match in _CLAUSE_END.finditer(text)]
        inner = [end for end in clause_ends if 0.25 * len(text) < end < 0.75 * len(text)]
        draw = rng.random()
        if inner and draw < 0.5:
            at = rng.choice(inner)
            left = text[:at].rstrip(" ,،;؛:") if rng.random() < 0.6 else text[at:]
        else:
            n = round(len(parts) * rng.uniform(0.4, 0.65))
            left = " ".join(parts[:n] if rng.random() < 0.75 else parts[-n:])
        if end_mark and not _END_MARK.search(left) and rng.random() < 0.5:
            left += end_mark[0]
        return left

    return _change_side(pair, rng, change)


def _drop_words(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    """Leave out some words of a side."""

    def change(text: str) -> str | None:
        parts = text.split()
        if len(parts) < 5:
            return None
        n = max(1, round(len(parts) * rng.uniform(0.2, 0.4)))
        dropped = set(rng.sample(range(len(parts)), n))
        return " ".join(part for i, part in enumerate(parts) if i not in dropped)

    return _change_side(pair, rng, change)


def _change_number(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    """Replace a number by another one."""

    def change(text: str) -> str | None:
        numbers = list(_NUMBER.finditer(text))
        if not numbers:
            return None
        number = rng.choice(numbers)
        value = int(number[0])
        new = value
        while new == value:
            draw = rng.random()
            if draw < 0.4:
                new = value + rng.choice((-10, -3, -2, -1, 1, 2, 3, 5, 10, 100))
            elif draw < 0.8:
                low = 10 ** (len(number[0]) - 1) if len(number[0]) > 1 else 0
                new = rng.randrange(low, 10 ** len(number[0]))
            else:
                new = value * 10
            new = abs(new)
        is_eastern = number[0][0] not in "0123456789"
        digits = str(new).translate(_EASTERN_DIGITS) if is_eastern else str(new)
        return text[: number.start()] + digits + text[number.end() :]

    return _change_side(pair, rng, change)


def _change_name(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    """Replace a name on one side by another one."""
    english, arabic = pair
    names = _find_names(english, arabic)
    if not names:
        return None
    name, arabic_name = rng.choice(names)
    if arabic_name and rng.random() < 0.5:
        other = rng.choice(store.names[1])
        if skeleton(other) == skeleton(arabic_name):
            return None
        return english, re.sub(rf"\b{re.escape(arabic_name)}\b", other, arabic)
    other = rng.choice(store.names[0])
    if skeleton(other.lower()) == skeleton(name.lower()):
        return None
    return re.sub(rf"\b{re.escape(name)}\b", other, english), arabic


def _untranslate(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    """Replace a side, or half of it, by a copy of the other."""
    side = rng.randrange(2)
    own, other = pair[side], pair[1 - side]
    if rng.random() < 0.4:
        return _replace(pair, side, other)
    own_words, other_words = own.split(), other.split()
    if len(own_words) < 4 or len(other_words) < 4:
        return None
    i, j = len(own_words) // 2, len(other_words) // 2
    mixed = (
        own_words[:i] + other_words[j:] if rng.random() < 0.7 else other_words[:j] + own_words[i:]
    )
    return _replace(pair, side, " ".join(mixed))


def _change_language(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    """Replace a side by text of similar length in a similar language, or exchange the sides."""
    if rng.random() < 0.12:
        return pair[1], pair[0]
    side = rng.randrange(2)
    lines = [rng.choice(store.texts[rng.choice(_SIMILAR_LANGS[side])]) for _ in range(6)]
    return _replace(pair, side, min(lines, key=lambda line: abs(len(line) - len(pair[side]))))


def _add_noise(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    draw = rng.random()
    if draw < 0.3:
        return _gloss(pair, store, rng)
    change = _shuffle if draw < 0.65 else _repeat
    return _change_side(pair, rng, lambda text: change(text, rng))


def _shuffle(text: str, rng: random.Random) -> str | None:
    parts = text.split()
    if len(parts) < 5:
        return None
    if rng.random() < 0.7:
        rng.shuffle(parts)
    else:  # move words by a few places only
        order = sorted(range(len(parts)), key=lambda i: i + rng.uniform(0, 5))
        parts = [parts[i] for i in order]
    return " ".join(parts)


def _repeat(text: str, rng: random.Random) -> str | None:
    """Repeat single words, or one phrase many times."""
    parts = text.split()
    if len(parts) < 3:
        return None
    if rng.random() < 0.5:
        share = rng.uniform(0.15, 0.4)
        repeated = [p for p in parts for _ in range(1 + (rng.random() < share) * rng.randint(1, 3))]
        return " ".join(repeated)
    n = rng.randint(1, min(4, len(parts)))
    at = rng.randrange(len(parts) - n + 1)
    times = rng.randint(2, 6) if n > 1 else rng.randint(3, 8)
    return " ".join(parts[: at + n] + parts[at : at + n] * times + parts[at + n :])


def _gloss(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    """Replace a side by a word-by-word translation of the other, made with the lexicon."""
    side = rng.randrange(2)
    table = lexicon()
    gloss = []
    known = 0
    for word in words(pl.Series([pair[1 - side]])).to_list()[0]:
        number = table.number(word) if word[0].isalpha() else -1
        translations = table.to[:0]
        if number >= 0:
            translations = table.to[table.first[number] : table.first[number + 1]]
        if len(translations):
            gloss.append(store.by_number[int(rng.choice(translations[:_GLOSSES]))])
            known += 1
        elif word[0].isdigit() or rng.random() < 0.3:
            gloss.append(word)
    return _replace(pair, side, " ".join(gloss)) if known >= 3 else None

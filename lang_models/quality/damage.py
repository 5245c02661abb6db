"""Good pairs spoilt as crawls and machines spoil them, a function a kind.

Each takes a pair (English, Arabic) and a source of chance, and returns the spoilt pair, or None
where this pair cannot be spoilt so.
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
# languages that are taken for the right one, by the script of the side
_OTHERS = (("fr", "de", "es", "tr"), ("fa", "ur", "ckb", "ps", "sd", "ug"))
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_ARABIC = re.compile(r"[\u0621-\u064a]{3,}")
_NUMBER = re.compile(r"\d+")
_CLAUSE = re.compile(r"[,،;؛:] |[.!?؟] ")
_MARK = re.compile(r"[.!?؟…\"”»)]+$")
_EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_GLOSSES = 3  # translations among which a word of a gloss is drawn


@dataclass(frozen=True)
class Store:
    """What damage is made with: text of other languages, and names of both sides."""

    texts: dict[str, list[str]]
    names: tuple[list[str], list[str]]
    by_number: list[str]

    @classmethod
    def of(cls, lid_text: Path, pairs: list[Pair]) -> Store:
        """Read `<lang>.txt` of a folder, and find names in pairs of the training text."""
        texts = {}
        for lang in (lang for some in _OTHERS for lang in some):
            lines = (lid_text / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
            texts[lang] = [line for line in lines if len(line) > 15]
        found: tuple[set[str], set[str]] = (set(), set())
        for english, arabic in pairs:
            for name, rendered in _named(english, arabic):
                found[0].add(name)
                if rendered:
                    found[1].add(rendered)
        names = sorted(found[0]), sorted(found[1])
        return cls(texts, names, list(lexicon().stems))


def _named(english: str, arabic: str) -> list[tuple[str, str]]:
    """Names of an English sentence, each with the Arabic word that has its consonants."""
    own = {skeleton(w): w for w in arabic.split() if _ARABIC.fullmatch(w)}
    return [
        (name, own.get(skeleton(name.lower()), "") if len(skeleton(name.lower())) > 2 else "")
        for name in _NAME.findall(english)
    ]


def spoilt(kind: str, pair: Pair, beside: Pair, store: Store, rng: random.Random) -> Pair | None:
    """`pair` with damage of a kind; `beside` is the pair next to it in its document."""
    if kind == "neighbour":
        one = (pair[0], beside[1]) if rng.random() < 0.5 else (beside[0], pair[1])
        return one if beside[0] != pair[0] and beside[1] != pair[1] else None
    make: dict[str, Callable[[Pair, Store, random.Random], Pair | None]] = {
        "cut": _cut, "dropped": _dropped, "number": _number, "name": _name,
        "untranslated": _untranslated, "language": _language, "noise": _noise,
    }  # fmt: skip
    made = make[kind](pair, store, rng)
    return None if made == pair else made


def varied(pair: Pair, beside: Pair, rng: random.Random) -> Pair:
    """A good pair in another dress, still good."""
    english, arabic = pair
    dress = rng.random()
    if dress < 0.08 and beside != pair:
        english, arabic = f"{english} {beside[0]}", f"{arabic} {beside[1]}"
    elif dress < 0.16:
        english, arabic = _MARK.sub("", english), _MARK.sub("", arabic)
    elif dress < 0.20:
        english = _MARK.sub("", english)
    elif dress < 0.24:
        arabic = _MARK.sub("", arabic)
    elif dress < 0.27:
        english = english.lower()
    if rng.random() < 0.25:
        arabic = arabic.translate(_EASTERN)
    return english, arabic


def _side(pair: Pair, rng: random.Random, change: Callable[[str], str | None]) -> Pair | None:
    at = rng.randrange(2)
    made = change(pair[at])
    if made is None or not made.strip():
        return None
    return (made, pair[1]) if at == 0 else (pair[0], made)


def _cut(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    def change(text: str) -> str | None:
        parts = text.split()
        if len(parts) < 6:
            return None
        mark = _MARK.search(text)
        marks = [m.end() for m in _CLAUSE.finditer(text)]
        inner = [m for m in marks if 0.25 * len(text) < m < 0.75 * len(text)]
        draw = rng.random()
        if inner and draw < 0.5:
            at = rng.choice(inner)
            left = text[:at].rstrip(" ,،;؛:") if rng.random() < 0.6 else text[at:]
        else:
            n = round(len(parts) * rng.uniform(0.4, 0.65))
            left = " ".join(parts[:n] if rng.random() < 0.75 else parts[-n:])
        if mark and not _MARK.search(left) and rng.random() < 0.5:
            left += mark[0]
        return left

    return _side(pair, rng, change)


def _dropped(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    def change(text: str) -> str | None:
        parts = text.split()
        if len(parts) < 5:
            return None
        n = max(1, round(len(parts) * rng.uniform(0.2, 0.4)))
        gone = set(rng.sample(range(len(parts)), n))
        return " ".join(p for i, p in enumerate(parts) if i not in gone)

    return _side(pair, rng, change)


def _number(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    def change(text: str) -> str | None:
        found = list(_NUMBER.finditer(text))
        if not found:
            return None
        one = rng.choice(found)
        value = int(one[0])
        new = value
        while new == value:
            draw = rng.random()
            if draw < 0.4:
                new = value + rng.choice((-10, -3, -2, -1, 1, 2, 3, 5, 10, 100))
            elif draw < 0.8:
                low = 10 ** (len(one[0]) - 1) if len(one[0]) > 1 else 0
                new = rng.randrange(low, 10 ** len(one[0]))
            else:
                new = value * 10
            new = abs(new)
        eastern = one[0][0] not in "0123456789"
        said = str(new).translate(_EASTERN) if eastern else str(new)
        return text[: one.start()] + said + text[one.end() :]

    return _side(pair, rng, change)


def _name(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    english, arabic = pair
    found = _named(english, arabic)
    if not found:
        return None
    name, rendered = rng.choice(found)
    if rendered and rng.random() < 0.5:
        other = rng.choice(store.names[1])
        if skeleton(other) == skeleton(rendered):
            return None
        return english, re.sub(rf"\b{re.escape(rendered)}\b", other, arabic)
    other = rng.choice(store.names[0])
    if skeleton(other.lower()) == skeleton(name.lower()):
        return None
    return re.sub(rf"\b{re.escape(name)}\b", other, english), arabic


def _untranslated(pair: Pair, _store: Store, rng: random.Random) -> Pair | None:
    at = rng.randrange(2)
    own, other = pair[at], pair[1 - at]
    draw = rng.random()
    if draw < 0.4:
        made = other
    else:
        mine, theirs = own.split(), other.split()
        if len(mine) < 4 or len(theirs) < 4:
            return None
        i, j = len(mine) // 2, len(theirs) // 2
        half = (mine[:i] + theirs[j:]) if rng.random() < 0.7 else (theirs[:j] + mine[i:])
        made = " ".join(half)
    return (made, pair[1]) if at == 0 else (pair[0], made)


def _language(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    if rng.random() < 0.12:
        return pair[1], pair[0]
    at = rng.randrange(2)
    some = [rng.choice(store.texts[rng.choice(_OTHERS[at])]) for _ in range(6)]
    made = min(some, key=lambda text: abs(len(text) - len(pair[at])))
    return (made, pair[1]) if at == 0 else (pair[0], made)


def _noise(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    draw = rng.random()
    if draw < 0.3:
        return _gloss(pair, store, rng)
    return _side(pair, rng, lambda t: _shuffled(t, rng) if draw < 0.65 else _looped(t, rng))


def _shuffled(text: str, rng: random.Random) -> str | None:
    parts = text.split()
    if len(parts) < 5:
        return None
    if rng.random() < 0.7:
        rng.shuffle(parts)
    else:  # moved a few places only
        order = sorted(range(len(parts)), key=lambda i: i + rng.uniform(0, 5))
        parts = [parts[i] for i in order]
    return " ".join(parts)


def _looped(text: str, rng: random.Random) -> str | None:
    parts = text.split()
    if len(parts) < 3:
        return None
    if rng.random() < 0.5:
        share = rng.uniform(0.15, 0.4)
        made = [p for p in parts for _ in range(1 + (rng.random() < share) * rng.randint(1, 3))]
        return " ".join(made)
    n = rng.randint(1, min(4, len(parts)))
    at = rng.randrange(len(parts) - n + 1)
    times = rng.randint(2, 6) if n > 1 else rng.randint(3, 8)
    return " ".join(parts[: at + n] + parts[at : at + n] * times + parts[at + n :])


def _gloss(pair: Pair, store: Store, rng: random.Random) -> Pair | None:
    """One side put word for word into the other language by the lexicon."""
    at = rng.randrange(2)
    held = lexicon()
    made = []
    known = 0
    for word in words(pl.Series([pair[1 - at]])).to_list()[0]:
        number = held.number(word) if word[0].isalpha() else -1
        to = held.to[held.first[number] : held.first[number + 1]] if number >= 0 else held.to[:0]
        if len(to):
            made.append(store.by_number[int(rng.choice(to[:_GLOSSES]))])
            known += 1
        elif word[0].isdigit() or rng.random() < 0.3:
            made.append(word)
    if known < 3:
        return None
    said = " ".join(made)
    return (said, pair[1]) if at == 0 else (pair[0], said)

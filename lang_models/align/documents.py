"""Training documents with known beads: those of the bench, altered copies, and made-up ones."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
Gold = list[tuple[list[int], list[int]]]


class Document(NamedTuple):
    """A document pair with known beads: Arabic lines, English lines."""

    group: str
    cond: str
    ar: list[str]
    en: list[str]
    beads: Gold


def read_lines(path: Path) -> list[str]:
    """Read the lines of a file."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def read_bench(folder: Path) -> list[Document]:
    """Read the development documents of the bench."""
    documents = []
    for entry in json.loads((folder / "manifest.json").read_text())["items"]:
        if entry["split"] != "dev":
            continue
        stem = folder / entry["cond"] / entry["name"]
        beads = json.loads(Path(f"{stem}.json").read_text())
        documents.append(
            Document(
                entry["name"],
                entry["cond"],
                read_lines(Path(f"{stem}.ar")),
                read_lines(Path(f"{stem}.en")),
                [(list(a), list(b)) for a, b in beads],
            )
        )
    return documents


def as_book(document: Document, dice: random.Random, loss: float) -> Document:
    """Join neighboring 1-1 beads as a translator of prose might: up to eight lines per side."""
    ar: list[str] = []
    en: list[str] = []
    beads: Gold = []
    at = 0
    pairs = [
        (document.ar[a[0]], document.en[b[0]]) for a, b in document.beads if len(a) == len(b) == 1
    ]
    while at < len(pairs):
        kind = dice.choices(["11", "12", "13", "18", "22", "23", "null"], [50, 20, 9, 7, 4, 2, 3])[
            0
        ]
        size = {"11": 1, "12": 2, "13": 3, "18": dice.randint(4, 8), "22": 2, "23": 3, "null": 1}[
            kind
        ]
        chunk = pairs[at : at + size]
        at += len(chunk)
        left, right = [p[0] for p in chunk], [p[1] for p in chunk]
        if kind == "null":
            if dice.random() < 0.5:
                right = []
            else:
                left = []
        elif kind in ("22", "23") and len(chunk) == size:
            # The sides are cut at different places, so that no smaller bead is a pair.
            cut_left = dice.random() < 0.5
            joined = " ".join(left if cut_left else right)
            halves = cut_in_two(joined, dice)
            if halves is None:
                left, right = [join(left, dice)], [join(right, dice)]
            elif cut_left:
                left = halves
            else:
                right = halves
        elif dice.random() < 0.5:
            left = [join(left, dice)]
        else:
            right = [join(right, dice)]
        beads.append((_append(ar, left), _append(en, right)))
    return thin_out(Document(document.group, "book", ar, en, beads), dice, loss)


def join(sentences: list[str], dice: random.Random) -> str:
    """Join sentences to one, often with commas instead of full stops, as in translated prose."""
    if len(sentences) > 1 and dice.random() < 0.6:
        comma = "،" if any("\u0600" <= c <= "\u06ff" for c in sentences[0]) else ","
        sentences = [*(x.rstrip(".!") + comma for x in sentences[:-1]), sentences[-1]]
    return " ".join(sentences)


def cut_in_two(text: str, dice: random.Random) -> list[str] | None:
    """Cut a text at a comma away from its ends; None if there is no such comma."""
    words = text.split(" ")
    places = [i + 1 for i, w in enumerate(words[:-1]) if w.endswith((",", "،", ";", "؛"))
              and len(words) * 0.2 < i < len(words) * 0.8]  # fmt: skip
    if not places:
        return None
    at = dice.choice(places)
    return [" ".join(words[:at]), " ".join(words[at:])]


def thin_out(document: Document, dice: random.Random, loss: float) -> Document:
    """Drop a share `loss` of the words of each line."""

    def thin(text: str) -> str:
        words = text.split(" ")
        kept = [w for w in words if dice.random() >= loss]
        return " ".join(kept or words[:1])

    if not loss:
        return document
    return document._replace(ar=[thin(t) for t in document.ar], en=[thin(t) for t in document.en])


def add_noise(
    document: Document,
    others: Sequence[Document],
    dice: random.Random,
    phrases: dict[str, list[str]],
) -> Document:
    """Drop lines on one side, and insert boilerplate and lines of other documents."""
    lost, foreign = dice.choice([0.05, 0.15, 0.3, 0.5]), dice.choice([0.0, 0.1, 0.25, 0.5])
    ar: list[str] = []
    en: list[str] = []
    beads: Gold = []

    def foreign_lines(lang: str, count: int) -> list[str]:
        out = []
        for _ in range(count):
            other = dice.choice(others)
            lines = other.ar if lang == "ar" else other.en
            out.append(dice.choice(lines if dice.random() < 0.5 else phrases[lang]))
        return out

    for a, b in document.beads:
        if dice.random() < foreign:
            size = dice.choice([1, 1, 1, 2, 4])
            if dice.random() < 0.5:
                beads += [([i], []) for i in _append(ar, foreign_lines("ar", size))]
            else:
                beads += [([], [j]) for j in _append(en, foreign_lines("en", size))]
        left, right = [document.ar[i] for i in a], [document.en[j] for j in b]
        if dice.random() < lost:
            if dice.random() < 0.5:
                left = []
            else:
                right = []
        beads.append((_append(ar, left), _append(en, right)))
    return Document(document.group, "junk", ar, en, [x for x in beads if x[0] or x[1]])


def mismatch(first: Document, second: Document) -> Document:
    """Combine the sides of two unrelated documents, as a wrong pair of pages does."""
    nulls: Gold = [([i], []) for i in range(len(first.ar))]
    nulls += [([], [j]) for j in range(len(second.en))]
    return Document(first.group, "strangers", first.ar, second.en, nulls)


def boilerplate_phrases() -> dict[str, list[str]]:
    """Read the boilerplate phrases of each language from this project's list."""
    path = HERE.parent / "roles" / "phrases.txt"
    phrases = [x for x in read_lines(path) if x and x[0] not in "#["]
    return {"ar": [x for x in phrases if "\u0600" <= x[0] <= "\u06ff"],
            "en": [x.capitalize() for x in phrases if x.isascii()]}  # fmt: skip


def with_copies(documents: Sequence[Document], seed: int = 7) -> list[Document]:
    """Return the documents and altered copies of them."""
    dice = random.Random(seed)
    out = list(documents)
    clean = [x for x in documents if x.cond == "clean"]
    phrases = boilerplate_phrases()
    for doc in clean:
        others = [x for x in clean if x.group != doc.group]
        out.append(as_book(doc, dice, 0.0))
        out.append(as_book(doc, dice, 0.2)._replace(cond="book20"))
        out.append(thin_out(doc, dice, 0.25)._replace(cond="clean25"))
        out.append(add_noise(doc, others, dice, phrases))
        book = as_book(doc, dice, 0.0)
        out.append(add_noise(book, others, dice, phrases)._replace(cond="junkbook"))
    out += [mismatch(a, b) for a, b in zip(clean[::2], clean[1::2], strict=False)]
    noisy = [doc for doc in documents if doc.cond == "noisy"]
    out += [thin_out(doc, dice, 0.2)._replace(cond="noisy20") for doc in noisy]
    return out


# Number of `free` documents from each source. Scripture is the only literature available. The
# encoder was trained on these sources, so words are dropped to make them look like new text.
FREE = {
    "bible_vandyck_bsb": 16, "bible_onav_bsb": 10, "quran_risan": 8, "aquifer_study_notes": 8,
    "uw_bible_stories": 6, "vue_docs": 4, "raspberrypi_projects": 4, "cc_legalcode": 3, "udhr": 1,
}  # fmt: skip
_LINES = 45  # of a source in one document
CLAUSE = re.compile(r"(?<=[.;:!?,—؛،؟])\s+")
SENTENCE = re.compile(r"(?<=[.!?؟])\s+")


def free_documents(folder: Path, *, seed: int = 11, held_out: bool = False) -> list[Document]:
    """Make documents whose sides are cut differently, as in prose: 1-8, 8-1, and between.

    One side has one line per verse or paragraph, or two joined; the other has one line per clause
    or sentence; sometimes both are cut. Words are dropped on both sides, sometimes lines, and
    sometimes all punctuation of one side.

    Args:
        folder: folder of `english<TAB>arabic` files.
        seed: seed of the random choices.
        held_out: use the second half of each source; training uses the first.
    """
    dice = random.Random(seed)
    out = []
    for name, count in FREE.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            continue
        pairs = [tuple(x.split("\t")[:2]) for x in read_lines(path)]
        half = len(pairs) // 2
        pairs = pairs[half:] if held_out else pairs[:half]
        size = min(_LINES, half)
        for _ in range(count):
            at = dice.randrange(half - size + 1)
            document = _free_document(name, pairs[at : at + size], dice)
            out.append(thin_out(document, dice, dice.choice([0.1, 0.2, 0.3, 0.4])))
    return out


def _free_document(name: str, pairs: Sequence[tuple[str, ...]], dice: random.Random) -> Document:
    finer = dice.choice([0, 0, 1])  # the side that is cut: 0 is English, 1 is Arabic
    cut = dice.choice([CLAUSE, CLAUSE, SENTENCE])
    joined, lost = dice.choice([0.05, 0.15, 0.3]), dice.choice([0.0, 0.0, 0.05, 0.15])
    bare = dice.choice([None, None, 0, 1])  # the side without punctuation
    sides: tuple[list[str], list[str]] = ([], [])
    beads: Gold = []
    at = 0
    while at < len(pairs):
        chunk = pairs[at : at + (2 if dice.random() < joined else 1)]
        at += len(chunk)
        texts = [" ".join(p[side] for p in chunk) for side in (0, 1)]
        lines = [[texts[0]], [texts[1]]]
        lines[finer] = cut_in_pieces(texts[finer], cut, dice)
        if dice.random() < 0.15:
            other = cut_in_pieces(texts[1 - finer], cut, dice)
            if len(other) == 2 and len(lines[finer]) in (2, 3) and dice.random() < 0.3:
                lines[1 - finer] = other
        if dice.random() < lost:
            lines[dice.randrange(2)] = []
        beads.append((_append(sides[1], lines[1]), _append(sides[0], lines[0])))
    if bare is not None:
        sides[bare][:] = [re.sub(r"[.;:!?,—؛،؟]", "", x) or x for x in sides[bare]]
    return Document(name, "free", sides[1], sides[0], beads)


def cut_in_pieces(text: str, cut: re.Pattern[str], dice: random.Random) -> list[str]:
    """Cut a text at its marks: at least four words per piece, and at most eight pieces."""
    out: list[str] = []
    piece = ""
    for part in cut.split(text):
        piece = f"{piece} {part}".strip()
        if len(piece.split()) >= 4 and (cut is SENTENCE or dice.random() < 0.8):
            out.append(piece)
            piece = ""
    if piece:
        out[-1:] = [f"{out[-1]} {piece}"] if out else [piece]
    return [*out[:7], " ".join(out[7:])] if len(out) > 8 else out


def _append(side: list[str], lines: Sequence[str]) -> list[int]:
    """Append lines to a side and return their numbers."""
    first = len(side)
    side.extend(lines)
    return list(range(first, len(side)))

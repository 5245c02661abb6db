"""Learn `weights.json`: how much each kind of evidence counts, on documents whose beads are known.

    python -m lang_models.align.fit --bench ../shared/bench/align \
        --parallel ../shared/parallel [--folds 5]

A conditional random field over alignments: the probability of all beads of a document is
exp(weighted evidence) over that of all other alignments; its likelihood is raised by gradient
ascent, the weights held small. Each document is seen as it is, merged (spans to eight lines), with
words left out, and with foreign lines put in; and documents whose sides are cut differently, as
those of novels are, come from pairs: so no condition is all that the weights know.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.alignment.beads import NEVER, NULLS, TYPES, batch_posteriors, best_path, posteriors
from ingest.alignment.decoding import choose_band, prepare_side
from ingest.alignment.evidence import FEATURE_NAMES, Evidence
from ingest.alignment.features import BEAD_FEATURES
from ingest.encoder.lexicon import lexicon

HERE = Path(__file__).resolve().parent
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Gold = list[tuple[list[int], list[int]]]


class Item(NamedTuple):
    """A document with known beads: Arabic lines, English lines."""

    group: str
    cond: str
    ar: list[str]
    en: list[str]
    beads: Gold


def lines(path: Path) -> list[str]:
    """Lines of a file."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def bench(folder: Path) -> list[Item]:
    """The development items."""
    items = []
    for entry in json.loads((folder / "manifest.json").read_text())["items"]:
        if entry["split"] != "dev":
            continue
        stem = folder / entry["cond"] / entry["name"]
        beads = json.loads(Path(f"{stem}.json").read_text())
        items.append(
            Item(entry["name"], entry["cond"], lines(Path(f"{stem}.ar")), lines(Path(f"{stem}.en")),
                 [(list(a), list(b)) for a, b in beads])
        )  # fmt: skip
    return items


def split_nulls(beads: Gold) -> Gold:
    """Nulls of one line each, all beads in an order that a path can take."""
    out: Gold = []
    for a, b in beads:
        if a and b:
            out.append((a, b))
        else:
            out += [([i], []) for i in a] + [([], [j]) for j in b]
    return out


def book(item: Item, dice: random.Random, loose: float) -> Item:
    """Neighbouring 1-1 beads joined as a translator of prose might: up to eight lines a side."""
    ar: list[str] = []
    en: list[str] = []
    beads: Gold = []
    at = 0
    pairs = [(item.ar[a[0]], item.en[b[0]]) for a, b in item.beads if len(a) == len(b) == 1]
    while at < len(pairs):
        kind = dice.choices(["11", "12", "13", "18", "22", "23", "null"], [50, 20, 9, 7, 4, 2, 3])[
            0
        ]
        size = {"11": 1, "12": 2, "13": 3, "18": dice.randint(4, 8), "22": 2, "23": 3, "null": 1}[
            kind
        ]
        part = pairs[at : at + size]
        at += len(part)
        left, right = [p[0] for p in part], [p[1] for p in part]
        if kind == "null":
            if dice.random() < 0.5:
                right = []
            else:
                left = []
        elif kind in ("22", "23") and len(part) == size:
            # both sides cut at different places: nothing smaller than the whole is a pair
            whole = dice.random() < 0.5
            joined = " ".join(left if whole else right)
            cut = recut(joined, dice)
            if cut is None:
                left, right = [one(left, dice)], [one(right, dice)]
            elif whole:
                left = cut
            else:
                right = cut
        elif dice.random() < 0.5:
            left = [one(left, dice)]
        else:
            right = [one(right, dice)]
        beads.append(
            ([len(ar) + x for x in range(len(left))], [len(en) + x for x in range(len(right))])
        )
        ar += left
        en += right
    return degraded(Item(item.group, "book", ar, en, beads), dice, loose)


def one(sentences: list[str], dice: random.Random) -> str:
    """Sentences as one: often with commas for full stops, as prose is translated."""
    if len(sentences) > 1 and dice.random() < 0.6:
        comma = "،" if any("\u0600" <= c <= "\u06ff" for c in sentences[0]) else ","
        sentences = [*(x.rstrip(".!") + comma for x in sentences[:-1]), sentences[-1]]
    return " ".join(sentences)


def recut(text: str, dice: random.Random) -> list[str] | None:
    """`text` in two, at a comma away from full stops."""
    words = text.split(" ")
    places = [i + 1 for i, w in enumerate(words[:-1]) if w.endswith((",", "،", ";", "؛"))
              and len(words) * 0.2 < i < len(words) * 0.8]  # fmt: skip
    if not places:
        return None
    at = dice.choice(places)
    return [" ".join(words[:at]), " ".join(words[at:])]


def degraded(item: Item, dice: random.Random, loose: float) -> Item:
    """A share `loose` of the words of one side of each line left out."""

    def thin(text: str) -> str:
        words = text.split(" ")
        kept = [w for w in words if dice.random() >= loose]
        return " ".join(kept or words[:1])

    if not loose:
        return item
    return item._replace(ar=[thin(t) for t in item.ar], en=[thin(t) for t in item.en])


def noised(
    item: Item, others: Sequence[Item], dice: random.Random, phrases: dict[str, list[str]]
) -> Item:
    """Lines left out on one side, and furniture and lines of other documents put in."""
    gone, foreign = dice.choice([0.05, 0.15, 0.3, 0.5]), dice.choice([0.0, 0.1, 0.25, 0.5])
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

    for a, b in item.beads:
        if dice.random() < foreign:
            size = dice.choice([1, 1, 1, 2, 4])
            if dice.random() < 0.5:
                beads += [([len(ar) + x], []) for x in range(size)]
                ar += foreign_lines("ar", size)
            else:
                beads += [([], [len(en) + x]) for x in range(size)]
                en += foreign_lines("en", size)
        left, right = [item.ar[i] for i in a], [item.en[j] for j in b]
        if dice.random() < gone:
            if dice.random() < 0.5:
                left = []
            else:
                right = []
        beads.append(
            ([len(ar) + x for x in range(len(left))], [len(en) + x for x in range(len(right))])
        )
        ar += left
        en += right
    return Item(item.group, "junk", ar, en, [x for x in beads if x[0] or x[1]])


def strangers(one: Item, other: Item) -> Item:
    """Two documents that have nothing to do with one another, as a wrong pair of pages is."""
    nulls: Gold = [([i], []) for i in range(len(one.ar))]
    nulls += [([], [j]) for j in range(len(other.en))]
    return Item(one.group, "strangers", one.ar, other.en, nulls)


def phrases() -> dict[str, list[str]]:
    """What furniture says, of this project's own list."""
    path = HERE.parent / "roles" / "phrases.txt"
    all_ = [x for x in lines(path) if x and x[0] not in "#["]
    return {"ar": [x for x in all_ if "\u0600" <= x[0] <= "\u06ff"],
            "en": [x.capitalize() for x in all_ if x.isascii()]}  # fmt: skip


def training(items: Sequence[Item], seed: int = 7) -> list[Item]:
    """The items, and altered copies of them."""
    dice = random.Random(seed)
    out = list(items)
    clean = [x for x in items if x.cond == "clean"]
    furniture = phrases()
    for item in clean:
        others = [x for x in clean if x.group != item.group]
        out.append(book(item, dice, 0.0))
        out.append(book(item, dice, 0.2)._replace(cond="book20"))
        out.append(degraded(item, dice, 0.25)._replace(cond="clean25"))
        out.append(noised(item, others, dice, furniture))
        out.append(noised(book(item, dice, 0.0), others, dice, furniture)._replace(cond="junkbook"))
    out += [strangers(a, b) for a, b in zip(clean[::2], clean[1::2], strict=False)]
    noisy = [item for item in items if item.cond == "noisy"]
    out += [degraded(item, dice, 0.2)._replace(cond="noisy20") for item in noisy]
    return out


# Documents for the `free` items: lines of each source, and how many items. Scripture is the only
# literature at hand; what the encoder learned from is thinned, so that it looks as strange as new
# text does.
FREE = {
    "bible_vandyck_bsb": 16, "bible_onav_bsb": 10, "quran_risan": 8, "aquifer_study_notes": 8,
    "uw_bible_stories": 6, "vue_docs": 4, "raspberrypi_projects": 4, "cc_legalcode": 3, "udhr": 1,
}  # fmt: skip
_LINES = 45
CLAUSE = re.compile(r"(?<=[.;:!?,—؛،؟])\s+")
SENTENCE = re.compile(r"(?<=[.!?؟])\s+")


def free(folder: Path, *, seed: int = 11, held_out: bool = False) -> list[Item]:
    """Documents cut differently on both sides, as prose is translated: 1-8, 8-1, and between.

    One side has a line a verse or paragraph, or two joined; the other a line a clause or
    sentence; at times both are cut. Words are left out of both, here and there a line, and
    sometimes all marks of one side. Learning takes the first half of each source; `held_out` is
    documents of the second.
    """
    dice = random.Random(seed)
    out = []
    for name, count in FREE.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            continue
        pairs = [tuple(x.split("\t")[:2]) for x in lines(path)]
        half = len(pairs) // 2
        pairs = pairs[half:] if held_out else pairs[:half]
        size = min(_LINES, half)
        for _ in range(count):
            at = dice.randrange(half - size + 1)
            item = loosened(name, pairs[at : at + size], dice)
            out.append(degraded(item, dice, dice.choice([0.1, 0.2, 0.3, 0.4])))
    return out


def loosened(name: str, pairs: Sequence[tuple[str, ...]], dice: random.Random) -> Item:
    """One document of `free`."""
    finer = dice.choice([0, 0, 1])  # the side that is cut finer: English, or Arabic
    cut = dice.choice([CLAUSE, CLAUSE, SENTENCE])
    joined, gone = dice.choice([0.05, 0.15, 0.3]), dice.choice([0.0, 0.0, 0.05, 0.15])
    bare = dice.choice([None, None, 0, 1])  # the side that has no marks
    sides: tuple[list[str], list[str]] = ([], [])
    beads: Gold = []
    at = 0
    while at < len(pairs):
        some = pairs[at : at + (2 if dice.random() < joined else 1)]
        at += len(some)
        texts = [" ".join(p[side] for p in some) for side in (0, 1)]
        made = [[texts[0]], [texts[1]]]
        made[finer] = pieces(texts[finer], cut, dice)
        if dice.random() < 0.15:
            other = pieces(texts[1 - finer], cut, dice)
            if len(other) == 2 and len(made[finer]) in (2, 3) and dice.random() < 0.3:
                made[1 - finer] = other
        if dice.random() < gone:
            made[dice.randrange(2)] = []
        beads.append((_next(sides[1], made[1]), _next(sides[0], made[0])))
        for to, more in zip(sides, made, strict=True):
            to.extend(more)
    if bare is not None:
        sides[bare][:] = [re.sub(r"[.;:!?,—؛،؟]", "", x) or x for x in sides[bare]]
    return Item(name, "free", sides[1], sides[0], beads)


def _next(before: Sequence[str], more: Sequence[str]) -> list[int]:
    return list(range(len(before), len(before) + len(more)))


def pieces(text: str, cut: re.Pattern[str], dice: random.Random) -> list[str]:
    """`text` at its marks, four words or more a piece, eight pieces at most."""
    out: list[str] = []
    held = ""
    for part in cut.split(text):
        held = f"{held} {part}".strip()
        if len(held.split()) >= 4 and (cut is SENTENCE or dice.random() < 0.8):
            out.append(held)
            held = ""
    if held:
        out[-1:] = [f"{out[-1]} {held}"] if out else [held]
    return [*out[:7], " ".join(out[7:])] if len(out) > 8 else out


class Example(NamedTuple):
    """An item made ready."""

    item: Item
    swap: bool
    features: F32  # [names, beads that exist]
    where: NDArray[np.int64]  # flat index of each in [diagonals, types, width]
    shape: tuple[int, int, int]
    grid: Any
    gold: F64  # sum of the evidence of the gold beads
    evidence: Any
    cells: NDArray[np.int64]  # flat index of the gold beads


def prepare(item: Item, encode: Callable[[list[str]], F32]) -> Example:
    """Look at an item, the shorter side first."""
    swap = len(item.ar) > len(item.en)
    sides = [prepare_side(item.ar, "ar", encode), prepare_side(item.en, "en", encode)]
    beads = split_nulls(item.beads)
    if swap:
        sides.reverse()
        beads = [(b, a) for a, b in beads]
    grid = choose_band(*sides)
    evidence = Evidence(sides[0], sides[1], lexicon(), grid)
    exists = evidence.bead_mask()
    full = evidence.features()
    where = np.flatnonzero(exists)
    features = full.reshape(len(FEATURE_NAMES), -1)[:, where]
    cells = []
    kinds = {t: x for x, t in enumerate(TYPES)}
    i = j = 0
    for a, b in beads:
        i, j = i + len(a), j + len(b)
        column = i - grid.low[i + j]
        kind = kinds.get((len(a), len(b)))
        if kind is not None and 0 <= column < grid.width:
            cells.append(((i + j) * len(TYPES) + kind) * grid.width + column)
    gold = full.reshape(len(FEATURE_NAMES), -1)[:, cells].sum(axis=1)
    return Example(item, swap, features, where, exists.shape, grid, gold, evidence, np.array(cells))


RATES = [FEATURE_NAMES.index("null_rate"), FEATURE_NAMES.index("null_near")]


def second(example: Example, first: F64) -> Example:
    """The example with what a first pass tells about its nulls."""
    example.evidence.learn_nulls(best_path(scores(example, first), example.grid))
    d, types, width = example.shape
    full = np.zeros((2, d, types, width), np.float32)
    i, j = example.grid.cells(0, d)
    for t, (at, most) in enumerate(((i, example.grid.n), (j, example.grid.m))):
        values = np.pad(example.evidence.null_rates[t], ((0, 0), (1, 0)))
        full[:, :, t] = values[:, np.clip(at, 0, most)]
    features = example.features.copy()
    features[RATES] = full.reshape(2, -1)[:, example.where]
    gold = example.gold.copy()
    gold[RATES] = full.reshape(2, -1)[:, example.cells].sum(axis=1)
    return example._replace(features=features, gold=gold)


def scores(example: Example, weights: F64) -> F32:
    """Scores of all beads."""
    out = np.full(int(np.prod(example.shape)), NEVER, np.float32)
    out[example.where] = weights.astype(np.float32) @ example.features
    return out.reshape(example.shape)


def decode(example: Example, weights: F64, chances: bool = False) -> list[Any]:
    """Beads in the scorer's form: Arabic first; with their probability if asked for."""
    held = scores(example, weights)
    p = posteriors(held, example.grid) if chances else None
    out: list[Any] = []
    for bead in best_path(held, example.grid):
        if bead.type < NULLS:
            continue
        a, b = TYPES[bead.type]
        s, t = list(range(bead.i, bead.i + a)), list(range(bead.j, bead.j + b))
        one: Any = [t, s] if example.swap else [s, t]
        if p is not None:
            k = bead.i + a + bead.j + b
            one.append(float(p[k, bead.type, bead.i + a - example.grid.low[k]]))
        out.append(one)
    return out


def batches(examples: Sequence[Example], size: int = 24) -> list[list[Example]]:
    """Examples of like size batch_posteriors."""
    out: list[list[Example]] = []
    for e in sorted(examples, key=lambda e: e.shape[0]):
        if not out or len(out[-1]) == size or e.shape[0] > 1.4 * out[-1][0].shape[0]:
            out.append([])
        out[-1].append(e)
    return out


# What has been written by others counts for more than altered copies of it.
WEIGHT = {"clean": 1.5, "merge": 2.0, "noisy": 3.0, "long": 3.0}


def gradient(batch: Sequence[Example], weights: F64) -> F64:
    """Of the log likelihood of some examples."""
    length, width = (max(e.shape[x] for e in batch) for x in (0, 2))
    held = np.full((len(batch), length, len(TYPES), width), NEVER, np.float32)
    low = np.zeros((len(batch), length), np.int64)
    inside = np.zeros((len(batch), length, width), bool)
    for x, e in enumerate(batch):
        d, _, w = e.shape
        held[x, :d, :, :w] = scores(e, weights)
        low[x, :d], low[x, d:] = e.grid.low, e.grid.low[-1]
        inside[x, :d, :w] = e.grid.inside(0, d)
    chances = batch_posteriors(held, low, inside)
    total = np.zeros(len(FEATURE_NAMES))
    for x, e in enumerate(batch):
        d, _, w = e.shape
        total += WEIGHT.get(e.item.cond, 1.0) * (
            e.gold - e.features @ chances[x, :d, :, :w].reshape(-1)[e.where]
        )
    return total


def learn(
    examples: Sequence[Example], steps: int = 60, decay: float = 2.0, start: F64 | None = None
) -> F64:
    """Weights: Adam (Kingma & Ba 2015) on the penalised likelihood."""
    if start is not None:
        return _climb(examples, start.copy(), steps, decay)
    weights = np.zeros(len(FEATURE_NAMES))
    weights[FEATURE_NAMES.index("margin")] = 2.0
    weights[FEATURE_NAMES.index("words")] = 5.0
    weights[FEATURE_NAMES.index("length")] = -1.0
    weights[FEATURE_NAMES.index("null")] = 1.0
    for x in ("two", "three", "many", "two_two", "two_three"):
        weights[FEATURE_NAMES.index(x)] = -2.0
    return _climb(examples, weights, steps, decay)


def _climb(examples: Sequence[Example], weights: F64, steps: int, decay: float) -> F64:
    groups = batches(examples)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    total = sum(len(e.item.beads) for e in examples)
    for step in range(1, steps + 1):
        g = sum(gradient(b, weights) for b in groups) - decay * weights
        g = g / total
        first = 0.9 * first + 0.1 * g
        second = 0.99 * second + 0.01 * g * g
        rate = 0.25 * (1 - step / (steps + 1)) + 0.01
        weights += rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-6)
    return weights


def both(examples: Sequence[Example], steps: int = 60) -> tuple[F64, F64]:
    """Weights of the first pass and of the second."""
    first = learn(examples, steps=steps * 2 // 3)
    return first, learn([second(e, first) for e in examples], steps=steps, start=first)


class Judged(NamedTuple):
    """A pair that was found: what its score is made of, and whether it is right."""

    odds: float
    margin: float
    words: float
    right: bool


def judged(example: Example, weights: F64) -> list[Judged]:
    """The pairs of an example."""
    gold = {(tuple(a), tuple(b)) for a, b in example.item.beads}
    held = scores(example, weights)
    path = [b for b in best_path(held, example.grid) if b.type >= NULLS]
    chances = posteriors(held, example.grid)
    values = example.evidence.bead_features(path) if path else np.zeros((len(BEAD_FEATURES), 0))
    out = []
    for bead, value in zip(path, values.T, strict=True):
        a, b = TYPES[bead.type]
        k = bead.i + a + bead.j + b
        p = float(chances[k, bead.type, bead.i + a - example.grid.low[k]])
        p = min(max(p, 1e-6), 1 - 1e-6)
        pair = (tuple(range(bead.i, bead.i + a)), tuple(range(bead.j, bead.j + b)))
        if example.swap:
            pair = (pair[1], pair[0])
        out.append(Judged(float(np.log(p / (1 - p))), float(value[BEAD_FEATURES.index("margin")]),
                          float(value[BEAD_FEATURES.index("words")]), pair in gold))  # fmt: skip
    return out


def scale(pairs: Sequence[Judged]) -> list[float]:
    """Offset and slopes that make scores probabilities: logistic regression by Newton's method."""
    x = np.array([(1.0, p.odds, p.margin, p.words) for p in pairs])
    y = np.array([p.right for p in pairs], float)
    slopes = np.array([0.0, 1.0, 0.0, 0.0])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ slopes))
        step = x.T @ (y - p) - 0.1 * (slopes - (0, 1, 0, 0))
        slopes += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 0.1 * np.eye(4), step)
    return [round(float(v), 4) for v in slopes]


def main() -> None:
    """Cross-validate, then learn from all and write."""
    from ingest.encoder.model import Encoder

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--parallel", type=Path, required=True, help="english<TAB>arabic files")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--out", type=Path, help="folder for the beads found in cross-validation")
    args = parser.parse_args()
    encode = Encoder.load().encode_sums
    items = training(bench(args.bench)) + free(args.parallel)
    examples = [prepare(item, encode) for item in items]
    # strangers say what a score is worth; learning from them too costs right pairs elsewhere
    learned = [e for e in examples if e.item.cond != "strangers"]
    groups = sorted({e.item.group for e in examples if e.item.cond != "long"})
    pairs: list[Judged] = []
    for fold in range(args.folds):
        out = set(groups[fold :: args.folds])
        rest = [e for e in learned if e.item.group not in out and e.item.cond != "long"]
        first, last = both(rest, args.steps)
        # `long` is made of the same stories: it is judged once, by weights that saw most of them
        for e in examples:
            if e.item.group in out or (e.item.cond == "long" and fold == 0):
                again = second(e, first)
                pairs += judged(again, last)
                if args.out:
                    to = args.out / e.item.cond
                    to.mkdir(parents=True, exist_ok=True)
                    (to / f"{e.item.group}.json").write_text(json.dumps(decode(again, last)))
    first, last = both(learned, args.steps)
    if not pairs:
        pairs = [p for e in examples for p in judged(second(e, first), last)]
    held = {
        "evidence": {n: round(float(v), 4) for n, v in zip(FEATURE_NAMES, last, strict=True)},
        "first": {n: round(float(v), 4) for n, v in zip(FEATURE_NAMES, first, strict=True)},
        "score": scale(pairs),
    }
    (HERE / "weights.json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

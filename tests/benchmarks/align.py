"""How well and how fast sentences are aligned, beside Gale and Church's programme.

    python tests/benchmarks/align.py [--bench DIR] [--parallel DIR] [--run DIR] [--translate]
                                     [--speed] [--book N]

`free` are documents made of pairs of the second half of each source, whose sides are cut
differently (1-8, 8-1 and between), with words left out: the nearest to novels that is at hand.
Writes RUNDIR/<condition>/<item>.json for the scorer of the bench, and prints strict and lax F1 and
leak (share of lines without counterpart that ended in a pair) for each condition. `--translate`
has an installed package translate one side and takes that as evidence too. `--speed` times
1,000 lines a side of `long` after loading; `--book N` a pair of N made-up lines, with memory.
The shipped load_weights were learned on the development items: `lang_models/align/README.md` has what
cross-validation says of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ingest.alignment.decoding import align_sentences, load_weights
from ingest.alignment.machine_translation import load_side_translator
from ingest.encoder.lexicon import lexicon
from ingest.encoder.model import Encoder

sys.path.insert(0, str(Path(__file__).parents[2]))
from lang_models.align.fit import free


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def ours(ar: list[str], en: list[str]) -> list:
    encode = Encoder.load().encode_sums
    return [
        [f.source, f.target] for f in align_sentences(ar, en, langs=("ar", "en"), encode=encode)
    ]


def translated(ar: list[str], en: list[str]) -> list:
    encode, extra = Encoder.load().encode_sums, load_side_translator(("ar", "en")).encode
    return [
        [f.source, f.target]
        for f in align_sentences(ar, en, langs=("ar", "en"), encode=encode, extra=extra)
    ]


_PRIORS = {
    (1, 1): 0.89,
    (1, 0): 0.005,
    (0, 1): 0.005,
    (2, 1): 0.0445,
    (1, 2): 0.0445,
    (2, 2): 0.011,
}


def gale_church(ar: list[str], en: list[str]) -> list:
    """Gale & Church 1993: lengths alone; variance 6.8 a character."""
    from math import erfc, log, sqrt

    a, b = ([0, *np.cumsum([len(t) for t in side]).tolist()] for side in (ar, en))
    ratio = b[-1] / max(a[-1], 1)
    best: dict = {(0, 0): (0.0, None)}
    for i in range(len(ar) + 1):
        for j in range(len(en) + 1):
            for (x, y), prior in _PRIORS.items():
                if i >= x and j >= y and (i - x, j - y) in best:
                    s, t = a[i] - a[i - x], b[j] - b[j - y]
                    delta = (t - s * ratio) / sqrt(6.8 * max((s + t / ratio) / 2, 1))
                    cost = -log(prior) - log(max(erfc(abs(delta) / sqrt(2)), 1e-12))
                    total = best[i - x, j - y][0] + cost
                    if (i, j) not in best or total < best[i, j][0]:
                        best[i, j] = (total, (x, y))
    found, at = [], (len(ar), len(en))
    while at != (0, 0):
        x, y = best[at][1]
        if x and y:
            found.append([list(range(at[0] - x, at[0])), list(range(at[1] - y, at[1]))])
        at = (at[0] - x, at[1] - y)
    return found[::-1]


SYSTEMS = {"ingest": ours, "gale-church": gale_church}


def free_documents(scorer, parallel: Path) -> None:
    items = free(parallel, seed=5, held_out=True)
    for name, system in SYSTEMS.items():
        total = [0] * 13
        for item in items:
            sizes = len(item.ar), len(item.en)
            gold = scorer.norm(item.beads, *sizes)
            found = scorer.norm(system(item.ar, item.en), *sizes)
            total = [a + b for a, b in zip(total, scorer.counts(gold, found), strict=True)]
        r = scorer.summarise(total)
        print(f"{name:<14}{'free':<10}{r['f1_strict']:8.3f}{r['f1_lax']:8.3f}{r['leak']:8.3f}")


def score(bench: Path, parallel: Path, run: Path) -> None:
    spec = importlib.util.spec_from_file_location("score", bench / "score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    items = [
        m for m in json.loads((bench / "manifest.json").read_text())["items"] if m["split"] == "dev"
    ]
    print(f"{'':<14}{'condition':<10}{'strict':>8}{'lax':>8}{'leak':>8}")
    for name, system in SYSTEMS.items():
        for m in items:
            stem = bench / m["cond"] / m["name"]
            to = run / name / m["cond"] / f"{m['name']}.json"
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(json.dumps(system(lines(Path(f"{stem}.ar")), lines(Path(f"{stem}.en")))))
        for cond in dict.fromkeys(m["cond"] for m in items):
            r = scorer.score(str(bench), str(run / name), cond, "dev")
            print(f"{name:<14}{cond:<10}{r['f1_strict']:8.3f}{r['f1_lax']:8.3f}{r['leak']:8.3f}")
    free_documents(scorer, parallel)


def speed(bench: Path) -> None:
    ar, en = (lines(bench / "long" / f"l0.{lang}") for lang in ("ar", "en"))
    ar, en = (ar * 2)[:1000], (en * 2)[:1000]
    encode = Encoder.load().encode_sums
    align_sentences(ar[:50], en[:50], langs=("ar", "en"), encode=encode)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        align_sentences(ar, en, langs=("ar", "en"), encode=encode)
        took.append(time.perf_counter() - begun)
    print(f"1,000 lines a side: {took[0]:.2f} s the first time, {min(took):.2f} s the best of 5")


def book(count: int) -> None:
    """A made-up book: sentences of pairs of words from the lexicon, some joined, some left out."""
    held, dice = lexicon(), random.Random(0)
    stems = list(held.stems)
    pairs = [(stems[s], stems[int(held.to[held.first[s]])]) for s in range(len(stems))
             if held.first[s] < held.first[s + 1] and stems[s].isascii()]  # fmt: skip
    ar, en = [], []
    while len(ar) < count:
        some = [dice.choice(pairs) for _ in range(dice.randint(5, 25))]
        chance, left, right = (
            dice.random(),
            " ".join(p[1] for p in some),
            " ".join(p[0] for p in some),
        )
        if chance < 0.1 and ar:
            ar[-1] += " " + left
            en.append(right)
            continue
        ar += [left] * (chance < 0.95)
        en += [right] * (chance > 0.15)
    encode = Encoder.load().encode_sums
    load_weights()
    begun = time.perf_counter()
    found = align_sentences(ar, en, langs=("ar", "en"), encode=encode)
    took = time.perf_counter() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{len(ar):,} and {len(en):,} lines: {len(found):,} pairs, {took:.1f} s, {most:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, default="../shared/bench/align")
    parser.add_argument("--parallel", type=Path, default="../shared/parallel")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--translate", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--book", type=int, metavar="N")
    args = parser.parse_args()
    if args.book:
        book(args.book)
    elif not args.bench.is_dir():
        sys.exit(f"{args.bench} is not there; name the folder with --bench")
    elif args.speed:
        speed(args.bench)
    else:
        if args.translate:
            SYSTEMS["translated"] = translated
        score(args.bench, args.parallel, args.run or Path(tempfile.mkdtemp()))


if __name__ == "__main__":
    main()

"""Accuracy and speed of sentence alignment, compared with Gale and Church's method.

    python tests/benchmarks/align.py [--bench DIR] [--parallel DIR] [--run DIR] [--translate]
                                     [--speed] [--book N]

Prints strict and lax F1 and leak (the share of lines without a counterpart that ended up in a pair)
for each condition, and writes RUNDIR/<condition>/<item>.json for the scorer of the bench. `free`
documents are made of pairs from the second half of each source. Their sides are cut differently
(1-8, 8-1 and between) and words are dropped; they are the nearest to novels that is available.
`--translate` uses an installed package to translate one side as further evidence. `--speed` times
1,000 lines per side of `long` after loading. `--book N` aligns two made-up texts of N lines and
prints time and memory. The shipped weights were trained on the development documents:
`lang_models/align/README.md` has the results of cross-validation.
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
from lang_models.align.documents import free_documents, read_lines


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
    """Align by length alone (Gale & Church 1993), with a variance of 6.8 per character."""
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
    beads, at = [], (len(ar), len(en))
    while at != (0, 0):
        x, y = best[at][1]
        if x and y:
            beads.append([list(range(at[0] - x, at[0])), list(range(at[1] - y, at[1]))])
        at = (at[0] - x, at[1] - y)
    return beads[::-1]


SYSTEMS = {"ingest": ours, "gale-church": gale_church}


def score_free(scorer, parallel: Path) -> None:
    documents = free_documents(parallel, seed=5, held_out=True)
    for name, system in SYSTEMS.items():
        total = [0] * 13
        for doc in documents:
            sizes = len(doc.ar), len(doc.en)
            gold = scorer.norm(doc.beads, *sizes)
            beads = scorer.norm(system(doc.ar, doc.en), *sizes)
            total = [a + b for a, b in zip(total, scorer.counts(gold, beads), strict=True)]
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
            path = run / name / m["cond"] / f"{m['name']}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            ar, en = (read_lines(Path(f"{stem}.{lang}")) for lang in ("ar", "en"))
            path.write_text(json.dumps(system(ar, en)))
        for cond in dict.fromkeys(m["cond"] for m in items):
            r = scorer.score(str(bench), str(run / name), cond, "dev")
            print(f"{name:<14}{cond:<10}{r['f1_strict']:8.3f}{r['f1_lax']:8.3f}{r['leak']:8.3f}")
    score_free(scorer, parallel)


def speed(bench: Path) -> None:
    ar, en = (read_lines(bench / "long" / f"l0.{lang}") for lang in ("ar", "en"))
    ar, en = (ar * 2)[:1000], (en * 2)[:1000]
    encode = Encoder.load().encode_sums
    list(align_sentences(ar[:50], en[:50], langs=("ar", "en"), encode=encode))
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        list(align_sentences(ar, en, langs=("ar", "en"), encode=encode))
        seconds.append(time.perf_counter() - begun)
    print(f"1,000 lines per side: first run {seconds[0]:.2f} s, best of 5 {min(seconds):.2f} s")


def book(count: int) -> None:
    """Align a made-up book of word pairs from the lexicon; some lines are joined, some dropped."""
    words, dice = lexicon(), random.Random(0)
    stems = list(words.stems)
    pairs = [(stems[s], stems[int(words.to[words.first[s]])]) for s in range(len(stems))
             if words.first[s] < words.first[s + 1] and stems[s].isascii()]  # fmt: skip
    ar, en = [], []
    while len(ar) < count:
        sentence = [dice.choice(pairs) for _ in range(dice.randint(5, 25))]
        chance = dice.random()
        left, right = " ".join(p[1] for p in sentence), " ".join(p[0] for p in sentence)
        if chance < 0.1 and ar:
            ar[-1] += " " + left
            en.append(right)
            continue
        ar += [left] * (chance < 0.95)
        en += [right] * (chance > 0.15)
    encode = Encoder.load().encode_sums
    load_weights()
    begun = time.perf_counter()
    spans = list(align_sentences(ar, en, langs=("ar", "en"), encode=encode))
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{len(ar):,} and {len(en):,} lines: {len(spans):,} pairs, {seconds:.1f} s, {peak:.2f} GiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench/align"))
    parser.add_argument("--parallel", type=Path, default=Path("../shared/parallel"))
    parser.add_argument("--run", type=Path, metavar="RUNDIR", help="folder for the beads")
    parser.add_argument("--translate", action="store_true", help="also with a translated side")
    parser.add_argument("--speed", action="store_true", help="time 1,000 lines per side")
    parser.add_argument("--book", type=int, metavar="N", help="align made-up texts of N lines")
    args = parser.parse_args()
    if args.book:
        book(args.book)
    elif not args.bench.is_dir():
        sys.exit(f"{args.bench}: does not exist; give the folder with --bench")
    elif args.speed:
        speed(args.bench)
    else:
        if args.translate:
            SYSTEMS["translated"] = translated
        score(args.bench, args.parallel, args.run or Path(tempfile.mkdtemp()))


if __name__ == "__main__":
    main()

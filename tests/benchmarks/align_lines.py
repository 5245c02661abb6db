"""Measure `ingest align --lines` on two long texts.

    uv run python tests/benchmarks/align_lines.py [--lines 20000 200000]

The lines are made from templates with numbers. One line in thirty is on one side only; so are whole
passages of up to 200 lines, about one per 2,000 lines; and some neighbors share a line on one side.
Each text is aligned by a process of its own: `peak` is the most memory that was resident, and `anon`
the part of it that is no file mapped into memory. `found` is the share of the true pairs that are
among the pairs, `right` the share of the pairs that are true.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import polars as pl
from pairs_memory import watch

NOUNS = [
    ("البيت", "the house"), ("المدرسة", "the school"), ("السوق", "the market"),
    ("المستشفى", "the hospital"), ("الطريق", "the road"), ("المكتبة", "the library"),
    ("الحديقة", "the garden"), ("الجسر", "the bridge"), ("المصنع", "the factory"),
    ("الميناء", "the port"), ("المسجد", "the mosque"), ("النهر", "the river"),
]  # fmt: skip
SENTENCES = [
    ("باع التاجر {n} قطعة قرب {a} في عام {y}.", "The merchant sold {n} pieces near {a} in {y}."),
    ("زار {n} شخصا {a} ثم ذهبوا إلى {b}.", "{n} people visited {a} and then went to {b}."),
    ("قالت المديرة إن {a} يحتاج إلى {n} عامل.", "The director said that {a} needs {n} workers."),
    ("هل يوجد {n} طالبا في {a}؟", "Are there {n} students in {a}?"),
    ("كان {a} أقدم من {b} حتى عام {y}.", "Until {y}, {a} was older than {b}."),
    ("دفعت الحكومة {n} دينار لإصلاح {a} و{b}.",
     "The government paid {n} dinars to repair {a} and {b}."),
]  # fmt: skip


class Texts(NamedTuple):
    """Two texts and their true pairs, as line numbers of both sides."""

    arabic: list[str]
    english: list[str]
    pairs: set[tuple[tuple[int, ...], tuple[int, ...]]]


def make_texts(sentences: int, seed: int = 0) -> Texts:
    """Make two texts of about as many lines as there are sentences."""
    dice = random.Random(seed)
    texts = Texts([], [], set())
    passage = side = 0  # lines left of a passage that only one side has
    while sentences > 0:
        group = []
        for _ in range(2 if dice.random() < 0.02 else 1):
            (a, b), year = dice.sample(NOUNS, 2), dice.randrange(1850, 2025)
            number = dice.randrange(3, 20_000)
            group.append([
                text.format(n=number, y=year, a=a[lang], b=b[lang])
                for lang, text in enumerate(dice.choice(SENTENCES))
            ])  # fmt: skip
        sentences -= len(group)
        if passage <= 0 and dice.random() < 1 / 2000:
            passage, side = dice.randrange(1, 200), dice.randrange(2)
        alone = side if passage > 0 else dice.randrange(2) if dice.random() < 1 / 30 else None
        passage -= 1
        joined = dice.randrange(2)  # the side on which the group is one line
        numbers = []
        for lang, lines in enumerate(texts[:2]):
            if alone in {None, lang}:
                new = [sentence[lang] for sentence in group]
                new = [" ".join(new)] if lang == joined else new
                numbers.append(tuple(range(len(lines), len(lines) + len(new))))
                lines.extend(new)
        if alone is None:
            texts.pairs.add((numbers[0], numbers[1]))
    return texts


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[20_000, 200_000])
    args = parser.parse_args()
    print(f"{'lines':>8} {'CPU s':>7} {'peak MB':>8} {'anon MB':>8} {'found':>6} {'right':>6}")
    for lines in args.lines:
        texts = make_texts(lines)
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / name) for name in ("a.ar.txt", "a.en.txt")]
            for path, side in zip(paths, texts[:2], strict=True):
                Path(path).write_text("\n".join(side) + "\n", encoding="utf-8")
            out = str(Path(folder) / "pairs.parquet")
            command = ["align", "--lines", *paths, "-o", out, "-q"]
            usage = watch([sys.executable, "-m", "ingest", *command])
            rows = pl.read_parquet(out, columns=["source_segments", "target_segments"]).rows()
        pairs = {(tuple(source), tuple(target)) for source, target in rows}
        true = len(pairs & texts.pairs)
        print(
            f"{lines:>8,} {usage.cpu:>7.1f} {usage.peak:>8.0f} {usage.anonymous:>8.0f} "
            f"{true / len(texts.pairs):>6.1%} {true / max(len(pairs), 1):>6.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()

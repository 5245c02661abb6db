"""Retrieval of translations and speed of the sentence encoder, on one core.

    python tests/benchmarks/retrieval.py [--shared ../shared] [--encoder FOLDER] [--pairs TSV ...]

A pairs file holds `english<TAB>arabic` lines. Accuracy is the share of rows whose nearest row on
the other side is their own: > English to Arabic, < back; margin divides the cosine by the mean of
the four nearest on both sides. Sets that are not there are left out. A folder with a
sentence-transformers model is measured alike.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from ingest.encoder.model import SentenceEncoder, load
from lang_models.encoder import data
from lang_models.encoder.measure import line, retrieval

PASSES = 3
SENTENCES = 50_000


def speed(encoder: SentenceEncoder, texts: list[str]) -> tuple[float, float]:
    """Sentences a second: the first pass, when words are new, and the best of the later ones."""
    texts = (texts * (SENTENCES // len(texts) + 1))[:SENTENCES]
    took = []
    for _ in range(1 + PASSES):
        start = time.perf_counter()
        encoder.encode(texts)
        took.append(time.perf_counter() - start)
    return len(texts) / took[0], len(texts) / min(took[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    args = parser.parse_args()
    encoder = load(args.encoder)
    print(f"{encoder.name}, {encoder.dim} numbers a vector\n")
    files = [args.shared / "bench" / "mt" / "flores_devtest.tsv", *args.pairs]
    sets = {path.stem: data.pairs(path) for path in files if path.is_file()}
    if (args.shared / "parallel").is_dir():
        sets |= data.held_out(args.shared / "parallel")
    if not sets:
        sys.exit(f"no pairs under {args.shared}: nothing measured")
    print("| set | pairs | plain > | plain < | margin > | margin < |")
    print("|---|---|---|---|---|---|")
    for name, pairs in sets.items():
        rows = [encoder.encode(pairs[side].to_list()) for side in ("english", "arabic")]
        print(line(f"{name} | {len(pairs)}", retrieval(*rows)))
    print("\n| set | language | words a sentence | sentences a second: first, later |")
    print("|---|---|---|---|")
    for name, pairs in sets.items():
        for side in ("english", "arabic"):
            texts = pairs[side].to_list()
            length = sum(len(text.split()) for text in texts) / len(texts)
            first, later = speed(encoder, texts)
            print(f"| {name} | {side} | {length:.1f} | {first:,.0f}, {later:,.0f} |")


if __name__ == "__main__":
    main()

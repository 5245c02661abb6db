"""Accuracy of retrieving translations, and speed of the sentence encoder on one core.

    python tests/benchmarks/retrieval.py [--shared ../shared] [--encoder FOLDER] [--pairs TSV ...]

A pairs file contains `english<TAB>arabic` lines. Accuracy is the share of rows whose nearest row on
the other side is their translation: > is English to Arabic, < is the reverse. Margin divides the
cosine by the mean of the four nearest on both sides. Missing sets are skipped. `--encoder` also
accepts a folder with a sentence-transformers model.
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
from lang_models.encoder.measure import retrieval, table_row

PASSES = 3
SENTENCES = 50_000


def speed(encoder: SentenceEncoder, texts: list[str]) -> tuple[float, float]:
    """Sentences per second in the first pass, when words are new, and in the best later pass."""
    texts = (texts * (SENTENCES // len(texts) + 1))[:SENTENCES]
    seconds = []
    for _ in range(1 + PASSES):
        start = time.perf_counter()
        encoder.encode(texts)
        seconds.append(time.perf_counter() - start)
    return len(texts) / seconds[0], len(texts) / min(seconds[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared"), help="folder of evaluation data"
    )
    parser.add_argument("--encoder", type=Path, help="folder of another encoder")
    parser.add_argument("--pairs", type=Path, nargs="*", default=[], help="further pairs files")
    args = parser.parse_args()
    encoder = load(args.encoder)
    print(f"{encoder.name}, {encoder.dim} dimensions\n")
    files = [args.shared / "bench" / "mt" / "flores_devtest.tsv", *args.pairs]
    sets = {path.stem: data.pairs(path) for path in files if path.is_file()}
    if (args.shared / "parallel").is_dir():
        sets |= data.held_out(args.shared / "parallel")
    if not sets:
        sys.exit(f"{args.shared}: contains no pairs; give the folder with --shared")
    print("| set | pairs | plain > | plain < | margin > | margin < |")
    print("|---|---|---|---|---|---|")
    for name, pairs in sets.items():
        rows = [encoder.encode(pairs[side].to_list()) for side in ("english", "arabic")]
        print(table_row(f"{name} | {len(pairs)}", retrieval(*rows)))
    print("\n| set | language | words per sentence | sentences per second: first, later |")
    print("|---|---|---|---|")
    for name, pairs in sets.items():
        for side in ("english", "arabic"):
            texts = pairs[side].to_list()
            length = sum(len(text.split()) for text in texts) / len(texts)
            first, later = speed(encoder, texts)
            print(f"| {name} | {side} | {length:.1f} | {first:,.0f}, {later:,.0f} |")


if __name__ == "__main__":
    main()

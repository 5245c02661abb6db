"""How well `quality` tells good pairs from spoilt ones, beside single measures, and how fast.

    python tests/benchmarks/quality.py [--shared DIR] [--pairs FILE ...] [--labse DIR]

Good pairs are those of FLORES devtest, which nothing here was trained on, and of files named with
`--pairs` (english<TAB>arabic); each is spoilt in every kind of `lang_models/quality/damage.py` that
it can be. Printed are, in the same run, the area under the ROC curve a kind, for `quality` and for
its peers; calibration over a set of as many good as spoilt pairs, all kinds alike; and pairs a
second of processor time on one core (start with OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1). What
cross-validation says of the held-out slices of the training text, `recipe.py` prints.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[2]))
from ingest.encoder.model import Encoder, load
from ingest.errors import IngestError
from ingest.frames import PAIRS, schema
from ingest.pairing.candidates import neighbors
from ingest.scoring import score
from lang_models.encoder import data as texts
from lang_models.quality import data
from lang_models.quality.damage import KINDS, Store
from lang_models.quality.measure import auc, reliability

AROUND = 4  # neighbours of a margin


def as_pairs(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns english and arabic as a pairs frame."""
    made = frame.select(
        pair_id=pl.int_range(pl.len()).cast(pl.String),
        source_lang=pl.lit("en"), target_lang=pl.lit("ar"),
        source_text="english", target_text="arabic", method=pl.lit("aligned"),
    )  # fmt: skip
    missing = {n: t for n, t in schema(PAIRS).items() if n not in made.columns}
    return made.with_columns(**{n: pl.lit(None, t) for n, t in missing.items()}).select(
        schema(PAIRS).names()
    )


def margin(frame: pl.DataFrame, good: pl.DataFrame, encoder) -> tuple[np.ndarray, np.ndarray]:
    """Cosine; and cosine over the mean with the four nearest good sentences on both sides."""
    en, ar = (encoder.encode(frame[side]) for side in ("english", "arabic"))
    cosine = np.einsum("ij,ij->i", en, ar)
    others = [encoder.encode(good[side]) for side in ("english", "arabic")]
    usual = [
        neighbors(mine, theirs, AROUND)[1].mean(axis=1)
        for mine, theirs in ((en, others[1]), (ar, others[0]))
    ]
    return cosine, cosine / np.maximum((usual[0] + usual[1]) / 2, 1e-6)


def length(frame: pl.DataFrame) -> np.ndarray:
    """Minus the absolute logarithm of the ratio of lengths, less what is usual."""
    sizes = [frame[side].str.len_chars().to_numpy() + 1.0 for side in ("english", "arabic")]
    log = np.log(sizes[1] / sizes[0])
    return -np.abs(log - np.median(log[(frame["kind"] == "").to_numpy()]))


def show(frame: pl.DataFrame, scores: dict[str, np.ndarray]) -> None:
    kind = frame["kind"].to_numpy()
    print(f"| kind | pairs | {' | '.join(scores)} |\n|---|---|{'---|' * len(scores)}")
    rows = {}
    for k in KINDS:
        rows[k] = [auc(x[kind == ""], x[kind == k]) for x in scores.values()]
        print(f"| {k} | {(kind == k).sum()} | {' | '.join(f'{v:.3f}' for v in rows[k])} |")
    mean = np.mean(list(rows.values()), axis=0)
    print(f"| all alike | {len(frame)} | {' | '.join(f'{v:.3f}' for v in mean)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    parser.add_argument("--labse", type=Path, help="folder of LaBSE, if it is at hand")
    args = parser.parse_args()
    files = [args.shared / "bench" / "mt" / "flores_devtest.tsv", *args.pairs]
    sets = {path.stem: texts.pairs(path).rows() for path in files if path.is_file()}
    if not sets or not (args.shared / "lid_text").is_dir():
        sys.exit(f"no pairs or no lid_text under {args.shared}: nothing measured")
    names = [pair for path in (args.shared / "parallel").glob("tico19.tsv")
             for pair in texts.pairs(path).rows()]  # fmt: skip
    neural = None
    try:
        neural = load(args.labse) if args.labse else None
    except IngestError as error:
        print(f"LaBSE left out: {error}")
    if neural is None:
        print("LaBSE left out: no folder of it was named with --labse")
    for name, pairs in sets.items():
        store = Store.of(args.shared / "lid_text", names or pairs)
        frame = data.judged(pairs, store, seed=11)
        good = frame.filter(pl.col("kind") == "")
        begun = time.process_time()
        scored = score(as_pairs(frame))
        first = len(frame) / (time.process_time() - begun)
        quality = scored["quality"].to_numpy().astype(np.float64)
        cosine, ratio = margin(frame, good, Encoder.load())
        peers = {"quality": quality, "cosine": cosine, "margin": ratio, "length": length(frame)}
        if neural is not None:
            peers["LaBSE"] = margin(frame, good, neural)[0]
        print(f"\n{name}, {len(pairs)} pairs\n")
        show(frame, peers)
        even = data.balanced(frame.with_columns(quality=quality))
        right = (even["kind"] == "").to_numpy()
        weight = np.where(right, 1 / right.sum(), 1 / (~right).sum())
        error, rows = reliability(even["quality"].to_numpy(), right, weight)
        print(f"\nexpected calibration error {error:.3f}\n\n| quality | pairs | mean | good |")
        print("|---|---|---|---|")
        for low, n, mean, share in rows:
            print(f"| {low:.1f}-{low + 0.1:.1f} | {n} | {mean:.3f} | {share:.3f} |")
        plain = as_pairs(good)
        score(plain)
        begun = time.process_time()
        score(plain)
        later = len(plain) / (time.process_time() - begun)
        print(f"\npairs a second: {first:,.0f} all, loading and new words; {later:,.0f} good ones, "
              f"a second time ({np.mean([len(e.split()) for e, _ in pairs]):.0f} words a side)")  # fmt: skip


if __name__ == "__main__":
    main()

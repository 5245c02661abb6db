"""How well `quality` separates good pairs from damaged ones, compared with single measures.

    python tests/benchmarks/quality.py [--shared DIR] [--pairs FILE ...] [--labse DIR]

Good pairs are those of FLORES devtest, which nothing here was trained on, and those of the files
given with `--pairs` (english<TAB>arabic). Each is damaged in every way of
`lang_models/quality/damage.py`. The benchmark prints the area under the ROC curve for each kind of
damage, for `quality` and the measures it is compared with; the calibration on a set of equally many
good and damaged pairs, with equally many of each kind; and the pairs per second of processor time
on one core (start it with OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1). `recipe.py` prints the
cross-validated figures for held-out pairs of the training text.
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

NEIGHBOURS = 4  # nearest sentences for the margin


def as_pairs(frame: pl.DataFrame) -> pl.DataFrame:
    """Make a pairs frame from columns english and arabic."""
    pairs = frame.select(
        pair_id=pl.int_range(pl.len()).cast(pl.String),
        source_lang=pl.lit("en"), target_lang=pl.lit("ar"),
        source_text="english", target_text="arabic", method=pl.lit("aligned"),
    )  # fmt: skip
    missing = {n: t for n, t in schema(PAIRS).items() if n not in pairs.columns}
    return pairs.with_columns(**{n: pl.lit(None, t) for n, t in missing.items()}).select(
        schema(PAIRS).names()
    )


def margin(frame: pl.DataFrame, good: pl.DataFrame, encoder) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosine, and its ratio to the mean of the nearest good sentences on both sides."""
    en, ar = (encoder.encode(frame[side]) for side in ("english", "arabic"))
    cosine = np.einsum("ij,ij->i", en, ar)
    others = [encoder.encode(good[side]) for side in ("english", "arabic")]
    usual = [
        neighbors(mine, theirs, NEIGHBOURS)[1].mean(axis=1)
        for mine, theirs in ((en, others[1]), (ar, others[0]))
    ]
    return cosine, cosine / np.maximum((usual[0] + usual[1]) / 2, 1e-6)


def length(frame: pl.DataFrame) -> np.ndarray:
    """Return minus the absolute difference of the log length ratio from its median."""
    sizes = [frame[side].str.len_chars().to_numpy() + 1.0 for side in ("english", "arabic")]
    log = np.log(sizes[1] / sizes[0])
    return -np.abs(log - np.median(log[(frame["kind"] == "").to_numpy()]))


def print_areas(frame: pl.DataFrame, scores: dict[str, np.ndarray]) -> None:
    kind = frame["kind"].to_numpy()
    print(f"| kind | pairs | {' | '.join(scores)} |\n|---|---|{'---|' * len(scores)}")
    rows = {}
    for k in KINDS:
        rows[k] = [auc(x[kind == ""], x[kind == k]) for x in scores.values()]
        print(f"| {k} | {(kind == k).sum()} | {' | '.join(f'{v:.3f}' for v in rows[k])} |")
    mean = np.mean(list(rows.values()), axis=0)
    print(f"| all | {len(frame)} | {' | '.join(f'{v:.3f}' for v in mean)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    parser.add_argument("--labse", type=Path, help="folder of LaBSE, if available")
    args = parser.parse_args()
    files = [args.shared / "bench" / "mt" / "flores_devtest.tsv", *args.pairs]
    sets = {path.stem: texts.pairs(path).rows() for path in files if path.is_file()}
    if not sets or not (args.shared / "lid_text").is_dir():
        sys.exit(f"no pairs or no lid_text under {args.shared}: cannot measure anything")
    names = [pair for path in (args.shared / "parallel").glob("tico19.tsv")
             for pair in texts.pairs(path).rows()]  # fmt: skip
    labse = None
    try:
        labse = load(args.labse) if args.labse else None
    except IngestError as error:
        print(f"LaBSE left out: {error}")
    if labse is None:
        print("LaBSE left out: give its folder with --labse")
    for name, pairs in sets.items():
        store = Store.build(args.shared / "lid_text", names or pairs)
        frame = data.evaluation_set(pairs, store, seed=11)
        good = frame.filter(pl.col("kind") == "")
        start = time.process_time()
        scored = score(as_pairs(frame))
        first = len(frame) / (time.process_time() - start)
        quality = scored["quality"].to_numpy().astype(np.float64)
        cosine, ratio = margin(frame, good, Encoder.load())
        measures = {"quality": quality, "cosine": cosine, "margin": ratio, "length": length(frame)}
        if labse is not None:
            measures["LaBSE"] = margin(frame, good, labse)[0]
        print(f"\n{name}, {len(pairs)} pairs\n")
        print_areas(frame, measures)
        even = data.balance(frame.with_columns(quality=quality))
        right = (even["kind"] == "").to_numpy()
        weight = np.where(right, 1 / right.sum(), 1 / (~right).sum())
        error, rows = reliability(even["quality"].to_numpy(), right, weight)
        print(f"\nexpected calibration error {error:.3f}\n\n| quality | pairs | mean | good |")
        print("|---|---|---|---|")
        for low, n, mean, share in rows:
            print(f"| {low:.1f}-{low + 0.1:.1f} | {n} | {mean:.3f} | {share:.3f} |")
        plain = as_pairs(good)
        score(plain)
        start = time.process_time()
        score(plain)
        later = len(plain) / (time.process_time() - start)
        print(f"\npairs per second: {first:,.0f} for all, with loading and new words; {later:,.0f} "
              f"for good ones again ({np.mean([len(e.split()) for e, _ in pairs]):.0f} words per side)")  # fmt: skip


if __name__ == "__main__":
    main()

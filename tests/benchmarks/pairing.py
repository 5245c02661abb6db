"""Pairing of pages: precision, recall and F1 on crawls made of documents with translations.

    python tests/benchmarks/pairing.py [--shared ../shared] [--seeds 3] [--units 20000]
    python tests/benchmarks/pairing.py --near-copies [--shared ../shared] [--seeds 3] [--units 20000]

The crawls of lang_models/align/crawls.py are labelled by an ordinary run, and the pairs of pages
are compared with the truth. The second part times `pair` on made-up units. `--near-copies` measures
sites that hold each page in many versions instead, see lang_models/align/near_copies.py.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import numpy as np
import polars as pl

import ingest
from ingest.encoder.model import Encoder
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.jobs.pair import pair_run
from ingest.pairing import SEGMENT_COLUMNS
from ingest.pairing.candidates import find_candidates, one_to_one, scores
from ingest.pairing.units import FIRST, Units, quantize
from ingest.pairing.urls import DOCUMENT_COLUMNS, collect_page_urls
from lang_models.align.crawls import CONDITIONS, SIDES, labelled
from lang_models.align.near_copies import ADDRESSES, SITES, build_site, write_site

FIRST_SEED = 3  # of the sites with near-copies: 1 and 2 were looked at during development


def measure(names: pl.DataFrame, out: Path, true: set[str]) -> tuple[int, int, int]:
    """Count correct, predicted and true pairs of pages; two versions on one page do not count."""
    pair_run(out, overwrite=True)
    pairs = pl.read_parquet(out / "pages.parquet").drop_nulls("score")
    pairs = pairs.filter(pl.col("source_doc") != pl.col("target_doc"))
    pairs = pairs.select("source_doc", "target_doc").unique()
    pairs = pairs.join(names, left_on="source_doc", right_on="doc_id")
    pairs = pairs.join(names, left_on="target_doc", right_on="doc_id", suffix="_t")
    correct = 0
    for source, target in pairs.select("name", "name_t").iter_rows():
        name = source.removesuffix(".ar")
        if name in true and name == target.removesuffix(".en"):
            correct += 1
        else:
            print(f"  wrong: {source} with {target}")
    return correct, len(pairs), len(true)


def table_row(name: str, correct: int, predicted: int, true: int) -> str:
    precision, recall = correct / max(predicted, 1), correct / max(true, 1)
    f1 = 2 * correct / max(predicted + true, 1)
    return f"| {name} | {predicted} | {true} | {precision:.4f} | {recall:.4f} | {f1:.4f} |"


def accuracy(shared: Path, seeds: int) -> None:
    print("| crawl | predicted | true | precision | recall | F1 |\n|---|---|---|---|---|---|")
    total = [0, 0, 0]
    for condition in CONDITIONS:
        sums = [0, 0, 0]
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as work:
                counts = measure(*labelled(shared, condition, seed, Path(work)))
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
        print(table_row(condition, *sums), flush=True)
        total = [a + b for a, b in zip(total, sums, strict=True)]
    print(table_row("all", *total))


def made_up(count: int, dim: int, rng: np.random.Generator) -> tuple[Units, Units]:
    """Make up units of two languages in a few hundred topics; two thirds have a partner."""
    topics = rng.standard_normal((300, dim))
    story = topics[rng.integers(300, size=count)] + rng.standard_normal((count, dim))
    sides = []
    for side in range(2):
        own = story + 0.9 * rng.standard_normal((count, dim))
        alone = rng.random(count) < 1 / 6
        own[alone] = topics[rng.integers(300, size=int(alone.sum()))] + rng.standard_normal(
            (int(alone.sum()), dim)
        )
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        unit = np.repeat(np.arange(count, dtype=np.uint32), 10)
        token = rng.zipf(1.3, len(unit)) % 100_000
        tokens = pl.DataFrame({"unit": unit, "token": token.astype(np.uint64)}).unique()
        tokens = tokens.with_columns(number=pl.col("token") % 2 == 0)
        ids = [f"{2 * i + side:016x}" for i in range(count)]
        keys = pl.DataFrame({"doc_id": ids, "article": 1, "chars": rng.integers(500, 5000, count)})
        first = np.zeros((count, FIRST, dim), np.int8)
        for place in range(FIRST):
            part = own + 0.08 * rng.standard_normal((count, dim), np.float32)
            part /= np.linalg.norm(part, axis=1, keepdims=True)
            first[:, place] = quantize(part.astype(np.float32))
        weights = np.ones((count, FIRST), np.float32)
        sides.append(Units(keys, own.astype(np.float32), tokens, first, weights))
    return sides[0], sides[1]


def speed(count: int) -> None:
    """Time the search for candidates and the matching of made-up units."""
    rng = np.random.default_rng(0)
    encoder = Encoder.load()
    source, target = made_up(count, encoder.dim, rng)
    start = time.perf_counter()
    candidates = find_candidates(source, target, collect_page_urls([]))
    candidates = candidates.with_columns(score=scores(candidates))
    middle = time.perf_counter()
    good = candidates.filter(pl.col("score") >= 0.5).sort("score", descending=True)
    one_to_one(good.select("s", "t").iter_rows())
    end = time.perf_counter()
    print(
        f"{count:,} x {count:,} made-up units: {len(candidates):,} candidates in "
        f"{middle - start:.1f} s, one-to-one matching in {end - middle:.1f} s"
    )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, load {os.getloadavg()[0]:.1f}"
    )


def speed_of_run(shared: Path, count: int, versions: int = 1) -> None:
    """Time `pair_run` on `count` pages per side, made of sentences in random order.

    With more than one version, both sides have the same pages, and a version differs from the one
    before it in one sentence.
    """
    folder = shared / "bench" / "align" / "clean"
    rng = np.random.default_rng(0)
    pages, rows = [], []
    for side in SIDES:
        lines = [
            x for p in sorted(folder.glob(f"*.{side}")) for x in p.read_text("utf-8").splitlines()
        ]
        chosen = np.zeros(20, np.int64)
        if versions > 1:
            rng = np.random.default_rng(0)  # the same sentences on both sides
        for i in range(count):
            doc = f"{i:015x}{SIDES.index(side)}"
            pages.append(doc)
            if i % versions == 0:
                chosen = rng.integers(len(lines), size=20)
            else:
                chosen[rng.integers(20)] = rng.integers(len(lines))
            rows += [(doc, n, lines[x], side, 1, "body", True) for n, x in enumerate(chosen)]
    types = schema(DOCUMENTS, SEGMENTS, DETECTED, LABELLED)
    documents = pl.DataFrame({"doc_id": pages}).with_columns(
        **{c: pl.lit(None, types[c]) for c in DOCUMENT_COLUMNS[1:]}
    )
    with tempfile.TemporaryDirectory() as work:
        documents.write_parquet(Path(work) / "documents.parquet")
        frame = pl.DataFrame(rows, {c: types[c] for c in SEGMENT_COLUMNS}, orient="row")
        rows.clear()
        frame.write_parquet(Path(work) / "segments.parquet", row_group_size=1 << 16)
        start, cpu = time.perf_counter(), time.process_time()
        report = pair_run(work)
        print(
            f"run of {count:,} + {count:,} pages of 20 segments, {versions} versions of each: "
            f"{time.perf_counter() - start:.1f} s, CPU {time.process_time() - cpu:.1f} s ({report})"
        )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, load {os.getloadavg()[0]:.1f}"
    )


def near_copies(shared: Path, seeds: int) -> None:
    """Print the accuracy on sites with many versions of each page."""
    print("| site | predicted | true | precision | recall | F1 |\n|---|---|---|---|---|---|")
    for addresses in ADDRESSES:
        total = [0, 0, 0]
        for site in SITES:
            sums = [0, 0, 0]
            for seed in range(FIRST_SEED, FIRST_SEED + seeds):
                pages, partner = build_site(shared, site, addresses, seed)
                with tempfile.TemporaryDirectory() as work:
                    write_site(pages, Path(work) / "pages.jsonl")
                    out = Path(work) / "out"
                    ingest.run(str(Path(work) / "pages.jsonl"), str(out))
                    counts = measure_site(out, partner)
                sums = [a + b for a, b in zip(sums, counts, strict=True)]
            print(table_row(f"{site}, addresses {addresses}", *sums), flush=True)
            total = [a + b for a, b in zip(total, sums, strict=True)]
        print(table_row(f"all, addresses {addresses}", *total), flush=True)


def measure_site(out: Path, partner: dict[str, str]) -> tuple[int, int, int]:
    """Count correct, predicted and true pairs of pages of a site."""
    pair_run(out)
    documents = pl.read_parquet(out / "documents.parquet", columns=["doc_id", "uri"])
    name = {doc: uri.rpartition("#")[2] for doc, uri in documents.iter_rows()}
    pairs = pl.read_parquet(out / "pages.parquet").drop_nulls("score")
    pairs = pairs.select("source_doc", "target_doc").unique()
    correct = sum(
        partner.get(name[source].removesuffix(".ar")) == name[target].removesuffix(".en")
        for source, target in pairs.iter_rows()
    )
    return correct, len(pairs), len(partner)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared"), help="folder of evaluation data"
    )
    parser.add_argument("--seeds", type=int, default=3, help="crawls per condition; 0: no accuracy")
    parser.add_argument("--units", type=int, default=20_000, help="units per side; 0: no timing")
    parser.add_argument(
        "--near-copies", action="store_true", help="measure sites with many versions of each page"
    )
    args = parser.parse_args()
    bench = args.shared / "bench" / "align"
    available = (bench / "clean").is_dir()
    if args.near_copies and (args.shared / "parallel").is_dir():
        if args.seeds:
            near_copies(args.shared, args.seeds)
        if args.units and available:
            speed_of_run(args.shared, args.units, versions=8)
        return
    if not available:
        print(f"{bench}: contains no documents, so accuracy is not measured; use --shared")
    elif args.seeds:
        accuracy(args.shared, args.seeds)
    if args.units:
        speed(args.units)
        if available:
            speed_of_run(args.shared, args.units)


if __name__ == "__main__":
    main()

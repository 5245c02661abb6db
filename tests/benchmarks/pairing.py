"""Pairing of pages: precision, recall and F1 on a crawl made of documents with translations.

    python tests/benchmarks/pairing.py [--shared ../shared] [--seeds 3] [--units 20000] [--fit]

Every document is a page on each side, between the menus and footers of the sample pages; a third
has lost its partner; all are shuffled, and labelled as any run. Pairs of pages are then compared
with the truth. The second part times `pair` on made-up units of both languages.
"""

from __future__ import annotations

import argparse
import os
import random
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
from ingest import pairing as documents
from ingest.encoder.model import Encoder
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.jobs.pair import pair_run
from ingest.pairing.candidates import find_candidates, one_to_one, scores
from ingest.pairing.units import FIRST, Units, packed

SAMPLES = Path(__file__).resolve().parents[2] / "corpora" / "scrapes"
SIDES = ("ar", "en")
CONDITIONS = ("clean", "noisy", "merge")
FITTED = ("margin", "segments", "best", "numbers", "names", "length")
FURNITURE = {
    "ar": (
        "الرئيسية|الأخبار|الاقتصاد|الرياضة|الثقافة|الرأي|من نحن|اتصل بنا|تسجيل الدخول|بحث",
        "شارك هذا المقال|الأكثر قراءة|مواضيع ذات صلة|سياسة الخصوصية|شروط الاستخدام|"
        "جميع الحقوق محفوظة|اشترك في النشرة البريدية|تابعنا على تويتر|حمّل التطبيق",
    ),
    "en": (
        "Home|News|Business|Sport|Culture|Opinion|About us|Contact us|Sign in|Search",
        "Share this article|Most read|Related articles|Privacy policy|Terms of use|"
        "All rights reserved|Subscribe to our newsletter|Follow us on Twitter|Get the app",
    ),
}


def page(lines: list[str], lang: str, rng: random.Random) -> str:
    """The text between some menu lines and some footer lines."""
    top, bottom = (text.split("|") for text in FURNITURE[lang])
    above = rng.sample(top, rng.randint(4, len(top)))
    below = rng.sample(bottom, rng.randint(4, len(bottom)))
    return "\n".join([*above, "", *(x for line in lines for x in (line, "")), *below]) + "\n"


def crawl(folder: Path, condition: str, to: Path, seed: int) -> set[str]:
    """Write the pages; the names of the documents that have both sides."""
    rng = random.Random(seed)
    names = sorted(p.stem for p in (folder / condition).glob("*.ar"))
    rng.shuffle(names)
    alone = dict.fromkeys(names[: len(names) // 3], "")
    for i, name in enumerate(alone):
        alone[name] = SIDES[i % 2]
    for name in names:
        for lang in SIDES:
            if alone.get(name, lang) == lang:
                lines = (folder / condition / f"{name}.{lang}").read_text("utf-8").splitlines()
                code = rng.getrandbits(48)  # so that the order of pages says nothing
                path = to / f"{code:012x}.{name}.{lang}.txt"
                path.write_text(page(lines, lang, rng), "utf-8")
    for path in SAMPLES.glob("*.txt"):
        (to / f"{rng.getrandbits(48):012x}.{path.name}").write_bytes(path.read_bytes())
    return set(names) - set(alone)


def labelled(
    shared: Path, condition: str, seed: int, work: Path
) -> tuple[pl.DataFrame, Path, set[str]]:
    """A crawl put through the run: name and side of each page, its folder, the true pairs."""
    pages = work / f"{condition}-{seed}"
    pages.mkdir()
    true = crawl(shared / "bench" / "align", condition, pages, seed)
    out = work / f"{condition}-{seed}.out"
    ingest.run(str(pages), str(out))
    names = pl.read_parquet(out / "documents.parquet", columns=["doc_id", "source"]).select(
        "doc_id", name=pl.col("source").str.extract(r"/[0-9a-f]{12}\.(.*)\.txt$")
    )
    return names, out, true


def measure(names: pl.DataFrame, out: Path, true: set[str]) -> tuple[int, int, int]:
    """Right pairs of pages, pairs found, pairs there are; two bodies of one page do not count."""
    pair_run(out, overwrite=True)
    found = pl.read_parquet(out / "pages.parquet").drop_nulls("score")
    found = found.filter(pl.col("source_doc") != pl.col("target_doc"))
    found = found.select("source_doc", "target_doc").unique()
    found = found.join(names, left_on="source_doc", right_on="doc_id")
    found = found.join(names, left_on="target_doc", right_on="doc_id", suffix="_t")
    right = 0
    for one, other in found.select("name", "name_t").iter_rows():
        good = one.removesuffix(".ar") in true and one.removesuffix(".ar") == other.removesuffix(
            ".en"
        )
        right += good
        if not good:
            print(f"  wrong: {one} with {other}")
    return right, len(found), len(true)


def said(what: str, right: int, found: int, there: int) -> str:
    precision, recall = right / max(found, 1), right / max(there, 1)
    f1 = 2 * right / max(found + there, 1)
    return f"| {what} | {found} | {there} | {precision:.4f} | {recall:.4f} | {f1:.4f} |"


def accuracy(shared: Path, seeds: int) -> None:
    print("| crawl | found | there | precision | recall | F1 |\n|---|---|---|---|---|---|")
    total = [0, 0, 0]
    for condition in CONDITIONS:
        sums = [0, 0, 0]
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as work:
                got = measure(*labelled(shared, condition, seed, Path(work)))
            sums = [a + b for a, b in zip(sums, got, strict=True)]
        print(said(condition, *sums), flush=True)
        total = [a + b for a, b in zip(total, sums, strict=True)]
    print(said("all", *total))


def examples(shared: Path, seeds: int) -> pl.DataFrame:
    """Candidates of pages that differ, with what speaks for them, right, and name."""
    frames = []
    for condition in CONDITIONS:
        for seed in range(100, 100 + seeds):
            with tempfile.TemporaryDirectory() as work:
                names, out, true = labelled(shared, condition, seed, Path(work))
                segments = pl.read_parquet(out / "segments.parquet").filter("keep")
                empty = documents._addresses([])
                units = documents._units([segments], SIDES, Encoder.load())
                looked = find_candidates(*units, empty)
                for key, side in zip("st", units, strict=True):
                    docs = side.keys.select("doc_id").join(
                        names, on="doc_id", how="left", maintain_order="left"
                    )
                    docs = docs.with_row_index(key).rename(
                        {"doc_id": f"doc_{key}", "name": f"name_{key}"}
                    )
                    looked = looked.join(docs, on=key, how="left", maintain_order="left")
                one, other = (pl.col(f"name_{k}").str.replace(r"\.(ar|en)$", "") for k in "st")
                frames.append(
                    looked.filter(pl.col("doc_s") != pl.col("doc_t")).with_columns(
                        right=(one == other) & one.is_in(list(true)), name=one
                    )
                )
    return pl.concat(frames)


def logistic(x: np.ndarray, y: np.ndarray, ridge: float = 0.05) -> np.ndarray:
    """Weights of a logistic regression, the last being the bias, by Newton's method."""
    x = np.column_stack([x, np.ones(len(x))])
    pull = np.diag([ridge] * (x.shape[1] - 1) + [1e-6])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + pull
        w -= np.clip(np.linalg.solve(hessian, x.T @ (p - y) + pull @ w), -3, 3)
    return w


def fit(shared: Path, seeds: int) -> None:
    """Print weights; and how they do on documents that they were not fitted on."""
    from zlib import crc32

    seen = examples(shared, seeds)
    x = seen.select(FITTED).to_numpy().astype(np.float64)
    y = seen["right"].to_numpy().astype(np.float64)
    fold = np.array([crc32(name.encode()) % 5 for name in seen["name"]])
    wrong = 0
    loss = 0.0
    for part in range(5):
        w = logistic(x[fold != part], y[fold != part])
        p = 1 / (1 + np.exp(-(x[fold == part] @ w[:-1] + w[-1])))
        truth = y[fold == part] == 1
        wrong += int(((p >= 0.5) != truth).sum())
        loss -= float(np.log(np.clip(np.where(truth, p, 1 - p), 1e-9, 1)).sum())
    print(
        f"{len(y)} candidates, {int(y.sum())} right; held out: {wrong} wrong, log loss {loss / len(y):.5f}"
    )
    for name, weight in zip([*FITTED, "bias"], logistic(x, y), strict=True):
        print(f'    "{name}": {weight:.1f},')


def made_up(count: int, dim: int, rng: np.random.Generator) -> tuple[Units, Units]:
    """Units of two languages, two thirds with a partner, in a few hundred topics."""
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
            first[:, place] = packed(part.astype(np.float32))
        weights = np.ones((count, FIRST), np.float32)
        sides.append(Units(keys, own.astype(np.float32), tokens, first, weights))
    return sides[0], sides[1]


def speed(count: int) -> None:
    """Seconds from vectors to pairs, and texts to vectors."""
    rng = np.random.default_rng(0)
    encoder = Encoder.load()
    source, target = made_up(count, encoder.dim, rng)
    start = time.perf_counter()
    looked = find_candidates(source, target, documents._addresses([]))
    looked = looked.with_columns(score=scores(looked))
    middle = time.perf_counter()
    one_to_one(looked.filter(pl.col("score") >= 0.5).select("s", "t", "score").iter_rows())
    end = time.perf_counter()
    print(
        f"{count:,} x {count:,} made-up units: {len(looked):,} candidates looked at in "
        f"{middle - start:.1f} s, one-to-one in {end - middle:.1f} s"
    )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, load {os.getloadavg()[0]:.1f}"
    )


def whole(shared: Path, count: int) -> None:
    """Seconds of `pair_run` on a run folder with so many pages a side, made of the documents'
    sentences in random order: its time, not its accuracy."""
    folder = shared / "bench" / "align" / "clean"
    rng = np.random.default_rng(0)
    pages, rows = [], []
    for side in SIDES:
        lines = [
            x for p in sorted(folder.glob(f"*.{side}")) for x in p.read_text("utf-8").splitlines()
        ]
        for i in range(count):
            doc = f"{i:015x}{SIDES.index(side)}"
            pages.append(doc)
            some = rng.integers(len(lines), size=20)
            rows += [(doc, n, lines[x], side, 1, True) for n, x in enumerate(some)]
    types = schema(DOCUMENTS, SEGMENTS, DETECTED, LABELLED)
    columns = documents._DOCUMENT_COLUMNS[1:]
    own = pl.DataFrame({"doc_id": pages}).with_columns(
        **{c: pl.lit(None, types[c]) for c in columns}
    )
    with tempfile.TemporaryDirectory() as work:
        own.write_parquet(Path(work) / "documents.parquet")
        kinds = {c: types[c] for c in documents._SEGMENT_COLUMNS}
        frame = pl.DataFrame(rows, kinds, orient="row")
        rows.clear()
        frame.write_parquet(Path(work) / "segments.parquet", row_group_size=1 << 16)
        start = time.perf_counter()
        report = pair_run(work)
        print(
            f"run of {count:,} + {count:,} pages of 20 segments: {time.perf_counter() - start:.1f} s ({report})"
        )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--fit", action="store_true", help="print weights instead")
    args = parser.parse_args()
    there = (args.shared / "bench" / "align" / "clean").is_dir()
    if not there:
        print(f"no documents under {args.shared / 'bench' / 'align'}: pairing is not measured")
    elif args.fit:
        fit(args.shared, args.seeds)
        return
    elif args.seeds:
        accuracy(args.shared, args.seeds)
    if args.units:
        speed(args.units)
        if there:
            whole(args.shared, args.units)


if __name__ == "__main__":
    main()

"""Time `score`, `filter` and `pair` with one worker and with two.

    uv run python tests/benchmarks/executors.py [--pairs 150000] [--rounds 3] [--only NAME]

Sentences are made of words of the samples, in Arabic and in English, so that no two are equal. `pair`
gets one page of ten sentences per ten pairs and language. The runs take turns, so that a busy machine
slows all of them. CPU is user and system time of the command and its workers; the load is that of the
machine (`uptime`) before each pair of runs. "again" is the CPU time of two workers divided by that of one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

import ingest
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, PAIRS, SEGMENTS, schema
from ingest.io.parquet import sink

BATCH = 10_000
OF_PAGE = 10  # sentences
WORDS = (5, 25)  # of a sentence, from and to


class Used(NamedTuple):
    """What a command used, and what it wrote."""

    seconds: float
    cpu: float
    digest: str


Words = NDArray[np.str_]


def vocabulary() -> dict[str, Words]:
    """Return the words of the samples in each script."""
    samples = ingest.samples()
    text = "".join(path.read_text("utf-8", "replace") for path in sorted(samples.glob("*.txt")))
    words = pl.Series([text]).str.extract_all(r"\p{L}+").explode().unique().sort()
    return {
        lang: np.array(words.filter(words.str.contains(rf"^\p{{{script}}}{{2,}}$")).to_list())
        for lang, script in (("ar", "Arabic"), ("en", "Latin"))
    }


def sentences(words: Words, count: int, random: np.random.Generator) -> list[str]:
    sizes = random.integers(*WORDS, count)
    chosen = words[random.integers(len(words), size=int(sizes.sum()))]
    return [" ".join(of_sentence) for of_sentence in np.split(chosen, sizes.cumsum()[:-1])]


def write_pairs(path: Path, count: int) -> None:
    words = vocabulary()
    random = np.random.default_rng(5)

    types = schema(PAIRS)

    def batches() -> Iterator[pl.DataFrame]:
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            rows = pl.DataFrame({
                "pair_id": [f"{number:016}" for number in range(start, start + size)],
                "source_text": sentences(words["ar"], size, random),
                "target_text": sentences(words["en"], size, random),
            }).with_columns(source_lang=pl.lit("ar"), target_lang=pl.lit("en"), method=pl.lit("imported"))  # fmt: skip
            yield pl.concat([pl.DataFrame(schema=types), rows], how="diagonal")

    sink(batches(), types, path)


def write_run(folder: Path, count: int) -> None:
    """Write the files of a run that `pair` reads."""
    folder.mkdir()
    words = vocabulary()
    random = np.random.default_rng(6)
    pages = [f"{number:012}" for number in range(2 * count // OF_PAGE)]
    documents = pl.DataFrame({"doc_id": pages}).cast({"doc_id": pl.String})
    pl.concat([pl.DataFrame(schema=schema(DOCUMENTS)), documents], how="diagonal").write_parquet(
        folder / "documents.parquet"
    )
    types = schema(SEGMENTS, DETECTED, LABELLED)

    def batches() -> Iterator[pl.DataFrame]:
        for start in range(0, len(pages), BATCH // OF_PAGE):
            of_batch = pages[start : start + BATCH // OF_PAGE]
            lang = "ar" if (start // (BATCH // OF_PAGE)) % 2 else "en"
            rows = pl.DataFrame({
                "doc_id": np.repeat(of_batch, OF_PAGE),
                "segment": np.tile(np.arange(OF_PAGE), len(of_batch)),
                "text": sentences(words[lang], len(of_batch) * OF_PAGE, random),
            }).with_columns(lang=pl.lit(lang), article=pl.lit(1), role=pl.lit("body"), keep=pl.lit(value=True))  # fmt: skip
            rows = rows.cast({name: types[name] for name in rows.columns})
            yield pl.concat([pl.DataFrame(schema=types), rows], how="diagonal")

    sink(batches(), types, folder / "segments.parquet", rows=1 << 16)


def measure(command: list[str], out: Path) -> Used:
    """Run a command of ingest that writes `out`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "ingest", *command, "-o", str(out), "-q"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    for path in (out, out.with_suffix(".funnel.json")):
        path.unlink(missing_ok=True)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(seconds, cpu, digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("score", "filter", "pair"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs, run = folder / "pairs.parquet", folder / "run"
        write_pairs(pairs, args.pairs)
        write_run(run, args.pairs)
        inputs = {"score": pairs, "filter": pairs, "pair": run}
        print(f"{args.pairs:,} pairs, and {2 * args.pairs // OF_PAGE:,} pages\n")
        print(
            f"{'command':<8} {'load':>5} {'1: s':>7} {'2: s':>7} {'ratio':>6} "
            f"{'1: CPU s':>9} {'2: CPU s':>9} {'again':>6}  outputs",
            flush=True,
        )
        wrong = 0
        for _ in range(args.rounds):
            for verb, source in inputs.items():
                if args.only not in (None, verb):
                    continue
                load = os.getloadavg()[0]
                one, two = (
                    measure([verb, str(source), "--workers", str(workers)], folder / "out.parquet")
                    for workers in (1, 2)
                )
                same = one.digest == two.digest
                wrong += not same
                print(
                    f"{verb:<8} {load:>5.1f} {one.seconds:>7.1f} {two.seconds:>7.1f} "
                    f"{two.seconds / one.seconds:>6.2f} {one.cpu:>9.1f} {two.cpu:>9.1f} "
                    f"{two.cpu / one.cpu:>6.2f}  {'same' if same else 'DIFFERENT'}",
                    flush=True,
                )
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()

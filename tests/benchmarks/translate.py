"""Measure the speed and quality of translation, against argostranslate's own loop.

    python tests/benchmarks/translate.py --package FILE [--lines FILE] [--segments N] [--memory]
    python tests/benchmarks/translate.py --package FILE --chrf PAIRS    # needs sacrebleu
    python tests/benchmarks/translate.py --package FILE --items tests/benchmarks/items.tsv
    python tests/benchmarks/translate.py --package FILE --calibrate PAIRS

The loop does what argostranslate's `translate` does, one segment at a time and with the same model:
split at line breaks and sentences, encode with its tokenizer class, `translate_batch` with its
settings (beam 4, batches of 32 tokens, length penalty .2), decode, join. It translates every tenth
segment, and its time is multiplied by ten. It runs once with its own number of threads and once with
one, because on some machines threads that synchronize for each small batch cost more than they gain.
Only the sentence splitter is ours in both, because argostranslate's needs packages that are not
installed. Both use all cores, and loading the model is not measured.

The segments are the lines of a file, or the kept segments of the samples, repeated with a number in
each sentence so that all sentences differ. `--memory` translates two runs, one ten times as long as
the other, each in a process of its own.

`--items` counts the items of each kind (addresses, placeholders, tags, emoji, numbers) that a
translation has as the source has them, and prints the mean chrF.

`--calibrate` relates the score of a translation to its chrF against the reference. It prints the best
threshold for the flag `low_score`, `LOW_SCORE` in ingest/translation/engine.py: the score for which the
fewest useless lines are above it and useful ones below it. A line is useless if its chrF is below 35;
such translations read like word salad. One threshold serves all packages, between those that are best
for each of the shipped ones.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

import ingest
from ingest.config import TranslateConfig
from ingest.frames import DETECTED, LABELLED, SEGMENTS, schema
from ingest.jobs.translate_run import TranslateOptions, translate_segments
from ingest.numbers import ascii_digits
from ingest.sentences import split_sentences
from ingest.translation.cache import Cache
from ingest.translation.chrf import chrf
from ingest.translation.engine import LOW_SCORE, Translator
from ingest.translation.items import find_items
from ingest.translation.masks import NUMBER
from ingest.translation.packages.package import Package, load

USELESS_CHRF = 35


def make_segments(lang: str, count: int) -> list[str]:
    pages = ingest.read(ingest.samples())
    labelled = ingest.label(ingest.detect(ingest.segment(pages)))
    texts = labelled.filter("keep", lang=lang)["text"].to_list()
    segments = []
    for turn in range(count // len(texts) + 1):
        for text in texts:
            numbered = (re.sub(r"(?<=\S) ", f" {turn} ", s, count=1) for s in split_sentences(text))
            segments.append(" ".join(numbered))
    return segments[:count]


def run_argos_loop(package: Package, texts: list[str], threads: int) -> tuple[float, list[str]]:
    """Run the loop of argostranslate/translate.py, 1.11; return seconds and translations.

    argostranslate sets `threads` to 0, which lets CTranslate2 choose.
    """
    import ctranslate2
    from argostranslate.tokenizer import BPETokenizer, SentencePieceTokenizer

    path = package.path / package.tokenizer
    if package.tokenizer == "bpe.model":
        tokenizer = BPETokenizer(path, package.from_lang, package.to_lang)
    else:
        tokenizer = SentencePieceTokenizer(path)
    translator = ctranslate2.Translator(
        str(package.path / "model"), device="cpu", inter_threads=1, intra_threads=threads,
        compute_type="auto",
    )  # fmt: skip
    prefix = package.target_prefix

    def translate_paragraph(text: str) -> str:
        tokens = [tokenizer.encode(sentence) for sentence in split_sentences(text)]
        results = translator.translate_batch(
            tokens, target_prefix=[[prefix]] * len(tokens) if prefix else None,
            replace_unknowns=True, max_batch_size=32, batch_type="tokens", beam_size=4,
            num_hypotheses=1, length_penalty=0.2, return_scores=True,
        )  # fmt: skip
        translation = tokenizer.decode([t for result in results for t in result.hypotheses[0]])
        return translation.removeprefix(prefix).removeprefix(" ")

    translate_paragraph(texts[0])
    start = time.perf_counter()
    translations = [
        "\n".join(map(translate_paragraph, text.split("\n"))).lstrip("\n") for text in texts
    ]
    return time.perf_counter() - start, translations


def run_ingest(
    package: Package, texts: list[str], beam: int, folder: str | None
) -> tuple[float, int]:
    """Return seconds and the number of tokens translated."""
    with Cache(folder or tempfile.mkdtemp()) as cache:
        translator = Translator(package, config=TranslateConfig(beam_size=beam), cache=cache)
        start = time.perf_counter()
        translator.translate(texts)
        return time.perf_counter() - start, translator.tokens


def measure_speed(package: Package, texts: list[str]) -> None:
    folder = tempfile.mkdtemp()
    rows = [
        ("ingest, beam 2", *run_ingest(package, texts, 2, folder)),
        ("ingest, beam 4", *run_ingest(package, texts, 4, None)),
        ("ingest, from the cache", *run_ingest(package, texts, 2, folder)),
    ]
    tenth = texts[::10]
    loops = {
        name: run_argos_loop(package, tenth, threads)[0] * len(texts) / len(tenth)
        for name, threads in (("argos loop, default threads", 0), ("argos loop, one thread", 1))
    }
    print(f"{package.name}, {len(texts):,} segments, {len(os.sched_getaffinity(0))} cores")
    print(f"{'':<28}{'s':>8}{'segments/s':>12}{'tokens/s':>10}{'speedup':>12}{'1 thread':>12}")
    for name, seconds, tokens in rows:
        line = f"{name:<28}{seconds:8.1f}{len(texts) / seconds:12,.0f}{tokens / seconds:10,.0f}"
        print(line + "".join(f"{loop / seconds:12.1f}" for loop in loops.values()))
    for name, loop in loops.items():
        print(f"{name:<28}{loop:8.1f}{len(texts) / loop:12,.0f}")


def measure_memory(file: str, lang: str, texts: list[str]) -> None:
    peaks = []
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "segments.parquet"
            rows = [
                {"doc_id": f"{page:016x}", "segment": n, "text": f"{text} {page}", "lang": lang,
                 "keep": True, "role": "body"}
                for page in range(times) for n, text in enumerate(texts)
            ]  # fmt: skip
            pl.DataFrame(rows, schema(SEGMENTS, DETECTED, LABELLED)).write_parquet(
                path, row_group_size=1 << 16
            )
            count = len(rows)
            del rows
            call = [sys.executable, __file__, "--package", file, "--one-run", str(path)]
            start = time.perf_counter()
            process = subprocess.run(call, check=True, capture_output=True, text=True)
            seconds = time.perf_counter() - start
            peaks.append(int(process.stdout))
        print(f"{count:>9,} segments  {seconds:7.1f} s  {peaks[-1] / 1024:6.0f} MB")
    print(f"ratio of peak memory, ten times the segments to once: {peaks[1] / peaks[0]:.2f}")


def translate_and_print_peak(package: Package, path: Path) -> None:
    from ingest.translation import pool

    pool.find = lambda _from, _to: [package]
    options = TranslateOptions(to=package.to_lang, cache=path.with_name("cache"))
    translate_segments(path, path.with_name("pairs.parquet"), options)
    status = Path("/proc/self/status").read_text()  # getrusage includes the parent
    print(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def measure_quality(package: Package, pairs: Path) -> None:
    """Print corpus chrF and BLEU, by sacrebleu, of lines translated like `translate --lines`."""
    import sacrebleu

    sources, references = read_pairs(package, pairs)
    for beam in (2, 3, 5):
        with Cache(tempfile.mkdtemp()) as cache:
            config = TranslateConfig(beam_size=beam)
            translations = Translator(package, config=config, cache=cache).translate(sources)
        texts = [translation.text for translation in translations]
        scores = (
            score(texts, [references]).score
            for score in (sacrebleu.corpus_chrf, sacrebleu.corpus_bleu)
        )
        print("{}, beam {}: chrF {:.1f}, BLEU {:.1f}".format(package.name, beam, *scores))


def read_pairs(package: Package, pairs: Path) -> tuple[list[str], list[str]]:
    """Return sources and references from lines of English<TAB>Arabic."""
    rows = [line.split("\t") for line in pairs.read_text("utf-8").splitlines()]
    sides = [row[0] for row in rows], [row[1] for row in rows]
    return sides if package.from_lang == "en" else sides[::-1]


def measure_items(package: Package, pairs: Path) -> None:
    """Print how many items of each kind are in the translation as they are in the source."""
    sources, references = read_pairs(package, pairs)
    translations = Translator(package).translate(sources)
    total, kept = Counter[str](), Counter[str]()
    for source, translation in zip(sources, translations, strict=True):
        items = find_items(source)
        texts = [(source[start:end], kind) for start, end, kind in items]
        rest = source
        for start, end, _ in items[::-1]:
            rest = f"{rest[:start]} {rest[end:]}"
        for text, kind in [*texts, *((number, "number") for number in NUMBER.findall(rest))]:
            total[kind] += 1
            kept[kind] += ascii_digits(text) in ascii_digits(translation.text)
    for kind in total:
        print(f"{kind:<12} {kept[kind]:>4} of {total[kind]}")
    share = kept.total() / total.total()
    score = chrf([translation.text for translation in translations], references).mean()
    print(f"{package.name}: {share:.1%} of items kept, mean chrF {score:.1f}")


def calibrate(package: Package, pairs: Path) -> None:
    """Print chrF by score, and the threshold that separates useless and useful lines best."""
    sources, references = read_pairs(package, pairs)
    translations = Translator(package).translate(sources)
    scores = np.array([translation.score for translation in translations])
    quality = chrf([translation.text for translation in translations], references)
    is_useless = quality < USELESS_CHRF
    print(f"{package.name}: correlation of score and chrF {np.corrcoef(scores, quality)[0, 1]:.2f}")
    print(f"{'score':<12}{'lines':>6}{'mean chrF':>11}{f'below {USELESS_CHRF}':>10}")
    for low in np.arange(0.0, 1.0, 0.05):
        rows = (scores >= low) & (scores < low + 0.05)
        if rows.any():
            line = f"{low:.2f} – {low + 0.05:.2f}{rows.sum():>7}{quality[rows].mean():>11.1f}"
            print(f"{line}{is_useless[rows].mean():>10.0%}")
    thresholds = np.arange(0.0, 1.0, 0.01)
    right = [(is_useless == (scores < threshold)).sum() for threshold in thresholds]
    best = thresholds[int(np.argmax(right))]
    for threshold in sorted({round(best, 2), LOW_SCORE}):
        low = scores < threshold
        below = f"{low.mean():.0%} of lines, {is_useless[low].mean():.0%} of them useless"
        above = f"{is_useless[~low].mean():.0%} of the others"
        print(f"threshold {threshold:.2f}: {below}, and {above}")
    print(f"best threshold {best:.2f}; LOW_SCORE is {LOW_SCORE}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", required=True, metavar="FILE", help=".argosmodel")
    parser.add_argument("--lines", type=Path, metavar="FILE")
    parser.add_argument("--segments", type=int, default=10_000, metavar="N")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--chrf", type=Path, metavar="FILE", help="English<TAB>Arabic")
    parser.add_argument("--items", type=Path, metavar="FILE", help="English<TAB>Arabic")
    parser.add_argument("--calibrate", type=Path, metavar="FILE", help="English<TAB>Arabic")
    parser.add_argument("--one-run", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(args.package) as archive:
            archive.extractall(folder)
        package = load(next(Path(folder).iterdir()))
        for measure, file in (
            (measure_quality, args.chrf),
            (measure_items, args.items),
            (calibrate, args.calibrate),
        ):
            if file:
                measure(package, file)
                return
        if args.one_run:
            translate_and_print_peak(package, args.one_run)
            return
        if args.lines:
            texts = args.lines.read_text(encoding="utf-8").split("\n")[: args.segments]
        else:
            texts = make_segments(package.from_lang, args.segments)
        if args.memory:
            measure_memory(args.package, package.from_lang, texts)
        else:
            measure_speed(package, texts)


if __name__ == "__main__":
    main()

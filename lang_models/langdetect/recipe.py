"""Build the langdetect profiles of Pashto, Central Kurdish, Sindhi and Uyghur.

    python lang_models/langdetect/recipe.py --text ../shared/lid_text

Counting, the rule for capitals, normalisation and pruning are langdetect's own (`LangProfile`), so
langdetect itself can load the files too. Only counts are written, no text.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from langdetect.utils.lang_profile import LangProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LANGUAGES = ("ps", "ckb", "sd", "ug")
_RUNNING_LINES = re.compile(r"^\| (\w+)\.txt \| \d+ \| \d+ \| (\d+) \|", re.MULTILINE)


def balance(lines: list[str], running: int) -> list[str]:
    """Keep all running text, and every k-th interface string, so they have no more characters.

    Interface strings have a small vocabulary of their own, which would otherwise dominate.

    Args:
        lines: running text, then interface strings.
        running: the number of lines of running text.

    >>> balance(["running text", "ui a", "ui b", "ui c", "ui d", "ui e", "ui f"], 1)
    ['running text', 'ui a', 'ui c', 'ui e']
    """
    text, interface = lines[:running], lines[running:]
    step = max(1, round(sum(map(len, interface)) / max(1, sum(map(len, text)))))
    return text + interface[::step]


def read_corpus(folder: Path, lang: str) -> list[str]:
    """Read the balanced training lines of one language."""
    running = dict(_RUNNING_LINES.findall((folder / "SOURCES.md").read_text(encoding="utf-8")))
    lines = (folder / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    return balance(lines, int(running[lang]))


def build_profile(lang: str, lines: Iterable[str]) -> dict[str, object]:
    """Build a profile in langdetect's JSON format: `freq`, `n_words`, `name`.

    >>> profile = build_profile("xx", ["کور ته ځم", "کور ته ځي", "کور ته"])
    >>> profile["freq"]["کور"], profile["name"]
    (3, 'xx')
    """
    counts = LangProfile(lang)
    for line in lines:
        counts.update(line + " ")
    counts.omit_less_freq()
    freq = {gram: counts.freq[gram] for gram in sorted(counts.freq)}
    return {"freq": freq, "n_words": counts.n_words, "name": lang}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one profile per language."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--text", type=Path, required=True, help="folder with <lang>.txt and SOURCES.md"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args(arguments)
    for lang in LANGUAGES:
        profile = build_profile(lang, read_corpus(args.text, lang))
        text = json.dumps(profile, ensure_ascii=False, separators=(",", ":"))
        (args.out / lang).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Make the langdetect profiles of Pashto, Central Kurdish, Sindhi and Uyghur.

    python lang_models/langdetect/recipe.py --text ../shared/lid_text

Counting, capital rule, normalisation and pruning are langdetect's own (`LangProfile`), so the
files are read by langdetect itself as well. Only counts are written, no text.
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
_RUNNING = re.compile(r"^\| (\w+)\.txt \| \d+ \| \d+ \| (\d+) \|", re.MULTILINE)


def balanced(lines: list[str], running: int) -> list[str]:
    """Running text whole; of the interface strings every k-th, so that they weigh no more.

    Interface strings have a small vocabulary of their own, which would otherwise be the model.

    >>> balanced(["running text", "ui a", "ui b", "ui c", "ui d", "ui e", "ui f"], 1)
    ['running text', 'ui a', 'ui c', 'ui e']
    """
    text, interface = lines[:running], lines[running:]
    step = max(1, round(sum(map(len, interface)) / max(1, sum(map(len, text)))))
    return text + interface[::step]


def corpus(folder: Path, lang: str) -> list[str]:
    """The balanced training lines of one language."""
    running = dict(_RUNNING.findall((folder / "SOURCES.md").read_text(encoding="utf-8")))
    lines = (folder / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    return balanced(lines, int(running[lang]))


def profile(lang: str, lines: Iterable[str]) -> dict[str, object]:
    """One profile in langdetect's JSON format: `freq`, `n_words`, `name`.

    >>> made = profile("xx", ["کور ته ځم", "کور ته ځي", "کور ته"])
    >>> made["freq"]["کور"], made["name"]
    (3, 'xx')
    """
    made = LangProfile(lang)
    for line in lines:
        made.update(line + " ")
    made.omit_less_freq()
    freq = {gram: made.freq[gram] for gram in sorted(made.freq)}
    return {"freq": freq, "n_words": made.n_words, "name": lang}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a profile a language beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, required=True, help="folder of <lang>.txt")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args(arguments)
    for lang in LANGUAGES:
        made = profile(lang, corpus(args.text, lang))
        text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        (args.out / lang).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Count the letter n-grams of twelve languages, for `ingest/detection/letter_counts.py`.

    python lang_models/lid/recipe.py --text ../shared/lid_text

Only counts are written, and no string longer than four letters.
"""

from __future__ import annotations

import argparse
import runpy
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.detection.letter_folding import fold, is_letter
from ingest.detection.ngram_table import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

SCRIPTS = {
    "Latn": ["en", "fr", "de", "es", "tr"],
    "Arab": ["ar", "fa", "ur", "ps", "ckb", "sd", "ug"],
}
ORDERS = 4
Gram = tuple[int, ...]
MIN_COUNT = 3  # a less frequent character is not part of the alphabet

# Old pages have Persian, Urdu and Pashto typed on Arabic keyboards. Every tenth line is counted
# again in that spelling.
_ARABIC_KEYBOARD = str.maketrans("یکہ", "يكه")
_WITH_VARIANTS = {"fa", "ur", "ps"}


def fold_words(lines: Iterable[str]) -> Iterator[str]:
    """Yield folded words between spaces.

    >>> list(fold_words(["L’été 2024, ok"]))
    [" l'été ", ' ok ']
    """
    for line in lines:
        kept = "".join(c if is_letter(c) else " " for c in fold(line))
        for word in kept.split():
            yield f" {word} "


def add_variants(lang: str, lines: list[str]) -> list[str]:
    """Add every tenth line again as an Arabic keyboard types it."""
    if lang not in _WITH_VARIANTS:
        return lines
    return lines + [line.translate(_ARABIC_KEYBOARD) for line in lines[::10]]


def count(texts: dict[str, list[str]], orders: int = ORDERS) -> dict[str, NDArray[Any]]:
    """Count the n-grams of one script, as `ingest.detection.letter_counts.load_counts` reads them.

    >>> arrays = count({"xx": ["aba", "ab", "ab"], "yy": ["bb bb"]}, orders=2)
    >>> str(arrays["alphabet"]), arrays["parent2"].tolist(), arrays["symbol2"].tolist()
    ('ab', [1, 1, 2, 2, 3, 3, 3], [2, 3, 1, 3, 1, 2, 3])
    >>> arrays["counts2"].tolist()
    [[3, 0], [0, 2], [1, 0], [3, 0], [2, 2], [1, 0], [0, 2]]
    """
    word_counts = [Counter(fold_words(lines)) for lines in texts.values()]
    alphabet = _alphabet(word_counts)
    number = {" ": SPACE} | {c: i for i, c in enumerate(alphabet, SPACE + 1)}
    grams = _grams(word_counts, number, orders)
    out = {
        "langs": np.array(" ".join(texts)),
        "alphabet": np.array(alphabet),
        "orders": np.array(orders),
        "counts1": np.zeros((len(number) + 1, len(texts)), dtype=np.uint32),
    }
    for (gram, column), n in grams[0].items():
        out["counts1"][gram[0], column] = n
    nodes: dict[Gram, int] = {(s,): s for s in range(1, len(number) + 1)}
    for k in range(2, orders + 1):
        ordered = sorted({g for g, _ in grams[k - 1]}, key=lambda g: (nodes[g[:-1]], g[-1]))
        out[f"parent{k}"] = np.array([nodes[g[:-1]] for g in ordered], dtype=np.int32)
        out[f"symbol{k}"] = np.array([g[-1] for g in ordered], dtype=np.int32)
        nodes = {gram: i for i, gram in enumerate(ordered, 1)}
        out[f"counts{k}"] = np.zeros((len(ordered), len(texts)), dtype=np.uint32)
        for (gram, column), n in grams[k - 1].items():
            out[f"counts{k}"][nodes[gram] - 1, column] = n
    return out


def _alphabet(word_counts: list[Counter[str]]) -> str:
    letters: Counter[str] = Counter()
    for counts in word_counts:
        for word, n in counts.items():
            for char in word[1:-1]:
                letters[char] += n
    return "".join(sorted(c for c, n in letters.items() if n >= MIN_COUNT))


def _grams(
    word_counts: list[Counter[str]], number: dict[str, int], orders: int
) -> list[Counter[tuple[Gram, int]]]:
    """Count each n-gram of symbols in each language: one counter per order."""
    grams: list[Counter[tuple[Gram, int]]] = [Counter() for _ in range(orders)]
    for column, counts in enumerate(word_counts):
        for word, n in counts.items():
            # a letter outside the alphabet ends the n-gram
            symbols = [number.get(c, 0) for c in word]
            for end in range(2, len(symbols) + 1):
                for k in range(1, min(orders, end) + 1):
                    gram = tuple(symbols[end - k : end])
                    if 0 in gram:
                        break
                    grams[k - 1][gram, column] += n
    return grams


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one file per writing system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--text", type=Path, required=True, help="folder with <lang>.txt and SOURCES.md"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args(arguments)
    profiles = Path(__file__).resolve().parents[1] / "langdetect" / "recipe.py"
    read_corpus = runpy.run_path(str(profiles))["read_corpus"]
    for script, langs in SCRIPTS.items():
        texts = {lang: add_variants(lang, read_corpus(args.text, lang)) for lang in langs}
        arrays = count(texts)
        np.savez_compressed(args.out / f"{script}.npz", allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()

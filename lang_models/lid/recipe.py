"""Count the letter n-grams of twelve languages, for `ingest/detect/counts.py`.

    python lang_models/lid/recipe.py --text ../shared/lid_text

Only counts are written: no string longer than four letters leaves the text.
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
RARE = 3  # a character seen less often than this is no letter of the script's alphabet

# old pages type Persian, Urdu and Pashto on Arabic keyboards; one line in ten is counted so too
_ARABIC_KEYBOARD = str.maketrans("یکہ", "يكه")
_TYPED = {"fa", "ur", "ps"}


def words(lines: Iterable[str]) -> Iterator[str]:
    """Folded words with their edges.

    >>> list(words(["L’été 2024, ok"]))
    [" l'été ", ' ok ']
    """
    for line in lines:
        kept = "".join(c if is_letter(c) else " " for c in fold(line))
        for word in kept.split():
            yield f" {word} "


def variants(lang: str, lines: list[str]) -> list[str]:
    """The lines, and every tenth once more as an Arabic keyboard writes it."""
    if lang not in _TYPED:
        return lines
    return lines + [line.translate(_ARABIC_KEYBOARD) for line in lines[::10]]


def count(texts: dict[str, list[str]], orders: int = ORDERS) -> dict[str, NDArray[Any]]:
    """Arrays of one script, as `ingest.detection.letter_counts.read` takes them.

    >>> made = count({"xx": ["aba", "ab", "ab"], "yy": ["bb bb"]}, orders=2)
    >>> str(made["alphabet"]), made["parent2"].tolist(), made["symbol2"].tolist()
    ('ab', [1, 1, 2, 2, 3, 3, 3], [2, 3, 1, 3, 1, 2, 3])
    >>> made["counts2"].tolist()
    [[3, 0], [0, 2], [1, 0], [3, 0], [2, 2], [1, 0], [0, 2]]
    """
    seen = [Counter(words(lines)) for lines in texts.values()]
    alphabet = _alphabet(seen)
    number = {" ": SPACE} | {c: i for i, c in enumerate(alphabet, SPACE + 1)}
    grams = _grams(seen, number, orders)
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
        found = sorted({g for g, _ in grams[k - 1]}, key=lambda g: (nodes[g[:-1]], g[-1]))
        out[f"parent{k}"] = np.array([nodes[g[:-1]] for g in found], dtype=np.int32)
        out[f"symbol{k}"] = np.array([g[-1] for g in found], dtype=np.int32)
        nodes = {gram: i for i, gram in enumerate(found, 1)}
        out[f"counts{k}"] = np.zeros((len(found), len(texts)), dtype=np.uint32)
        for (gram, column), n in grams[k - 1].items():
            out[f"counts{k}"][nodes[gram] - 1, column] = n
    return out


def _alphabet(seen: list[Counter[str]]) -> str:
    letters: Counter[str] = Counter()
    for bag in seen:
        for word, n in bag.items():
            for char in word[1:-1]:
                letters[char] += n
    return "".join(sorted(c for c, n in letters.items() if n >= RARE))


def _grams(
    seen: list[Counter[str]], number: dict[str, int], orders: int
) -> list[Counter[tuple[Gram, int]]]:
    """How often each n-gram of symbols stands in each language, a counter an order."""
    grams: list[Counter[tuple[Gram, int]]] = [Counter() for _ in range(orders)]
    for column, bag in enumerate(seen):
        for word, n in bag.items():
            # an unknown letter cuts the word: no n-gram holds it
            symbols = [number.get(c, 0) for c in word]
            for end in range(2, len(symbols) + 1):
                for k in range(1, min(orders, end) + 1):
                    gram = tuple(symbols[end - k : end])
                    if 0 in gram:
                        break
                    grams[k - 1][gram, column] += n
    return grams


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one file of counts a script beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, required=True, help="folder of <lang>.txt")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args(arguments)
    profiles = Path(__file__).resolve().parents[1] / "langdetect" / "recipe.py"
    corpus = runpy.run_path(str(profiles))["corpus"]
    for script, langs in SCRIPTS.items():
        texts = {lang: variants(lang, corpus(args.text, lang)) for lang in langs}
        arrays = count(texts)
        np.savez_compressed(args.out / f"{script}.npz", allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()

"""Rebuild `lexicon.npz`: stems that translate each other, learned from open parallel text.

    python -m lang_models.align.recipe --data ../shared/parallel      # a few minutes, 5 GB

IBM model 1 (Brown et al. 1993) is trained in both directions on the distinct stems of each pair,
with a null word. A pair of stems is kept if the geometric mean of the two probabilities and its
expected count are high enough. `lang_models.align.fit` learns the weights beside it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.encoder.words import split, words

HERE = Path(__file__).resolve().parent
# use every n-th line only: templated or machine-translated text
THINNED = {"uw_translation_notes": 5, "ms_beginners_llm": 2, "odoo": 2, "zechub": 2}
EXCLUDED = {"tatoeba_challenge_test"}  # a published test set
MAX_STEMS = 36  # per side; longer lines correspond too loosely for model 1
ITERATIONS = 6
MIN_PROBABILITY = 0.01
MIN_COUNT = 1.2
MAX_PAIRS = 320_000

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


def read(data: Path) -> pl.DataFrame:
    """Read the pairs of all sources, without duplicates: columns en, ar."""
    parts = []
    for path in sorted(data.glob("*.tsv")):
        if path.stem in EXCLUDED:
            continue
        rows = [r.split("\t") for r in path.read_text(encoding="utf-8").split("\n") if "\t" in r]
        rows = rows[:: THINNED.get(path.stem, 1)]
        parts.append(pl.DataFrame({"en": [r[0] for r in rows], "ar": [r[1] for r in rows]}))
    return pl.concat(parts).unique(maintain_order=True)


def stemmed(texts: pl.Series) -> tuple[I32, I64, list[str], I32]:
    """Find the distinct stems of each line: (stem number, line), the stems, lines of each stem."""
    lists = words(texts)
    flat = pl.DataFrame({"line": np.arange(len(lists)), "word": lists}).explode("word").drop_nulls()
    seen = flat["word"].value_counts()
    rough: Counter[str] = Counter()
    for word, count in seen.iter_rows():
        rough[f"s:{split(word, {})[1]}"] += count
    stem = {w: split(w, rough)[1] if w[0].isalpha() else "" for w in seen["word"]}
    flat = flat.with_columns(
        stem=pl.col("word").replace_strict(list(stem), list(stem.values()))
    ).filter(pl.col("stem") != "")
    flat = flat.select("line", "stem").unique(maintain_order=True)
    flat = flat.filter(pl.len().over("stem") > 1)
    stems = sorted(flat["stem"].unique().to_list())
    number = flat["stem"].replace_strict(stems, range(len(stems))).to_numpy().astype(np.int32)
    counts = np.bincount(number, minlength=len(stems)).astype(np.int32)
    return number, flat["line"].to_numpy().astype(np.int64), stems, counts


def co_occurrences(
    left: tuple[I32, I64], right: tuple[I32, I64], lines: int
) -> tuple[I32, I32, I32]:
    """List every (line, left stem, right stem) in lines that are not too long."""
    counts = [np.bincount(line, minlength=lines) for _, line in (left, right)]
    first = [np.cumsum(c) - c for c in counts]
    ok = (counts[0] <= MAX_STEMS) & (counts[1] <= MAX_STEMS)
    size = np.where(ok, counts[0] * counts[1], 0)
    line = np.repeat(np.arange(lines, dtype=np.int32), size)
    within = np.arange(len(line)) - np.repeat(np.cumsum(size) - size, size)
    a = left[0][first[0][line] + within // counts[1][line]]
    b = right[0][first[1][line] + within % counts[1][line]]
    return line, a, b


def model1(pair: I64, given: I32, output: I32, line: I32, sizes: tuple[int, int]) -> F64:
    """Estimate P(output | given) of each pair of stems by expectation maximization.

    The null word produces a stem with the probability of one more given stem with a uniform
    distribution, halved.

    Args:
        pair: number of the pair of each co-occurrence.
        given: its given stem.
        output: its output stem.
        line: its line.
        sizes: number of pairs and of given stems.

    Returns:
        float64 [pairs].
    """
    n_pairs, n_given = sizes
    # a group is one output stem in one line: its co-occurrences share a count of 1
    n_outputs = int(output.max()) + 1
    _, group = np.unique(line.astype(np.int64) * n_outputs + output, return_inverse=True)
    given_of = np.zeros(n_pairs, np.int64)
    given_of[pair] = given
    p = np.full(n_pairs, 1.0 / n_outputs)
    null = 0.5 / n_outputs
    for _ in range(ITERATIONS):
        share = p[pair]
        share /= (np.bincount(group, share) + null)[group]
        count = np.bincount(pair, share, minlength=n_pairs)
        p = count / np.maximum(np.bincount(given_of, count, minlength=n_given), 1e-9)[given_of]
    return p


def build(data: Path) -> None:
    """Train the lexicon and write it."""
    rows = read(data)
    en, en_line, en_stems, en_counts = stemmed(rows["en"])
    ar, ar_line, ar_stems, ar_counts = stemmed(rows["ar"])
    line, a, b = co_occurrences((en, en_line), (ar, ar_line), len(rows))
    key = a.astype(np.int64) * len(ar_stems) + b
    print(
        f"{len(rows):,} lines, {len(en_stems):,} English and {len(ar_stems):,} Arabic stems, "
        f"{len(key):,} co-occurrences"
    )
    pairs, pair = np.unique(key, return_inverse=True)
    del key
    forward = model1(pair, a, b, line, (len(pairs), len(en_stems)))
    backward = model1(pair, b, a, line, (len(pairs), len(ar_stems)))
    left, right = pairs // len(ar_stems), pairs % len(ar_stems)
    p = np.sqrt(forward * backward)
    expected = np.minimum(forward * en_counts[left], backward * ar_counts[right])
    good = (p >= MIN_PROBABILITY) & (expected >= MIN_COUNT)
    best = np.flatnonzero(good)[np.argsort(-p[good], kind="stable")][:MAX_PAIRS]
    # Both languages share one list: no stem contains both Latin and Arabic letters.
    stems = en_stems + ar_stems
    left, right = left[best], right[best] + len(en_stems)
    used = np.zeros(len(stems), bool)
    used[left] = used[right] = True
    counts = np.concatenate([en_counts, ar_counts])
    used |= counts >= 20
    renumber = np.cumsum(used) - 1
    kept = [s for s, u in zip(stems, used, strict=True) if u]
    # A stem that occurs in texts of both languages (such as Docker) must be listed only once.
    unique: dict[str, int] = {}
    for s in kept:
        unique.setdefault(s, len(unique))
    to = np.array([unique[s] for s in kept])
    total = np.zeros(len(unique), np.int32)
    np.add.at(total, to, counts[used])
    a2, b2 = to[renumber[left]].astype(np.int32), to[renumber[right]].astype(np.int32)
    print(f"{len(unique):,} stems, {len(a2):,} pairs kept")
    np.savez_compressed(
        HERE / "lexicon.npz",
        stems=np.frombuffer("\n".join(unique).encode(), np.uint8),
        counts=total,
        lines=np.int64(len(rows)),
        left=a2,
        right=b2,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of english<TAB>arabic files"
    )
    build(parser.parse_args().data)

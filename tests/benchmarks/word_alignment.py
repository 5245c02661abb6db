"""How well `ingest.align_words` links words, on pairs that were aligned by hand.

    uv run python tests/benchmarks/word_alignment.py --shared ../shared
    uv run python tests/benchmarks/word_alignment.py --shared ../shared --eflomal PATH/eflomal-align

`word_alignment_gold.tsv` has 105 pairs of 5 to 25 tokens per side, drawn at random from 13 files of
`parallel`. It has no text: only file, line, a hash of the line's two texts, and the links, which one
annotator wrote before any aligner was built. `3-4` is a sure link, `3?4` a possible one; the English
token comes first. Articles, pronouns and prepositions that Arabic writes as part of a word have a
link to this word. The settings were chosen on the part `dev`; `test` was used once they were fixed.

Precision counts links that are sure or possible, recall sure links; AER is the alignment error rate
(Och & Ney 2003). Baselines: mutual argmax, which links tokens that are each other's best, by the
cosine alone and by our scores, which know the place of a token too; and Itermax (Jalili Sabet et al.
2020), which repeats this on what is left.
eflomal (Östling & Tiedemann 2016) gets the pairs among TRAIN other pairs of `parallel`, with
punctuation, case and diacritics removed, and both directions are joined in the same way as ours.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

import ingest
from ingest.encoder.words import words
from ingest.frames import PAIRS, schema
from ingest.word_alignment.paths import best_path
from ingest.word_alignment.similarity import PADDING, score_cells
from ingest.word_alignment.symmetry import symmetrize
from ingest.word_alignment.tokens import split_tokens, tabulate

GOLD = Path(__file__).with_name("word_alignment_gold.tsv")
TRAIN = 20_000
SEEN_BY_NO_MODEL = ("tatoeba_challenge_test", "udhr")  # not in the encoder's training text
Links = set[tuple[int, int]]


class GoldPair(NamedTuple):
    part: str
    file: str
    texts: tuple[str, str]
    sure: Links
    possible: Links  # sure ones too


def read_gold(folder: Path) -> list[GoldPair]:
    """Read the links, and the texts that they are about."""
    lines: dict[str, list[str]] = {}
    pairs = []
    for row in GOLD.read_text().splitlines()[1:]:
        part, file, line, sha, links = row.split("\t")
        if file not in lines:
            text = (folder / f"{file}.tsv").read_bytes().decode()
            lines[file] = text.split("\n")
        english, arabic = lines[file][int(line) - 1].split("\t")[:2]
        if hashlib.sha256(f"{english}\t{arabic}".encode()).hexdigest()[:16] != sha:
            sys.exit(f"{file}.tsv: line {line} is not the one that was aligned")
        found = [re.fullmatch(r"(\d+)([-?])(\d+)", link).groups() for link in links.split()]
        every = {(int(i), int(j)) for i, _, j in found}
        sure = {(int(i), int(j)) for i, kind, j in found if kind == "-"}
        pairs.append(GoldPair(part, file, (english, arabic), sure, every))
    return pairs


def frame(texts: list[tuple[str, str]]) -> pl.DataFrame:
    columns = dict(zip(("source_text", "target_text"), zip(*texts, strict=True), strict=True))
    pairs = pl.DataFrame(columns).with_columns(source_lang=pl.lit("en"), target_lang=pl.lit("ar"))
    missing = {n: t for n, t in schema(PAIRS).items() if n not in pairs.columns}
    return pairs.with_columns(pl.lit(None, t).alias(n) for n, t in missing.items())


def parse(links: str) -> Links:
    return {(int(i), int(j)) for i, j in (link.split("-") for link in links.split())}


def measure(gold: list[GoldPair], links: list[Links]) -> tuple[float, float, float, float]:
    """Precision, recall, F1 and AER."""
    found = sum(map(len, links))
    sure = sum(len(pair.sure) for pair in gold)
    in_sure = sum(len(pair.sure & own) for pair, own in zip(gold, links, strict=True))
    in_every = sum(len(pair.possible & own) for pair, own in zip(gold, links, strict=True))
    precision, recall = in_every / max(found, 1), in_sure / sure
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return precision, recall, f1, 1 - (in_sure + in_every) / (found + sure)


def as_links(cells: np.ndarray) -> Links:
    return {(int(i), int(j)) for i, j in np.argwhere(cells)}


def mutual(scores: np.ndarray) -> np.ndarray:
    """Cells that are the best of their row and of their column."""
    best = np.zeros(scores.shape, bool)
    best[np.arange(len(scores)), scores.argmax(axis=1)] = True
    back = np.zeros(scores.shape, bool)
    back[scores.argmax(axis=0), np.arange(scores.shape[1])] = True
    return best & back & (scores > 0)


def itermax(scores: np.ndarray, rounds: int = 2, share: float = 0.9) -> np.ndarray:
    links = mutual(scores)
    for _ in range(rounds - 1):
        rows, columns = links.any(axis=1)[:, None], links.any(axis=0)[None]
        left = np.where(rows & columns, 0, np.where(rows | columns, scores * share, scores))
        links = links | mutual(left)
    return links


def designs(pairs: list[GoldPair]) -> dict[str, list[Links]]:
    """The links of each pair, by design."""
    english, arabic = (pl.Series([pair.texts[side] for pair in pairs]) for side in (0, 1))
    table, sides = tabulate(english, arabic)
    out: dict[str, list[Links]] = {}

    def cosines(at: int) -> np.ndarray:
        source, target = (table.vectors[side.padded(np.array([at]))[0]] for side in sides)
        return source @ target.T

    for at in range(len(pairs)):
        scores = score_cells(*(side.padded(np.array([at])) for side in sides), table)
        forward = best_path(scores)[..., 0]
        backward = best_path(np.ascontiguousarray(scores.transpose(1, 0, 2)))[..., 0].T
        cells = scores[..., 0]
        assert (cells > PADDING).all()
        joined = symmetrize(forward[..., None], backward[..., None])[..., 0]
        for name, links in {
            "mutual argmax of the cosine": mutual(cosines(at)),
            "mutual argmax": mutual(cells),
            "Itermax, 2 rounds": itermax(cells),
            "paths, both directions agree": forward & backward,
            "paths, either direction": forward | backward,
            "paths, grow-diag-final-and": joined,
        }.items():
            out.setdefault(name, []).append(as_links(links))
    links = ingest.align_words(frame([pair.texts for pair in pairs]))["word_alignment"]
    out["ingest.align_words: and affixes"] = [parse(text) for text in links]
    return out


def eflomal(program: str, gold: list[GoldPair], others: list[tuple[str, str]]) -> list[Links]:
    texts = [pair.texts for pair in gold] + others
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}" for name in ("en", "ar", "forward", "backward")]
        for side in (0, 1):
            tokens = split_tokens(pl.Series([pair[side] for pair in texts]))
            flat = tokens.explode()
            clean = words(flat).list.join("")
            clean = clean.zip_with(clean != "", flat)
            rows = pl.DataFrame(
                {"n": np.repeat(np.arange(len(texts)), tokens.list.len()), "t": clean}
            )
            lines = rows.group_by("n", maintain_order=True).agg(pl.col("t").str.join(" "))["t"]
            Path(paths[side]).write_text("\n".join(lines) + "\n")
        flags = [
            item for pair in zip("stfr", paths, strict=True) for item in (f"-{pair[0]}", pair[1])
        ]
        subprocess.run([program, *flags, "--overwrite", "-m", "3"], check=True, capture_output=True)
        both = [Path(path).read_text().splitlines()[: len(gold)] for path in paths[2:]]
    out = []
    for pair, *found in zip(gold, *both, strict=True):
        size = [len(split_tokens(pl.Series([text]))[0]) for text in pair.texts]
        cells = np.zeros((2, *size, 1), bool)
        for direction, links in enumerate(found):
            for i, j in parse(links):
                cells[direction, i, j] = True
        out.append(as_links(symmetrize(*cells)[..., 0]))
    return out


def read_others(folder: Path, count: int) -> list[tuple[str, str]]:
    rows = []
    for path in sorted(folder.glob("*.tsv")):
        if not path.name.startswith("dict_"):
            lines = path.read_bytes().decode().split("\n")
            fields = [line.split("\t")[:2] for line in lines if "\t" in line]
            rows += [tuple(pair) for pair in fields if all(0 < len(t.split()) <= 60 for t in pair)]
    return random.Random(5).sample(rows, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--eflomal", metavar="PROGRAM", help="eflomal-align of an environment")
    parser.add_argument("--train", type=int, default=TRAIN, help="pairs of text for eflomal")
    args = parser.parse_args()
    folder = args.shared / "parallel"
    if not folder.is_dir():
        sys.exit(f"{folder}: is missing; name the folder that has it with --shared")
    gold = read_gold(folder)
    found = designs(gold)
    others = read_others(folder, max(args.train, TRAIN))
    if args.eflomal:
        found[f"eflomal, {args.train:,} pairs"] = eflomal(args.eflomal, gold, others[: args.train])
    unseen = [n for n, p in enumerate(gold) if p.part == "test" and p.file in SEEN_BY_NO_MODEL]
    for title, which in (
        ("dev", [n for n, pair in enumerate(gold) if pair.part == "dev"]),
        ("test", [n for n, pair in enumerate(gold) if pair.part == "test"]),
        ("of test: not in the encoder's training text", unseen),
    ):
        sure = sum(len(gold[n].sure) for n in which)
        print(f"\n{title}: {len(which)} pairs, {sure} sure links")
        print("| | precision | recall | F1 | AER |\n|---|---|---|---|---|")
        for name, links in found.items():
            values = measure([gold[n] for n in which], [links[n] for n in which])
            print(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |")
    pairs = frame(others[:TRAIN])
    tokens = split_tokens(pairs["source_text"]).list.len().mean()
    start = time.process_time(), time.perf_counter()
    ingest.align_words(pairs)
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    print(f"\n{TRAIN:,} pairs, {tokens:.1f} English tokens on average: {TRAIN / cpu:,.0f} pairs per "
          f"second of one core, {TRAIN / wall:,.0f} per second that passed")  # fmt: skip


if __name__ == "__main__":
    main()

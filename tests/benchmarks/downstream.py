r"""Does filtering help? The same small translation model, trained on equal parts of a noisy mix.

    python tests/benchmarks/downstream.py halves --shared ../shared --work W
    python -m lang_models.encoder.recipe --data W/first/parallel --epochs 3 --descents 2
    python -m lang_models.quality.recipe --shared W/first
    python tests/benchmarks/downstream.py mix --shared ../shared --work W
    python tests/benchmarks/downstream.py train --work W
    python tests/benchmarks/downstream.py measure --work W

Run it in a copy of the checkout, because the second and the third command write over models: the
encoder and the quality model that ship have seen the texts of the mix. They are trained on every
other block of 200 lines of `../shared/parallel`; the mix comes from the blocks between. A third of
it is sound, two thirds are damaged, mostly by a wrong partner, as in a raw crawl (Khayrallah and
Koehn 2018, "On the Impact of Various Types of Noise on Neural Machine Translation", table 1).

From the mix, as many pairs as are sound are taken: at random, by the ratio of lengths, by the
cosine of the two sentences, by `quality`, and, as the best that a filter could do, all sound ones.
`train` trains a network of 2 million weights from Arabic to English on each, an hour on two quiet
cores; `measure` prints its chrF on FLORES devtest, with beam 2.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

BLOCK = 200  # neighbouring lines that are in the same half
# Share of each kind among the damaged pairs; `stranger` is a partner from anywhere in the mix
SHARES = {
    "neighbour": 0.25, "stranger": 0.25, "language": 0.2, "untranslated": 0.1, "cut": 0.1,
    "dropped": 0.05, "noise": 0.05,
}  # fmt: skip
DAMAGED_PER_SOUND = 2
SOUND = 50_000
PARTS = ("random", "length", "cosine", "quality", "sound")
SHAPE = {
    "vocabulary": 8000, "width": 128, "inner": 512, "heads": 2, "encoder": 3, "decoder": 2
}  # fmt: skip
STEPS = 900  # of 6,000 tokens
DIRECTION = "ar-en"


def write_halves(shared: Path, work: Path) -> None:
    """Write every other block of each file of pairs to `first`, the rest to `second`."""
    for number, name in enumerate(("first", "second")):
        folder = work / name / "parallel"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((shared / "parallel").glob("*.tsv")):
            lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line]
            half = [line for i, line in enumerate(lines) if i // BLOCK % 2 == number]
            (folder / path.name).write_text("".join(f"{x}\n" for x in half), encoding="utf-8")
        (work / name / "lid_text").unlink(missing_ok=True)
        (work / name / "lid_text").symlink_to((shared / "lid_text").resolve())


def write_parts(shared: Path, work: Path) -> None:
    """Build the mix, score it, and write what the training of each part reads."""
    import polars as pl
    from quality import as_pairs  # the benchmark beside this one

    from ingest.scoring import score
    from lang_models.translate.corpus import Texts
    from lang_models.translate.data import load_pairs
    from lang_models.translate.network import Shape
    from lang_models.translate.recipe import load_or_train_pieces

    test = shared / "bench" / "mt" / "flores_devtest.tsv"
    rows = load_pairs(work / "second" / "parallel", [test])
    mix = build_mix(rows.filter(~pl.col("held")), shared / "lid_text")
    mix = score(as_pairs(mix)).with_columns(kind=mix["kind"])
    mix.write_parquet(work / "mix.parquet")
    length = (pl.col("length_ratio").log() - pl.col("length_ratio").log().median()).abs()
    orders = {
        "random": pl.int_range(pl.len()).shuffle(seed=1),
        "length": length,
        "cosine": -pl.col("similarity"),
        "quality": -pl.col("quality"),
        "sound": pl.col("kind") != "",
    }
    size = mix.filter(pl.col("kind") == "").height
    shape = Shape(**SHAPE)
    texts = mix.select(
        english="source_text", arabic="target_text", passes=pl.lit(1.0), held=pl.lit(False)
    )
    model = load_or_train_pieces(texts, work, shape.vocabulary).serialized_model_proto()
    start = np.random.default_rng(1).standard_normal((shape.vocabulary, shape.width))
    start = (start / shape.width**0.5).astype(np.float32)
    held = rows.filter("held")
    for name in PARTS:
        part = mix.sort(orders[name], maintain_order=True).head(size)
        sound = (part["kind"] == "").mean()
        print(f"{name}: {part.height:,} of {mix.height:,} pairs, {sound:.0%} sound")
        folder = work / name
        folder.mkdir(exist_ok=True)
        for file, frame, sides in (
            ("train.tsv", part, ("source_text", "target_text")),
            ("dev.tsv", held, ("english", "arabic")),
        ):
            english, arabic = (frame[side].to_list() for side in sides)
            Texts(english, arabic, np.ones(len(english), np.float32)).write(folder / file)
        (folder / "pieces.model").write_bytes(model)
        np.save(folder / "start.npy", start)


def build_mix(rows, lid_text: Path):
    """Return sound and damaged pairs in random order: columns english, arabic, kind.

    No pair is in the mix both sound and damaged.
    """
    import polars as pl

    from lang_models.quality.damage import Store, damage

    rng = random.Random(1)
    taken = [rng.random() < passes for passes in rows["passes"]]
    pairs = rows.filter(taken).select("english", "arabic").rows()
    store = Store.build(lid_text, rng.sample(pairs, min(20_000, len(pairs))))
    order = list(range(1, len(pairs)))
    rng.shuffle(order)
    size = min(SOUND, len(order) // 2)
    mix = [(*pairs[i], "") for i in order[:size]]
    rest = order[size:]
    kinds = rng.choices(list(SHARES), list(SHARES.values()), k=2 * DAMAGED_PER_SOUND * size)
    for number, kind in enumerate(kinds):
        at = rest[number % len(rest)]
        if kind == "stranger":
            damaged = (pairs[at][0], pairs[rng.choice(rest)][1])
        else:
            damaged = damage(kind, pairs[at], pairs[at - 1], store, rng)
        if damaged is not None:
            mix.append((*damaged, kind))
        if len(mix) == size * (1 + DAMAGED_PER_SOUND):
            break
    rng.shuffle(mix)
    return pl.DataFrame(mix, schema=["english", "arabic", "kind"], orient="row")


def train(folder: Path, device: str) -> None:
    """Train the network on a part, or go on with it."""
    from lang_models.translate.network import Shape
    from lang_models.translate.train import Settings, Training

    settings = Settings(steps=0, own_steps=STEPS, dropout=0.0)
    Training(Shape(**SHAPE), settings, folder, device).run([DIRECTION])


def measure(folder: Path, test: Path) -> float:
    """Return chrF on the test pairs of the network trained on a part, with beam 2."""
    import sentencepiece
    import torch

    from lang_models.translate.convert import write_package
    from lang_models.translate.corpus import PAD
    from lang_models.translate.network import Shape, Translator
    from lang_models.translate.recipe import compute_chrf

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))
    names = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    model = Translator(Shape(**SHAPE), PAD)
    state = torch.load(folder / f"{DIRECTION}.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    source, target = DIRECTION.split("-")
    path = folder / f"translate-{source}_{target}-0_0.argosmodel"
    write_package(
        path, model, pieces.serialized_model_proto(), names,
        source=source, target=target, version="0.0", readme="", license="",
    )  # fmt: skip
    return compute_chrf(path, test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("halves", "mix", "train", "measure"))
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.step == "halves":
        write_halves(args.shared, args.work)
    elif args.step == "mix":
        write_parts(args.shared, args.work)
    elif args.step == "train":
        for name in args.parts:
            train(args.work / name, args.device)
    else:
        test = args.shared / "bench" / "mt" / "flores_devtest.tsv"
        print("| part | chrF |\n|---|---|")
        for name in args.parts:
            print(f"| {name} | {measure(args.work / name, test):.1f} |", flush=True)


if __name__ == "__main__":
    main()

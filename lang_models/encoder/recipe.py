r"""Train the static bilingual encoder from pairs, pack it, and measure it.

    python -m lang_models.encoder.recipe --data ../shared/parallel \
        --dev ../shared/bench/mt/flores_devtest.tsv

Needs torch and the dependencies of ingest. Takes about twenty minutes on two cores with bfloat16
matrix units, and 4 GB of memory.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.encoder.model import FILE, Encoder
from lang_models.encoder import data as sources
from lang_models.encoder.lexicon import build_lexicon, feature_matrix
from lang_models.encoder.measure import retrieval, table_row
from lang_models.encoder.pack import ROWS, pack
from lang_models.encoder.train import Settings, train

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the encoder's file beside this script and print its accuracy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of english<TAB>arabic files"
    )
    parser.add_argument(
        "--dev", type=Path, nargs="*", default=[], help="pairs to measure on and never train on"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write")
    parser.add_argument("--rows", type=int, default=ROWS, help="number of rows to keep")
    for field in fields(Settings):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    args = parser.parse_args(arguments)
    settings = Settings(**{field.name: getattr(args, field.name) for field in fields(Settings)})

    pairs = sources.read(args.data, args.dev)
    seen = sum(
        np.bincount(side.words, minlength=len(pairs.vocabulary))
        for side in (pairs.english, pairs.arabic)
    )
    lexicon = build_lexicon(pairs.vocabulary, np.asarray(seen))
    subwords = feature_matrix(pairs.vocabulary, lexicon)
    args.out.mkdir(parents=True, exist_ok=True)

    def save(table: Any) -> None:
        pack(
            args.out / FILE, table.numpy(), lexicon, subwords,
            vocabulary=pairs.vocabulary, rows=args.rows,
        )  # fmt: skip

    save(train(pairs, lexicon, subwords, settings))
    encoder = Encoder(args.out / FILE)
    tests = pairs.held_out | {path.stem: sources.pairs(path) for path in args.dev}
    for name, test in tests.items():
        english, arabic = encoder.encode(test["english"]), encoder.encode(test["arabic"])
        print(table_row(name, retrieval(english, arabic)))


if __name__ == "__main__":
    main()

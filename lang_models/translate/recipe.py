r"""Train the two translation models, pack them as argos packages, and measure them.

    python -m lang_models.translate.recipe --data ../shared/parallel --work FOLDER \
        --dev ../shared/bench/mt/flores_devtest.tsv

Needs torch, sentencepiece, ctranslate2, sacrebleu and the dependencies of ingest. On two cores a
step takes about a second in bfloat16, and a third less with
MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592, which makes malloc reuse freed
memory. An interrupted run resumes from its checkpoints in FOLDER.

A GPU is many times faster; `--large` is the shape for one. Where the GPU has a machine of its own,
`--prepare` writes what the training reads, `python -m lang_models.translate.train FOLDER` trains
there, and a second call without `--prepare` finds the checkpoints and packs the models.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lang_models.encoder.data import pairs
from lang_models.translate import data
from lang_models.translate.convert import LICENSE, write_package
from lang_models.translate.corpus import BOS, EOS, PAD, UNK, Texts
from lang_models.translate.train import add_options, from_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lang_models.translate.network import Shape

VERSION = "1.0"
_PIECE_PAIRS = 200_000  # pairs that the pieces are trained on


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packages next to this script and print their size and chrF."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of english<TAB>arabic")
    parser.add_argument("--dev", type=Path, required=True, help="pairs used only for evaluation")
    parser.add_argument("--work", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--prepare", action="store_true", help="stop before the training")
    add_options(parser)
    args = parser.parse_args(arguments)
    training = from_options(args, args.work)

    model = prepare(args.data, [args.dev], args.work, training.shape)
    if args.prepare:
        return
    names = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    for name, network in training.run().items():
        source, target = name.split("-")
        path = args.out / f"translate-{source}_{target}-{VERSION.replace('.', '_')}.argosmodel"
        readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
        write_package(
            path, network.cpu(), model.serialized_model_proto(), names,
            source=source, target=target, version=VERSION, readme=readme, license=license_text(),
        )  # fmt: skip
        print(
            f"{name}: {path.stat().st_size / 1e6:.1f} MB, chrF {compute_chrf(path, args.dev):.1f}"
        )


def prepare(folder: Path, exclude: list[Path], work: Path, shape: Shape) -> Any:
    """Write texts, pieces and initial vectors into `work`; return the SentencePiece model."""
    work.mkdir(parents=True, exist_ok=True)
    rows = data.load_pairs(folder, exclude)
    for name, held in (("train", False), ("dev", True)):
        part = rows.filter(pl.col("held") == held)
        Texts(part["english"].to_list(), part["arabic"].to_list(), part["passes"].to_numpy()).write(
            work / f"{name}.tsv"
        )
    model = load_or_train_pieces(rows, work, shape.vocabulary)
    names = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    np.save(work / "start.npy", initial_vectors(names, shape.width))
    return model


def license_text() -> str:
    """Return the LICENSE of a package: its terms, and the training sources with theirs."""
    card = Path(__file__).parents[1] / "encoder" / "README.md"
    table = card.read_text(encoding="utf-8").partition("## Data and licenses\n")[2]
    rows = [line.split("|")[1:4] for line in table.partition("\n## ")[0].split("\n") if "|" in line]
    used = [row for row in rows if data.PASSES.get(row[0].strip()) != 0]
    return (
        f"This model is released under {LICENSE}, Creative Commons Attribution-ShareAlike 4.0\n"
        "International: https://creativecommons.org/licenses/by-sa/4.0/\n\n"
        "It was trained on texts of these sources:\n\n"
        + "".join(f"|{'|'.join(row)}|\n" for row in used)
    )


def load_or_train_pieces(rows: pl.DataFrame, work: Path, size: int) -> Any:
    """Return the SentencePiece model of both languages; train it if `work` has none."""
    import sentencepiece

    path = work / "pieces.model"
    if not path.is_file():
        rules = work / "normalisation.tsv"
        rules.write_text(data.normalization_rules(), encoding="utf-8")
        rows = rows.filter(~pl.col("held"))
        passes = rows["passes"].to_numpy().astype(np.float64)
        sample = np.random.default_rng(1).choice(
            rows.height, min(_PIECE_PAIRS, rows.height), p=passes / passes.sum(), replace=False
        )
        rows = rows[np.sort(sample)]
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([*rows["english"], *rows["arabic"]]),
            model_writer=out, model_type="unigram", vocab_size=size,
            character_coverage=0.9995, byte_fallback=True, split_digits=True,
            normalization_rule_tsv=str(rules), unk_id=UNK, bos_id=BOS, eos_id=EOS, pad_id=PAD,
            max_sentence_length=2000, num_threads=2, minloglevel=1,
        )  # fmt: skip
        path.write_bytes(out.getvalue())
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def initial_vectors(names: list[str], width: int) -> NDArray[np.float32]:
    """Return initial piece vectors: those of the bilingual encoder, reduced to `width`, plus noise.

    In them, a word is close to its translation, which takes long to learn from scratch.
    """
    from ingest.encoder.model import Encoder

    vectors = Encoder.load().encode([name.replace("▁", " ").strip() for name in names])
    centered = vectors.astype(np.float64) - vectors.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:width]
    reduced = centered @ axes.T
    norms = np.linalg.norm(reduced, axis=1, keepdims=True)
    reduced = np.where(norms > 1e-3, reduced / np.maximum(norms, 1e-6), 0.0)
    reduced += 0.3 * np.random.default_rng(0).standard_normal(reduced.shape) / width**0.5
    reduced /= np.linalg.norm(reduced, axis=1, keepdims=True)
    return np.asarray(reduced, np.float32)


def compute_chrf(path: Path, dev: Path) -> float:
    """Compute the corpus chrF (Popović 2015, by sacrebleu) of a package's translations."""
    import tempfile

    import ctranslate2
    import sacrebleu
    import sentencepiece

    rows = pairs(dev)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        (root,) = Path(folder).iterdir()
        model = sentencepiece.SentencePieceProcessor(model_file=str(root / "sentencepiece.model"))
        translator = ctranslate2.Translator(str(root / "model"), compute_type="int8")
        from_arabic = path.name.startswith("translate-ar")
        columns = ("arabic", "english") if from_arabic else ("english", "arabic")
        sources, references = (rows[name].to_list() for name in columns)
        results = translator.translate_batch(
            model.encode(sources, out_type=str), beam_size=2, max_batch_size=2048,
            batch_type="tokens",
        )  # fmt: skip
        translations = [model.decode_pieces(result.hypotheses[0]) for result in results]
    return float(sacrebleu.corpus_chrf(translations, [references]).score)


if __name__ == "__main__":
    main()

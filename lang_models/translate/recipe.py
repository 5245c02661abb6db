r"""Train the two translation models, pack them as argos packages, and measure them.

    python -m lang_models.translate.recipe --data ../shared/parallel --work FOLDER \
        --dev ../shared/bench/mt/flores_devtest.tsv

Needs torch, sentencepiece, ctranslate2, sacrebleu and the packages of ingest. On two cores a step
takes about a second (bfloat16; MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
save a third of that, since freed memory is then used again), on a GPU a small part of it. `--large`
is the shape for a GPU. A run that was stopped goes on from what stands in FOLDER.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lang_models.encoder.data import pairs
from lang_models.translate import data
from lang_models.translate.convert import LICENCE, package
from lang_models.translate.network import Shape
from lang_models.translate.train import BOS, EOS, PAD, UNK, Corpus, Job, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LARGE = Shape(vocabulary=16000, width=384, inner=1536, heads=6, encoder=8, decoder=2)
VERSION = "1.0"
_SAMPLE = 200_000  # pairs that the pieces are learned from


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packages beside this script and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of english<TAB>arabic")
    parser.add_argument("--dev", type=Path, required=True, help="pairs to measure on only")
    parser.add_argument("--work", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--large", action="store_true")
    for field in fields(Settings):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    args = parser.parse_args(arguments)
    how = Settings(**{field.name: getattr(args, field.name) for field in fields(Settings)})
    shape = LARGE if args.large else Shape()

    args.work.mkdir(parents=True, exist_ok=True)
    rows = data.table(args.data, [args.dev])
    model = pieces(rows, args.work, shape.vocabulary)
    learned, held = (corpus(rows.filter(pl.col("held") == held), model) for held in (False, True))
    names = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    job = Job(learned, held, shape, how, args.work, start(names, shape.width), args.device)
    for name, network in job.train().items():
        source, target = name.split("-")
        to = args.out / f"translate-{source}_{target}-{VERSION.replace('.', '_')}.argosmodel"
        readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
        package(
            to, network.cpu(), model.serialized_model_proto(), names,
            source=source, target=target, version=VERSION, readme=readme, license=license(),
        )  # fmt: skip
        print(f"{name}: {to.stat().st_size / 1e6:.1f} MB, chrF {chrf(to, args.dev):.1f}")


def license() -> str:
    """What a package holds as its LICENSE: its terms, and the sources of training with theirs."""
    about = Path(__file__).parents[1] / "encoder" / "README.md"
    table = about.read_text(encoding="utf-8").partition("## Data and licenses\n")[2]
    rows = [line.split("|")[1:4] for line in table.partition("\n## ")[0].split("\n") if "|" in line]
    used = [row for row in rows if data.PASSES.get(row[0].strip()) != 0]
    return (
        f"This model is released under {LICENCE}, Creative Commons Attribution-ShareAlike 4.0\n"
        "International: https://creativecommons.org/licenses/by-sa/4.0/\n\n"
        "It was trained on texts of these sources:\n\n"
        + "".join(f"|{'|'.join(row)}|\n" for row in used)
    )


def pieces(rows: pl.DataFrame, work: Path, size: int) -> Any:
    """The SentencePiece model of both languages, learned where `work` holds none yet."""
    import sentencepiece

    path = work / "pieces.model"
    if not path.is_file():
        rules = work / "normalisation.tsv"
        rules.write_text(data.normalisation(), encoding="utf-8")
        rows = rows.filter(~pl.col("held"))
        share = rows["passes"].to_numpy().astype(np.float64)
        chosen = np.random.default_rng(1).choice(
            rows.height, min(_SAMPLE, rows.height), p=share / share.sum(), replace=False
        )
        rows = rows[np.sort(chosen)]
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


def corpus(rows: pl.DataFrame, model: Any) -> Corpus:
    """The pairs as pieces, without those that are empty or longer than `data.LONGEST`."""
    sides = [data.pieces(rows[name], model) for name in ("english", "arabic")]
    sizes = [np.diff(starts) for _, starts in sides]
    fits = (np.minimum(*sizes) > 0) & (np.maximum(*sizes) <= data.LONGEST)
    rows = rows.filter(pl.Series(fits))
    english, arabic = (data.pieces(rows[name], model) for name in ("english", "arabic"))
    return Corpus((english, arabic), rows["passes"].to_numpy())


def start(names: list[str], width: int) -> NDArray[np.float32]:
    """First vectors of the pieces: those of the bilingual encoder in fewer dimensions, and noise.

    In them a word lies near its translation, which training from nothing takes long to find out.
    """
    from ingest.encoder.model import Encoder

    vectors = Encoder.load().encode([name.replace("▁", " ").strip() for name in names])
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:width]
    made = centred @ axes.T
    length = np.linalg.norm(made, axis=1, keepdims=True)
    made = np.where(length > 1e-3, made / np.maximum(length, 1e-6), 0.0)
    made += 0.3 * np.random.default_rng(0).standard_normal(made.shape) / width**0.5
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made, np.float32)


def chrf(path: Path, dev: Path) -> float:
    """Corpus chrF (Popović 2015, as sacrebleu computes it) of a package's translations."""
    import tempfile

    import ctranslate2
    import sacrebleu
    import sentencepiece

    held = pairs(dev)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        (root,) = Path(folder).iterdir()
        model = sentencepiece.SentencePieceProcessor(model_file=str(root / "sentencepiece.model"))
        translator = ctranslate2.Translator(str(root / "model"), compute_type="int8")
        arabic = path.name.startswith("translate-ar")
        columns = ("arabic", "english") if arabic else ("english", "arabic")
        given, wanted = (held[name].to_list() for name in columns)
        answers = translator.translate_batch(
            model.encode(given, out_type=str), beam_size=2, max_batch_size=2048, batch_type="tokens"
        )
        said = [model.decode_pieces(answer.hypotheses[0]) for answer in answers]
    return float(sacrebleu.corpus_chrf(said, [wanted]).score)


if __name__ == "__main__":
    main()

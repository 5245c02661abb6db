"""Make a tiny but complete argos package for tests.

SentencePiece trained on the sentences below, and a Transformer with a few thousand random weights as
CTranslate2 int8. It loads and translates like any package, but its output means nothing.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = {
    "en": (
        "The minister opened a new school in the north of the country.",
        "Prices rose by three percent in March, the bank said on Tuesday.",
        "Our team won the match after a long and difficult evening.",
        "She reads the newspaper every morning before she goes to work.",
        "Heavy rain closed two roads and a bridge near the river.",
        "Doctors ask people to drink more water during the summer.",
        "The museum shows old books, maps and letters until May.",
        "He said: we will wait for the answer, and then decide.",
    ),
    "ar": (
        "افتتح الوزير مدرسة جديدة في شمال البلاد.",
        "ارتفعت الأسعار ثلاثة في المئة في مارس، كما قال البنك يوم الثلاثاء.",
        "فاز فريقنا بالمباراة بعد مساء طويل وصعب.",
        "تقرأ الجريدة كل صباح قبل أن تذهب إلى العمل.",
        "أغلق مطر غزير طريقين وجسرا قرب النهر.",
        "يطلب الأطباء من الناس شرب مزيد من الماء في الصيف.",
        "يعرض المتحف كتبا وخرائط ورسائل قديمة حتى مايو.",
        "قال: سننتظر الجواب ثم نقرر.",
    ),
}
_PIECES = 160
_DIM, _HEADS, _INNER, _LAYERS = 32, 4, 64, 2
_END = 14.0  # weight of </s>, which grows with the length of the translation
LICENSE = "This package was made for a test. Do with it what you like.\n"


def make(
    folder: Path,
    *,
    source: str = "en",
    target: str = "ar",
    seed: int = 0,
    target_prefix: str = "",
    version: str = "1.0",
    metadata: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
    damage: Mapping[str, Callable[[bytes], bytes]] | None = None,
) -> Path:
    """Make translate-SOURCE_TARGET-VERSION.argosmodel in `folder`, and return it.

    Args:
        folder: Where to write; created if missing.
        source: Code of the source language.
        target: Code of the target language.
        seed: Seed of the weights; another seed gives other translations.
        target_prefix: The package's `target_prefix`; added to the vocabulary.
        version: The package's version.
        metadata: Overrides keys of metadata.json; None removes a key.
        without: Files left out, such as "sentencepiece.model".
        damage: Changes the bytes of a file: {"model/model.bin": lambda data: data[:-9]}.
    """
    files = parts(
        source,
        target,
        seed=seed,
        target_prefix=target_prefix,
        version=version,
        metadata=metadata,
    )
    for name in without:
        del files[name]
    for name, change in (damage or {}).items():
        files[name] = change(files[name])
    top = f"translate-{source}_{target}-{version.replace('.', '_')}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{top}.argosmodel"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # a fixed date: the same arguments make the same bytes
            archive.writestr(zipfile.ZipInfo(f"{top}/{name}"), data, zipfile.ZIP_DEFLATED)
    return path


def parts(
    source: str,
    target: str,
    *,
    seed: int,
    target_prefix: str,
    version: str,
    metadata: Mapping[str, Any] | None,
) -> dict[str, bytes]:
    """The files of a package, by name."""
    about = {
        "package_version": version,
        "argos_version": "1.9",
        "from_code": source,
        "from_name": source.upper(),
        "to_code": target,
        "to_name": target.upper(),
        "type": "translate",
        **({"target_prefix": target_prefix} if target_prefix else {}),
        **(metadata or {}),
    }
    about = {key: value for key, value in about.items() if value is not None}
    return {
        "metadata.json": json.dumps(about).encode(),
        "sentencepiece.model": _pieces(target_prefix),
        **_model(seed, target_prefix),
        "LICENSE": LICENSE.encode(),
        "README.md": b"# A package for tests\n",
    }


@cache
def _pieces(target_prefix: str) -> bytes:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([s for side in SENTENCES.values() for s in side]),
        model_writer=model,
        vocab_size=_PIECES,
        model_type="bpe",
        character_coverage=1.0,
        user_defined_symbols=[target_prefix] if target_prefix else [],
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


@cache
def _model(seed: int, target_prefix: str) -> dict[str, bytes]:
    """The files of model/: a Transformer of seeded weights whose vocabulary is the pieces'."""
    import sentencepiece
    from ctranslate2.specs import TransformerSpec
    from ctranslate2.specs.model_spec import OPTIONAL

    pieces = sentencepiece.SentencePieceProcessor(model_proto=_pieces(target_prefix))
    tokens = [pieces.id_to_piece(number) for number in range(len(pieces))]
    spec = TransformerSpec.from_config((_LAYERS, 1), _HEADS)
    random = np.random.default_rng(seed)

    def fill(part: Any, name: str, value: Any) -> None:
        if value is None or (name.endswith("/bias") and value == OPTIONAL):
            shape = _shape(name, len(tokens))
            filled = random.normal(0, _width(name), shape).astype(np.float32)
            if name.endswith("gamma"):
                filled = np.ones(shape, np.float32)
            if name == "decoder/projection/weight":  # no piece is preferred
                filled *= 3 / np.linalg.norm(filled, axis=1, keepdims=True)
                filled[2] = (
                    np.eye(_DIM)[6] * _END
                )  # a position code that grows until the 60th piece
            if name == "decoder/projection/bias":
                filled[:2] = -1e4  # never <unk>, never <s>
            setattr(part, name.rsplit("/", 1)[-1], filled)

    spec._visit(fill)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.optimize("int8")
    folder = Path(tempfile.mkdtemp())
    try:
        spec.save(str(folder))
        return {f"model/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
    finally:
        shutil.rmtree(folder)


def _width(name: str) -> float:
    """Standard deviation of the weights: the output depends mostly on the source."""
    if name.endswith("bias") or name.startswith("decoder/embeddings"):
        return 0.05
    return 0.4


def _shape(name: str, tokens: int) -> tuple[int, ...]:
    """The shape of a weight, or of a bias, by its name in CTranslate2's specification."""
    if "embeddings" in name:
        return tokens, _DIM
    if "projection" in name:
        rows, columns = tokens, _DIM
    elif "ffn/linear_0" in name:
        rows, columns = _INNER, _DIM
    elif "ffn/linear_1" in name:
        rows, columns = _DIM, _INNER
    elif "self_attention/linear_0" in name:
        rows, columns = 3 * _DIM, _DIM
    elif "/attention/linear_1" in name:
        rows, columns = 2 * _DIM, _DIM
    else:
        rows, columns = _DIM, _DIM
    return (rows, columns) if name.endswith("weight") else (rows,)

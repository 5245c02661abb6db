"""A trained network as an argos package: CTranslate2 int8, SentencePiece, metadata, in one zip."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctranslate2.specs import common_spec, transformer_spec
from ctranslate2.specs.model_spec import ModelSpec

if TYPE_CHECKING:
    from lang_models.translate.network import Translator

LICENCE = "CC BY-SA 4.0"
LANGUAGES = {"ar": "Arabic", "en": "English"}
_DATE = (2026, 1, 1, 0, 0, 0)  # of every member, so that the same network gives the same bytes


def package(
    to: Path, model: Translator, sentencepiece: bytes, pieces: list[str], *,
    source: str, target: str, version: str, readme: str, license: str,
) -> None:  # fmt: skip
    """Write the `.argosmodel` file `to`, as argostranslate installs it."""
    name = f"translate-{source}_{target}-{version.replace('.', '_')}"
    metadata = {
        "package_version": version,
        "argos_version": "1.9",
        "from_code": source, "from_name": LANGUAGES[source],
        "to_code": target, "to_name": LANGUAGES[target],
        "type": "translate",
        "license": LICENCE,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        spec = specification(model, pieces)
        spec.optimize(quantization="int8")
        spec.save(folder)
        held = {f"model/{path.name}": path.read_bytes() for path in Path(folder).iterdir()}
    held["sentencepiece.model"] = sentencepiece
    held["metadata.json"] = json.dumps(metadata, indent=2).encode()
    held["README.md"] = readme.encode()
    held["LICENSE"] = license.encode()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member in sorted(held):
            entry = zipfile.ZipInfo(f"{name}/{member}", _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, held[member])


def specification(model: Translator, pieces: list[str]) -> ModelSpec:
    """The network in CTranslate2's terms."""
    shape = model.shape
    spec = transformer_spec.TransformerSpec.from_config(
        (shape.encoder, shape.decoder), shape.heads, pre_norm=True,
        activation=common_spec.Activation.RELU,
    )  # fmt: skip
    for vocabulary in (spec.register_source_vocabulary, spec.register_target_vocabulary):
        vocabulary(pieces)
    spec.config.add_source_bos = False
    spec.config.add_source_eos = True
    spec.config.decoder_start_token = pieces[1]
    table = _array(model.table)
    spec.encoder.embeddings[0].weight = table
    spec.decoder.embeddings.weight = table
    spec.decoder.projection.weight = table
    spec.decoder.projection.bias = _array(model.bias)
    for half in (spec.encoder, spec.decoder):
        half.scale_embeddings = True
        half.position_encodings.encodings = _array(model.places)
    _norm(spec.encoder.layer_norm, model.norm_encoder)
    _norm(spec.decoder.layer_norm, model.norm_decoder)
    for half, layers in ((spec.encoder, model.encoder), (spec.decoder, model.decoder)):
        for to, layer in zip(half.layer, layers, strict=True):
            _attention(to.self_attention, layer.own, layer.norm_own, own=True)
            if layers is model.decoder:
                _attention(to.attention, layer.cross, layer.norm_cross, own=False)
            _norm(to.ffn.layer_norm, layer.norm_inner)
            _linear(to.ffn.linear_0, layer.up)
            _linear(to.ffn.linear_1, layer.down)
    spec.validate()
    return spec


def _attention(to: Any, layer: Any, norm: Any, *, own: bool) -> None:
    """CTranslate2 keeps query, key and value in one matrix, or query apart where they differ."""
    import numpy as np

    groups = [(layer.query, layer.key, layer.value)] if own else [
        (layer.query,), (layer.key, layer.value)
    ]  # fmt: skip
    for linear, parts in zip(to.linear, [*groups, (layer.out,)], strict=True):
        linear.weight = np.concatenate([_array(part.weight) for part in parts])
        linear.bias = np.concatenate([_array(part.bias) for part in parts])
    _norm(to.layer_norm, norm)


def _linear(to: Any, layer: Any) -> None:
    to.weight, to.bias = _array(layer.weight), _array(layer.bias)


def _norm(to: Any, layer: Any) -> None:
    to.gamma, to.beta = _array(layer.weight), _array(layer.bias)


def _array(tensor: Any) -> Any:
    return tensor.detach().float().cpu().numpy().copy()  # int8 is worked out in place

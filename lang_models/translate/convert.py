"""Convert a trained network to an argos package: CTranslate2 int8, SentencePiece, metadata, zip."""

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

LICENSE = "CC BY-SA 4.0"
LANGUAGES = {"ar": "Arabic", "en": "English"}
_DATE = (2026, 1, 1, 0, 0, 0)  # of every member, so that the same network gives the same bytes


def write_package(
    path: Path, model: Translator, sentencepiece: bytes, pieces: list[str], *,
    source: str, target: str, version: str, readme: str, license: str,
) -> None:  # fmt: skip
    """Write an `.argosmodel` file that argostranslate can install."""
    name = f"translate-{source}_{target}-{version.replace('.', '_')}"
    metadata = {
        "package_version": version,
        "argos_version": "1.9",
        "from_code": source, "from_name": LANGUAGES[source],
        "to_code": target, "to_name": LANGUAGES[target],
        "type": "translate",
        "license": LICENSE,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        spec = build_spec(model, pieces)
        spec.optimize(quantization="int8")
        spec.save(folder)
        files = {f"model/{file.name}": file.read_bytes() for file in Path(folder).iterdir()}
    files["sentencepiece.model"] = sentencepiece
    files["metadata.json"] = json.dumps(metadata, indent=2).encode()
    files["README.md"] = readme.encode()
    files["LICENSE"] = license.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(files):
            entry = zipfile.ZipInfo(f"{name}/{file}", _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[file])


def build_spec(model: Translator, pieces: list[str]) -> ModelSpec:
    """Build the CTranslate2 specification of the network."""
    shape = model.shape
    spec = transformer_spec.TransformerSpec.from_config(
        (shape.encoder, shape.decoder), shape.heads, pre_norm=True,
        activation=common_spec.Activation.RELU,
    )  # fmt: skip
    for register in (spec.register_source_vocabulary, spec.register_target_vocabulary):
        register(pieces)
    spec.config.add_source_bos = False
    spec.config.add_source_eos = True
    spec.config.decoder_start_token = pieces[1]
    table = _to_array(model.table)
    spec.encoder.embeddings[0].weight = table
    spec.decoder.embeddings.weight = table
    spec.decoder.projection.weight = table
    spec.decoder.projection.bias = _to_array(model.bias)
    for half in (spec.encoder, spec.decoder):
        half.scale_embeddings = True
        half.position_encodings.encodings = _to_array(model.places)
    _set_norm(spec.encoder.layer_norm, model.norm_encoder)
    _set_norm(spec.decoder.layer_norm, model.norm_decoder)
    for half, layers in ((spec.encoder, model.encoder), (spec.decoder, model.decoder)):
        for target, layer in zip(half.layer, layers, strict=True):
            _set_attention(target.self_attention, layer.own, layer.norm_own, is_self=True)
            if layers is model.decoder:
                _set_attention(target.attention, layer.cross, layer.norm_cross, is_self=False)
            _set_norm(target.ffn.layer_norm, layer.norm_inner)
            _set_linear(target.ffn.linear_0, layer.up)
            _set_linear(target.ffn.linear_1, layer.down)
    spec.validate()
    return spec


def _set_attention(target: Any, layer: Any, norm: Any, *, is_self: bool) -> None:
    """Join the projections: CTranslate2 has one matrix for query, key and value in self-attention.

    In cross-attention, the query has its own matrix.
    """
    import numpy as np

    groups = [(layer.query, layer.key, layer.value)] if is_self else [
        (layer.query,), (layer.key, layer.value)
    ]  # fmt: skip
    for linear, parts in zip(target.linear, [*groups, (layer.out,)], strict=True):
        linear.weight = np.concatenate([_to_array(part.weight) for part in parts])
        linear.bias = np.concatenate([_to_array(part.bias) for part in parts])
    _set_norm(target.layer_norm, norm)


def _set_linear(target: Any, layer: Any) -> None:
    target.weight, target.bias = _to_array(layer.weight), _to_array(layer.bias)


def _set_norm(target: Any, layer: Any) -> None:
    target.gamma, target.beta = _to_array(layer.weight), _to_array(layer.bias)


def _to_array(tensor: Any) -> Any:
    return tensor.detach().float().cpu().numpy().copy()  # quantization works in place

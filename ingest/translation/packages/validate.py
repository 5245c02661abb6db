"""Check that a folder is a working package: its metadata, its files, its model.

C++ libraries read the tokenizer and the model, which are untrusted files. They run in another
process, so that a crash there becomes an error here.
"""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from ingest.errors import MissingExtraError, ModelError
from ingest.text import describe_parse_error
from ingest.translation.packages import probe
from ingest.translation.packages.isolated import run_python

METADATA = "metadata.json"
TOKENIZERS = ("sentencepiece.model", "bpe.model")  # argostranslate uses the first that exists
MODEL = "model/model.bin"
CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,30}")
_MAX_METADATA_BYTES = 1 << 20
# Size of a tokenizer or vocabulary file, and words in a vocabulary: the largest known have a third
# and a half of that. Without limits, a small zip could unpack to a file that takes a gigabyte of
# memory to parse.
_MAX_LIST_BYTES, _MAX_WORDS = 16 << 20, 1 << 19
_PROBE_SECONDS = 300  # a model of a gigabyte loads in ten
# Smallest share of the vocabulary that must be pieces of the tokenizer. They differ by fillers and
# pieces that training never saw; with the tokenizer of another language pair, only letters and
# short words of one language are shared.
_MIN_SHARED = 0.7
_FIRST_KNOWN_FORMAT = 4  # first version of CTranslate2's format with the layout read below


def parse_metadata(data: bytes) -> dict[str, Any]:
    """Parse the metadata.json of a package that translates one language into another.

    Raises:
        ModelError: it is not valid.

    >>> parse_metadata(b'{"from_code": "ar", "to_code": "en", "package_version": "1"}')["to_code"]
    'en'
    """
    if len(data) > _MAX_METADATA_BYTES:
        raise ModelError(f"{METADATA} has over {_MAX_METADATA_BYTES:,} bytes, the limit")
    try:
        metadata = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{METADATA} is not JSON: {describe_parse_error(error)}") from error
    if not isinstance(metadata, dict):
        raise ModelError(f"{METADATA} is not a JSON object")
    if (kind := metadata.get("type", "translate")) != "translate":
        raise ModelError(f"{METADATA}: type is {kind!r}, not 'translate'")
    for key in ("from_code", "to_code"):
        if not _matches(CODE, metadata.get(key)):
            raise ModelError(f"{METADATA}: {key} is {metadata.get(key)!r}, not a language code")
    if metadata["from_code"] == metadata["to_code"]:
        raise ModelError(f"{METADATA}: from_code and to_code are both {metadata['to_code']!r}")
    if not _matches(_VERSION, metadata.get("package_version")):
        version = metadata.get("package_version")
        raise ModelError(f"{METADATA}: package_version is {version!r}, not a version")
    prefix = metadata.get("target_prefix", "")
    if not (isinstance(prefix, str) and prefix.isprintable()):
        raise ModelError(f"{METADATA}: target_prefix is {prefix!r}, not printable text")
    return metadata


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def find_tokenizer(has_file: Callable[[str], bool]) -> str:
    """Check that the parts of a package exist, and return the name of its tokenizer.

    Args:
        has_file: Whether the package has a file of that name.

    Raises:
        ModelError: a part is missing.

    >>> find_tokenizer({"bpe.model", "model/model.bin", "model/shared_vocabulary.txt"}.__contains__)
    'bpe.model'
    """
    if not has_file(MODEL):
        raise ModelError(f"{MODEL} is missing")
    for side in ("source", "target"):
        if not any(map(has_file, _vocabulary_names(side))):
            raise ModelError(f"model/shared_vocabulary.json is missing, and so is a {side} one")
    name = next(filter(has_file, TOKENIZERS), None)
    if name is None:
        raise ModelError(f"its tokenizer, {' or '.join(TOKENIZERS)}, is missing")
    return name


def _vocabulary_names(side: str) -> list[str]:
    """List where CTranslate2 looks for the vocabulary of a side, in order."""
    return [f"model/{prefix}_vocabulary.{suffix}" for prefix in (side, "shared")
            for suffix in ("json", "txt")]  # fmt: skip


def require_extra() -> None:
    """Raise if the libraries that load tokenizers and models are not installed.

    Raises:
        MissingExtraError: they are not.
    """
    for package in ("ctranslate2", "sentencepiece"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError("translate", package) from None


def validate(folder: Path) -> None:
    """Read a package's vocabularies, load its tokenizer and model, and translate one token.

    Raises:
        ModelError: a part does not load, or the parts do not belong together.
        MissingExtraError: the extra `translate` is not installed.
    """
    name = find_tokenizer(lambda part: (folder / part).is_file())
    _check_list_size(folder / name)
    vocabularies = {side: _read_vocabulary(folder, side) for side in ("source", "target")}
    _check_vocabulary_sizes(folder / MODEL, vocabularies)
    require_extra()
    result = _run_probe(folder, name)
    pieces = set(result["pieces"]) if "pieces" in result else _read_bpe_pieces(folder / name)
    for side, vocabulary in vocabularies.items():
        words = [token for token in vocabulary if not token.startswith("<")]
        shared = len(pieces.intersection(words)) / max(min(len(words), len(pieces)), 1)
        if shared < _MIN_SHARED:
            raise ModelError(
                f"{name} is another model's tokenizer: only {shared:.0%} of the {side} vocabulary "
                "are its pieces"
            )


def _run_probe(folder: Path, name: str) -> dict[str, Any]:
    try:
        process = run_python(probe.__file__, str(folder), name, seconds=_PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{MODEL} did not load in {_PROBE_SECONDS} seconds") from None
    if process.returncode:
        raise ModelError(
            f"{name} or {MODEL} crashes the process that loads it ({process.returncode})"
        )
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    if "error" in result:
        raise ModelError(result["error"])
    return result


def _read_bpe_pieces(path: Path) -> set[str]:
    """Read the results of the merges: with @@ inside a word, without it at the end."""
    try:
        lines = _read_word_list(path).split("\n")
    except ValueError as error:
        raise ModelError(f"{path.name} does not load: {error}") from error
    merges = [line for line in lines if line and not line.startswith("#version")]
    if not merges or any(len(merge.split()) != 2 for merge in merges):
        raise ModelError(f"{path.name} does not load: it is not a list of merges")
    joined = {"".join(merge.split()) for merge in merges}
    final = {word.removesuffix("</w>") for word in joined if word.endswith("</w>")}
    inner = {word for word in joined if not word.endswith("</w>")}
    letters = {letter for word in final | inner for letter in word}
    return final | letters | {f"{word}@@" for word in inner | letters}


def _check_list_size(path: Path) -> None:
    if (size := path.stat().st_size) > _MAX_LIST_BYTES:
        raise ModelError(f"{path.name} has {size:,} bytes; the limit is {_MAX_LIST_BYTES:,}")


def _read_word_list(path: Path) -> str:
    """Read a list of words that is within the limits."""
    _check_list_size(path)
    data = path.read_bytes()
    if max(data.count(b","), data.count(b"\n")) > _MAX_WORDS:
        raise ModelError(f"{path.name} has over {_MAX_WORDS:,} words, the limit")
    return data.decode()  # not read_text(): a carriage return may be a word


def _read_vocabulary(folder: Path, side: str) -> list[str]:
    path = next(p for name in _vocabulary_names(side) if (p := folder / name).is_file())
    try:
        text = _read_word_list(path)
        tokens = json.loads(text) if path.suffix == ".json" else text.removesuffix("\n").split("\n")
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"model/{path.name} is not a list of words: {describe_parse_error(error)}"
        ) from error
    if not isinstance(tokens, list) or not tokens or not all(isinstance(t, str) for t in tokens):
        raise ModelError(f"model/{path.name} is not a list of words")
    return tokens


def _check_vocabulary_sizes(path: Path, vocabularies: dict[str, list[str]]) -> None:
    """Compare the model's embedding tables with the vocabularies; CTranslate2 does not."""
    rows: dict[str, int] = {}
    with path.open("rb") as file:
        for name, shape in _read_shapes(file, path.stat().st_size):
            if name in ("encoder/embeddings_0/weight", "encoder/embeddings/weight"):
                rows["source"] = shape[0]
            elif name in ("decoder/embeddings/weight", "decoder/projection/weight"):
                rows["target"] = shape[0]
    for side, count in rows.items():
        words = len(vocabularies[side])
        if count != words:
            raise ModelError(f"{MODEL} has {count:,} {side} words, but its vocabulary {words:,}")


def _read_shapes(file: BinaryIO, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and shape of each table in a CTranslate2 model.

    Raises:
        ModelError: the file is truncated.
    """
    truncated = ModelError(f"{MODEL} is truncated: it has only {size:,} bytes")

    def read_bytes(count: int) -> bytes:
        data = file.read(count)
        if len(data) < count:
            raise truncated
        return data

    def read(code: str) -> int:
        number: int = struct.unpack(f"<{code}", read_bytes(struct.calcsize(f"<{code}")))[0]
        return number

    def read_string() -> str:
        return read_bytes(read("H")).rstrip(b"\0").decode("utf-8", "replace")

    if read("I") < _FIRST_KNOWN_FORMAT:
        return
    read_string()
    read("I")
    for _ in range(read("I")):
        name = read_string()
        shape = tuple(read("I") for _ in range(read("B")))
        read("B")
        if file.seek(read("I"), os.SEEK_CUR) > size:
            raise truncated
        if shape:
            yield name, shape
    for _ in range(read("I")):
        read_string()
        read_string()

"""Whether a folder is a package that can translate: its metadata, its files, its model.

The tokenizer and the model are foreign bytes read by C++ libraries, so they are tried in a process
of their own: what crashes there is an error here.
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
from ingest.translation.packages import probe
from ingest.translation.packages.isolated import child

METADATA = "metadata.json"
TOKENIZERS = ("sentencepiece.model", "bpe.model")  # argostranslate takes the first it finds
MODEL = "model/model.bin"
CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,30}")
_MAX_METADATA = 1 << 20  # a page of text is what it holds
# Bytes of a tokenizer or a vocabulary, and words in one: the largest have a third, and half.
# What a small zip may unpack to would take a gigabyte of memory to read.
_MAX_LIST, _MAX_WORDS = 16 << 20, 1 << 19
_TIME = 300  # seconds; a gigabyte loads in ten
# A package's vocabulary is its tokenizer's, give or take what training never saw and fillers. Of
# another pair's tokenizer, letters and short words of one language at most are in it.
_SHARED = 0.7
_FIRST_WITH_TYPES = 4  # version of CTranslate2's format whose layout `_shapes` knows


def metadata(data: bytes) -> dict[str, Any]:
    """What metadata.json says of a package that translates one language into another.

    Raises:
        ModelError: it is no such thing.

    >>> metadata(b'{"from_code": "ar", "to_code": "en", "package_version": "1.0"}')["to_code"]
    'en'
    """
    if len(data) > _MAX_METADATA:
        raise ModelError(f"{METADATA} has over {_MAX_METADATA:,} bytes, the most it may have")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{METADATA} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{METADATA} is no JSON object")
    if (kind := found.get("type", "translate")) != "translate":
        raise ModelError(f"{METADATA}: type is {kind!r}, not 'translate'")
    for key in ("from_code", "to_code"):
        if not _matches(CODE, found.get(key)):
            raise ModelError(f"{METADATA}: {key} is {found.get(key)!r}, no code of a language")
    if found["from_code"] == found["to_code"]:
        raise ModelError(f"{METADATA}: from_code and to_code are both {found['to_code']!r}")
    if not _matches(_VERSION, found.get("package_version")):
        raise ModelError(
            f"{METADATA}: package_version is {found.get('package_version')!r}, no version"
        )
    prefix = found.get("target_prefix", "")
    if not (isinstance(prefix, str) and prefix.isprintable()):
        raise ModelError(f"{METADATA}: target_prefix is {prefix!r}, no plain text")
    return found


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def tokenizer(has: Callable[[str], bool]) -> str:
    """The name of a package's tokenizer, once its other parts are found to be there.

    Args:
        has: Whether the package has a file of that name.

    Raises:
        ModelError: a part is missing.

    >>> tokenizer({"bpe.model", "model/model.bin", "model/shared_vocabulary.txt"}.__contains__)
    'bpe.model'
    """
    if not has(MODEL):
        raise ModelError(f"{MODEL} is missing")
    for side in ("source", "target"):
        if not any(map(has, _vocabularies(side))):
            raise ModelError(f"model/shared_vocabulary.json, or one a {side}, is missing")
    found = next(filter(has, TOKENIZERS), None)
    if found is None:
        raise ModelError(f"its tokenizer, {' or '.join(TOKENIZERS)}, is missing")
    return found


def _vocabularies(side: str) -> list[str]:
    """Where CTranslate2 looks for the vocabulary of a side, in its order."""
    return [f"model/{which}_vocabulary.{end}" for which in (side, "shared")
            for end in ("json", "txt")]  # fmt: skip


def require() -> None:
    """See that what loads tokenizers and models is installed.

    Raises:
        MissingExtraError: it is not.
    """
    for package in ("ctranslate2", "sentencepiece"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError("translate", package) from None


def check(folder: Path) -> None:
    """Read a package's vocabularies; load its tokenizer and its model, and translate a word.

    Raises:
        ModelError: a part does not load, or does not fit another.
        MissingExtraError: what loads tokenizers and models is not installed.
    """
    name = tokenizer(lambda part: (folder / part).is_file())
    _refuse_large(folder / name)
    sides = {side: _vocabulary(folder, side) for side in ("source", "target")}
    _fit(folder / MODEL, sides)
    require()
    found = _tried(folder, name)
    pieces = set(found["pieces"]) if "pieces" in found else _bpe(folder / name)
    for side, tokens in sides.items():
        words = [token for token in tokens if not token.startswith("<")]
        shared = len(pieces.intersection(words)) / max(min(len(words), len(pieces)), 1)
        if shared < _SHARED:
            raise ModelError(
                f"{name} is another model's tokenizer: {shared:.0%} of the {side} "
                "vocabulary are its pieces"
            )


def _tried(folder: Path, name: str) -> dict[str, Any]:
    """What `probe.py` finds."""
    try:
        done = child(probe.__file__, str(folder), name, seconds=_TIME)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{MODEL} did not load in {_TIME} seconds") from None
    if done.returncode:
        raise ModelError(f"{name} or {MODEL} ends the process that loads it ({done.returncode})")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "error" in found:
        raise ModelError(found["error"])
    return found


def _bpe(path: Path) -> set[str]:
    """What the merges make: within a word with its mark, at its end without."""
    try:
        lines = _words_in(path).split("\n")
    except ValueError as error:
        raise ModelError(f"{path.name} does not load: {error}") from error
    merges = [line for line in lines if line and not line.startswith("#version")]
    if not merges or any(len(merge.split()) != 2 for merge in merges):
        raise ModelError(f"{path.name} does not load: it is no list of merges")
    joined = {"".join(merge.split()) for merge in merges}
    ends = {word.removesuffix("</w>") for word in joined if word.endswith("</w>")}
    inner = {word for word in joined if not word.endswith("</w>")}
    letters = {letter for word in ends | inner for letter in word}
    return ends | letters | {f"{word}@@" for word in inner | letters}


def _refuse_large(path: Path) -> None:
    if (size := path.stat().st_size) > _MAX_LIST:
        raise ModelError(f"{path.name} has {size:,} bytes; {_MAX_LIST:,} are the most it may have")


def _words_in(path: Path) -> str:
    """The text of a list of words, which holds no more than a list of words does."""
    _refuse_large(path)
    data = path.read_bytes()
    if max(data.count(b","), data.count(b"\n")) > _MAX_WORDS:
        raise ModelError(f"{path.name} holds over {_MAX_WORDS:,} words, the most it may hold")
    return data.decode()  # a carriage return may be a word


def _vocabulary(folder: Path, side: str) -> list[str]:
    path = next(p for name in _vocabularies(side) if (p := folder / name).is_file())
    try:
        text = _words_in(path)
        tokens = json.loads(text) if path.suffix == ".json" else text.removesuffix("\n").split("\n")
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model/{path.name} is no list of words: {error}") from error
    if not isinstance(tokens, list) or not tokens or not all(isinstance(t, str) for t in tokens):
        raise ModelError(f"model/{path.name} is no list of words")
    return tokens


def _fit(path: Path, sides: dict[str, list[str]]) -> None:
    """Compare the model's tables of words with the vocabularies: CTranslate2 does not."""
    rows: dict[str, int] = {}
    with path.open("rb") as file:
        for name, shape in _shapes(file, path.stat().st_size):
            if name in ("encoder/embeddings_0/weight", "encoder/embeddings/weight"):
                rows["source"] = shape[0]
            elif name in ("decoder/embeddings/weight", "decoder/projection/weight"):
                rows["target"] = shape[0]
    for side, count in rows.items():
        if count != len(sides[side]):
            raise ModelError(
                f"{MODEL} knows {count:,} {side} words, its vocabulary {len(sides[side]):,}"
            )


def _shapes(file: BinaryIO, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each table in a model.

    Raises:
        ModelError: the file ends before its content does.
    """
    cut = ModelError(f"{MODEL} is cut off: its {size:,} bytes are not all of it")

    def exactly(count: int) -> bytes:
        data = file.read(count)
        if len(data) < count:
            raise cut
        return data

    def read(code: str) -> int:
        number: int = struct.unpack(f"<{code}", exactly(struct.calcsize(f"<{code}")))[0]
        return number

    def string() -> str:
        return exactly(read("H")).rstrip(b"\0").decode("utf-8", "replace")

    if read("I") < _FIRST_WITH_TYPES:
        return
    string()
    read("I")
    for _ in range(read("I")):
        name = string()
        shape = tuple(read("I") for _ in range(read("B")))
        read("B")
        if file.seek(read("I"), os.SEEK_CUR) > size:
            raise cut
        if shape:
            yield name, shape
    for _ in range(read("I")):
        string()
        string()

"""One argos package: a folder, or a zip that ships, and what stands in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from ingest.errors import ModelError
from ingest.translation.packages.archive import opened
from ingest.translation.packages.validate import METADATA, metadata, tokenizer

# What detection calls a language for which argos packages have a name of their own
DETECTED_AS = {"pb": "pt", "zt": "zh", "nb": "no"}
Origin = Literal["ours", "argostranslate", "shipped"]
RECORD = "ingest.json"  # what was installed from what; in each package that ingest unpacked
_LICENCE = re.compile(r"(licen[cs]e|copying)\b", re.IGNORECASE)
_README = re.compile(r"readme\b", re.IGNORECASE)
_MOST = 1 << 20  # bytes that are read of a text
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Package:
    """A package that translates one language into another.

    Attributes:
        path: Its folder; of a shipped one that was never used, its zip.
        name: Of the folder, such as translate-en_ar-1_0.
        from_lang: Code of the language it reads.
        to_lang: Code of the language it writes.
        version: As its maker numbers it.
        tokenizer: Name of its file: sentencepiece.model or bpe.model.
        target_prefix: What every translation is made to begin with; mostly empty.
        license: The text of its license, or its README; empty where it has neither.
        origin: Who put it there.
    """

    path: Path
    name: str
    from_lang: str
    to_lang: str
    version: str
    tokenizer: str
    target_prefix: str
    license: str
    origin: Origin

    @cached_property
    def sha256(self) -> str:
        """Of its files, as recorded at install; worked out where others installed it."""
        return str(self.record.get("sha256") or self.hashed())

    @cached_property
    def record(self) -> dict[str, Any]:
        """What install wrote down; empty for what others installed."""
        if self.origin == "argostranslate":
            return {}
        try:
            found = json.loads((self.path / RECORD).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def verify(self) -> None:
        """See that its files are those that `sha256` names: translations are kept by that name.

        Raises:
            ModelError: they were changed since the install.
        """
        if self.hashed() != self.sha256:
            how = (
                "remove that folder, and it is unpacked again"
                if self.origin == "shipped"
                else "install the package anew, with --overwrite"
            )
            raise ModelError(f"{self.path}: its files were changed since the install; {how}")

    @property
    def made_from(self) -> dict[str, Any]:
        """Of the record, what it says of the archive: file, bytes, sha256, from."""
        found = self.record.get("archive")
        return found if isinstance(found, dict) else {}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        if self.path.is_file():
            with opened(self.path) as archive:
                return dict(sorted(archive.files.items()))
        return {name: (self.path / name).stat().st_size for name in names(self.path)}

    def hashed(self) -> str:
        """The sha256 of its files as they are now: names in order, and contents."""
        if self.path.is_file():
            with opened(self.path) as archive:
                inside = sorted(set(archive.files) - {RECORD})
                return _sha256((name, archive.chunks(name)) for name in inside)
        return content_sha256(self.path)


def load(path: Path, origin: Origin = "ours") -> Package:
    """The package in a folder, as its metadata has it; the model is not tried.

    Raises:
        ModelError: it is none, or a part of it is missing.
    """
    if not path.is_dir():
        raise ModelError(f"{path}: is no folder, so no package")
    try:
        inside = names(path) if (path / METADATA).is_file() else []
        if closed := [name for name in inside if not os.access(path / name, os.R_OK)]:
            raise ModelError(f"{closed[0]} cannot be read: its permissions do not allow it")
        return _package(path, path.name, origin, inside, lambda name: _chunks(path / name))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error


def load_zip(path: Path, origin: Origin = "shipped") -> Package:
    """The package in a zip, the same way.

    Raises:
        ModelError: it is none, or a part of it is missing.
    """
    with opened(path) as archive:
        try:
            return _package(path, archive.top, origin, archive.files, archive.chunks)
        except ModelError as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise ModelError(f"{path}: {error}") from error


def _package(
    path: Path,
    name: str,
    origin: Origin,
    files: Iterable[str],
    chunks: Callable[[str], Iterator[bytes]],
) -> Package:
    inside = set(files)
    if METADATA not in inside:
        raise ModelError(f"{METADATA} is missing")

    def read(name: str) -> bytes:
        data = bytearray()
        for chunk in chunks(name):
            data += chunk
            if len(data) > _MOST:  # whatever it is, it is no text to read
                break
        return bytes(data)

    about = metadata(read(METADATA))
    return Package(
        path=path,
        name=name,
        from_lang=about["from_code"],
        to_lang=about["to_code"],
        version=about["package_version"],
        tokenizer=tokenizer(inside.__contains__),
        target_prefix=about.get("target_prefix", ""),
        license=_license(about, inside, read),
        origin=origin,
    )


def _license(about: dict[str, Any], files: set[str], read: Callable[[str], bytes]) -> str:
    """The files of its license, or what the metadata says of it, or the README."""
    top = sorted(name for name in files if "/" not in name)
    said = [str(about[key]) for key in ("license", "licence") if about.get(key)]
    texts = [name for name in top if _LICENCE.match(name)]
    if not texts and not said:
        texts = [name for name in top if _README.match(name)]
    found = [read(name)[:_MOST].decode("utf-8", "replace").strip() for name in texts]
    return "\n\n".join(list(filter(None, found)) or said)


def names(folder: Path) -> list[str]:
    """Its files in order, without the record of install."""
    files = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(set(files) - {RECORD})


def content_sha256(folder: Path) -> str:
    """One hash of all its files but the record of install; worked out once while they stay."""
    stamps = ((name, (folder / name).stat()) for name in names(folder))
    return _stamped_sha256(
        folder, tuple((name, stamp.st_size, stamp.st_mtime_ns) for name, stamp in stamps)
    )


@lru_cache(maxsize=64)
def _stamped_sha256(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    return _sha256((name, _chunks(folder / name)) for name, _, _ in stamps)


def file_sha256(path: Path) -> str:
    """The hash of one file."""
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _sha256(files: Iterable[tuple[str, Iterator[bytes]]]) -> str:
    whole = hashlib.sha256()
    for name, chunks in files:
        content = hashlib.sha256()
        for chunk in chunks:
            content.update(chunk)
        whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + content.digest())
    return whole.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

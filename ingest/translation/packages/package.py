"""One argos package: a folder, or a zip file that ships with ingest."""

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
from ingest.translation.packages.archive import open_archive
from ingest.translation.packages.validate import METADATA, find_tokenizer, parse_metadata

# Codes of language detection, where argos packages use another code
DETECTED_AS = {"pb": "pt", "zt": "zh", "nb": "no"}
Origin = Literal["ours", "argostranslate", "shipped"]
RECORD = "ingest.json"  # written into each package that ingest unpacks
_LICENSE = re.compile(r"(licen[cs]e|copying)\b", re.IGNORECASE)
_README = re.compile(r"readme\b", re.IGNORECASE)
_MAX_TEXT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Package:
    """A package that translates one language into another.

    Attributes:
        path: Its folder; its zip file if it ships with ingest and was never used.
        name: Name of the folder, such as translate-en_ar-1_0.
        from_lang: Code of the source language.
        to_lang: Code of the target language.
        version: The package's version.
        tokenizer: Name of the tokenizer's file: sentencepiece.model or bpe.model.
        target_prefix: Token that every translation starts with; usually empty.
        license: Text of its license, or its README; empty if it has neither.
        origin: Who installed it.
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
        """Hash of its files, recorded at install, or computed if ingest did not install it."""
        return str(self.record.get("sha256") or self.compute_sha256())

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the install; empty if ingest did not install it."""
        if self.origin == "argostranslate":
            return {}
        try:
            record = json.loads((self.path / RECORD).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return record if isinstance(record, dict) else {}

    def verify(self) -> None:
        """Check that the files still match `sha256`, which is part of the cache keys.

        Raises:
            ModelError: the files were changed since the install.
        """
        if self.compute_sha256() != self.sha256:
            remedy = (
                "delete that folder, and the package is unpacked again"
                if self.origin == "shipped"
                else "reinstall the package with --overwrite"
            )
            raise ModelError(f"{self.path}: its files were changed since the install; {remedy}")

    @property
    def archive_info(self) -> dict[str, Any]:
        """What the record says about the archive: file, bytes, sha256, from."""
        info = self.record.get("archive")
        return info if isinstance(info, dict) else {}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        if self.path.is_file():
            with open_archive(self.path) as archive:
                return dict(sorted(archive.files.items()))
        return {name: (self.path / name).stat().st_size for name in list_files(self.path)}

    def compute_sha256(self) -> str:
        """Compute the SHA-256 of its files as they are now: sorted names and contents."""
        if self.path.is_file():
            with open_archive(self.path) as archive:
                files = sorted(set(archive.files) - {RECORD})
                return _sha256((name, archive.read_chunks(name)) for name in files)
        return content_sha256(self.path)


def load(path: Path, origin: Origin = "ours") -> Package:
    """Read the metadata of the package in a folder. The model is not loaded.

    Raises:
        ModelError: the folder is not a package, or a part is missing.
    """
    if not path.is_dir():
        raise ModelError(f"{path}: is not a folder, and so not a package")
    try:
        files = list_files(path) if (path / METADATA).is_file() else []
        if unreadable := [name for name in files if not os.access(path / name, os.R_OK)]:
            raise ModelError(f"{unreadable[0]} cannot be read: permission denied")
        return _read_package(path, path.name, origin, files, lambda name: _chunks(path / name))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error


def load_zip(path: Path, origin: Origin = "shipped") -> Package:
    """Read the metadata of the package in a zip file.

    Raises:
        ModelError: the file is not a package, or a part is missing.
    """
    with open_archive(path) as archive:
        try:
            return _read_package(path, archive.top, origin, archive.files, archive.read_chunks)
        except ModelError as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise ModelError(f"{path}: {error}") from error


def _read_package(
    path: Path,
    name: str,
    origin: Origin,
    files: Iterable[str],
    read_chunks: Callable[[str], Iterator[bytes]],
) -> Package:
    names = set(files)
    if METADATA not in names:
        raise ModelError(f"{METADATA} is missing")

    def read(name: str) -> bytes:
        data = bytearray()
        for chunk in read_chunks(name):
            data += chunk
            if len(data) > _MAX_TEXT_BYTES:  # not a text, whatever it is
                break
        return bytes(data)

    metadata = parse_metadata(read(METADATA))
    return Package(
        path=path,
        name=name,
        from_lang=metadata["from_code"],
        to_lang=metadata["to_code"],
        version=metadata["package_version"],
        tokenizer=find_tokenizer(names.__contains__),
        target_prefix=metadata.get("target_prefix", ""),
        license=_read_license(metadata, names, read),
        origin=origin,
    )


def _read_license(metadata: dict[str, Any], files: set[str], read: Callable[[str], bytes]) -> str:
    """Return its license files, or the license in the metadata, or the README."""
    top_files = sorted(name for name in files if "/" not in name)
    stated = [str(metadata[key]) for key in ("license", "licence") if metadata.get(key)]
    names = [name for name in top_files if _LICENSE.match(name)]
    if not names and not stated:
        names = [name for name in top_files if _README.match(name)]
    texts = [read(name)[:_MAX_TEXT_BYTES].decode("utf-8", "replace").strip() for name in names]
    return "\n\n".join(list(filter(None, texts)) or stated)


def list_files(folder: Path) -> list[str]:
    """List the files of a package, sorted, without the record of the install."""
    files = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(set(files) - {RECORD})


def content_sha256(folder: Path) -> str:
    """Hash the files of a package; the result is reused while sizes and times are unchanged."""
    stats = ((name, (folder / name).stat()) for name in list_files(folder))
    return _cached_sha256(
        folder, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    )


@lru_cache(maxsize=64)
def _cached_sha256(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    return _sha256((name, _chunks(folder / name)) for name, _, _ in stamps)


def file_sha256(path: Path) -> str:
    """Hash one file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(files: Iterable[tuple[str, Iterator[bytes]]]) -> str:
    total = hashlib.sha256()
    for name, chunks in files:
        content = hashlib.sha256()
        for chunk in chunks:
            content.update(chunk)
        total.update(name.encode("utf-8", "surrogateescape") + b"\0" + content.digest())
    return total.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk

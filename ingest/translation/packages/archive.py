"""The zip file of a package, checked in full before anything is unpacked."""

from __future__ import annotations

import hashlib
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import ModelError

# The largest package in the argos index is a tenth of MAX_BYTES. Weights hardly compress, and text
# compresses to a tenth at best.
MAX_BYTES = 4 << 30
MAX_RATIO = 100
MAX_MEMBERS = 10_000
_MAX_NAME_BYTES = 255  # limit of common file systems
_CHUNK_BYTES = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile does not bound the others
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
           ValueError, struct.error)  # fmt: skip


class Archive:
    """A zip file that passed all checks.

    Attributes:
        path: The zip file.
        top: Name of its single top folder.
        files: Size of each file, by name below `top`.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = archive
        members = _check_members(path, archive)
        self.top = _find_top(path, members)
        below_top = {name.partition("/")[2]: info for name, info in members.items()}
        self._files = {name: info for name, info in below_top.items() if not info.is_dir()}
        self.files = {name: info.file_size for name, info in self._files.items()}

    def read_chunks(self, name: str) -> Iterator[bytes]:
        """Read a file in chunks.

        Raises:
            ModelError: the file is damaged.
        """
        try:
            with self._zip.open(self._files[name]) as member:
                while chunk := member.read(_CHUNK_BYTES):
                    yield chunk
        except _DAMAGE as error:
            raise ModelError(
                f"{self.path}: {name} is damaged ({error}); download the file again"
            ) from error

    def fingerprint(self) -> str:
        """Return a short hash of the names, sizes and checksums of the files."""
        entries = sorted((name, info.file_size, info.CRC) for name, info in self._files.items())
        return hashlib.sha256(repr(entries).encode()).hexdigest()[:16]

    def unpack(self, target: Path) -> None:
        """Unpack the files into an empty folder, without the top folder.

        Raises:
            ModelError: a file is damaged.
            OSError: a file cannot be written.
        """
        for name in self.files:
            path = target.joinpath(*name.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for chunk in self.read_chunks(name):
                    file.write(chunk)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a zip file and check that unpacking it writes only inside the target folder.

    Raises:
        ModelError: it is not a zip file, or fails a check.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give a package, which is a *.argosmodel file")
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise ModelError(
            f"{path}: is not a package, which is a zip file, or is incomplete ({error})"
        ) from error
    with archive:
        yield Archive(path, archive)


def _check_members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name; folders lose their slash."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _rejected(path, f"has {len(infos):,} files; the limit is {MAX_MEMBERS:,}")
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES:
        raise _rejected(path, f"would unpack to {total:,} bytes; the limit is {MAX_BYTES:,}")
    if total > MAX_RATIO * path.stat().st_size:
        raise _rejected(path, f"would unpack to {total:,} bytes, over {MAX_RATIO} times its size")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if fault := find_fault(info):
            raise _rejected(path, f"contains {info.orig_filename!r}, which {fault}")
        name = info.filename.removesuffix("/")
        if name in members:
            raise _rejected(path, f"contains {name!r} twice")
        members[name] = info
    _check_collisions(path, members)
    return members


def find_fault(info: zipfile.ZipInfo) -> str:
    """Describe what is wrong with a member; return an empty string if nothing is.

    >>> find_fault(zipfile.ZipInfo("en_ar/model/model.bin"))
    ''
    >>> find_fault(zipfile.ZipInfo("../../.bashrc"))
    'leads out of the folder'
    """
    name = info.orig_filename
    if not info.filename:  # zipfile cuts the name at its first NUL
        return "is not a name"
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    faults = {
        "has unprintable characters": not name.isprintable(),
        "leads out of the folder": ".." in parts,
        "is not a plain relative path": not {"", "."}.isdisjoint(parts)
        or not {*":\\"}.isdisjoint(name),
        "is a different name on some systems": any(part.endswith((".", " ")) for part in parts),
        "has a name that is too long": any(
            len(part.encode("utf-8", "replace")) > _MAX_NAME_BYTES for part in parts
        ),
        "is a link or a device": kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG),
        "is encrypted": bool(info.flag_bits & 1),
        "is neither stored nor deflated": info.compress_type not in _METHODS,
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def _check_collisions(path: Path, members: dict[str, zipfile.ZipInfo]) -> None:
    """Reject names that some file systems treat as equal, and files used as folders."""
    names: dict[str, str] = {}
    for name in members:
        folded = unicodedata.normalize("NFC", name).casefold()
        if (first := names.setdefault(folded, name)) != name:
            raise _rejected(path, f"contains {first!r} and {name!r}, the same on some systems")
    files = {folded for folded, name in names.items() if not members[name].is_dir()}
    for folded, name in names.items():
        parts = folded.split("/")
        if any("/".join(parts[:depth]) in files for depth in range(1, len(parts))):
            raise _rejected(path, f"contains {name!r} below a file")


def _find_top(path: Path, members: dict[str, zipfile.ZipInfo]) -> str:
    tops = {name.split("/")[0] for name in members}
    if len(tops) != 1 or not any("/" in name for name in members):
        raise _rejected(path, "does not have everything in one folder, as packages do")
    return tops.pop()


def _rejected(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: {reason}; nothing was unpacked: do not trust this file")

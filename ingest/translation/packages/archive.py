"""The zip that a package comes in: looked over as a whole before a byte of it is written."""

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

# The largest package argostranslate offers is a tenth of the first; weights hardly shrink, and
# text shrinks to a tenth at most.
MAX_BYTES = 4 << 30
MAX_RATIO = 100
MAX_MEMBERS = 10_000
_MAX_NAME = 255  # bytes of a file name, on common file systems
_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without bound
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
           ValueError, struct.error)  # fmt: skip


class Archive:
    """A zip that passed: its one top folder, and the files in it.

    Attributes:
        path: The zip.
        top: Name of the folder that holds everything.
        files: Name below `top` of each file, and its size.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = archive
        members = _checked(path, archive)
        self.top = _top(path, members)
        inside = {name.partition("/")[2]: info for name, info in members.items()}
        self._files = {name: info for name, info in inside.items() if not info.is_dir()}
        self.files = {name: info.file_size for name, info in self._files.items()}

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file, in pieces.

        Raises:
            ModelError: it is damaged.
        """
        try:
            with self._zip.open(self._files[name]) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
        except _DAMAGE as error:
            raise ModelError(
                f"{self.path}: {name} in it is damaged ({error}); get the file again"
            ) from error

    def fingerprint(self) -> str:
        """A short name of what is inside, by names, sizes and check sums."""
        inside = sorted((name, info.file_size, info.CRC) for name, info in self._files.items())
        return hashlib.sha256(repr(inside).encode()).hexdigest()[:16]

    def unpack(self, into: Path) -> None:
        """Write every file below `into`, a folder without files, the top folder left out.

        Raises:
            ModelError: a file in it is damaged.
            OSError: it could not be written.
        """
        for name in self.files:
            path = into.joinpath(*name.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for chunk in self.chunks(name):
                    file.write(chunk)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A zip, once it is known that it can be unpacked into a folder and nowhere else.

    Raises:
        ModelError: it is no zip, or not one to be unpacked.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give a package, a file named *.argosmodel")
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise ModelError(
            f"{path}: is no package, or came incomplete: a package is a zip ({error})"
        ) from error
    with archive:
        yield Archive(path, archive)


def _checked(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, folders without their slash."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _unfit(path, f"holds {len(infos):,} files; {MAX_MEMBERS:,} are the most")
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES:
        raise _unfit(path, f"would unpack to {total:,} bytes; {MAX_BYTES:,} are the most")
    if total > MAX_RATIO * path.stat().st_size:
        raise _unfit(path, f"would unpack to {total:,} bytes, over {MAX_RATIO} times its size")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if wrong := fault(info):
            raise _unfit(path, f"holds {info.orig_filename!r}, which {wrong}")
        name = info.filename.removesuffix("/")
        if name in members:
            raise _unfit(path, f"holds {name!r} twice")
        members[name] = info
    _distinct(path, members)
    return members


def fault(info: zipfile.ZipInfo) -> str:
    """What is wrong with a member; empty when nothing is.

    >>> fault(zipfile.ZipInfo("en_ar/model/model.bin"))
    ''
    >>> fault(zipfile.ZipInfo("../../.bashrc"))
    'leads out of the folder'
    """
    name = info.orig_filename
    if not info.filename:  # as it is up to its first NUL
        return "is no name"
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    faults = {
        "has characters that are no part of a name": not name.isprintable(),
        "leads out of the folder": ".." in parts,
        "is no plain relative name": not {"", "."}.isdisjoint(parts)
        or not {*":\\"}.isdisjoint(name),
        "is another name on some systems": any(part.endswith((".", " ")) for part in parts),
        "has a name too long": any(
            len(part.encode("utf-8", "replace")) > _MAX_NAME for part in parts
        ),
        "is a link or a device": kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG),
        "is encrypted": bool(info.flag_bits & 1),
        "is neither stored nor deflated": info.compress_type not in _METHODS,
    }
    return next((why for why, holds in faults.items() if holds), "")


def _distinct(path: Path, members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse names that some file systems take for one, and files that are folders too."""
    seen: dict[str, str] = {}
    for name in members:
        same = unicodedata.normalize("NFC", name).casefold()
        if (other := seen.setdefault(same, name)) != name:
            raise _unfit(path, f"holds {other!r} and {name!r}, one name on some systems")
    files = {same for same, name in seen.items() if not members[name].is_dir()}
    for same, name in seen.items():
        above = same.split("/")
        if any("/".join(above[:depth]) in files for depth in range(1, len(above))):
            raise _unfit(path, f"holds {name!r} below a file")


def _top(path: Path, members: dict[str, zipfile.ZipInfo]) -> str:
    tops = {name.split("/")[0] for name in members}
    if len(tops) != 1 or not any("/" in name for name in members):
        raise _unfit(path, "has not everything in one folder, as packages have")
    return tops.pop()


def _unfit(path: Path, why: str) -> ModelError:
    return ModelError(f"{path}: {why}; nothing was unpacked: this is no package to trust")

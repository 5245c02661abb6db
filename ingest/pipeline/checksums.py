"""Checksums of unfinished work, which show after a power cut what did not reach the disk.

To write each part to the disk before it gets its name would take longer: see the README. A part
whose checksums are not right is made again instead.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from pathlib import Path

from ingest.io.file_kinds import check_is_file, read_file

CHECKSUMS = "checksums.json"
_BLOCK = 1 << 20  # bytes in memory at a time
_SEAL = "{:08x}\n"  # ends a sealed file


def write_checksums(folder: Path, to: Path) -> None:
    """Record the size and CRC-32 of each file in a folder, which has no folders.

    Args:
        folder: the folder.
        to: the file to write; it may be in the folder.
    """
    record = {path.name: _checksum(path) for path in sorted(folder.iterdir())}
    to.write_text(json.dumps(record), encoding="utf-8")


def is_whole(folder: Path, checksums: Path, only: Collection[str] | None = None) -> bool:
    """Return whether the files in a folder are those that `write_checksums` recorded.

    Args:
        folder: the folder.
        checksums: what was recorded.
        only: names of the files to look at; all if None.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a").write_text("text")
    >>> write_checksums(folder, folder / CHECKSUMS)
    >>> is_whole(folder, folder / CHECKSUMS)
    True
    >>> _ = (folder / "a").write_bytes(bytes(4))
    >>> is_whole(folder, folder / CHECKSUMS)
    False
    """
    try:
        record = json.loads(read_file(checksums))
        return all(
            _checksum(folder / name) == expected
            for name, expected in record.items()
            if only is None or name in only
        )
    except (OSError, ValueError, AttributeError):
        return False


def seal(data: bytes) -> bytes:
    """Return data with its checksum at the end."""
    return data + _SEAL.format(zlib.crc32(data)).encode()


def unseal(sealed: bytes) -> bytes | None:
    """Return what `seal` was given; None if it is damaged.

    >>> unseal(seal(b"text")), unseal(seal(b"text")[:-1])
    (b'text', None)
    """
    data = sealed[: -len(_SEAL.format(0))]
    return data if seal(data) == sealed else None


def _checksum(path: Path) -> list[int]:
    """Return the size and CRC-32 of a file, as JSON gives them back."""
    size = crc = 0
    check_is_file(path)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return [size, crc]

"""Whether the disk has room for the outputs of a run, before they are assembled."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from ingest.errors import WriteError

# Of the size of the files of shards. The files of OUT are compressed more, and in larger groups.
_COMPRESSED_AGAIN = 0.75


def output_size(labelled: Iterable[Path], finished: Iterable[Path], article_bytes: int) -> int:
    """Return how many bytes the outputs will take at least, about.

    Args:
        labelled: the folders of the labelled shards, which have the pages.
        finished: the folders of the finished shards, which have the segments.
        article_bytes: size of articles.jsonl, which is not compressed.
    """
    stored = sum(
        path.stat().st_size
        for folders, pattern in ((labelled, "documents-*"), (finished, "segments-*"))
        for folder in folders
        for path in folder.glob(pattern)
    )
    return article_bytes + int(stored * _COMPRESSED_AGAIN)


def check_free_space(target: Path, folder: Path, needed: int) -> None:
    """Raise if there is too little room on a disk.

    Args:
        target: what is to be written, for the message.
        folder: a folder on the disk.
        needed: how many bytes it takes.

    Raises:
        WriteError: fewer are free.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise WriteError(
            f"{target}: cannot be written: No space left on device: it takes about "
            f"{format_size(needed)}, and {format_size(free)} are free; make room"
        )


def format_size(size: int) -> str:
    """Return a number of bytes in the largest unit that fits.

    >>> format_size(999), format_size(4_200_000), format_size(3_000_000_000)
    ('999 bytes', '4.2 MB', '3.0 GB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} bytes"

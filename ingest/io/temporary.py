"""The folder for temporary files, which TMPDIR names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import WriteError
from ingest.io.atomic import wrap_os_errors

VARIABLE = "TMPDIR"


def tmpdir() -> str:
    """Return the folder that TMPDIR names; without it, one that Python finds.

    Python itself would silently use another folder where TMPDIR is missing or full. That one may
    have less room, or be on another disk than the user wants.

    Raises:
        WriteError: TMPDIR is not a folder that can be written, or there is no folder at all.
    """
    name = os.environ.get(VARIABLE)
    if name:
        if os.path.isdir(name) and os.access(name, os.W_OK | os.X_OK):
            return name
        raise WriteError(
            f"{name}: is not a folder that can be written; set {VARIABLE} to one for temporary "
            "files"
        )
    try:
        return tempfile.gettempdir()
    except OSError as error:
        raise WriteError(
            f"no temporary file can be written; set {VARIABLE} to a folder for them"
        ) from error


@contextmanager
def temporary_folder(prefix: str = "ingest-") -> Iterator[Path]:
    """Yield an empty folder in TMPDIR, which is removed at the end.

    Raises:
        WriteError: it cannot be made, or a file in it cannot be written. A note names TMPDIR.

    >>> with temporary_folder() as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    base = tmpdir()
    try:
        with wrap_os_errors(Path(base)):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except WriteError as error:
        if base in str(error):
            error.add_note(
                f"temporary files are in {base}; set {VARIABLE} to a folder with more room"
            )
        raise

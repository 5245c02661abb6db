"""A hidden folder next to an output, in which its parts lie until they are put together."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest.errors import OutputError
from ingest.io.atomic import wrap_os_errors
from ingest.io.locks import LockHeldError, hold_lock

_LOCK = "lock"


@contextmanager
def parts_folder(out: str | Path) -> Iterator[Path]:
    """Make a folder for the parts of an output, and remove it at the end.

    The name of the hidden folder is fixed, so that the next call finds what a killed one has left,
    and removes it. The parts are in a folder in it whose name is new in each call: a worker that
    outlives its call on another machine cannot write among those of the next one.

    Raises:
        OutputError: another process is using it.
        WriteError: a file cannot be written.

    >>> import tempfile
    >>> parent = Path(tempfile.mkdtemp())
    >>> with parts_folder(parent / "out") as folder:
    ...     folder.parent.relative_to(parent).name
    '.out.parts'
    >>> list(parent.iterdir())
    []
    """
    out = Path(out)
    hidden = _hidden_folder(out)
    try:
        with wrap_os_errors(out), hold_lock(hidden / _LOCK):
            for leftover in hidden.iterdir():
                if leftover.name != _LOCK:
                    shutil.rmtree(leftover, ignore_errors=True)
            folder = hidden / secrets.token_hex(8)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(hidden, ignore_errors=True)
    except LockHeldError:
        raise OutputError(
            f"{out}: another process is writing it; wait until it has finished"
        ) from None


def remove_parts(out: str | Path) -> None:
    """Remove the parts that a killed call has left, unless another process is using them."""
    if _hidden_folder(Path(out)).is_dir():
        with suppress(OutputError), parts_folder(out):
            pass  # which removes them


def _hidden_folder(out: Path) -> Path:
    return out.absolute().with_name(f".{out.name}.parts")

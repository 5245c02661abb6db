"""Choose where the unfinished work of a run is kept: next to OUT, on disk or in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.io.urls import is_remote
from ingest.pipeline.remote_state import RemoteState, temporary_folder
from ingest.pipeline.state import State


@contextmanager
def open_state(target: str) -> Iterator[State]:
    """The unfinished work for OUT, an absolute path or a URL.

    Stores are reached as `ingest.io.access` says.
    """
    if is_remote(target):
        with temporary_folder() as temporary:
            yield RemoteState(target, temporary)
    else:
        yield State(Path(target))

"""Say once if a server does not answer for long, because requests are repeated in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PATIENCE = 10.0  # seconds
_LOOK_EVERY = 1.0  # seconds
_pending: dict[object, tuple[float, str]] = {}  # when a request began, and about what


@contextmanager
def watched(url: str) -> Iterator[None]:
    """Let `reporting_slow_requests` know of a request during the block.

    Args:
        url: what it is about; not a signed URL.
    """
    key = object()
    _pending[key] = time.monotonic(), url
    try:
        yield
    finally:
        del _pending[key]


@contextmanager
def reporting_slow_requests(report: Callable[[str], None] | None) -> Iterator[None]:
    """Call a function with one line if a request takes long during the block; once at most.

    Args:
        report: the function, which a thread calls; None to report nothing.
    """
    end = threading.Event()

    def look() -> None:
        while not end.wait(_LOOK_EVERY):
            # a copy, because other threads change it
            begun, url = min(_pending.copy().values(), default=(time.monotonic(), ""))
            if time.monotonic() - begun > _PATIENCE and report:
                parts = urlsplit(url)
                report(
                    f"{parts.scheme}://{parts.netloc}: no answer for {_PATIENCE:.0f} s; still "
                    "trying, for a minute at most"
                )
                return

    thread = threading.Thread(target=look, daemon=True, name="slow requests")
    if report:
        thread.start()
    try:
        yield
    finally:
        end.set()
        if report:
            thread.join()

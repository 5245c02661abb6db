"""What a run does besides the usual, such as looking for a page that fails.

It is not an argument of all that lies between, because it happens seldom and deep inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Listener: TypeAlias = Callable[[str], None]
_listeners: list[Listener] = []


@contextmanager
def reporting_activity(listener: Listener) -> Iterator[None]:
    """Call a function with what this process does besides the usual, during the block.

    Args:
        listener: the function; an empty text says that it has ended.

    >>> with reporting_activity(print):
    ...     report_activity("looking for a page")
    looking for a page
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report_activity(text: str) -> None:
    """Say what is done besides the usual; an empty text says that it has ended."""
    for listener in _listeners:
        listener(text)

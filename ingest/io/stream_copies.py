"""Copies of standard input and of pipes, which are read in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple


class StreamCopy(NamedTuple):
    """A copy of standard input or of a pipe.

    Attributes:
        path: the file; None if it is in memory.
        error: why the input could not be read to its end; None if it could.
        data: its content, if it is in memory.
    """

    path: str | None
    error: str | None
    data: bytes = b""


_COPIES: ContextVar[Mapping[str, StreamCopy]] = ContextVar("_COPIES", default=MappingProxyType({}))


@contextmanager
def reading_copies(copies: Mapping[str, StreamCopy]) -> Iterator[None]:
    """Read copies in place of their sources, until the end of the block.

    Args:
        copies: the copy of each source.

    >>> with reading_copies({"-": StreamCopy("a.txt", None)}):
    ...     copy_of("-").path
    'a.txt'
    """
    token = _COPIES.set(copies)
    try:
        yield
    finally:
        _COPIES.reset(token)


def copy_of(source: str) -> StreamCopy | None:
    """Return what is read in place of a source; None if that is the source itself."""
    return _COPIES.get().get(source)

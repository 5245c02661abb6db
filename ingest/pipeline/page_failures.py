"""Exceptions of which a page may be the reason."""

from __future__ import annotations

import polars as pl

from ingest.errors import IngestError
from ingest.pipeline.time_limit import SlowPagesError

_LONGEST = 200  # characters of the message of an exception in the `error` of a page

PAGE_FAILURES = (Exception, SystemExit, pl.exceptions.PanicException, SlowPagesError)
"""What a page may make Python or Polars raise; `IngestError` and `OSError` are not the page's."""


def is_of_page(error: BaseException) -> bool:
    """Whether a page may be the reason of an exception.

    >>> is_of_page(MemoryError()), is_of_page(SystemExit(0)), is_of_page(OSError())
    (True, True, False)
    >>> is_of_page(KeyboardInterrupt())
    False
    """
    return isinstance(error, PAGE_FAILURES) and not isinstance(error, (IngestError, OSError))


def describe_failure(error: BaseException) -> str:
    r"""Describe an exception in one line.

    >>> describe_failure(MemoryError()), describe_failure(ValueError("no\nnumber"))
    ('MemoryError', 'ValueError: no')
    """
    if isinstance(error, SlowPagesError):
        return "it takes longer than run.page_seconds"
    message = str(error).strip().partition("\n")[0][:_LONGEST]
    return type(error).__name__ + (f": {message}" if message else "")

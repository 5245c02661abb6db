"""Give memory back to the system."""

from __future__ import annotations

import ctypes
import sys


def release_memory() -> None:
    """Return the free pages of the C heap to the system, which the C library would keep.

    Parsed pages and arrays of all sizes leave gaps of tens of megabytes. It takes a millisecond or
    two. Nothing happens where the C library is not glibc.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)

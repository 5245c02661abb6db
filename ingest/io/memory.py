"""Give memory back to the system, and measure it."""

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


def peak_memory() -> int:
    """Return the most memory that this process has used, in bytes; 0 where that is unknown."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

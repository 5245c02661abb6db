"""Names of files that no file system takes, because they are too long."""

from __future__ import annotations

import os
from glob import has_magic

from ingest.errors import OutputError, SourceError

# The limits of Linux and macOS, in bytes.
_NAME_BYTES = 255
_PATH_BYTES = 4095
_SPARE = 16  # for the names of temporary files, such as out.unfinished


def check_source_name(path: str | os.PathLike[str]) -> None:
    """Raise if no file can have this name. The names in a glob may be shorter than the glob.

    Raises:
        SourceError: a part of it, or all of it, is too long.

    >>> check_source_name("a" * 255)
    """
    names = [name for name in os.fspath(path).split(os.sep) if not has_magic(name)]
    if problem := _describe_problem(os.sep.join(names), 0):
        raise SourceError(f"{path}: {problem}; check the name")


def check_target_name(path: str | os.PathLike[str]) -> None:
    """Raise if no file can have this name, or those that are made beside it until it is whole.

    Raises:
        OutputError: a part of it, or all of it, is too long.

    >>> check_target_name("a" * 239)
    """
    if problem := _describe_problem(os.fspath(path), _SPARE):
        raise OutputError(f"{path}: {problem}; choose a shorter name")


def _describe_problem(path: str, spare: int) -> str:
    r"""Return what is wrong with the length of a path; else "".

    >>> _describe_problem("ا" * 128, 0)
    'has a name of 256 bytes, and a name has at most 255'
    """
    whole = os.fsencode(path)
    longest = max(map(len, whole.split(os.fsencode(os.sep))))
    if longest > _NAME_BYTES - spare:
        return f"has a name of {longest} bytes, and a name has at most {_NAME_BYTES - spare}"
    if len(whole) > _PATH_BYTES - spare:
        return f"has {len(whole):,} bytes, and a path has at most {_PATH_BYTES - spare:,}"
    return ""

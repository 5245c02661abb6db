"""Refuse URLs where a local path is needed, instead of taking them for names of local files."""

from __future__ import annotations

import os
import re

from ingest.errors import OutputError, SourceError

# A scheme has two letters or more, so that C:/ is a path. pathlib makes one slash of two.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/")


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a URL.

    >>> is_url("s3://bucket/out"), is_url("./s3:/out"), is_url("C:/out")
    (True, False, False)
    """
    return _URL.match(os.fspath(path)) is not None


def check_source_is_local(path: str | os.PathLike[str]) -> None:
    """Raise if a source is a URL.

    Raises:
        SourceError: it is; the message says what to do.
    """
    if is_url(path):
        advice = _advice(path, "download it first")
        raise SourceError(f"{os.fspath(path)}: is a URL, which cannot be read; {advice}")


def check_target_is_local(path: str | os.PathLike[str]) -> None:
    """Raise if an output is a URL.

    Raises:
        OutputError: it is; the message says what to do.
    """
    if is_url(path):
        advice = _advice(path, "write to a local path, and upload the result")
        raise OutputError(f"{os.fspath(path)}: is a URL, which cannot be written; {advice}")


def _advice(path: str | os.PathLike[str], advice: str) -> str:
    text = os.fspath(path)
    if text.lower().startswith("file:"):
        return f"give its path: {'/' + text[5:].lstrip('/')}"
    return advice

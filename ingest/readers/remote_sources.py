"""Find the objects that a URL means."""

from __future__ import annotations

from typing import NamedTuple

from ingest.errors import SourceError
from ingest.io import storage
from ingest.io.access import hide_signature
from ingest.io.streams import describe_os_error
from ingest.io.urls import is_web, split_url


class Found(NamedTuple):
    """What a URL means.

    Attributes:
        folder: the URL up to the names of the objects, with a slash at its end.
        urls: the objects, sorted.
        is_named: whether the URL is that of the one object.
    """

    folder: str
    urls: list[str]
    is_named: bool


def find_remote(url: str) -> Found | None:
    """The object of a URL, or else those below it that are not hidden; None if there are none.

    Raises:
        SourceError: the store cannot be asked.
    """
    name = hide_signature(url)
    key = split_url(name)[2]
    try:
        if is_web(name) or (key and not key.endswith("/")):
            if storage.stat(name):
                return Found(name.rpartition("/")[0] + "/", [name], is_named=True)
            if is_web(name):
                return None
        folder = name.rstrip("/") + "/"
        listed = (found for found, _ in storage.list_objects(folder))
        urls = sorted(
            u for u in listed if u.startswith(folder) and "/." not in u[len(folder) - 1 :]
        )
    except OSError as error:
        raise SourceError(f"{name}: {describe_os_error(error)}") from error
    return Found(folder, urls, is_named=False) if urls else None

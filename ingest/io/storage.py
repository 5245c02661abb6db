"""Requests about objects in S3, Google Cloud Storage and Azure, and about files on web servers.

They are made with the optional package obstore, here and in `ingest.io.stores`. How the stores are
reached is in `ingest.io.access`; files over objects are in `ingest.io.storage_files`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ingest.io.access import current_access, locate
from ingest.io.remote_file import Buffer
from ingest.io.slow_requests import watched
from ingest.io.storage_errors import StorageError, describe, status_of
from ingest.io.stores import Meta, to_meta
from ingest.io.urls import is_web, split_url

T = TypeVar("T")

_ATTEMPTS = 4  # to read a range whose answer is cut off
_PAUSE = 0.1  # seconds before the second of them; doubled each time
_LIST_PAGE = 1000  # objects; what the stores send at once
_DELETE_PAGE = 10_000
_PART = 1 << 23  # bytes of a part of an upload
_MAX_PARTS = 9000  # S3 allows 10,000


def stat(url: str, *, fresh: bool = False) -> Meta | None:
    """What is known of an object; None if there is none.

    Args:
        url: the object.
        fresh: whether to ask the server again.

    Raises:
        StorageError: the server cannot be asked, or does not allow it.
    """
    known = current_access().known
    if url not in known or fresh:
        known.pop(url, None)
        try:
            # a URL that is signed for reading is not signed for asking
            known[url] = read_range(url, 0, 1)[1] if is_web(url) else _head(url)
        except FileNotFoundError:
            return None
    return known[url]


def read_range(url: str, start: int, stop: int) -> tuple[Buffer, Meta]:
    """The bytes of an object from `start` to `stop`, or to its end, and what is known of it.

    Raises:
        FileNotFoundError: there is no such object.
        StorageError: it cannot be read.
    """
    store, key = locate(url)
    try:
        return _fetch(url, store, key, {"range": (start, stop)})
    except Exception as error:
        if status_of(error)[0] == "416" and not start:  # an empty file has no range
            return b"", _head(url)
        problem = describe(error, url)
        if isinstance(problem, StorageError) and problem.is_outage:
            current_access().outages[url] = problem
        raise problem from error


def _fetch(url: str, store: Any, key: str, options: Mapping[str, Any]) -> tuple[Buffer, Meta]:
    """Get an object, or a range of it, again if the answer is cut off.

    obstore goes on with an answer that was cut off only if the server sends ETags. Requests that
    fail before an answer are repeated by obstore.
    """
    attempt = 0
    while True:
        with watched(url):
            answer = store.get(key, options=options)
            try:
                return memoryview(answer.bytes()), to_meta(answer.meta)
            except Exception:
                attempt += 1
                if attempt >= _ATTEMPTS:
                    raise
        time.sleep(_PAUSE * 2**attempt)


def list_objects(url: str) -> Iterator[tuple[str, Meta]]:
    """The objects whose URLs start with `url` and a slash, in pages. The order is the store's.

    Raises:
        StorageError: they cannot be listed.
    """
    store, key = locate(url)
    root = url[: len(url) - len(split_url(url)[2])]
    prefix = key.rstrip("/")
    try:
        pages = iter(store.list(prefix or None, chunk_size=_LIST_PAGE))
        while True:
            with watched(url):
                page = next(pages, None)
            if page is None:
                break
            for item in page:
                name, meta = root + item["path"], to_meta(item)
                current_access().known[name] = meta
                yield name, meta
    except Exception as error:
        raise describe(error, url) from error


def list_names(url: str) -> set[str]:
    """The names of the objects and folders directly below a URL.

    Raises:
        StorageError: they cannot be listed.
    """
    prefix = split_url(url)[2].strip("/")
    found = _call(url, lambda store, _key: store.list_with_delimiter(prefix))
    paths = [item["path"] for item in found["objects"]] + list(found["common_prefixes"])
    return {path.rstrip("/").removeprefix(f"{prefix}/") for path in paths}


def read(url: str) -> tuple[bytes, Meta]:
    """The whole content of a small object.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read.
    """
    content, meta = _call(url, lambda store, key: _fetch(url, store, key, {}))
    return bytes(content), meta


def read_if_present(url: str) -> tuple[bytes, Meta] | None:
    """The whole content of a small object; None if there is none.

    Raises:
        StorageError: it cannot be read.
    """
    # an answer that says so may be cut off, too, which obstore does not take for a reason to repeat
    # the request; this one has no content
    if stat(url, fresh=True) is None:
        return None
    try:
        return read(url)
    except FileNotFoundError:  # it has just been deleted
        return None


def create(url: str, content: bytes) -> Meta | None:
    """Write an object unless there is one of this name; returns None if there is.

    Raises:
        StorageError: it cannot be written.
    """
    return _put_if(url, content, "create")


def replace(url: str, content: bytes, version: Meta) -> Meta | None:
    """Write an object if the present one is `version`; returns None if it is another.

    Raises:
        StorageError: it cannot be written.
    """
    return _put_if(url, content, version.version)


def _put_if(url: str, content: bytes, mode: Any) -> Meta | None:
    import obstore.exceptions

    store, key = locate(url)
    try:
        with watched(url):
            version: Any = store.put(key, content, mode=mode, use_multipart=False)
    except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
        # or the answer to an earlier attempt of the same request was lost
        present = read_if_present(url)
        return present[1] if present and present[0] == content else None
    except FileNotFoundError as error:
        if mode != "create":
            return None  # the version to replace is gone
        raise describe(error, url) from error
    except Exception as error:
        raise describe(error, url) from error
    known = {name: value for name, value in version.items() if value}
    return Meta(len(content), known.get("e_tag", ""), known)


def write(url: str, content: bytes) -> None:
    """Write a small object, whatever was there.

    Raises:
        StorageError: it cannot be written.
    """
    _call(url, lambda store, key: store.put(key, content, use_multipart=False))


def upload(path: Path, url: str) -> None:
    """Write a file as an object, in parts if it is large. It is not visible before it is complete.

    Raises:
        StorageError: it cannot be written. No part of it is visible.
    """
    part = max(_PART, path.stat().st_size // _MAX_PARTS)
    _call(url, lambda store, key: store.put(key, path, chunk_size=part, max_concurrency=4))


def delete(urls: Iterable[str]) -> None:
    """Delete objects of one bucket, those that exist.

    Raises:
        StorageError: they cannot be deleted.
    """
    left = iter(urls)
    while some := list(islice(left, _DELETE_PAGE)):
        store, _ = locate(some[0])
        try:
            with watched(some[0]):
                store.delete([split_url(url)[2] for url in some])
        except FileNotFoundError:
            pass
        except Exception as error:
            raise describe(error, some[0]) from error


def _call(url: str, function: Callable[[Any, str], T]) -> T:
    store, key = locate(url)
    try:
        with watched(url):
            return function(store, key)
    except Exception as error:
        raise describe(error, url) from error


def _head(url: str) -> Meta:
    return _call(url, lambda store, key: to_meta(store.head(key)))

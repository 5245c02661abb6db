"""Read and write objects in S3, Google Cloud Storage and Azure, and files on web servers.

All requests are made here and in `ingest.io.stores`, with the optional package obstore. Keys and
endpoints come from the environment, as obstore reads it (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...),
or are set by `access`. They appear in no output and no message, and neither does the signature of a
signed URL.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar, copy_context
from itertools import islice
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeVar

from ingest.io.remote_file import FIRST_STEP, RemoteFile
from ingest.io.storage_errors import StorageError, describe, status_of
from ingest.io.stores import Meta, open_store, open_web_store, own_options, to_meta, uses_plain_http
from ingest.io.urls import is_remote, is_web, public_name, split_url

T = TypeVar("T")
R = TypeVar("R")

_ATTEMPTS = 4  # to read a range whose answer is cut off
_PAUSE = 0.1  # seconds before the second of them; doubled each time
_AT_ONCE = 32  # requests
RANGES_AT_ONCE = 8  # of all objects; a few megabytes of each are in memory
_AHEAD = 8  # objects whose starts are fetched before they are read
_LIST_PAGE = 1000  # objects; what the stores send at once
_DELETE_PAGE = 10_000
_PART = 1 << 23  # bytes of a part of an upload
_MAX_PARTS = 9000  # S3 allows 10,000


class _Access:
    """How objects are reached, and what is known of them."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = {key: value for key, value in options.items() if not is_remote(key)}
        self.signed = {key: value for key, value in options.items() if is_remote(key)}
        self.stores: dict[str, Any] = {}
        self.known: dict[str, Meta] = {}  # listed, or asked for
        self.opened: dict[str, Meta] = {}
        # what was opened last, because readers first look at the start of a file
        self.last: tuple[str, bytes, Meta] | None = None
        self.ready: dict[str, Future[tuple[bytes, Meta]]] = {}
        self.notes: dict[str, Any] = {}
        self.ranges = BoundedSemaphore(RANGES_AT_ONCE)
        self.outages: dict[str, StorageError] = {}  # files that could not be read to their end


_access: ContextVar[_Access] = ContextVar("access", default=_Access({}))  # noqa: B039


@contextmanager
def access(options: Mapping[str, str] | None) -> Iterator[None]:
    """Use options of obstore, such as endpoint and keys, until the end of the block.

    Options that start with aws_, google_ or azure_ are for that store only. An option whose name is
    a URL gives its signed form, see `hide_signature`.
    """
    token = _access.set(_Access(options or {}))
    try:
        yield
    finally:
        _access.reset(token)


def options_for(urls: Iterable[str]) -> dict[str, str]:
    """The options in use, for `access` in another process that reads these sources."""
    current = _access.get()
    return current.options | {url: current.signed[url] for url in urls if url in current.signed}


def hide_signature(url: str) -> str:
    """The public name of a URL, under which it can then be read."""
    name = public_name(url)
    if name != url:
        _access.get().signed[name] = url
    return name


def notes() -> dict[str, Any]:
    """What readers know of objects, by URL, for as long as this access lasts."""
    return _access.get().notes


def range_limit() -> AbstractContextManager[object]:
    """While it is held, one of RANGES_AT_ONCE ranges may be read; no other may be asked for."""
    return _access.get().ranges


def in_parallel(function: Callable[[T], R], items: Iterable[T], at_once: int = _AT_ONCE) -> list[R]:
    """The results of a function that makes requests, with many of them at the same time."""
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(at_once, len(items))) as threads:
        calls = [threads.submit(copy_context().run, function, item) for item in items]
        try:
            return [call.result() for call in calls]
        except BaseException:  # such as Ctrl-C
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def stat(url: str, *, fresh: bool = False) -> Meta | None:
    """What is known of an object; None if there is none.

    Args:
        url: the object.
        fresh: whether to ask the server again.

    Raises:
        StorageError: the server cannot be asked, or does not allow it.
    """
    known = _access.get().known
    if url not in known or fresh:
        known.pop(url, None)
        try:
            # a URL that is signed for reading is not signed for asking
            known[url] = read_range(url, 0, 1)[1] if is_web(url) else _head(url)
        except FileNotFoundError:
            return None
    return known[url]


def stamp_of_opened(url: str) -> tuple[int, str] | None:
    """The stamp of the object that was read, or of the present one; None if there is none.

    Raises:
        StorageError: the object could not be read to its end, but perhaps later.
    """
    current = _access.get()
    if outage := current.outages.get(url):
        raise outage
    meta = current.opened.get(url) or stat(url, fresh=True)
    return meta and meta.stamp


def read_ahead(items: Iterable[T], url_of: Callable[[T], str]) -> Iterator[T]:
    """Yield items, while the starts of the objects of the next few of them are fetched.

    The objects of a bucket are often small, and waiting for each of them takes longer than reading.
    """
    ready = _access.get().ready
    waiting: deque[T] = deque()
    with ExitStack() as stack:
        threads: ThreadPoolExecutor | None = None
        for item in items:
            url = url_of(item)
            if not (waiting or is_remote(url)):
                yield item
                continue
            waiting.append(item)
            if is_remote(url) and url not in ready and url_of(waiting[0]) != url:
                threads = threads or stack.enter_context(ThreadPoolExecutor(_AHEAD))
                ready[url] = threads.submit(copy_context().run, read_range, url, 0, FIRST_STEP)
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting
    ready.clear()


def raise_outage() -> None:
    """Raise if an object could not be read to its end, but perhaps later.

    Readers make an error of one page of what they cannot read; a run has to stop instead.

    Raises:
        StorageError: what happened first.
    """
    outages = _access.get().outages
    for url in list(outages):
        raise outages.pop(url)


def open_remote(url: str, first: int = FIRST_STEP) -> RemoteFile:
    """Open an object for reading.

    Args:
        url: the object.
        first: bytes to read at once.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read.
    """
    current = _access.get()
    opened = current.opened
    if current.last and current.last[0] == url:
        _, start, meta = current.last
    else:
        ready = current.ready.pop(url, None)
        start, meta = ready.result() if ready else read_range(url, 0, first)
        current.last = url, start, meta
    opened[url] = current.known[url] = meta
    context = copy_context()  # for the thread that reads ahead

    def fetch(start: int, stop: int) -> bytes:
        data, now = context.copy().run(read_range, url, start, stop)
        if now.stamp != meta.stamp:
            opened[url] = now
            raise StorageError(url, "was changed while it was read")
        return data

    return RemoteFile(public_name(url), meta.size, fetch, start)


def read_range(url: str, start: int, stop: int) -> tuple[bytes, Meta]:
    """The bytes of an object from `start` to `stop`, or to its end, and what is known of it.

    Raises:
        FileNotFoundError: there is no such object.
        StorageError: it cannot be read.
    """
    store, key = _locate(url)
    try:
        return _fetch(store, key, {"range": (start, stop)})
    except Exception as error:
        if status_of(error)[0] == "416" and not start:  # an empty file has no range
            return b"", _head(url)
        problem = describe(error, url)
        if isinstance(problem, StorageError) and problem.is_outage:
            _access.get().outages[url] = problem
        raise problem from error


def _fetch(store: Any, key: str, options: Mapping[str, Any]) -> tuple[bytes, Meta]:
    """Get an object, or a range of it, again if the answer is cut off.

    obstore goes on with an answer that was cut off only if the server sends ETags. Requests that
    fail before an answer are repeated by obstore.
    """
    attempt = 0
    while True:
        answer = store.get(key, options=options)
        try:
            return bytes(answer.bytes()), to_meta(answer.meta)
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
    store, key = _locate(url)
    root = url[: len(url) - len(split_url(url)[2])]
    prefix = key.rstrip("/")
    try:
        for page in store.list(prefix or None, chunk_size=_LIST_PAGE):
            for item in page:
                name, meta = root + item["path"], to_meta(item)
                _access.get().known[name] = meta
                yield name, meta
    except Exception as error:
        raise describe(error, url) from error


def read(url: str) -> tuple[bytes, Meta]:
    """The whole content of a small object.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read.
    """
    return _call(url, lambda store, key: _fetch(store, key, {}))


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


def list_names(url: str) -> set[str]:
    """The names of the objects and folders directly below a URL.

    Raises:
        StorageError: they cannot be listed.
    """
    prefix = split_url(url)[2].strip("/")
    found = _call(url, lambda store, _key: store.list_with_delimiter(prefix))
    paths = [item["path"] for item in found["objects"]] + list(found["common_prefixes"])
    return {path.rstrip("/").removeprefix(f"{prefix}/") for path in paths}


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

    store, key = _locate(url)
    try:
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


def download(url: str, path: Path) -> None:
    """Write an object to a file.

    Raises:
        FileNotFoundError: there is no such object.
        StorageError: it cannot be read.
    """
    with open_remote(url) as source, path.open("wb") as file:
        while piece := source.read(_PART):
            file.write(piece)


def delete(urls: Iterable[str]) -> None:
    """Delete objects of one bucket, those that exist.

    Raises:
        StorageError: they cannot be deleted.
    """
    left = iter(urls)
    while some := list(islice(left, _DELETE_PAGE)):
        store, _ = _locate(some[0])
        try:
            store.delete([split_url(url)[2] for url in some])
        except FileNotFoundError:
            pass
        except Exception as error:
            raise describe(error, some[0]) from error


def polars_options(url: str) -> tuple[str, dict[str, str]]:
    """A URL and the options with which Polars reads it."""
    current = _access.get()
    options = own_options(split_url(url)[0], current.options)
    if uses_plain_http(url, options):
        options["allow_http"] = "true"
    return current.signed.get(url, url), options


def _call(url: str, function: Callable[[Any, str], T]) -> T:
    store, key = _locate(url)
    try:
        return function(store, key)
    except Exception as error:
        raise describe(error, url) from error


def _head(url: str) -> Meta:
    return _call(url, lambda store, key: to_meta(store.head(key)))


def _locate(url: str) -> tuple[Any, str]:
    """The store of an object, and its key there."""
    scheme, bucket, key = split_url(url)
    current = _access.get()
    name, key = (url, "") if is_web(url) else (f"{scheme}://{bucket}", key)
    if name not in current.stores:
        if is_web(url):
            current.stores[name] = open_web_store(current.signed.get(url, url))
        else:
            current.stores[name] = open_store(scheme, bucket, own_options(scheme, current.options))
    return current.stores[name], key

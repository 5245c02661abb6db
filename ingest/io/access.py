"""Which stores are used and with which keys, and what is known of their objects.

All of that lasts for one run. Keys and endpoints come from the environment, as obstore reads it
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), or are set by `access`. They appear in no output and no
message, and neither does the signature of a signed URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, copy_context
from threading import BoundedSemaphore
from typing import Any, TypeVar

from ingest.io.remote_file import Ahead, Buffer
from ingest.io.storage_errors import StorageError
from ingest.io.stores import Meta, open_store, open_web_store, own_options, uses_plain_http
from ingest.io.urls import is_remote, is_web, public_name, split_url

T = TypeVar("T")
R = TypeVar("R")

RANGES_AT_ONCE = 8  # of all objects; a few megabytes of each are in memory
_AT_ONCE = 32  # requests


class Access:
    """How objects are reached, and what is known of them."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = {key: value for key, value in options.items() if not is_remote(key)}
        self.signed = {key: value for key, value in options.items() if is_remote(key)}
        self.stores: dict[str, Any] = {}
        self.known: dict[str, Meta] = {}  # listed, or asked for
        self.opened: dict[str, Meta] = {}
        # what was opened last, because readers first look at the start of a file
        self.last: tuple[str, Buffer, Meta] | None = None
        self.ready: dict[str, Future[tuple[Buffer, Meta]]] = {}  # starts of objects
        self.ranges: dict[tuple[str, int], Ahead[tuple[Buffer, Meta]]] = {}
        self.notes: dict[str, Any] = {}
        self.range_limit = BoundedSemaphore(RANGES_AT_ONCE)
        self.outages: dict[str, StorageError] = {}  # files that could not be read to their end


_access: ContextVar[Access] = ContextVar("access", default=Access({}))  # noqa: B039


def current_access() -> Access:
    """The access in use."""
    return _access.get()


@contextmanager
def access(options: Mapping[str, str] | None) -> Iterator[None]:
    """Use options of obstore, such as endpoint and keys, until the end of the block.

    Options that start with aws_, google_ or azure_ are for that store only. An option whose name is
    a URL gives its signed form, see `hide_signature`.
    """
    token = _access.set(Access(options or {}))
    try:
        yield
    finally:
        _access.reset(token)


def options_for(urls: Iterable[str]) -> dict[str, str]:
    """The options in use, for `access` in another process that reads these sources."""
    current = current_access()
    return current.options | {url: current.signed[url] for url in urls if url in current.signed}


def hide_signature(url: str) -> str:
    """The public name of a URL, under which it can then be read."""
    name = public_name(url)
    if name != url:
        current_access().signed[name] = url
    return name


def notes() -> dict[str, Any]:
    """What readers know of objects, by URL, for as long as this access lasts."""
    return current_access().notes


def range_limit() -> AbstractContextManager[object]:
    """While it is held, one of RANGES_AT_ONCE ranges may be read; no other may be asked for."""
    return current_access().range_limit


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


def locate(url: str) -> tuple[Any, str]:
    """The store of an object, and its key there."""
    scheme, bucket, key = split_url(url)
    current = current_access()
    name, key = (url, "") if is_web(url) else (f"{scheme}://{bucket}", key)
    if name not in current.stores:
        if is_web(url):
            current.stores[name] = open_web_store(current.signed.get(url, url))
        else:
            current.stores[name] = open_store(scheme, bucket, own_options(scheme, current.options))
    return current.stores[name], key


def polars_options(url: str) -> tuple[str, dict[str, str]]:
    """A URL and the options with which Polars reads it."""
    current = current_access()
    options = own_options(split_url(url)[0], current.options)
    if uses_plain_http(url, options):
        options["allow_http"] = "true"
    return current.signed.get(url, url), options

"""Read objects as files, with what comes next fetched ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, cast

from ingest.io.access import current_access
from ingest.io.remote_file import (
    FIRST_STEP,
    MAX_STEP,
    Ahead,
    Buffer,
    Fetch,
    RangeFile,
    RemoteFile,
)
from ingest.io.storage import read_range, stat
from ingest.io.storage_errors import StorageError
from ingest.io.stores import Meta
from ingest.io.urls import is_remote, public_name

T = TypeVar("T")
R = TypeVar("R")

LOOK_AHEAD = 1 << 17  # bytes; readers look a little beyond what they were to read
_STARTS_AHEAD = 8  # objects whose starts are fetched before they are read
_RANGES_AHEAD = 2  # larger ranges, likewise
_COPY_STEP = 1 << 23  # bytes


def open_remote(url: str, first: int = FIRST_STEP) -> RemoteFile:
    """Open an object for reading.

    Args:
        url: the object.
        first: bytes to read at once.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read.
    """
    start, meta, fetch, find_ahead = _open(url, first)
    return RemoteFile(public_name(url), meta.size, fetch, start, find_ahead)


def open_ranges(url: str, first: int) -> BinaryIO:
    """Open an object of which only a few places are looked at.

    Args:
        url: the object.
        first: bytes to read at once, unless its start was read before.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read.
    """
    _, meta, fetch, _ = _open(url, first)
    return cast("BinaryIO", RangeFile(meta.size, fetch))


class _Opened(NamedTuple):
    """The first bytes of an object, and how to get the others."""

    start: Buffer
    meta: Meta
    fetch: Fetch
    find_ahead: Callable[[int], Ahead[Buffer] | None]


def _open(url: str, first: int) -> _Opened:
    current = current_access()
    opened = current.opened
    if current.last and current.last[0] == url:
        _, start, meta = current.last
    else:
        ready = current.ready.pop(url, None)
        start, meta = ready.result() if ready else read_range(url, 0, first)
        current.last = url, start, meta
    opened[url] = current.known[url] = meta
    context = copy_context()  # for the thread that reads ahead

    def check(answer: tuple[Buffer, Meta]) -> Buffer:
        data, now = answer
        if now.stamp != meta.stamp:
            opened[url] = now
            raise StorageError(url, "was changed while it was read")
        return data

    def fetch(start: int, stop: int) -> Buffer:
        return check(context.copy().run(read_range, url, start, stop))

    def find_ahead(start: int) -> Ahead[Buffer] | None:
        found = current.ranges.pop((url, start), None)
        if found is None:
            return None
        return Ahead(found.start, min(found.stop, meta.size), _then(found.data, check))

    return _Opened(start, meta, fetch, find_ahead)


def _then(future: Future[T], function: Callable[[T], R]) -> Future[R]:
    """The result of a function of what is still being fetched."""
    result: Future[R] = Future()

    def pass_on(done: Future[T]) -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(function(done.result()))
        except BaseException as error:  # raised again by the one who waits
            result.set_exception(error)

    future.add_done_callback(pass_on)
    return result


def read_ahead(items: Iterable[T], range_of: Callable[[T], tuple[str, int, int]]) -> Iterator[T]:
    """Yield items, while what will be read first for the next few of them is fetched.

    The objects of a bucket are often small, and waiting for each of them takes longer than reading.

    Args:
        items: what is read, in order.
        range_of: returns the source of an item and the range of it that will be read; the range is
            empty if that is not known.
    """
    current = current_access()
    waiting: deque[T] = deque()
    with ThreadPoolExecutor(_STARTS_AHEAD) as threads:  # starts none before it is used

        def fetch(url: str, start: int, stop: int) -> Future[tuple[Buffer, Meta]]:
            return threads.submit(copy_context().run, read_range, url, start, stop)

        def fetch_ranges() -> None:
            for item in islice(waiting, _RANGES_AHEAD):
                url, start, stop = key = range_of(item)
                begin = start or FIRST_STEP
                if is_remote(url) and begin < stop and key not in asked:
                    asked.append(key)
                    stop = min(stop + LOOK_AHEAD, begin + MAX_STEP)
                    current.ranges[url, start] = Ahead(begin, stop, fetch(url, begin, stop))

        def next_item() -> T:
            item = waiting.popleft()
            fetch_ranges()
            # what the item before did not read after all is not kept
            kept = [range_of(i)[:2] for i in (item, *islice(waiting, _RANGES_AHEAD))]
            for unread in current.ranges.keys() - set(kept):
                del current.ranges[unread]
            return item

        asked: deque[tuple[str, int, int]] = deque(maxlen=_RANGES_AHEAD)
        for item in items:
            url, _, _ = range_of(item)
            if not (waiting or is_remote(url)):
                yield item
                continue
            waiting.append(item)
            if is_remote(url) and url not in current.ready and range_of(waiting[0])[0] != url:
                current.ready[url] = fetch(url, 0, FIRST_STEP)
            if len(waiting) > _STARTS_AHEAD:
                yield next_item()
        while waiting:
            yield next_item()
    current.ready.clear()
    current.ranges.clear()


def stamp_of_opened(url: str) -> tuple[int, str] | None:
    """The stamp of the object that was read, or of the present one; None if there is none.

    Raises:
        StorageError: the object could not be read to its end, but perhaps later.
    """
    current = current_access()
    if outage := current.outages.get(url):
        raise outage
    meta = current.opened.get(url) or stat(url, fresh=True)
    return meta and meta.stamp


def raise_outage() -> None:
    """Raise if an object could not be read to its end, but perhaps later.

    Readers make an error of one page of what they cannot read; a run has to stop instead.

    Raises:
        StorageError: what happened first.
    """
    outages = current_access().outages
    for url in list(outages):
        raise outages.pop(url)


def download(url: str, path: Path) -> None:
    """Write an object to a file.

    Raises:
        FileNotFoundError: there is no such object.
        StorageError: it cannot be read.
    """
    with open_remote(url) as source, path.open("wb") as file:
        while piece := source.read(_COPY_STEP):
            file.write(piece)

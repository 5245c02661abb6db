"""Files over the network, going on where an earlier try was cut off."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from http import HTTPStatus
from pathlib import Path

from ingest._typing import Progress
from ingest._version import __version__
from ingest.errors import ModelError
from ingest.io.atomic import wrap_os_errors
from ingest.io.locks import LockHeldError, hold_lock

TIMEOUT = 30.0  # seconds without a byte
PAUSES = (0.5, 2.0, 5.0)  # seconds before another try, while no try brings anything
_CHUNK = 1 << 16
_BROKEN = (OSError, http.client.HTTPException, ValueError)
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


class _CutError(Exception):
    """The file did not come, or not all of it; with `again`, another try may help."""

    def __init__(self, why: object, *, again: bool) -> None:
        super().__init__(str(getattr(why, "reason", "") or why) or type(why).__name__)
        self.again = again


def fetch(url: str, *, most: int) -> bytes:
    """A small file.

    Args:
        url: Its address, http or https.
        most: Bytes it may have.

    Raises:
        ModelError: it cannot be had, or is larger.
    """
    data = bytearray()
    try:
        with _opened(url, {}) as answer:
            for piece in _pieces(answer):
                data += piece
                _refuse_large(url, len(data), most)
    except _CutError as cut:
        raise _unreachable(url, cut) from cut
    return bytes(data)


def download(url: str, path: Path, *, most: int, progress: Progress | None = None) -> None:
    """Write a file to `path`, by way of `path`.part, which a later call goes on with.

    Args:
        url: Its address, http or https.
        path: Where to write it; replaced when it is there.
        most: Bytes it may have.
        progress: Called with the bytes that are there, and with all, 0 where that is unknown.

    Raises:
        ModelError: it cannot be had, or is larger.
        WriteError: it could not be written.
    """
    part, lock = (path.with_name(path.name + end) for end in (".part", ".lock"))
    with wrap_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with hold_lock(lock):
            _try_on(url, part, most, progress)
            with wrap_os_errors(path):
                part.replace(path)
                _tag(part).unlink(missing_ok=True)
                lock.unlink()
    except LockHeldError:
        raise ModelError(f"{url}: another process is downloading it; wait for that") from None
    except KeyboardInterrupt as stop:
        if kept := _size(part):
            stop.add_note(f"{kept:,} bytes are kept, and the same command goes on from there")
        raise


def _try_on(url: str, part: Path, most: int, progress: Progress | None) -> None:
    """Fetch a part until it is all, as long as tries bring anything."""
    before, pauses = _size(part), iter(PAUSES)
    while True:
        try:
            return _go_on(url, part, most, progress)
        except _CutError as cut:
            if _size(part) > before:
                before, pauses, cut.again = _size(part), iter(PAUSES), True
            if not cut.again or (pause := next(pauses, None)) is None:
                raise _unreachable(url, cut, kept=_size(part)) from cut
            time.sleep(pause)


def _go_on(url: str, part: Path, most: int, progress: Progress | None) -> None:
    """Fetch what is missing of a part, or all where it is of another file."""
    here = _size(part)
    headers = {"Range": f"bytes={here}-"} if here else {}
    if here and _tag(part).exists() and (tag := _tag(part).read_text(encoding="utf-8")):
        headers["If-Range"] = tag
    try:
        answer = _opened(url, headers)
    except urllib.error.HTTPError as error:  # the server has no such range: it ends before
        with error:
            said = _CONTENT_RANGE.fullmatch(error.headers.get("Content-Range", ""))
        if said and int(said[2]) == here:
            return  # all was there
        answer, here = _opened(url, {}), 0
    with answer:
        said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            here = 0
        elif said is None or int(said[1] or -1) != here:
            raise ModelError(f"{url}: sent another part of the file than was asked for")
        total = here + (answer.length or 0)
        _refuse_large(url, total, most)
        with wrap_os_errors(part), part.open("ab" if here else "wb") as file:
            _tag(part).write_text(_validator(answer.headers), encoding="utf-8")
            for piece in _pieces(answer):
                here += len(piece)
                _refuse_large(url, here, most)
                file.write(piece)
                if progress:
                    progress(here, total)


def _validator(headers: Message) -> str:
    """What names the version of a file that a server has."""
    strong = [tag for tag in headers.get_all("ETag", []) if not tag.startswith("W/")]
    return str(next(iter(strong), headers.get("Last-Modified", "")))


def _tag(part: Path) -> Path:
    """Where it is kept of which version a part is."""
    return part.with_name(part.name + ".tag")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _opened(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise ModelError(f"{url}: is no address that begins with http:// or https://")
    try:
        request = urllib.request.Request(  # noqa: S310
            url, headers={"User-Agent": f"ingest/{__version__}", **headers}
        )
        answer: http.client.HTTPResponse = urllib.request.urlopen(  # noqa: S310
            request, timeout=TIMEOUT
        )
        return answer
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
            raise
        with error:
            raise _CutError(f"HTTP {error.code} {error.reason}", again=error.code >= 500) from error
    except _BROKEN as error:
        raise _CutError(error, again=False) from error


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes, until all has come."""
    try:
        while piece := answer.read1(_CHUNK):
            yield piece
    except _BROKEN as error:
        raise _CutError(error, again=True) from error
    if answer.length:  # of what was promised, what did not come
        raise _CutError("the connection was cut", again=True)


def _refuse_large(url: str, size: int, most: int) -> None:
    if size > most:
        raise ModelError(f"{url}: has {size:,} bytes or more; {most:,} are the most")


def _unreachable(url: str, cut: _CutError, *, kept: int = 0) -> ModelError:
    rest = f"; {kept:,} bytes are here, and the same command goes on from there" if kept else ""
    return ModelError(
        f"{url}: not reachable: {cut}{rest}; with a file at hand: ingest models install FILE"
    )

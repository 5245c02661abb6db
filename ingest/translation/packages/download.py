"""Download files over HTTP, resuming where an earlier attempt stopped."""

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
from ingest.io.durable import replace
from ingest.io.locks import LockHeldError, hold_lock

TIMEOUT = 30.0  # seconds without data
PAUSES = (0.5, 2.0, 5.0)  # seconds before each retry; reset whenever data arrives
_CHUNK_BYTES = 1 << 16
_NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


class _TransferError(Exception):
    """The file did not arrive in full. `retry`: another attempt may help."""

    def __init__(self, reason: object, *, retry: bool) -> None:
        super().__init__(str(getattr(reason, "reason", "") or reason) or type(reason).__name__)
        self.retry = retry


def fetch(url: str, *, max_bytes: int) -> bytes:
    """Download a small file into memory.

    Args:
        url: Its address, http or https.
        max_bytes: Largest size accepted.

    Raises:
        ModelError: the file cannot be downloaded, or is too large.
    """
    data = bytearray()
    try:
        with _request(url, {}) as response:
            for chunk in _read_chunks(response):
                data += chunk
                _check_size(url, len(data), max_bytes)
    except _TransferError as error:
        raise _download_error(url, error) from error
    return bytes(data)


def download(url: str, path: Path, *, max_bytes: int, progress: Progress | None = None) -> None:
    """Download a file to `path`. An interrupted download stays in `path`.part and is resumed.

    Args:
        url: Its address, http or https.
        path: Target file; an existing one is replaced.
        max_bytes: Largest size accepted.
        progress: Called with the number of bytes so far, and the total (0 if unknown).

    Raises:
        ModelError: the file cannot be downloaded, or is too large.
        WriteError: the file cannot be written.
    """
    part, lock = (path.with_name(path.name + suffix) for suffix in (".part", ".lock"))
    with wrap_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with hold_lock(lock):
            _download_with_retries(url, part, max_bytes, progress)
            with wrap_os_errors(path):
                replace(part, path)
                _tag_path(part).unlink(missing_ok=True)
                lock.unlink()
    except LockHeldError:
        raise ModelError(f"{url}: another process is downloading it; wait for it") from None
    except KeyboardInterrupt as interrupt:
        if size := _size(part):
            interrupt.add_note(f"{size:,} bytes are kept; run the same command to resume")
        raise


def _download_with_retries(url: str, part: Path, max_bytes: int, progress: Progress | None) -> None:
    size_before, pauses = _size(part), iter(PAUSES)
    while True:
        try:
            return _resume(url, part, max_bytes, progress)
        except _TransferError as error:
            if _size(part) > size_before:
                size_before, pauses, error.retry = _size(part), iter(PAUSES), True
            if not error.retry or (pause := next(pauses, None)) is None:
                raise _download_error(url, error, kept=_size(part)) from error
            time.sleep(pause)


def _resume(url: str, part: Path, max_bytes: int, progress: Progress | None) -> None:
    """Download the rest of a partial file, or all of it if the file on the server has changed."""
    size = _size(part)
    headers = {"Range": f"bytes={size}-"} if size else {}
    tag_path = _tag_path(part)
    if size and tag_path.exists() and (tag := tag_path.read_text(encoding="utf-8")):
        headers["If-Range"] = tag
    try:
        response = _request(url, headers)
    except urllib.error.HTTPError as error:  # 416: the range starts at or after the end
        with error:
            content_range = _CONTENT_RANGE.fullmatch(error.headers.get("Content-Range", ""))
        if content_range and int(content_range[2]) == size:
            return  # complete
        response, size = _request(url, {}), 0
    with response:
        content_range = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            size = 0
        elif content_range is None or int(content_range[1] or -1) != size:
            raise ModelError(f"{url}: the server sent another part of the file than requested")
        total = size + (response.length or 0)
        _check_size(url, total, max_bytes)
        with wrap_os_errors(part), part.open("ab" if size else "wb") as file:
            _tag_path(part).write_text(_version_tag(response.headers), encoding="utf-8")
            for chunk in _read_chunks(response):
                size += len(chunk)
                _check_size(url, size, max_bytes)
                file.write(chunk)
                if progress:
                    progress(size, total)


def _version_tag(headers: Message) -> str:
    """Return what identifies the version of a file: a strong ETag, or the date."""
    strong = [tag for tag in headers.get_all("ETag", []) if not tag.startswith("W/")]
    return str(next(iter(strong), headers.get("Last-Modified", "")))


def _tag_path(part: Path) -> Path:
    """Return the file that stores the version tag of a partial download."""
    return part.with_name(part.name + ".tag")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _request(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise ModelError(f"{url}: is not an http:// or https:// address")
    try:
        request = urllib.request.Request(  # noqa: S310
            url, headers={"User-Agent": f"ingest/{__version__}", **headers}
        )
        response: http.client.HTTPResponse = urllib.request.urlopen(  # noqa: S310
            request, timeout=TIMEOUT
        )
        return response
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
            raise
        with error:
            raise _TransferError(
                f"HTTP {error.code} {error.reason}", retry=error.code >= 500
            ) from error
    except _NETWORK_ERRORS as error:
        raise _TransferError(error, retry=False) from error


def _read_chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            yield chunk
    except _NETWORK_ERRORS as error:
        raise _TransferError(error, retry=True) from error
    if response.length:  # bytes that were announced but did not arrive
        raise _TransferError("the connection was cut", retry=True)


def _check_size(url: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ModelError(f"{url}: has at least {size:,} bytes; the limit is {max_bytes:,}")


def _download_error(url: str, error: _TransferError, *, kept: int = 0) -> ModelError:
    resume = f"; {kept:,} bytes are kept; run the same command to resume" if kept else ""
    return ModelError(
        f"{url}: cannot be downloaded: {error}{resume}; to install a local file: "
        "ingest models install FILE"
    )

"""Standard output and error, which may be full, closed, or unable to encode a text.

Left to itself, Python ends with a traceback, or with one more message and status 120 when it
flushes standard output at its exit.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO, cast

from ingest.errors import WriteError

_ESCAPE = "ingest.escape"  # the name of `_escape` among the handlers of encoding errors


class StdoutError(WriteError):
    """Standard output cannot be written.

    Attributes:
        is_closed_pipe: whether its reader has gone, such as `head`. That is no failure.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"standard output: cannot be written: {cause.strerror or cause}")
        self.is_closed_pipe = cause.errno == errno.EPIPE


class _Stream:
    """A stream of text whose errors are handled here. All else is that of the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPE)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self.attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self.attempt(self._stream.flush)

    def attempt(self, action: Callable[[], object]) -> None:
        """Write to the stream; errors of the system are handled."""
        raise NotImplementedError


class StandardOutput(_Stream):
    """Standard output.

    The first write that fails raises `StdoutError`. All later ones do nothing.

    Attributes:
        error: what was raised; None as long as all went well.
    """

    error: StdoutError | None = None

    @property
    def buffer(self) -> StandardOutputBytes:
        """The same stream, for bytes."""
        return StandardOutputBytes(self)

    def attempt(self, action: Callable[[], object]) -> None:
        if self.error:
            return
        try:
            action()
        except OSError as error:
            self._discard_rest()
            self.error = StdoutError(error)
            raise self.error from error

    def _discard_rest(self) -> None:
        """Let what the stream still holds go nowhere, or Python would fail at its exit."""
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


class StandardOutputBytes:
    """Standard output for bytes, with the errors of `StandardOutput`."""

    def __init__(self, output: StandardOutput) -> None:
        self._output = output
        self._file = output._stream.buffer

    def write(self, data: bytes) -> int:
        self._output.attempt(lambda: self._file.write(data))
        return len(data)

    def writelines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._output.attempt(self._file.flush)


class _StandardError(_Stream):
    """Standard error. Where it cannot be written, there is nobody to tell."""

    def attempt(self, action: Callable[[], object]) -> None:
        with suppress(OSError):
            action()


class _Closed(io.RawIOBase):
    """What stands for a stream that is closed."""

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> NoReturn:
        raise OSError(errno.EBADF, "it is closed")


@contextmanager
def standard_streams() -> Iterator[StandardOutput]:
    r"""Replace `sys.stdout` and `sys.stderr` for one command, and yield the former.

    A character that standard output cannot encode is written as in JSON: \u and four digits.
    """
    _fill_closed_descriptors()
    codecs.register_error(_ESCAPE, _escape)
    before = sys.stdout, sys.stderr
    output = StandardOutput(_open_stream(sys.stdout))
    sys.stdout = cast(TextIO, output)
    sys.stderr = cast(TextIO, _StandardError(_open_stream(sys.stderr)))
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def after_the_work() -> Iterator[None]:
    """Print what a command has done. If that fails, the command goes on, and `main` says so."""
    with suppress(StdoutError):
        yield
        sys.stdout.flush()


def _open_stream(stream: TextIO | None) -> TextIO:
    """The stream, or one that always fails where Python found it closed."""
    return stream or io.TextIOWrapper(_Closed(), encoding="utf-8", write_through=True)  # type: ignore[type-var]


def _fill_closed_descriptors() -> None:
    """Open the null device in place of standard streams that are closed.

    Else the next file that is opened gets the number of such a stream, and with it all that other
    code, such as a library in C, prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Write characters as JSON escapes them.

    >>> print(_escape(UnicodeEncodeError("ascii", "é🌍", 0, 2, ""))[0])
    \u00e9\ud83c\udf0d
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    numbers = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(f"\\u{number:04x}" for number in numbers), error.end

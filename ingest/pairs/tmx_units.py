"""Cut TMX into its translation units, without parsing them, so that one cannot damage another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingest.pairs.archives import open_pieces
from ingest.pairs.text_lines import MAX_CHARS
from ingest.readers.decoded import decode_pieces, detect_encoding, take_sample
from ingest.readers.encoding import decode
from ingest.readers.records import too_large_message

_MARK = re.compile(r"<!--|<!\[CDATA\[|<tu(?=[\s>/])|</tu\s*>")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>"}
_LONGEST_MARK = 16  # characters of a mark that may be cut off at the end of a piece
# Of the encoding; the bytes are more reliable, except among encodings of one byte per letter.
_DECLARATION = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]+)")
NOT_CLOSED = "is not closed by </tu>"
CUT_OFF = "is cut off: the file ends before </tu>"


class UnitText(NamedTuple):
    """The text of a unit and its 1-based line, or why the unit is lost."""

    line: int
    text: str
    problem: str | None = None


class UnitSplitter:
    """Iterates over the units of a stream of text.

    Attributes:
        head: what came before the first unit; complete when this is read.
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        self.head = ""
        self._pieces = pieces
        self._ended = False
        self._text = ""  # from the unit at hand on
        self._at = 0  # where to look next
        self._start: int | None = None  # of the unit at hand
        self._has_units = False
        self._line, self._counted = 1, 0  # the line of the position that lines are counted to
        self._searched = dict.fromkeys(_ENDS.values(), 0)  # up to where there is no such end

    def __iter__(self) -> Iterator[UnitText]:
        while True:
            mark = _MARK.search(self._text, self._at)
            if mark is None:
                self._at = max(self._at, len(self._text) - _LONGEST_MARK)
            elif mark[0] not in _ENDS:
                yield from self._pass(mark)
                continue
            elif end := self._find_end(mark):
                self._at = end
                continue
            else:
                self._at = mark.start()
            if self._ended:
                break
            if self._start is not None and len(self._text) - self._start > MAX_CHARS:
                yield self._lose(too_large_message(MAX_CHARS))
            self._read()
        if self._start is not None:
            yield self._lose(CUT_OFF)

    def _find_end(self, mark: re.Match[str]) -> int | None:
        """Return the end of a comment or of literal text; None if it is not there yet.

        What is never closed is no comment.
        """
        end_mark = _ENDS[mark[0]]
        end = self._text.find(end_mark, max(mark.end(), self._searched[end_mark]))
        if end >= 0:
            return end + len(end_mark)
        self._searched[end_mark] = max(0, len(self._text) - len(end_mark))
        is_closed_later = not self._ended and len(self._text) - mark.start() <= MAX_CHARS
        return None if is_closed_later else mark.end()

    def _pass(self, mark: re.Match[str]) -> Iterator[UnitText]:
        """Go on after the start or the end of a unit."""
        self._at = mark.end()
        if mark[0].startswith("</"):
            if self._start is not None:
                yield UnitText(self._line, self._text[self._start : self._at])
                self._start = None
            return
        if self._start is not None:
            yield self._lose(NOT_CLOSED)
        if not self._has_units:
            self.head, self._has_units = self._text[: mark.start()], True
        self._start = mark.start()
        self._count_lines(self._start)

    def _lose(self, problem: str) -> UnitText:
        self._start = None
        return UnitText(self._line, "", problem)

    def _count_lines(self, stop: int) -> None:
        self._line += self._text.count("\n", self._counted, stop)
        self._counted = stop

    def _read(self) -> None:
        """Read the next piece, and drop what is not needed anymore."""
        keep = self._at if self._start is None else self._start
        if not self._has_units:
            keep = max(0, self._at - MAX_CHARS)
        piece = next(self._pieces, None)
        if piece is None:
            self._ended = True
            return
        self._count_lines(max(keep, self._counted))
        self._text = self._text[keep:] + piece
        self._at -= keep
        self._counted -= keep
        self._searched = {end: max(0, at - keep) for end, at in self._searched.items()}
        if self._start is not None:
            self._start -= keep


def read_text(source: str) -> Iterator[str]:
    """Yield the text of a file of XML. The bytes decide the encoding, before the declaration.

    Raises:
        SourceError: the file is not text, or is damaged. What comes before the damage is yielded.
    """
    sample, pieces = take_sample(open_pieces(source))
    encoding = detect_encoding(sample)
    if not encoding.startswith("utf") and (declared := _DECLARATION.match(sample)):
        encoding = decode(sample, meta=declared[1].decode("ascii", "replace")).encoding
    is_ascii = encoding == "utf-8" and sample.isascii()
    yield from decode_pieces(pieces, None if is_ascii else encoding)

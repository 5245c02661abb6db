"""What `ingest read` shows: each source as it would be read, and the start of one page."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from ingest.cli.apart import Marks
from ingest.cli.render import Stdout, print_errors
from ingest.config import ReadConfig
from ingest.pipeline.shard_records import PageKey, Selection, ShardRecords
from ingest.readers import describe_guesses, document, plan_slices
from ingest.readers.records import Slice
from ingest.readers.sources import describe_left_out, describe_skipped, find_sources, is_stream
from ingest.text import describe_rest, json_line, safe

MAX_RECORDS = 1000  # of a source that the table counts
_MAX_ROWS = 50  # sources with a row each; more are summed up by kind
_MAX_ERRORS, _MAX_LINES, _WIDTH = 10, 8, 100
_BLOCK = 1 << 13  # characters of JSON that are printed at once
_JSON_KEYS = ("uri", "media_type", "encoding", "repaired", "title", "url", "chars", "error")

Errors: TypeAlias = Mapping[PageKey, str]


@dataclass
class _SourceCounts:
    """What a source, or all sources of a kind, hold as far as they were read."""

    name: str
    kind: str
    sources: int = 0
    pages: int = 0
    errors: int = 0
    has_more: bool = False
    encodings: Counter[str] = field(default_factory=Counter)

    def add(self, page: dict[str, Any]) -> None:
        self.pages += 1
        self.errors += page["error"] is not None
        if page["error"] is None:
            self.encodings[page["encoding"] or "text"] += 1


class Pages:
    """The pages of some sources.

    Attributes:
        files: the sources that were found.
        slices: their slices, one of each.
        settings: how they are read.
        marks: where is noted which page is being read.
        following: the page after the last that was read.

    Args:
        sources: the sources.
        settings: how to read them.
        failed: errors of pages that must not be processed.
        unreadable: errors of pages that cannot be read, so that their source ends before them.
        marks: where to note which page is being read.

    Raises:
        SourceError: no file was found.
    """

    def __init__(
        self,
        sources: Iterable[str],
        settings: ReadConfig,
        failed: Errors,
        unreadable: Errors,
        marks: Marks,
    ) -> None:
        self.files = find_sources(sources)
        self.slices = plan_slices(self.files.files, shard_bytes=sys.maxsize)
        self.settings = settings
        self.marks = marks
        self.following: PageKey = (0, 0)
        self._left_out: Counter[str] = Counter()
        self._selection = Selection(*self._lose_streams(failed, unreadable))
        self._records = self._read_from(None)

    def _lose_streams(self, failed: Errors, unreadable: Errors) -> tuple[Errors, Errors]:
        """Put all pages of a source that can be read only once in error, if one of them is."""
        lost = {
            (part, 0): f"{error}; it can be read only once: save it to a file"
            for errors in (failed, unreadable)
            for (part, _), error in errors.items()
            if is_stream(self.slices[part].source)
        }
        left = {page: error for page, error in failed.items() if (page[0], 0) not in lost}
        return left, {**unreadable, **lost}

    def _read_from(self, first: PageKey | None) -> ShardRecords:
        selection = self._selection._replace(first=first)
        return ShardRecords(self.settings, selection, {}, self.marks.announce)

    def start_at(self, page: PageKey) -> None:
        """Leave out the pages before one. To be called before the first is read."""
        part, _ = page
        is_lost = part < len(self.slices) and is_stream(self.slices[part].source)
        self._records = self._read_from((part, 0) if is_lost else page)

    def read(self, part: Slice) -> Iterator[dict[str, Any]]:
        """Yield the pages of the next slice; to be called once for each, in order."""
        self.marks.reads_once(is_stream(part.source))
        for record in self._records.read(part):
            row = document.to_row(record)
            self.following = self._records.take(1, self._left_out) or self.following
            yield row

    def count_left_out(self) -> Counter[str]:
        """Return how many of the crawler's own records were left out, by what they are."""
        self._records.take(None, self._left_out)
        return self._left_out


def print_table(pages: Pages) -> int:
    """Print one row per source, or per kind if there are many; return the number of errors."""
    slices, settings = pages.slices, pages.settings
    by_kind = len(slices) > _MAX_ROWS
    counts: dict[str, _SourceCounts] = {}
    errors: list[tuple[str, str]] = []
    first_page: dict[str, Any] | None = None
    for part in slices:
        name = part.kind if by_kind else part.source
        row = counts.setdefault(name, _SourceCounts(name, part.kind))
        row.sources += 1
        rows_of_part = pages.read(part)
        for page in islice(rows_of_part, MAX_RECORDS):
            row.add(page)
            if page["error"] is None:
                first_page = first_page or page
            elif len(errors) < _MAX_ERRORS:
                errors.append((page["uri"], page["error"]))
        row.has_more |= next(rows_of_part, None) is not None
    pages.marks.rest()
    rows = list(counts.values())
    console = Stdout()
    console.print(_build_table(rows, by_kind=by_kind))
    if any(row.has_more for row in rows):
        console.print_line(f"+ only the first {MAX_RECORDS:,} records of a source were read")
    if pages.files.skipped:
        console.print_line(describe_skipped(pages.files.skipped))
    if left_out := pages.count_left_out():
        console.print_line(describe_left_out(left_out))
    for line in describe_guesses(slices, settings):
        console.print_line(line)
    in_error = sum(row.errors for row in rows)
    if first_page:
        uri = safe(first_page["uri"])
        console.print(Text.assemble("\n", (uri, "bold"), f"  {_describe(first_page)}"))
        for line in _first_lines(first_page["text"]):
            console.print_line(f"  {line}")
    if in_error:
        rest = describe_rest(in_error, len(errors), "ingest read --json prints all")
        print_errors(f"{in_error:,}", errors, rest)
    return in_error


def print_json_lines(pages: Pages) -> int:
    """Print one JSON object per page, for all pages; return the number of errors.

    Pages that were printed before the process ended, as the marks say, are not printed again.
    """
    marks = pages.marks
    pages.start_at(marks.following)
    in_error = marks.in_error
    lines: list[str] = []
    size = 0

    def flush() -> None:
        marks.rest()
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        marks.printed(pages.following, in_error)

    block = 0 if sys.stdout.isatty() else _BLOCK
    for part in pages.slices:
        for page in pages.read(part):
            in_error += page["error"] is not None
            lines.append(json_line({key: page.get(key) for key in _JSON_KEYS}) + "\n")
            size += len(lines[-1])
            if size > block:
                flush()
                lines, size = [], 0
    flush()
    return in_error


def _build_table(rows: list[_SourceCounts], *, by_kind: bool) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("kind", "sources") if by_kind else ("source", "kind"):
        table.add_column(name, justify="right" if name == "sources" else "left", overflow="fold")
    for name in ("pages", "errors"):
        table.add_column(name, justify="right")
    table.add_column("encodings", overflow="fold")
    for row in rows:
        head = (row.kind, f"{row.sources:,}") if by_kind else (safe(row.name), row.kind)
        encodings = ", ".join(f"{name} {n:,}" for name, n in row.encodings.most_common())
        pages = f"{row.pages:,}" + "+" * row.has_more
        table.add_row(*map(Text, (*head, pages, f"{row.errors:,}", encodings)))
    return table


def _describe(page: dict[str, Any]) -> str:
    title = page.get("title")
    details = [page["media_type"], f"{page['chars']:,} characters"]
    details += [page["repaired"]] if page["repaired"] else []
    return ", ".join(details) + (f", “{safe(title)[:_WIDTH]}”" if title else "")


def _first_lines(text: str) -> Iterator[str]:
    lines = (line for line in text[: 1 << 16].split("\n") if line.strip())
    for line in islice(lines, _MAX_LINES):
        shown = safe(line.strip())
        yield shown if len(shown) <= _WIDTH else shown[: _WIDTH - 1] + "…"

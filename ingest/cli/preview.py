"""What `ingest read` shows: each source as it would be read, and the start of one page."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from ingest.cli.render import Stdout
from ingest.config import ReadConfig
from ingest.readers import describe_guesses, document, plan_slices, read_records
from ingest.readers.sources import describe_left_out, describe_skipped, find_sources
from ingest.text import json_line, safe

MAX_RECORDS = 1000  # of a source that the table counts
_MAX_ROWS = 50  # sources with a row each; more are summed up by kind
_MAX_ERRORS, _MAX_LINES, _WIDTH = 10, 8, 100
_JSON_KEYS = ("uri", "media_type", "encoding", "repaired", "title", "url", "chars", "error")


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


def print_table(sources: Iterable[str], settings: ReadConfig) -> int:
    """Print one row per source, or per kind if there are many; return the number of errors.

    Raises:
        SourceError: no file was found.
    """
    files = find_sources(sources)
    slices = plan_slices(files.files, shard_bytes=sys.maxsize)
    by_kind = len(slices) > _MAX_ROWS
    counts: dict[str, _SourceCounts] = {}
    errors: list[tuple[str, str]] = []
    first_page: dict[str, Any] | None = None
    left_out: Counter[str] = Counter()
    for part in slices:
        name = part.kind if by_kind else part.source
        row = counts.setdefault(name, _SourceCounts(name, part.kind))
        row.sources += 1
        pages = (document.to_row(record) for record in read_records(part, settings, left_out))
        for page in islice(pages, MAX_RECORDS):
            row.add(page)
            if page["error"] is None:
                first_page = first_page or page
            elif len(errors) < _MAX_ERRORS:
                errors.append((page["uri"], page["error"]))
        row.has_more |= next(pages, None) is not None
    rows = list(counts.values())
    console = Stdout()
    console.print(_build_table(rows, by_kind=by_kind))
    if any(row.has_more for row in rows):
        console.print_line(f"+ only the first {MAX_RECORDS:,} records of a source were read")
    if files.skipped:
        console.print_line(describe_skipped(files.skipped))
    if left_out:
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
        messages = Stdout(stderr=True)
        messages.print_line(f"{in_error:,} in error:", "bold red")
        for uri, error in errors:
            messages.print_line(f"  {uri}: {error}")
    return in_error


def print_json_lines(sources: Iterable[str], settings: ReadConfig) -> int:
    """Print one JSON object per page, for all pages; return the number of errors.

    Raises:
        SourceError: no file was found.
    """
    in_error = 0
    for part in plan_slices(find_sources(sources).files, shard_bytes=sys.maxsize):
        for record in read_records(part, settings):
            page = document.to_row(record)
            in_error += page["error"] is not None
            sys.stdout.write(json_line({key: page.get(key) for key in _JSON_KEYS}) + "\n")
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

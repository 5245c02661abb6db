"""What `ingest read` shows: each source as it would be read, and the beginning of a page."""

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
from ingest.readers.sources import describe_skipped, find_sources
from ingest.text import json_line, safe

SAMPLED = 1000  # records of a source that the table counts
_MOST_ROWS = 50  # sources that get a row each; more are summed up by kind
_MOST_ERRORS, _MOST_LINES, _WIDTH = 10, 8, 100


@dataclass
class _Seen:
    """What a source, or all sources of a kind, hold as far as was looked."""

    name: str
    kind: str
    sources: int = 0
    pages: int = 0
    errors: int = 0
    more: bool = False
    encodings: Counter[str] = field(default_factory=Counter)


def table(sources: Iterable[str], settings: ReadConfig) -> int:
    """Print a row a source, or a row a kind where they are many; returns how many are in error.

    Raises:
        SourceError: no file was found.
    """
    found = find_sources(sources)
    parts = plan_slices(found.files, shard_bytes=sys.maxsize)
    by_kind = len(parts) > _MOST_ROWS
    seen: dict[str, _Seen] = {}
    errors: list[tuple[str, str]] = []
    first: dict[str, Any] | None = None
    for part in parts:
        name = part.kind if by_kind else part.source
        row = seen.setdefault(name, _Seen(name, part.kind))
        row.sources += 1
        pages = (document.to_row(record) for record in read_records(part, settings))
        for made in islice(pages, SAMPLED):
            _count(row, made)
            if made["error"] is None:
                first = first or made
            elif len(errors) < _MOST_ERRORS:
                errors.append((made["uri"], made["error"]))
        row.more |= next(pages, None) is not None
    console = Stdout(highlight=False, soft_wrap=True)
    console.print(_table(list(seen.values()), by_kind=by_kind))
    _notes(console, list(seen.values()), found.skipped)
    for line in describe_guesses(parts, settings):
        console.print(Text(safe(line)))
    wrong = sum(row.errors for row in seen.values())
    if wrong:
        console.print(Text(f"\n{wrong:,} in error:", "bold red"))
        for uri, error in errors:
            console.print(Text(safe(f"  {uri}: {error}")))
    if first:
        console.print(Text.assemble("\n", (safe(first["uri"]), "bold"), f"  {_about(first)}"))
        for line in _first_lines(first["text"]):
            console.print(Text(f"  {line}"))
    return wrong


def json_lines(sources: Iterable[str], settings: ReadConfig) -> int:
    """Print one JSON object a page, all of them; returns how many are in error.

    Raises:
        SourceError: no file was found.
    """
    names = ("uri", "media_type", "encoding", "repaired", "title", "url", "chars", "error")
    wrong = 0
    for part in plan_slices(find_sources(sources).files, shard_bytes=sys.maxsize):
        for record in read_records(part, settings):
            made = document.to_row(record)
            wrong += made["error"] is not None
            sys.stdout.write(json_line({name: made.get(name) for name in names}) + "\n")
    return wrong


def _count(row: _Seen, made: dict[str, Any]) -> None:
    row.pages += 1
    row.errors += made["error"] is not None
    if made["error"] is None:
        row.encodings[made["encoding"] or "text"] += 1


def _table(seen: list[_Seen], *, by_kind: bool) -> Table:
    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("kind", "sources") if by_kind else ("source", "kind"):
        made.add_column(name, justify="right" if name == "sources" else "left", overflow="fold")
    for name in ("pages", "errors"):
        made.add_column(name, justify="right")
    made.add_column("encodings", overflow="fold")
    for row in seen:
        head = (row.kind, f"{row.sources:,}") if by_kind else (safe(row.name), row.kind)
        encodings = ", ".join(f"{name} {n:,}" for name, n in row.encodings.most_common())
        pages = f"{row.pages:,}" + "+" * row.more
        made.add_row(*map(Text, (*head, pages, f"{row.errors:,}", encodings)))
    return made


def _notes(console: Stdout, seen: list[_Seen], skipped: list[str]) -> None:
    if any(row.more for row in seen):
        console.print(Text(f"+ only the first {SAMPLED:,} records of a source were looked at"))
    if skipped:
        console.print(Text(safe(describe_skipped(skipped))))


def _about(made: dict[str, Any]) -> str:
    title = made.get("title")
    parts = [made["media_type"], f"{made['chars']:,} characters"]
    parts += [made["repaired"]] if made["repaired"] else []
    return ", ".join(parts) + (f", “{safe(title)[:_WIDTH]}”" if title else "")


def _first_lines(text: str) -> Iterator[str]:
    lines = (line for line in text[: 1 << 16].split("\n") if line.strip())
    for line in islice(lines, _MOST_LINES):
        shown = safe(line.strip())
        yield shown if len(shown) <= _WIDTH else shown[: _WIDTH - 1] + "…"

"""What differs between two runs, as `ingest report --against` prints it."""

from __future__ import annotations

import polars as pl
from rich.cells import set_cell_size
from rich.table import Table
from rich.text import Text

from ingest.cli.render import Stdout
from ingest.jobs.compare import ABSENT, KEPT, Comparison
from ingest.text import count_noun, safe

_MAX_ROWS = 20  # kinds of changes in a table
_NOT_KNOWN = "n/a"
_TEXT_WIDTH = 60  # cells of an example


def print_comparison(comparison: Comparison) -> None:
    """Print the numbers of both runs, and the changed lines and pairs by kind, with examples."""
    console = Stdout()
    table = Table("", *map(safe, comparison.names), "change", box=None, header_style="bold",
                  pad_edge=False)  # fmt: skip
    for name, (before, after) in (
        ("pages", comparison.pages),
        ("kept lines", comparison.kept),
        ("pairs", comparison.pairs),
    ):
        change = _NOT_KNOWN if before is None or after is None else f"{after - before:+,}"
        table.add_row(name, _count(before), _count(after), change)
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    console.print()
    console.print_line(f"{count_noun(comparison.shared_pages, 'page')} in both runs; of these:")
    _print_lines(console, comparison.lines)
    console.print()
    if comparison.pairs_file is None:
        without = [
            safe(name)
            for name, count in zip(comparison.names, comparison.pairs, strict=True)
            if count is None
        ]
        reason = f"{' and '.join(without)}: no pairs" if without else "no file that both runs have"
        console.print_line(f"pairs not compared ({reason})")
    else:
        _print_pairs(console, comparison.pair_changes, comparison.pairs_file)


def _count(number: int | None) -> str:
    return _NOT_KNOWN if number is None else f"{number:,}"


def _print_lines(console: Stdout, lines: pl.DataFrame) -> None:
    for title, is_kept in (("kept now", "after"), ("no longer kept", "before")):
        groups = lines.filter(pl.col(is_kept) == KEPT)
        console.print()
        console.print_line(f"{count_noun(int(groups['lines'].sum()), 'line')} {title}", "bold")
        for row in groups.head(_MAX_ROWS).iter_rows(named=True):
            change = (
                f"{_describe(row['role_before'], row['before'])} → "
                f"{_describe(row['role_after'], row['after'])}"
            )
            example = f"{_shorten(row['text'])}  ({safe(row['uri'])})"
            console.print_line(f"{row['lines']:>9,}  {change:<44}  {example}")
        _print_rest(console, groups, "lines")


def _print_pairs(console: Stdout, changes: pl.DataFrame, file: str) -> None:
    total = int(changes["pairs"].sum())
    console.print_line(f"{count_noun(total, 'pair')} of {file} changed", "bold")
    for row in changes.head(_MAX_ROWS).iter_rows(named=True):
        texts = f"{_shorten(row['source_text'])} | {_shorten(row['target_text'])}"
        console.print_line(f"{row['pairs']:>9,}  {row['before']} → {row['after']:<20}  {texts}")
    _print_rest(console, changes, "pairs")


def _print_rest(console: Stdout, groups: pl.DataFrame, column: str) -> None:
    if rest := groups[column].slice(_MAX_ROWS).sum():
        console.print_line(f"{rest:>9,}  of {len(groups) - _MAX_ROWS:,} other kinds")


def _describe(role: str, why: str) -> str:
    """Return what a run says of a line.

    >>> _describe("body", "kept"), _describe("nav", "not content"), _describe("-", "no such line")
    ('body', 'nav (not content)', 'no such line')
    """
    if why == ABSENT:
        return ABSENT
    return role if why == KEPT else f"{role} ({why})"


def _shorten(text: str | None) -> str:
    line = Text(safe(text or ""))
    if line.cell_len <= _TEXT_WIDTH:
        return line.plain
    return set_cell_size(line.plain, _TEXT_WIDTH - 1).rstrip() + "…"

"""Pages as `ingest show` prints them: one line per segment."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from typing import Any

import polars as pl
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ingest.cli.render import ROLE_COLORS, Stdout, isolate
from ingest.drop_reasons import SEGMENT_REASONS
from ingest.text import printable

_REASON_WIDTH = max(map(len, SEGMENT_REASONS))
_MIN_TEXT = 20  # cells of a terminal that the text of a segment always has


def print_pages(
    documents: pl.DataFrame, batches: Iterable[pl.DataFrame], *, all_pages: bool, limit: int = 0
) -> tuple[int, bool]:
    """Print pages with one line per segment: line, language, role, article, keep, why, text.

    Args:
        documents: the pages.
        batches: their segments in the same order, with reason and first_line.
        all_pages: whether to print pages without segments too.
        limit: largest number of segments to print; 0 for all.

    Returns:
        The number of segments printed, and whether there were more.
    """
    view = _PageView(documents, all_pages=all_pages)
    limit = limit or sys.maxsize
    shown = 0
    for batch in batches:
        rows = batch.head(limit - shown)
        view.print(rows)
        shown += len(rows)
        if len(rows) < len(batch):
            view.end_page()
            return shown, True
    view.finish()
    return shown, False


class _PageView:
    """Prints segments under the heading of their page."""

    def __init__(self, documents: pl.DataFrame, *, all_pages: bool) -> None:
        names = ("uri", "encoding", "repaired", "error")
        self._documents = documents.select("chars", *(printable(pl.col(name)) for name in names))
        self._number = {doc_id: n for n, doc_id in enumerate(documents["doc_id"])}
        self._all_pages = all_pages
        self._console = Stdout()
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        self._next = 0  # the first page that has not been printed
        self._is_open = False

    def print(self, segments: pl.DataFrame) -> None:
        """Print segments; the first ones may belong to the page that was printed last."""
        rows = segments.select(
            "doc_id", "script", "role", "keep", head=_head(), text=printable(pl.col("text"))
        )
        is_plain = self._width is None and self._console.color_system is None
        lines = (rows["head"] + rows["text"]).to_list() if is_plain else []
        start = 0
        for length, doc_id in rows["doc_id"].rle().struct.unnest().iter_rows():
            number = self._number[doc_id]
            if number >= self._next:
                self._print_without_segments(number)
                self._print_heading(number)
            if is_plain:
                self._console.file.write("\n".join(lines[start : start + length]) + "\n")
            else:
                for row in rows.slice(start, length).iter_rows(named=True):
                    self._console.print_parts(*_line(row, self._width))
            start += length

    def end_page(self) -> None:
        """Print what follows the last segment of a page."""
        if self._is_open:
            self._console.print()
        self._is_open = False

    def finish(self) -> None:
        """Print the pages after the last segment."""
        self._print_without_segments(len(self._documents))
        self.end_page()

    def _print_heading(self, number: int) -> None:
        self.end_page()
        page = self._documents.row(number, named=True)
        length = None if page["chars"] is None else f"{page['chars']:,} characters"
        known = filter(None, (length, page["encoding"], page["repaired"]))
        details = page["error"] or ", ".join(known)
        self._console.print(Text.assemble((page["uri"], "bold"), f"  {details}"))
        self._next, self._is_open = number + 1, True

    def _print_without_segments(self, end: int) -> None:
        for number in range(self._next, end) if self._all_pages else ():
            self._print_heading(number)
            if not self._documents["error"][number]:
                self._console.print("no text")


def _head() -> pl.Expr:
    """Return the columns of a line before the text, padded."""
    by_model = pl.col("role_by") == "model"
    score = pl.col("role_score").cast(pl.Float64)
    hundredths = (score * 100).round().cast(pl.Int64).cast(pl.String).str.pad_start(3, "0")
    number = pl.concat_str(hundredths.str.head(-2), pl.lit("."), hundredths.str.tail(2))
    article = pl.when(pl.col("article") > 0).then(pl.col("article").cast(pl.String))
    reason = pl.when(pl.col("first_line").is_not_null()).then(
        pl.concat_str(pl.lit("= line "), pl.col("first_line"))
    )
    return pl.concat_str(
        pl.col("line").cast(pl.String).str.pad_start(5),
        pl.col("lang").str.pad_end(3),
        pl.col("role").str.pad_end(10)
        + " "
        + pl.when(by_model).then(number).otherwise("role_by").str.pad_start(4),
        article.fill_null("-").str.pad_start(2),
        pl.when("keep").then(pl.lit("keep")).otherwise(pl.lit("drop")),
        pl.coalesce(reason, "reason", pl.lit("content")).str.pad_end(_REASON_WIDTH),
        separator="  ",
    ) + pl.lit(" ")


def _line(row: dict[str, Any], width: int | None) -> tuple[tuple[str, str], ...]:
    head, text = row["head"], row["text"]
    if width is not None and cell_len(text) > (room := max(width - len(head) - 1, _MIN_TEXT)):
        text = set_cell_size(text, room - 1).rstrip() + "…"
    color = ROLE_COLORS[row["role"]]
    style = color if row["keep"] else f"dim {color}"
    return (head, "default" if row["keep"] else "dim"), (isolate(text, row["script"]), style)

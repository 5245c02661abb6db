"""What a person sees on the terminal: progress, tables, a page line by line."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ingest.frames import ROLES
from ingest.readers.sources import describe_skipped
from ingest.text import count_noun, json_line, printable, safe

_COLOURS = {
    "headline": "bold cyan", "subheading": "cyan", "body": "default", "caption": "magenta",
    "byline": "blue", "dateline": "blue", "nav": "yellow", "credit": "yellow", "ad": "red",
    "widget": "yellow", "code": "green",
}  # fmt: skip
# First-strong isolate and its end (UAX #9): a right-to-left text keeps its own order without
# moving the columns before it. On a terminal only: what is piped is pasted into data.
_ISOLATE = "\u2068{}\u2069"
_LONG = 10  # seconds after which a run says where they went
_RIGHT_TO_LEFT = ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo")


class Stdout(Console):
    """Rich's console, which leaves it to the caller what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704  # called where BrokenPipeError is handled


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error where that is a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("read", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


@contextmanager
def translating() -> Iterator[
    tuple[Callable[[int, int], None], Callable[[int, int | None, int], None]] | tuple[None, None]
]:
    """Two bars on standard error where that is a terminal: pages read, texts translated."""
    if not sys.stderr.isatty():
        yield None, None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
               TimeRemainingColumn(), TextColumn("{task.fields[note]}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        read = bar.add_task("read", total=None, visible=False, note="")
        translate = bar.add_task("translate", total=None, visible=False, note="")
        begun = 0.0

        def translated(done: int, total: int | None, tokens: int) -> None:
            nonlocal begun
            note = f"{tokens:,} tokens"
            if begun:
                note += f", {tokens / (time.monotonic() - begun):,.0f} a second"
            begun = begun or time.monotonic()  # pages may have been read before
            bar.update(translate, completed=done, total=total, visible=True, note=note)

        yield (
            lambda done, total: bar.update(read, completed=done, total=total, visible=True),
            translated,
        )


def summary(report: dict[str, Any], out: str) -> None:
    """What a run found, as a table of roles by language and a line of totals."""
    counts = report["counts"]
    spread = pl.DataFrame(
        counts["by_role_and_lang"],
        {"role": pl.String, "lang": pl.String, "segments": pl.Int64, "kept": pl.Int64},
    )
    langs = _most_frequent(spread)
    table = Table("role", box=None, header_style="bold", pad_edge=False)
    for name in (*langs, "segments", "kept"):
        table.add_column(name, justify="right")
    for role in (r for r in ROLES if r in spread["role"]):
        table.add_row(Text(role, _COLOURS[role]), *_row(spread.filter(role=role), langs))
    table.add_section()
    table.add_row("all", *_row(spread, langs), style="bold")
    console = Stdout()
    # cut-off numbers would be wrong numbers: what is wider than the terminal wraps
    room = console.options.update(max_width=1 << 10)
    console.width = max(console.width, Measurement.get(console, room, table).maximum)
    console.print(table)
    notes = [
        count_noun(counts["pages"], "page"),
        f"{count_noun(counts['articles'], 'article')} in "
        f"{count_noun(counts['clusters'], 'cluster')}",
        count_noun(counts["duplicates"], "line") + " repeated in a page",
    ]
    for key, one in (
        ("empty", "page without text"),
        ("template_lines", "line of site templates"),
        ("replaced", "character that could not be decoded"),
    ):
        if counts[key]:
            head, *rest = one.split(" ")
            notes.append(count_noun(counts[key], head) + "".join(f" {word}" for word in rest))
    console.print("\n" + ", ".join(notes), highlight=False, soft_wrap=True)
    if report["skipped"]:
        said = f"{describe_skipped(report['skipped'])}; names in {Path(out, 'run.json')}"
        console.print(safe(said), highlight=False, markup=False, soft_wrap=True)
    for line in report["columns"]:
        console.print(safe(line), highlight=False, markup=False, soft_wrap=True)
    if report["elapsed"] > _LONG:
        steps = sorted(report["seconds"].items(), key=lambda step: -step[1])
        spent = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in steps if seconds >= 1)
        console.print(f"{report['elapsed']:,.0f} s; of the work, {spent}", highlight=False,
                      soft_wrap=True)  # fmt: skip
    console.print(f"written to {out}", highlight=False, markup=False, soft_wrap=True)
    if counts["errors"]:
        said = count_noun(counts["errors"], "page") + " in error:"
        console.print(said, style="bold red", highlight=False)
        for page in report["in_error"]:
            console.print(safe(f"  {page['uri']}: {page['error']}"), highlight=False, markup=False,
                          soft_wrap=True)  # fmt: skip


def part(done: dict[str, Any], out: str) -> None:
    """What has come of a run that did a part of the shards."""
    said = f"{done['done']:,} of {count_noun(done['shards'], 'shard')} are done"
    left = "; the parts that are left first" if done["done"] < done["shards"] else ""
    said += f"; to make {out} of them: --resume{left}"
    Stdout().print(said, highlight=False, markup=False, soft_wrap=True)


def _most_frequent(spread: pl.DataFrame, most: int = 6) -> list[str]:
    """Languages by segments; the rarest share one column, 'other'."""
    total = spread.group_by("lang").agg(pl.col("segments").sum())
    langs = total.sort("segments", "lang", descending=[True, False])["lang"].to_list()
    return langs if len(langs) <= most + 1 else [*langs[:most], "other"]


def _row(spread: pl.DataFrame, langs: list[str]) -> list[str]:
    total = dict(spread.group_by("lang").agg(pl.col("segments").sum()).iter_rows())
    cells = [total.pop(lang, 0) for lang in langs if lang != "other"]
    if "other" in langs:
        cells.append(sum(total.values()))
    numbers = [*cells, spread["segments"].sum(), spread["kept"].sum()]
    return [f"{n:,}" if n else "·" for n in numbers]


def show(documents: pl.DataFrame, segments: pl.DataFrame) -> None:
    """Print pages, a line a segment: line, language, role, article, keep and why, text."""
    console = Stdout(highlight=False, soft_wrap=True)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    of_page = dict(segments.group_by("doc_id", maintain_order=True))
    for page in documents.iter_rows(named=True):
        about = page["error"] or ", ".join(
            filter(None, (f"{page['chars']:,} characters", page["encoding"], page["repaired"]))
        )
        console.print(Text.assemble((safe(page["uri"]), "bold"), f"  {safe(about)}"))
        if (found := of_page.get((page["doc_id"],))) is not None:
            for row in _lines(found):
                console.print(_segment(row, width))
        console.print()


def _lines(segments: pl.DataFrame) -> Iterator[dict[str, Any]]:
    first_line = segments.select(duplicate_of="segment", first_line="line")
    return (
        segments.join(first_line, on="duplicate_of", how="left", maintain_order="left")
        .with_columns(printable(pl.col("text")))
        .iter_rows(named=True)
    )


def _segment(row: dict[str, Any], width: int | None) -> Text:
    score = f"{row['role_score']:.2f}" if row["role_by"] == "model" else row["role_by"]
    if row["first_line"] is not None:
        why = f"= line {row['first_line']}"
    elif row["keep"]:
        why = "content"
    else:
        why = "not content"
    head = (
        f"{row['line']:>5}  {row['lang']:<3}  {row['role']:<10} {score:>4}  "
        f"{row['article'] or '-':>2}  {'keep' if row['keep'] else 'drop'}  {why:<12} "
    )
    text = row["text"]
    if width is not None and cell_len(text) > (room := max(width - len(head) - 1, 20)):
        text = set_cell_size(text, room - 1).rstrip() + "…"
    text = _isolated(text, row["script"])
    style = _COLOURS[row["role"]] if row["keep"] else f"dim {_COLOURS[row['role']]}"
    return Text.assemble((head, "default" if row["keep"] else "dim"), (text, style))


def _isolated(text: str, script: str) -> str:
    return _ISOLATE.format(text) if script in _RIGHT_TO_LEFT and sys.stdout.isatty() else text


def languages(found: pl.DataFrame) -> None:
    """What `ingest detect` found, as a table."""
    console = Stdout(highlight=False, soft_wrap=True)
    console.print(Text(f"{'lang':<5} {'score':>5}  {'by':<7} {'runners-up':<22} text", "bold"))
    for row in found.with_columns(printable(pl.col("text"))).iter_rows(named=True):
        others = " ".join(f"{r['lang']} {r['score']:.2f}" for r in row["runners_up"][:2])
        text = _isolated(row["text"] or "", row["script"])
        head = f"{row['lang']:<5} {row['lang_score']:>5.2f}  {row['lang_by']:<7} {others:<22} "
        console.print(Text(head + text))


def json_lines(found: pl.DataFrame) -> None:
    """What `ingest detect --json` prints: one object an input line, in order."""
    for row in found.iter_rows(named=True):
        record = {
            "text": row["text"],
            "lang": row["lang"],
            "score": round(row["lang_score"], 4),
            "script": row["script"],
            "by": row["lang_by"],
            "runners_up": [
                {"lang": r["lang"], "score": round(r["score"], 4)} for r in row["runners_up"]
            ],
        }
        sys.stdout.write(json_line(record) + "\n")

"""Tables of runs, pages and languages, as a person reads them on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import polars as pl
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ingest.readers.sources import Skipped, describe_left_out, describe_skipped
from ingest.roles import ROLES
from ingest.text import count_noun, describe_rest, json_line, printable, safe

ROLE_COLORS = {
    "headline": "bold cyan", "subheading": "cyan", "body": "default", "caption": "magenta",
    "byline": "blue", "dateline": "blue", "nav": "yellow", "credit": "yellow", "ad": "red",
    "widget": "yellow", "code": "green", "comment": "yellow", "reference": "yellow",
}  # fmt: skip
# First-strong isolate and pop directional isolate (UAX #9): right-to-left text keeps its own order
# and does not move the columns before it. Only on a terminal: piped output is pasted into data.
_ISOLATE = "\u2068{}\u2069"
_RIGHT_TO_LEFT = ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo")
_MAX_CHANGED = 3  # sources that are named
_LONG_RUN = 10  # seconds; after a longer run, the summary shows the time per step
_MAX_LANGUAGES = 6  # columns of the summary; rarer languages share one


class Stdout(Console):
    """Rich's console, for text that is not styled by its content and is never wrapped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, soft_wrap=True, **options)

    def print_line(self, text: str, style: str = "") -> None:
        """Print one line without control characters."""
        self.print(Text(safe(text), style))

    def print_parts(self, *parts: tuple[str, str]) -> None:
        """Print one line of parts, each with its style; they have no control characters.

        Without colors, the parts are written as they are: Rich needs many times as long.
        """
        if self.color_system is None:
            self.file.write("".join(part for part, _ in parts) + "\n")
        else:
            self.print(Text.assemble(*parts))


def print_run_summary(report: dict[str, Any], out: str, *, verbose: bool = False) -> None:
    """Print what a run found: a table of roles by language, and totals."""
    counts = report["counts"]
    console = Stdout()
    table = _role_table(counts["by_role_and_lang"])
    # a table that is wider than the terminal wraps: numbers that are cut off would be wrong
    options = console.options.update(max_width=1 << 10)
    console.width = max(console.width, Measurement.get(console, options, table).maximum)
    console.print(table)
    console.print()
    console.print_line(", ".join(_totals(counts)))
    if report["skipped"]:
        console.print_line(f"{_describe_skipped(report)}; see {out.rstrip('/')}/run.json")
    if report["left_out"]:
        console.print_line(describe_left_out(report["left_out"]))
    for line in (*report["columns"], *report.get("uncut", ())):
        console.print_line(line)
    if verbose or report["elapsed"] > _LONG_RUN:
        console.print_line(_step_times(report))
    console.print_line(f"written to {out}")


def _describe_skipped(report: dict[str, Any]) -> str:
    listed = [Skipped(item["source"], item["reason"]) for item in report["skipped"]]
    return describe_skipped(listed, more=report["counts"]["skipped"] - len(listed))


def _role_table(rows: list[dict[str, Any]]) -> Table:
    counts = pl.DataFrame(
        rows, {"role": pl.String, "lang": pl.String, "segments": pl.Int64, "kept": pl.Int64}
    )
    langs = _most_frequent(counts)
    table = Table("role", box=None, header_style="bold", pad_edge=False)
    for name in (*langs, "segments", "kept"):
        table.add_column(name, justify="right")
    for role in (role for role in ROLES if role in counts["role"]):
        table.add_row(Text(role, ROLE_COLORS[role]), *_cells(counts.filter(role=role), langs))
    table.add_section()
    table.add_row("all", *_cells(counts, langs), style="bold")
    return table


def _totals(counts: dict[str, Any]) -> list[str]:
    totals = [
        count_noun(counts["pages"], "page")
        + (f" ({counts['errors']:,} of them in error)" if counts.get("errors") else ""),
        f"{count_noun(counts['articles'], 'article')} in "
        f"{count_noun(counts['clusters'], 'cluster')}",
        count_noun(counts["duplicates"], "line") + " repeated in a page",
    ]
    for key, noun, rest in (
        ("empty", "page", "without text"),
        ("warnings", "page", "of which no more than the title is kept"),
        ("template_lines", "line", "of site templates"),
        ("replaced", "character", "that could not be decoded"),
    ):
        if counts.get(key):  # an earlier version did not count all of them
            totals.append(f"{count_noun(counts[key], noun)} {rest}")
    return totals


def _step_times(report: dict[str, Any]) -> str:
    steps = sorted(report["seconds"].items(), key=lambda step: -step[1])
    times = ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in steps if seconds >= 0.05)
    return f"{report['elapsed']:,.1f} s; by step, over all workers: {times}"


def print_errors(heading: str, errors: Iterable[tuple[str, str]], rest: str) -> None:
    """Print pages that could not be read to standard error.

    Args:
        heading: their number.
        errors: URI and error of the first ones.
        rest: what `describe_rest` says of the others.
    """
    console = Stdout(stderr=True)
    console.print_line(f"{heading} in error:", "bold red")
    for uri, error in errors:
        console.print_line(f"  {uri}: {error}")
    if rest:
        console.print_line(f"  {rest}")


def print_pages_in_error(report: dict[str, Any], out: str) -> None:
    """Print the pages that a run could not read, if there are any, to standard error."""
    if total := report["counts"]["errors"]:
        errors = [(page["uri"], page["error"]) for page in report["in_error"]]
        table = f"{out.rstrip('/')}/documents.parquet"
        rest = describe_rest(total, len(errors), f"column error of {table} has all")
        print_errors(count_noun(total, "page"), errors, rest)
        console = Stdout(stderr=True)
        if changed := report.get("changed"):
            names = ", ".join(entry["source"] for entry in changed[:_MAX_CHANGED])
            more = len(changed) - _MAX_CHANGED
            console.print_line(
                "changed or removed during the run: "
                + names
                + (f" and {more} more" if more > 0 else "")
                + "; what was read before that is kept; use --overwrite to read them again"
            )


def print_shards_done(report: dict[str, Any], out: str) -> None:
    """Print how far a run is, after a call that did some of its shards."""
    done, shards = report["done"], report["shards"]
    step = "--resume" if done == shards else "the remaining parts, then --resume"
    Stdout().print_line(f"{done:,} of {count_noun(shards, 'shard')} done; to finish {out}: {step}")


def _most_frequent(counts: pl.DataFrame) -> list[str]:
    """Return languages by their number of segments; the rarest share one column, "other"."""
    total = counts.group_by("lang").agg(pl.col("segments").sum())
    langs = total.sort("segments", "lang", descending=[True, False])["lang"].to_list()
    return langs if len(langs) <= _MAX_LANGUAGES + 1 else [*langs[:_MAX_LANGUAGES], "other"]


def _cells(counts: pl.DataFrame, langs: list[str]) -> list[str]:
    total = dict(counts.group_by("lang").agg(pl.col("segments").sum()).iter_rows())
    numbers = [total.pop(lang, 0) for lang in langs if lang != "other"]
    if "other" in langs:
        numbers.append(sum(total.values()))
    numbers += [counts["segments"].sum(), counts["kept"].sum()]
    return [f"{number:,}" if number else "·" for number in numbers]


def isolate(text: str, script: str) -> str:
    """Keep right-to-left text in its own order, if it goes to a terminal."""
    return _ISOLATE.format(text) if script in _RIGHT_TO_LEFT and sys.stdout.isatty() else text


def print_languages(lines: pl.DataFrame) -> None:
    """Print the languages of lines as a table."""
    console = Stdout()
    console.print(Text(f"{'lang':<5} {'score':>5}  {'by':<7} {'runners-up':<22} text", "bold"))
    for row in lines.with_columns(printable(pl.col("text"))).iter_rows(named=True):
        others = " ".join(f"{r['lang']} {r['score']:.2f}" for r in row["runners_up"][:2])
        text = isolate(row["text"] or "", row["script"])
        head = f"{row['lang']:<5} {row['lang_score']:>5.2f}  {row['lang_by']:<7} {others:<22} "
        console.print_parts((head + text, ""))


def print_language_json(lines: pl.DataFrame) -> None:
    """Print the languages of lines as JSON: one object per input line, in order."""
    for row in lines.iter_rows(named=True):
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

"""Documents to segments: a segment is a line of one page in one language."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import polars as pl
import regex

from ingest.config import Config, SegmentConfig, config_of
from ingest.frames import BLOCK, DOCUMENTS, SEGMENTS, check, schema

# Line breaks that editors do not number: vertical tab, form feed, NEL, U+2028, U+2029.
_INNER_BREAKS = "[\u000b\u000c\u0085\u2028\u2029]"
_PIECES = regex.compile(f"{_INNER_BREAKS}+")
_TOKEN = regex.compile(r"\S+")
_ARABIC = regex.compile(r"\p{Script=Arabic}")
_LATIN = regex.compile(r"\p{Script=Latin}")
_LONGEST_LINE = 100_000  # characters; what is longer is data, not a line that someone wrote
_OPENING = tuple("([{«\"'“‘‹")
_CLOSING = frozenset(")]}»\"'”’›")
_PARTING = tuple('.!?؟…:;؛|/•·–—-)]}»"”’')


def segment(
    documents: pl.DataFrame, *, config: SegmentConfig | Config | None = None
) -> pl.DataFrame:
    r"""Cut pages into segments: one row a line that is not blank, in page order.

    A line that carries a run of Arabic words and a run of Latin words, each of at least
    `config.min_run_words`, becomes one segment a run (lines over 100,000 characters are left
    whole). Pages in error have no segments.
    For every row `text == documents.text[start:end]`, in characters.

    A line of an HTML page carries where it stands: block, markup, links.

    Args:
        documents: a documents frame, as `ingest.read` makes it.
        config: how lines with both scripts are cut.

    Raises:
        FrameError: `documents` lacks a column.

    >>> from ingest.frames import BLOCK, DOCUMENTS, schema
    >>> page = pl.DataFrame([{"doc_id": "d", "text": "A title\n\n  النص"}], schema(DOCUMENTS))
    >>> segment(page).select("segment", "line", "start", "end").rows()
    [(0, 1, 0, 7), (1, 3, 11, 15)]
    """
    check(documents, DOCUMENTS, verb="segment")
    config = config_of(config, SegmentConfig)
    lines = _lines(documents.select("doc_id", "text", "blocks").drop_nulls("text"))
    cut = _cut_further(lines, config.min_run_words)
    return (
        cut.with_columns(
            segment=pl.int_range(pl.len()).over("doc_id").cast(pl.Int64),
            end=pl.col("start") + pl.col("text").str.len_chars(),
        )
        .unnest("blocks")
        .select(schema(SEGMENTS).names())
    )


def _lines(pages: pl.DataFrame) -> pl.DataFrame:
    """The lines that are not blank: doc_id, line, start, blocks, text without white space around.

    `blocks` has become the one of the line, null in a page of text.
    """
    # Each replacement keeps the number of characters, so offsets stay those of the page.
    newlines = (
        pl.col("text")
        .str.replace_all("\r\n", " \n", literal=True)
        .str.replace_all("\r", "\n", literal=True)
    )
    width = pl.col("raw").str.len_chars().cast(pl.Int64)
    lead = width - pl.col("raw").str.strip_chars_start().str.len_chars()
    split = pages.select("doc_id", "blocks", raw=newlines.str.split("\n")).with_columns(
        line=pl.int_ranges(1, pl.col("raw").list.len() + 1)
    )
    none = pl.lit(None, BLOCK).repeat_by(pl.col("raw").list.len())
    return (
        split.with_columns(blocks=pl.coalesce(pl.col("blocks"), none))
        .explode("raw", "line", "blocks")
        .with_columns(start=(width + 1).cum_sum().over("doc_id") - (width + 1))
        .with_columns(start=pl.col("start") + lead, text=pl.col("raw").str.strip_chars())
        .filter(pl.col("text") != "")
        .select("doc_id", "line", "start", "text", "blocks")
    )


def _cut_further(lines: pl.DataFrame, min_words: int) -> pl.DataFrame:
    """Cut the few lines with inner breaks or with runs of both scripts; keep the order."""
    text = pl.col("text")
    # most lines are told by two quick searches; words are counted only where both scripts are
    either = text.str.contains(r"\p{Latin}") & text.str.contains(r"\p{Arabic}")
    counted = pl.when(either & (text.str.len_chars() <= _LONGEST_LINE)).then(text)
    both = pl.all_horizontal(
        counted.str.count_matches(rf"\p{{{script}}}{{2,}}") >= min_words
        for script in ("Arabic", "Latin")
    ).fill_null(value=False)
    lines = lines.with_row_index("row").with_columns(cut=text.str.contains(_INNER_BREAKS) | both)
    todo = lines.filter("cut")
    if todo.is_empty():
        return lines.drop("row", "cut")
    pieces = [
        (row, at, piece)
        for row, whole in todo.select("row", "text").iter_rows()
        for at, piece in _pieces(whole, min_words)
    ]
    made = pl.DataFrame(pieces, {"row": pl.UInt32, "at": pl.Int64, "text": pl.String}, orient="row")
    made = made.join(todo.drop("text", "cut"), on="row").with_columns(
        start=pl.col("start") + pl.col("at")
    )
    columns = ["row", "doc_id", "line", "start", "text", "blocks"]
    return (
        pl.concat([lines.filter(~pl.col("cut")).select(columns), made.select(columns)])
        .sort("row", "start")
        .drop("row")
    )


def _pieces(line: str, min_words: int) -> list[tuple[int, str]]:
    """(offset, text) of each segment of a line, white space stripped, empty ones left out."""
    edges = [0]
    for break_ in _PIECES.finditer(line):
        edges += break_.span()
    edges.append(len(line))
    found: list[tuple[int, str]] = []
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        short = right - left <= _LONGEST_LINE
        inner = run_starts(line[left:right], min_words) if short else []
        starts = [left, *(left + s for s in inner), right]
        for a, b in pairwise(starts):
            text = line[a:b]
            # Polars and Python differ on U+001C-U+001F; this is what Polars strips.
            body = text.strip(_WHITE)
            if body:
                found.append((a + len(text) - len(text.lstrip(_WHITE)), body))
    return found


_WHITE = "".join(
    chr(c)
    for c in (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
              0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)  # fmt: skip


def run_starts(line: str, min_words: int) -> list[int]:
    """Where, after its start, a line changes between Arabic and Latin script for good.

    A run stands when it has `min_words`, or twice as many where no punctuation parts it from its
    neighbours; others, and what stands in brackets or quotation marks, belong to the run around
    them. Tokens without letters belong to the run before.

    >>> run_starts("The talks end today. تنتهي المحادثات في بغداد اليوم", 4)
    [21]
    >>> run_starts("ثبّت Docker Compose ثم أعد تشغيل الخادم", 4)
    []
    """
    runs: list[_Run] = []
    before, quoted = "", False
    for token in _TOKEN.finditer(line):
        word = token.group()
        arabic, latin = len(_ARABIC.findall(word)), len(_LATIN.findall(word))
        if arabic or latin:
            script = "Arab" if arabic >= latin else "Latn"
            quoted = quoted or word.startswith(_OPENING) or before.endswith(_OPENING)
            if runs and (runs[-1].script == script or quoted):
                runs[-1] = runs[-1]._replace(words=runs[-1].words + 1)
            else:
                runs.append(_Run(script, token.start(), 1, before.endswith(_PARTING)))
            quoted = quoted and not _CLOSING.intersection(word[1:])
        before = word
    return [run.start for run in _settled(runs, min_words)[1:]]


class _Run(NamedTuple):
    script: str
    start: int
    words: int
    parted: bool  # punctuation stands before it


def _settled(runs: list[_Run], min_words: int) -> list[_Run]:
    """The runs that stand: the shortest that is too short goes to its neighbours, then the next."""
    end = len(runs)
    at = dict(enumerate(runs))
    left, right = list(range(-1, end - 1)), list(range(1, end + 1))

    def weak(i: int) -> bool:
        parted = (i == 0 or at[i].parted) and (right[i] == end or at[right[i]].parted)
        return at[i].words < (min_words if parted else 2 * min_words)

    waiting = [(run.words, i) for i, run in at.items() if weak(i)]
    heapify(waiting)
    while waiting and len(at) > 1:
        words, i = heappop(waiting)
        if i not in at or at[i].words != words:
            continue
        low, high = max(left[i], 0), i if right[i] == end else right[i]
        parts = [at.pop(k) for k in sorted({i, high} - {low})]
        at[low] = _merged([at[low], *parts])
        right[low] = right[high]
        if right[low] < end:
            left[right[low]] = low
        if weak(low):
            heappush(waiting, (at[low].words, low))
    return list(at.values())


def _merged(runs: list[_Run]) -> _Run:
    """Neighbours as one run, in the script of the longest."""
    script = max(runs, key=lambda run: run.words).script
    return _Run(script, runs[0].start, sum(run.words for run in runs), runs[0].parted)

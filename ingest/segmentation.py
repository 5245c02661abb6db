"""Cut documents into segments. A segment is a line of a page in one script."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import polars as pl
import regex

from ingest.config import Config, SegmentConfig, config_of
from ingest.frames import BLOCK, DOCUMENTS, SEGMENTS, check, schema

# Line breaks that editors do not count: vertical tab, form feed, NEL, U+2028, U+2029.
_INNER_BREAKS = "[\u000b\u000c\u0085\u2028\u2029]"
# A word, or what is left of it where the script changes inside: ساعة.Interactive
_TOKEN = regex.compile(
    r"\S+?(?=\s|$|(?<=\p{Arabic}\p{P}{0,2})(?=\p{Latin})|(?<=\p{Latin}\p{P}{0,2})(?=\p{Arabic}))"
)
_ARABIC = regex.compile(r"\p{Script=Arabic}")
_LATIN = regex.compile(r"\p{Script=Latin}")
_EDIT = (
    "edit(?: source)?|عدل(?: المصدر)?|تعديل(?: المصدر)?|تحرير|ویرایش(?: مبدأ)?|ترمیم|"
    "modifier(?: le (?:code|wikicode))?|Bearbeiten|Quelltext bearbeiten|"
    "editar(?: (?:código|fonte|código-fonte))?|değiştir|kaynağı değiştir"
)
EDIT_LINK = rf"\[\s*(?i:{_EDIT})(?:\s*[|·]\s*(?i:{_EDIT}))?\s*\]"  # as wikis put behind headings
_HEADING_AND_EDIT_LINK = rf"^\S.{{0,120}}?({EDIT_LINK})$"
_EDIT_LINK_AT_END = regex.compile(_HEADING_AND_EDIT_LINK)
_LONGEST_LINE = 100_000  # characters; a longer line is data and not written text
_OPENING = tuple("([{«\"'“‘‹")
_CLOSING = frozenset(")]}»\"'”’›")
_SEPARATORS = tuple('.!?؟…:;؛|/•·–—-)]}»"”’')


def segment(
    documents: pl.DataFrame, *, config: SegmentConfig | Config | None = None
) -> pl.DataFrame:
    r"""Cut pages into segments: one row per non-blank line, in page order.

    A line with a run of Arabic words and a run of Latin words, each of at least
    `config.min_run_words`, becomes one segment per run. The link `[edit]` of a wiki becomes a
    segment of its own. Lines over 100,000 characters are not cut.
    Pages with an error have no segments. For every row, `text == documents.text[start:end]`, in
    characters. Lines of HTML pages have the columns block, markup and links of their element.

    Args:
        documents: a documents frame, as returned by `ingest.read`.
        config: how lines with both scripts are cut.

    Raises:
        FrameError: a column of `documents` is missing.

    >>> from ingest.frames import BLOCK, DOCUMENTS, schema
    >>> page = pl.DataFrame([{"doc_id": "d", "text": "A title\n\n  النص"}], schema(DOCUMENTS))
    >>> segment(page).select("segment", "line", "start", "end").rows()
    [(0, 1, 0, 7), (1, 3, 11, 15)]
    """
    check(documents, DOCUMENTS, verb="segment")
    config = config_of(config, SegmentConfig)
    lines = _lines(documents.select("doc_id", "text", "blocks").drop_nulls("text"))
    return (
        _split_lines(lines, config.min_run_words)
        .with_columns(
            segment=pl.int_range(pl.len()).over("doc_id").cast(pl.Int64),
            end=pl.col("start") + pl.col("text").str.len_chars(),
        )
        .unnest("blocks")
        .select(schema(SEGMENTS).names())
    )


def _lines(pages: pl.DataFrame) -> pl.DataFrame:
    """The non-blank lines: doc_id, line, start, text without surrounding white space, blocks.

    `blocks` is the block of the line, or null if the page is plain text.
    """
    # Each replacement keeps the number of characters, so offsets still refer to the page.
    newlines = (
        pl.col("text")
        .str.replace_all("\r\n", " \n", literal=True)
        .str.replace_all("\r", "\n", literal=True)
    )
    split = pages.select("doc_id", "blocks", raw=newlines.str.split("\n")).with_columns(
        line=pl.int_ranges(1, pl.col("raw").list.len() + 1)
    )
    none = pl.lit(None, BLOCK).repeat_by(pl.col("raw").list.len())
    return (
        split.with_columns(blocks=pl.coalesce(pl.col("blocks"), none))
        .explode("raw", "line", "blocks")
        .pipe(_place, "doc_id")
        .select("doc_id", "line", "start", "text", "blocks")
    )


def _place(pieces: pl.DataFrame, whole: str) -> pl.DataFrame:
    """Add `start`, the offset in the whole, and `text`, the stripped `raw`; drop blank pieces.

    Args:
        pieces: `raw`, the pieces of each whole; one character was between two pieces.
        whole: the column that numbers the wholes.
    """
    width = pl.col("raw").str.len_chars().cast(pl.Int64)
    lead = width - pl.col("raw").str.strip_chars_start().str.len_chars()
    return (
        pieces.with_columns(start=(width + 1).cum_sum().over(whole) - (width + 1))
        .with_columns(start=pl.col("start") + lead, text=pl.col("raw").str.strip_chars())
        .filter(pl.col("text") != "")
    )


def _split_lines(lines: pl.DataFrame, min_words: int) -> pl.DataFrame:
    """Split the few lines that have inner breaks or runs of both scripts; keep the order."""
    text = pl.col("text")
    # Two quick searches settle most lines. Words are counted only if both scripts occur.
    short = text.str.len_chars() <= _LONGEST_LINE
    either = text.str.contains(r"\p{Latin}") & text.str.contains(r"\p{Arabic}") & short
    counted = pl.when(either).then(text)
    both = pl.all_horizontal(
        counted.str.count_matches(rf"\p{{{script}}}{{2,}}") >= min_words
        for script in ("Arabic", "Latin")
    ).fill_null(value=False)
    edit = pl.when(text.str.ends_with("]")).then(text).str.contains(_HEADING_AND_EDIT_LINK)
    edit = edit.fill_null(value=False)
    lines = lines.with_row_index("row").with_columns(broken=text.str.contains(_INNER_BREAKS))
    whole = lines.filter(~pl.col("broken")).with_columns(cut=both | edit)
    broken = lines.filter("broken")
    if broken.is_empty() and not whole["cut"].any():
        return lines.drop("row", "broken")
    pieces = _split_at_breaks(broken).with_columns(cut=either | edit)
    columns = ["row", "doc_id", "line", "start", "text", "blocks", "cut"]
    placed = pl.concat([whole.select(columns), pieces.select(columns)])
    to_split = placed.filter("cut").with_row_index("piece")
    runs = [
        (piece, at, run)
        for piece, line in to_split.select("piece", "text").iter_rows()
        for at, run in _split_line(line, min_words)
    ]
    segments = (
        pl.DataFrame(runs, {"piece": pl.UInt32, "at": pl.Int64, "text": pl.String}, orient="row")
        .join(to_split.drop("text"), on="piece")
        .with_columns(start=pl.col("start") + pl.col("at"))
    )
    return (
        pl.concat([placed.filter(~pl.col("cut")), segments.select(columns)])
        .sort("row", "start")
        .drop("row", "cut")
    )


def _split_at_breaks(lines: pl.DataFrame) -> pl.DataFrame:
    """Split lines at inner breaks, of one character each."""
    pieces = pl.col("text").str.replace_all(_INNER_BREAKS, "\n").str.split("\n")
    placed = (
        lines.select("row", "doc_id", "line", "blocks", first="start", raw=pieces)
        .explode("raw")
        .pipe(_place, "row")
    )
    return placed.with_columns(start=pl.col("start") + pl.col("first"))


def _split_line(line: str, min_words: int) -> list[tuple[int, str]]:
    """(offset, stripped text) of each run of a line in one script."""
    inner = run_starts(line, min_words)
    if link := _EDIT_LINK_AT_END.match(line):
        inner = [*(start for start in inner if start < link.start(1)), link.start(1)]
    starts = [0, *inner, len(line)]
    segments: list[tuple[int, str]] = []
    for a, b in pairwise(starts):
        text = line[a:b]
        body = text.strip(_WHITE_SPACE)
        if body:
            segments.append((a + len(text) - len(text.lstrip(_WHITE_SPACE)), body))
    return segments


# The characters that Polars strips. Unlike Python, it does not strip U+001C to U+001F.
_WHITE_SPACE = "".join(
    chr(c)
    for c in (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
              0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)  # fmt: skip


def run_starts(line: str, min_words: int) -> list[int]:
    """Where a line changes between runs of Arabic and of Latin script, its start left out.

    A run needs `min_words` words, or twice as many if no punctuation separates it from its
    neighbours. Shorter runs, and words in brackets or quotation marks, belong to the run around
    them. Tokens without letters belong to the run before them.

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
                runs.append(_Run(script, token.start(), 1, before.endswith(_SEPARATORS)))
            quoted = quoted and not _CLOSING.intersection(word[1:])
        before = word
    return [run.start for run in _merge_short_runs(runs, min_words)[1:]]


class _Run(NamedTuple):
    script: str
    start: int
    words: int
    separated: bool  # from the run before, by punctuation


def _merge_short_runs(runs: list[_Run], min_words: int) -> list[_Run]:
    """Merge each run that is too short into its neighbours, the shortest first."""
    end = len(runs)
    at = dict(enumerate(runs))
    left, right = list(range(-1, end - 1)), list(range(1, end + 1))

    def too_short(i: int) -> bool:
        separated = (i == 0 or at[i].separated) and (right[i] == end or at[right[i]].separated)
        return at[i].words < (min_words if separated else 2 * min_words)

    waiting = [(run.words, i) for i, run in at.items() if too_short(i)]
    heapify(waiting)
    while waiting and len(at) > 1:
        words, i = heappop(waiting)
        if i not in at or at[i].words != words:
            continue
        low, high = max(left[i], 0), i if right[i] == end else right[i]
        others = [at.pop(k) for k in sorted({i, high} - {low})]
        at[low] = _merge([at[low], *others])
        right[low] = right[high]
        if right[low] < end:
            left[right[low]] = low
        if too_short(low):
            heappush(waiting, (at[low].words, low))
    return list(at.values())


def _merge(runs: list[_Run]) -> _Run:
    """Join neighbouring runs; the result has the script of the longest."""
    script = max(runs, key=lambda run: run.words).script
    return _Run(script, runs[0].start, sum(run.words for run in runs), runs[0].separated)

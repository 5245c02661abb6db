"""Choose the segments of pages, or of a finished run, that `ingest show` prints."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingest.drop_reasons import SEGMENT_REASONS, segment_reason
from ingest.errors import ConfigError, SourceError
from ingest.io.parquet import read_parquet, scan_parquet
from ingest.io.run_json import kept_roles_of, read_run
from ingest.jobs.damage import names_damage
from ingest.roles import KEPT_ROLES, ROLES
from ingest.text import comparable, escape_file_name, safe

_DOCUMENT_COLUMNS = ("doc_id", "uri", "url", "chars", "encoding", "repaired", "error")
_SEGMENT_COLUMNS = (
    "doc_id", "segment", "line", "text", "visible", "script", "lang", "role", "role_score",
    "role_by", "article", "duplicate_of", "keep",
)  # fmt: skip
_BATCH_ROWS = 1 << 16  # segments in memory at once, if all are shown
_ID_OR_ADDRESS = ("doc_id", "uri", "url")
_MOST_SIMILAR = 3  # pages that are named if there is none of the name
_MIN_SHARED = 0.3  # lowest share of three-letter strings that a similar name has in common


@dataclass(frozen=True)
class SegmentFilter:
    """Which segments to show; all conditions must be met.

    Attributes:
        page: ID, URI or URL of a page, or a part of its URI or URL; empty for all pages.
        roles: roles to show; empty for all.
        langs: languages to show; empty for all.
        dropped: whether to show only segments that are not kept.
        reasons: reasons for not keeping, of SEGMENT_REASONS; empty for all.
        text: what the text contains. Case, Arabic marks, forms of letters and white space make no
            difference; empty for any text.

    Raises:
        ConfigError: a role or reason is unknown.

    >>> SegmentFilter(roles=("menu",))
    Traceback (most recent call last):
    ...
    ingest.errors.ConfigError: role: 'menu' is unknown; use one of headline, subheading, body, \
caption, byline, dateline, nav, credit, ad, widget, code, comment, reference
    """

    page: str = ""
    roles: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    dropped: bool = False
    reasons: tuple[str, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        _check_known("role", self.roles, ROLES)
        _check_known("reason", self.reasons, SEGMENT_REASONS)

    @property
    def selects_segments(self) -> bool:
        """Whether some segments of a page may be left out."""
        return bool(self.roles or self.langs or self.dropped or self.reasons or self.text)


@dataclass(frozen=True)
class ShownPages:
    """Labelled pages.

    Attributes:
        name: of the run or the pages, for messages.
        documents: the pages, a row each: at least doc_id, uri, url, chars, encoding, repaired and
            error.
        segments: their labelled segments. The pages are in the same order.
        kept_roles: roles of the segments that were kept.
    """

    name: str
    documents: pl.DataFrame
    segments: pl.LazyFrame
    kept_roles: tuple[str, ...] = KEPT_ROLES

    def find(self, page: str) -> pl.DataFrame:
        """Return the documents with this ID, URI or URL, or else those whose URI or URL has it.

        Raises:
            SourceError: there is none; the message names those that are most like it.
        """
        if not page:
            return self.documents
        page = escape_file_name(page)  # as in documents
        is_same = pl.any_horizontal((pl.col(name) == page) for name in _ID_OR_ADDRESS)
        matches = self.documents.filter(is_same.fill_null(value=False))
        if matches.is_empty():
            has_part = pl.any_horizontal(
                pl.col(name).str.contains(page, literal=True).fill_null(value=False)
                for name in _ID_OR_ADDRESS[1:]
            )
            matches = self.documents.filter(has_part)
        if matches.is_empty():
            similar = most_similar(page, self.documents["uri"])
            hint = f"; similar: {', '.join(similar)}" if similar else ""
            raise SourceError(f"{self.name}: has no page {page!r}{hint}")
        return matches


@names_damage("out")
def open_run(out: str) -> ShownPages:
    """Open the output of a run.

    Raises:
        SourceError: its files cannot be read.
    """
    folder = Path(out)
    kept_roles = kept_roles_of(read_run(folder))
    try:
        documents = read_parquet(folder / "documents.parquet", _DOCUMENT_COLUMNS)
        segments = scan_parquet(folder / "segments.parquet")
        segments = segments.select(_SEGMENT_COLUMNS)
        segments.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(out, error) from error
    return ShownPages(out, documents, segments, kept_roles)


def select_segments(
    pages: ShownPages, chosen: SegmentFilter, limit: int = 0
) -> Iterator[pl.DataFrame]:
    """Yield the chosen segments in order, in batches.

    Args:
        pages: the pages.
        chosen: which segments.
        limit: the largest number of segments; 0 for all. Only as much as is needed is read.

    Yields:
        The columns of segments that are shown, `reason` (one of SEGMENT_REASONS, null if kept), and
        `first_line`: the line that the segment repeats, or null.

    Raises:
        SourceError: the page does not occur, or a file cannot be read.
        ConfigError: no segment has the language.
    """
    documents = pages.find(chosen.page)
    try:
        _check_languages(pages, chosen.langs)
        for batch in _matching(pages, documents, chosen, limit):
            yield _add_first_line(batch, pages.segments)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(pages.name, error) from error


def most_similar(name: str, names: pl.Series) -> list[str]:
    """Return the names that share the most strings of three characters with `name`, best first.

    >>> most_similar("news_7.txt", pl.Series(["in/news_1.txt", "in/news_17.txt", "in/b.html"]))
    ['in/news_17.txt', 'in/news_1.txt']
    """
    lowered = name.lower()
    threes = sorted({lowered[i : i + 3] for i in range(max(len(lowered) - 2, 1))})
    shared = (
        pl.col("name").str.to_lowercase().str.extract_many(threes, overlapping=True).list.n_unique()
    )
    ranked = (
        names.rename("name")
        .to_frame()
        .with_columns(shared=shared, size=pl.col("name").str.len_chars())
        .filter(pl.col("shared") >= max(_MIN_SHARED * len(threes), 1))
        .sort("shared", "size", "name", descending=[True, False, False])
    )
    return [safe(name) for name in ranked["name"].head(_MOST_SIMILAR)]


def _matching(
    pages: ShownPages, documents: pl.DataFrame, chosen: SegmentFilter, limit: int
) -> Iterator[pl.DataFrame]:
    segments = pages.segments.with_columns(segment_reason(pages.kept_roles))
    conditions = list(_conditions(chosen))
    if len(documents) < len(pages.documents):
        conditions.append(pl.col("doc_id").is_in(documents["doc_id"].implode()))
    matches = pl.all_horizontal(conditions or [pl.lit(value=True)])
    if limit:
        yield segments.filter(matches).head(limit).collect()
        return
    total = pages.segments.select(pl.len()).collect().item()
    for start in range(0, total, _BATCH_ROWS):
        yield segments.slice(start, _BATCH_ROWS).filter(matches).collect()


def _conditions(chosen: SegmentFilter) -> Iterator[pl.Expr]:
    for column, values in (
        ("role", chosen.roles), ("lang", chosen.langs), ("reason", chosen.reasons),
    ):  # fmt: skip
        if values:
            yield pl.col(column).is_in(list(values))
    if chosen.dropped:
        yield ~pl.col("keep").fill_null(value=False)
    if chosen.text:
        form = comparable(pl.col("text")).str.to_lowercase()
        wanted = pl.select(comparable(pl.lit(chosen.text)).str.to_lowercase()).item()
        yield form.str.contains(wanted, literal=True)


def _add_first_line(batch: pl.DataFrame, segments: pl.LazyFrame) -> pl.DataFrame:
    copies = batch.filter(pl.col("duplicate_of").is_not_null())["doc_id"].unique()
    first_line = (
        segments.filter(pl.col("doc_id").is_in(copies.implode()))
        .select("doc_id", duplicate_of="segment", first_line="line")
        .collect()
    )
    return batch.join(first_line, on=["doc_id", "duplicate_of"], how="left", maintain_order="left")


def _check_languages(pages: ShownPages, langs: Sequence[str]) -> None:
    if langs:
        known = pages.segments.select(pl.col("lang").unique().drop_nulls().sort()).collect()
        _check_known("lang", langs, known["lang"].to_list())


def _check_known(name: str, values: Sequence[str], known: Collection[str]) -> None:
    for value in values:
        if value not in known:
            raise ConfigError(
                f"{name}: {value!r} is unknown; use one of {', '.join(known)}"
                if known
                else f"{name}: {value!r}: there are no segments"
            )


def _unreadable(out: str, error: Exception) -> SourceError:
    return SourceError(f"{os.fspath(out)}: cannot be read: {error}; run the sources again")

"""Select the articles or segments of a run to export, in batches, and count what is left out.

Segments and documents are read side by side, since both are in the order of the pages, so that no
more than a batch of pages is in memory. Only the choice among copies needs a pass of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import Bools, Progress
from ingest.articles import NO_LANGUAGE, PAGE_COLUMNS, collect_articles, describe_pages
from ingest.errors import ConfigError, SourceError
from ingest.frames import (
    ARTICLES,
    CLUSTERED,
    DETECTED,
    DOCUMENTS,
    LABELLED,
    SEGMENTS,
    check,
    schema,
)
from ingest.io.parquet import PAIR_ROWS, scan_parquet
from ingest.io.remake import describe_damage
from ingest.io.run_files import OUTPUTS, point_to_run
from ingest.io.run_json import read_run_if_any
from ingest.io.snapshot import Snapshot
from ingest.io.urls import check_source_is_local
from ingest.roles import BOILERPLATE_ROLES, KEPT_ROLES, ROLES

WHATS = ("articles", "segments")
_BATCH_SEGMENTS, _BATCH_PAGES = 1 << 15, 1 << 12
_ARTICLE_ROWS = 1 << 12  # of a row group: about 10 MB of text
# An article is in a language if this part of its text is: more than a quotation, less than one
# side of a bilingual page.
_MIN_SHARE = 0.25
_GOES_ALONG = (NO_LANGUAGE, "und")  # with the article, if more than half of it is selected
_KEYS = ["doc_id", "article"]
_SEGMENT_COLUMNS = [
    "doc_id", "segment", "line", "article", "text", "lang", "role", "keep", "duplicate_of",
    "visible", "cluster",
]  # fmt: skip
_ARTICLE_COLUMNS = pl.Schema(
    {n: t for n, t in schema(ARTICLES).items() if n not in ("headline", "lines")}
)
_FACTS = pl.Schema(
    {n: _ARTICLE_COLUMNS[n] for n in ("source", "url", "site", "title", "author", "date")}
)
_SEGMENTS = schema(SEGMENTS, DETECTED, LABELLED, CLUSTERED)
_COLUMNS_OF_SEGMENTS = pl.Schema(
    {
        "doc_id": pl.String(),
        **_FACTS,
        **{n: _SEGMENTS[n] for n in ("article", "cluster", "segment", "line", "role", "lang")},
        "text": pl.String(),
    }
)


class TextSelection:
    """The texts to export.

    Args:
        run: the folder of a run.
        what: articles or segments.
        langs: languages to select; all if empty. A line without a known language, such
            as a number, goes with the language of its article. An article is selected if a quarter
            of its text is in these languages, and without its other lines.
        roles: roles to select; if empty, what the run keeps. Repeated and hidden segments are
            never selected.
        dedupe: whether to select one copy of each article: the longest, of those the one with the
            earliest date, of those the first.
        progress: called with the number of segments read, and of all to read.

    Attributes:
        columns: schema of the exported rows.
        row_group: rows of a row group of Parquet.
        read: number of articles that have text, or of segments; known when all batches were read.
        written: number of rows in all batches.
        left_out: other articles or segments, by reason.
        by_lang: written rows by language.

    Raises:
        ConfigError: a setting is invalid, or no segment has one of the languages.
        SourceError: `run` is not the folder of a run.
        FrameError: a column is missing.
    """

    def __init__(
        self,
        run: str | Path,
        *,
        what: str = "articles",
        langs: Sequence[str] = (),
        roles: Sequence[str] = (),
        dedupe: bool = False,
        progress: Progress | None = None,
    ) -> None:
        if what not in WHATS:
            raise ConfigError(f"what: {what!r} is not one of {', '.join(WHATS)}")
        check_source_is_local(run)
        self.path, self.what, self.dedupe = Path(run), what, dedupe
        self.langs, self.roles = list(langs), _check_roles(roles, what)
        self._segments = _Table(self.path, "segments.parquet", _SEGMENT_COLUMNS)
        self._documents = _Table(self.path, "documents.parquet", PAGE_COLUMNS)
        check(self._segments.head, SEGMENTS, DETECTED, LABELLED, CLUSTERED, verb="export")
        check(self._documents.head, DOCUMENTS, verb="export")
        self.columns = _ARTICLE_COLUMNS if what == "articles" else _COLUMNS_OF_SEGMENTS
        self.row_group = _ARTICLE_ROWS if what == "articles" else PAIR_ROWS
        _check_langs(self._segments, self.langs)
        self._kept_roles = _kept_roles(self.run())
        self._progress, self._segments_read = progress, 0
        self._start()

    @property
    def inputs(self) -> list[Path]:
        """The files of the run, which are never replaced."""
        return [self.path / name for name in OUTPUTS]

    def run(self) -> dict[str, Any]:
        """Return run.json of the run, which says what it keeps; empty if it is not there.

        Raises:
            SourceError: it cannot be read.
        """
        return read_run_if_any(self.path)

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the selected rows in the order of the run, with `columns`.

        Raises:
            SourceError: a file is damaged, has changed since it was opened, or the documents are
                not in the order of the segments.
        """
        for rows in self.rows():
            yield rows.select(self.columns.names())

    def rows(self) -> Iterator[pl.DataFrame]:
        """Yield the selected rows like `batches`, articles with `roles`: the role of each line."""
        chosen = self._choose_copies() if self.dedupe else None
        self._start()
        units = 0
        for segments, documents in self._pages():
            selected = self._select(segments)
            self._count(segments, selected)
            if chosen is not None:
                unit = _number_units(selected).to_numpy().astype(np.int64)
                copy = pl.Series(~chosen[units + unit], dtype=pl.Boolean)
                units += 1 + int(unit.max(initial=-1))
                self._leave_out("copies", selected.filter(copy))
                selected = selected.filter(~copy)
            rows = self._collect(segments, selected, documents)
            self.written += len(rows)
            counts = rows.group_by("lang").len().rows()
            self.by_lang.update(dict(counts))
            yield rows

    def _start(self) -> None:
        self.read = self.written = 0
        self.left_out: Counter[str] = Counter()
        self.by_lang: Counter[str] = Counter()

    def _pages(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Yield the segments of whole pages, and what is known about these pages."""
        documents = _Pages(self._documents)
        pending: list[pl.DataFrame] = []
        for batch in self._segments.batches(_BATCH_SEGMENTS):
            self._report(len(batch))
            page = batch["doc_id"].rle_id().to_numpy()
            cut = int(np.searchsorted(page, page[-1]))  # where its last page begins
            if cut or (pending and pending[0]["doc_id"][0] != batch["doc_id"][0]):
                whole = pl.concat([*pending, batch[:cut]])
                yield whole, documents.up_to(whole["doc_id"][-1])
                pending = []
            pending.append(batch[cut:])
        if pending:
            whole = pl.concat(pending)
            yield whole, documents.up_to(whole["doc_id"][-1])

    def _report(self, segments: int) -> None:
        self._segments_read += segments
        if self._progress:
            passes = 2 if self.dedupe else 1  # the first one chooses among copies
            self._progress(self._segments_read, passes * self._segments.rows)

    def _select(self, segments: pl.DataFrame) -> pl.DataFrame:
        """The selected segments, before the choice among copies."""
        rows = segments.filter(self._has_role())
        if not self.langs:
            return rows
        in_langs = pl.col("lang").is_in(self.langs)
        if self.what == "segments":
            return rows.filter(in_langs)
        chars = pl.col("text").str.len_chars()
        has_lang = pl.col("lang") != NO_LANGUAGE
        inside = chars.filter(in_langs).sum().over(_KEYS)
        share = inside / pl.max_horizontal(chars.filter(has_lang).sum().over(_KEYS), 1)
        rows = rows.filter((share >= _MIN_SHARE) & (inside > 0))
        return rows.filter(in_langs | ((share > 0.5) & pl.col("lang").is_in(_GOES_ALONG)))

    def _has_role(self) -> pl.Expr:
        if not self.roles:
            return pl.col("keep")
        other = ~pl.col("role").is_in(self._kept_roles) & pl.col("duplicate_of").is_null()
        is_text = pl.col("keep") | (other & pl.col("visible").fill_null(value=True))
        in_article = pl.col("article") > 0 if self.what == "articles" else pl.lit(value=True)
        return pl.col("role").is_in(self.roles) & is_text & in_article

    def _count(self, segments: pl.DataFrame, selected: pl.DataFrame) -> None:
        """Count what is read, and what is left out for its role or language."""
        with_role = segments.filter(self._has_role())
        if self.what == "segments":
            self.read += len(segments)
            self._add(
                "not kept" if not self.roles else "other roles", len(segments) - len(with_role)
            )
            self._add("other languages", len(with_role) - len(selected))
            return
        articles = with_role.select(_KEYS).n_unique()
        self.read += articles
        self._add("other languages", articles - selected.select(_KEYS).n_unique())

    def _leave_out(self, reason: str, rows: pl.DataFrame) -> None:
        is_article = self.what == "articles"
        self._add(reason, rows.select(_KEYS).n_unique() if is_article else len(rows))

    def _add(self, reason: str, number: int) -> None:
        if number:
            self.left_out[reason] += number

    def _collect(
        self, segments: pl.DataFrame, selected: pl.DataFrame, documents: pl.DataFrame
    ) -> pl.DataFrame:
        """The rows to export."""
        mark = selected.select("doc_id", "segment", selected=True)
        marked = segments.join(mark, on=["doc_id", "segment"], how="left", maintain_order="left")
        marked = marked.with_columns(pl.col("selected").fill_null(value=False))
        articles = collect_articles(marked, documents, selected="selected")
        if self.what == "articles":
            return articles
        facts = articles.select(*_KEYS, *_FACTS)
        rows = selected.join(facts, on=_KEYS, how="left", maintain_order="left")
        pages = describe_pages(documents)  # boilerplate has no headline, author or date of its own
        joined = rows.join(pages, on="doc_id", how="left", suffix="_page", maintain_order="left")
        return joined.with_columns(
            pl.when(pl.col("article") > 0).then(name).otherwise(f"{name}_page").alias(name)
            for name in _FACTS
        )

    def _choose_copies(self) -> Bools:
        """Which units, the articles and the rests of pages, are the chosen copy of their cluster.

        The units are numbered as they come. Each takes about 40 bytes.
        """
        units: list[pl.DataFrame] = []
        for segments, documents in self._pages():
            selected = self._select(segments)
            rows = self._collect(segments, selected, documents)
            size = (
                pl.col("text").str.len_chars().sum().cast(pl.Int64).alias("chars"),
                pl.col("date").first().str.head(10).str.to_date(strict=False),
                # equal hashes of different clusters are too rare to matter: one in 10^6 runs of
                # ten million articles
                pl.col("cluster").first().hash().alias("cluster"),
                pl.col("cluster").first().is_null().alias("alone"),
            )
            units.append(rows.group_by(_KEYS, maintain_order=True).agg(size).drop(_KEYS))
        if not units:
            return np.zeros(0, bool)
        every = pl.concat(units).with_row_index("unit")
        best = (
            every.filter(~pl.col("alone"))
            .sort(
                "cluster", "chars", "date", "unit",
                descending=[False, True, False, False], nulls_last=True,
            )
            .unique("cluster", keep="first", maintain_order=True)["unit"]
        )  # fmt: skip
        chosen = every["alone"].to_numpy().copy()
        chosen[best.to_numpy()] = True
        return chosen


class _Table:
    """A Parquet file of a run, some columns of which are read in batches."""

    def __init__(self, run: Path, name: str, columns: list[str]) -> None:
        self.path = run / name
        if not self.path.is_file():
            what = f"contains no {name}" if run.is_dir() else "is not a folder"
            hint = point_to_run(run, ["run"]) or "give the folder that ingest run wrote"
            raise SourceError(f"{run}: {what}; {hint}")
        self._snapshot = Snapshot(self.path)
        self._frame = scan_parquet(self.path)
        self._columns = columns
        self.head = pl.DataFrame(schema=self._snapshot.read(self._frame.collect_schema))
        rows = self._frame.select(pl.len())
        self.rows = int(self._snapshot.read(rows.collect).item())

    def values(self, column: str) -> list[Any]:
        """Return what occurs in a column, sorted."""
        values = self._frame.select(pl.col(column).unique().drop_nulls().sort())
        return self._snapshot.read(values.collect)[column].to_list()

    def batches(self, rows: int) -> Iterator[pl.DataFrame]:
        for start in range(0, self.rows, rows):
            part = self._frame.select(self._columns).slice(start, rows)
            yield self._snapshot.read(part.collect)


class _Pages:
    """What is known about pages, read in step with their segments."""

    def __init__(self, table: _Table) -> None:
        self._path = table.path
        self._batches = table.batches(_BATCH_PAGES)
        self._pending = pl.DataFrame(schema=dict.fromkeys(PAGE_COLUMNS, pl.String))

    def up_to(self, doc_id: str) -> pl.DataFrame:
        """The pages after those of the last call, up to one."""
        while not (found := self._pending["doc_id"].eq_missing(doc_id)).any():
            batch = next(self._batches, None)
            if batch is None:
                what = f"lacks page {doc_id} of segments.parquet, or has another order"
                raise SourceError(describe_damage(self._path, what))
            self._pending = pl.concat([self._pending, batch])
        end = int(found.arg_max() or 0) + 1
        pages, self._pending = self._pending[:end], self._pending[end:]
        return pages


def _number_units(segments: pl.DataFrame) -> pl.Series:
    """Number the articles of a batch by first appearance: UInt32, one value per segment.

    Damaged segments may have none: those of a page then get a number, too.
    """
    units = segments.select(_KEYS).unique(maintain_order=True).with_row_index("unit")
    numbered = segments.select(_KEYS).join(
        units, on=_KEYS, how="left", nulls_equal=True, maintain_order="left"
    )
    return numbered["unit"]


def _kept_roles(run: dict[str, Any]) -> list[str]:
    try:
        return list(run["config"]["label"]["keep"])
    except (KeyError, TypeError):
        return list(KEPT_ROLES)


def _check_langs(segments: _Table, langs: Sequence[str]) -> None:
    known = segments.values("lang") if langs else []
    for lang in langs:
        if known and lang not in known:
            raise ConfigError(f"langs: {lang!r} is unknown; use one of {', '.join(known)}")


def _check_roles(roles: Sequence[str], what: str) -> list[str]:
    for role in roles:
        if role not in ROLES:
            raise ConfigError(f"roles: {role!r} is not a role; use {', '.join(ROLES)}")
        if what == "articles" and role in BOILERPLATE_ROLES:
            raise ConfigError(f"roles: {role} belongs to no article; to export it: --what segments")
    return list(roles)

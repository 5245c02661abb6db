"""Label the texts of a table in one call, and keep its columns beside the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

import polars as pl

from ingest._typing import ArrowTable
from ingest.annotation.batches import annotate_batches, annotate_lazily
from ingest.annotation.chosen import choose
from ingest.annotation.levels import LEVELS
from ingest.annotation.tables import to_polars
from ingest.config import Config
from ingest.errors import ConfigError


@overload
def annotate(
    frame: pl.LazyFrame,
    *,
    text: str | None = ...,
    html: str | None = ...,
    url: str | None = ...,
    keep: Sequence[str] | None = ...,
    level: str = ...,
    body_text: bool = ...,
    config: Config | None = ...,
) -> pl.LazyFrame: ...
@overload
def annotate(
    frame: ArrowTable,
    *,
    text: str | None = ...,
    html: str | None = ...,
    url: str | None = ...,
    keep: Sequence[str] | None = ...,
    level: str = ...,
    body_text: bool = ...,
    config: Config | None = ...,
) -> pl.DataFrame: ...
def annotate(
    frame: pl.LazyFrame | ArrowTable,
    *,
    text: str | None = None,
    html: str | None = None,
    url: str | None = None,
    keep: Sequence[str] | None = None,
    level: str = "segment",
    body_text: bool = False,
    config: Config | None = None,
) -> pl.DataFrame | pl.LazyFrame:
    r"""Label the text of each row: its segments with language, role and whether to keep them.

    Each row is a page by itself and is labelled as `ingest run` labels it. Pages are not compared
    with each other: there is no `cluster`, and lines of a site's template are not found.

    A row that cannot be read has an `error`, and no row raises one. A row without segments is one
    row of the result, whose `segment` is null and whose `keep` is false.

    Args:
        frame: a Polars frame, eager or lazy, or a table of pandas or Arrow.
        text: the column with the text, which may be a path such as "article.body"; the columns of
            text and HTML are guessed by their names if neither is given. Its values are strings,
            bytes, or lists of them.
        html: the column with the HTML. If both are given, rows without HTML are read as text.
        url: a column that is returned as `url`.
        keep: the columns to return beside the result; all but text, HTML and URL if None.
        level: "segment" returns one row per segment, "row" one per row of `frame`.
        body_text: the rows are body text already, such as one paragraph each, so nothing is a
            headline or boilerplate. The same as `LabelConfig(body_text=True)`.
        config: all other settings.

    Returns:
        A Polars frame in the order of the rows: `row`, the kept columns, `url`, the columns of the
        level, `error`. Of a lazy frame, a lazy frame: it is read and labelled in batches when it is
        collected, and only a few of them are in memory if the result goes to `sink_parquet`. The
        columns of segments are those of `ingest.label` without `doc_id`; those of rows are `lang`,
        `langs` and `kept_text`.

    Raises:
        FrameError: `frame` is not a table, a column is missing or has no texts, or a kept column
            has the name of a column of the result. An error of a lazy frame is that of Polars.
        ConfigError: an argument has the wrong type or value.
        ModelError: a shipped model is missing or damaged.

    >>> pages = pl.DataFrame({
    ...     "site": ["harbour.example", "port.example"],
    ...     "body": ["The boat sails at seven.\nيبحر القارب في السابعة.", None]})
    >>> segments = annotate(pages, text="body", keep=["site"])
    >>> segments.select("row", "site", "lang").rows()
    [(0, 'harbour.example', 'en'), (0, 'harbour.example', 'ar'), (1, 'port.example', None)]
    >>> segments["error"].to_list()
    [None, None, "has no text: column 'body' is empty"]
    >>> rows = annotate(pages, text="body", level="row", body_text=True)
    >>> rows.select("row", "lang", "kept_text").row(0)
    (0, 'en', 'The boat sails at seven.\nيبحر القارب في السابعة.')
    """
    if config is not None and not isinstance(config, Config):
        raise ConfigError(f"annotate: config: must be a Config, is {type(config).__name__}")
    if not isinstance(level, str) or level not in LEVELS:
        raise ConfigError(f"annotate: level: {level!r} is unknown; use {' or '.join(LEVELS)}")
    settings = config or Config()
    if body_text:
        settings = replace(settings, label=replace(settings.label, body_text=True))
    table = to_polars(frame)
    chosen = choose(
        table.collect_schema(),
        text=text,
        html=html,
        url=url,
        keep=keep,
        level=LEVELS[level],
        config=settings.read,
    )
    if isinstance(table, pl.LazyFrame):
        return annotate_lazily(table, chosen, settings)
    batches = annotate_batches([table.select(chosen.needed)], chosen, settings)
    return pl.concat([pl.DataFrame(schema=chosen.schema), *batches])

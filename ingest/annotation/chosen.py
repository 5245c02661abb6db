"""Choose the columns of a table to read, and those to return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest.annotation.levels import Level
from ingest.config import ReadConfig
from ingest.errors import ConfigError, FrameError, SourceError
from ingest.frames import ANNOTATED, schema
from ingest.readers.columns import choose_from_schema, select_path

_URL = "url"
_ROW, _ERROR = schema(ANNOTATED).names()
_TEXT_TYPES = (pl.String, pl.Binary, pl.Categorical, pl.Enum, pl.Null, pl.Object)
_MAX_LISTED = 20  # column names in an error message


class Chosen(NamedTuple):
    """What to read from a table, and what to return.

    Attributes:
        read: the settings of the reader, with the names of the columns.
        needed: the columns of the table that are read or returned.
        kept: the columns to return, computed from `needed`.
        level: what to make of the segments.
        schema: the columns of the result.
    """

    read: ReadConfig
    needed: list[str]
    kept: list[pl.Expr]
    level: Level
    schema: pl.Schema


def choose(
    table: pl.Schema,
    *,
    text: str | None,
    html: str | None,
    url: str | None,
    keep: Sequence[str] | None,
    level: Level,
    config: ReadConfig,
) -> Chosen:
    """Choose columns; the arguments are those of `ingest.annotate`.

    Raises:
        ConfigError: an argument has the wrong type.
        FrameError: a column is missing or has no texts, or two columns would share a name.
    """
    for argument, name in (("text", text), ("html", html), ("url", url)):
        if name is not None and not isinstance(name, str):
            kind = type(name).__name__
            raise ConfigError(f"annotate: {argument}: must be the name of a column, is {kind}")
    if not (text or html):
        text, html = config.text_column or None, config.html_column or None
    if not (text or html):
        text, html = _guess(table)
    url = url or config.url_column or None
    read = {"text": text, "html": html}
    for argument, path in read.items():
        if path:
            _check_texts(argument, path, _dtype(table, argument, path))
    if url:
        _dtype(table, "url", url)
    roots = [_root(table, path) for path in (text, html) if path]
    names = _kept_names(table, keep, leave_out={*roots, url})
    kept = {name: pl.col(name) for name in names if not name == url == _URL}
    _check_names([*kept, *([_URL] if url else [])], level)
    if url:
        kept[_URL] = select_path(table, url).alias(_URL)
        roots.append(_root(table, url))
    types = pl.DataFrame(schema=table).select(**kept).schema
    added = level.schema
    return Chosen(
        ReadConfig(text or "", html or "", max_record_bytes=config.max_record_bytes),
        list(dict.fromkeys([*roots, *names])),
        [column.alias(name) for name, column in kept.items()],
        level,
        pl.Schema({_ROW: added[_ROW], **types, **{n: added[n] for n in added if n != _ROW}}),
    )


def _guess(table: pl.Schema) -> tuple[str | None, str | None]:
    try:
        columns = choose_from_schema(table, ReadConfig())
    except SourceError as error:
        raise FrameError(
            "annotate: frame: no column is known to contain text; "
            f"its columns are {_listed(table)}; name one in text= or html="
        ) from error
    return columns.text, columns.html


def _dtype(table: pl.Schema, argument: str, path: str) -> pl.DataType:
    try:
        return pl.DataFrame(schema=table).select(select_path(table, path)).schema[path]
    except pl.exceptions.PolarsError as error:
        raise FrameError(
            f"annotate: {argument}: there is no column {path!r}; the columns are {_listed(table)}"
        ) from error


def _check_texts(argument: str, path: str, dtype: pl.DataType) -> None:
    inner = dtype
    while isinstance(inner, (pl.List, pl.Array)):
        inner = inner.inner  # type: ignore[assignment]
    in_list = inner is not dtype and isinstance(inner, pl.Struct)
    if inner.base_type() not in _TEXT_TYPES and not in_list:
        raise FrameError(f"annotate: {argument}: column {path!r} must contain strings, is {dtype}")


def _root(table: pl.Schema, path: str) -> str:
    """The column of a path."""
    return path if path in table else path.partition(".")[0]


def _kept_names(
    table: pl.Schema, keep: Sequence[str] | None, leave_out: set[str | None]
) -> list[str]:
    if keep is None:
        return [name for name in table if name not in leave_out]
    if isinstance(keep, str) or not isinstance(keep, Sequence):
        raise ConfigError(
            f"annotate: keep: must be a list of column names, is {type(keep).__name__}"
        )
    for name in keep:
        if name not in table:
            raise FrameError(
                f"annotate: keep: there is no column {name!r}; the columns are {_listed(table)}"
            )
    return list(dict.fromkeys(keep))


def _check_names(names: list[str], level: Level) -> None:
    """Raise if a kept column has the name of another column of the result."""
    taken = [n for at, n in enumerate(names) if n in level.schema or n in names[:at]]
    if taken:
        raise FrameError(
            f"annotate: keep: the result has columns of its own that are named {_listed(taken)}; "
            "rename those of the frame, or name the columns to return in keep="
        )


def _listed(names: Sequence[str] | pl.Schema) -> str:
    shown = [repr(name[:40]) for name in list(names)[:_MAX_LISTED]]
    return ", ".join(shown + ["…"] * (len(names) > _MAX_LISTED)) or "none"

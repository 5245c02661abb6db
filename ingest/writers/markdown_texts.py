"""Write Markdown, to be read: one file, with the articles one after the other.

Each begins with its title as a heading and a line that says where it comes from. Below it,
headlines and subheadings are headings of the second level, captions are in italics and listings
are indented. A rule stands between articles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ingest.writers.plain_text import LINE_BREAKERS
from ingest.writers.texts import TextSelection

FOLDER = False
# Characters that Markdown would take for markup, anywhere and at the beginning of a line.
_SPECIAL = r"[\\`*_\[\]<&]"
_AT_START = r"^(#|>|~|=|\||[+-])"
_NUMBERED = r"^(\d+)([.)])"
_FACTS = ("site", "author", "date", "lang")


def write(selection: TextSelection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    first = True
    with dest.open("wb") as file:
        for batch in selection.rows():
            if len(batch):
                texts = ("" if first else "\n---\n\n") + "\n---\n\n".join(render(batch))
                file.write(texts.encode())
                first = False
    return {}


def render(articles: pl.DataFrame) -> pl.Series:
    """Return each article as Markdown.

    Args:
        articles: the columns ARTICLES and `roles`, as `collect_articles` returns them.
    """
    lines = (
        articles.with_row_index("row")
        .select("row", "headline", role="roles", line=pl.col("text").str.split("\n"))
        .explode("role", "line")
    )
    role, line = pl.col("role"), _escape(pl.col("line"))
    is_title = (role == "headline") & (role == "headline").cum_sum().over("row").eq(1)
    block = (
        pl.when(role.is_in(["headline", "subheading"]))
        .then(pl.format("## {}", line))
        .when(role == "caption")
        .then(pl.format("*{}*", line))
        .when(role == "code")
        .then(pl.format("    {}", pl.col("line").str.replace_all(LINE_BREAKERS, " ")))
        .otherwise(line)
    )
    bodies = (
        lines.filter(~is_title)
        .group_by("row", maintain_order=True)
        .agg(body=block.str.join("\n\n"))
    )
    facts = [pl.col(name) for name in _FACTS]
    # A path in angle brackets would be taken for an HTML tag, which nobody sees.
    link = pl.format("<{}>", pl.col("url").str.replace_all(r"[<>\s]", ""))
    origin = pl.coalesce(link, _escape(pl.col("source")))
    head = pl.format(
        "# {}\n\n{}\n",
        _escape(pl.coalesce("title", "url", "source")),
        pl.concat_str(*map(_escape, facts), origin, separator=" · ", ignore_nulls=True),
    )
    return (
        articles.with_row_index("row")
        .select("row", head=head)
        .join(bodies, on="row", how="left", maintain_order="left")
        .select(pl.concat_str("head", pl.format("\n{}\n", "body"), ignore_nulls=True))
        .to_series()
    )


def _escape(text: pl.Expr) -> pl.Expr:
    r"""Escape what Markdown would take for markup.

    >>> pl.select(_escape(pl.Series(["# a_b", "1. *c*"]))).to_series().to_list()
    ['\\# a\\_b', '1\\. \\*c\\*']
    """
    return (
        text.str.replace_all(LINE_BREAKERS, " ")
        .str.replace_all(_SPECIAL, r"\${0}")
        .str.replace(_AT_START, r"\${1}")
        .str.replace(_NUMBERED, r"${1}\${2}")
    )

"""Personal data of pairs: what kinds each pair has, and texts in which it is masked."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.frames import FILTERED, MASKED, PAIRS, check, schema
from ingest.pii.find import KINDS, Found, find_pii

# What no finding can be without: an @, seven digits near each other, or the signs of an address.
# Texts without these, almost all of them, are never looked at one by one.
_MAY = (
    r"[@＠]|\d(?:[^\d\p{L}]{0,4}\d){6}|\d[.．]\d{1,3}[.．]\d{1,3}[.．]\d"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]"
    r"|[A-Z]{2}\d\d[ -]?[A-Z0-9]{4}"
)
_SIDES = ("source", "target")


def pii(pairs: pl.DataFrame) -> pl.Series:
    """The kinds of personal data of each pair, one for each value: a list of strings.

    >>> texts = {"source_text": ["a@b.org", "سلام"], "target_text": ["A@b.org c@d.com", "Peace"]}
    >>> pii(pl.DataFrame(texts)).to_list()
    [['email', 'email'], []]
    """
    kinds = {row: [kind for kind, _ in _values(found)] for row, found, _texts in _findings(pairs)}
    return _column(len(pairs), kinds, schema(FILTERED)["pii"], []).alias("pii")


def mask_pii(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add source_masked and target_masked: the texts with placeholders for personal data.

    A value has the same placeholder on both sides, however it is written: <EMAIL_1>, <PHONE_1>,
    <PHONE_2>. Where a side has nothing to mask it is null. source_text and target_text stay as
    they are; `ingest.export` writes the masked texts in their place.

    Args:
        pairs: a frame of pairs.

    Raises:
        FrameError: a column is missing.

    >>> pairs = pl.DataFrame(schema=schema(PAIRS)).clear(1).with_columns(
    ...     source_text=pl.lit("راسل a@b.org"), target_text=pl.lit("Write to A@b.org"))
    >>> mask_pii(pairs).select("source_masked", "target_masked").row(0)
    ('راسل <EMAIL_1>', 'Write to <EMAIL_1>')
    """
    check(pairs, PAIRS, verb="mask_pii")
    masked: dict[str, dict[int, str]] = {side: {} for side in _SIDES}
    for row, found, texts in _findings(pairs):
        names = _placeholders(found)
        for side, text, of_side in zip(_SIDES, texts, found, strict=True):
            if of_side:
                masked[side][row] = _replaced(text, of_side, names)
    types = schema(MASKED)
    return pairs.with_columns(
        _column(len(pairs), masked[side], types[f"{side}_masked"], None).alias(f"{side}_masked")
        for side in _SIDES
    )


def _findings(pairs: pl.DataFrame) -> list[tuple[int, list[list[Found]], list[str]]]:
    """Rows that have any, with what is found on each side, and the texts."""
    names = [f"{side}_text" for side in _SIDES]
    may = pl.any_horizontal(pl.col(name).str.contains(_MAY) for name in names)
    some = pairs.select(names).with_row_index("row").filter(may)
    found = (
        (row, [find_pii(text) if text else [] for text in texts], list(texts))
        for row, *texts in some.iter_rows()
    )
    return [(row, sides, texts) for row, sides, texts in found if any(sides)]


def _values(sides: list[list[Found]]) -> list[tuple[str, str]]:
    """The different values, in order, source first."""
    return list(dict.fromkeys((one.kind, one.value) for side in sides for one in side))


def _placeholders(sides: list[list[Found]]) -> dict[tuple[str, str], str]:
    count = dict.fromkeys(KINDS, 0)
    names = {}
    for kind, value in _values(sides):
        count[kind] += 1
        names[kind, value] = f"<{kind.upper()}_{count[kind]}>"
    return names


def _replaced(text: str, found: list[Found], names: dict[tuple[str, str], str]) -> str:
    parts, at = [], 0
    for one in found:
        parts += [text[at : one.start], names[one.kind, one.value]]
        at = one.end
    return "".join([*parts, text[at:]])


def _column(rows: int, given: dict[int, Any], dtype: pl.DataType, other: Any) -> pl.Series:
    """What is given by row, and `other` elsewhere."""
    some = pl.DataFrame(
        {"row": list(given), "value": list(given.values())}, {"row": pl.UInt32, "value": dtype}
    )
    every = pl.select(row=pl.int_range(rows, dtype=pl.UInt32))
    both = every.join(some, on="row", how="left", maintain_order="left")["value"]
    return both if other is None else both.fill_null(pl.Series([other], dtype=dtype))

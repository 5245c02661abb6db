"""Find personal data in pairs, and mask it."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl

from ingest.errors import FrameError
from ingest.frames import FILTERED, MASKED, PAIRS, check, schema
from ingest.io.pairs_file import MAX_TEXT_BYTES
from ingest.pii.find import KINDS, Match, find_pii

# Every match contains one of these: an @, seven digits close together, or the punctuation of an
# IP address. Almost no text does, and the others are never searched one by one.
_PREFILTER = (
    r"[@＠]|\d(?:[^\d\p{L}]{0,4}\d){6}|\d[.．]\d{1,3}[.．]\d{1,3}[.．]\d"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]"
    r"|[A-Z]{2}\d\d[ -]?[A-Z0-9]{4}"
)
_SIDES = ("source", "target")


class _PairMatches(NamedTuple):
    """The matches of one pair: its row, and texts and matches of source and target."""

    row: int
    texts: tuple[str, ...]
    matches: list[list[Match]]


def pii(pairs: pl.DataFrame) -> pl.Series:
    """Return the kinds of personal data in each pair, one per distinct value: a list of strings.

    >>> texts = {"source_text": ["a@b.org", "سلام"], "target_text": ["A@b.org c@d.com", "Peace"]}
    >>> pii(pl.DataFrame(texts)).to_list()
    [['email', 'email'], []]
    """
    kinds = {pair.row: [kind for kind, _ in _values(pair.matches)] for pair in _find_all(pairs)}
    return _column(len(pairs), kinds, schema(FILTERED)["pii"], default=[]).alias("pii")


def mask_pii(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add source_masked and target_masked: the texts with placeholders for personal data.

    A value has the same placeholder on both sides, whatever its format: <EMAIL_1>, <PHONE_1>,
    <PHONE_2>. The columns are null where there is nothing to mask. source_text and target_text do
    not change; `ingest.export` writes the masked texts in their place.

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
    for pair in _find_all(pairs):
        placeholders = _placeholders(pair.matches)
        for side, text, matches in zip(_SIDES, pair.texts, pair.matches, strict=True):
            if matches:
                masked[side][pair.row] = _replace(text, matches, placeholders)
    types = schema(MASKED)
    return pairs.with_columns(
        _column(len(pairs), masked[side], types[f"{side}_masked"], default=None).alias(
            f"{side}_masked"
        )
        for side in _SIDES
    )


def _find_all(pairs: pl.DataFrame) -> list[_PairMatches]:
    """Return the pairs that contain personal data, with their matches."""
    names = [f"{side}_text" for side in _SIDES]
    _check_sizes(pairs, names)
    may_match = pl.any_horizontal(pl.col(name).str.contains(_PREFILTER) for name in names)
    candidates = pairs.select(names).with_row_index("row").filter(may_match)
    all_pairs = (
        _PairMatches(row, tuple(texts), [find_pii(text) if text else [] for text in texts])
        for row, *texts in candidates.iter_rows()
    )
    return [pair for pair in all_pairs if any(pair.matches)]


def _check_sizes(pairs: pl.DataFrame, names: list[str]) -> None:
    """Raise if a text is so large that to search it would take minutes and gigabytes."""
    for name in names:
        large = (pairs[name].str.len_bytes() > MAX_TEXT_BYTES).arg_true()
        if len(large):
            raise FrameError(
                f"pii: {name} of row {large[0]} has more than {MAX_TEXT_BYTES:,} bytes; cut it "
                "into sentences"
            )


def _values(sides: list[list[Match]]) -> list[tuple[str, str]]:
    """Return kind and value of each distinct match, in order, source first."""
    return list(dict.fromkeys((match.kind, match.value) for side in sides for match in side))


def _placeholders(sides: list[list[Match]]) -> dict[tuple[str, str], str]:
    count = dict.fromkeys(KINDS, 0)
    placeholders = {}
    for kind, value in _values(sides):
        count[kind] += 1
        placeholders[kind, value] = f"<{kind.upper()}_{count[kind]}>"
    return placeholders


def _replace(text: str, matches: list[Match], placeholders: dict[tuple[str, str], str]) -> str:
    parts, end = [], 0
    for match in matches:
        parts += [text[end : match.start], placeholders[match.kind, match.value]]
        end = match.end
    return "".join([*parts, text[end:]])


def _column(length: int, values: dict[int, Any], dtype: pl.DataType, *, default: Any) -> pl.Series:
    """Make a column from values by row; other rows have the default."""
    present = pl.DataFrame(
        {"row": list(values), "value": list(values.values())}, {"row": pl.UInt32, "value": dtype}
    )
    rows = pl.select(row=pl.int_range(length, dtype=pl.UInt32))
    column = rows.join(present, on="row", how="left", maintain_order="left")["value"]
    return column if default is None else column.fill_null(pl.Series([default], dtype=dtype))

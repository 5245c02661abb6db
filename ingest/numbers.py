"""Numbers in texts, in a form that compares across languages and ways of writing."""

from __future__ import annotations

import unicodedata
from functools import cache

import polars as pl

from ingest.text import FORMAT_CONTROLS

# Numbers, times, dates, versions and addresses, from texts whose digits and marks are ASCII.
_NUMBER = r"\d+(?:[.,:/'-]\d+)*"
_PLAIN = r"^\d+(?:[.,:]\d+)?$|^\d{1,3}(?:[,.']\d{3})+(?:[.,]\d+)?$"
_RANGE = r"^\d+[/-]\d+$"
_DATE = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$|^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}$|^\d{1,2}/\d{1,2}/\d{2}$"
# Magnitudes, and how many zeros each stands for: 45 thousand and 45,000 are the same number.
_MAGNITUDES = {
    r"ألف|الف|آلاف|ألفا|thousand": 3,
    r"مليون|ملايين|مليونا|million": 6,
    r"مليار|مليارات|بليون|billion": 9,
}
_HAS_MAGNITUDE = rf"(?i)\d\s+(?:{'|'.join(_MAGNITUDES)})"
# A whole number, and what precedes it: it must not be the end of a longer number.
_WHOLE = r"(^|[^\w.,٫٬])(\d{1,3}(?:[,٬]\d{3})+|\d{1,6})"
_LAST_DIGIT = (
    0x20000  # no digit has a higher code point; the planes above are CJK, tags and private
)
_OTHER_MARKS = {"٫": ".", "٬": ",", "’": "'", "‐": "-", "‑": "-", "–": "-", "−": "-", "／": "/"}


def number_keys(texts: pl.Series) -> pl.Series:
    """Return the numbers of each text, such that equal numbers are equal strings.

    Digits of all decimal systems are the same, and so are 1,500 and 1500, 7:30 and 7.30, and the
    orders of a date. A range gives two numbers. A time of three parts, a version, an IP address or
    a telephone number is one number.

    Args:
        texts: String, without nulls.

    Returns:
        List(String), in order.

    >>> number_keys(pl.Series(["00:00:12,840", "1.1.1.1", "١٢/٠٣/٢٠٢٤ 2024-03-12"])).to_list()
    [['0.0.12.840'], ['1.1.1.1'], ['3.12.2024', '3.12.2024']]
    >>> number_keys(pl.Series(["1,500 and ١٬٥٠٠", "1990-1995", "B12"])).to_list()
    [['1500', '1500'], ['1990', '1995'], ['12']]
    """
    texts = texts.alias("text")
    is_digit = pl.col("text").str.contains(r"\d")
    rows = texts.to_frame().with_row_index().filter(is_digit)
    if rows.is_empty():
        return pl.repeat([], len(texts), dtype=pl.List(pl.String), eager=True).alias("keys")
    found = rows.select("index", keys=_keys(rows["text"]))
    every = texts.to_frame().with_row_index().select("index")
    joined = every.join(found, on="index", how="left", maintain_order="left")
    return joined["keys"].fill_null([])


def expand_magnitudes(texts: pl.Series) -> pl.Series:
    """Write numbers with a magnitude in digits: 1.5 million as 1500000."""
    has_magnitude = texts.str.contains(_HAS_MAGNITUDE).fill_null(False)
    matching = texts.filter(has_magnitude)  # few texts match, and each pattern is a pass over them
    if matching.is_empty():  # to compile the patterns takes longer than to score a pair
        return texts
    for magnitude, zeros in _MAGNITUDES.items():
        for decimals in (3, 2, 1, 0):
            marks = ".٫" if decimals == 3 else ".,٫"  # 1,234 is a whole number
            point = rf"[{marks}](\d{{{decimals}}})" if decimals else ""
            digits = "${1}${2}${3}" if decimals else "${1}${2}"
            matching = matching.str.replace_all(
                rf"(?i){_WHOLE}{point}\s+(?:{magnitude})\p{{M}}*\b",
                digits + "0" * (zeros - decimals),
            )
    return texts.clone().scatter(has_magnitude.arg_true(), matching)


def ascii_digits(text: str) -> str:
    """Write digits of all decimal systems in ASCII, one character for one.

    >>> ascii_digits("٢٠٢٤ / ۱۲")
    '2024 / 12'
    """
    return text if text.isascii() else text.translate(_digits())


def _keys(texts: pl.Series) -> pl.Series:
    table = {chr(code): digit for code, digit in _digits().items()} | _OTHER_MARKS
    plain = texts.str.replace_many(list(table), list(table.values()))
    plain = plain.str.replace_all(FORMAT_CONTROLS, "")
    rows = pl.DataFrame({"number": plain.str.extract_all(_NUMBER)}).with_row_index("text")
    number = pl.col("number")
    parts = number.str.extract_all(r"\d+").list.eval(_without_zeros(pl.element()))
    by_value = pl.element().sort_by(pl.element().str.to_integer(strict=False))
    key = (
        pl.when(number.str.contains(_PLAIN))
        .then(pl.concat_list(_without_zeros(number.str.replace_all(r"\D", ""))))
        .when(number.str.contains(_RANGE))
        .then(parts)
        .when(number.str.contains(_DATE))
        .then(pl.concat_list(parts.list.eval(by_value).list.join(".")))
        .otherwise(pl.concat_list(parts.list.join(".")))
    )
    keys = rows.explode("number").drop_nulls().with_columns(key=key).explode("key")
    keys = keys.group_by("text", maintain_order=True).agg("key")
    joined = rows.select("text").join(keys, on="text", how="left", maintain_order="left")
    return joined["key"].fill_null([])


def _without_zeros(digits: pl.Expr) -> pl.Expr:
    """Drop leading zeros, but not the last one."""
    return digits.str.replace(r"^0+(\d)", "${1}")


@cache
def _digits() -> dict[int, str]:
    """Map the digits of all decimal systems but ASCII to ASCII."""
    values = ((code, unicodedata.decimal(chr(code), None)) for code in range(128, _LAST_DIGIT))
    return {code: str(value) for code, value in values if value is not None}

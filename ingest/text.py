"""Normal forms for comparing text; the text itself is always kept as it came."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

# Invisible format characters: zero-width space and joiners, bidi marks, embeddings, overrides and
# isolates (UAX #9), Arabic letter mark, word joiner and its kin, BOM, soft hyphen.
FORMAT_CONTROLS = r"[\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]"
# Tatweel, harakat, superscript alef, Quranic annotation signs: they never tell two words apart
# for a reader of plain modern Arabic.
ARABIC_MARKS = r"[\u0640\u0610-\u061A\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E8\u06EA-\u06ED]"


_UNSAFE = re.compile(f"{FORMAT_CONTROLS}|[\\x7f-\\x9f\\u2028\\u2029]")


def comparable(text: pl.Expr) -> pl.Expr:
    """The form in which two segments are the same text: String to String.

    NFKC (which also undoes Arabic presentation forms), no format controls, no tatweel or Arabic
    marks, white space runs as one space and none at the ends. Case is kept.

    >>> pl.select(comparable(pl.lit("مُحَـــمَّد  ﷴ"))).item()
    'محمد محمد'
    """
    return (
        text.str.normalize("NFKC")
        .str.replace_all(f"{FORMAT_CONTROLS}|{ARABIC_MARKS}", "")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def comparable_key(texts: pl.Series) -> pl.Series:
    """A 64-bit hash of each text's comparable form: UInt64, the same for equal forms.

    A text whose form is empty (invisible characters only) is hashed as it is. Hashes hold within
    one version of Polars; they are for joining, not for keeping.

    >>> comparable_key(pl.Series(["a  b", "a b", "c"])).n_unique()
    2
    """
    form = comparable(pl.col("text"))
    frame = texts.to_frame("text")
    return frame.select(pl.when(form == "").then("text").otherwise(form).hash()).to_series()


def scrub(text: str) -> str:
    r"""`text` without lone surrogates, each replaced by U+FFFD: what a Polars string can hold.

    >>> scrub("a\ud800b") == "a\ufffdb"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def escape_file_name(name: str) -> str:
    r"""A file name as text: bytes that are no UTF-8 become backslash escapes.

    >>> escape_file_name("caf\udce9.txt")
    'caf\\udce9.txt'
    """
    return name.encode("utf-8", "backslashreplace").decode()


def count_noun(number: int, what: str) -> str:
    """A number and its noun.

    >>> count_noun(1, "page"), count_noun(2000, "page")
    ('1 page', '2,000 pages')
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def printable(text: pl.Expr) -> pl.Expr:
    r"""`text` safe to print on a terminal: controls become pictures, bidi controls vanish.

    C0 controls and DEL become U+2400 pictures, C1 controls and invisible format controls go.

    >>> pl.select(printable(pl.lit("a\x1b[31mb\u202ec"))).item()
    'a␛[31mbc'
    """
    c0 = [chr(c) for c in (*range(32), 127)]
    pictures = [chr(0x2400 + c) for c in range(32)] + ["\u2421"]
    return text.str.replace_all(f"{FORMAT_CONTROLS}|[\\u0080-\\u009F]", "").str.replace_many(
        c0, pictures
    )


def safe(text: str) -> str:
    r"""One string as `printable` makes it.

    >>> safe("a\x1b[31mb\u202ec")
    'a␛[31mbc'
    """
    return str(pl.select(printable(pl.lit(scrub(text)))).item())


def json_line(record: dict[str, Any]) -> str:
    r"""A JSON object for a terminal or a pipe: what is not safe to print is escaped.

    >>> json_line({"text": "a\u202eb\x9b"})
    '{"text": "a\\u202eb\\u009b"}'
    """
    line = json.dumps(record, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)

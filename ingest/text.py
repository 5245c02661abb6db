"""Normal forms for comparing text, and text that is safe to store or print."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import polars as pl

# Invisible format characters: zero-width space and joiners; bidi marks, embeddings, overrides and
# isolates (UAX #9); Arabic letter mark; word joiner and invisible operators; BOM; soft hyphen.
FORMAT_CONTROLS = r"[\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]"
# Tatweel, harakat, superscript alef, Quranic annotation signs: in plain modern Arabic, they do not
# distinguish words.
ARABIC_MARKS = r"[\u0640\u0610-\u061A\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E8\u06EA-\u06ED]"
WORD_END = "\x01"
"""The mark of `mark_word_ends`."""

_UNSAFE = re.compile(f"{FORMAT_CONTROLS}|[\\x7f-\\x9f\\u2028\\u2029]")


# Latin ligatures (ﬁ, ĳ), Arabic presentation forms (ﻻ, ﷲ, ﷺ), and vowel signs that stand alone.
_LIGATURES = "[\u0132\u0133\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefc]"
_SPACING_MARKS = "[\ufc5e-\ufc63\ufe70-\ufe7f]"


def comparable(text: pl.Expr) -> pl.Expr:
    """The normal form for comparing two texts: String to String.

    NFKC (which also replaces Arabic presentation forms), without format controls, tatweel and
    Arabic marks, with runs of white space as one space and none at the ends. Case is kept.

    >>> pl.select(comparable(pl.lit("مُحَـــمَّد  ﷴ"))).item()
    'محمد محمد'
    """
    return (
        text.str.replace_all(_SPACING_MARKS, "")  # NFKC would put spaces before them
        .str.normalize("NFKC")
        .str.replace_all(f"{FORMAT_CONTROLS}|{ARABIC_MARKS}", "")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def mark_word_ends(texts: pl.Series) -> pl.Series:
    r"""Put WORD_END after each word, for patterns with many Arabic words.

    Among letters beyond ASCII, such a pattern is ten times slower with a word boundary.

    >>> mark_word_ends(pl.Series(["a b1"])).to_list()
    ['a\x01 b\x011']
    """
    marked = texts.str.replace_all(WORD_END, " ", literal=True)
    return marked.str.replace_all(r"([\p{L}\p{M}]+)", "${1}" + WORD_END)


def comparable_key(texts: pl.Series) -> pl.Series:
    """A 64-bit hash of the comparable form of each text: UInt64.

    A text whose form is empty (only invisible characters) is hashed itself. Hashes differ between
    versions of Polars: use them for joins, and do not store them.

    >>> comparable_key(pl.Series(["a  b", "a b", "c"])).n_unique()
    2
    """
    form = comparable(pl.col("text"))
    frame = texts.to_frame("text")
    return frame.select(pl.when(form == "").then("text").otherwise(form).hash()).to_series()


def spell_out(texts: pl.Series) -> pl.Series:
    """Spell out ligatures and presentation forms, so that a copy without them has the same words.

    >>> spell_out(pl.Series(["ﻻ ﷲ ﬁne", "²"])).to_list()
    ['لا الله fine', '²']
    """
    rows = texts.str.contains(_LIGATURES).fill_null(value=False).arg_true()
    if not len(rows):
        return texts
    some = texts.gather(rows).str.replace_all(_SPACING_MARKS, "").str.normalize("NFKC")
    return texts.clone().scatter(rows, some)


def scrub(text: str) -> str:
    r"""Replace lone surrogates, which a Polars string cannot hold, with U+FFFD.

    >>> scrub("a\ud800b") == "a\ufffdb"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def escape_file_name(name: str) -> str:
    r"""A file name as text. Bytes that are not UTF-8 become backslash escapes.

    >>> escape_file_name("caf\udce9.txt")
    'caf\\udce9.txt'
    """
    return name.encode("utf-8", "backslashreplace").decode()


def count_noun(number: int, noun: str) -> str:
    """A number and a noun, in the plural if necessary.

    >>> count_noun(1, "page"), count_noun(2000, "page")
    ('1 page', '2,000 pages')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def describe_rest(total: int, listed: int, where: str) -> str:
    """Say how many things are not in a list, and where they are; return "" if all are in it.

    >>> describe_rest(16, 10, "run.json has all"), describe_rest(3, 3, "run.json has all")
    ('and 6 more; run.json has all', '')
    """
    return f"and {total - listed:,} more; {where}" if total > listed else ""


def printable(text: pl.Expr) -> pl.Expr:
    r"""Make text safe to print on a terminal.

    C0 controls and DEL become control pictures (U+2400). C1 controls and invisible format
    characters, such as bidi controls, are removed.

    >>> pl.select(printable(pl.lit("a\x1b[31mb\u202ec"))).item()
    'a␛[31mbc'
    """
    c0 = [chr(c) for c in (*range(32), 127)]
    pictures = [chr(0x2400 + c) for c in range(32)] + ["\u2421"]
    return text.str.replace_all(f"{FORMAT_CONTROLS}|[\\u0080-\\u009F]", "").str.replace_many(
        c0, pictures
    )


def safe(text: str) -> str:
    r"""Apply `printable` to one string.

    >>> safe("a\x1b[31mb\u202ec")
    'a␛[31mbc'
    """
    return str(pl.select(printable(pl.lit(scrub(text)))).item())


def describe_parse_error(error: Exception) -> str:
    """Return what is wrong with JSON or TOML that a parser refused, without terms of Python.

    >>> describe_parse_error(ValueError("Exceeds the limit (4300 digits) for ..."))
    'has an integer of more than 4,300 digits'
    """
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, json.JSONDecodeError) and not error.doc.strip():
        return "is empty"
    if type(error) is ValueError:  # its subclasses say where a text is damaged
        return f"has an integer of more than {sys.get_int_max_str_digits():,} digits"
    return str(error)


def json_document(value: Any) -> str:
    r"""Serialize a value as JSON on several lines. Bytes of names that are not UTF-8 are escaped.

    >>> json_document({"source": "caf\udce9", "lang": "عربي"})
    '{\n  "source": "caf\\udce9",\n  "lang": "عربي"\n}\n'
    """
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def json_line(record: dict[str, Any]) -> str:
    r"""Serialize an object as one line of JSON. Characters that are unsafe to print are escaped.

    >>> json_line({"text": "a\u202eb\x9b"})
    '{"text": "a\\u202eb\\u009b"}'
    """
    line = json.dumps(record, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)

"""Telephone numbers: international, national with their 0, American, or announced by a word.

Such words are "tel." and its like in Arabic and Persian.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

# 7 digits or more with little between them. No comma: that is how long numbers are written. What
# stands in an address, after = or #, or behind another number's sign is a part of that. Latin
# letters make a code of it; Arabic words are written onto numbers without a space.
_ON = r"[\p{Latin}\d_%@]|[.,:/]\d"
_CANDIDATE = regex.compile(
    r"(?<![\p{Latin}\d_=#&?/\\@$€£¥%])(?<!\d[.,:/\-])[+(]{0,2}\d(?:[ .\-()]{0,3}\d){6,}+"
    rf"(?:\+(?!{_ON}))?"
)
_GOES_ON = regex.compile(_ON)  # asked afterwards, so that no run is gone through again
_CUE = regex.compile(
    r"(?:\b(?:tel|tél|phone|telephone|mobile|mob|cell|fax|whatsapp|call|hotline|ph)\b"
    r"|هاتف|الهاتف|تلفون|تليفون|جوال|الجوال|موبايل|محمول|المحمول|واتساب|واتس|فاكس|اتصل|للاتصال"
    r"|للتواصل|نقال|تلفن|موبایل|شماره تماس)[^\d\n]{0,12}$",
    regex.IGNORECASE,
)
_BEFORE = 40  # characters before a number in which a cue can stand
_ISBN = regex.compile(r"(?:ISBN|ISSN|DOI|ردمك)[^\n]{0,12}$", regex.IGNORECASE)
_DATE = regex.compile(
    r"(?<!\d)(?:\d{1,2}[ .\-]\d{1,2}[ .\-](?:19|20)\d\d"
    r"|(?:19|20)\d\d[ .\-]\d{1,2}[ .\-]\d{1,2})(?!\d)"
)
# Years; a postal code of the United States
_OTHER = regex.compile(r"(?:(?:1[89]|20)\d\d[ .\-]*)+|\d{5}-\d{4}")
_AMERICAN = regex.compile(r"(?:\([2-9]\d\d\) ?|[2-9]\d\d([.\-]))[2-9]\d\d[.\-]\d{4}")
# Codes of Arabic countries and Iran: from right to left the + of a number can come last.
_CODES = r"20|21[1-38]|222|249|25[23]|269|96[1-8]|97[0134]|98"
_PLUS_LAST = regex.compile(rf"(?:{_CODES})\d{{7,10}}\+")


def phones(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and value of each number; digits are to be ASCII.

    >>> list(phones("Tel. +966 (50) 123-4567, in 2023-2024 for 1 000 000"))
    [(5, 23, '966501234567')]
    """
    for candidate in _CANDIDATE.finditer(text):
        if _GOES_ON.match(text, candidate.end()):
            continue
        for first, last in _pieces(candidate[0]):
            start, end = candidate.start() + first, candidate.start() + last
            if _is_phone(text[start:end], text[max(0, start - _BEFORE) : start]):
                yield start, end, regex.sub(r"\D", "", text[start:end]).removeprefix("00")


def _pieces(shown: str) -> list[tuple[int, int]]:
    """The candidate itself; of one that is too long for a number, what stands between spaces."""
    if sum(map(str.isdigit, shown)) <= 17:
        return [(0, len(shown))]
    return [at.span() for at in regex.finditer(r"\S+", shown)]


def _is_phone(shown: str, before: str) -> bool:
    digits = regex.sub(r"\D", "", shown)
    groups = regex.findall(r"\d+", shown)
    if not 7 <= len(digits) <= 17 or len(set(digits)) < 3:
        return False
    if _ISBN.search(before) or _DATE.search(shown) or _OTHER.fullmatch(shown):
        return False
    if shown.startswith("+") or digits.startswith("00"):
        return _international(digits.removeprefix("00"), groups)
    if _PLUS_LAST.fullmatch(shown) or _AMERICAN.fullmatch(shown):
        return True
    announced = len(digits) <= 15 and _CUE.search(before) is not None
    return not shown.endswith("+") and (announced or _national(digits, groups, shown))


def _international(digits: str, groups: list[str]) -> bool:
    """A country's code and a number, as ITU-T E.164 has it; no count of thousands."""
    rest = groups[1:]
    thousands = rest and digits.endswith("000") and all(len(group) == 3 for group in rest)
    return digits[0] != "0" and 8 <= len(digits) <= 15 and not thousands


def _national(digits: str, groups: list[str], shown: str) -> bool:
    """The 0 of a long-distance call, an area, a number; groups as people write them."""
    if digits[0] != "0" or digits[1] == "0" or not 9 <= len(digits) <= 11:
        return False
    if regex.match(r"0\.\d", shown) or len(groups[0]) < 2 or len(groups[-1]) < 2:
        return False  # a fraction; an ISBN, which ends with a group of one
    if all(len(group) <= 2 for group in groups):
        return len(groups) == 5 and groups != sorted(groups)
    return len(groups) <= 4

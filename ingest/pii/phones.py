"""Find telephone numbers: international, national with a leading 0, American, or after a cue.

Cues are words such as "tel." in English, French, Arabic and Persian.

The `phonenumbers` package does not replace this module: it finds national numbers only if the
region of the text is known, and no numbers with the + at the end. Its search also took five times
as long.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

# What may not follow a number: then it is part of a code, an address or a longer number.
_CONTINUES = r"[\p{Latin}\d_%@]|[.,:/]\d"
# Seven or more digits with little between them. A comma does not separate groups, since it
# separates thousands. Characters before the number show that it is part of an address, a parameter,
# a code or an amount of money. Latin letters next to it make it a code, but Arabic words are
# often written next to numbers without a space.
_CANDIDATE = regex.compile(
    r"(?<![\p{Latin}\d_=#&?/\\@$€£¥%])(?<!\d[.,:/\-])[+(]{0,2}\d(?:[ .\-()]{0,3}\d){6,}+"
    rf"(?:\+(?!{_CONTINUES}))?"
)
_CONTINUATION = regex.compile(
    _CONTINUES
)  # checked separately, so that the search does not backtrack
_CUE = regex.compile(
    r"(?:\b(?:tel|tél|phone|telephone|mobile|mob|cell|fax|whatsapp|call|hotline|ph)\b"
    r"|هاتف|الهاتف|تلفون|تليفون|جوال|الجوال|موبايل|محمول|المحمول|واتساب|واتس|فاكس|اتصل|للاتصال"
    r"|للتواصل|نقال|تلفن|موبایل|شماره تماس)[^\d\n]{0,12}$",
    regex.IGNORECASE,
)
_CUE_WINDOW = 40  # characters before a number in which a cue is searched
_ISBN = regex.compile(r"(?:ISBN|ISSN|DOI|ردمك)[^\n]{0,12}$", regex.IGNORECASE)
_DATE = regex.compile(
    r"(?<!\d)(?:\d{1,2}[ .\-]\d{1,2}[ .\-](?:19|20)\d\d"
    r"|(?:19|20)\d\d[ .\-]\d{1,2}[ .\-]\d{1,2})(?!\d)"
)
_YEARS_OR_ZIP = regex.compile(r"(?:(?:1[89]|20)\d\d[ .\-]*)+|\d{5}-\d{4}")
_AMERICAN = regex.compile(r"(?:\([2-9]\d\d\) ?|[2-9]\d\d([.\-]))[2-9]\d\d[.\-]\d{4}")
# Country codes of the Arab countries and Iran. In right-to-left text, the + can be at the end.
_COUNTRY_CODES = r"20|21[1-38]|222|249|25[23]|269|96[1-8]|97[0134]|98"
_PIECE = regex.compile(r"\S{7,}+")  # a shorter one has too few digits
_PLUS_AT_END = regex.compile(rf"(?:{_COUNTRY_CODES})\d{{7,10}}\+")


def find_phones(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and value of each telephone number.

    Args:
        text: a text with ASCII digits only.

    >>> list(find_phones("Tel. +966 (50) 123-4567, in 2023-2024 for 1 000 000"))
    [(5, 23, '966501234567')]
    """
    for candidate in _CANDIDATE.finditer(text):
        if _CONTINUATION.match(text, candidate.end()):
            continue
        for first, last in _pieces(candidate[0]):
            start, end = candidate.start() + first, candidate.start() + last
            if _is_phone(text[start:end], text[max(0, start - _CUE_WINDOW) : start]):
                yield start, end, regex.sub(r"\D", "", text[start:end]).removeprefix("00")


def _pieces(number: str) -> list[tuple[int, int]]:
    """Return the span of the number, or those of its parts if it is too long for one number."""
    if sum(map(str.isdigit, number)) <= 17:
        return [(0, len(number))]
    return [match.span() for match in _PIECE.finditer(number)]


def _is_phone(number: str, before: str) -> bool:
    digits = regex.sub(r"\D", "", number)
    groups = regex.findall(r"\d+", number)
    if not 7 <= len(digits) <= 17 or len(set(digits)) < 3:
        return False
    if _ISBN.search(before) or _DATE.search(number) or _YEARS_OR_ZIP.fullmatch(number):
        return False
    if number.startswith("+") or digits.startswith("00"):
        return _is_international(digits.removeprefix("00"), groups)
    if _PLUS_AT_END.fullmatch(number) or _AMERICAN.fullmatch(number):
        return True
    has_cue = len(digits) <= 15 and _CUE.search(before) is not None
    return not number.endswith("+") and (has_cue or _is_national(digits, groups, number))


def _is_international(digits: str, groups: list[str]) -> bool:
    """Check for a country code and number as in ITU-T E.164, and not groups of thousands."""
    rest = groups[1:]
    thousands = rest and digits.endswith("000") and all(len(group) == 3 for group in rest)
    return digits[0] != "0" and 8 <= len(digits) <= 15 and not thousands


def _is_national(digits: str, groups: list[str], number: str) -> bool:
    """Check for a leading 0, an area code and a number, grouped as people write them."""
    if digits[0] != "0" or digits[1] == "0" or not 9 <= len(digits) <= 11:
        return False
    if regex.match(r"0\.\d", number) or len(groups[0]) < 2 or len(groups[-1]) < 2:
        return False  # a fraction, or an ISBN, which ends with a single digit
    if all(len(group) <= 2 for group in groups):
        return len(groups) == 5 and groups != sorted(groups)
    return len(groups) <= 4

"""Read dates in English and Arabic, and write them as ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from ingest.months import MONTH_OF
from ingest.numbers import ascii_digits
from ingest.text import ARABIC_MARKS, FORMAT_CONTROLS

_MONTH = "|".join(sorted((name.replace(" ", r"\s+") for name in MONTH_OF), key=len, reverse=True))
_NAMED = rf"(?P<month>{_MONTH})"
# The same month may follow under its other name: 12 أيار/مايو 2024, 12 أيار (مايو) 2024.
_OTHER_NAME = rf"(?:\s*[/(-]\s*(?:{_MONTH})\s*\)?)?"
_CLOCK = (
    r"(?:\s*[T,]?\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?(?!\d)"
    r"(?!\s*[ap]\.?m\b)\s*(?P<offset>Z\b|UTC\b|GMT\b|[+-]\d\d(?::?\d\d)?(?!\d))?)?"
)
_YEAR, _DAY = r"(?P<year>(?:19|20)\d\d)", r"(?P<day>\d{1,2})"
_NUMBER = r"(?P<number>\d{1,2})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<![\d/.-]){_YEAR}(?P<mark>[-/.]){_NUMBER}(?P=mark){_DAY}(?!\d){_CLOCK}",
        r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<number>\d\d)(?P<day>\d\d)"
        r"(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?P<offset>Z|[+-]\d{4})?)?(?![\d\w])",
        rf"(?<!\d){_DAY}(?:st|nd|rd|th)?[\s.,/-]*(?:of\s+|من\s+|(?:من\s+)?شهر\s+)?(?<!\w){_NAMED}"
        rf"{_OTHER_NAME}(?!\w)[\s.,،/-]*(?:(?:من\s+)?عام\s+)?{_YEAR}(?!\d){_CLOCK}",
        rf"(?<!\w){_NAMED}{_OTHER_NAME}(?!\w)[\s./-]*{_DAY}(?:st|nd|rd|th)?(?!\d)[\s,،./-]+{_YEAR}(?!\d)"
        rf"{_CLOCK}",
        rf"(?<!\d){_YEAR}[\s,-]+{_NAMED}{_OTHER_NAME}(?!\w)[\s-]+{_DAY}(?!\d){_CLOCK}",
    )
)
# 12/05/2024: which number is the day depends on the writer.
_TWO_NUMBERS = re.compile(
    rf"(?<![\d/.-])(?P<first>\d{{1,2}})\s?(?P<mark>[-/.])\s?(?P<second_number>\d{{1,2}})\s?(?P=mark)"
    rf"\s?{_YEAR}(?!\d|[/.-]\d){_CLOCK}",
    re.IGNORECASE,
)
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_HIJRI = re.compile(r"\s*(?:هـ|ه(?!\w)|AH\b)")
_ALEFS = str.maketrans("أإآٱ", "اااا")
_REMOVED = re.compile(f"{ARABIC_MARKS}|{FORMAT_CONTROLS}")
# Words right before a date that is not the one of publication.
_UPDATED = re.compile(
    r"(?:updated?|modified|edited|revised|تحديث|حدث|التحديث|التعديل|تعديل)"
    r"\W*(?:on|at|في|بتاريخ|:)?\W*$",
    re.IGNORECASE,
)
_DAY_IN_PATH = re.compile(
    r"/(?P<year>(?:19|20)\d\d)(?:(?P<mark>[/-])(?P<number>\d\d?)(?P=mark)(?P<day>\d\d?)"
    r"|(?P<two>\d\d)(?P<digits>\d\d))(?=[/_-]|$)"
)
_EPOCH = "1970-01-01"  # what software writes that does not know a date
_MAX_CHARS = 400  # of a text that is searched


class _Match(NamedTuple):
    start: int
    end: int
    value: str


def parse_date(text: str) -> str | None:
    """Read the date that a text consists of, or begins with; None if there is none.

    A time of day and an offset are kept as they are written. Dates in the Hijri calendar, and
    dates such as 3/4/2024, which mean different days in different places, are not read.

    >>> parse_date("2024-05-12T10:30:00+0300"), parse_date("Sun, 12 May 2024 10:30:00 GMT")
    ('2024-05-12T10:30:00+03:00', '2024-05-12T10:30:00Z')
    >>> parse_date("٣ كانون الثاني ٢٠٢٤"), parse_date("3/4/2024"), parse_date("yesterday")
    ('2024-01-03', None, None)
    """
    return next((match.value for match in _matches(text, day_first=False)), None)


def find_date(text: str) -> str | None:
    """Find the date of publication in a dateline, without the time of day; None if there is none.

    A date that stands after a word such as "updated" does not count. In lines with Arabic letters,
    3/4/2024 is the third of April.

    >>> find_date("Cairo | Updated: 14 May 2024, 09:00 | Published: May 12th, 2024")
    '2024-05-12'
    >>> find_date("نشر في: الأحد ١٢ أيار/مايو ٢٠٢٤ - ١٠:٣٠")
    '2024-05-12'
    >>> find_date("12/05/1445 هـ") is None
    True
    """
    plain = _plain(text)
    for match in _matches(text, day_first=_ARABIC.search(text) is not None):
        if not _UPDATED.search(plain, 0, match.start):
            return match.value[:10]
    return None


def day_in_url(url: str) -> str | None:
    """The date in the path of a URL; None if there is none.

    >>> day_in_url("https://site.org/2024/5/2/news"), day_in_url("https://site.org/20240502-news")
    ('2024-05-02', '2024-05-02')
    """
    match = _DAY_IN_PATH.search(url)
    if not match:
        return None
    month, day = match["number"] or match["two"], match["day"] or match["digits"]
    return _iso(int(match["year"]), int(month), int(day))


def _matches(text: str, *, day_first: bool) -> Iterator[_Match]:
    """The dates of a text, in its order; `day_first` says how to read 3/4/2024."""
    plain = _plain(text)
    matches: list[_Match] = []
    for form in _FORMS:
        for match in form.finditer(plain):
            parts = match.groupdict()
            month = _month(parts.get("month")) or int(parts.get("number") or 0)
            _add(matches, match, month, int(parts["day"]))
    for match in _TWO_NUMBERS.finditer(plain):
        first, second = int(match["first"]), int(match["second_number"])
        # with dots, nobody writes the month first
        is_known = day_first or match["mark"] == "." or first == second
        if is_known or second <= 12 < first:
            _add(matches, match, second, first)
        elif first <= 12 < second:
            _add(matches, match, first, second)
    end = 0
    for found in sorted(matches, key=lambda m: (m.start, -m.end)):
        if found.start >= end:
            end = found.end
            yield found


def _add(matches: list[_Match], match: re.Match[str], month: int, day: int) -> None:
    """Add a match, unless there is no such day."""
    value = _iso(int(match["year"]), month, day)
    if not value or _HIJRI.match(match.string, match.end()):
        return
    parts = match.groupdict()
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    if parts.get("hour") and hour < 24 and minute < 60 and second < 60:
        value += f"T{hour:02}:{minute:02}:{second:02}{_offset(parts.get('offset'))}"
    matches.append(_Match(match.start(), match.end(), value))


def _iso(year: int, month: int, day: int) -> str | None:
    """A date as in ISO 8601; None if there is no such day."""
    try:
        value = date(year, month, day).isoformat()
    except ValueError:
        return None
    return None if value == _EPOCH else value


def _offset(written: str | None) -> str:
    """An offset from UTC as in ISO 8601; empty if there is none.

    >>> _offset("+0300"), _offset("gmt"), _offset("-05"), _offset(None)
    ('+03:00', 'Z', '-05:00', '')
    """
    if not written:
        return ""
    if written[0].isalpha():
        return "Z"
    digits = written[1:].replace(":", "")
    return f"{written[0]}{digits[:2]}:{digits[2:] or '00'}"


def _month(name: str | None) -> int:
    """The number of a month; 0 without a name."""
    return MONTH_OF[" ".join(name.lower().split())] if name else 0


@lru_cache(maxsize=8)
def _plain(text: str) -> str:
    """A text in a form whose dates are easy to find, no longer than what is searched."""
    return _REMOVED.sub("", ascii_digits(text[:_MAX_CHARS])).translate(_ALEFS)

"""The months in English and in every Arabic tradition, and one Arabic name for each."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from ingest.text import WORD_END

# English, then the names of Egypt and the Gulf, of the Levant and Iraq, and of the Maghreb.
# Letters with hamza or madda are written as a plain alef.
_NAMES = (
    "january jan يناير كانون_الثاني جانفي",
    "february feb فبراير شباط فيفري",
    "march mar مارس اذار",
    "april apr ابريل نيسان افريل",
    "may مايو ايار ماي",
    "june jun يونيو يونيه حزيران جوان",
    "july jul يوليو يوليه تموز جويلية يوليوز",
    "august aug اغسطس اب اوت غشت",
    "september sept sep سبتمبر ايلول شتنبر",
    "october oct اكتوبر تشرين_الاول",
    "november nov نوفمبر تشرين_الثاني نونبر",
    "december dec ديسمبر كانون_الاول دجنبر",
)
MONTH_OF = {
    name.replace("_", " "): number
    for number, names in enumerate(_NAMES, 1)
    for name in names.split()
}
"""The number of the month of each name, from 1 to 12."""

# These are also other words or names: Nissan, Tammuz, a father, my, Joan, out.
_UNSURE = {"نيسان", "تموز", "اب", "ماي", "جوان", "اوت"}
_PROCLITICS = "[وفبلك]{0,2}"
_HIJRI = rf"(?:ربيع|جماد[ىي]){WORD_END}\s+(?:ال[أا]ولى?|الثانية?|ال[آا]خرة?)"
_FOLD = str.maketrans("أإآٱ", "اااا")


def month_pattern() -> str:
    """Return the pattern of a month, in texts from `mark_word_ends`.

    English months have a capital letter, and Arabic ones may have proclitics.

    The same month may follow under its other name: أيار/مايو, أيار (مايو). The two-word names of
    the Hijri calendar match too, because they contain words for numbers.
    """
    name = _arabic_names() + WORD_END
    english = "|".join(name.capitalize() for name in MONTH_OF if name.isascii())
    arabic = rf"{_PROCLITICS}(?:{name}(?:\s*[/(]\s*{name}\)?)?|{_HIJRI}{WORD_END})"
    return rf"(?:(?:{english}){WORD_END}|{arabic})"


def read_months(phrases: pl.Series) -> pl.DataFrame:
    """Read matches of `month_pattern`.

    Args:
        phrases: String. Each distinct one is read once.

    Returns:
        A row for each phrase: `month`, Int64 from 1 to 12, null if it is no month of this
        calendar or two different ones; `common`, String, the phrase with one Arabic name, the one
        of Egypt and the Gulf; `is_sure`, Boolean, whether it can only be a month.

    >>> read_months(pl.Series(["وكانون الثاني", "آذار/مارس", "جوان", "May"])).rows()
    [(1, 'ويناير', True), (3, 'مارس', True), (6, 'يونيو', False), (5, 'May', True)]
    """
    fields = {"month": pl.Int64, "common": pl.String, "is_sure": pl.Boolean}
    distinct = phrases.unique().drop_nulls().to_list()
    known = pl.DataFrame([(phrase, *_read(phrase)) for phrase in distinct],
                         {"phrase": pl.String, **fields}, orient="row")  # fmt: skip
    found = phrases.to_frame("phrase").join(known, on="phrase", how="left", maintain_order="left")
    return found.select(list(fields))


@cache
def _read(phrase: str) -> tuple[int | None, str | None, bool]:
    if phrase.isascii():
        return MONTH_OF[phrase.lower()], phrase, True
    names = list(re.finditer(_arabic_names(), phrase))
    if not names:
        return None, None, True
    plain = [re.sub(r"\s+", " ", name[0].translate(_FOLD)) for name in names]
    months = {MONTH_OF[name] for name in plain}
    if len(months) > 1:
        return None, None, True
    month = months.pop()
    common = next(name for name in _NAMES[month - 1].split() if not name.isascii())
    return month, phrase[: names[0].start()] + common, len(plain) > 1 or plain[0] not in _UNSURE


@cache
def _arabic_names() -> str:
    """Return a pattern of the Arabic names in any spelling of the alef."""
    names = sorted((name for name in MONTH_OF if not name.isascii()), key=len, reverse=True)
    spelled = "|".join(names).replace("ا", "[اأإآٱ]").replace(" ", rf"{WORD_END}?\s+")
    return f"(?:{spelled})"

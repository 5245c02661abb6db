"""Numbers written in words, in Arabic and English: where they are in a text, and their values."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from ingest.text import WORD_END

# Several spellings and genders, folded. Cardinals and ordinals have one
# value: التمرين الثاني is "Exercise 2".
_ARABIC_UNITS = (
    "واحد واحده احد احدي حادي حاديه اول اولي",
    "اثنان اثنين اثنتان اثنتين اثنا اثني اثنتا اثنتي ثاني ثانيه",
    "ثلاث ثلاثه ثالث ثالثه",
    "اربع اربعه رابع رابعه",
    "خمس خمسه خامس خامسه",
    "ست سته سادس سادسه",
    "سبع سبعه سابع سابعه",
    "ثمان ثماني ثمانيه ثامن ثامنه",
    "تسع تسعه تاسع تاسعه",
)
_ARABIC_TENS = (
    "عشر عشره عاشر عاشره",
    "عشرون عشرين",
    "ثلاثون ثلاثين",
    "اربعون اربعين",
    "خمسون خمسين",
    "ستون ستين",
    "سبعون سبعين",
    "ثمانون ثمانين",
    "تسعون تسعين",
)
_ENGLISH_UNITS = (
    "one first", "two second", "three third", "four fourth", "five fifth", "six sixth",
    "seven seventh", "eight eighth", "nine ninth",
)  # fmt: skip
_ENGLISH_TEENS = (
    "ten tenth", "eleven eleventh", "twelve twelfth", "thirteen thirteenth",
    "fourteen fourteenth", "fifteen fifteenth", "sixteen sixteenth", "seventeen seventeenth",
    "eighteen eighteenth", "nineteen nineteenth",
)  # fmt: skip
_ENGLISH_TENS = (
    "twenty twentieth", "thirty thirtieth", "forty fortieth", "fifty fiftieth", "sixty sixtieth",
    "seventy seventieth", "eighty eightieth", "ninety ninetieth",
)  # fmt: skip
_ARABIC_HUNDREDS = (
    "مئه مائه",
    "مئتان مئتين مئتا مئتي مائتان مائتين مائتا مائتي",
    *(f"{unit}مئه {unit}مائه" for unit in ("ثلاث", "اربع", "خمس", "ست", "سبع", "ثماني", "تسع")),
)
_MAGNITUDES = {
    10**3: "الف الاف الفا thousand",
    10**6: "مليون ملايين مليونا million",
    10**9: "مليار مليارات مليارا بليون billion",
}
# A magnitude that stands alone is a number in Arabic, and its dual is two of it.
_ALONE = {
    10**3: "الف", 10**6: "مليون", 10**9: "مليار بليون",
    2 * 10**3: "الفان الفين الفا الفي", 2 * 10**6: "مليونان مليونين مليونا مليوني",
    2 * 10**9: "ملياران مليارين مليارا ملياري",
}  # fmt: skip
COMPOUND_PARTS = [
    " عشر", "شرون", "شرين", "ثون", "ثين", "بعون", "بعين", "مسون", "مسين", "ستون", "ستين", "مانون",
    "مانين", "سعون", "سعين", "eleven", "twelve", "twelfth", "teen", "twent", "thirt", "fort",
    "fift", "sixt", "sevent", "eight", "ninet", "hundred",
]  # fmt: skip
"""Letters of which any number from eleven on has some, for a quick search."""

_PARTS = {"احد", "احدي", "حادي", "حاديه", "اثنا", "اثني", "اثنتا", "اثنتي"}  # of eleven and twelve
_ARTICLE = "(?:[بلك]?ال|لل|[بلك])"
# Per cent and Monday are no numbers of their own.
OTHER_WORDS = rf"(?:(?:في{WORD_END}\s+|ب)الما?ئ[هة]|ال[اإ]ثنين){WORD_END}"
# Any spelling of a folded letter.
_SPELLINGS = {
    "ا": "[اأإآٱ]",
    "ي": "[يى]",
    "ه": "[هة]",
}
_FOLD = str.maketrans("أإآٱىة", "اااايه")


def number_values(phrases: pl.Series) -> pl.Series:
    """Return the numbers that matches of `number_pattern` stand for.

    Args:
        phrases: String. Few of them are distinct, and each distinct one is read once.

    Returns:
        Int64; null for a text that is no number in words.

    >>> number_values(pl.Series(["الإحدى عشرة", "وخمسة وعشرين", "الثانية", "مليونين"])).to_list()
    [11, 25, 2, 2000000]
    >>> number_values(pl.Series(["Twenty-first", "a hundred and six", "five million"])).to_list()
    [21, 106, 5000000]
    """
    distinct = phrases.unique(maintain_order=True).drop_nulls().to_list()
    return phrases.replace_strict(
        distinct, [_value(phrase) for phrase in distinct], default=None, return_dtype=pl.Int64
    )


@cache
def number_pattern() -> str:
    """Return the pattern of a number in words, in texts from `mark_word_ends`.

    The texts have no Arabic marks. An article or a proclitic belongs to the number.

    >>> from ingest.text import mark_word_ends
    >>> day = mark_word_ends(pl.Series(["the twenty-first day"]))
    >>> day.str.extract(rf" ({number_pattern()})").str.replace_all(WORD_END, "").item()
    'twenty-first'
    """
    units = _any_of(*_ARABIC_UNITS)
    lone_units = _any_of(*({word for words in _ARABIC_UNITS for word in words.split()} - _PARTS))
    tens = _any_of(*_ARABIC_TENS[1:])
    times = _any_of(*_MAGNITUDES.values())
    end, space = WORD_END, rf"{WORD_END}\s+"
    arabic = (
        rf"{units}{space}عشر[هة]?{end}",
        rf"{units}{space}و(?:ال)?{tens}{end}",
        rf"(?:{tens}|{_any_of(_ARABIC_TENS[0])}|{_any_of(*_ARABIC_HUNDREDS)}|{lone_units}){end}",
    )
    small, teens = _any_of(*_ENGLISH_UNITS), _any_of(*_ENGLISH_TEENS)
    below_hundred = rf"(?:{_any_of(*_ENGLISH_TENS)}(?:{end}[\s-]{small})?|{teens}|{small})"
    english = (
        rf"(?:a|{small}){space}hundred(?:{space}(?:and{space})?{below_hundred})?{end}",
        rf"{below_hundred}{end}",
    )
    number = rf"[وف]?{_ARTICLE}?(?:{'|'.join(arabic)})|(?i:{'|'.join(english)})"
    alone = rf"[وف]?{_ARTICLE}?{_any_of(*_ALONE.values())}"
    return rf"(?:(?:{number})(?:\s+{times}{end})?|{alone}{end})"


@cache
def _value(phrase: str) -> int | None:
    values, magnitudes, alone = _word_values()
    words = [_bare(word) for word in re.split(r"[\s-]+", phrase.translate(_FOLD).lower())]
    if len(words) == 1:
        return values.get(words[0], alone.get(words[0]))
    total = 0
    for word in words:
        if word == "hundred":
            total *= 100
        elif word in magnitudes:
            total *= magnitudes[word]
        elif word in values:
            total += values[word]
        else:
            return None  # a letter that is equal only where case is ignored, such as the long s
    return total


@cache
def _bare(word: str) -> str:
    """Drop proclitics and the article, unless the word is a number with them."""
    known = {"hundred"}.union(*_word_values())
    rests = (word[n:] for n in range(min(len(word), 5)))
    return next((rest for rest in rests if rest in known), word)


@cache
def _word_values() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Return the number of each word, of each magnitude after a number, and of one alone."""
    values = {"a": 1, "and": 0}
    for first, step, table in (
        (1, 1, _ARABIC_UNITS), (10, 10, _ARABIC_TENS), (100, 100, _ARABIC_HUNDREDS),
        (1, 1, _ENGLISH_UNITS), (10, 1, _ENGLISH_TEENS), (20, 10, _ENGLISH_TENS),
    ):  # fmt: skip
        for place, words in enumerate(table):
            values |= dict.fromkeys(words.split(), first + step * place)
    magnitudes, alone = (
        {name: value for value, names in table.items() for name in names.split()}
        for table in (_MAGNITUDES, _ALONE)
    )
    return values, magnitudes, alone


def _any_of(*words: str) -> str:
    """Return a pattern of any of some words in any spelling, the longest first."""
    every = sorted({word for names in words for word in names.split()}, key=lambda w: (-len(w), w))
    return f"(?:{'|'.join(''.join(_SPELLINGS.get(c, c) for c in word) for word in every)})"

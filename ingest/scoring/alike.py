"""Write the numbers and months of both sides of a pair alike, so that they can be compared.

"الخمسين" and "50" are the same number, and so are "الإحدى عشرة" and "eleven"; a month has another
name in Beirut, Cairo and Tunis. The lexicon and the encoder know numbers in digits, and the months
of Egypt and the Gulf.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.months import MONTH_OF, month_pattern, read_months
from ingest.number_words import COMPOUND_PARTS, OTHER_WORDS, number_pattern, number_values
from ingest.numbers import expand_magnitudes, number_keys
from ingest.text import ARABIC_MARKS, WORD_END, mark_word_ends

# Letters of the Arabic months, for a quick search.
_MONTH_PARTS = [
    "كانون", "تشرين", "شباط", "ذار", "نيسان", "يار", "حزيران", "تموز", "آب", "يلول", "جانف",
    "فيفري", "فريل", "ماي", "جوان", "جويلي", "يوليوز", "وت", "غشت", "شتنبر", "نونبر", "دجنبر",
    "يناير", "فبراير", "مارس", "بريل", "يوني", "يولي", "غسطس", "سبتمبر", "كتوبر", "نوفمبر",
    "ديسمبر",
]  # fmt: skip
_ENGLISH_MONTHS = [name.capitalize() for name in MONTH_OF if name.isascii()]
_BESIDE = ((1, r"\d\s*$"), (-1, r"^\s*\d"))
_PADDED_DATES = (
    (r"\b[0٠]?(\d{1,2}[-/.])[0٠]?(\d{1,2}[-/.]\d{4})\b", "${1}${2}"),
    (r"\b(\d{4}[-/.])[0٠]?(\d{1,2}[-/.])[0٠]?(\d{1,2})\b", "${1}${2}${3}"),
)
# Dates whose month has become a number between two marks.
_TH = "(?:st|nd|rd|th)?"
_MONTH = rf"{WORD_END}(\d+){WORD_END}"
_NAMED_DATES = (
    (rf"(\d{{1,2}}){_TH}[\s.-]*(?:of\s+|من\s+)?{_MONTH}[\s,،.-]*(\d{{4}})\b", "${1}/${2}/${3}"),
    (rf"{_MONTH}\s*(\d{{1,2}}){_TH}[\s,،]+(\d{{4}})\b", "${2}/${1}/${3}"),
)
_PIECE = rf"[\p{{L}}\p{{M}}]+{WORD_END}|[^\p{{L}}\p{{M}}]+"
_UNITS = "يوم|شهر|[أا]سبوع|عام|قرن|عقد|متر|كيلومتر|لتر|طن|دولار|دينار|درهم|ريال|جنيه"
_DUAL = rf"^[وف]?[بلك]?(?:ال)?(?:\p{{L}}{{2,}}ت|{_UNITS})(?:ين|ان)$"
# These say little where the other side has no such number: pronouns, adverbs, units of time.
_VAGUE = (
    r"(?i)^(?:one|two|first|second|[وف]?\p{L}{0,3}واحد[ةه]?|[وف]?[أا]ول[ىي]?|[وف]?ثاني[ةه]?"
    r"|\p{L}{0,4}[إا]ثنت?[اي]ن)$"
)
_MAX_SMALL = 100
_MIN_COMPOUND = 11  # smallest number that is written in several words


def write_alike(first: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Write numbers and months of both sides alike. Most pairs stay as they are.

    - 1.5 million becomes 1500000.
    - An Arabic month gets the name that it has in Egypt if the other side names a month, and two
      names of the same month become one.
    - A number in words becomes digits if the other side has it in digits only, or if both sides
      have it in words and one needs several. So do the only numbers of both sides that have no
      counterpart, in words on one side: then it can be seen that they differ.
    - A date with the name of its month becomes digits if the other side has it in digits.
    - An Arabic dual gets a 2 if the other side has one without a counterpart.

    Args:
        first: String [pairs], without nulls.
        second: the same for the other side.

    Returns:
        Both sides.

    >>> arabic = pl.Series(["الفصل الخامس", "التمرين الثاني", "قبل نهاية كانون الثاني"])
    >>> english = pl.Series(["Chapter 5", "Exercise 1", "before the end of January"])
    >>> write_alike(arabic, english)[0].to_list()
    ['الفصل 5', 'التمرين 2', 'قبل نهاية يناير']
    """
    pairs = len(first)
    texts = expand_magnitudes(pl.concat([first, second]).rename("text"))
    frame = texts.to_frame().with_columns(keys=number_keys(texts))
    text = pl.col("text").str
    frame = frame.with_columns(
        missing=pl.col("keys").list.set_difference(_turned(frame["keys"], pairs)),
        long=text.contains_any(COMPOUND_PARTS, ascii_case_insensitive=True),
        month=text.contains_any(_MONTH_PARTS),
        # a month of the other side, or of this side under two names
        beside=text.contains_any(_ENGLISH_MONTHS),
        double=text.contains_any(["/", "("]),
    )
    is_open = frame["month"] & (_turned(frame["beside"], pairs) | frame["double"])
    is_open |= frame["missing"].list.len() > 0
    is_open = is_open | _turned(is_open, pairs) | (frame["long"] & _turned(frame["long"], pairs))
    rows = is_open.arg_true()
    if rows.is_empty():
        return texts[:pairs], texts[pairs:]
    # rows are those of both sides of the same pairs, so halves still correspond
    written = _write(frame[rows].select("text", "missing"))
    texts = texts.scatter(rows, written)
    return texts[:pairs], texts[pairs:]


def _turned(column: pl.Series, pairs: int) -> pl.Series:
    """Exchange the sides of a column that has those of all pairs, one after the other."""
    return pl.concat([column[pairs:], column[:pairs]])


def _write(frame: pl.DataFrame) -> pl.Series:
    """Return the texts of both sides, one after the other, with numbers and months alike."""
    pairs = len(frame) // 2
    texts = frame["text"].str.replace_all(ARABIC_MARKS, "")
    for date, plain in _PADDED_DATES:
        texts = texts.str.replace_all(date, plain)
    texts = mark_word_ends(texts)
    rows = pl.DataFrame(
        {
            "row": np.arange(2 * pairs),
            "other": np.roll(np.arange(2 * pairs), pairs),
            "marked": texts.str.extract_all(
                rf"{month_pattern()}|{OTHER_WORDS}|{number_pattern()}|{_PIECE}"
            ),
            "key": frame["missing"],
        }
    )
    pieces = rows.select("row", "other", "marked").explode("marked").drop_nulls()
    known = _read_pieces(pieces["marked"].unique(maintain_order=True))
    piece = pl.col("piece")
    pieces = pieces.join(known, on="marked", how="left", maintain_order="left")
    # a name that is also another word is a month beside a day or a year
    before, after = (piece.shift(n).over("row").str.contains(r) for n, r in _BESIDE)
    is_sure = pl.col("is_sure") | before.fill_null(value=False) | after.fill_null(value=False)
    pieces = pieces.with_columns(is_sure=is_sure)
    missing = rows.select("row", key=pl.col("key")).explode("key").drop_nulls()
    in_digits = _numbers_in_digits(pieces, missing)
    pieces = pieces.join(in_digits, on=["row", "value"], how="left", maintain_order="left")
    doubled = _rows_without_a_two(pieces, missing)
    is_dual = piece.str.contains(_DUAL) & pl.col("row").is_in(doubled.implode())
    pieces = pieces.join(
        _months_alike(pieces), on=["row", "month"], how="left", maintain_order="left"
    )
    pieces = pieces.join(
        _dated_months(missing, pairs), on=["row", "month"], how="left", maintain_order="left"
    )
    written = (
        pl.when("is_dated")
        .then(WORD_END + pl.col("month").cast(pl.String) + WORD_END)
        .when("is_other_month")
        .then(pl.col("month").cast(pl.String))
        .when(pl.col("is_named") | (pl.col("month").is_not_null() & piece.str.contains("[/(]")))
        .then("common")
        .when("digits")
        .then(pl.col("value").cast(pl.String))
        .when(is_dual & (is_dual.cum_sum().over("row") == 1))
        .then("2 " + piece)
        .otherwise(piece)
    )
    joined = pieces.group_by("row").agg(written=written.str.join(""))
    texts = rows.join(joined, on="row", how="left", maintain_order="left")["written"].fill_null("")
    for date, digits in _NAMED_DATES:
        texts = texts.str.replace_all(date, digits)
    return texts.str.replace_all(WORD_END, "", literal=True)


def _read_pieces(marked: pl.Series) -> pl.DataFrame:
    """Read months and numbers: columns marked, piece, value, and those of `read_months`."""
    is_month = marked.str.contains(f"^{month_pattern()}$")
    is_other = is_month | marked.str.contains(f"^{OTHER_WORDS}$")
    is_number = marked.str.contains(f"^{number_pattern()}$") & ~is_other
    pieces = marked.str.replace_all(WORD_END, "", literal=True)
    nothing = pl.Series([None], dtype=pl.String)
    return read_months(pieces.zip_with(is_month, nothing)).with_columns(
        marked=marked, piece=pieces, value=number_values(pieces.zip_with(is_number, nothing))
    )


def _numbers_in_digits(pieces: pl.DataFrame, missing: pl.DataFrame) -> pl.DataFrame:
    """Decide which numbers in words to write in digits.

    Args:
        pieces: row, other (the row of the other side), piece, and value of a number in words.
        missing: row and key of each number in digits that the other side does not have.

    Returns:
        row, value, and `digits`, Boolean.
    """
    is_long = pl.col("piece").str.contains(r"\p{L}[\s-]")
    words = pieces.drop_nulls("value").group_by("row", "other", "value").agg(
        n=pl.len(), is_long=is_long.any(), is_vague=pl.col("piece").str.contains(_VAGUE).any()
    )  # fmt: skip
    theirs = words.select(other="row", value="value", n_other="n", is_long_other="is_long")
    missing = missing.with_columns(value=pl.col("key").str.to_integer(strict=False))
    wanted = missing.select(other="row", value="value", is_wanted=True).drop_nulls()
    # a one, a two or a million may stand for something else if another number is without a match
    is_sure = pl.col("value").is_between(3, 999) | pl.col("is_long")
    is_only = ~pl.col("row").is_in(missing["row"].implode())
    words = (
        words.join(theirs, on=["other", "value"], how="left")
        .join(wanted, on=["other", "value"], how="left")
        .with_columns(
            pl.col("n_other").fill_null(0),
            pl.col("is_long_other", "is_wanted").fill_null(value=False),
        )
        .with_columns(
            is_found=pl.col("is_wanted") & (pl.col("n") > pl.col("n_other")) & (is_sure | is_only),
            is_alone=(pl.col("n_other") == 0) & ~pl.col("is_wanted") & ~pl.col("is_vague"),
        )
    )
    found = words.filter("is_found").select(row="other", value="value")
    left = missing.join(found, on=["row", "value"], how="anti")
    alone = pl.concat([words.filter("is_alone"), left], how="diagonal").select("row", "value")
    is_small = pl.col("value") < _MAX_SMALL  # the 19th century is the 1800s
    counts = alone.group_by("row").agg(count=pl.len(), is_small=is_small.all())
    words = words.join(counts, on="row", how="left").join(
        counts.select(other="row", count_other="count", is_small_other="is_small"),
        on="other",
        how="left",
    )
    is_compound = (
        (pl.col("n_other") > 0)
        & (pl.col("is_long") | pl.col("is_long_other"))
        & (pl.col("value") >= _MIN_COMPOUND)
    )
    is_different = pl.col("is_alone") & (pl.col("count") == 1) & (pl.col("count_other") == 1)
    is_different &= pl.col("is_small") == pl.col("is_small_other")
    digits = pl.col("is_found") | is_compound | is_different.fill_null(value=False)
    return words.select("row", "value", digits=digits)


def _months_alike(pieces: pl.DataFrame) -> pl.DataFrame:
    """Decide which months to write alike.

    Returns:
        row, month, and Boolean columns: `is_named`, whether the other side makes it certain that
        this is a month; `is_other_month`, whether the other side has another month instead.
    """
    months = pieces.drop_nulls("month").group_by("row", "other", "month").agg(
        is_sure=pl.col("is_sure").any()
    )  # fmt: skip
    same = months.select(other="row", month="month", is_same=True)
    months = months.join(same, on=["other", "month"], how="left").with_columns(
        pl.col("is_same").fill_null(value=False)
    )
    is_lone = pl.col("is_sure") & ~pl.col("is_same")
    counts = months.group_by(other="row").agg(
        has_other=pl.col("is_sure").any(), lone_other=is_lone.sum()
    )
    months = months.join(counts, on="other", how="left")
    lone = is_lone.sum().over("row")
    return months.select(
        "row",
        "month",
        is_named=pl.col("is_same") | (pl.col("is_sure") & pl.col("has_other")),
        is_other_month=is_lone & (lone == pl.col("lone_other")),
    )


def _dated_months(missing: pl.DataFrame, pairs: int) -> pl.DataFrame:
    """Return row, month and `is_dated`: the other side has a date in digits with this month."""
    date = pl.col("key").str.extract_groups(r"^(\d{1,2})\.(\d{1,2})\.\d{4}$").struct
    numbers = missing.select(
        row=(pl.col("row") + pairs) % (2 * pairs),
        month=pl.concat_list(date.field("1"), date.field("2")).cast(pl.List(pl.Int64)),
    )
    return numbers.explode("month").drop_nulls().unique().with_columns(is_dated=True)


def _rows_without_a_two(pieces: pl.DataFrame, missing: pl.DataFrame) -> pl.Series:
    """Return the rows that lack a 2 that the other side has, and no other number."""
    has_two = pieces.filter(pl.col("value") == 2)["row"]
    wanting = missing.filter(pl.col("key") == "2")["row"]
    rows = pieces.filter(pl.col("other").is_in(wanting.implode()))["row"].unique()
    return rows.filter(~rows.is_in(has_two.implode()) & ~rows.is_in(missing["row"].implode()))

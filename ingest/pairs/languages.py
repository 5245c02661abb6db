"""Recognize languages by name, as headers and file names give them, and by text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import polars as pl

from ingest.detection.rules import load_rules
from ingest.errors import ConfigError
from ingest.languages import parse_language_pair
from ingest.readers.formats import COMPRESSED

_CODE = re.compile(r"[a-z]{2,3}")
_NAMES = {
    **dict.fromkeys(
        ("english", "eng", "anglais", "إنجليزي", "إنجليزية", "إنكليزي", "إنكليزية"), "en"
    ),
    **dict.fromkeys(("arabic", "ara", "arabe", "عربية"), "ar"),
    # Arabic varieties, as FLORES and other collections name them
    **dict.fromkeys("arb arz ary ars apc ajp acm acq aeb".split(), "ar"),
    **dict.fromkeys(("french", "fra", "fre", "فرنسي", "فرنسية"), "fr"),
    **dict.fromkeys(("german", "deu", "ger", "ألمانية"), "de"),
    **dict.fromkeys(("spanish", "spa", "إسبانية"), "es"),
    **dict.fromkeys(("turkish", "tur", "تركية"), "tr"),
    **dict.fromkeys(("persian", "farsi", "fas", "pes", "فارسية"), "fa"),
    **dict.fromkeys(("urdu", "urd", "أردية"), "ur"),
    **dict.fromkeys(("hebrew", "heb"), "he"),
    **dict.fromkeys(("russian", "rus", "روسية"), "ru"),
    **dict.fromkeys(("chinese", "zho"), "zh"),
}
_TEXT_SUFFIXES = (".txt", ".text", ".tok", ".clean")  # may follow the language in a file name
_MAX_CHARS = 500  # of each text
_MIN_SHARE = 0.6  # minimum share of the characters that must be in one language


def normalize_language(name: str) -> str | None:
    """Return the language code for a name or tag, or None if it is not one.

    >>> normalize_language("ar-EG"), normalize_language("eng_Latn"), normalize_language("English")
    ('ar', 'en', 'en')
    >>> normalize_language("a b") is None
    True
    """
    lower = name.strip().lower()
    primary = re.split(r"[-_]", lower)[0]
    known = codes_by_name().get(lower) or codes_by_name().get(primary)
    return known or (primary if _CODE.fullmatch(primary) else None)


def parse_languages(langs: Sequence[str] | None) -> tuple[str, str] | None:
    """Parse a source and a target language, given as codes or names; None stays None.

    Raises:
        ConfigError: they are not two different languages.

    >>> parse_languages("ar-EG, English")
    ('ar', 'en')
    """
    return None if langs is None else parse_language_pair(langs, normalize=normalize_language)


def language_of_column(column: str) -> str | None:
    """Return the language that a column is named by, or None.

    >>> language_of_column("Arabic"), language_of_column("en_US"), language_of_column("url")
    ('ar', 'en', None)
    """
    lower = column.strip().lower()
    return codes_by_name().get(lower) or codes_by_name().get(re.split(r"[-_]", lower)[0])


def language_of_file(path: str) -> str | None:
    """Return the language that a file is named by, or None.

    >>> language_of_file("data/test.ar"), language_of_file("a/News.en.txt.gz")
    ('ar', 'en')
    >>> language_of_file("ara_Arab.devtest"), language_of_file("train-en.txt")
    ('ar', 'en')
    >>> language_of_file("notes.txt") is None
    True
    """
    return split_file_name(path)[0]


def split_file_name(path: str) -> tuple[str | None, str]:
    """Return the language that a file is named by, and the rest of its name.

    Files with the same rest belong together.

    >>> split_file_name("a/C.ar-en.ar"), split_file_name("eng_Latn.dev")
    (('ar', 'C.ar-en'), ('en', 'dev'))
    """
    name = re.split(r"[/\\]", path)[-1]
    for suffix in (*COMPRESSED, *_TEXT_SUFFIXES):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    for separator in (r"\.", r"[-_]"):
        words = re.split(separator, name)
        for at in (-1, 0):
            is_alone = len(words) == 1 and separator == r"\."
            if (len(words) > 1 or is_alone) and (lang := _language_of_word(words[at])):
                return lang, name[len(words[0]) + 1 :] if at == 0 else name[: -len(words[-1]) - 1]
    return None, name


def _language_of_word(word: str) -> str | None:
    """Return the language of a word such as en, eng_Latn or ar-EG, but not ar-en."""
    primary, _, rest = word.lower().replace("-", "_").partition("_")
    known = codes_by_name()
    if rest and (len(rest) not in (2, 4) or rest in known) and not word[-2:].isupper():
        return None
    return known.get(primary)


def detect_languages(sides: Sequence[pl.Series], where: str) -> tuple[str, str]:
    """Detect the languages of two columns of texts from a sample.

    Args:
        sides: texts of the source and of the target.
        where: the table, for the error message.

    Raises:
        ConfigError: a language is uncertain, or both are the same.
    """
    source, target = (detect_language(side) for side in sides)
    if source and target and source != target:
        return source, target
    if source and target:
        problem = f"both sides look like {source}"
    else:
        unknown = " and ".join(
            name for name, lang in (("first", source), ("second", target)) if not lang
        )
        problem = f"cannot detect the language of the {unknown} side"
    raise ConfigError(f"{where}: {problem}; give source and target, such as --langs ar,en")


def detect_language(texts: pl.Series) -> str | None:
    """Return the language of most of a sample of texts, or None if it is uncertain."""
    from ingest.detection.language_shares import majority_language

    majority = majority_language(texts.drop_nulls(), min_share=_MIN_SHARE, max_chars=_MAX_CHARS)
    return None if majority is None else majority.lang


@cache
def codes_by_name() -> dict[str, str]:
    """Map codes and names of the languages that detection knows, in lower case, to codes.

    >>> codes_by_name()["english"], codes_by_name()["ara"]
    ('en', 'ar')
    """
    table = load_rules()
    codes = " ".join(table["languages"].values()).replace("|", "").split()
    codes += [script["lang"] for script in table["scripts"] if script["lang"]]
    autonyms = {name.lower(): lang for lang, names in table["autonyms"].items() for name in names}
    primary = {code.partition("-")[0]: code.partition("-")[0] for code in codes}
    return {**autonyms, **primary, **_NAMES}

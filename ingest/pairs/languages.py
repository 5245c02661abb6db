"""Names of languages as headers and file names have them, and the languages of texts."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

import polars as pl

from ingest.detection.rules import load_rules
from ingest.errors import ConfigError
from ingest.languages import parse_language_pair
from ingest.readers.sources import COMPRESSED

_CODE = re.compile(r"[a-z]{2,8}")
_NAMES = {"english": "en", "eng": "en", "arabic": "ar", "ara": "ar", "arb": "ar"}
_TEXT = (".txt", ".text", ".tok", ".clean")  # what may follow the language in a file's name
_SURE = 0.6  # least share of their characters that is in one language


def base(name: str) -> str | None:
    """The code in what a file calls a language; None where it is no code.

    >>> base("ar-EG"), base("eng_Latn"), base("English"), base("a b")
    ('ar', 'en', 'en', None)
    """
    lower = name.strip().lower()
    first = re.split(r"[-_]", lower)[0]
    known = _known().get(lower) or _known().get(first)
    return known or (first if _CODE.fullmatch(first) and len(first) <= 3 else None)


def pair_of_names(langs: Sequence[str] | None) -> tuple[str, str] | None:
    """Parse a source and a target language, given as codes or names.

    Raises:
        ConfigError: they are not two different languages.

    >>> pair_of_names("ar-EG, English")
    ('ar', 'en')
    """
    return None if langs is None else parse_language_pair(langs, normalize=base)


def named(column: str) -> str | None:
    """The language that a column is named by; None where its name is no language's.

    >>> named("Arabic"), named("en_US"), named("url")
    ('ar', 'en', None)
    """
    lower = column.strip().lower()
    return _known().get(lower) or _known().get(re.split(r"[-_]", lower)[0])


def of_file(path: str) -> str | None:
    """The language that a file is named by.

    >>> of_file("data/test.ar"), of_file("a/News.en.txt.gz"), of_file("notes.txt")
    ('ar', 'en', None)
    """
    name = os.path.basename(path).lower()
    for ending in (*COMPRESSED, *_TEXT):
        name = name.removesuffix(ending)
    return named(name.rpartition(".")[2]) if "." in name else None


def found(sides: Sequence[pl.Series], what: str) -> tuple[str, str]:
    """The languages of two columns of texts, from a sample of them.

    Args:
        sides: source and target.
        what: where they stand, for the error.

    Raises:
        ConfigError: one cannot be told for sure, or both are the same.
    """
    one, other = (_found(side) for side in sides)
    if one and other and one != other:
        return one, other
    if one == other and one:
        why = f"both sides look like {one}"
    else:
        which = " and ".join(n for n, lang in (("first", one), ("second", other)) if not lang)
        why = f"the language of the {which} side cannot be told for sure"
    raise ConfigError(f"{what}: {why}; name source and target with --langs, such as --langs ar,en")


def _found(texts: pl.Series) -> str | None:
    from ingest.detection.language_shares import majority_language

    majority = majority_language(texts.drop_nulls(), min_share=_SURE, max_chars=1000)
    return None if majority is None else majority.lang


@cache
def _known() -> dict[str, str]:
    """Codes and names, in small letters, of the languages that detection knows."""
    held = load_rules()
    codes = " ".join(held["languages"].values()).replace("|", "").split()
    codes += [script["lang"] for script in held["scripts"] if script["lang"]]
    own = {name.lower(): lang for lang, names in held["autonyms"].items() for name in names}
    return {**own, **{code.partition("-")[0]: code.partition("-")[0] for code in codes}, **_NAMES}

"""What the name of a column says: the language of its texts, or whether they are the source."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from ingest.pairs.languages import codes_by_name

SOURCE, TARGET = "source", "target"
_ROLES = {
    **dict.fromkeys(("source", "src", "original", "orig", "from", "مصدر", "اصل", "اصلي", "اصليه",
                     "مصدريه"), SOURCE),
    **dict.fromkeys(("target", "tgt", "trg", "translation", "translations", "translated", "trans",
                     "reference", "ref", "to", "هدف", "ترجمه", "مترجم", "مترجمه"), TARGET),
}  # fmt: skip
# Words that say no more than that a column has text, once its language or role is known.
_TEXT_WORDS = frozenset(
    "text texts txt sentence sentences sent segment seg string phrase line utterance content "
    "column col side language lang raw clean cleaned version into in of the parallel plain "
    "نص نصوص جمله عباره مقطع كلمه لغه عمود باللغه".split()
)
# Words that say that a column is about the texts.
_NOT_TEXT = frozenset(
    "id ids url urls uri link links href score scores len length chars tokens count counts num "
    "number n date time year hash md5 sha sha256 checksum size index idx row rank prob "
    "probability confidence quality similarity sim laser labse bicleaner bleu domain genre "
    "category label topic split file filename path is has license method model segments start end "
    "doc docid document site author user code type status flag flags metadata meta "
    "رقم معرف رابط تاريخ درجه".split()
)
_LANGUAGE_WORDS = frozenset(("lang", "language", "langs", "languages", "locale"))
_SCRIPTS = frozenset(
    "latn arab cyrl hebr deva grek hans hant jpan hang thai beng armn geor ethi".split()
)
_COUNTERS = {"1": 1, "2": 2, "a": 1, "b": 2, "one": 1, "two": 2}
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ARABIC_MARKS = re.compile("[\u0640\u064b-\u0655\u0670]")
_ARABIC_FORMS = str.maketrans("أإآٱةى", "اااا" + "هي")
_ARABIC_PREFIX = re.compile("^(?:بال|وال|لل|ال)(?=..)")


class Name(NamedTuple):
    """What the name of a column says.

    Attributes:
        lang: language of its texts, or None.
        role: source, target or None.
        counter: 1 or 2 in names such as sentence1 and sentence2, or None.
        rest: the other words, such as "title" in title_ar. Words such as "text" are left out.
    """

    lang: str | None
    role: str | None
    counter: int | None
    rest: tuple[str, ...]


@cache
def parse_name(name: str) -> Name | None:
    """Parse the name of a column; None if it says that the column has no texts.

    >>> parse_name("sentence_ara_Arab").lang, parse_name("Arabic translation").lang
    ('ar', 'ar')
    >>> parse_name("النص الأصلي").role, parse_name("translatedText").role
    ('source', 'target')
    >>> parse_name("title_en"), parse_name("url_en")
    (Name(lang='en', role=None, counter=None, rest=('title',)), None)
    """
    raw = _WORD.findall(_CAMEL_CASE.sub(" ", _ARABIC_MARKS.sub("", name)))
    words = [_normal(word) for word in raw]
    at = _language_words(raw, words)
    lang = _language(name, words[at.start]) if at else None
    others = [word for n, word in enumerate(words) if n not in at]
    if not words or any(word in _NOT_TEXT for word in others):
        return None
    if not lang and any(word in _LANGUAGE_WORDS for word in others):
        return None
    roles = {_ROLES[word] for word in others if word in _ROLES}
    counter = _COUNTERS.get(others[-1]) if len(others) > 1 else None
    rest = others[:-1] if counter else others
    return Name(
        lang,
        roles.pop() if len(roles) == 1 else None,
        counter,
        tuple(word for word in rest if word not in _TEXT_WORDS and word not in _ROLES),
    )


def has_text_word(name: str) -> bool:
    """Return whether a name has a word such as "text".

    >>> has_text_word("Text"), has_text_word("url")
    (True, False)
    """
    return any(_normal(word) in _TEXT_WORDS for word in _WORD.findall(name))


def _normal(word: str) -> str:
    lower = word.lower()
    if lower.isascii():
        return lower
    return _ARABIC_PREFIX.sub("", lower.translate(_ARABIC_FORMS))


def _language(name: str, word: str) -> str | None:
    return _codes().get(word) or _codes().get(name.strip().lower())


def _language_words(raw: list[str], words: list[str]) -> range:
    """Return the indices of the words that name the language: at the end or at the front.

    A script or a region may follow the language: eng_Latn, en_US.
    """
    end = len(words)
    has_script = end > 1 and words[-1] in _SCRIPTS
    last = end - 1 - has_script
    has_region = last > 0 and len(raw[last]) == 2 and raw[last].isupper() and raw[0].islower()
    if has_region and words[last - 1] in _codes():
        return range(last - 1, end)
    if last >= 0 and words[last] in _codes() and (last == 0 or words[0] not in _codes()):
        return range(last, end)
    if words and words[0] in _codes():
        stop = 1 + (len(words) > 1 and words[1] in _SCRIPTS)
        is_region = stop < end and len(raw[stop]) == 2 and (raw[stop].isupper() or end == 2)
        return range(stop + is_region)
    return range(0)


@cache
def _codes() -> dict[str, str]:
    """Map names of languages, as `_normal` writes them, to codes."""
    names = codes_by_name()
    return {**names, **{_normal(name): lang for name, lang in names.items()}}

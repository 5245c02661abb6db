"""Split Arabic and English text into sentences, as offsets into the text."""

from __future__ import annotations

import regex

# A mark that may end a sentence, the closing quotes and brackets after it, and white space.
_END = regex.compile(
    r"(?P<mark>[.!?؟۔…]+)(?P<close>[\"'”’»)\]\u200e\u200f\u202c\u2069]*)"
    r"(?P<space>\s+|(?<=[؟!۔]\S?)(?=\p{Arabic})|$)|\n+"
)
_WORD_BEFORE = regex.compile(r"[\p{L}\p{M}.'’]+$")
_OPENING = "\"'“‘«([—–-•\u200e\u200f\u202b\u202a\u2067\u2066 "
# Abbreviations that never end a sentence, because something always follows them.
_TITLES = frozenset(
    "mr mrs ms dr prof st messrs mme mlle gen col lt capt maj sgt cpl adm cmdr rev hon fr sen rep "
    "gov pres supt det insp mt ft no nos vs cf viz eg ie e.g i.e fig figs eq vol pp ch sec art "
    "approx ca jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri".split()
)
# Abbreviations that end a sentence if the next word is in _STARTERS.
_MAYBE_FINAL = frozenset(
    "inc ltd co corp llc plc bros jr sr esq etc al ed est dept univ assn ave blvd rd u.s u.k u.n "
    "e.u u.s.a d.c a.m p.m a.d b.c ph.d b.a m.a m.d".split()
)
_STARTERS = frozenset(
    "the a an this that these those it he she they we you i in on at but and so if when while "
    "after before as for however there his her its their our my what who how why meanwhile".split()
)
_ARABIC_ABBREVIATIONS = frozenset(
    ("ص", "م", "هـ", "د", "أ", "ا", "ج", "ق", "ت", "ط", "ب", "ر", "ن")
)
# Verbs of speech that continue the sentence after a quoted question or exclamation.
_SPEECH_VERBS = frozenset(
    "قال قالت يقول تقول وقال أضاف أضافت سأل سألت سأله سألها صاح صاحت هتف هتفت أجاب أجابت رد ردت "
    "همس همست صرخ صرخت تساءل تساءلت كتب كتبت".split()
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence in `text`, without the white space around it.

    >>> [t for t in split_sentences("Dr. Smith paid 3.5 dollars. Why? “No idea!” he said.")]
    ['Dr. Smith paid 3.5 dollars.', 'Why?', '“No idea!” he said.']
    >>> split_sentences("وصل د. أحمد الساعة 7.30 مساءً. هل تعرفه؟ نعم؛ أعرفه.")
    ['وصل د. أحمد الساعة 7.30 مساءً.', 'هل تعرفه؟', 'نعم؛ أعرفه.']
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for mark in _END.finditer(text):
        if mark["mark"] and not _ends(text, begin, mark):
            continue
        close = mark.end("close") if mark["mark"] else mark.start()
        _add(spans, text, begin, close)
        begin = mark.end()
    _add(spans, text, begin, len(text))
    return spans


def split_sentences(text: str) -> list[str]:
    """The text of each sentence.

    >>> split_sentences("The U.S. Senate met. The U.S. The end.")
    ['The U.S. Senate met.', 'The U.S.', 'The end.']
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def _add(spans: list[tuple[int, int]], text: str, begin: int, end: int) -> None:
    part = text[begin:end]
    body = part.strip()
    if not body:
        return
    start = begin + len(part) - len(part.lstrip())
    if spans and not any(c.isalnum() for c in body):  # marks alone belong to the sentence before
        spans[-1] = (spans[-1][0], start + len(body))
        return
    spans.append((start, start + len(body)))


def _ends(text: str, begin: int, mark: regex.Match[str]) -> bool:
    """Whether the sentence that starts at `begin` ends at the mark."""
    rest = text[mark.end() : mark.end() + 40].lstrip(_OPENING).lstrip()
    if not rest:
        return True
    following = rest[0]
    if following.islower():
        return False
    signs = mark["mark"]
    if _continues_after_speech(rest) and mark["close"]:
        return False
    if signs.strip("."):
        return not (signs == "…" and not following.isupper())
    if len(signs) > 1:  # an ellipsis is a pause unless a capital letter follows
        return following.isupper()
    return bool(mark["close"]) or not _is_abbreviation(text, begin, mark.start(), rest)


def _continues_after_speech(rest: str) -> bool:
    return rest.split(None, 1)[0].strip("،,.:") in _SPEECH_VERBS


def _is_abbreviation(text: str, begin: int, end: int, rest: str) -> bool:
    """Whether the full stop at `end` belongs to an abbreviation, an initial or a list number."""
    before = _WORD_BEFORE.search(text, max(begin, end - 24), end)
    if before is None:
        return text[begin:end].strip().isdigit() and end - begin < 5
    word = before[0].strip("'’.")
    low = word.lower()
    if "\u0600" <= word[:1] <= "\u06ff":
        return word in _ARABIC_ABBREVIATIONS
    if low in _TITLES:
        return True
    starts = rest.split(None, 1)[0].strip("\"'“”‘’,").lower() in _STARTERS
    if low in _MAYBE_FINAL:
        return not starts
    return len(word) == 1 and word.isupper() and not (word == "I" or (starts and len(rest) > 2))

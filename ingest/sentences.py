"""Text to sentences, in Arabic and English: offsets, so that every sentence keeps its place."""

from __future__ import annotations

import regex

# A mark that may end a sentence, the quotes and brackets that close with it, and white space.
_END = regex.compile(
    r"(?P<mark>[.!?؟۔…]+)(?P<close>[\"'”’»)\]\u200e\u200f\u202c\u2069]*)"
    r"(?P<space>\s+|(?<=[؟!۔]\S?)(?=\p{Arabic})|$)|\n+"
)
_BEFORE = regex.compile(r"[\p{L}\p{M}.'’]+$")
_OPENING = "\"'“‘«([—–-•\u200e\u200f\u202b\u202a\u2067\u2066 "
# Never at the end of a sentence: something always follows.
_TITLES = frozenset(
    "mr mrs ms dr prof st messrs mme mlle gen col lt capt maj sgt cpl adm cmdr rev hon fr sen rep "
    "gov pres supt det insp mt ft no nos vs cf viz eg ie e.g i.e fig figs eq vol pp ch sec art "
    "approx ca jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri".split()
)
# May stand at the end; then the next sentence begins like one.
_EITHER = frozenset(
    "inc ltd co corp llc plc bros jr sr esq etc al ed est dept univ assn ave blvd rd u.s u.k u.n "
    "e.u u.s.a d.c a.m p.m a.d b.c ph.d b.a m.a m.d".split()
)
_STARTERS = frozenset(
    "the a an this that these those it he she they we you i in on at but and so if when while "
    "after before as for however there his her its their our my what who how why meanwhile".split()
)
_ARABIC_SHORT = frozenset(("ص", "م", "هـ", "د", "أ", "ا", "ج", "ق", "ت", "ط", "ب", "ر", "ن"))
# After a question or cry in quotation marks these go on with the sentence.
_SAYS = frozenset(
    "قال قالت يقول تقول وقال أضاف أضافت سأل سألت سأله سألها صاح صاحت هتف هتفت أجاب أجابت رد ردت "
    "همس همست صرخ صرخت تساءل تساءلت كتب كتبت".split()
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence in `text`, white space around it left out.

    >>> [t for t in split_sentences("Dr. Smith paid 3.5 dollars. Why? “No idea!” he said.")]
    ['Dr. Smith paid 3.5 dollars.', 'Why?', '“No idea!” he said.']
    >>> split_sentences("وصل د. أحمد الساعة 7.30 مساءً. هل تعرفه؟ نعم؛ أعرفه.")
    ['وصل د. أحمد الساعة 7.30 مساءً.', 'هل تعرفه؟', 'نعم؛ أعرفه.']
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for mark in _END.finditer(text):
        if mark["mark"] and not _ends(text, begin, mark):
            continue
        close = mark.end("close") if mark["mark"] else mark.start()
        _add(found, text, begin, close)
        begin = mark.end()
    _add(found, text, begin, len(text))
    return found


def split_sentences(text: str) -> list[str]:
    """The sentences themselves.

    >>> split_sentences("The U.S. Senate met. The U.S. The end.")
    ['The U.S. Senate met.', 'The U.S.', 'The end.']
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def _add(found: list[tuple[int, int]], text: str, begin: int, end: int) -> None:
    part = text[begin:end]
    body = part.strip()
    if not body:
        return
    start = begin + len(part) - len(part.lstrip())
    if found and not any(c.isalnum() for c in body):  # a stray mark belongs to what stands before
        found[-1] = (found[-1][0], start + len(body))
        return
    found.append((start, start + len(body)))


def _ends(text: str, begin: int, mark: regex.Match[str]) -> bool:
    """Whether the sentence from `begin` ends at the mark."""
    # what is left begins with no white space of any kind, or is nothing
    rest = text[mark.end() : mark.end() + 40].lstrip(_OPENING).lstrip()
    if not rest:
        return True
    following = rest[0]
    if following.islower():
        return False
    signs = mark["mark"]
    if _follows_speech(rest) and mark["close"]:
        return False
    if signs.strip("."):
        return not (signs == "…" and not following.isupper())
    if len(signs) > 1:  # an ellipsis is a pause, unless a capital letter says that it was an end
        return following.isupper()
    return (not mark["close"] and not _abbreviated(text, begin, mark.start(), rest)) or bool(
        mark["close"]
    )


def _follows_speech(rest: str) -> bool:
    return rest.split(None, 1)[0].strip("،,.:") in _SAYS


def _abbreviated(text: str, begin: int, end: int, rest: str) -> bool:
    """Whether the full stop at `end` belongs to an abbreviation, an initial or a list number."""
    before = _BEFORE.search(text, max(begin, end - 24), end)
    if before is None:
        return text[begin:end].strip().isdigit() and end - begin < 5
    word = before[0].strip("'’.")
    low = word.lower()
    if "\u0600" <= word[:1] <= "\u06ff":
        return word in _ARABIC_SHORT
    if low in _TITLES:
        return True
    starts = rest.split(None, 1)[0].strip("\"'“”‘’,").lower() in _STARTERS
    if low in _EITHER:
        return not starts
    return len(word) == 1 and word.isupper() and not (word == "I" or (starts and len(rest) > 2))

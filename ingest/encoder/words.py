"""Words of a sentence and the features of a word: what the encoder adds up.

A feature is a string: `w:كتاب` the word, `s:كتاب` its stem, `p:ب` a proclitic, `n:1500` a number;
of rare words `g:<كتا` a letter n-gram, `k:KTB` the consonants in either script, `k3:KTB` three.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Marks go after NFKD, and with them hamza on its carriers and Latin accents; Cf are the controls.
_DROPPED = r"[\p{M}\p{Cf}\u0640]+"
_FOLD = {
    **dict(zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True)),
    **dict(zip("۰۱۲۳۴۵۶۷۸۹", "0123456789", strict=True)),
    **dict(zip("ىیةکٱ؟٪’‘٬٫", "ييهكا?%'',.", strict=True)),
}
_GROUPED = r"(\d),(\d{3})(?:,(\d{3}))?"
_WORD = r"\p{L}+(?:'\p{L}+)?|\d+|[?!%$€£]"

FEW = 512  # words or texts up to which a loop costs less than calls that take them all at once
BUCKETS = 8192  # rows for the consonants of words never seen, and as many for such numbers
RARE = 50  # a word seen as often as this needs no letters: its own row knows better
LONG = 40  # letters of a word that are looked at; no language here has longer ones


def words(texts: pl.Series) -> pl.Series:
    """The folded words of each text: String to List(String).

    NFKC and NFKD forms fall together, marks and tatweel go, as do case, hamza seats, alef maqsura
    and ta marbuta; digits are ASCII and thousands are joined.

    >>> words(pl.Series(["Café «الكُتُب» ١٬٥٠٠؟"])).to_list()
    [['cafe', 'الكتب', '1500', '?']]
    """
    text = pl.col("text").str.normalize("NFKD").str.replace_all(_DROPPED, "").str.to_lowercase()
    text = text.str.replace_many(_FOLD).str.replace_all(_GROUPED, "${1}${2}${3}")
    return texts.to_frame("text").select(text.str.extract_all(_WORD)).to_series()


def features(word: str, counts: Mapping[str, int]) -> Iterator[str]:
    """The features of a word as `words` gives it; `counts` tells how often stems were seen.

    >>> list(features("?", {}))
    ['w:?']
    >>> [f for f in features("makes", {}) if not f.startswith("g:")]
    ['w:makes', 's:mak', 'k:MKS', 'k3:^MK', 'k3:MKS', 'k3:KS$']
    """
    word = word[:LONG]
    yield f"w:{word}"
    if word[0].isdigit():
        yield f"n:{word}"
        return
    if not word[0].isalpha():
        return
    clitic, base = split(word, counts)
    if clitic:
        yield f"p:{clitic}"
    yield f"s:{base}"
    if counts.get(f"w:{word}", 0) < RARE:
        padded = f"<{word}>"
        for n in (3, 4):
            for i in range(len(padded) - n + 1):
                yield f"g:{padded[i : i + n]}"
        bones = skeleton(base if arabic(word) else word.removesuffix("'s"))
        if len(bones) > 1:
            yield f"k:{bones}"
            edged = f"^{bones}$"
            for i in range(len(edged) - 2):
                yield f"k3:{edged[i : i + 3]}"


def bucket(feature: str) -> str:
    """The shared row of a feature never seen: `k:` and `n:` only, else the feature itself.

    >>> bucket("n:1517").startswith("#n")
    True
    """
    kind, _, rest = feature.partition(":")
    if kind in ("k", "n"):
        return f"#{kind}{crc32(rest.encode()) % BUCKETS}"
    return feature


def arabic(word: str) -> bool:
    """Whether the word's first letter is Arabic."""
    return "\u0600" <= word[0] <= "\u06ff"


def split(word: str, counts: Mapping[str, int]) -> tuple[str, str]:
    """Proclitics of an Arabic word, and the stem of a word.

    Light10 (Larkey, Ballesteros & Connell 2007) finds the stem; one or two more letters are taken
    for proclitics where what then remains was seen ten times as often.

    >>> split("والكتب", {}), split("studies", {}), split("بكتاب", {"s:كتاب": 50})
    (('', 'كتب'), ('', 'studi'), ('ب', 'كتاب'))
    """
    if not arabic(word):
        return "", _stem(word)
    best = _light(word)
    clitic = ""
    most = 10 * counts.get(f"s:{best}", 0)
    for n in (1, 2):
        head = word[:n]
        if len(word) - n >= 3 and head in PROCLITICS:
            rest = _light(word[n:])
            seen = counts.get(f"s:{rest}", 0)
            if seen > most and len(rest) >= 3:
                clitic, best, most = head, rest, seen
    return clitic, best


PROCLITICS = {"ب", "ل", "ك", "ف", "س", "و", "وب", "ول", "وس", "فل", "فس", "فب", "وك"}
ARTICLES = ("وال", "بال", "كال", "فال", "ولل", "ال", "لل")
ENDINGS = ("هما", "ها", "ان", "ات", "ون", "ين", "يه", "هم", "ه", "ي")  # the longest first


def _light(word: str) -> str:
    for article in ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= 2:
            word = word[len(article) :]
            break
    else:
        if word[0] == "و" and len(word) > 4:
            word = word[1:]
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) < 4:
        return word
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ied", "y"), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss"):
            word = word[: -len(ending)] + rest
            break
    for ending in ("ing", "ed", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") else word


# Letters that render one another in names, either way: one sign a group.
_GROUPS = {
    "B": "bpب",
    "F": "fvف",
    "T": "tتطث",
    "D": "dدذض",
    "S": "szسزشصظ",
    "K": "kcqكقخ",
    "G": "gjجغ",
    "M": "mم",
    "N": "nن",
    "L": "lل",
    "R": "rر",
}
SIGNS = "".join(_GROUPS)
GROUPS = tuple(_GROUPS.values())  # in the order of SIGNS
_BONES = str.maketrans({c: sign for sign, group in _GROUPS.items() for c in group})
PAIRS = (
    ("تش", "ش"), ("نغ", "ن"), ("كس", "ks"),
    ("tch", "s"), ("sch", "s"), ("ch", "s"), ("sh", "s"), ("ph", "f"), ("th", "t"), ("gh", "g"),
    ("ck", "k"), ("ng", "n"), ("pf", "f"), ("x", "ks"), ("ce", "s"), ("ci", "s"), ("cy", "s"),
)  # fmt: skip


@lru_cache(1 << 16)
def skeleton(word: str) -> str:
    """The consonants of a name, alike in both scripts.

    >>> skeleton("washington"), skeleton("واشنطن"), skeleton("pfizer"), skeleton("فايزر")
    ('SNTN', 'SNTN', 'FSR', 'FSR')
    """
    for pair, single in PAIRS:
        word = word.replace(pair, single)
    out: list[str] = []
    for sign in word.translate(_BONES):
        if "A" <= sign <= "Z" and (not out or out[-1] != sign):
            out.append(sign)
    return "".join(out)

"""The words of a sentence, and the features of a word that the encoder adds up.

A feature is a string: `w:كتاب` is a word, `s:كتاب` its stem, `p:ب` a proclitic, `n:1500` a number.
Rare words also have letter n-grams (`g:<كتا`), their consonant skeleton in a form that both scripts
share (`k:KTB`), and sequences of three of its consonants (`k3:KTB`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Combining marks are removed after NFKD, which also removes hamza on its carriers and Latin
# accents; Cf are format controls.
_DROPPED = r"[\p{M}\p{Cf}\u0640]+"
_FOLD = {
    **dict(zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True)),
    **dict(zip("۰۱۲۳۴۵۶۷۸۹", "0123456789", strict=True)),
    **dict(zip("ىیةکٱ؟٪’‘٬٫", "ييهكا?%'',.", strict=True)),
}
_GROUPED = r"(\d),(\d{3})(?:,(\d{3}))?"
_WORD = r"\p{L}+(?:'\p{L}+)?|\d+|[?!%$€£]"

FEW = 512  # up to this many words or texts, a Python loop is faster than vectorized calls
BUCKETS = 8192  # shared rows for unseen skeletons, and as many for unseen numbers
RARE = 50  # a word seen this often needs no subword features: its own row is better
LONG = 40  # letters of a word that are used; no word of these languages is longer


def words(texts: pl.Series) -> pl.Series:
    """Extract the folded words of each text: String to List(String).

    Folding unifies NFKC and NFKD forms, removes marks and tatweel, and ignores case, hamza seats,
    alef maqsura and ta marbuta. Digits become ASCII and thousands are joined.

    >>> words(pl.Series(["Café «الكُتُب» ١٬٥٠٠؟"])).to_list()
    [['cafe', 'الكتب', '1500', '?']]
    """
    text = pl.col("text").str.normalize("NFKD").str.replace_all(_DROPPED, "").str.to_lowercase()
    text = text.str.replace_many(_FOLD).str.replace_all(_GROUPED, "${1}${2}${3}")
    return texts.to_frame("text").select(text.str.extract_all(_WORD)).to_series()


def features(word: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the features of a word from `words`; `counts` says how often stems were seen.

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
        consonants = skeleton(base if is_arabic(word) else word.removesuffix("'s"))
        if len(consonants) > 1:
            yield f"k:{consonants}"
            edged = f"^{consonants}$"
            for i in range(len(edged) - 2):
                yield f"k3:{edged[i : i + 3]}"


def bucket(feature: str) -> str:
    """Return the shared row of an unseen `k:` or `n:` feature; any other feature is returned as is.

    >>> bucket("n:1517").startswith("#n")
    True
    """
    kind, _, rest = feature.partition(":")
    if kind in ("k", "n"):
        return f"#{kind}{crc32(rest.encode()) % BUCKETS}"
    return feature


def is_arabic(word: str) -> bool:
    """Whether the word's first letter is Arabic."""
    return "\u0600" <= word[0] <= "\u06ff"


def split(word: str, counts: Mapping[str, int]) -> tuple[str, str]:
    """Split a word into its Arabic proclitics, if any, and its stem.

    Light10 (Larkey, Ballesteros & Connell 2007) finds the stem. One or two more letters count as
    proclitics if the remaining stem was seen ten times as often.

    >>> split("والكتب", {}), split("studies", {}), split("بكتاب", {"s:كتاب": 50})
    (('', 'كتب'), ('', 'studi'), ('ب', 'كتاب'))
    """
    if not is_arabic(word):
        return "", _english_stem(word)
    best = _light_stem(word)
    clitic = ""
    most = 10 * counts.get(f"s:{best}", 0)
    for n in (1, 2):
        head = word[:n]
        if len(word) - n >= 3 and head in PROCLITICS:
            rest = _light_stem(word[n:])
            seen = counts.get(f"s:{rest}", 0)
            if seen > most and len(rest) >= 3:
                clitic, best, most = head, rest, seen
    return clitic, best


PROCLITICS = {"ب", "ل", "ك", "ف", "س", "و", "وب", "ول", "وس", "فل", "فس", "فب", "وك"}
ARTICLES = ("وال", "بال", "كال", "فال", "ولل", "ال", "لل")
ENDINGS = ("هما", "ها", "ان", "ات", "ون", "ين", "يه", "هم", "ه", "ي")  # longest first


def _light_stem(word: str) -> str:
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


def _english_stem(word: str) -> str:
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


# Letters that are used to transliterate each other in names: one sign per group.
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
_TO_SIGN = str.maketrans({c: sign for sign, group in _GROUPS.items() for c in group})
PAIRS = (
    ("تش", "ش"), ("نغ", "ن"), ("كس", "ks"),
    ("tch", "s"), ("sch", "s"), ("ch", "s"), ("sh", "s"), ("ph", "f"), ("th", "t"), ("gh", "g"),
    ("ck", "k"), ("ng", "n"), ("pf", "f"), ("x", "ks"), ("ce", "s"), ("ci", "s"), ("cy", "s"),
)  # fmt: skip


@lru_cache(1 << 16)
def skeleton(word: str) -> str:
    """Return the consonants of a name, in a form that both scripts share.

    >>> skeleton("washington"), skeleton("واشنطن"), skeleton("pfizer"), skeleton("فايزر")
    ('SNTN', 'SNTN', 'FSR', 'FSR')
    """
    for pair, single in PAIRS:
        word = word.replace(pair, single)
    out: list[str] = []
    for sign in word.translate(_TO_SIGN):
        if "A" <= sign <= "Z" and (not out or out[-1] != sign):
            out.append(sign)
    return "".join(out)

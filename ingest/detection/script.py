"""The script rule: what a text shows without any model, in Polars expressions.

It finds the script with the most words. It decides the language where only one language uses the
script. It decides `zxx` where there is no language: digits, URLs, emoji, codes such as `TT`,
script debris, commands. The patterns and scripts are in `rules.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest._typing import I64
from ingest.codepoints import decode
from ingest.detection.char_kinds import COMPATIBILITY_FORMS, SCRIPT, CharKinds, kinds_of
from ingest.detection.informal import fold_informal, may_be_informal
from ingest.detection.rules import load_rules
from ingest.detection.special_lines import decide_special_lines

MAX_CHARS = 4_000  # characters analysed; the rest of a line never changes its language
_UNSPACED_WORD = 2  # letters that count as a word in scripts without spaces
_KANA_SHARE = 0.1  # Japanese mixes kana into Han; a Chinese text has at most the odd の
_LOWER_WORD = r"\b\p{Ll}"  # a Latin word that is not a name
_ARABIC_WORDS = 2  # that a line must have to be Arabic among Latin names
_LATIN, _ARABIC = 1, 2  # the first scripts of `rules.json`


def detect_scripts(texts: pl.Series) -> pl.DataFrame:
    """Analyse each text by itself.

    Args:
        texts: strings, nulls allowed.

    Returns:
        One row per text: `clean` (its first MAX_CHARS characters without URLs and markup),
        `script` (ISO 15924; Zyyy if it has no letters), `rival` (another script that has about as
        many words, or null), `lang` (the language, or zxx, if the script rule decides it),
        `letters` (the number of letters), `names` (the number of capitalised words), `others` (the
        number of letters outside names), `is_usual` (false if `normalize` may change the text).

    >>> frame = detect_scripts(pl.Series(["20", "Γειά σου", "شرح Dockge", "me@x.org"]))
    >>> frame.select("script", "rival", "lang").rows()
    [('Zyyy', None, 'zxx'), ('Grek', None, 'el'), ('Arab', 'Latn', None), ('Zyyy', None, 'zxx')]
    """
    raw = texts.cast(pl.String).fill_null("").str.slice(0, MAX_CHARS)
    clean = _remove_noise(raw)
    chars = CharKinds(clean)
    names = chars.names()
    all_capitals = (chars.upper > 0) & (chars.lower == 0)
    frame = pl.DataFrame(
        {
            "raw": raw,
            "clean": clean,
            "letters": chars.letters,
            "names": names.number,
            "others": chars.letters - names.letters,
            "is_usual": ~((chars.forms > 0) | all_capitals | may_be_informal(chars)),
        }
    )
    words = chars.words()
    frame = _add_other_scripts(_add_latin_or_arabic(frame, words), words, chars)
    frame = decide_special_lines(frame.with_columns(lang=only_language(pl.col("script"))))
    return frame.drop("raw")


def only_language(script: pl.Expr) -> pl.Expr:
    """The only language of a script; null if several languages use it."""
    languages = {s["code"]: s["lang"] for s in load_rules()["scripts"] if s["lang"]}
    languages["Zyyy"] = "zxx"
    return script.replace_strict(languages, default=None, return_dtype=pl.String)


def _change_matches(series: pl.Series, pattern: str, change: Any) -> pl.Series:
    """Apply `change` only to the strings that match: few do, and the change is slow."""
    rows = series.str.contains(pattern).arg_true()
    if rows.is_empty():
        return series
    return series.clone().scatter(rows, change(series.gather(rows)))  # scatter works in place


def _remove_noise(texts: pl.Series) -> pl.Series:
    def strip(noisy: pl.Series) -> pl.Series:
        rules = load_rules()
        for pattern in rules["noise"]:
            noisy = noisy.str.replace_all(pattern, " ")
        # Hosts and files are much the slowest pattern, and few lines have a suffix.
        return _change_matches(
            noisy, r"\.[A-Za-z]{2}", lambda text: text.str.replace_all(rules["files"], " ")
        )

    return _change_matches(texts, r"[@</]|[&.][\w#]", strip)


def normalize(texts: pl.DataFrame) -> pl.Series:
    """Prepare texts for a model: fold compatibility forms, informal spelling, and all capitals.

    Args:
        texts: the columns `clean` and `is_usual` of `detect_scripts`.

    >>> texts = detect_scripts(pl.Series(["ACTUALITÉS", "DW in 30", "ﻻ", "جداااا"]))
    >>> normalize(texts).to_list()
    ['actualités', 'DW in 30', 'لا', 'جدا']
    """
    rows = (~texts["is_usual"]).arg_true()
    if rows.is_empty():
        return texts["clean"]
    unusual = texts["clean"].gather(rows)
    unusual = _change_matches(unusual, COMPATIBILITY_FORMS, lambda t: t.str.normalize("NFKC"))
    unusual = fold_informal(unusual)
    all_capitals = unusual.str.contains(r"\p{Lu}") & ~unusual.str.contains(r"\p{Ll}")
    unusual = unusual.zip_with(~all_capitals, unusual.str.to_lowercase())
    return texts["clean"].clone().scatter(rows, unusual)


def _add_latin_or_arabic(frame: pl.DataFrame, words: I64) -> pl.DataFrame:
    """Add the script, Latin or Arabic: the one with more words, or the first one if they tie.

    Names count half when looking for a rival: `تثبيت Raspberry Pi Imager على Mac` is an Arabic
    sentence if the page is Arabic. A line that begins with Arabic words, and has no Latin word but
    names, is Arabic on any page.
    """
    latn, arab = words[:, _LATIN], words[:, _ARABIC]
    mixed = np.flatnonzero((latn > 0) & (arab > 0))
    text = frame["clean"].gather(mixed)
    names = text.str.count_matches(r"\p{Lu}[\p{Latin}\d'’]*").to_numpy() / 2
    first = text.str.extract(r"([\p{Latin}\p{Arabic}])").str.contains(r"\p{Latin}").to_numpy()
    no_lower = (text.str.count_matches(_LOWER_WORD) == 0).to_numpy()
    script = np.where(latn > arab, _LATIN, np.where(arab > 0, _ARABIC, 0))
    rival = np.zeros_like(script)
    latn, arab = latn[mixed], arab[mixed]
    only_names = no_lower & (arab >= _ARABIC_WORDS) & ~first
    is_latin = ((latn > arab) & ~only_names) | ((latn == arab) & first)
    script[mixed] = np.where(is_latin, _LATIN, _ARABIC)
    rival[mixed] = np.where(
        is_latin,
        np.where(latn - names <= arab, _ARABIC, 0),
        np.where((latn == arab) & ~only_names, _LATIN, 0),
    )
    codes = pl.Series(["Zyyy", "Latn", "Arab"])
    return frame.with_columns(
        script=codes.gather(script), rival=codes.gather(pl.Series(rival).replace(0, None))
    )


def _add_other_scripts(frame: pl.DataFrame, words: I64, chars: CharKinds) -> pl.DataFrame:
    """Compare all scripts in texts with letters other than Latin and Arabic."""
    rows = np.flatnonzero(words[:, _ARABIC + 1 :].any(axis=1))
    if not len(rows):
        return frame
    scripts = load_rules()["scripts"]
    unspaced = np.array([n for n, script in enumerate(scripts, 1) if not script["spaced"]])
    table = words[rows]
    table[:, unspaced] = -(-chars.chars_of(unspaced)[np.ix_(rows, unspaced)] // _UNSPACED_WORD)
    table = table[:, 1 : len(scripts) + 1]
    codes = [s["code"] for s in scripts]
    han, kana = codes.index("Hani"), codes.index("Kana")
    japanese = table[:, kana] > _KANA_SHARE * table[:, han]
    table[japanese, kana] += table[japanese, han]
    table[japanese, han] = 0
    best = table.argmax(axis=1)
    most = table.max(axis=1)
    first = _first_script(frame["clean"].gather(rows))
    tied = (table == most[:, None]).sum(axis=1) > 1
    text = np.arange(len(best))
    in_table = (first >= 0) & (first < len(codes))
    leads = tied & in_table & (table[text, np.where(in_table, first, 0)] == most)
    best = np.where(leads, first, best)
    table[text, best] = -1
    second = np.where(tied, table.argmax(axis=1), -1)
    names = np.array([*codes, "Zzzz", None], dtype=object)
    script = pl.Series(names[np.where(most > 0, best, len(codes))].tolist(), dtype=pl.String)
    rival = pl.Series(
        names[np.where(tied & (most > 0), second, len(codes) + 1)].tolist(), dtype=pl.String
    )
    return frame.with_columns(
        frame["script"].clone().scatter(rows, script), frame["rival"].clone().scatter(rows, rival)
    )


def _first_script(texts: pl.Series) -> I64:
    """The number of the script of each text's first letter, from 0; -1 if it is in none."""
    letters = texts.str.extract(r"(\p{L})").fill_null(" ")
    return (kinds_of(decode(letters)[0]) & SCRIPT).astype(np.int64) - 1

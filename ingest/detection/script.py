"""The script rule: what a text shows without any model, in Polars expressions.

It finds the script with the most words. It decides the language where only one language uses the
script. It decides `zxx` where there is no language: digits, URLs, emoji, codes such as `TT`,
script debris, commands. The patterns and scripts are in `rules.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.detection.informal import fold_informal
from ingest.detection.rules import load_rules
from ingest.detection.special_lines import decide_special_lines

MAX_CHARS = 4_000  # characters analysed; the rest of a line never changes its language
_COMPATIBILITY_FORMS = r"[\u{300}-\u{36f}\u{fb50}-\u{fdff}\u{fe70}-\u{fefc}\u{ff01}-\u{ff5e}]"
_UNSPACED_WORD = 2  # letters that count as a word in scripts without spaces
_KANA_SHARE = 0.1  # Japanese mixes kana into Han; a Chinese text has at most the odd の
_LOWER_WORD = r"\b\p{Ll}"  # a Latin word that is not a name
_ARABIC_WORDS = 2  # that a line must have to be Arabic among Latin names
_OTHER_LETTERS = r"[\p{L}--\p{Latin}--\p{Arabic}--\p{Common}--\p{Inherited}]"


def detect_scripts(texts: pl.Series) -> pl.DataFrame:
    """Analyse each text by itself.

    Args:
        texts: strings, nulls allowed.

    Returns:
        One row per text: `clean` (its first MAX_CHARS characters without URLs and markup),
        `script` (ISO 15924; Zyyy if it has no letters), `rival` (another script that has about as
        many words, or null), `lang` (the language, or zxx, if the script rule decides it),
        `letters` (the number of letters).

    >>> frame = detect_scripts(pl.Series(["20", "Γειά σου", "شرح Dockge", "me@x.org"]))
    >>> frame.select("script", "rival", "lang").rows()
    [('Zyyy', None, 'zxx'), ('Grek', None, 'el'), ('Arab', 'Latn', None), ('Zyyy', None, 'zxx')]
    """
    raw = texts.cast(pl.String).fill_null("").str.slice(0, MAX_CHARS)
    frame = pl.DataFrame({"raw": raw, "clean": _remove_noise(raw)})
    frame = _add_other_scripts(_add_latin_or_arabic(frame))
    letters = pl.col("clean").str.count_matches(r"\p{L}").cast(pl.Int64)
    frame = frame.with_columns(lang=only_language(pl.col("script")), letters=letters)
    frame = decide_special_lines(frame)
    return frame.select("clean", "script", "rival", "lang", "letters")


def only_language(script: pl.Expr) -> pl.Expr:
    """The only language of a script; null if several languages use it."""
    languages = {s["code"]: s["lang"] for s in load_rules()["scripts"] if s["lang"]}
    languages["Zyyy"] = "zxx"
    return script.replace_strict(languages, default=None, return_dtype=pl.String)


def _word_pattern(script: str) -> str:
    """Match a run of letters of one script: a word, or a part of a word with mixed scripts."""
    return rf"[\p{{{script}}}&&\p{{L}}][\p{{{script}}}\p{{M}}'’\u{{200c}}\u{{200d}}]*"


def _change_matches(series: pl.Series, pattern: str, change: Any) -> pl.Series:
    """Apply `change` only to the strings that match: few do, and the change is slow."""
    rows = series.str.contains(pattern).arg_true()
    if rows.is_empty():
        return series
    return series.clone().scatter(rows, change(series.gather(rows)))  # scatter works in place


def _remove_noise(texts: pl.Series) -> pl.Series:
    def strip(noisy: pl.Series) -> pl.Series:
        for pattern in load_rules()["noise"]:
            noisy = noisy.str.replace_all(pattern, " ")
        return noisy

    return _change_matches(texts, r"[@</]|[&.][\w#]", strip)


def normalize(texts: pl.Series) -> pl.Series:
    """Prepare texts for a model: fold compatibility forms, informal spelling, and all capitals.

    >>> normalize(pl.Series(["ACTUALITÉS", "DW in 30", "ﻻ", "جداااا"])).to_list()
    ['actualités', 'DW in 30', 'لا', 'جدا']
    """
    texts = _change_matches(texts, _COMPATIBILITY_FORMS, lambda t: t.str.normalize("NFKC"))
    texts = fold_informal(texts)
    all_capitals = texts.str.contains(r"\p{Lu}") & ~texts.str.contains(r"\p{Ll}")
    rows = all_capitals.arg_true()
    if rows.is_empty():
        return texts
    return texts.clone().scatter(rows, texts.gather(rows).str.to_lowercase())


def _add_latin_or_arabic(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the script, Latin or Arabic: the one with more words, or the first one if they tie.

    Names count half when looking for a rival: `تثبيت Raspberry Pi Imager على Mac` is an Arabic
    sentence if the page is Arabic. A line that begins with Arabic words, and has no Latin word but
    names, is Arabic on any page.
    """
    text, latn, arab = pl.col("clean"), pl.col("latn"), pl.col("arab")
    both = (latn > 0) & (arab > 0)
    mixed = pl.when(both).then(text)
    names = mixed.str.count_matches(r"\p{Lu}[\p{Latin}\d'’]*") / 2
    first = mixed.str.extract(r"([\p{Latin}\p{Arabic}])").str.contains(r"\p{Latin}")
    only_names = (mixed.str.count_matches(_LOWER_WORD) == 0) & (arab >= _ARABIC_WORDS) & ~first
    return (
        frame.with_columns(
            latn=text.str.count_matches(_word_pattern("Latin")),
            arab=text.str.count_matches(_word_pattern("Arabic")),
        )
        .with_columns(
            script=pl.when((latn == 0) & (arab == 0))
            .then(pl.lit("Zyyy"))
            .when(((latn > arab) & ~only_names.fill_null(value=False)) | ((latn == arab) & first))
            .then(pl.lit("Latn"))
            .otherwise(pl.lit("Arab")),
        )
        .with_columns(
            rival=pl.when(both & (pl.col("script") == "Latn") & (latn - names <= arab))
            .then(pl.lit("Arab"))
            .when(both & (latn == arab) & (pl.col("script") == "Arab") & ~only_names)
            .then(pl.lit("Latn"))
        )
        .drop("latn", "arab")
    )


def _add_other_scripts(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the words of every script in texts with letters other than Latin and Arabic."""
    rows = frame["clean"].str.contains(_OTHER_LETTERS).arg_true()
    if rows.is_empty():
        return frame
    texts = frame["clean"].gather(rows)
    scripts = load_rules()["scripts"]
    counts = []
    for script in scripts:
        if script["spaced"]:
            counts.append(texts.str.count_matches(_word_pattern(script["property"])).to_numpy())
        else:
            letters = texts.str.count_matches(rf"[\p{{{script['property']}}}]").to_numpy()
            counts.append(-(-letters.astype(np.int64) // _UNSPACED_WORD))
    table = np.stack(counts, axis=1).astype(np.int64)
    codes = [s["code"] for s in scripts]
    han, kana = codes.index("Hani"), codes.index("Kana")
    japanese = table[:, kana] > _KANA_SHARE * table[:, han]
    table[japanese, kana] += table[japanese, han]
    table[japanese, han] = 0
    best = table.argmax(axis=1)
    most = table.max(axis=1)
    first = _first_script(texts)
    tied = (table == most[:, None]).sum(axis=1) > 1
    text = np.arange(len(best))
    leads = tied & (first >= 0) & (table[text, first] == most)
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


def _first_script(texts: pl.Series) -> Any:
    """The number of the script of each text's first letter; -1 if it is in none."""
    letter = texts.str.extract(r"(\p{L})").fill_null("")
    out = np.full(len(texts), -1)
    for i, script in enumerate(load_rules()["scripts"]):
        out[letter.str.contains(rf"[\p{{{script['property']}}}]").to_numpy()] = i
    return out

"""The script rule: what can be said of a text before any model, in Polars expressions.

It finds the script with most words, settles scripts that one language owns, and settles as `zxx`
what has no language in it: digits, addresses, emoji, codes such as `TT`, debris of scripts,
commands. Patterns and scripts stand in `rules.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.detection.codes import settle
from ingest.detection.rules import rules

CAP = 4_000  # characters looked at: more of a line never changes its language
_FOLDED = r"[\u{300}-\u{36f}\u{fb50}-\u{fdff}\u{fe70}-\u{fefc}\u{ff01}-\u{ff5e}]"
_UNSPACED = 2  # letters that count as a word where words are not spaced
_KANA_SHARE = 0.1  # Japanese mixes kana into Han; a Chinese text has at most a の
_OTHER_LETTERS = r"[\p{L}--\p{Latin}--\p{Arabic}--\p{Common}--\p{Inherited}]"


def read(texts: pl.Series) -> pl.DataFrame:
    """Look at each text by itself.

    Args:
        texts: strings, nulls allowed.

    Returns:
        One row a text: `clean` (its first CAP characters without addresses and markup), `script`
        (ISO 15924; Zyyy: no letters), `rival` (another script that has about as many words, else
        null), `letters` (their number), `lang` (where that is settled, zxx included).

    >>> seen = read(pl.Series(["20", "Γειά σου", "شرح Dockge", "me@x.org"]))
    >>> seen.select("script", "rival", "lang").rows()
    [('Zyyy', None, 'zxx'), ('Grek', None, 'el'), ('Arab', 'Latn', None), ('Zyyy', None, 'zxx')]
    """
    raw = texts.cast(pl.String).fill_null("").str.slice(0, CAP)
    frame = pl.DataFrame({"raw": raw, "clean": _without_noise(raw)})
    frame = _with_other_scripts(_with_script(frame))
    letters = pl.col("clean").str.count_matches(r"\p{L}").cast(pl.Int64)
    frame = settle(frame.with_columns(lang=owner(pl.col("script")), letters=letters))
    return frame.select("clean", "script", "rival", "lang", "letters")


def owner(script: pl.Expr) -> pl.Expr:
    """The one language of a script; null where several share it."""
    owned = {s["code"]: s["lang"] for s in rules()["scripts"] if s["lang"]} | {"Zyyy": "zxx"}
    return script.replace_strict(owned, default=None, return_dtype=pl.String)


def _words(name: str) -> str:
    """A run of letters of one script: a word, or a part of one that other letters are glued to."""
    return rf"[\p{{{name}}}&&\p{{L}}][\p{{{name}}}\p{{M}}'’\u{{200c}}\u{{200d}}]*"


def _where(series: pl.Series, pattern: str, change: Any) -> pl.Series:
    """Apply `change` only to the strings that match: most never do, and patterns cost time."""
    hit = series.str.contains(pattern).arg_true()
    if hit.is_empty():
        return series
    return series.clone().scatter(hit, change(series.gather(hit)))  # scatter works in place


def _without_noise(texts: pl.Series) -> pl.Series:
    def strip(some: pl.Series) -> pl.Series:
        for pattern in rules()["noise"]:
            some = some.str.replace_all(pattern, " ")
        return some

    return _where(texts, r"[@</]|[&.][\w#]", strip)


def normal(texts: pl.Series) -> pl.Series:
    """What a model reads: compatibility forms folded, a text all in capitals in small letters.

    >>> normal(pl.Series(["ACTUALITÉS", "DW in 30", "ﻻ"])).to_list()
    ['actualités', 'DW in 30', 'لا']
    """
    texts = _where(texts, _FOLDED, lambda some: some.str.normalize("NFKC"))
    shouted = texts.str.contains(r"\p{Lu}") & ~texts.str.contains(r"\p{Ll}")
    hit = shouted.arg_true()
    if hit.is_empty():
        return texts
    return texts.clone().scatter(hit, texts.gather(hit).str.to_lowercase())


def _with_script(frame: pl.DataFrame) -> pl.DataFrame:
    """Latin or Arabic, whichever has more words, and the first one where they have as many.

    Names count half for a rival: in `تثبيت Raspberry Pi Imager على Mac` the sentence is Arabic,
    if the page is.
    """
    text, latn, arab = pl.col("clean"), pl.col("latn"), pl.col("arab")
    both = (latn > 0) & (arab > 0)
    mixed = pl.when(both).then(text)
    names = mixed.str.count_matches(r"\p{Lu}[\p{Latin}\d'’]*") / 2
    first = mixed.str.extract(r"([\p{Latin}\p{Arabic}])").str.contains(r"\p{Latin}")
    return (
        frame.with_columns(
            latn=text.str.count_matches(_words("Latin")),
            arab=text.str.count_matches(_words("Arabic")),
        )
        .with_columns(
            script=pl.when((latn == 0) & (arab == 0))
            .then(pl.lit("Zyyy"))
            .when((latn > arab) | ((latn == arab) & first))
            .then(pl.lit("Latn"))
            .otherwise(pl.lit("Arab")),
        )
        .with_columns(
            rival=pl.when(both & (pl.col("script") == "Latn") & (latn - names <= arab))
            .then(pl.lit("Arab"))
            .when(both & (latn == arab) & (pl.col("script") == "Arab"))
            .then(pl.lit("Latn"))
        )
        .drop("latn", "arab")
    )


def _with_other_scripts(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the words of every script where a letter is neither Latin nor Arabic."""
    hit = frame["clean"].str.contains(_OTHER_LETTERS).arg_true()
    if hit.is_empty():
        return frame
    texts = frame["clean"].gather(hit)
    known = rules()["scripts"]
    counts = []
    for script in known:
        if script["spaced"]:
            counts.append(texts.str.count_matches(_words(script["property"])).to_numpy())
        else:
            letters = texts.str.count_matches(rf"[\p{{{script['property']}}}]").to_numpy()
            counts.append(-(-letters.astype(np.int64) // _UNSPACED))
    table = np.stack(counts, axis=1).astype(np.int64)
    codes = [s["code"] for s in known]
    han, kana = codes.index("Hani"), codes.index("Kana")
    japanese = table[:, kana] > _KANA_SHARE * table[:, han]
    table[japanese, kana] += table[japanese, han]
    table[japanese, han] = 0
    best = table.argmax(axis=1)
    most = table.max(axis=1)
    first = _first_script(texts)
    tied = (table == most[:, None]).sum(axis=1) > 1
    rows = np.arange(len(best))
    leads = tied & (first >= 0) & (table[rows, first] == most)
    best = np.where(leads, first, best)
    table[rows, best] = -1
    second = np.where(tied, table.argmax(axis=1), -1)
    names = np.array([*codes, "Zzzz", None], dtype=object)
    script = pl.Series(names[np.where(most > 0, best, len(codes))].tolist(), dtype=pl.String)
    rival = pl.Series(
        names[np.where(tied & (most > 0), second, len(codes) + 1)].tolist(), dtype=pl.String
    )
    return frame.with_columns(
        frame["script"].clone().scatter(hit, script), frame["rival"].clone().scatter(hit, rival)
    )


def _first_script(texts: pl.Series) -> Any:
    """The number of the script of each text's first letter, -1 where it is of none."""
    letter = texts.str.extract(r"(\p{L})").fill_null("")
    out = np.full(len(texts), -1)
    for i, script in enumerate(rules()["scripts"]):
        out[letter.str.contains(rf"[\p{{{script['property']}}}]").to_numpy()] = i
    return out

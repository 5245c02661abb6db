"""The training pairs as arrays of words: sources, how much of each, and what is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ingest.encoder.words import words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

# Group of each source, and passes over it in one epoch. Prose and speech count for more than
# interface strings, and templated notes and second Bible translations for less. Sources that are
# not listed are not trained on. Either their terms are not open or not clear (such as quran_risan,
# udhr and stellarium_skycultures), or they are a published test set (tatoeba_challenge_test), which
# is used for development.
SOURCES: dict[str, tuple[str, float]] = {
    "tatoeba_manythings": ("chat", 4.0),
    "tico19": ("prose", 4.0),
    "opensource_guide": ("prose", 3.0),
    "debian_handbook": ("prose", 2.0),
    "mozilla_www": ("prose", 3.0),
    "vue_docs": ("prose", 2.0),
    "nextstrain_covid": ("prose", 4.0),
    "cc_legalcode": ("prose", 3.0),
    "aquifer_themes": ("prose", 2.0),
    "aquifer_profiles": ("prose", 2.0),
    "biblica_dictionary": ("prose", 2.0),
    "raspberrypi_projects": ("prose", 1.5),
    "js_algorithms": ("prose", 1.0),
    "tldr": ("prose", 1.0),
    "ms_beginners_llm": ("prose", 1.0),
    "zechub": ("prose", 1.0),
    "uw_bible_stories": ("chat", 2.0),
    "uw_questions": ("bible", 0.7),
    "aquifer_study_notes": ("bible", 0.8),
    "uw_translation_manual": ("bible", 1.0),
    "uw_translation_notes": ("bible", 0.25),
    "bible_onav_bsb": ("bible", 0.8),
    "bible_vandyck_bsb": ("bible", 0.3),
    "yaml_osm_inat_bitcoin": ("ui", 1.0),
    "android_apps": ("ui", 1.0),
    "android_lineage": ("ui", 1.0),
    "erpnext": ("ui", 0.5),
    "games_stk": ("ui", 1.0),
    "gnome": ("ui", 0.7),
    "godot_editor": ("ui", 0.7),
    "kde": ("ui", 0.7),
    "mediawiki": ("ui", 0.8),
    "mint_cinnamon": ("ui", 0.7),
    "nextcloud": ("ui", 0.7),
    "odoo": ("ui", 0.7),
    "dict_android_apps_short": ("terms", 0.3),
    "dict_android_lineage_short": ("terms", 0.3),
    "dict_debian_handbook_short": ("terms", 0.3),
    "dict_erpnext_short": ("terms", 0.3),
    "dict_games_stk_short": ("terms", 0.3),
    "dict_gnome_short": ("terms", 0.3),
    "dict_godot_editor_short": ("terms", 0.3),
    "dict_kde_short": ("terms", 0.3),
    "dict_mediawiki_short": ("terms", 0.3),
    "dict_mint_cinnamon_short": ("terms", 0.3),
    "dict_nextcloud_short": ("terms", 0.3),
    "dict_odoo_short": ("terms", 0.3),
    "dict_yaml_osm_inat_bitcoin_short": ("terms", 0.3),
}
GROUPS = ("chat", "prose", "bible", "ui", "terms")

# Held out: this many neighboring lines from the middle of the source, that is, whole documents.
HELD_OUT = {"tico19": 300, "debian_handbook": 200, "opensource_guide": 200, "aquifer_themes": 300}
# Held-out pairs that belong to no document. The Tatoeba Challenge test set is never trained on.
HELD_OUT_PAIRS = {"tatoeba_manythings": 700}
UNTRAINED = {"tatoeba_challenge_test": 1000}


@dataclass(frozen=True)
class Side:
    """Sentences of one language as runs of word numbers: `words[starts[i]:starts[i + 1]]`."""

    words: Ints
    starts: Ints


@dataclass(frozen=True)
class Pairs:
    """Training pairs as word numbers in one vocabulary, and held-out pairs as text."""

    vocabulary: list[str]
    english: Side
    arabic: Side
    group: Ints  # number in GROUPS
    passes: NDArray[np.float32]  # how often a pair is used in one epoch
    source: Ints  # number of the source; the pairs of a source are in the order of its text
    keys: tuple[Ints, Ints]  # for English and Arabic: equal numbers mean equal folded text
    held_out: dict[str, pl.DataFrame]  # columns english, arabic


def read(folder: Path, exclude: list[Path] | None = None) -> Pairs:
    """Read all training pairs from a folder of `english<TAB>arabic` files.

    Args:
        folder: contains the sources as `<name>.tsv`.
        exclude: more such files, with evaluation pairs. A training pair is dropped if either side
            equals one of their lines, ignoring case, marks and punctuation.
    """
    table = _table(folder)
    test_pairs, used = _hold_out(table, folder)
    for path in exclude or []:
        more = pairs(path)
        used += [_keys(more["english"]), _keys(more["arabic"])]
    excluded = pl.concat(used).unique().implode()
    table = table.filter(
        ~pl.col("en_key").is_in(excluded), ~pl.col("ar_key").is_in(excluded)
    ).unique(["en_key", "ar_key"], keep="first", maintain_order=True)
    # keep an English sentence at most twice, whatever its Arabic
    table = table.filter(pl.int_range(pl.len()).over("en_key") < 2)
    vocabulary = pl.concat([table["en"].explode(), table["ar"].explode()]).unique().sort()
    numbers = pl.DataFrame({"word": vocabulary, "n": np.arange(len(vocabulary))})
    return Pairs(
        vocabulary.to_list(),
        _side(table["en"], numbers),
        _side(table["ar"], numbers),
        table["group"].cast(pl.Int64).to_numpy(),
        table["passes"].to_numpy(),
        table["source"].cast(pl.Int64).to_numpy(),
        (_dense(table["en_key"]), _dense(table["ar_key"])),
        test_pairs,
    )


def held_out(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the held-out pairs of a folder: columns english and arabic, by name of the source."""
    return _hold_out(_table(folder), folder)[0]


def pairs(path: Path) -> pl.DataFrame:
    """Read a file of `english<TAB>arabic` lines: columns english and arabic."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    rows = [line[:2] for line in lines if len(line) >= 2]
    return pl.DataFrame(rows, schema={"english": pl.String, "arabic": pl.String}, orient="row")


def _table(folder: Path) -> pl.DataFrame:
    frames = [
        pairs(folder / f"{name}.tsv").with_columns(
            source=pl.lit(i), group=pl.lit(GROUPS.index(group)), passes=pl.lit(n, pl.Float32)
        )
        for i, (name, (group, n)) in enumerate(SOURCES.items())
        if (folder / f"{name}.tsv").is_file()
    ]
    table = pl.concat(frames)
    table = table.with_columns(en=words(table["english"]), ar=words(table["arabic"]))
    return table.filter(pl.col("en").list.len() > 0, pl.col("ar").list.len() > 0).with_columns(
        en_key=pl.col("en").list.join(" ").hash(), ar_key=pl.col("ar").list.join(" ").hash()
    )


def _hold_out(table: pl.DataFrame, folder: Path) -> tuple[dict[str, pl.DataFrame], list[Any]]:
    test_pairs: dict[str, pl.DataFrame] = {}
    names = list(SOURCES)
    for name, n in HELD_OUT.items():
        rows = table.filter(pl.col("source") == names.index(name))
        test_pairs[name] = rows.slice(rows.height // 2, n)
    for name, n in HELD_OUT_PAIRS.items():
        rows = table.filter(pl.col("source") == names.index(name))
        test_pairs[name] = rows.sample(min(n, rows.height), seed=1)
    test_pairs = {
        k: v.unique("en_key", maintain_order=True).unique("ar_key", maintain_order=True)
        for k, v in test_pairs.items()
    }
    used = [v[c] for v in test_pairs.values() for c in ("en_key", "ar_key")]
    seen = pl.concat([table["en_key"], table["ar_key"]]).unique().implode()
    for name, n in UNTRAINED.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            continue
        rows = pairs(path)
        rows = rows.with_columns(en_key=_keys(rows["english"]), ar_key=_keys(rows["arabic"]))
        rows = rows.unique("en_key", maintain_order=True).unique("ar_key", maintain_order=True)
        rows = rows.filter(~pl.col("en_key").is_in(seen), ~pl.col("ar_key").is_in(seen))
        test_pairs[name] = rows.sample(min(n, rows.height), seed=1)
    return {k: v.select("english", "arabic") for k, v in test_pairs.items()}, used


def _keys(texts: pl.Series) -> pl.Series:
    return words(texts).list.join(" ").hash()


def _dense(keys: pl.Series) -> Ints:
    return keys.rank("dense").cast(pl.Int64).to_numpy()


def _side(lists: pl.Series, numbers: pl.DataFrame) -> Side:
    flat = lists.explode().to_frame("word").join(numbers, "word", "left", maintain_order="left")
    starts = np.concatenate([[0], lists.list.len().cast(pl.Int64).cum_sum().to_numpy()])
    return Side(flat["n"].cast(pl.Int64).to_numpy(), starts)

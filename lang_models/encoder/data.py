"""The training pairs: which sources, how much of each, what is held out, as arrays of words."""

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

# Group and passes over a source in one epoch: prose and speech over interface strings, templated
# notes and doubled Bibles less. A source that is not named here is not trained on: those whose
# terms are not open or not clear (quran_risan, udhr, stellarium_skycultures among them), and
# tatoeba_challenge_test, a published test set, which is for development.
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

# Held out: a run of neighbouring lines, which are whole documents or chapters, from the middle.
HELD_OUT = {"tico19": 300, "debian_handbook": 200, "opensource_guide": 200, "aquifer_themes": 300}
# ... and pairs that have no document. The test set of the Tatoeba Challenge is never trained on.
HELD_OUT_PAIRS = {"tatoeba_manythings": 700}
UNTRAINED = {"tatoeba_challenge_test": 1000}


@dataclass(frozen=True)
class Side:
    """Sentences of one language as runs of word numbers: `words[starts[i]:starts[i + 1]]`."""

    words: Ints
    starts: Ints


@dataclass(frozen=True)
class Pairs:
    """Training pairs with a common vocabulary of words, and the held-out pairs as text."""

    vocabulary: list[str]
    english: Side
    arabic: Side
    group: Ints  # number in GROUPS
    passes: NDArray[np.float32]  # how often a pair is seen in one epoch
    source: Ints  # neighbours of one source are neighbours in the text
    keys: tuple[Ints, Ints]  # equal numbers, equal folded text: English, Arabic
    held_out: dict[str, pl.DataFrame]  # columns english, arabic


def read(folder: Path, exclude: list[Path] | None = None) -> Pairs:
    """All training pairs of a folder of `english<TAB>arabic` files.

    Args:
        folder: Where the sources stand as `<name>.tsv`.
        exclude: More such files of evaluation pairs: a training pair equal to one of their lines
            on either side is left out, case, marks and punctuation ignored.
    """
    table = _table(folder)
    held, used = _hold_out(table, folder)
    for path in exclude or []:
        more = pairs(path)
        used += [_keys(more["english"]), _keys(more["arabic"])]
    barred = pl.concat(used).unique().implode()
    table = table.filter(~pl.col("en_key").is_in(barred), ~pl.col("ar_key").is_in(barred)).unique(
        ["en_key", "ar_key"], keep="first", maintain_order=True
    )
    # one English sentence at most twice, whatever its Arabic
    table = table.filter(pl.int_range(pl.len()).over("en_key") < 2)
    every = pl.concat([table["en"].explode(), table["ar"].explode()]).unique().sort()
    numbers = pl.DataFrame({"word": every, "n": np.arange(len(every))})
    return Pairs(
        every.to_list(),
        _side(table["en"], numbers),
        _side(table["ar"], numbers),
        table["group"].cast(pl.Int64).to_numpy(),
        table["passes"].to_numpy(),
        table["source"].cast(pl.Int64).to_numpy(),
        (_dense(table["en_key"]), _dense(table["ar_key"])),
        held,
    )


def held_out(folder: Path) -> dict[str, pl.DataFrame]:
    """The pairs of that folder that are for measuring: name to columns english, arabic."""
    return _hold_out(_table(folder), folder)[0]


def pairs(path: Path) -> pl.DataFrame:
    """A file of `english<TAB>arabic` lines: columns english, arabic."""
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
    held: dict[str, pl.DataFrame] = {}
    names = list(SOURCES)
    for name, n in HELD_OUT.items():
        rows = table.filter(pl.col("source") == names.index(name))
        held[name] = rows.slice(rows.height // 2, n)
    for name, n in HELD_OUT_PAIRS.items():
        rows = table.filter(pl.col("source") == names.index(name))
        held[name] = rows.sample(min(n, rows.height), seed=1)
    held = {
        k: v.unique("en_key", maintain_order=True).unique("ar_key", maintain_order=True)
        for k, v in held.items()
    }
    used = [v[c] for v in held.values() for c in ("en_key", "ar_key")]
    seen = pl.concat([table["en_key"], table["ar_key"]]).unique().implode()
    for name, n in UNTRAINED.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            continue
        rows = pairs(path)
        rows = rows.with_columns(en_key=_keys(rows["english"]), ar_key=_keys(rows["arabic"]))
        rows = rows.unique("en_key", maintain_order=True).unique("ar_key", maintain_order=True)
        rows = rows.filter(~pl.col("en_key").is_in(seen), ~pl.col("ar_key").is_in(seen))
        held[name] = rows.sample(min(n, rows.height), seed=1)
    return {k: v.select("english", "arabic") for k, v in held.items()}, used


def _keys(texts: pl.Series) -> pl.Series:
    return words(texts).list.join(" ").hash()


def _dense(keys: pl.Series) -> Ints:
    return keys.rank("dense").cast(pl.Int64).to_numpy()


def _side(lists: pl.Series, numbers: pl.DataFrame) -> Side:
    flat = lists.explode().to_frame("word").join(numbers, "word", "left", maintain_order="left")
    starts = np.concatenate([[0], lists.list.len().cast(pl.Int64).cum_sum().to_numpy()])
    return Side(flat["n"].cast(pl.Int64).to_numpy(), starts)

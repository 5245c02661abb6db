"""The filter on pairs that people translated: test sets kept out, and thresholds from clean pairs.

    python tests/benchmarks/filtering.py [--shared DIR]

--exclude: how many pairs are dropped for a test set that is not in them.
--like: thresholds from 1,000 pairs of a file, applied to 2,000 other pairs of it, and to pairs that
are damaged in the ways of lang_models/quality/damage.py, beside the default thresholds.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[2]))
import ingest
from ingest.config import FilterConfig
from ingest.filtering.calibration import calibrate
from ingest.filtering.excluded import ExcludedTexts, read_excluded
from lang_models.quality.damage import KINDS, Pair, Store, damage

DOMAINS = ("debian_handbook", "kde", "odoo", "tico19")
CLEAN, OTHERS, DAMAGED = 1000, 2000, 500
BATCH = 1 << 15
NO_DUPLICATES = FilterConfig(near=0, max_sources=0, max_targets=0)


def read(path: Path) -> list[Pair]:
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n"))
    return list(dict.fromkeys((row[0], row[1]) for row in rows if len(row) == 2))


def frame(pairs: list[Pair]) -> pl.DataFrame:
    table = pl.DataFrame(pairs, ["en", "ar"], orient="row")
    return ingest.read_pairs(table, langs=["en", "ar"])


def dropped(scored: pl.DataFrame, config: FilterConfig) -> float:
    """Return the share of pairs that rules about single pairs drop."""
    reason = ingest.filter(scored, config=config)["drop_reason"]
    is_copy = reason.is_in(["duplicate", "same but for form"]).fill_null(value=False)
    return reason.filter(~is_copy).count() / int((~is_copy).sum())


def exclude(parallel: Path, test_set: Path) -> None:
    excluded = ExcludedTexts(*read_excluded([test_set]))
    pairs = found = 0
    # files dict_* hold single words
    for path in sorted(p for p in parallel.glob("*.tsv") if not p.name.startswith("dict_")):
        table = pl.DataFrame(read(path), ["source_text", "target_text"], orient="row")
        pairs += len(table)
        for batch in table.iter_slices(BATCH):
            found += int(excluded.match(batch).sum())
    print(f"{test_set.name}: {found:,} of {pairs:,} pairs excluded")


def like(shared: Path) -> None:
    parallel = shared / "parallel"
    store = Store.build(shared / "lid_text", read(parallel / "tico19.tsv"))
    print(f"{'':18}{'kept of clean':>20}{'dropped of damaged':>20}")
    for domain in DOMAINS:
        pairs, rng = read(parallel / f"{domain}.tsv"), random.Random(7)
        beside = dict(zip(pairs, pairs[1:] + pairs[:1], strict=True))
        rng.shuffle(pairs)
        clean, others = pairs[:CLEAN], pairs[CLEAN : CLEAN + OTHERS]
        damaged = []
        for kind in KINDS:
            made = (damage(kind, pair, beside[pair], store, rng) for pair in others)
            damaged += [pair for pair in made if pair and all(map(str.strip, pair))][:DAMAGED]
        clean, others, bad = (ingest.score(frame(rows)) for rows in (clean, others, damaged))
        like_clean = replace(NO_DUPLICATES, **calibrate(clean, FilterConfig()))
        for name, config in (("default", NO_DUPLICATES), ("--like", like_clean)):
            kept = 1 - dropped(others, config)
            print(f"{domain:18}{name:10}{kept:10.1%}{dropped(bad, config):20.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    exclude(shared / "parallel", shared / "bench" / "mt" / "flores_devtest.tsv")
    like(shared)


if __name__ == "__main__":
    main()

"""`ingest filter --like`: thresholds from a file of clean pairs."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from ingest.config import Config, FilterConfig
from ingest.errors import ConfigError
from ingest.filtering.calibration import MIN_PAIRS, SHARE, calibrate
from ingest.frames import PAIRS, SCORED, schema
from ingest.io.pairs_file import PairsFile
from ingest.io.parquet import read_parquet
from ingest.io.temporary import temporary_folder
from ingest.jobs.import_pairs import import_files
from ingest.scoring import score
from ingest.text import count_noun

# Scoring more takes minutes, and would change the thresholds by less than they vary by chance.
_MAX_PAIRS = 20_000
_LANGS = ("source_lang", "target_lang")
_TEXTS = ("source_text", "target_text")


@dataclass
class Calibration:
    """Settings of the filter that were made from clean pairs.

    Attributes:
        files: the files of clean pairs.
        pairs: number of clean pairs that were used.
        config: all settings.
        calibrated: names of the settings that come from the clean pairs.
        given: names of the settings that were given, and stayed.
        messages: what the user should know, one line each.
    """

    files: list[str]
    pairs: int
    config: FilterConfig
    calibrated: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Format the settings as TOML, to paste into the file of --config.

        >>> made = Calibration(["a.tsv"], 1000, FilterConfig(), ["min_quality"], ["min_words"])
        >>> print(made)
        [filter]  # from 1,000 clean pairs, of which about 2% fail
        min_quality = 0.2
        min_words = 2  # as given
        """
        values = asdict(self.config)
        lines = [f"{name} = {json.dumps(values[name])}" for name in self.calibrated]
        lines += [f"{name} = {json.dumps(values[name])}  # as given" for name in self.given]
        pairs = count_noun(self.pairs, "clean pair")
        return "\n".join([f"[filter]  # from {pairs}, of which about {SHARE:.0%} fail", *lines])


def calibrate_files(
    files: Sequence[str], pairs: PairsFile, config: Config, *, given: Collection[str] = ()
) -> Calibration:
    """Set the thresholds of the filter so that clean pairs pass.

    Args:
        files: the clean pairs, as `import` reads them. At most 20,000 of them are used, at equal
            distances.
        pairs: the pairs to filter. Rules for which they have no columns stay as they are.
        config: the settings.
        given: names of the settings of the filter that must stay as they are.

    Raises:
        SourceError: a file cannot be read, or contains no pair.
        ConfigError: the clean pairs are in other languages than the pairs.
    """
    clean, messages = _read_clean(files)
    langs = _languages(next(pairs.batches(), pl.DataFrame(schema=schema(PAIRS))))
    clean = _turn(clean, langs, files)
    if {*schema(SCORED)} & {*pairs.columns}:
        clean = score(clean, config=config)
        clean = clean.drop(name for name in schema(SCORED) if name not in pairs.columns)
    if len(clean) < MIN_PAIRS:
        messages.append(
            f"{', '.join(files)}: has only {count_noun(len(clean), 'pair')}; with fewer than "
            f"{MIN_PAIRS}, good pairs that are a little unusual are dropped"
        )
    values: dict[str, Any] = calibrate(clean, config.filter, fixed=given)
    return Calibration(
        files=list(files),
        pairs=len(clean),
        config=replace(config.filter, **values),
        calibrated=list(values),
        given=sorted(given),
        messages=messages,
    )


def _read_clean(files: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return the columns of PAIRS, and messages about rows that cannot be read."""
    with temporary_folder() as folder:
        path = folder / "clean.parquet"
        result = import_files(files, path)
        frame = read_parquet(path, columns=schema(PAIRS).names())
    messages = [f"--like: {message}" for message in result.messages]
    return frame.gather_every(-(-len(frame) // _MAX_PAIRS)), messages


def _languages(pairs: pl.DataFrame) -> list[tuple[str, str]]:
    """Return source and target languages, the most frequent first."""
    counts = pairs.group_by(_LANGS).len().sort("len", *_LANGS, descending=[True, False, False])
    return counts.select(_LANGS).rows()


def _turn(clean: pl.DataFrame, langs: list[tuple[str, str]], files: Sequence[str]) -> pl.DataFrame:
    """Turn clean pairs of the opposite direction around, and leave out other languages."""
    if not langs:
        return clean
    source, target = langs[0]
    turned = clean.filter(source_lang=target, target_lang=source)
    names = dict(zip((*_LANGS, *_TEXTS), (*_LANGS[::-1], *_TEXTS[::-1]), strict=True))
    turned = turned.rename(names).select(clean.columns)
    fitting = pl.concat([clean.filter(source_lang=source, target_lang=target), turned])
    if fitting.is_empty():
        found = "-".join(_languages(clean)[0])
        raise ConfigError(
            f"{', '.join(files)}: the clean pairs are {found}, but the pairs to filter are "
            f"{source}-{target}; give clean pairs in the same languages"
        )
    return fitting

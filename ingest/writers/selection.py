"""Which pairs an export takes, in what order of languages, and why it leaves the others out.

The frame is looked at once over its small columns, for the counts, and then as often as a format
likes, a batch at a time: no more than a batch of text is ever held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import ConfigError, FrameError
from ingest.frames import METHOD_ALIGNED, METHOD_IMPORTED, METHODS, PAIRS, TURNED, check
from ingest.io.parquet import PAIR_ROWS
from ingest.io.run_files import PAIRS_FILE, RUN_FILE, find_pairs
from ingest.io.snapshot import Snapshot
from ingest.languages import parse_language_pair

# Each side's text without personal data, null where it had none, and the text that it stands for.
_MASKED = {"source_masked": "source_text", "target_masked": "target_text"}
# Scores of a pair as it stands: what is of each side, and target over source. Of `copy`, the share
# of the target, there is no opposite.
_SIDES = ("words_source", "words_target")
_RATIOS = ("length", "length_ratio")
# A pair without one of these says nothing, or could be taken for what it is not.
_NEEDED = ("source_lang", "target_lang", "source_text", "target_text", "method")
_LANG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # BCP 47; it becomes part of file names
_SPLIT = re.compile(r"\w+", re.ASCII)


class Part(NamedTuple):
    """Pairs that a format with a file a part keeps together."""

    split: str | None  # None where the frame has no splits
    method: str
    pairs: int


class Selection:
    """The pairs to export: counts first, then batches.

    Raises:
        ConfigError: a setting cannot be used.
        SourceError: there is no such file, or it is no Parquet file.
        FrameError: a column is missing, or holds what no pair has.
    """

    def __init__(
        self,
        pairs: pl.DataFrame | str | Path,
        *,
        min_score: float = 0.0,
        langs: Sequence[str] | None = None,
    ) -> None:
        self.path = None if isinstance(pairs, pl.DataFrame) else find_pairs(pairs)
        self.name = str(self.path or "the frame")
        self._watched = Snapshot(self.path, f"; give a {PAIRS_FILE}") if self.path else None
        self._frame = pl.scan_parquet(self.path) if self.path else pairs.lazy()  # type: ignore[union-attr]
        columns = self._read(self._frame.collect_schema)
        check(pl.DataFrame(schema=columns), PAIRS, verb=f"export of {self.name}")
        self.min_score = _score(min_score)
        self.langs = None if langs is None else parse_language_pair(langs)
        self._columns = pl.Schema(columns)
        self._reason = _reason(self._columns, self.min_score, self.langs)
        # masked texts take the place of the texts, so that nothing of these is written
        out = {name: dtype for name, dtype in columns.items() if name not in _MASKED}
        self.masks = [name for name in _MASKED if columns.get(name) == pl.String]
        self.columns = pl.Schema({**out, TURNED: pl.Boolean()} if self.langs else out)
        self.read = int(self._read(self._frame.select(pl.len()).collect).item())
        self._count()

    def _count(self) -> None:
        """Look at the small columns of all pairs."""
        split = pl.lit(None, pl.String)
        if "split" in self._columns:
            split = pl.col("split").cast(pl.String)
        keys = ("source_lang", "target_lang", "method", "model")
        by = [*keys, split.alias("split"), self._reason.alias("reason")]
        masked = [pl.col(name).is_not_null() for name in self.masks] or [pl.lit(False)]
        total = pl.col("pairs", "masked").sum()
        groups = pl.DataFrame(schema=dict.fromkeys((*keys, "split", "reason"), pl.String))
        groups = groups.with_columns(pairs=pl.lit(0, pl.Int64), masked=pl.lit(0, pl.Int64))
        counts = (pl.len().cast(pl.Int64).alias("pairs"),
                  pl.any_horizontal(masked).sum().cast(pl.Int64).alias("masked"))  # fmt: skip
        for at in range(0, self.read, PAIR_ROWS):
            some = self._frame.slice(at, PAIR_ROWS).group_by(by).agg(counts)
            both = pl.concat([groups, self._read(some.collect)])
            groups = both.group_by(pl.exclude("pairs", "masked")).agg(total)
        taken = groups.filter(pl.col("reason").is_null())
        self.models = _totals(taken.drop_nulls("model"), "model")
        self.masked = int(taken["masked"].sum())
        groups = groups.group_by(pl.exclude("pairs", "masked", "model")).agg(pl.col("pairs").sum())
        groups = groups.sort(pl.exclude("pairs"), "pairs")
        out = groups.filter(pl.col("reason").is_not_null())
        taken = groups.filter(pl.col("reason").is_null())
        self.left_out = _totals(out, "reason")
        self.written = int(taken["pairs"].sum())
        there = _directions(groups)
        if self.langs and there and not there & {self.langs, self.langs[::-1]}:
            raise ConfigError(
                f"langs: {self.name} holds no pairs of {'-'.join(self.langs)}, only of "
                + ", ".join(sorted(map("-".join, there)))
            )
        self.languages = {self.langs} if self.langs else _directions(taken) or there
        self._refuse(taken)
        self.turned = int(taken.filter(self._turned())["pairs"].sum())
        self.by: list[dict[str, Any]] = taken.drop("reason").to_dicts()
        parts = taken.group_by("split", "method").agg(pl.col("pairs").sum())
        self.parts = [Part(*row) for row in parts.sort("method", "split").rows()]

    @property
    def plain(self) -> str:
        """The method whose files bear no mark, in formats that keep methods apart."""
        there = {part.method for part in self.parts}
        return (
            METHOD_IMPORTED
            if METHOD_IMPORTED in there and METHOD_ALIGNED not in there
            else METHOD_ALIGNED
        )

    def _refuse(self, taken: pl.DataFrame) -> None:
        for column, good, what in (
            ("method", METHODS.__contains__, f"one of {', '.join(METHODS)}"),
            ("source_lang", _LANG.fullmatch, "a language code such as ar"),
            ("target_lang", _LANG.fullmatch, "a language code such as ar"),
            ("split", _SPLIT.fullmatch, "letters, digits and _"),
        ):
            for value in taken[column].unique().drop_nulls().sort():
                if not good(value):
                    raise FrameError(
                        f"export of {self.name}: column {column!r} holds {value!r}, must be {what}"
                    )

    def run(self) -> dict[str, Any]:
        """What run.json says of the run that the pairs are of; empty where there is none."""
        try:
            held = json.loads(((self.path or Path()).parent / RUN_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        return held if self.path and isinstance(held, dict) else {}

    def sides(self) -> tuple[str, str]:
        """The two languages, for a format that knows no others.

        Raises:
            ConfigError: there are more, or none.
        """
        if self.langs:
            return self.langs
        found = sorted({tuple(sorted(pair)) for pair in self.languages})
        if len(found) != 1:
            said = ", ".join("-".join(pair) for pair in found) or "no languages"
            raise ConfigError(
                f"export: {self.name} holds pairs of {said}; name two with --langs, such as ar,en"
            )
        one, other = found[0]
        if one == other:
            raise ConfigError(f"export: {self.name} holds pairs of {one} with itself")
        return one, other

    def batches(self, part: Part | None = None) -> Iterator[pl.DataFrame]:
        """The pairs in the frame's order, as `columns` says; those of one part if it is given.

        Raises:
            SourceError: the file is not what it was when the pairs were counted.
        """
        wanted = self._reason.is_null()
        if part:
            wanted &= pl.col("method") == part.method
            if part.split is not None:
                wanted &= pl.col("split").cast(pl.String) == part.split
        for at in range(0, self.read, PAIR_ROWS):
            batch: pl.DataFrame = self._read(self._frame.slice(at, PAIR_ROWS).collect)
            some = batch.filter(wanted)
            some = some.with_columns(
                pl.coalesce(name, _MASKED[name]).alias(_MASKED[name]) for name in self.masks
            )
            if len(some):
                few = len(some) < len(batch) // 2
                yield self._in_order(_apart(some) if few else some).select(self.columns.names())

    def _turned(self) -> pl.Expr:
        if not self.langs:
            return pl.lit(False)
        return (pl.col("source_lang") == self.langs[1]) & (pl.col("target_lang") == self.langs[0])

    def _in_order(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Turn round the pairs of the other direction, and say which are."""
        if not self.langs:
            return batch
        turned = self._turned()
        twins = sides_of(batch.schema)
        if all(batch.schema.get(name) == pl.Float32 for name in _SIDES):
            twins.append(_SIDES)
        ratios = [name for name in _RATIOS if batch.schema.get(name) == pl.Float32]
        before = pl.col(TURNED).fill_null(False) if TURNED in batch.columns else pl.lit(False)
        return batch.with_columns(
            *(pl.when(turned).then(t).otherwise(s).alias(s) for s, t in twins),
            *(pl.when(turned).then(s).otherwise(t).alias(t) for s, t in twins),
            *(pl.when(turned).then(1 / pl.col(n)).otherwise(n).alias(n) for n in ratios),
            (turned ^ before).alias(TURNED),
        )

    def _read(self, call: Callable[[], Any]) -> Any:
        """What a call that reads the input gives."""
        return self._watched.read(call) if self._watched else call()


def sides_of(columns: pl.Schema) -> list[tuple[str, str]]:
    """Columns that each side of a pair has, source and target.

    >>> sides_of(pl.Schema({"source_doc": pl.String, "score": pl.Float32, "target_doc": pl.String}))
    [('source_doc', 'target_doc')]
    """
    twins = ((s, "target_" + s.removeprefix("source_")) for s in columns if s[:7] == "source_")
    return [(s, t) for s, t in twins if columns.get(t) == columns[s]]


def _reason(columns: pl.Schema, min_score: float, langs: tuple[str, str] | None) -> pl.Expr:
    """Why a pair is left out; null where it is not."""
    reason = pl.lit(None, pl.String)
    # the last that is put on is the first that is asked
    if min_score:
        score = pl.col("score")
        under = score < pl.lit(min_score, columns["score"])  # 0.7 is to be 0.7 as a Float32 too
        reason = pl.when(under).then(pl.lit(f"score under {min_score:g}")).otherwise(reason)
        without = (score.is_null() | score.is_nan()) & (pl.col("method") != METHOD_IMPORTED)
        reason = pl.when(without).then(pl.lit("without score")).otherwise(reason)
    if langs:
        both = pl.concat_list("source_lang", "target_lang").list.sort()
        other = both != pl.lit(sorted(langs), pl.List(pl.String))
        reason = pl.when(other).then(pl.lit("other languages")).otherwise(reason)
    if "split" in columns:
        reason = pl.when(pl.col("split").is_null()).then(pl.lit("in no split")).otherwise(reason)
    if "keep" in columns:
        why = pl.lit("not kept")
        if columns.get("drop_reason") == pl.String:
            why = (pl.lit("not kept: ") + pl.col("drop_reason")).fill_null("not kept")
        reason = pl.when(pl.col("keep").fill_null(False)).then(reason).otherwise(why)
    for name in _NEEDED[::-1]:
        null = pl.col(name).is_null()
        reason = pl.when(null).then(pl.lit(f"{name} is null")).otherwise(reason)
    return reason


def _directions(groups: pl.DataFrame) -> set[tuple[str, str]]:
    return set(groups.select("source_lang", "target_lang").drop_nulls().rows())


def _apart(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows alone: as Polars filters them, a few would keep the text of all in memory."""
    copy = BytesIO()
    rows.write_ipc(copy)
    return pl.read_ipc(copy.getvalue())


def _totals(groups: pl.DataFrame, by: str) -> dict[str, int]:
    total = groups.group_by(by).agg(pl.col("pairs").sum())
    return dict(total.sort("pairs", by, descending=[True, False]).iter_rows())


def _score(value: float) -> float:
    if not 0 <= value <= 1:
        raise ConfigError(f"min_score: {value:g} is not in 0…1, as scores are; 0 takes all pairs")
    return float(value)

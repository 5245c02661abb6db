"""Select the pairs to export, put their languages in order, and count what is left out.

A first pass over the small columns does the counting. After that, a format can read the pairs as
often as it needs, one batch of texts at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest._typing import Progress
from ingest.errors import ConfigError, FrameError
from ingest.frames import (
    METHOD_ALIGNED,
    METHOD_IMPORTED,
    METHOD_TRANSLATED,
    METHODS,
    PAIRS,
    TURNED,
    WORD_ALIGNMENT,
    check,
)
from ingest.io.parquet import PAIR_ROWS, scan_parquet
from ingest.io.parquet_bombs import refuse_bombs
from ingest.io.run_files import find_pairs
from ingest.io.run_json import read_run_of
from ingest.io.snapshot import Snapshot
from ingest.languages import parse_language_pair
from ingest.word_alignment import align_words, swap_sides

# The masked text of each side, null where nothing is masked, and the text that it replaces.
_MASKED = {"source_masked": "source_text", "target_masked": "target_text"}
# Scores that change when a pair is turned around: those of each side are exchanged, and ratios of
# target to source are inverted. `copy`, a share of the target, has no opposite.
_SIDE_SCORES = ("words_source", "words_target")
_RATIO_SCORES = ("length", "length_ratio")
# A pair without one of these is useless, or could be mistaken for another kind of pair.
_REQUIRED = ("source_lang", "target_lang", "source_text", "target_text", "method")
_READ_ROWS = 1 << 13  # pairs in memory at a time: a quarter of a row group
FLAGGED = "flagged: "  # begins the reason of a translation with flags; its first flag follows
_LANG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # BCP 47; becomes part of file names
_SPLIT = re.compile(r"\w+", re.ASCII)


class Part(NamedTuple):
    """Pairs that belong in one file, if a format has several files."""

    split: str | None  # None if the frame has no splits
    method: str
    pairs: int


class Selection:
    """The pairs to export.

    Args:
        pairs: a frame of pairs, a Parquet file of them, or a folder that contains pairs.parquet.
        min_score: minimum score of aligned and machine-translated pairs; 0 selects all.
        langs: source and target; other pairs are left out or turned around.
        word_alignments: whether to add `word_alignment`, or to compute it anew.
        flagged: whether to select machine translations that have flags.
        progress: called with the number of pairs that were written, and of those to write.

    Attributes:
        columns: schema of the exported pairs.
        row_group: rows of a row group of Parquet.
        read: number of pairs in the input.
        written: number of selected pairs.
        left_out: other pairs, by reason.
        by: selected pairs by split, method and direction.
        parts: selected pairs by split and method.
        directions: source and target languages of the selected pairs.
        models: selected pairs by model.
        turned: number of pairs that are turned around.
        masked: number of pairs with placeholders for personal data.
        masks: columns with masked texts.
        word_alignments: as given.
        unaligned: number of pairs yielded by `batches` without a word alignment that was asked for.

    Raises:
        ConfigError: a setting is invalid.
        SourceError: there is no such file, or it is not Parquet.
        FrameError: a column is missing, or has a value that pairs cannot have.
    """

    row_group = PAIR_ROWS

    def __init__(
        self,
        pairs: pl.DataFrame | str | Path,
        *,
        min_score: float = 0.0,
        langs: Sequence[str] | None = None,
        word_alignments: bool = False,
        flagged: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.path = None if isinstance(pairs, pl.DataFrame) else find_pairs(pairs)
        self.name = str(self.path or "the frame")
        self._snapshot = Snapshot(self.path) if self.path else None
        self._frame = scan_parquet(self.path) if self.path else pairs.lazy()  # type: ignore[union-attr]
        columns = self._read(self._frame.collect_schema)
        check(pl.DataFrame(schema=columns), PAIRS, verb=f"export of {self.name}")
        if self.path:
            refuse_bombs(self.path)
        self.min_score = _check_min_score(min_score)
        self.langs = None if langs is None else parse_language_pair(langs)
        self._input_columns = pl.Schema(columns)
        self.flagged = flagged
        self._reason = _reason_to_leave_out(
            self._input_columns, self.min_score, self.langs, flagged=flagged
        )
        # masked texts replace the originals, so that nothing of these is written
        out = {name: dtype for name, dtype in columns.items() if name not in _MASKED}
        self.masks = [name for name in _MASKED if columns.get(name) == pl.String]
        out |= {TURNED: pl.Boolean()} if self.langs else {}
        self.word_alignments, self.unaligned = word_alignments, 0
        self._progress, self._yielded = progress, 0
        out |= {WORD_ALIGNMENT: pl.String()} if word_alignments else {}
        self.columns = pl.Schema(out)
        self.read = int(self._read(self._frame.select(pl.len()).collect).item())
        self._count()

    def _count(self) -> None:
        """Count pairs by what decides where they go."""
        groups = self._group_counts()
        selected = groups.filter(pl.col("reason").is_null())
        self.models = _totals(selected.drop_nulls("model"), "model")
        self.masked = int(selected["masked"].sum())
        groups = groups.group_by(pl.exclude("pairs", "masked", "model")).agg(pl.col("pairs").sum())
        groups = groups.sort(pl.exclude("pairs"), "pairs")
        selected = groups.filter(pl.col("reason").is_null())
        self.left_out = _totals(groups.filter(pl.col("reason").is_not_null()), "reason")
        self.written = int(selected["pairs"].sum())
        present = _directions(groups)
        if self.langs and present and not present & {self.langs, self.langs[::-1]}:
            raise ConfigError(
                f"langs: {self.name} has no pairs of {'-'.join(self.langs)}, only of "
                + ", ".join(sorted(map("-".join, present)))
            )
        self.directions = {self.langs} if self.langs else _directions(selected) or present
        self._check_values(selected)
        self.turned = int(selected.filter(self._is_turned())["pairs"].sum())
        self.by: list[dict[str, Any]] = selected.drop("reason").to_dicts()
        parts = selected.group_by("split", "method").agg(pl.col("pairs").sum())
        self.parts = [Part(*row) for row in parts.sort("method", "split").rows()]

    def _group_counts(self) -> pl.DataFrame:
        """Return numbers of pairs and masked pairs by languages, method, model, split, reason."""
        split = pl.lit(None, pl.String)
        if "split" in self._input_columns:
            split = pl.col("split").cast(pl.String)
        keys = ("source_lang", "target_lang", "method", "model")
        by = [*keys, split.alias("split"), self._reason.alias("reason")]
        is_masked = [pl.col(name).is_not_null() for name in self.masks] or [pl.lit(False)]
        counts = (
            pl.len().cast(pl.Int64).alias("pairs"),
            pl.any_horizontal(is_masked).sum().cast(pl.Int64).alias("masked"),
        )
        groups = pl.DataFrame(schema=dict.fromkeys((*keys, "split", "reason"), pl.String))
        groups = groups.with_columns(pairs=pl.lit(0, pl.Int64), masked=pl.lit(0, pl.Int64))
        for start in range(0, self.read, PAIR_ROWS):
            batch = self._frame.slice(start, PAIR_ROWS).group_by(by).agg(counts)
            both = pl.concat([groups, self._read(batch.collect)])
            groups = both.group_by(pl.exclude("pairs", "masked")).agg(
                pl.col("pairs", "masked").sum()
            )
        return groups

    @property
    def default_method(self) -> str:
        """The method whose files have no mark, in formats with files per method."""
        present = {part.method for part in self.parts}
        if METHOD_IMPORTED in present and METHOD_ALIGNED not in present:
            return METHOD_IMPORTED
        return METHOD_ALIGNED

    def _check_values(self, selected: pl.DataFrame) -> None:
        for column, is_valid, expected in (
            ("method", METHODS.__contains__, f"one of {', '.join(METHODS)}"),
            ("source_lang", _LANG.fullmatch, "a language code such as ar"),
            ("target_lang", _LANG.fullmatch, "a language code such as ar"),
            ("split", _SPLIT.fullmatch, "letters, digits and _"),
        ):
            for value in selected[column].unique().drop_nulls().sort():
                if not is_valid(value):
                    raise FrameError(
                        f"export of {self.name}: column {column!r} has the value {value!r}, must "
                        f"be {expected}"
                    )

    def run(self) -> dict[str, Any]:
        """Return run.json of the run that the pairs belong to; empty if there is none.

        Only a data card shows what it says, so the other formats do without it.

        Raises:
            SourceError: it cannot be read.
        """
        return read_run_of(self.path) if self.path else {}

    def language_pair(self) -> tuple[str, str]:
        """Return the two languages, for formats that allow no others.

        Raises:
            ConfigError: there are not exactly two languages.
        """
        if self.langs:
            return self.langs
        pairs = sorted({tuple(sorted(pair)) for pair in self.directions})
        if len(pairs) != 1:
            listed = ", ".join("-".join(pair) for pair in pairs) or "no languages"
            raise ConfigError(
                f"export: {self.name} has pairs of {listed}; choose two with --langs, such as ar,en"
            )
        first, second = pairs[0]
        if first == second:
            raise ConfigError(f"export: {self.name} has pairs of {first} with itself")
        return first, second

    def batches(self, part: Part | None = None) -> Iterator[pl.DataFrame]:
        """Yield the selected pairs in order, with `columns`; only those of `part` if given.

        Raises:
            SourceError: the file has changed since the pairs were counted.
        """
        is_selected = self._reason.is_null()
        if part:
            is_selected &= pl.col("method") == part.method
            if part.split is not None:
                is_selected &= pl.col("split").cast(pl.String) == part.split
        if self._progress:
            self._progress(self._yielded, self.written)
        for start in range(0, self.read, _READ_ROWS):
            batch: pl.DataFrame = self._read(self._frame.slice(start, _READ_ROWS).collect)
            selected = self._mask(batch.filter(is_selected))
            if len(selected):
                is_small = len(selected) < len(batch) // 2
                selected = self._turn(_copy(selected) if is_small else selected)
                if self.word_alignments:
                    selected = align_words(selected)
                    self.unaligned += selected[WORD_ALIGNMENT].null_count()
                yield selected.select(self.columns.names())
                self._yielded = min(self._yielded + len(selected), self.written)
                if self._progress:
                    self._progress(self._yielded, self.written)
            del batch, selected  # or they would be in memory while the next are read

    def _mask(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Replace texts by masked ones. Word alignments of the texts no longer fit these."""
        masked = batch.with_columns(
            pl.coalesce(name, _MASKED[name]).alias(_MASKED[name]) for name in self.masks
        )
        if self.masks and batch.schema.get(WORD_ALIGNMENT) == pl.String:
            is_masked = pl.any_horizontal(pl.col(self.masks).is_not_null())
            masked = masked.with_columns(pl.when(~is_masked).then(WORD_ALIGNMENT))
        return masked

    def _is_turned(self) -> pl.Expr:
        if not self.langs:
            return pl.lit(False)
        return (pl.col("source_lang") == self.langs[1]) & (pl.col("target_lang") == self.langs[0])

    def _turn(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Turn pairs of the opposite direction around, and mark them."""
        if not self.langs:
            return batch
        turned = self._is_turned()
        twins = side_columns(batch.schema)
        if all(batch.schema.get(name) == pl.Float32 for name in _SIDE_SCORES):
            twins.append(_SIDE_SCORES)
        ratios = [name for name in _RATIO_SCORES if batch.schema.get(name) == pl.Float32]
        if batch.schema.get(WORD_ALIGNMENT) == pl.String and not self.word_alignments:
            links = swap_sides(batch[WORD_ALIGNMENT])
            batch = batch.with_columns(
                pl.when(turned).then(links).otherwise(WORD_ALIGNMENT).alias(WORD_ALIGNMENT)
            )
        before = pl.col(TURNED).fill_null(False) if TURNED in batch.columns else pl.lit(False)
        return batch.with_columns(
            *(pl.when(turned).then(t).otherwise(s).alias(s) for s, t in twins),
            *(pl.when(turned).then(s).otherwise(t).alias(t) for s, t in twins),
            *(pl.when(turned).then(1 / pl.col(n)).otherwise(n).alias(n) for n in ratios),
            (turned ^ before).alias(TURNED),
        )

    def _read(self, call: Callable[[], Any]) -> Any:
        """Call a function that reads the input, and check that the file has not changed."""
        return self._snapshot.read(call) if self._snapshot else call()


def side_columns(columns: pl.Schema) -> list[tuple[str, str]]:
    """Return the columns that exist for both sides of a pair, source and target.

    >>> columns = {"source_doc": pl.String, "score": pl.Float32, "target_doc": pl.String}
    >>> side_columns(pl.Schema(columns))
    [('source_doc', 'target_doc')]
    """
    twins = (
        (name, "target_" + name.removeprefix("source_"))
        for name in columns
        if name.startswith("source_")
    )
    return [(s, t) for s, t in twins if columns.get(t) == columns[s]]


def _reason_to_leave_out(
    columns: pl.Schema, min_score: float, langs: tuple[str, str] | None, *, flagged: bool
) -> pl.Expr:
    """Return why a pair is left out; null if it is selected."""
    reason = pl.lit(None, pl.String)
    # conditions added later take precedence
    if not flagged and columns.get("flags") == pl.List(pl.String):
        first = pl.col("flags").list.drop_nulls().list.first()
        is_flagged = (pl.col("method") == METHOD_TRANSLATED) & first.is_not_null()
        reason = pl.when(is_flagged).then(pl.lit(FLAGGED) + first).otherwise(reason)
    if min_score:
        score = pl.col("score")
        is_low = score < pl.lit(min_score, columns["score"])  # compare 0.7 as a Float32 too
        reason = pl.when(is_low).then(pl.lit(f"score under {min_score:g}")).otherwise(reason)
        lacks_score = (score.is_null() | score.is_nan()) & (pl.col("method") != METHOD_IMPORTED)
        reason = pl.when(lacks_score).then(pl.lit("without score")).otherwise(reason)
    if langs:
        pair = pl.concat_list("source_lang", "target_lang").list.sort()
        is_other = pair != pl.lit(sorted(langs), pl.List(pl.String))
        reason = pl.when(is_other).then(pl.lit("other languages")).otherwise(reason)
    if "split" in columns:
        reason = pl.when(pl.col("split").is_null()).then(pl.lit("in no split")).otherwise(reason)
    if "keep" in columns:
        not_kept = pl.lit("not kept")
        if columns.get("drop_reason") == pl.String:
            not_kept = (pl.lit("not kept: ") + pl.col("drop_reason")).fill_null("not kept")
        reason = pl.when(pl.col("keep").fill_null(False)).then(reason).otherwise(not_kept)
    for name in _REQUIRED[::-1]:
        is_null = pl.col(name).is_null()
        reason = pl.when(is_null).then(pl.lit(f"{name} is null")).otherwise(reason)
    return reason


def _directions(groups: pl.DataFrame) -> set[tuple[str, str]]:
    return set(groups.select("source_lang", "target_lang").drop_nulls().rows())


def _copy(rows: pl.DataFrame) -> pl.DataFrame:
    """Copy rows. Rows that Polars has filtered keep the texts of the whole batch in memory."""
    buffer = BytesIO()
    rows.write_ipc(buffer)
    return pl.read_ipc(buffer.getvalue())


def _totals(groups: pl.DataFrame, by: str) -> dict[str, int]:
    totals = groups.group_by(by).agg(pl.col("pairs").sum())
    return dict(totals.sort("pairs", by, descending=[True, False]).iter_rows())


def _check_min_score(value: float) -> float:
    if not 0 <= value <= 1:
        raise ConfigError(f"min_score: {value:g} is not in 0…1; 0 exports all pairs")
    return float(value)

"""`ingest filter`: mark which pairs of a file to keep, holding one batch of texts in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl

from ingest._typing import Progress
from ingest.config import Config
from ingest.drop_reasons import funnel_table
from ingest.filtering import find_drop_reasons, with_drop_reasons
from ingest.filtering.batch_keys import EXCLUDED_BY, rule_keys
from ingest.filtering.excluded import ExcludedTexts, read_excluded
from ingest.filtering.rules import check_scores, unchecked_rules
from ingest.frames import FILTERED, MASKED, schema
from ingest.io.pairs_file import BATCH_SIZE, PairsFile
from ingest.jobs.calibrate import Calibration, calibrate_files
from ingest.jobs.damage import names_damage
from ingest.pii import mask_pii
from ingest.pipeline.executors import Executor
from ingest.pipeline.row_groups import describe_one_task, map_pairs
from ingest.pipeline.row_part import RowCall, RowFunction

_REPORT_SUFFIX = ".funnel.json"
_PASSES = 2  # over the pairs: to find the reasons, and to write them


@dataclass
class FilterResult:
    """Number of pairs that were kept, and how many each rule dropped.

    Attributes:
        pairs: all pairs.
        kept: pairs that passed every rule.
        funnel: one row per rule, as `ingest.funnel` returns it.
        pii: personal data found, by kind.
        masked: pairs in which personal data was masked.
        unchecked: rules that need scores, if there are none.
        calibration: the settings that were made from clean pairs, if any.
        excluded_by: for each excluded file, its number of texts, and of pairs that have one. Such
            a pair may be in several files, and may fail an earlier rule.
        report_path: file that contains the same numbers.
        notes: what else the user should know.
    """

    pairs: int
    kept: int
    funnel: pl.DataFrame
    pii: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    unchecked: list[str] = field(default_factory=list)
    calibration: Calibration | None = None
    excluded_by: dict[str, tuple[int, int]] = field(default_factory=dict)
    report_path: str = ""
    notes: list[str] = field(default_factory=list)

    in_error = 0  # the file is read completely or not at all

    def __str__(self) -> str:
        """Format the funnel as a table.

        >>> print(FilterResult(4, 3, funnel_table(4, {"copy": 1}), {"email": 2}))
                   4  pairs
                  -1  copy
                   3  kept
        personal data: 2 email
        """
        dropped = self.funnel.select("rule", "took").filter(pl.col("took") > 0).rows()
        rows = [
            (f"{self.pairs:,}", "pairs"),
            *((f"-{count:,}", rule) for rule, count in dropped),
            (f"{self.kept:,}", "kept"),
        ]
        lines = [f"{self.calibration}\n"] if self.calibration else []
        lines += [f"{count:>12}  {label}" for count, label in rows]
        if self.pii:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.pii.items())
            masked = f"; masked in {self.masked:,} pairs" if self.masked else ""
            lines.append(f"personal data: {kinds}{masked}")
        if len(self.excluded_by) > 1:
            lines.append("pairs with a text of each excluded file; one may have texts of several:")
            lines += [f"{pairs:>12,}  {name}" for name, (_, pairs) in self.excluded_by.items()]
        return "\n".join(lines)

    @property
    def messages(self) -> list[str]:
        """Notes for the user that are not in the table.

        >>> counts = {"a.en": (3, 0), "b.en": (2, 1)}
        >>> FilterResult(0, 0, pl.DataFrame(), excluded_by=counts).messages
        ['a.en: excludes nothing: none of its 3 texts is in a pair; check that the file is right']
        """
        messages = [*self.calibration.messages] if self.calibration else []
        if self.unchecked:
            messages.append(
                f"the pairs have no scores, so these rules were not checked: "
                f"{', '.join(self.unchecked)}; to check them, run ingest score first"
            )
        for name, (texts, pairs) in self.excluded_by.items():
            if not texts:
                messages.append(f"{name}: excludes nothing: no text was found in it")
            elif not pairs:
                count = (
                    "its only text is in no"
                    if texts == 1
                    else f"none of its {texts:,} texts is in a"
                )
                messages.append(
                    f"{name}: excludes nothing: {count} pair; check that the file is right"
                )
        if self.pairs and not self.kept:
            messages.append(
                "no pair was kept: check which rules dropped them, and [filter] of --config"
            )
        return messages + self.notes


@names_damage("source")
def filter_file(
    source: str | Path,
    out: str | Path,
    *,
    exclude: Sequence[str | Path] = (),
    like: Sequence[str] = (),
    given: Collection[str] = (),
    mask: bool = False,
    overwrite: bool = False,
    config: Config | None = None,
    executor: Executor = Executor(),  # noqa: B008
    progress: Progress | None = None,
) -> FilterResult:
    """Filter a file of pairs, and report in run.json, or next to `out`, what each rule dropped.

    Args:
        source: a Parquet file of pairs, or a folder that contains pairs.parquet.
        out: Parquet file to write: all pairs, with keep, drop_reason and pii.
        exclude: files or folders of texts that must not occur in a kept pair.
        like: a file of clean pairs, as `import` reads them, or two text files. The thresholds are
            set so that these pairs pass.
        given: names of thresholds that `like` must not change.
        mask: whether to add source_masked and target_masked.
        overwrite: whether to replace `out` and its report.
        config: the settings.
        executor: where the rules about single pairs are applied. The bytes of `out` are the same
            everywhere.
        progress: called with the number of pairs read, in two passes, and the total.

    Raises:
        SourceError: a file is missing or cannot be read.
        FrameError: a column is missing, also one that a threshold was set for.
        ConfigError: the clean pairs are in other languages, the Ray cluster cannot be reached, or
            a node of it differs.
        MissingExtraError: the extra `ray` is needed and not installed.
        OutputError: `out` or its report exists already, is an input, or is being written by another
            process.
        WriteError: `out` cannot be written, its parent folder does not exist, or a worker was lost.
    """
    executor.check()
    config = config or Config()
    pairs = PairsFile(source, verb="filter", progress=progress, passes=_PASSES)
    inputs = [*exclude, *like]
    pairs.check_outputs(out, _REPORT_SUFFIX, overwrite=overwrite, other_inputs=inputs)
    calibration = calibrate_files(like, pairs, config, given=given) if like else None
    if calibration:
        config = replace(config, filter=calibration.config)
    files, texts = read_excluded(exclude)
    check_scores(pairs.columns, config.filter)
    excluded_pairs = [0] * len(files)

    def counted(keys: pl.DataFrame) -> pl.DataFrame:
        for number in range(len(excluded_pairs)):
            excluded_pairs[number] += int(keys[f"{EXCLUDED_BY}{number}"].sum())
        return keys

    call = RowCall(prepare_rules, config, {"files": files, "texts": texts})
    with map_pairs(pairs, call, executor, out=out) as with_keys:
        reasons = find_drop_reasons((counted(keys) for _, keys in with_keys), config.filter)
    result = FilterResult(pairs.count, 0, pl.DataFrame(), calibration=calibration)
    result.unchecked = unchecked_rules(pairs.columns, config.filter)
    result.notes += describe_one_task(executor, pairs.count, "pair")
    texts_by_file = [texts.filter(file=number).height for number in range(len(files))]
    counts = zip(texts_by_file, excluded_pairs, strict=True)
    result.excluded_by = dict(zip(files, counts, strict=True))
    dropped: dict[str, int] = {}

    def batches() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(pairs.batches()):
            start = number * BATCH_SIZE
            filtered = with_drop_reasons(batch, reasons[start : start + BATCH_SIZE])
            filtered = mask_pii(filtered) if mask else filtered
            _count(result, dropped, filtered)
            yield filtered

    with pairs.write(out, batches(), new_columns=schema(FILTERED, MASKED if mask else ())):
        result.funnel = funnel_table(result.pairs, dropped)
        report = {
            "source": str(pairs.path),
            "out": str(out),
            "settings": asdict(config.filter),
            "like": [str(file) for file in like],
            "exclude": [str(file) for file in exclude],
            "excluded_by": {name: pairs for name, (_, pairs) in result.excluded_by.items()},
            "pairs": result.pairs,
            "kept": result.kept,
            "funnel": result.funnel.to_dicts(),
            "pii": result.pii,
            "masked": result.masked if mask else None,
        }
        result.report_path = str(pairs.write_report(out, "filter", report, _REPORT_SUFFIX))
    return result


def prepare_rules(config: Config, files: list[str], texts: pl.DataFrame) -> RowFunction:
    """Return what applies the rules about single pairs, for `map_pairs`.

    Args:
        config: the settings.
        files: files of texts that must not occur in a kept pair.
        texts: their texts, as `read_excluded` returns them.
    """
    excluded = ExcludedTexts(files, texts) if files else None
    return partial(rule_keys, config=config, excluded=excluded)


def _count(result: FilterResult, dropped: dict[str, int], filtered: pl.DataFrame) -> None:
    """Add the counts of one batch to `result`, and to `dropped` by rule."""
    for rule, count in filtered["drop_reason"].drop_nulls().value_counts().iter_rows():
        dropped[rule] = dropped.get(rule, 0) + count
    result.kept += int(filtered["keep"].sum())
    kinds = filtered["pii"].explode().drop_nulls().value_counts().sort("pii")
    for kind, count in kinds.iter_rows():
        result.pii[kind] = result.pii.get(kind, 0) + count
    if "source_masked" in filtered.columns:
        either = pl.any_horizontal(pl.col("source_masked", "target_masked").is_not_null())
        result.masked += int(filtered.select(either.sum()).item())

"""A file of pairs to another: what `ingest filter` does; no more than a batch of text is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from ingest.config import Config
from ingest.drop_reasons import funnel_of
from ingest.filtering import excluded_lines, reasons_of, with_reasons
from ingest.frames import FILTERED, MASKED, schema
from ingest.io.pairs_file import BATCH, PairsFile
from ingest.pii import mask_pii

_BESIDE = ".funnel.json"  # ending of the report


@dataclass
class Report:
    """What was kept, and what each rule took.

    `told`: the file that has it too.
    """

    pairs: int
    kept: int
    funnel: pl.DataFrame
    pii: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    told: str = ""

    def lines(self) -> list[str]:
        """The table and what else there is to say, for a person.

        >>> for line in Report(4, 3, funnel_of(4, {"copy": 1}), {"email": 2}).lines():
        ...     print(line)
                   4  pairs
                  -1  copy
                   3  kept
        personal data: 2 email
        """
        rows = [(f"{self.pairs:,}", "pairs")]
        rows += [
            (f"-{took:,}", rule) for rule, took in self.funnel.select("rule", "took").rows() if took
        ]
        said = [f"{number:>12}  {what}" for number, what in [*rows, (f"{self.kept:,}", "kept")]]
        if self.pairs and not self.kept:
            said.append(
                "no pair was kept: look at what the rules took, and at [filter] of --config"
            )
        if self.pii:
            found = ", ".join(f"{number:,} {kind}" for kind, number in self.pii.items())
            masked = f"; masked in {self.masked:,} pairs" if self.masked else ""
            said.append(f"personal data: {found}{masked}")
        return said


def filter_file(
    source: str | Path,
    out: str | Path,
    *,
    exclude: Sequence[str | Path] = (),
    mask: bool = False,
    overwrite: bool = False,
    config: Config | None = None,
) -> Report:
    """Filter a file of pairs, and say in run.json, or beside `out`, what each rule took.

    Args:
        source: a Parquet file of pairs, or a folder that holds pairs.parquet.
        out: Parquet file to write: all of the pairs, with keep, drop_reason and pii.
        exclude: files whose lines no pair is to have.
        mask: add source_masked and target_masked.
        overwrite: replace `out`, and the report beside it.
        config: the settings.

    Raises:
        SourceError: a file is missing or cannot be read.
        FrameError: a column is missing, or a threshold was set for one that is.
        OutputError: `out` or the report beside it exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or Config()
    pairs = PairsFile(source, verb="filter")
    pairs.refuse(out, _BESIDE, overwrite=overwrite, others=exclude)
    reasons = reasons_of(pairs.batches, pairs.columns, excluded_lines(exclude), config.filter)
    report = Report(pairs.pairs, 0, pl.DataFrame())
    took: dict[str, int] = {}

    def decided() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(pairs.batches()):
            made = with_reasons(batch, reasons[number * BATCH : (number + 1) * BATCH])
            made = mask_pii(made) if mask else made
            _count(report, took, made)
            yield made

    new = schema(FILTERED, MASKED if mask else ())
    pairs.rewrite(out, decided(), new=new)
    report.funnel = funnel_of(report.pairs, took)
    said = {
        "source": str(pairs.path),
        "out": str(out),
        "settings": asdict(config.filter),
        "exclude": [str(file) for file in exclude],
        "pairs": report.pairs,
        "kept": report.kept,
        "funnel": report.funnel.to_dicts(),
        "pii": report.pii,
        "masked": report.masked if mask else None,
    }
    report.told = str(pairs.tell(out, "filter", said, _BESIDE))
    return report


def _count(report: Report, took: dict[str, int], made: pl.DataFrame) -> None:
    for name, number in made["drop_reason"].drop_nulls().value_counts().iter_rows():
        took[name] = took.get(name, 0) + number
    report.kept += int(made["keep"].sum())
    for kind, number in made["pii"].explode().drop_nulls().value_counts().sort("pii").iter_rows():
        report.pii[kind] = report.pii.get(kind, 0) + number
    if "source_masked" in made.columns:
        either = pl.any_horizontal(pl.col("source_masked", "target_masked").is_not_null())
        report.masked += int(made.select(either.sum()).item())

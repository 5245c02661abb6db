"""Estimate from the judgements of an audit how much of a run is right."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingest.report.run_data import open_run
from ingest.review.audit import Stratum, draw, estimate
from ingest.review.correction_lines import RIGHT
from ingest.review.corrections import Corrections
from ingest.text import count_noun

# The files of pairs that a report may have shown: the pairs of the run, or what was made of them.
_LATER_PAIRS = ("split.parquet", "filtered.parquet", "scored.parquet")


def estimate_run(out: Path, corrections: Corrections) -> tuple[pl.DataFrame, list[str]]:
    """Estimate the precision of the labels of a run from the corrections made in an audit.

    The sizes of the strata are those of the run as it is.

    Args:
        out: folder written by `ingest run`.
        corrections: corrections; those with `audit` and a verdict count.

    Returns:
        The estimates, as `ingest.review.audit.estimate` returns them, without rows if nothing was
        judged; and messages about judgements that do not count.

    >>> estimate_run(Path("out"), Corrections())[1]
    []
    """
    judgements = pl.concat(
        frame.drop_nulls(["audit", "verdict"]).select(
            stratum="audit", right=pl.col("verdict") == RIGHT, unit=pl.lit(unit)
        )
        for unit, frame in (("segment", corrections.segments), ("pair", corrections.pairs))
    )
    if judgements.is_empty():
        return pl.DataFrame(), []
    units = set(judgements["unit"])
    names = set(judgements.filter(unit="pair")["stratum"])
    strata: list[Stratum] = []
    if "segment" in units:
        strata += draw(open_run(out).segments, None, 0)
    if "pair" in units:
        strata += _pair_strata(out, names)
    known = pl.DataFrame(
        [(stratum.unit, stratum.name) for stratum in strata],
        {"unit": pl.String, "stratum": pl.String},
        orient="row",
    )
    lost = judgements.join(known, on=["unit", "stratum"], how="anti")
    messages = []
    if len(lost):
        examples = ", ".join(lost["stratum"].unique(maintain_order=True).head(3))
        messages.append(
            f"{count_noun(len(lost), 'judgement')} of the audit left out: the run has no part "
            f"of this name now: {examples}"
        )
    return estimate(judgements, strata), messages


def _pair_strata(out: Path, names: set[str]) -> list[Stratum]:
    """Return the strata of the file of pairs that has most of those that were judged."""
    files = [None, *(path for name in _LATER_PAIRS if (path := out / name).is_file())]
    choices = [draw(None, open_run(out, path).pairs, 0) for path in files]
    return max(choices, key=lambda strata: len(names & {stratum.name for stratum in strata}))


def format_estimates(table: pl.DataFrame) -> list[str]:
    """Return the estimates as lines of text.

    >>> row = {"unit": "pair", "stratum": "kept, no score", "population": 1200, "judged": 10,
    ...     "right": 9, "precision": 0.9, "low": 0.596, "high": 0.982}
    >>> for line in format_estimates(pl.DataFrame([row])): print(line)
    right, of those judged in the audit, with 95 % intervals:
      pairs
        kept, no score      9 of 10   90.0 % (59.6–98.2) of 1,200
    """
    lines = ["right, of those judged in the audit, with 95 % intervals:"]
    left_out = False
    names = [row["stratum"] or "all kept" for row in table.iter_rows(named=True)]
    width = max(map(len, names), default=0) + 2
    for unit, rows in table.group_by("unit", maintain_order=True):
        lines.append(f"  {unit[0]}s")
        for row in rows.iter_rows(named=True):
            counts = f"{row['right']:,} of {row['judged']:,}".rjust(10)
            name = (row["stratum"] or "all kept").ljust(width)
            if not row["judged"]:
                left_out = True
                lines.append(f"    {name} {counts}   none judged         of {row['population']:,}")
                continue
            shares = [100 * row[key] for key in ("precision", "low", "high")]
            estimate = "{:.1f} % ({:.1f}–{:.1f})".format(*shares)
            lines.append(f"    {name} {counts}   {estimate:18} of {row['population']:,}")
    if left_out:
        lines.append("  all kept: without the parts in which nothing was judged")
    return lines

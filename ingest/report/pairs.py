"""Pairs of a run as a report shows them: scores, what was dropped, and the pairs themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest import frames
from ingest.report.funnel import Step, funnel
from ingest.report.sample import Rows, choose, cost, name, shortened, shuffled, within
from ingest.report.scores import distribution, number, short

PAIRS, PAIRS_BYTES = 10_000, 5_000_000
_OF_EACH = 20  # pairs of each tenth of the score, and of each reason, that are always there
_PAIR_BYTES = 250  # of a pair, beside its texts and scores: the names of its pages, mostly
_SCORE_BYTES = 8
_WITHOUT = "no reason given"

# Numbers that say where a text stands, not how good it is.
_PLACES = ("source_start", "source_end", "target_start", "target_end")
_LEADING = ("quality", "score")  # what a person looks at first, the best first
_SHOWN = (
    "source_lang", "target_lang", "source_doc", "target_doc", "source_segments",
    "target_segments", "method", "model", "drop_reason", "split", "flags", "pii",
)  # fmt: skip


def meanings() -> dict[str, str]:
    """What each column of any frame says."""
    groups = [g for g in vars(frames).values() if isinstance(g, tuple)]
    columns = [c for group in groups for c in group if isinstance(c, frames.Column)]
    return {column.name: column.meaning for column in columns}


def of_pairs(
    pairs: pl.LazyFrame, told: list[Step], documents: pl.LazyFrame | None
) -> dict[str, Any]:
    """All that is shown of pairs.

    Args:
        pairs: the frame.
        told: the funnel of run.json.
        documents: the pages that they come from.
    """
    columns = pairs.collect_schema()
    numeric = [n for n, dtype in columns.items() if dtype.is_numeric() and n not in _PLACES]
    leading = [name for name in _LEADING if name in numeric]
    others = [name for name in numeric if name not in leading]
    scores = [distribution(pairs, name) for name in [*leading, *others]]
    scores = [score for score in scores if score["count"] or score["name"] in leading]
    measures = [score["name"] for score in scores]
    lead = next((score["name"] for score in scores if score["count"]), None)
    lead = lead if lead in leading else None
    found = pairs.select(
        _reasons(columns),
        lead=number(lead) if lead else pl.lit(None, pl.Float64),
        bytes=cost(pl.col("source_text")).fill_null(0) + cost(pl.col("target_text")).fill_null(0),
    ).collect(engine="streaming")
    rows = _chosen(found, _PAIR_BYTES + _SCORE_BYTES * len(measures))
    dropped = found.drop_nulls("why").group_by("why").agg(pairs=pl.len())
    counts: dict[str, int] = dict(dropped.sort(-pl.col("pairs").cast(pl.Int64), "why").iter_rows())
    known = {step["rule"]: 0 for step in told if step["rule"] in counts}
    # of pairs that were filtered elsewhere: what was left there is what is here
    before = told if told and "keep" not in columns and told[-1]["left"] == len(found) else []
    order = [*known, *(rule for rule in counts if rule not in known)]
    return {
        "total": len(found),
        "kept": len(found) - sum(counts.values()) if "keep" in columns else None,
        "funnel": funnel(len(found), [(r, counts[r]) for r in order]) if counts else before,
        "drops": [{"reason": rule, "count": count} for rule, count in counts.items()],
        "scores": scores,
        "by": _by(pairs, columns),
        "lead": lead,
        **_table(pairs, columns, measures, rows, documents),
    }


def _reasons(columns: pl.Schema) -> pl.Expr:
    """Column `why`: why a pair was dropped; null where it is kept, or nothing was filtered."""
    if "keep" not in columns:
        return pl.lit(None, pl.String).alias("why")
    said = pl.col("drop_reason").cast(pl.String) if "drop_reason" in columns else pl.lit(None)
    kept = pl.col("keep").fill_null(False)
    return pl.when(~kept).then(said.fill_null(_WITHOUT)).alias("why")


def _strata(found: pl.DataFrame) -> list[Rows]:
    """Rows of each tenth of the score, of those without one, and of each reason."""
    tenth = (pl.col("lead") * 10 + 1e-6).floor().clip(0, 9).fill_null(-1).cast(pl.Int8)
    groups: list[Rows] = []
    for key in (tenth, pl.col("why")):
        codes = found.select(key.rank("dense").fill_null(0)).to_series().to_numpy()
        groups += [np.flatnonzero(codes == code) for code in np.unique(codes)]
    return groups


def _chosen(found: pl.DataFrame, each: int) -> Rows:
    """Rows to show: some of each stratum, then any at random, until the page is full."""
    none = np.empty(0, np.int64)
    strata = [choose(rows, _OF_EACH) for rows in _strata(found)]
    first = np.unique(np.concatenate([none, *strata]))
    order = np.concatenate([first[shuffled(len(first))], shuffled(len(found))])
    _, at = np.unique(order, return_index=True)
    return within(order[np.sort(at)], (found["bytes"] + each).to_numpy(), PAIRS_BYTES, PAIRS)


def _by(pairs: pl.LazyFrame, columns: pl.Schema) -> list[dict[str, Any]]:
    """How many pairs there are of each direction, method and split."""
    keys = [name for name in ("source_lang", "target_lang", "method", "split") if name in columns]
    kept = pl.col("keep").sum() if "keep" in columns else pl.len()
    table = pairs.group_by(keys).agg(pairs=pl.len(), kept=kept).collect()
    return table.sort("pairs", *keys, descending=True, nulls_last=True).head(50).to_dicts()


def _table(
    pairs: pl.LazyFrame,
    columns: pl.Schema,
    measures: list[str],
    rows: Rows,
    documents: pl.LazyFrame | None,
) -> dict[str, Any]:
    """The rows to show, a list a column; scores of which none is there are left out."""
    keep = "keep" in columns
    held = (
        pairs.with_row_index("row")
        .filter(pl.col("row").is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
        .select(
            "row", *(name for name in _SHOWN if name in columns and name != "drop_reason"),
            *(number(name).alias(f"={name}") for name in measures),
            *(shortened(pl.col(f"{side}_text")) for side in ("source", "target")),
            *([_reasons(columns), pl.col("keep").fill_null(False)] if keep else []),
        )
        .collect()
        .sort("row")
    )  # fmt: skip
    values = {n: [short(v) for v in held[f"={n}"]] for n in measures}
    table = held.select(pl.exclude("^=.*$")).to_dict(as_series=False)
    docs = sorted(
        {doc for side in ("source", "target") for doc in table.get(f"{side}_doc", []) if doc}
    )
    numbers, uris = {doc: at for at, doc in enumerate(docs)}, _names(documents, docs)
    for side in ("source_doc", "target_doc"):
        if side in table:
            table[side] = [numbers.get(doc) for doc in table[side]]
    return {
        "rows": len(held),
        "columns": table,
        "values": values,
        "docs": [[doc, uris.get(doc)] for doc in docs],
    }


def _names(documents: pl.LazyFrame | None, docs: list[str]) -> dict[str, str]:
    if documents is None:
        return {}
    found = documents.filter(pl.col("doc_id").is_in(docs)).select("doc_id", name("uri"))
    return dict(found.collect().iter_rows())

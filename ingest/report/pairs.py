"""The pairs of a run: scores, dropped pairs, and a sample of the pairs themselves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from ingest import frames
from ingest.report.funnel import Step, build_funnel
from ingest.report.sample import (
    Rows,
    choose,
    clean_name,
    shorten,
    shuffled_range,
    take_within,
    text_bytes,
)
from ingest.report.scores import finite, round_number, score_distribution
from ingest.review.hashes import pair_hash

MAX_PAIRS, MAX_PAIRS_BYTES = 10_000, 5_000_000
_PER_STRATUM = 20  # pairs that are always shown of each tenth of the score and each reason
_PAIR_BYTES = 290  # of a pair, besides its texts and scores: mostly the names of its pages
_SCORE_BYTES = 8
_NO_REASON = "no reason given"

# Numbers that locate a text and do not rate it.
_POSITIONS = ("source_start", "source_end", "target_start", "target_end")
_MAIN_SCORES = ("quality", "score")  # shown first; the first one available sorts the pairs
_COLUMNS = (
    "pair_id", "source_lang", "target_lang", "source_doc", "target_doc", "source_segments",
    "target_segments", "method", "model", "split", "flags", "pii",
)  # fmt: skip


def column_meanings() -> dict[str, str]:
    """Return the meaning of each column of any frame."""
    groups = [g for g in vars(frames).values() if isinstance(g, tuple)]
    columns = [c for group in groups for c in group if isinstance(c, frames.Column)]
    return {column.name: column.meaning for column in columns}


def summarize_pairs(
    pairs: pl.LazyFrame, run_funnel: list[Step], documents: pl.LazyFrame | None
) -> dict[str, Any]:
    """Return everything that the report shows of pairs.

    Args:
        pairs: a frame of pairs.
        run_funnel: the funnel in run.json.
        documents: the pages that the pairs come from.
    """
    columns = pairs.collect_schema()
    numeric = [n for n, dtype in columns.items() if dtype.is_numeric() and n not in _POSITIONS]
    main = [name for name in _MAIN_SCORES if name in numeric]
    others = [name for name in numeric if name not in main]
    scores = [score_distribution(pairs, name) for name in [*main, *others]]
    scores = [score for score in scores if score["count"] or score["name"] in main]
    names = [score["name"] for score in scores]
    lead = next((score["name"] for score in scores if score["count"]), None)
    lead = lead if lead in main else None
    keys = pairs.select(
        _why_dropped(columns),
        lead=finite(lead) if lead else pl.lit(None, pl.Float64),
        bytes=text_bytes(pl.col("source_text")).fill_null(0)
        + text_bytes(pl.col("target_text")).fill_null(0),
    ).collect(engine="streaming")
    rows = _choose_rows(keys, _PAIR_BYTES + _SCORE_BYTES * len(names))
    dropped = keys.drop_nulls("why").group_by("why").agg(pairs=pl.len())
    counts: dict[str, int] = dict(dropped.sort(-pl.col("pairs").cast(pl.Int64), "why").iter_rows())
    known = {step["rule"]: 0 for step in run_funnel if step["rule"] in counts}
    order = [*known, *(rule for rule in counts if rule not in known)]
    # without a column `keep`, the funnel in run.json applies if these are the pairs it left
    applies = run_funnel and "keep" not in columns and run_funnel[-1]["left"] == len(keys)
    earlier = run_funnel if applies else []
    return {
        "total": len(keys),
        "kept": len(keys) - sum(counts.values()) if "keep" in columns else None,
        "funnel": build_funnel(len(keys), [(r, counts[r]) for r in order]) if counts else earlier,
        "drops": [{"reason": rule, "count": count} for rule, count in counts.items()],
        "scores": scores,
        "by": _count_groups(pairs, columns),
        "lead": lead,
        **_table(pairs, columns, names, rows, documents),
    }


def _why_dropped(columns: pl.Schema) -> pl.Expr:
    """Column `why`: why a pair was dropped; null if it is kept or nothing was filtered."""
    if "keep" not in columns:
        return pl.lit(None, pl.String).alias("why")
    has_reason = "drop_reason" in columns
    reason = pl.col("drop_reason").cast(pl.String) if has_reason else pl.lit(None)
    kept = pl.col("keep").fill_null(False)
    return pl.when(~kept).then(reason.fill_null(_NO_REASON)).alias("why")


def _strata(keys: pl.DataFrame) -> list[Rows]:
    """Return the rows of each tenth of the main score, of pairs without one, and of each reason."""
    tenth = (pl.col("lead") * 10 + 1e-6).floor().clip(0, 9).fill_null(-1).cast(pl.Int8)
    groups: list[Rows] = []
    for key in (tenth, pl.col("why")):
        codes = keys.select(key.rank("dense").fill_null(0)).to_series().to_numpy()
        groups += [np.flatnonzero(codes == code) for code in np.unique(codes)]
    return groups


def _choose_rows(keys: pl.DataFrame, bytes_each: int) -> Rows:
    """Choose rows to show: some of each stratum, then random ones until the page is full."""
    none = np.empty(0, np.int64)
    samples = [choose(rows, _PER_STRATUM) for rows in _strata(keys)]
    first = np.unique(np.concatenate([none, *samples]))
    order = np.concatenate([first[shuffled_range(len(first))], shuffled_range(len(keys))])
    _, at = np.unique(order, return_index=True)
    costs = (keys["bytes"] + bytes_each).to_numpy()
    return take_within(order[np.sort(at)], costs, MAX_PAIRS_BYTES, MAX_PAIRS)


def _count_groups(pairs: pl.LazyFrame, columns: pl.Schema) -> list[dict[str, Any]]:
    """Count the pairs of each direction, method and split."""
    keys = [name for name in ("source_lang", "target_lang", "method", "split") if name in columns]
    kept = pl.col("keep").sum() if "keep" in columns else pl.len()
    table = pairs.group_by(keys).agg(pairs=pl.len(), kept=kept).collect()
    return table.sort("pairs", *keys, descending=True, nulls_last=True).head(50).to_dicts()


def _table(
    pairs: pl.LazyFrame,
    columns: pl.Schema,
    scores: list[str],
    rows: Rows,
    documents: pl.LazyFrame | None,
) -> dict[str, Any]:
    """Return the chosen rows, column by column."""
    keep = "keep" in columns
    originals = {side: original_text(columns, side) for side in ("source", "target")}
    shown = (
        pairs.with_row_index("row")
        .filter(pl.col("row").is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
        .select(
            "row", *(name for name in _COLUMNS if name in columns),
            *(finite(name).alias(f"={name}") for name in scores),
            *(shorten(text).alias(f"{side}_text") for side, text in originals.items()),
            *(_edited(columns, side) for side in originals),
            *([_why_dropped(columns), pl.col("keep").fill_null(False)] if keep else []),
            sha=pair_hash(*originals.values()),
        )
        .collect()
        .sort("row")
    )  # fmt: skip
    values = {name: [round_number(v) for v in shown[f"={name}"]] for name in scores}
    table = shown.select(pl.exclude("^=.*$")).to_dict(as_series=False)
    docs = sorted(
        {doc for side in ("source", "target") for doc in table.get(f"{side}_doc", []) if doc}
    )
    numbers, uris = {doc: at for at, doc in enumerate(docs)}, _uris(documents, docs)
    for side in ("source_doc", "target_doc"):
        if side in table:
            table[side] = [numbers.get(doc) for doc in table[side]]
    return {
        "rows": len(shown),
        "columns": table,
        "values": values,
        "docs": [[doc, uris.get(doc)] for doc in docs],
    }


def original_text(columns: Collection[str], side: str) -> pl.Expr:
    """Return the text of a side before a person edited it."""
    text, original = f"{side}_text", f"original_{side}_text"
    return pl.coalesce(original, text) if original in columns else pl.col(text)


def _edited(columns: Collection[str], side: str) -> pl.Expr:
    """Return what a person made of the text of a side; null if it was not edited."""
    original = f"original_{side}_text"
    text = pl.col(f"{side}_text") if original in columns else pl.lit(None, pl.String)
    is_edited = pl.col(original).is_not_null() if original in columns else pl.lit(value=False)
    return pl.when(is_edited).then(shorten(text)).alias(f"new_{side}_text")


def _uris(documents: pl.LazyFrame | None, docs: list[str]) -> dict[str, str]:
    if documents is None:
        return {}
    names = documents.filter(pl.col("doc_id").is_in(docs)).select("doc_id", clean_name("uri"))
    return dict(names.collect().iter_rows())

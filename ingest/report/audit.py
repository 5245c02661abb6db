"""The random sample of an audit, with what a person needs to judge it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.report.pairs import original_text
from ingest.report.sample import clean_name, shorten
from ingest.review.audit import draw
from ingest.review.hashes import pair_hash, text_hash

MAX_ITEMS = 10_000  # more than people judge, and the page stays quick
CONTEXT = 3  # segments before and after the one to judge
_CONTEXT_CHARS = 400  # of each of them: four lines, which is what the page shows


def collect_audit(
    total: int,
    seed: int,
    documents: pl.LazyFrame | None,
    segments: pl.LazyFrame | None,
    pairs: pl.LazyFrame | None,
) -> dict[str, Any]:
    """Draw a stratified sample of segments and pairs, and return it with its context.

    Pairs without a column `pair_id` cannot be corrected, so that none are drawn.

    Args:
        total: number of segments and pairs to draw.
        seed: seed of the draw, and of the order in which they are asked.
        documents: the pages, for their names.
        segments: the segments, or None.
        pairs: the pairs, or None.

    Returns:
        total, seed and strata; each stratum has a sample of numbers of items. Items are segments
        with `before` and `after`, or pairs. `order` lists all items at random, segments first.
    """
    columns = pairs.collect_schema().names() if pairs is not None else []
    with_ids = pairs if "pair_id" in columns else None
    strata = draw(segments, with_ids, total, seed)
    rows = {
        unit: sorted(row for stratum in strata if stratum.unit == unit for row in stratum.rows)
        for unit in ("segment", "pair")
    }
    items: list[dict[str, Any]] = []
    if segments is not None:
        items += _segment_items(segments, rows["segment"])
    if with_ids is not None:
        items += _pair_items(with_ids, rows["pair"], columns=columns)
    first_pair = len(rows["segment"])
    numbers = {
        **{("segment", row): at for at, row in enumerate(rows["segment"])},
        **{("pair", row): first_pair + at for at, row in enumerate(rows["pair"])},
    }
    random = np.random.default_rng(seed)
    order = [
        *random.permutation(first_pair).tolist(),
        *(first_pair + random.permutation(len(rows["pair"]))).tolist(),
    ]
    return {
        "total": total,
        "seed": seed,
        "strata": [
            {
                "name": stratum.name,
                "unit": stratum.unit,
                "population": stratum.population,
                "sample": [numbers[stratum.unit, row] for row in stratum.rows],
            }
            for stratum in strata
        ],
        "items": items,
        "order": order,
        "docs": _describe_pages(documents, items),
    }


def _segment_items(segments: pl.LazyFrame, rows: list[int]) -> list[dict[str, Any]]:
    """Return segments with those around them on their page, in the order of `rows`."""
    around = {row + step for row in rows for step in range(-CONTEXT, CONTEXT + 1)}
    wanted = pl.Series(sorted(row for row in around if row >= 0), dtype=pl.UInt32)
    table = (
        segments.with_row_index("row")
        .filter(pl.col("row").is_in(wanted.implode()))
        .select("row", "doc_id", "segment", "line", "lang", "role", "text", "keep")
        .collect()
        .with_columns(pl.col("keep").fill_null(value=False), sha=text_hash(pl.col("text")))
        .with_columns(text=shorten(pl.col("text")))
    )
    by_row = {row.pop("row"): row for row in table.to_dicts()}

    def context(row: int, steps: range) -> list[list[str]]:
        near = [by_row[row + step] for step in steps if row + step in by_row]
        page = by_row[row]["doc_id"]
        return [[s["lang"], s["text"][:_CONTEXT_CHARS]] for s in near if s["doc_id"] == page]

    return [
        {
            "kind": "segment",
            **by_row[row],
            "before": context(row, range(-CONTEXT, 0)),
            "after": context(row, range(1, CONTEXT + 1)),
        }
        for row in rows
    ]


def _pair_items(
    pairs: pl.LazyFrame, rows: list[int], *, columns: list[str]
) -> list[dict[str, Any]]:
    sides = [original_text(columns, side) for side in ("source", "target")]
    texts = [shorten(pl.col(f"{side}_text").fill_null("")) for side in ("source", "target")]
    table = (
        pairs.with_row_index("row")
        .filter(pl.col("row").is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
        .select(
            "row", "pair_id", "source_lang", "target_lang", *texts,
            sha=pair_hash(*sides),
            keep=pl.col("keep").fill_null(value=False) if "keep" in columns
            else pl.lit(value=True),
        )
        .collect()
        .sort("row")
        .drop("row")
    )  # fmt: skip
    return [{"kind": "pair", **row} for row in table.to_dicts()]


def _describe_pages(
    documents: pl.LazyFrame | None, items: list[dict[str, Any]]
) -> dict[str, list[str | None]]:
    """Return name, title and URL of the pages of the items, by doc_id."""
    ids = sorted({item["doc_id"] for item in items if item["kind"] == "segment"})
    if documents is None or not ids:
        return {}
    pages = documents.filter(pl.col("doc_id").is_in(ids))
    names = pages.select("doc_id", *map(clean_name, ("uri", "title", "url"))).collect()
    return {doc_id: list(rest) for doc_id, *rest in names.sort("doc_id").iter_rows()}

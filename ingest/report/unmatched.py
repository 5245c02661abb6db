"""Sentences of aligned pages that are in no pair."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.alignment.unmatched import find_unmatched, sentences_of
from ingest.report.sample import (
    Rows,
    choose,
    clean_name,
    shorten,
    shuffled_range,
    take_within,
    text_bytes,
)

MAX_PAGE_PAIRS, MAX_BYTES = 200, 600_000
_MAX_SENTENCES = 200  # of one side of a pair of pages
_SIDES = ("source", "target")
_KEYS = ("source_doc", "target_doc", "source_lang", "target_lang")
_NEEDED = (*_KEYS, "source_segments", "target_segments")


def collect_unmatched(
    documents: pl.LazyFrame, segments: pl.LazyFrame, pairs: pl.LazyFrame
) -> dict[str, Any] | None:
    """Return the kept sentences without a pair, of both sides of pages that were aligned.

    Of many pages, a random sample is returned. A page that is aligned with several others is
    listed with each; a sentence counts as paired if it is in a pair with any of them.

    Returns:
        total: number of pairs of pages; pages: for each one shown, the IDs and names of both pages,
        the languages, and for both sides the number of sentences without a pair and the first ones,
        as [segment, text]. None if the pairs do not tell where they come from.
    """
    columns = pairs.collect_schema()
    if any(name not in columns for name in _NEEDED):
        return None
    edges = [f"{side}_{edge}" for side in _SIDES for edge in ("start", "end")]
    absent = [pl.lit(None, pl.Int64).alias(name) for name in edges if name not in columns]
    aligned = pairs.with_columns(absent).drop_nulls(["source_doc", "target_doc"])
    couples = aligned.select(_KEYS).unique().sort(_KEYS).collect(engine="streaming")
    shown = couples[choose(shuffled_range(len(couples)), MAX_PAGE_PAIRS)].sort(_KEYS)
    alone = {side: _alone(segments, aligned, shown, side) for side in _SIDES}
    counts = shown.with_row_index("couple").select("couple", *_KEYS)
    for side in _SIDES:
        sums = (
            alone[side]
            .group_by("doc", "lang")
            .agg(
                pl.len().alias(side),
                text_bytes(pl.col("text")).head(_MAX_SENTENCES).sum().alias(f"{side}_bytes"),
            )
        )
        counts = counts.join(
            sums, left_on=[f"{side}_doc", f"{side}_lang"], right_on=["doc", "lang"], how="left"
        )
    counts = counts.fill_null(0).filter(pl.col("source") + pl.col("target") > 0).sort("couple")
    rows = _fitting(counts)
    return {
        "total": len(couples),
        "without": len(counts),
        "pages": _list_pages(documents, counts[rows], alone),
    }


def _alone(
    segments: pl.LazyFrame, pairs: pl.LazyFrame, shown: pl.DataFrame, side: str
) -> pl.DataFrame:
    """Return the sentences of one side of the pages shown that are in no pair."""
    doc, lang = f"{side}_doc", f"{side}_lang"
    pages = shown.select(doc_id=doc, lang=lang).unique().lazy()
    kept = segments.filter(pl.col("keep")).join(pages, on=["doc_id", "lang"], how="semi")
    texts = kept.select("doc_id", "segment", "start", "lang", "text", "keep").collect()
    used = pairs.filter(pl.col(doc).is_in(shown[doc].implode())).select(
        doc, f"{side}_segments", f"{side}_start", f"{side}_end"
    )
    sentences = pl.concat(
        [
            sentences_of(pl.DataFrame(schema=texts.schema), None),
            *(sentences_of(part, str(code)) for (code,), part in texts.group_by("lang")),
        ]
    )
    return find_unmatched(sentences, used.collect(), side).sort("doc", "segment", "start")


def _fitting(counts: pl.DataFrame) -> Rows:
    if counts.is_empty():
        return shuffled_range(0)
    costs = (counts["source_bytes"] + counts["target_bytes"]).cast(pl.Int64).to_numpy()
    return take_within(shuffled_range(len(counts)), costs, MAX_BYTES, MAX_PAGE_PAIRS)


def _list_pages(
    documents: pl.LazyFrame, counts: pl.DataFrame, alone: dict[str, pl.DataFrame]
) -> list[dict[str, Any]]:
    ids = pl.concat([counts["source_doc"], counts["target_doc"]]).unique()
    names = documents.filter(pl.col("doc_id").is_in(ids.implode()))
    uris = dict(names.select("doc_id", clean_name("uri")).collect().iter_rows())
    sentences = {
        side: {
            key: part.select("segment", shorten(pl.col("text"))).head(_MAX_SENTENCES).rows()
            for key, part in alone[side].group_by("doc", "lang", maintain_order=True)
        }
        for side in _SIDES
    }
    return [
        {
            side: {
                "doc_id": row[f"{side}_doc"],
                "uri": uris.get(row[f"{side}_doc"]),
                "lang": row[f"{side}_lang"],
                "count": row[side],
                "sentences": sentences[side].get((row[f"{side}_doc"], row[f"{side}_lang"]), []),
            }
            for side in _SIDES
        }
        for row in counts.iter_rows(named=True)
    ]

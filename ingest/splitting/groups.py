"""Find pairs that must stay in one split, because they share something or are similar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingest._typing import I64, U16, Batches, Bools
from ingest.config import SplitConfig
from ingest.errors import FrameError
from ingest.frames import HUMAN_METHODS
from ingest.minhash import similar_pairs, text_keys, text_signatures

TEXTS = ("source_text", "target_text")
_DOCS = ("source_doc", "target_doc")
_CLUSTERS = ("cluster", "source_cluster", "target_cluster")
# Signatures of 63 numbers estimate similarity to ± 0.06, so pairs slightly below the threshold are
# joined too. What this still misses is found when dev and test are compared with the rest.
_TOLERANCE = 0.1


def clusters_of(segments: pl.LazyFrame) -> pl.DataFrame:
    """Return the clusters of articles on each page: columns doc_id and cluster."""
    return segments.select("doc_id", "cluster").drop_nulls().unique().collect()


def pair_keys(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return what is kept of a batch: IDs, pages, clusters, and a key for each text."""
    if missing := pairs["pair_id"].null_count():
        raise FrameError(f"split: pair_id is null in {missing:,} pairs; give every pair an ID")
    present = [name for name in _CLUSTERS if pairs.schema.get(name) == pl.String]
    keep = pl.col("keep").fill_null(False) if "keep" in pairs.columns else pl.lit(True)
    return pairs.select(
        "pair_id",
        "source_doc",
        "target_doc",
        *(
            pl.col(name) if name in present else pl.lit(None, pl.String).alias(name)
            for name in _CLUSTERS
        ),
        keep=keep,
        machine=~pl.col("method").is_in(HUMAN_METHODS),
        original=pl.col("split")
        if pairs.schema.get("split") == pl.String
        else pl.lit(None, pl.String),
    ).with_columns(pl.Series(name, text_keys(pairs[name])) for name in TEXTS)


def related_rows(
    kept: pl.DataFrame, batches: Batches, page_clusters: pl.DataFrame | None, config: SplitConfig
) -> list[tuple[I64, I64]]:
    """Return rows of `kept` that must stay together, as arrays of edges.

    Args:
        kept: keys of the pairs to split, as `pair_keys` returns them.
        batches: all pairs.
        page_clusters: the clusters of each page, as `clusters_of` returns them.
        config: what keeps pairs together, and the similarity threshold.
    """
    edges = [_sharing(kept, ["pair_id"]), _sharing(kept, list(TEXTS))]
    if config.by == "page":
        edges += [_sharing(kept, list(_DOCS)), _sharing(kept, list(_CLUSTERS))]
        if page_clusters is not None:
            rows = kept.with_row_index("at")
            sides = [rows.select("at", doc_id=f"{side}_doc") for side in ("source", "target")]
            clusters = pl.concat(sides).join(page_clusters, on="doc_id")
            first = clusters.select(pl.col("at").min().over("cluster"))["at"]
            edges.append((_indices(clusters["at"]), _indices(first)))
    # One signature per distinct text, in an order that does not depend on the order of rows
    first_rows, signatures = _signatures(kept, batches)
    left, right = similar_pairs(signatures, max(config.near - _TOLERANCE, 0.01))
    edges.append((first_rows[left], first_rows[right]))
    return edges


def sharing_rows(
    kept: pl.DataFrame, chosen: Bools, page_clusters: pl.DataFrame | None, config: SplitConfig
) -> Bools:
    """Return which rows share a text, a page or a copy of an article with a chosen row."""
    groups: list[tuple[str, ...]] = [("pair_id",), TEXTS]
    if config.by == "page":
        groups += [_DOCS, _CLUSTERS]
    shares = np.zeros(len(kept), bool)
    for names in groups:
        values = pl.concat([kept[name].filter(pl.Series(chosen)) for name in names])
        if names == _DOCS and page_clusters is not None:
            of_chosen = page_clusters.filter(pl.col("doc_id").is_in(values.implode()))["cluster"]
            copies = page_clusters.filter(pl.col("cluster").is_in(of_chosen.implode()))
            values = pl.concat([values, copies["doc_id"]])
        values = values.drop_nulls().unique()
        for name in names:
            shares |= kept[name].is_in(values.implode()).fill_null(value=False).to_numpy()
    return shares


def _indices(column: pl.Series) -> I64:
    return column.cast(pl.Int64).to_numpy()


def _sharing(kept: pl.DataFrame, columns: list[str]) -> tuple[I64, I64]:
    """Return rows with a common value in any of the columns, each with the first such row."""
    rows = kept.with_row_index("at")
    values = pl.concat([rows.select("at", value=pl.col(name)) for name in columns]).drop_nulls()
    first = values.select(pl.col("at").min().over("value"))["at"]
    return _indices(values["at"]), _indices(first)


def _signatures(kept: pl.DataFrame, batches: Batches) -> tuple[I64, U16]:
    """Return a row and the signature of each distinct text, sorted by the keys of the texts."""
    first_rows: list[pl.DataFrame] = []
    signatures = []
    seen = pl.DataFrame(schema={"key": pl.UInt64})
    for start, batch in kept_texts(kept, batches):
        texts = pl.concat(
            [
                batch.select(text=name).with_columns(
                    key=kept[name][start : start + len(batch)],
                    at=pl.int_range(start, start + len(batch), eager=True),
                )
                for name in TEXTS
            ]
        )
        new = texts.unique("key", keep="first", maintain_order=True).join(
            seen, on="key", how="anti", maintain_order="left"
        )
        seen = pl.concat([seen, new.select("key")])
        first_rows.append(new.select("key", "at"))
        signatures.append(text_signatures(new["text"]))
    if not first_rows:
        return np.empty(0, np.int64), text_signatures(pl.Series([], dtype=pl.String))
    rows = pl.concat(first_rows)
    order = rows["key"].arg_sort().to_numpy()
    return rows["at"].to_numpy()[order], np.concatenate(signatures)[order]


def kept_texts(kept: pl.DataFrame, batches: Batches) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the texts of kept pairs in batches, with the index in `kept` of the first of each."""
    rows = kept["row"].to_numpy()
    first = start = 0
    for batch in batches():
        inside = rows[(rows >= first) & (rows < first + len(batch))] - first
        if len(inside):
            yield start, batch.select(pl.col(*TEXTS).fill_null(""))[inside]
        start += len(inside)
        first += len(batch)

"""Which pairs must not be parted: keys first, then what shares them or has a likeness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingest._typing import I64, U16, Batches
from ingest.config import SplitConfig
from ingest.errors import FrameError
from ingest.frames import HUMAN_METHODS
from ingest.minhash import similar_pairs, text_keys, text_signatures

TEXTS = ("source_text", "target_text")
_CLUSTERS = ("cluster", "source_cluster", "target_cluster")
# Signatures of 63 numbers tell likeness to ± 0.06: pairs that are alike by less are joined too,
# and what is missed all the same is found by holding dev and test against the rest.
_GIVE = 0.1


def clusters_of(segments: pl.LazyFrame) -> pl.DataFrame:
    """Which pages hold which cluster of articles: columns doc_id, cluster."""
    return segments.select("doc_id", "cluster").drop_nulls().unique().collect()


def look(pairs: pl.DataFrame) -> pl.DataFrame:
    """What is kept of a batch: names, pages, and a number for each text."""
    if missing := pairs["pair_id"].null_count():
        raise FrameError(f"split: pair_id is null in {missing:,} pairs; give each a name")
    clusters = [c for c in _CLUSTERS if pairs.schema.get(c) == pl.String]
    keep = pl.col("keep").fill_null(False) if "keep" in pairs.columns else pl.lit(True)
    return pairs.select(
        "pair_id",
        "source_doc",
        "target_doc",
        *(pl.col(c) if c in clusters else pl.lit(None, pl.String).alias(c) for c in _CLUSTERS),
        keep=keep,
        machine=~pl.col("method").is_in(HUMAN_METHODS),
    ).with_columns(pl.Series(name, text_keys(pairs[name])) for name in TEXTS)


def together(
    kept: pl.DataFrame, batches: Batches, same: pl.DataFrame | None, config: SplitConfig
) -> list[tuple[I64, I64]]:
    """What must not be parted, as rows of `kept` in pairs."""
    edges = [_shared(kept, ["pair_id"]), _shared(kept, list(TEXTS))]
    if config.by == "page":
        edges += [_shared(kept, ["source_doc", "target_doc"]), _shared(kept, list(_CLUSTERS))]
        if same is not None:
            at = kept.with_row_index("at")
            sides = [at.select("at", doc_id=f"{side}_doc") for side in ("source", "target")]
            held = pl.concat(sides).join(same, on="doc_id")
            edges.append(_int(held["at"], held.select(pl.col("at").min().over("cluster"))["at"]))
    # one signature a text, however many pairs have it, in an order that is the texts' own
    firsts, values = _signatures(kept, batches)
    one, other = similar_pairs(values, max(config.near - _GIVE, 0.01))
    edges.append((firsts[one], firsts[other]))
    return edges


def _int(one: pl.Series, other: pl.Series) -> tuple[I64, I64]:
    return one.cast(pl.Int64).to_numpy(), other.cast(pl.Int64).to_numpy()


def _shared(kept: pl.DataFrame, columns: list[str]) -> tuple[I64, I64]:
    """Rows that have a value in any of the columns in common, each with the first that has it."""
    at = kept.with_row_index("at")
    each = pl.concat([at.select("at", value=pl.col(name)) for name in columns]).drop_nulls()
    return _int(each["at"], each.select(pl.col("at").min().over("value"))["at"])


def _signatures(kept: pl.DataFrame, batches: Batches) -> tuple[I64, U16]:
    """Of each different text a row that has it, and its signature; in the order of their keys."""
    firsts: list[pl.DataFrame] = []
    made = []
    seen = pl.DataFrame(schema={"key": pl.UInt64})
    for at, batch in of_kept(kept, batches):
        texts = pl.concat(
            [
                batch.select(text=name).with_columns(
                    key=kept[name][at : at + len(batch)],
                    at=pl.int_range(at, at + len(batch), eager=True),
                )
                for name in TEXTS
            ]
        )
        new = texts.unique("key", keep="first", maintain_order=True).join(
            seen, on="key", how="anti", maintain_order="left"
        )
        seen = pl.concat([seen, new.select("key")])
        firsts.append(new.select("key", "at"))
        made.append(text_signatures(new["text"]))
    if not firsts:
        return np.empty(0, np.int64), text_signatures(pl.Series([], dtype=pl.String))
    every = pl.concat(firsts)
    order = every["key"].arg_sort().to_numpy()
    return every["at"].to_numpy()[order], np.concatenate(made)[order]


def of_kept(kept: pl.DataFrame, batches: Batches) -> Iterator[tuple[int, pl.DataFrame]]:
    """The texts of kept pairs, a batch at a time, and the number of each batch's first."""
    rows = kept["row"].to_numpy()
    first = at = 0
    for batch in batches():
        there = rows[(rows >= first) & (rows < first + len(batch))] - first
        if len(there):
            yield at, batch.select(pl.col(*TEXTS).fill_null(""))[there]
        at += len(there)
        first += len(batch)

"""What the join of a run reads and writes per shard, and how its keys are cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import U16, U64
from ingest.dedup.clusters import cluster_names
from ingest.io.arrays import save_array
from ingest.io.parquet import read_parquet, write_parquet
from ingest.pipeline.doc_ids import number_to_doc_id
from ingest.pipeline.state import State


class JoinPlan(NamedTuple):
    """How the keys of all shards are cut.

    Attributes:
        starts: the first shard of each chunk, and the number of shards.
        rows: number of keys of each chunk.
        band_buckets: buckets of one band.
        line_buckets: buckets of lines.
    """

    starts: list[int]
    rows: list[int]
    band_buckets: int
    line_buckets: int

    @property
    def chunks(self) -> int:
        return len(self.rows)

    def chunk_of(self, shard: int) -> int:
        """Return the chunk of a shard."""
        return int(np.searchsorted(self.starts, shard, side="right")) - 1


def read_join_plan(state: State) -> JoinPlan:
    """Read the plan that `ingest.pipeline.join` stored."""
    with state.borrow(state.joined("plan", 0), "plan.json") as folder:
        return JoinPlan(**json.loads((folder / "plan.json").read_bytes()))


def read_keys(state: State, shard: int) -> pl.DataFrame:
    """Read the keys of a shard, with doc_id as a number."""
    with state.borrow(state.labelled(shard), "keys.parquet") as folder:
        return read_parquet(folder / "keys.parquet")


def read_values(state: State, shard: int) -> U16:
    """Read the signatures of a shard."""
    with state.borrow(state.labelled(shard), "values.npy") as folder:
        values: U16 = np.load(folder / "values.npy")
        return values


def read_lines(state: State, shard: int) -> pl.DataFrame:
    """Read the short lines of a shard."""
    with state.borrow(state.labelled(shard), "lines.parquet") as folder:
        return read_parquet(folder / "lines.parquet")


def write_clusters(folder: Path, shard: int, keys: pl.DataFrame, leaders: pl.DataFrame) -> None:
    """Write the clusters of a shard: columns doc_id, article, cluster.

    Args:
        folder: where to write.
        shard: number of the shard.
        keys: its keys.
        leaders: the key of the leader of each of them.
    """
    frame = _with_doc_ids(keys).with_columns(cluster=cluster_names(_with_doc_ids(leaders)))
    write_parquet(frame, folder / f"{shard:06d}.parquet", compression="lz4")


def write_template(folder: Path, lines: U64) -> None:
    """Write the template lines of sites."""
    save_array(lines, folder / "template.npy")


def read_final(state: State, shard: int) -> tuple[pl.DataFrame, pl.Series]:
    """Read the clusters of a shard, and the template lines of sites."""
    chunk = read_join_plan(state).chunk_of(shard)
    names = f"{shard:06d}.parquet", "template.npy"
    with state.borrow(state.joined("final", chunk), *names) as folder:
        return read_parquet(folder / names[0]), pl.Series(np.load(folder / names[1]))


def _with_doc_ids(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.with_columns(number_to_doc_id(keys["doc_id"]))

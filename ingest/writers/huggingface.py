"""A folder that `datasets.load_dataset` reads, with a card.

    README.md                               the card
    data/SPLIT-00000-of-00001.parquet       aligned pairs: what loads by default
    translated/SPLIT-00000-of-00001.parquet pairs that a machine translated: load by name
    given/SPLIT-00000-of-00001.parquet      given pairs; in data/ where there are no aligned ones

Both texts stand in one column, `translation`, by language; the frame's other columns follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import FrameError
from ingest.frames import METHOD_ALIGNED
from ingest.io.parquet import PAIR_ROWS, sink
from ingest.writers.card import card, split_name
from ingest.writers.selection import Part, Selection

FOLDER = True

_SHARD = 16 * PAIR_ROWS  # pairs of a file: some 150 MB, under the size that people like to download
_TEXTS = ("source_text", "target_text")


def write(selection: Selection, dest: Path, *, license: str = "") -> dict[str, Any]:
    """Fill the folder.

    Raises:
        FrameError: two splits have one name on the hub.
    """
    sides = selection.sides()
    _refuse_twins(selection)
    columns = pl.Schema(
        {
            "pair_id": selection.columns["pair_id"],
            "translation": pl.Struct(dict.fromkeys(sides, pl.String())),
            **{n: t for n, t in selection.columns.items() if n not in ("pair_id", *_TEXTS)},
        }
    )
    configs: dict[str, dict[str, str]] = {}
    files = []
    for part in selection.parts or [Part(None, METHOD_ALIGNED, 0)]:
        folder = "data" if part.method == selection.plain else part.method
        split = split_name(part)
        names = _names(f"{folder}/{split}", part.pairs)
        batches = (_by_language(b, sides).select(columns.names()) for b in selection.batches(part))
        (dest / folder).mkdir(exist_ok=True)
        pending: list[pl.DataFrame] = []
        for number, name in enumerate(names):
            rows = min(part.pairs - number * _SHARD, _SHARD)
            sink(_take(rows, batches, pending), columns, dest / name)
        configs.setdefault(part.method, {})[split] = f"{folder}/{split}-*.parquet"
        files += names
    (dest / "README.md").write_text(card(selection, columns, configs, license), encoding="utf-8")
    return {"files": ["README.md", *files]}


def _refuse_twins(selection: Selection) -> None:
    named: dict[tuple[str, str], Part] = {}
    for part in selection.parts:
        other = named.setdefault((part.method, split_name(part)), part)
        if other is not part:
            raise FrameError(
                f"export of {selection.name}: column 'split' holds {other.split!r} and "
                f"{part.split!r}, and huggingface has {split_name(part)!r} for both; rename one"
            )


def _names(stem: str, pairs: int) -> list[str]:
    """The shards' names.

    >>> _names("data/test", 10)
    ['data/test-00000-of-00001.parquet']
    """
    shards = max(1, -(-pairs // _SHARD))
    return [f"{stem}-{n:05d}-of-{shards:05d}.parquet" for n in range(shards)]


def _take(
    rows: int, batches: Iterator[pl.DataFrame], pending: list[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The next rows; what is left of a batch is kept in `pending`."""
    while rows > 0:
        batch = pending.pop() if pending else next(batches)
        if len(batch) > rows:
            pending.append(batch[rows:])
        yield batch[:rows]
        rows -= min(len(batch), rows)


def _by_language(batch: pl.DataFrame, sides: tuple[str, str]) -> pl.DataFrame:
    one, other = sides
    forward = pl.col("source_lang") == one
    source, target = pl.col("source_text"), pl.col("target_text")
    return batch.with_columns(
        translation=pl.struct(
            pl.when(forward).then(source).otherwise(target).alias(one),
            pl.when(forward).then(target).otherwise(source).alias(other),
        )
    )

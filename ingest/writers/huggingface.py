"""Write a folder that `datasets.load_dataset` reads, with a data card.

    README.md                               the data card
    data/SPLIT-00000-of-00001.parquet       aligned pairs: the default configuration
    translated/SPLIT-00000-of-00001.parquet machine-translated pairs: a configuration of their own
    imported/SPLIT-00000-of-00001.parquet   imported pairs; in data/ if there are no aligned pairs

Column `translation` contains both texts by language. The other columns of the frame follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import FrameError
from ingest.frames import METHOD_ALIGNED
from ingest.io.parquet import PAIR_ROWS, sink
from ingest.writers.card import card, hub_split_name
from ingest.writers.selection import Part, Selection

FOLDER = True

_FILE_ROWS = 16 * PAIR_ROWS  # about 150 MB, a convenient size for downloads
_GROUP_ROWS = PAIR_ROWS // 4  # Polars keeps some row groups in memory until they are written
_TEXTS = ("source_text", "target_text")


def write(selection: Selection, dest: Path, *, license: str = "") -> dict[str, Any]:
    """Write all files into the folder `dest`.

    Raises:
        FrameError: two splits have the same name on the hub.
        SourceError: the run.json of the pairs cannot be read.
    """
    langs = selection.language_pair()
    selection.run()  # the card needs it, and a damaged one is named before all pairs are written
    _refuse_equal_names(selection)
    columns = pl.Schema(
        {
            "pair_id": selection.columns["pair_id"],
            "translation": pl.Struct(dict.fromkeys(langs, pl.String())),
            **{n: t for n, t in selection.columns.items() if n not in ("pair_id", *_TEXTS)},
        }
    )
    configs: dict[str, dict[str, str]] = {}
    files = []
    for part in selection.parts or [Part(None, METHOD_ALIGNED, 0)]:
        folder = "data" if part.method == selection.default_method else part.method
        split = hub_split_name(part)
        names = _file_names(f"{folder}/{split}", part.pairs)
        batches = (
            _with_translation(batch, langs).select(columns.names())
            for batch in selection.batches(part)
        )
        (dest / folder).mkdir(exist_ok=True)
        pending: list[pl.DataFrame] = []
        for number, name in enumerate(names):
            rows = min(part.pairs - number * _FILE_ROWS, _FILE_ROWS)
            sink(_next_rows(rows, batches, pending), columns, dest / name, rows=_GROUP_ROWS)
        configs.setdefault(part.method, {})[split] = f"{folder}/{split}-*.parquet"
        files += names
    (dest / "README.md").write_text(card(selection, columns, configs, license), encoding="utf-8")
    return {"files": ["README.md", *files]}


def _refuse_equal_names(selection: Selection) -> None:
    parts: dict[tuple[str, str], Part] = {}
    for part in selection.parts:
        other = parts.setdefault((part.method, hub_split_name(part)), part)
        if other is not part:
            raise FrameError(
                f"export of {selection.name}: column 'split' has the values {other.split!r} and "
                f"{part.split!r}, which are both {hub_split_name(part)!r} on Hugging Face; "
                "rename one"
            )


def _file_names(stem: str, pairs: int) -> list[str]:
    """Return the names of the files of a split.

    >>> _file_names("data/test", 10)
    ['data/test-00000-of-00001.parquet']
    """
    count = max(1, -(-pairs // _FILE_ROWS))
    return [f"{stem}-{number:05d}-of-{count:05d}.parquet" for number in range(count)]


def _next_rows(
    rows: int, batches: Iterator[pl.DataFrame], pending: list[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Yield the next `rows` rows. The rest of a batch is put into `pending`."""
    while rows > 0:
        batch = pending.pop() if pending else next(batches)
        if len(batch) > rows:
            pending.append(batch[rows:])
        yield batch[:rows]
        rows -= min(len(batch), rows)


def _with_translation(batch: pl.DataFrame, langs: tuple[str, str]) -> pl.DataFrame:
    """Add column `translation`, with the text of each language."""
    first, second = langs
    in_order = pl.col("source_lang") == first
    source, target = pl.col("source_text"), pl.col("target_text")
    return batch.with_columns(
        translation=pl.struct(
            pl.when(in_order).then(source).otherwise(target).alias(first),
            pl.when(in_order).then(target).otherwise(source).alias(second),
        )
    )

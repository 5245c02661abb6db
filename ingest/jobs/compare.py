"""Compare two runs: lines that only one of them keeps, and pairs that only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingest.drop_reasons import segment_reason
from ingest.errors import SourceError
from ingest.io.parquet import scan_parquet
from ingest.io.run_files import PAIRS_FILE, refuse_incomplete
from ingest.jobs.damage import names_damage
from ingest.jobs.show import ShownPages, open_run
from ingest.readers.sources import is_run

KEPT, ABSENT = "kept", "no such line"
EDITED = "edited"
NO_PAIR = "no such pair"
# The files with pairs, the last step first; both runs need the same one.
_PAIR_FILES = ("split.parquet", "filtered.parquet", "scored.parquet", PAIRS_FILE)
_ORIGINALS = ("original_source_text", "original_target_text")
_PAIR_TEXTS = ("source_text", "target_text", "source_lang", "target_lang")


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs, the earlier one first.

    Attributes:
        names: of the two runs.
        pages: number of pages of each run.
        shared_pages: number of pages that both have.
        kept: number of kept lines of each run.
        lines: lines of shared pages that only one run keeps, by what each run says. Columns
            role_before, before, role_after, after, lines, uri, text: `before` and `after` are
            KEPT, ABSENT or a reason; uri and text belong to the first such line.
        pairs_file: name of the file of pairs that both runs have; None if there is none.
        pairs: number of pairs of each run, in that file or else in pairs.parquet; None if a run
            has none.
        pair_changes: pairs by what each run says, where that differs. Columns before, after,
            pairs, source_text, target_text; the texts belong to the first such pair. `before` and
            `after` are KEPT, EDITED (and kept), NO_PAIR or a reason.
    """

    names: tuple[str, str]
    pages: tuple[int, int]
    shared_pages: int
    kept: tuple[int, int]
    lines: pl.DataFrame
    pairs_file: str | None
    pairs: tuple[int | None, int | None]
    pair_changes: pl.DataFrame


@names_damage("before", "after")
def compare_runs(before: str, after: str) -> Comparison:
    """Compare the outputs of two runs.

    A page is the same if its source and record are the same. A line is the same if its page and
    text are; of equal lines of a page, the first is compared with the first, and so on. A pair is
    the same if its texts, before any edit, and its languages are; equal pairs are compared in
    order, too.

    Args:
        before: folder of the earlier run.
        after: folder of the later run.

    Raises:
        SourceError: a folder is not that of a run, its files cannot be read, or the runs have no
            page in common.
    """
    for name in (before, after):
        refuse_incomplete(name)
        if not is_run(name):
            raise SourceError(
                f"{name}: is not the folder of a run; give a folder that ingest wrote"
            )
    runs = [open_run(name) for name in (before, after)]
    try:
        ids = [run.documents["doc_id"] for run in runs]
        shared = ids[1].filter(ids[1].is_in(ids[0].implode()))
        if shared.is_empty():
            raise SourceError(
                f"{before} and {after}: have no page in common; compare runs of the same sources"
            )
        lines = _compare_lines(runs, shared)
        files = [n for n in _PAIR_FILES if all(Path(run.name, n).is_file() for run in runs)]
        pairs = [_read_pairs(Path(run.name, files[0])) if files else _NO_PAIRS for run in runs]
        counts = [len(frame) for frame in pairs] if files else [_count_pairs(run) for run in runs]
        kept = [run.segments.select(pl.col("keep").sum()).collect().item() for run in runs]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{before} and {after}: cannot be compared: {error}") from error
    return Comparison(
        names=(before, after),
        pages=(len(ids[0]), len(ids[1])),
        shared_pages=len(shared),
        kept=(kept[0], kept[1]),
        lines=lines,
        pairs_file=files[0] if files else None,
        pairs=(counts[0], counts[1]),
        pair_changes=_compare_pairs(*pairs),
    )


def _compare_lines(runs: Sequence[ShownPages], shared: pl.Series) -> pl.DataFrame:
    before, after = (_read_lines(run, shared) for run in runs)
    both = before.join(after, on=["doc_id", "key", "nth"], how="full", coalesce=True, suffix="_2")
    both = both.select(
        "doc_id",
        pl.coalesce("segment_2", "segment").alias("segment"),
        pl.col("segment_2").is_null().alias("is_gone"),
        role_before=pl.col("role").fill_null("-"),
        before=pl.col("why").fill_null(ABSENT),
        role_after=pl.col("role_2").fill_null("-"),
        after=pl.col("why_2").fill_null(ABSENT),
    )
    changed = both.filter((pl.col("before") == KEPT) != (pl.col("after") == KEPT))
    keys = ["role_before", "before", "role_after", "after"]
    groups = (
        changed.sort("doc_id", "segment")
        .group_by(keys)
        .agg(pl.len().alias("lines"), pl.col("doc_id", "segment", "is_gone").first())
        .sort("lines", *keys, descending=[True, *[False] * len(keys)])
    )
    examples = pl.concat(
        _example_texts(run, groups.filter(is_gone=is_gone))
        for run, is_gone in zip(runs, (True, False), strict=True)
    )
    examples = groups.join(examples, on=["doc_id", "segment", "is_gone"], how="left")
    return examples.sort("lines", *keys, descending=[True, *[False] * len(keys)]).select(
        *keys, "lines", "uri", "text"
    )


def _read_lines(run: ShownPages, shared: pl.Series) -> pl.DataFrame:
    """Return doc_id, key (of the text), nth (of equal texts of the page), segment, role, why."""
    return (
        run.segments.filter(pl.col("doc_id").is_in(shared.implode()))
        .select(
            "doc_id",
            "segment",
            "role",
            key=pl.col("text").hash(),
            why=segment_reason(run.kept_roles).fill_null(KEPT),
        )
        .with_columns(nth=pl.int_range(pl.len()).over("doc_id", "key"))
        .collect()
    )


def _example_texts(run: ShownPages, groups: pl.DataFrame) -> pl.DataFrame:
    wanted = groups.select("doc_id", "segment", "is_gone").unique()
    texts = (
        run.segments.filter(pl.col("doc_id").is_in(wanted["doc_id"].implode()))
        .select("doc_id", "segment", "text")
        .collect()
    )
    uris = run.documents.select("doc_id", "uri")
    return wanted.join(texts, on=["doc_id", "segment"]).join(uris, on="doc_id")


_NO_PAIRS = pl.DataFrame(
    schema={
        "key": pl.UInt64,
        "nth": pl.Int64,
        "why": pl.String,
        "is_edited": pl.Boolean,
        "source_text": pl.String,
        "target_text": pl.String,
    }
)


def _count_pairs(run: ShownPages) -> int | None:
    path = Path(run.name, PAIRS_FILE)
    if not path.is_file():
        return None
    return int(scan_parquet(path).select(pl.len()).collect().item())


def _read_pairs(path: Path) -> pl.DataFrame:
    """Return the columns of _NO_PAIRS: `nth` is the number of a pair among equal ones."""
    frame = scan_parquet(path)
    columns = frame.collect_schema().names()
    why = pl.lit(KEPT)
    if "keep" in columns and "drop_reason" in columns:
        dropped = pl.col("drop_reason").fill_null("dropped")
        why = pl.when(pl.col("keep").fill_null(value=False)).then(pl.lit(KEPT)).otherwise(dropped)
    originals = [name for name in _ORIGINALS if name in columns]
    first_texts = [
        pl.coalesce([original, name] if (original := f"original_{name}") in originals else [name])
        for name in _PAIR_TEXTS
    ]
    key = pl.struct(text.alias(n) for n, text in zip(_PAIR_TEXTS, first_texts, strict=True)).hash()
    is_edited = pl.any_horizontal(
        pl.lit(value=False), *(pl.col(n).is_not_null() for n in originals)
    )
    pairs = frame.select("source_text", "target_text", key=key, why=why, is_edited=is_edited)
    nth = pl.int_range(pl.len()).over("key")
    return pairs.with_columns(nth=nth).select(_NO_PAIRS.columns).collect()


def _compare_pairs(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    both = before.join(after, on=["key", "nth"], how="full", coalesce=True, suffix="_2")
    other_texts = pl.any_horizontal(pl.col(n) != pl.col(f"{n}_2") for n in _PAIR_TEXTS[:2])
    said = [
        pl.when(other_texts & pl.col(f"is_edited{run}") & (pl.col(f"why{run}") == KEPT))
        .then(pl.lit(EDITED))
        .otherwise(f"why{run}")
        .fill_null(NO_PAIR)
        for run in ("", "_2")
    ]
    return (
        both.select(
            before=said[0],
            after=said[1],
            source_text=pl.coalesce("source_text_2", "source_text"),
            target_text=pl.coalesce("target_text_2", "target_text"),
            is_changed=other_texts.fill_null(value=False),
        )
        .filter(pl.col("is_changed") | (pl.col("before") != pl.col("after")))
        .sort("source_text", "target_text")
        .group_by("before", "after")
        .agg(pl.len().alias("pairs"), pl.col("source_text", "target_text").first())
        .sort("pairs", "before", "after", descending=[True, False, False])
    )

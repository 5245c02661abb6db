"""Apply corrections to pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from ingest.drop_reasons import REJECTED
from ingest.frames import BY_HAND, EDITED, FILTERED, PAIRS, check, schema
from ingest.review.correction_lines import WRONG
from ingest.review.corrections import Corrections
from ingest.review.hashes import pair_hash

_SIDES = ("source", "target")
_TEXTS = tuple(f"{side}_text" for side in _SIDES)
_ORIGINALS = tuple(f"original_{name}" for name in _TEXTS)
_KEPT_BY_HAND = "kept_by_hand"
_VALUES = (*_TEXTS, *_ORIGINALS, "keep", "drop_reason", _KEPT_BY_HAND)
_COLUMNS = schema(PAIRS, EDITED, FILTERED, BY_HAND)
_USED = {"pair_id": pl.String(), **{name: _COLUMNS[name] for name in _VALUES}}


class PairChanges(NamedTuple):
    """What corrections say about the pairs of a file.

    Attributes:
        rows: one row per pair with a correction: `row`, in the file; `at`, in `Corrections.pairs`;
            `sha`, that of its texts before any edit; source_text, target_text,
            original_source_text, original_target_text, keep, drop_reason and kept_by_hand as they
            should be; and `changed`, whether one of them was another.
        new_columns: the columns that the file needs and does not have.
    """

    rows: pl.DataFrame
    new_columns: pl.Schema

    @property
    def changed(self) -> int:
        """Number of pairs that change."""
        return int(self.rows["changed"].sum())

    def apply(self, pairs: pl.DataFrame, first_row: int = 0) -> pl.DataFrame:
        """Return pairs of the file as they should be, with `new_columns`.

        Args:
            pairs: consecutive rows of the file.
            first_row: the row of the first one in the file.
        """
        pairs = pairs.with_columns(
            pl.lit(name == "keep" or None, dtype).alias(name)
            for name, dtype in self.new_columns.items()
        )
        here = self.rows.filter(
            pl.col("changed"), pl.col("row").is_between(first_row, first_row + len(pairs) - 1)
        )
        at = here["row"] - first_row
        return pairs.with_columns(
            pairs[name].scatter(at, here[name]) for name in _VALUES if name in pairs.columns
        )


def correct_pairs(pairs: pl.DataFrame, corrections: Corrections) -> pl.DataFrame:
    """Apply corrections to a frame of pairs. To apply them again makes no difference.

    A correction applies to the pair with its ID if the pair has the same texts, before any edit;
    one without `sha`, whatever the texts are. A pair that is wrong, or has `keep` false, gets keep
    false and drop_reason "rejected by hand". One that is wrong and edited is mended and not
    rejected; it keeps its original texts in original_source_text and original_target_text.

    `keep` true gives kept_by_hand, which `ingest.filter` follows. The drop_reason of an earlier
    filter stays until then, because only the filter knows excluded texts and duplicates. Scores
    stay as they are until `ingest.score` runs again.

    Args:
        pairs: a frame of pairs.
        corrections: the corrections.

    Raises:
        FrameError: a column is missing.

    >>> pairs = pl.DataFrame([{"pair_id": "1", "source_text": "نعم", "target_text": "No"}],
    ...     schema(PAIRS))
    >>> from ingest.review.corrections import parse_corrections
    >>> said = b'{"kind": "pair", "pair_id": "1", "new_target_text": "Yes"}'
    >>> correct_pairs(pairs, parse_corrections(said)).select(
    ...     "source_text", "target_text", "original_target_text").row(0)
    ('نعم', 'Yes', 'No')
    """
    check(pairs, PAIRS, verb="correct")
    changes = find_pair_changes([pairs], pairs.schema, corrections)
    return changes.apply(pairs) if changes.changed else pairs


def find_pair_changes(
    batches: Iterable[pl.DataFrame], columns: pl.Schema, corrections: Corrections
) -> PairChanges:
    """Find the pairs that corrections are about, and what they should be.

    Args:
        batches: the pairs of a file, of which only those with a correction are kept in memory.
        columns: their columns.
        corrections: the corrections.
    """
    said = corrections.pairs.select(
        "pair_id",
        "verdict",
        "new_source_text",
        "new_target_text",
        given_keep="keep",
        given_sha="sha",
    ).with_row_index("at")
    ids = said["pair_id"].implode()
    start, found = 0, [pl.DataFrame(schema={"row": pl.Int64(), **_USED})]
    for batch in batches:
        rows = batch.with_row_index("row").filter(pl.col("pair_id").is_in(ids))
        found.append(_with_all_columns(rows).select(pl.col("row").cast(pl.Int64) + start, *_USED))
        start += len(batch)
    rows = pl.concat(found).join(said, on="pair_id", how="left", maintain_order="left")
    originals = {
        side: pl.coalesce(f"original_{side}_text", f"{side}_text").fill_null("") for side in _SIDES
    }
    rows = rows.with_columns(sha=pair_hash(originals["source"], originals["target"]))
    rows = rows.filter((pl.col("sha") == pl.col("given_sha")) | pl.col("given_sha").is_null())
    decided = rows.with_columns(_decide())
    changed = [pl.col(name).ne_missing(rows[name]) for name in _VALUES]
    decided = decided.with_columns(changed=pl.any_horizontal(changed))
    needed = pl.Schema()
    if (decided["drop_reason"] == REJECTED).any():
        needed.update(schema(FILTERED[:2]))
    if decided.select(pl.any_horizontal(pl.col(_ORIGINALS).is_not_null()).any()).item():
        needed.update(schema(EDITED))
    if decided[_KEPT_BY_HAND].any():
        needed.update(schema(BY_HAND))
    new = {name: dtype for name, dtype in needed.items() if name not in columns}
    return PairChanges(decided.select("row", "at", "sha", *_VALUES, "changed"), pl.Schema(new))


def _decide() -> list[pl.Expr]:
    """The columns of pairs as corrections say they should be."""
    texts: list[pl.Expr] = []
    edited = pl.lit(value=False)
    for side in _SIDES:
        text, original = f"{side}_text", pl.coalesce(f"original_{side}_text", f"{side}_text")
        new = pl.coalesce(f"new_{side}_text", original)
        is_edited = new.ne_missing(original)
        edited |= is_edited
        texts += [
            new.alias(text),
            pl.when(is_edited).then(original).alias(f"original_{side}_text"),
        ]
    is_wrong = (pl.col("verdict") == WRONG).fill_null(value=False) & ~edited
    rejected = pl.coalesce(~pl.col("given_keep"), is_wrong)
    was_rejected = (pl.col("drop_reason") == REJECTED).fill_null(value=False)
    keep = pl.when(rejected).then(pl.lit(value=False)).when(was_rejected).then(pl.lit(value=True))
    reason = pl.when(rejected).then(pl.lit(REJECTED)).when(~was_rejected).then("drop_reason")
    return [
        *texts,
        keep.otherwise("keep").alias("keep"),
        reason.alias("drop_reason"),
        pl.when(pl.col("given_keep")).then(pl.lit(value=True)).alias(_KEPT_BY_HAND),
    ]


def _with_all_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that corrections change where they are missing; all pairs are kept then."""
    missing = {n: d for n, d in _USED.items() if n not in rows.columns}
    return rows.with_columns(
        pl.lit(name == "keep" or None, dtype).alias(name) for name, dtype in missing.items()
    )

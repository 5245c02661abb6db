"""The rules that compare pairs with each other, by keys of fixed size.

Of several equal pairs the best one is kept: pairs that a person keeps come first, then those that
people translated, then those with the higher quality to three decimals, then those with the higher
score. Of pairs that are as good, the first one in the file is kept. A pair that a person keeps is
only dropped if it has the same texts as another one.

Keys are in temporary files and are compared in buckets, so memory hardly grows with the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from ingest._typing import U8, U64
from ingest.codepoints import mix
from ingest.config import FilterConfig
from ingest.drop_reasons import DUPLICATE_RULES, RULES
from ingest.filtering.rules import kept_by_hand
from ingest.filtering.signature_bands import Records, sort_records
from ingest.filtering.similar_pairs import BATCH, RANK, RANK_FIELDS, mark_near_duplicates
from ingest.frames import HUMAN_METHODS
from ingest.io.buckets import BucketStore
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS, text_keys, text_signatures

_DUPLICATE, _SAME_BUT_FOR_FORM, _NEAR_DUPLICATE, _MANY_TO_ONE = (
    RULES.index(name) for name in DUPLICATE_RULES
)
_SIGNATURE = "signature"
_KEYS = ("exact_first", "exact_second", "first", "second")
_COLUMNS = (*_KEYS, "grade", "rating")
_PAIR = np.dtype([*((name, np.uint64) for name in _COLUMNS), ("at", np.uint32)])
_DECIMALS = 3  # finer differences of quality say nothing
_PASSED = 255  # number that no rule has
_NOT_BY_HAND = 4 << 32  # least grade of a pair that no person has decided to keep
_MAX_IN_MEMORY = 1 << 22  # bytes of keys


def pair_keys(pairs: pl.DataFrame, failed: pl.Series, *, with_signatures: bool) -> pl.DataFrame:
    """Make the keys of a batch of pairs.

    Args:
        pairs: the batch.
        failed: the rule that each pair failed, as an index into RULES, or null.
        with_signatures: whether to make signatures for near-duplicates.

    Returns:
        One row per pair: keys of its texts, what decides which duplicate is best, and, if it is
        needed, `signature`, an array of UInt16; zeros if the pair failed a rule.
    """
    # Both directions of a pair get the same keys.
    in_order = pl.col("source_lang") <= pl.col("target_lang")
    source, target = pl.col("source_text"), pl.col("target_text")
    sides = pairs.select(
        first=pl.when(in_order).then(source).otherwise(target).fill_null(""),
        second=pl.when(in_order).then(target).otherwise(source).fill_null(""),
    )
    quality = pl.col("quality") if "quality" in pairs.columns else pl.lit(0.0)
    rows = pairs.select(
        machine=~pl.col("method").is_in(HUMAN_METHODS),
        quality=quality.cast(pl.Float32).fill_nan(None),
        score=pl.col("score").fill_nan(None),
        by_hand=kept_by_hand(pairs.schema),
    ).with_columns(
        failed.alias("reason"),
        exact_first=sides["first"].hash(),
        exact_second=sides["second"].hash(),
        first=pl.Series(text_keys(sides["first"])),
        second=pl.Series(text_keys(sides["second"])),
    )
    if not with_signatures:
        return rows
    has_passed = failed.is_null()
    passed = sides.filter(has_passed)
    signatures = text_signatures(passed["first"], passed["second"])
    of_all = np.zeros((len(pairs), signatures.shape[1]), np.uint16)
    of_all[has_passed.to_numpy()] = signatures
    return rows.with_columns(pl.Series(_SIGNATURE, of_all))


class PassedPairs:
    """The pairs that passed the rules about single pairs, to apply the others to.

    They are numbered in the order of the file. Lower ranks are better.

    Args:
        config: the thresholds.
    """

    def __init__(self, config: FilterConfig) -> None:
        self._config = config
        self._failed: list[U8] = []  # the rule that each pair of a batch failed
        self._keys = RowStore(len(_COLUMNS), np.uint64, max_in_memory=_MAX_IN_MEMORY)
        self._signatures = RowStore(BANDS * ROWS, np.uint16, max_in_memory=_MAX_IN_MEMORY)
        self._dropped: U8 = np.empty(0, np.uint8)

    def __enter__(self) -> PassedPairs:
        return self

    def __exit__(self, *_error: object) -> None:
        self._keys.close()
        self._signatures.close()

    def append(self, batch: pl.DataFrame) -> None:
        """Add the pairs of a batch that passed, as `pair_keys` returns them."""
        self._failed.append(batch["reason"].fill_null(_PASSED).cast(pl.UInt8).to_numpy())
        passed = batch.filter(pl.col("reason").is_null())
        columns = [passed[name].to_numpy() for name in _KEYS]
        self._keys.append(np.column_stack([*columns, *_ranks(passed)]))
        if _SIGNATURE in batch.columns:
            self._signatures.append(passed[_SIGNATURE].to_numpy())

    def drop_duplicates(self) -> pl.Series:
        """Return the first rule that each pair fails, as an index into RULES; null if none."""
        failed = np.concatenate([np.empty(0, np.uint8), *self._failed])
        self._failed = []
        self._dropped = np.full(int((failed == _PASSED).sum()), _PASSED, np.uint8)
        self._drop_repeated(("exact_first", "exact_second"), _DUPLICATE)
        self._drop_repeated(("first", "second"), _SAME_BUT_FOR_FORM)
        if self._config.near:
            count, near = len(self._dropped), self._config.near
            is_near = mark_near_duplicates(self._signatures, self._left, count, near)
            for pairs in self._left():
                self._drop(pairs[is_near[pairs["at"]]], _NEAR_DUPLICATE)
        limits = self._config.max_sources, self._config.max_targets
        for side, limit in zip(("second", "first"), limits, strict=True):
            if limit:
                self._drop_repeated((side,), _MANY_TO_ONE, limit=limit)
        failed[failed == _PASSED] = self._dropped
        reason = pl.Series("reason", failed)
        return reason.set(reason == _PASSED, None)

    def _left(self) -> Iterator[Records]:
        """Yield the pairs that no rule has dropped so far, in batches of the file."""
        start = 0
        for keys in self._keys.batches(BATCH):
            at = np.flatnonzero(self._dropped[start : start + len(keys)] == _PASSED)
            records = np.empty(len(at), _PAIR)
            for number, name in enumerate(_COLUMNS):
                records[name] = keys[at, number]
            records["at"] = at + start
            yield records
            start += len(keys)

    def _drop_repeated(self, names: Sequence[str], rule: int, *, limit: int = 1) -> None:
        """Drop all but the best `limit` pairs with the same keys."""
        with BucketStore(RANK_FIELDS) as store:
            for pairs in self._left():
                key = pairs[names[0]]
                for name in names[1:]:
                    key = mix(key + np.uint64(31) * mix(pairs[name]))
                store.append(key, **{name: pairs[name] for name in RANK})
            for records in store.ranges():
                in_order, is_first = sort_records(records, RANK)
                place = np.arange(len(in_order))
                place -= np.maximum.accumulate(np.where(is_first, place, 0))
                self._drop(in_order[place >= limit], rule)

    def _drop(self, pairs: Records, rule: int) -> None:
        if rule != _DUPLICATE:
            pairs = pairs[pairs["grade"] >= _NOT_BY_HAND]
        self._dropped[pairs["at"]] = rule


def _ranks(pairs: pl.DataFrame) -> tuple[U64, U64]:
    """Return `grade` and `rating` of pairs: the lower, the better."""
    grade = pairs.select(
        pl.when("by_hand").then(0).otherwise(4).cast(pl.UInt64)
        + pl.col("machine").cast(pl.UInt64).fill_null(2)
    ).to_series()
    quality = _descending(pairs["quality"].round(_DECIMALS))
    return grade.to_numpy() << np.uint64(32) | quality, _descending(pairs["score"])


def _descending(numbers: pl.Series) -> U64:
    """Return whole numbers below 2**32 in the opposite order of 32-bit floats; null comes last."""
    bits = (numbers.cast(pl.Float32).fill_null(0) + 0).to_numpy().view(np.uint32)
    is_negative = bits >> np.uint32(31) > 0
    ascending = np.where(is_negative, ~bits, bits | np.uint32(1 << 31))
    is_null = numbers.is_null().to_numpy()
    return np.where(is_null, np.uint32(0xFFFFFFFF), ~ascending).astype(np.uint64)

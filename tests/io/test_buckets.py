"""Tests of `ingest.io.buckets`."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.io import buckets
from ingest.io.buckets import BucketStore

KEYS = st.lists(st.integers(0, 20).map(lambda n: n * 0x0CCC_CCCC_CCCC_CCCC % (1 << 64)))


@given(
    st.lists(KEYS, max_size=5),
    st.sampled_from([0, 100, 1 << 20]),
    st.sampled_from([1, 50, 1 << 20]),
)
def test_records_of_a_key_come_back_together(batches, limit, read):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_READ_BYTES", read)
        with BucketStore({"row": np.int64}, max_in_memory=limit) as store:
            rows = 0
            for keys in batches:
                store.append(np.array(keys, np.uint64), row=np.arange(rows, rows + len(keys)))
                rows += len(keys)
            ranges = [records.tolist() for records in store.ranges()]
            again = [records.tolist() for records in store.ranges()]
            one_by_one = [records.tolist() for records in store.by_bucket()]
    assert again == ranges
    every = list(chain(*ranges))
    assert sorted(chain(*one_by_one)) == sorted(every)
    assert len(one_by_one) == 1024
    wanted = [key for keys in batches for key in keys]
    found = sorted(every, key=lambda record: record[1])
    assert [row for _, row in found] == list(range(rows))
    assert [key for key, _ in found] == wanted
    for one, other in pairwise(ranges):
        assert max(one)[0] < min(other)[0]


def test_a_store_without_records_has_no_ranges():
    with BucketStore({}) as store:
        assert list(store.ranges()) == []

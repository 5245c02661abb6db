"""Tests of `ingest.io.scratch`."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ingest.errors import WriteError
from ingest.io.scratch import RowStore


@pytest.mark.parametrize("limit", [0, 100, 1 << 20])
def test_rows_come_back_from_memory_and_from_a_file(limit):
    rows = np.random.default_rng(1).integers(0, 1 << 16, (50, 7)).astype(np.uint16)
    with RowStore(7, np.uint16, max_in_memory=limit) as store:
        for start in (0, 1, 20):
            store.append(rows[start : {0: 1, 1: 20, 20: 50}[start]])
        assert isinstance(store.rows(), np.memmap) == (limit < rows.nbytes)
        assert (store.rows() == rows).all()


def test_a_store_without_rows_is_empty():
    with RowStore(3, np.int64) as store:
        assert store.rows().shape == (0, 3)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_an_error_and_not_a_signal(monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_options: full)
        store = RowStore(1, np.uint8, max_in_memory=0)
        with pytest.raises(WriteError, match="temporary file cannot be written: No space left"):
            store.append(np.ones((10, 1), np.uint8))

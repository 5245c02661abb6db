from __future__ import annotations

import numpy as np
import pytest

from ingest.errors import ModelError
from ingest.resources import load_npz


@pytest.fixture
def path(tmp_path):
    np.savez_compressed(tmp_path / "model.npz", weights=np.arange(1000.0), names=np.array(["a"]))
    return tmp_path / "model.npz"


def test_load_npz(path):
    assert set(load_npz(path)) == {"weights", "names"}
    assert load_npz(path, ["names"])["names"].tolist() == ["a"]


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"none\.npz: cannot be loaded .*reinstall"):
        load_npz(tmp_path / "none.npz")


def test_missing_array(path):
    with pytest.raises(ModelError, match=r"model\.npz: .*missing.*bias"):
        load_npz(path, ["weights", "bias"])


@pytest.mark.parametrize("size", [0, 10, 300, -1])
def test_truncated_file(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"model\.npz: cannot be loaded"):
        load_npz(path)


def test_damaged_array(path):
    data = bytearray(path.read_bytes())
    data[100:200] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.npz"):
        load_npz(path)


def test_pickled_objects_are_not_loaded(tmp_path):
    np.savez(tmp_path / "model.npz", weights=np.array([{}]))
    with pytest.raises(ModelError, match=r"model\.npz: cannot be loaded .*pickle"):
        load_npz(tmp_path / "model.npz")


def test_a_bare_array_is_not_an_archive(tmp_path):
    with (tmp_path / "model.npz").open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(ModelError, match=r"model\.npz: cannot be loaded"):
        load_npz(tmp_path / "model.npz")

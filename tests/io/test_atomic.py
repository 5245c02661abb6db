"""Where one file or folder is written: whole or not at all."""

from __future__ import annotations

import pytest

from ingest.errors import OutputError, WriteError
from ingest.io.atomic import atomic_write, check_output


def test_nothing_is_left_of_what_did_not_finish(tmp_path):
    def half(dest, *, folder):
        with atomic_write(tmp_path / dest, folder=folder) as work:
            (work / "x" if folder else work).write_text("half")
            raise KeyboardInterrupt

    (tmp_path / "a").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        half("a", folder=False)
    with pytest.raises(KeyboardInterrupt):
        half("b", folder=True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "before")]


def test_a_folder_takes_the_place_of_a_folder(tmp_path):
    for text in ("one", "two"):
        with atomic_write(tmp_path / "a", folder=True) as work:
            (work / text).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["a", "a/two"]


@pytest.mark.parametrize("folder", [False, True])
def test_only_the_last_folder_of_a_path_is_made(tmp_path, folder):
    dest = tmp_path / "none" / "a"
    with pytest.raises(WriteError, match=r"there is no folder .*none; make it first"):
        check_output(dest, overwrite=True, folder=folder)
    with pytest.raises(WriteError, match="make it first"), atomic_write(dest, folder=folder):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_may_be_replaced(tmp_path):
    a, link = tmp_path / "a", tmp_path / "link"
    check_output(a, overwrite=False)
    a.touch()
    link.symlink_to(a)
    check_output(a, overwrite=True)
    with pytest.raises(OutputError, match="exists already; choose another name, or give --over"):
        check_output(a, overwrite=False)
    with pytest.raises(OutputError, match="is the input itself"):
        check_output(a, overwrite=True, inputs=[tmp_path / "none", link])
    for dest, folder in ((link, False), (a, True), (tmp_path, False)):
        with pytest.raises(OutputError, match="is no plain"):
            check_output(dest, overwrite=True, folder=folder)

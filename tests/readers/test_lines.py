"""The lines of a text file."""

from __future__ import annotations

import gzip

import pytest

from ingest.errors import SourceError
from ingest.readers.lines import read_lines


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\r\n\nb", ["a", "", "b"]),
        ("\ufeffa\u2028b\x0bc\n".encode(), ["a\u2028b\x0bc"]),
        ("\u0642\u0627\u0644\n".encode("cp1256"), ["\u0642\u0627\u0644"]),
    ],
)
def test_line_ends(tmp_path, stored, expected):
    for name, data in (("a.html", stored), ("a.txt.gz", gzip.compress(stored))):
        (tmp_path / name).write_bytes(data)
        assert read_lines(str(tmp_path / name)) == expected


def test_errors_name_the_file(tmp_path):
    (tmp_path / "bytes.txt").write_bytes(bytes(range(256)) * 4)
    for name, message in (
        ("none.txt", "no such file"),
        ("bytes.txt", "not text"),
        (".", "directory"),
    ):
        with pytest.raises(SourceError, match=message):
            read_lines(str(tmp_path / name))


def test_a_book_may_be_larger_than_a_page(tmp_path):
    """The limit of pages is 64 MiB. That of text files is larger than any book."""
    line = b"x" * 1_000_000 + b"\n"
    (tmp_path / "book.txt").write_bytes(line * 68)
    assert len(read_lines(str(tmp_path / "book.txt"))) == 68

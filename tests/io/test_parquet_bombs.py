"""What a Parquet file becomes is known before it is decompressed."""

from __future__ import annotations

import io
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.io import parquet_bombs, parquet_footer
from ingest.io.parquet_bombs import BombFinder, find_bombs
from ingest.io.parquet_footer import RowGroup, read_content, read_row_groups
from ingest.io.thrift import BINARY, I32, LIST, Field, TruncatedError, read_struct


def stored(frame: pl.DataFrame, **options) -> io.BytesIO:
    file = io.BytesIO()
    frame.write_parquet(file, **options)
    return file


def frame(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "url": [f"https://example.org/{n}" for n in range(rows)],
            "text": [f"The boat {n} left. رحل القارب {n}." for n in range(rows)],
            "tags": [[f"tag {n}"] * (n % 4) for n in range(rows)],
            "meta": [{"author": f"Mona {n}", "ids": list(range(n % 3))} for n in range(rows)],
            "empty": pl.Series([None] * rows, dtype=pl.String),
            "number": range(rows),
        }
    )


NAMES = ["url", "text", "tags", "meta", "meta", "empty", "number"]  # the chunks of a row group


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "gzip", "lz4", "zstd"])
@pytest.mark.parametrize("statistics", [True, False])
def test_row_groups_are_those_that_polars_wrote(compression, statistics):
    rows = frame(1000)
    file = stored(rows, compression=compression, statistics=statistics, row_group_size=300)
    groups = read_row_groups(file)
    assert [group.rows for group in groups] == [300, 300, 300, 100]
    for group in groups:
        assert [chunk.name for chunk in group.chunks] == NAMES
        for chunk in group.chunks:
            content = read_content(file, chunk)
            assert not content.damage
            assert content.values == group.rows or chunk.name in ("tags", "meta")
            assert content.stored == chunk.stored
            assert content.size < chunk.stored or compression != "uncompressed"
    assert find_bombs(file) == []


def test_small_pages_and_long_statistics():
    rows = pl.DataFrame({"text": [f"{n} " + "word " * 5000 for n in range(50)]})
    file = stored(rows, data_page_size=10_000, statistics="full")
    (chunk,) = read_row_groups(file)[0].chunks
    content = read_content(file, chunk)
    assert (content.values, content.damage) == (50, "")
    assert content.size > int(rows["text"].str.len_bytes().sum())


def test_files_without_rows_or_columns():
    assert find_bombs(stored(pl.DataFrame({"text": pl.Series([], dtype=pl.String)}))) == []
    assert find_bombs(stored(pl.DataFrame())) == []


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(parquet_bombs, "MIN_SIZE", 1 << 20)


@pytest.mark.usefixtures("small_limit")
class TestBombs:
    text = "a" * 700_000

    def file(self, *groups: int, **options) -> io.BytesIO:
        """A file with row groups of two rows; those with these numbers are large."""
        texts = [self.text * (n // 2 in groups) + str(n) for n in range(12)]
        rows = pl.DataFrame({"url": [str(n) for n in range(12)], "text": texts})
        return stored(rows, row_group_size=2, **options)

    @pytest.mark.parametrize("compression", ["gzip", "lz4", "zstd"])
    def test_row_groups_are_named(self, compression):
        bombs = find_bombs(self.file(1, 4, compression=compression))
        assert [(bomb.start, bomb.stop) for bomb in bombs] == [(2, 4), (8, 10)]
        assert bombs[0].describe(1).startswith("rows 3 to 4: column 'text' would become 1,400,0")

    def test_snappy_never_does(self):
        assert find_bombs(self.file(1, compression="snappy")) == []

    def test_copies_of_a_page_are_no_bomb(self):
        page = " ".join(f"w{n * 7919 % 10_007}" for n in range(2000))
        rows = pl.DataFrame({"text": [f"{page} {n} {page}" for n in range(200)]})
        assert find_bombs(stored(rows, compression="zstd")) == []

    def test_only_columns_that_are_read_count(self):
        assert find_bombs(self.file(1), ["url"]) == []
        assert len(find_bombs(self.file(1), ["url", "text"])) == 1

    def test_row_groups_that_are_in_memory_together_count_together(self):
        self.text = "a" * 300_000  # 600 kB in a row group
        assert [bomb.start for bomb in find_bombs(self.file(0, 1, 2))] == [2, 4]
        assert find_bombs(self.file(0, 1, 2), rows=2) == []
        assert find_bombs(self.file(0), rows=None) == []

    @settings(deadline=None)
    @given(
        st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 0, 1, 5, 20]), st.booleans())),
        st.integers(0, 60),
        st.integers(1, 30),
        st.sampled_from([1, 7, 20, None]),
    )
    def test_a_range_of_rows_has_the_bombs_of_the_whole(self, groups, start, count, rows):
        """Row groups have rows, a size in units of a tenth of the limit, and may be damaged."""

        class Finder(BombFinder):
            def _measure(self, _file, number):
                _, size, is_damaged = groups[number]
                return (size << 20) // 10, "", is_damaged and not size

        named = [RowGroup(size, []) for size, _, _ in groups]
        whole = Finder(named, rows=rows).find(None)
        stop = start + count
        assert Finder(named, rows=rows).find(None, start, stop) == [
            bomb for bomb in whole if bomb.stop > start and bomb.start < stop
        ]

    def test_a_list_of_nulls(self):
        rows = pl.DataFrame({"text": ["a"], "tags": [[None] * 100_000]})
        rows = rows.cast({"tags": pl.List(pl.String)})
        (bomb,) = find_bombs(stored(rows))
        assert "column 'tags' would become 1,6" in bomb.reason


def test_a_damaged_page_costs_its_row_group():
    file = stored(frame(90), row_group_size=30)
    text = read_row_groups(file)[1].chunks[1]
    data = bytearray(file.getvalue())
    data[text.start : text.start + 20] = bytes(20)
    (bomb,) = find_bombs(io.BytesIO(bytes(data)))
    assert bomb.describe() == (
        "rows 30 to 59: a page of column 'text' is damaged: it does not tell its size"
    )


FILE = stored(frame(40), row_group_size=20).getvalue()
FOOTER = int.from_bytes(FILE[-8:-4], "little")


@pytest.mark.parametrize("length", [0, 3, 8, 12, len(FILE) // 2, len(FILE) - 1])
def test_a_file_that_is_cut_off(length):
    with pytest.raises(SourceError, match="has no footer"):
        find_bombs(io.BytesIO(FILE[:length]))


def test_a_footer_that_is_too_large_to_read(monkeypatch):
    monkeypatch.setattr(parquet_footer, "_MAX_FOOTER", FOOTER - 1)
    with pytest.raises(SourceError, match=r"has a footer of more than .* fewer row groups"):
        find_bombs(io.BytesIO(FILE))


def survives(data: bytes) -> None:
    """The file is understood, or refused by an exception of ours."""
    try:
        for bomb in find_bombs(io.BytesIO(data)):
            assert bomb.start <= bomb.stop
    except SourceError:
        pass


def test_any_footer_that_is_cut_off():
    for length in range(0, FOOTER, 7):
        footer = FILE[-8 - FOOTER : -8 - FOOTER + length]
        survives(FILE[: -8 - FOOTER] + footer + length.to_bytes(4, "little") + b"PAR1")


def test_files_with_wrong_bytes():
    draw = random.Random(1)
    for _ in range(500):
        data = bytearray(FILE)
        start = draw.choice([4, len(FILE) - FOOTER - 8])
        for _ in range(draw.randint(1, 8)):
            data[draw.randrange(start, len(FILE) - 8)] = draw.randrange(256)
        survives(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_footer(footer):
    survives(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


class TestThrift:
    def test_unknown_fields_of_all_types_are_skipped(self):
        skipped = (
            b"\x11" b"\x12" b"\x13\x07" b"\x14\x02" b"\x16\x80\x01" b"\x17" + bytes(8)
            + b"\x18\x02no" b"\x19\x21\x01\x02" b"\x1a\x15\x04" b"\x1b\x01\x88\x01k\x01v" b"\x1b\x00"
            b"\x1c\x15\x02\x00" b"\x1d" + bytes(16)
        )  # fmt: skip
        values, size = read_struct(skipped + b"\x15\x05\x00rest", {14: Field(I32)})
        assert (values, size) == ({14: -3}, len(skipped) + 3)

    def test_a_number_of_its_own_before_a_field(self):
        assert read_struct(b"\x05\x28\x0a\x00", {20: Field(I32)})[0] == {20: 5}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"\x1c" * 100, "nested too deeply"),
            (b"\x15" + b"\xff" * 20, "more than 64 bits"),
            (b"\x1e\x00", "there is no type 14"),
            (b"\x28\x01a\x00", "field 2 has the wrong type"),
            (b"\x39\x15\x02\x00", "items of the wrong type"),
        ],
    )
    def test_damage(self, data, message):
        with pytest.raises(SourceError, match=message):
            read_struct(data, {2: Field(I32), 3: Field(LIST, items=BINARY)})

    @pytest.mark.parametrize(
        "data", [b"", b"\x15", b"\x18\xff\xff\x03a", b"\x19\xfc\xff\xff\xff\x0f"]
    )
    def test_cut_off(self, data):
        with pytest.raises(TruncatedError):
            read_struct(data, {})

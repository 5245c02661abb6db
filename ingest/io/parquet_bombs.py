"""Find row groups of Parquet files that become far larger than anybody's text when they are read.

Polars decompresses the pages of a row group before anything can look at its rows. So this asks the
pages beforehand what they will become.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest.errors import SourceError
from ingest.io.parquet_footer import RowGroup, read_content, read_row_groups
from ingest.io.remake import DamagedFileError, describe_damage

# Repeated bytes become 30,000 times smaller with zstd, 1,000 times with gzip, 255 times with LZ4.
# Pages of 12 kB that differ in one word become 228 times smaller with zstd, and 81 times with gzip;
# larger pages a few times more. Snappy never reaches 22 times.
MAX_RATIO = 2_000
_MAX_RATIOS = {2: 500, 5: 240, 7: 240}  # of gzip and of both forms of LZ4
# Where a value is stored as its difference from the one before. Pages that differ in their last
# word have more, but rarely fill MIN_SIZE.
_MAX_PREFIXES = 240  # of the bytes of a page
# Short columns that are the same in every row are compressed more than that, too, but stay small.
# This is twice what a page may have (`read.max_record_bytes`).
MIN_SIZE = 1 << 27  # bytes
_VALUE_SIZE = 16  # bytes of memory that Polars needs for a value of a list, even if it is null
_ROWS = 1 << 15  # rows in memory at the same time: a batch of pairs, or many of pages


class Bomb(NamedTuple):
    """A row group that must not be read.

    Attributes:
        start: its first row.
        stop: the row after its last one.
        reason: why.
        is_damaged: whether that is because it is damaged, not because it is large.
    """

    start: int
    stop: int
    reason: str
    is_damaged: bool = False

    def describe(self, first: int = 0) -> str:
        """Say which rows are not read, and why, if the rows are counted from `first`.

        >>> Bomb(0, 20, "a page of column 'text' is cut off").describe(1)
        "rows 1 to 20: a page of column 'text' is cut off"
        """
        return f"rows {self.start + first:,} to {self.stop + first - 1:,}: {self.reason}"


class BombFinder:
    """Finds row groups that must not be read, and looks only at those that are asked for.

    Args:
        groups: what the footer of the file says.
        columns: the names of the columns that will be read; all if None.
        rows: how many rows are in memory at the same time; all if None.
    """

    def __init__(
        self,
        groups: Sequence[RowGroup],
        columns: Collection[str] | None = None,
        *,
        rows: int | None = _ROWS,
    ) -> None:
        self._groups, self._columns, self._rows = groups, columns, rows
        self._starts = [0, *accumulate(group.rows for group in groups)]
        self._measured: dict[int, tuple[int, str, bool]] = {}

    def find(self, file: BinaryIO, start: int = 0, stop: int | None = None) -> list[Bomb]:
        """Return the row groups that must not be read.

        Args:
            file: the open file.
            start: the first row that will be read.
            stop: the row after the last one; None for the end of the file.

        Raises:
            OSError: the file cannot be read.
        """
        bombs = []
        first = bisect_right(self._starts, start) - 1
        last = len(self._groups) if stop is None else bisect_left(self._starts, stop)
        held_rows = held_size = 0
        held: deque[tuple[int, int]] = deque()  # rows and size of the row groups before this one
        for number in range(self._begin(file, first), min(last, len(self._groups))):
            group, at = self._groups[number], self._starts[number]
            size, reason, is_damaged = self._measure(file, number)
            while self._rows is not None and held and held_rows >= self._rows:
                old_rows, old_size = held.popleft()
                held_rows, held_size = held_rows - old_rows, held_size - old_size
            if is_damaged or held_size + size > MIN_SIZE:
                bombs.append(Bomb(at, at + group.rows, reason, is_damaged))
            else:
                held.append((group.rows, size))
                held_rows, held_size = held_rows + group.rows, held_size + size
        return [bomb for bomb in bombs if bomb.stop > start]

    def _begin(self, file: BinaryIO, number: int) -> int:
        """Return from which row group on one must look to decide about this one.

        Row groups are in memory together with those before; which of these are bombs depends on
        those before them, unless they are harmless alone.
        """
        rows = 0  # of harmless row groups
        while number > 0 and (self._rows is None or rows < self._rows):
            number -= 1
            size, _, is_damaged = self._measure(file, number)
            rows = 0 if size or is_damaged else rows + self._groups[number].rows
        return max(number, 0)

    def _measure(self, file: BinaryIO, number: int) -> tuple[int, str, bool]:
        if number not in self._measured:
            self._measured[number] = _measure(file, self._groups[number], self._columns)
        return self._measured[number]


def find_bombs(
    file: BinaryIO, columns: Collection[str] | None = None, *, rows: int | None = _ROWS
) -> list[Bomb]:
    """Return the row groups of an open file that must not be read.

    Args:
        file: a Parquet file.
        columns: the names of the columns that will be read; all if None.
        rows: how many rows are in memory at the same time; all if None.

    Raises:
        SourceError: the footer is damaged.
        OSError: the file cannot be read.
    """
    return BombFinder(read_row_groups(file), columns, rows=rows).find(file)


def refuse_bombs(path: str | Path) -> None:
    """Raise if a file has a row group that must not be read.

    Raises:
        SourceError: it has, or it is damaged.
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        refuse_bombs_in(file, str(path))


def refuse_bombs_in(file: BinaryIO, name: str, *, rows: int | None = _ROWS) -> None:
    """Raise if an open file has a row group that must not be read.

    Args:
        file: a Parquet file.
        name: what to call it.
        rows: as for `find_bombs`.

    Raises:
        SourceError: it has, or it is damaged.
        OSError: the file cannot be read.
    """
    try:
        bombs = find_bombs(file, rows=rows)
    except SourceError as error:
        what = f"cannot be read as Parquet: it {error}"
        raise DamagedFileError(describe_damage(name, what)) from error
    if bombs:
        what = f"cannot be read as Parquet: {bombs[0].describe(1)}"
        if bombs[0].is_damaged:
            raise DamagedFileError(describe_damage(name, what))
        raise SourceError(f"{name}: {what}")


def _measure(
    file: BinaryIO, group: RowGroup, columns: Collection[str] | None
) -> tuple[int, str, bool]:
    """Return what the suspicious columns of a row group become, why, and whether one is damaged."""
    total, reason = 0, ""
    for chunk in group.chunks:
        if columns is not None and chunk.name not in columns:
            continue
        column = f"column {chunk.name!r}"
        content = read_content(file, chunk)
        if content.damage and content.values < group.rows:  # after all values, nobody reads on
            return 0, f"a page of {column} {content.damage}", True
        size = content.size + content.prefixes
        size += _VALUE_SIZE * max(0, content.values - group.rows)
        ratio = _MAX_RATIOS.get(chunk.codec, MAX_RATIO)
        if content.prefixes > _MAX_PREFIXES * content.size:
            total += size
            reason = (
                f"{column} may become {size:,} bytes, as its texts repeat the starts of others; "
                "if they do, write the file without DELTA_BYTE_ARRAY"
            )
        elif size > ratio * content.stored:
            total += size
            reason = (
                f"{column} would become {size:,} bytes, more than {ratio:,} times what is stored,"
                " as no text does; if it does, write the file with Snappy"
            )
    return total, reason, False

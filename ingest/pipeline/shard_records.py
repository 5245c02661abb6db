"""The records of a shard, numbered, with an error in place of those that cannot be processed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from ingest.config import ReadConfig
from ingest.readers import read_records
from ingest.readers.records import Record, Slice

PageKey: TypeAlias = tuple[int, int]
"""Number of a slice in its shard, and of a record in the slice; both start at 0."""

Announce: TypeAlias = Callable[..., None]
"""Called with `page=KEY` before a record is read, then `got=KEY`, or `end=KEY` if there is none.

Also with `rows=N` once N more records are processed.
"""

_NUMBERED = ("jsonl", "parquet")  # kinds whose records have numbers, not offsets
_NONE: Mapping[PageKey, str] = MappingProxyType({})


class Selection(NamedTuple):
    """Which records of a shard to process, and how.

    Attributes:
        failed: errors of records that must not be processed.
        unreadable: errors of records that cannot be read, so that the slice ends before them.
        first: the first record to process; None for all.
        last: the last one.
        batch_pages: most records in a batch; None for no limit.
    """

    failed: Mapping[PageKey, str] = _NONE
    unreadable: Mapping[PageKey, str] = _NONE
    first: PageKey | None = None
    last: PageKey | None = None
    batch_pages: int | None = None

    def to_json(self) -> list[Any]:
        """Return what `from_json` takes.

        >>> chosen = Selection({(0, 2): "is bad"}, first=(0, 1))
        >>> Selection.from_json(chosen.to_json()) == chosen
        True
        """
        return [[*self.failed.items()], [*self.unreadable.items()], *self[2:]]

    @classmethod
    def from_json(cls, values: list[Any]) -> Selection:
        failed, unreadable, first, last, batch_pages = values
        return cls(
            {_key(key): error for key, error in failed},
            {_key(key): error for key, error in unreadable},
            first and _key(first),
            last and _key(last),
            batch_pages,
        )


def _key(values: list[int]) -> PageKey:
    return values[0], values[1]


ALL = Selection()


class ShardRecords:
    """Reads the slices of a shard, one after the other.

    Args:
        settings: how to read them.
        selection: which records to read.
        lost: sources that are not read any more, and why.
        announce: see `Announce`; None to announce nothing.
    """

    def __init__(
        self,
        settings: ReadConfig,
        selection: Selection,
        lost: Mapping[str, str],
        announce: Announce | None,
    ) -> None:
        self.selection = selection
        self.announce = announce or _ignore
        self._settings = settings
        self.lost = lost
        self._slices = 0
        self._left_out: dict[PageKey, Counter[str]] = {}  # before a record
        self._yielded: deque[PageKey] = deque()

    def take(self, count: int | None, left_out: Counter[str]) -> PageKey | None:
        """Forget the first records that were yielded, because they are processed.

        Args:
            count: how many; None for all, at the end of the shard.
            left_out: to it is added how many of the crawler's own records were left out before the
                next record, by what they are. Where records are selected, only those count that
                are before a selected one.

        Returns:
            The key after the last of them; None if there are none.
        """
        keys = [
            self._yielded.popleft() for _ in range(len(self._yielded) if count is None else count)
        ]
        following = (keys[-1][0], keys[-1][1] + 1) if keys else None
        for key in list(self._left_out):
            if not following or count is None or key < following:
                left_out.update(self._left_out.pop(key))
        return following

    def read(self, part: Slice) -> Iterator[Record]:
        """Yield the records of the next slice. To be called once for each, in order."""
        number, self._slices = self._slices, self._slices + 1
        first, last = self.selection.first, self.selection.last
        if (first and number < first[0]) or (last and number > last[0]):
            return
        key = (number, 0)
        if part.source in self.lost:
            self.announce(page=key)
            self.announce(got=key)
            self._yielded.append(key)
            yield _error_record(part, None, self.lost[part.source])
            return
        left_out: Counter[str] = Counter()
        records = read_records(part, self._settings, left_out)
        previous: Record | None = None
        while not last or key <= last:
            is_selected = not first or key >= first
            if is_selected:
                self.announce(page=key)
            error = self.selection.unreadable.get(key)
            record = _error_record(part, previous, error) if error else next(records, None)
            if is_selected and left_out:
                self._left_out[key] = left_out.copy()
            left_out.clear()
            if is_selected:
                self.announce(**({"got": key} if record else {"end": key}))
            if record is None:
                return
            if is_selected:
                failed = self.selection.failed.get(key)
                self._yielded.append(key)
                yield _strip(record, failed) if failed else record
            if error:
                return
            previous, key = record, (number, key[1] + 1)


def _error_record(part: Slice, previous: Record | None, error: str) -> Record:
    """The record that stands for the rest of a slice, after its record `previous`."""
    if previous is None:
        record = part.first if part.kind in _NUMBERED else part.start
        return Record(part.source, record or None, error=error)
    return Record(part.source, (previous.record or 0) + 1, error=error)


def _strip(record: Record, error: str) -> Record:
    """A record in error. Of its content, only the hash is used."""
    return Record(
        record.source,
        record.record,
        record.key,
        record.content,
        record.media_type,
        url=record.url,
        sha256=record.sha256,
        error=error,
    )


def _ignore(**_event: object) -> None:
    pass

"""What is known of the pages of a shard of which some fail, for a search that is interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ingest.pipeline.shard_records import PageKey


@dataclass
class KnownPages:
    """Pages of a shard that fail, and those among which one is looked for.

    Attributes:
        seconds: after how many of them a page is too slow.
        failed: errors of pages that must not be processed.
        unreadable: errors of pages that cannot be read.
        suspects: pages among which at least one fails, in order; empty if that is not known.

    >>> known = KnownPages(300, {(0, 2): "is bad"}, suspects=[(0, 3), (1, 0)])
    >>> KnownPages.from_json(known.to_json(), 300) == known
    True
    """

    seconds: int
    failed: dict[PageKey, str] = field(default_factory=dict)
    unreadable: dict[PageKey, str] = field(default_factory=dict)
    suspects: list[PageKey] = field(default_factory=list)

    def count(self) -> int:
        """Return the number of pages that fail."""
        return len(self.failed) + len(self.unreadable)

    def to_json(self) -> bytes:
        """Return what `from_json` takes."""
        errors = [[*self.failed.items()], [*self.unreadable.items()]]
        return json.dumps([self.seconds, *errors, self.suspects]).encode()

    @classmethod
    def from_json(cls, stored: bytes, seconds: int) -> KnownPages:
        """Return what `to_json` was called on; nothing is known if `stored` is empty.

        Nothing is known either if pages had another time: they may not be too slow now.
        """
        if not stored:
            return cls(seconds)
        before, failed, unreadable, suspects = json.loads(stored)
        if before != seconds:
            return cls(seconds)
        return cls(seconds, _errors(failed), _errors(unreadable), [_key(key) for key in suspects])


def _errors(items: Iterable[Any]) -> dict[PageKey, str]:
    return {_key(key): error for key, error in items}


def _key(values: list[int]) -> PageKey:
    return values[0], values[1]

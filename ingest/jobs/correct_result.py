"""What `ingest correct` did, and how it says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ingest.jobs.learn import ProposedRules
from ingest.text import count_noun

_EXAMPLES = 3  # corrections that match nothing, and damaged lines, that are named
_EXAMPLE_CHARS, _NAME_CHARS = 40, 200

NOT_STORED = "nothing in the run, and {verb} not stored"
STORED = "nothing in the run any more, and {verb} still stored"
"""What corrections match that match nothing, and what becomes of them."""


@dataclass
class CorrectResult:
    """What corrections did; an `ingest._typing.Result`.

    Attributes:
        applied: by unit (segment or pair), corrections that apply to one.
        changed: by unit, those of them that changed it.
        unmatched: by unit, the stored corrections that apply to none, and as `why` the reason.
        not_stored: the same of those in the given files.
        by_rules: segments that the rules of sites changed.
        rules: rules that were proposed, with --learn.
        learned: whether these were added and applied.
        audit: the estimates, as `ingest.review.audit.estimate` returns them; empty without audit.
        damaged: what is wrong with each line that was left out.
        messages: what the user should know, one line each.
        in_error: damaged lines.
    """

    applied: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    unmatched: dict[str, pl.DataFrame] = field(default_factory=dict)
    not_stored: dict[str, pl.DataFrame] = field(default_factory=dict)
    by_rules: int = 0
    rules: ProposedRules | None = None
    learned: bool = False
    audit: pl.DataFrame = field(default_factory=pl.DataFrame)
    damaged: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def in_error(self) -> int:
        return len(self.damaged)

    def __str__(self) -> str:
        """Summarize the counts.

        >>> print(CorrectResult({"segment": 3}, {"segment": 2}))
        3 corrections of segments applied; 2 made a change
        """
        lines = []
        for unit, applied in self.applied.items():
            rest = sum(len(lost.get(unit, ())) for lost in (self.unmatched, self.not_stored))
            given = f"{rest:,} more" if applied else f"{count_noun(rest, 'correction')} of {unit}s"
            parts = []
            if applied:
                count = count_noun(applied, "correction")
                parts.append(describe_applied(count, unit, self.changed[unit]))
            if rest:
                parts.append(f"{given} {_matches(rest)} nothing")
            if parts:
                lines.append("; ".join(parts))
        if self.by_rules:
            lines.append(f"{count_noun(self.by_rules, 'segment')} changed by rules")
        return "\n".join(lines or ["no corrections to apply"])


def describe_applied(corrections: str, unit: str, changed: int) -> str:
    """Say how many corrections applied, and how many of them made a difference.

    >>> describe_applied("4 corrections", "segment", 0)
    '4 corrections of segments applied; none made a change'
    """
    return (
        f"{corrections} of {unit}s applied; {f'{changed:,}' if changed else 'none'} made a change"
    )


def describe_damaged(damaged: Sequence[str]) -> list[str]:
    """Describe lines of corrections that were left out.

    >>> describe_damaged(["c.jsonl, line 2: is not JSON"])
    ['c.jsonl, line 2: is not JSON; the line was left out']
    """
    lines = [f"{line}; the line was left out" for line in damaged[:_EXAMPLES]]
    rest = len(damaged) - _EXAMPLES
    return [*lines, f"{count_noun(rest, 'more line')} left out"] if rest > 0 else lines


def describe_corrected(corrected: dict[str, int]) -> list[str]:
    """Describe what corrections did in a run.

    Args:
        corrected: the entry `corrected` of run.json.

    >>> for line in describe_corrected({"segments": 3, "matched": 2, "changed": 1, "by_rules": 4}):
    ...     print(line)
    2 of 3 corrections of segments applied; 1 made a change; 4 segments changed by rules
    1 matches no segment: this run lacks its page or its text; ingest correct OUT says which
    """
    matched, segments = corrected.get("matched", 0), corrected["segments"]
    parts = []
    if segments:
        applied = f"{matched:,} of {count_noun(segments, 'correction')}"
        parts.append(describe_applied(applied, "segment", corrected.get("changed", 0)))
    if corrected.get("by_rules"):
        parts.append(f"{count_noun(corrected['by_rules'], 'segment')} changed by rules")
    lines = ["; ".join(parts)] if parts else []
    if rest := segments - matched:
        whose = "its page or its text" if rest == 1 else "their pages or their texts"
        lines.append(
            f"{rest:,} {_matches(rest)} no segment: this run lacks {whose}; ingest correct OUT "
            "says which"
        )
    return lines


def describe_unmatched(unmatched: dict[str, pl.DataFrame], fate: str) -> list[str]:
    """Describe the corrections that apply to nothing in the run, with examples.

    Args:
        unmatched: by unit (segment or pair), rows of `Corrections` with a column `why`.
        fate: NOT_STORED or STORED.

    >>> rows = {"doc_id": ["0" * 16], "segment": [3], "uri": ["a.html"], "text": ["Share"]}
    >>> frame = pl.DataFrame(rows | {"why": ["no such page"]})
    >>> print(describe_unmatched({"segment": frame}, NOT_STORED)[0])
    1 correction of segments matches nothing in the run, and is not stored, namely a.html, \
segment 3 (no such page): Share
    """
    messages = []
    for unit, rows in unmatched.items():
        if rows.is_empty():
            continue
        examples = [_name(unit, row) for row in rows.head(_EXAMPLES).iter_rows(named=True)]
        what = fate.format(verb="is" if len(rows) == 1 else "are")
        messages.append(
            f"{count_noun(len(rows), 'correction')} of {unit}s {_matches(len(rows))} {what}, "
            f"{'namely' if len(examples) == len(rows) else 'such as'} {'; '.join(examples)}"
        )
    return messages


def _matches(count: int) -> str:
    return "matches" if count == 1 else "match"


def _name(unit: str, row: dict[str, Any]) -> str:
    if unit == "segment":
        name, text = f"{row['uri'] or row['doc_id']}, segment {row['segment']}", row["text"]
    else:
        name, text = row["pair_id"], row["source_text"]
    name = f"{_cut(name, _NAME_CHARS)} ({row['why']})"
    return f"{name}: {_cut(text, _EXAMPLE_CHARS)}" if text else name


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"

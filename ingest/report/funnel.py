"""What came in, what each rule took, what is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Step = dict[str, Any]


def funnel(came: int, taken: Iterable[tuple[str, int]]) -> list[Step]:
    """A row a rule, as in run.json.

    >>> funnel(5, [("nav", 2), ("ad", 1)])[-1]
    {'rule': 'ad', 'in': 3, 'took': 1, 'left': 2}
    """
    steps: list[Step] = []
    for rule, took in taken:
        steps.append({"rule": rule, "in": came, "took": took, "left": came - took})
        came -= took
    return steps


def told(run: dict[str, Any]) -> list[Step]:
    """The funnel of pairs that run.json holds, if any, without rules that took nothing.

    >>> told({"filter": {"funnel": [{"rule": "copy", "came_in": 3, "took": 1, "left": 2}]}})
    [{'rule': 'copy', 'in': 3, 'took': 1, 'left': 2}]
    """
    filtered = run.get("filter")
    rows = filtered.get("funnel") if isinstance(filtered, dict) else None
    if not isinstance(rows, list):
        return []
    steps = []
    for row in filter(lambda row: isinstance(row, dict), rows):
        rule, *numbers = (row.get(key) for key in ("rule", "came_in", "took", "left"))
        if isinstance(rule, str) and all(isinstance(n, int) for n in numbers) and numbers[1]:
            steps.append({"rule": rule, **dict(zip(("in", "took", "left"), numbers, strict=True))})
    return steps

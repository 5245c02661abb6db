"""Funnels: how many rows came in, how many each rule removed, and how many are left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Step = dict[str, Any]


def build_funnel(total: int, removed: Iterable[tuple[str, int]]) -> list[Step]:
    """Return one step per rule.

    >>> build_funnel(5, [("nav", 2), ("ad", 1)])[-1]
    {'rule': 'ad', 'in': 3, 'took': 1, 'left': 2}
    """
    steps: list[Step] = []
    for rule, count in removed:
        steps.append({"rule": rule, "in": total, "took": count, "left": total - count})
        total -= count
    return steps


def read_funnel(run: dict[str, Any]) -> list[Step]:
    """Return the funnel of pairs in run.json, if any, without rules that removed nothing.

    >>> read_funnel({"filter": {"funnel": [{"rule": "a", "came_in": 3, "took": 1, "left": 2}]}})
    [{'rule': 'a', 'in': 3, 'took': 1, 'left': 2}]
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

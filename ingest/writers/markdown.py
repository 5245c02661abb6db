"""Markdown and YAML for the data card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, followed by an empty line."""
    lines = [head, tuple("---" for _ in head), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def cell(text: str) -> str:
    r"""Escape text so that it stays inside its table cell.

    >>> cell("a|b\nc")
    'a\\|b c'
    """
    return " ".join(text.split()).replace("|", "\\|")


def yaml_lines(value: Any, indent: str = "") -> list[str]:
    """Return lists and mappings as YAML blocks, and strings and numbers as JSON, a subset of YAML.

    >>> yaml_lines({"language": ["no"], "size": 1})
    ['language:', '- "no"', 'size: 1']
    """
    lines = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                inside = indent + ("  " if isinstance(item, dict) else "")
                lines += [f"{indent}{key}:", *yaml_lines(item, inside)]
            else:
                lines.append(f"{indent}{key}: {json.dumps(item, ensure_ascii=False)}")
        return lines
    for item in value:
        if isinstance(item, dict):
            first, *rest = yaml_lines(item, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(item, ensure_ascii=False)}")
    return lines

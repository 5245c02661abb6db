"""The card of a data set: what a person, or a hub, wants to know before loading it."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from ingest import __version__, frames
from ingest.export.selection import ALIGNED, TRANSLATED, TURNED, Selection

# The classes that the hub knows, by the number of rows under which they end.
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
_CREATORS = {ALIGNED: "found", TRANSLATED: "machine-generated"}
_MEANINGS = {
    **{c.name: c.meaning for c in (*frames.PAIRS, *frames.ALIGNED)},
    "translation": "the two texts, by language",
    TURNED: "whether the sides were exchanged for this export; scores are as they were before",
    "keep": "whether the pair passed the filters",
    "drop_reason": "why it did not",
    "split": "the split it belongs to",
}


def card(selection: Selection, columns: pl.Schema, configs: dict[str, dict[str, str]]) -> str:
    """README.md: front matter in YAML, then prose and tables.

    Args:
        selection: what is exported.
        columns: of the files.
        configs: by method, the file pattern of each split.
    """
    front = "\n".join(_yaml(_front(selection, configs, columns)))
    return "\n".join(["---", front, "---", "", *_prose(selection, columns)])


def _front(
    selection: Selection, configs: dict[str, dict[str, str]], columns: pl.Schema
) -> dict[str, Any]:
    size = next((name for top, name in _SIZES if selection.written < top), "n>1B")
    front: dict[str, Any] = {
        "language": list(selection.sides()),
        "license": "unknown",
        "task_categories": ["translation"],
        "multilinguality": ["translation"],
        "size_categories": [size],
        "language_creators": [_CREATORS[method] for method in configs],
        "configs": [
            {
                "config_name": method,
                **({"default": True} if method == ALIGNED else {}),
                "data_files": [{"split": s, "path": path} for s, path in splits.items()],
            }
            for method, splits in configs.items()
        ],
    }
    if features := _features(columns, selection.sides()):
        front["dataset_info"] = [
            {"config_name": method, "features": features} for method in configs
        ]
    return front


def _features(columns: pl.Schema, sides: tuple[str, str]) -> list[dict[str, Any]] | None:
    """The columns as `datasets` names their types; None where it has no name for one."""
    features: list[dict[str, Any]] = []
    for name, dtype in columns.items():
        if name == "translation":
            kind: dict[str, Any] = {"dtype": {"translation": {"languages": list(sides)}}}
        elif isinstance(dtype, pl.List) and (inner := _feature(dtype.inner)):
            kind = {"sequence": inner}
        elif plain := _feature(dtype):
            kind = {"dtype": plain}
        else:
            return None
        features.append({"name": name, **kind})
    return features


def _feature(dtype: Any) -> str | None:
    if dtype == pl.Boolean:
        return "bool"
    if dtype == pl.String or dtype.is_integer() or dtype.is_float():
        return str(dtype).lower()
    return None


def _yaml(value: Any, indent: str = "") -> list[str]:
    """Lists and mappings as blocks; strings and numbers as JSON, which YAML contains.

    >>> _yaml({"language": ["no"], "size": 1})
    ['language:', '- "no"', 'size: 1']
    """
    lines = []
    if isinstance(value, dict):
        for key, of_key in value.items():
            if isinstance(of_key, dict | list):
                inside = indent + ("  " if isinstance(of_key, dict) else "")
                lines += [f"{indent}{key}:", *_yaml(of_key, inside)]
            else:
                lines.append(f"{indent}{key}: {json.dumps(of_key, ensure_ascii=False)}")
        return lines
    for item in value:
        if isinstance(item, dict):
            first, *rest = _yaml(item, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(item, ensure_ascii=False)}")
    return lines


def _prose(selection: Selection, columns: pl.Schema) -> list[str]:
    one, other = selection.sides()
    but = f", or of `source_lang` where `{TURNED}` is true" if TURNED in columns else ""
    by_method: dict[str, int] = {}
    for part in selection.parts:
        by_method[part.method] = by_method.get(part.method, 0) + part.pairs
    lines = [f"# Parallel sentences, {one}–{other}", "", f"{selection.written:,} pairs.", ""]
    lines += _table(("split", "method", "pairs"), [
        (part.split or "train", part.method, f"{part.pairs:,}") for part in selection.parts
    ])  # fmt: skip
    lines += _table(("method", "share"), [
        (method, f"{pairs / selection.written:.1%}") for method, pairs in by_method.items()
    ])  # fmt: skip
    lines += [
        f"Both sides of `{ALIGNED}` pairs were found on pages; who or what wrote them there is not "
        "known.",
        f"Of `{TRANSLATED}` pairs a machine wrote one side for this data set, and `model` is its "
        f"name: the side of `target_lang`{but}. They are a configuration of their own:",
        "",
        "```python",
        f'datasets.load_dataset(folder, "{max(by_method, default=ALIGNED)}")',
        "```",
        "",
        "## Columns",
        "",
    ]
    lines += _table(("column", "meaning"), [
        (f"`{name}`", _MEANINGS.get(name, "as in the pairs that were exported"))
        for name in columns
    ])  # fmt: skip
    lines += ["## What was left out", ""]
    if selection.left_out:
        lines += _table(("reason", "pairs"), [
            (_cell(reason), f"{pairs:,}") for reason, pairs in selection.left_out.items()
        ])  # fmt: skip
    else:
        lines += ["Nothing.", ""]
    if selection.turned:
        lines += [f"{selection.turned:,} pairs of the other direction were turned round.", ""]
    settings = ""
    if selection.langs:
        settings += f" --langs {','.join(selection.langs)}"
    if selection.min_score:
        settings += f" --min-score {selection.min_score:g}"
    lines += [
        "## How to make it again",
        "",
        "```",
        f"ingest export pairs.parquet --format huggingface{settings}",
        "```",
        "",
        f"Made with ingest {__version__}. The texts belong to the pages that they were read from.",
        "",
    ]
    return lines


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def _cell(text: str) -> str:
    r"""Text that cannot end a cell or row.

    >>> _cell("a|b\nc")
    'a\\|b c'
    """
    return " ".join(text.split()).replace("|", "\\|")

"""The data card of a data set: what people, and the Hugging Face hub, need to know about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl

from ingest import frames
from ingest.drop_reasons import funnel_table
from ingest.frames import METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED, TURNED
from ingest.writers.markdown import cell, table, yaml_lines
from ingest.writers.reproduction import reproduction_section
from ingest.writers.selection import Part, Selection

# Size categories of the hub, with the number of rows that each is below.
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
_MAX_ROWS = 50  # sources or models listed
_NO_HASH = "—"
_LICENSE_ID = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_CC0 = re.compile(r"cc-?(zero|0)(-1\.0)?")
_CC_BY = re.compile(r"cc-by(-nc)?(-sa|-nd)?-[1-4]\.[05]")
_HUB_SPLITS = {"dev": "validation"}
_CREATORS = {
    METHOD_ALIGNED: "found",
    METHOD_IMPORTED: "other",
    METHOD_TRANSLATED: "machine-generated",
}
_MEANINGS = {
    **{c.name: c.meaning for c in (*frames.PAIRS, *frames.ALIGNED)},
    "translation": "the two texts, by language",
    **{c.name: c.meaning for c in (*frames.TRANSLATED, *frames.SCORED)},
    **{c.name: c.meaning for c in (*frames.FILTERED, *frames.SPLIT, *frames.WORD_ALIGNED)},
    TURNED: "whether source and target were exchanged for this export, and their scores with "
    "them; `copy` has no opposite and was not changed",
}


def card(
    selection: Selection,
    columns: pl.Schema,
    configs: dict[str, dict[str, str]],
    license: str = "",
) -> str:
    """Return the content of README.md: YAML front matter, then text and tables.

    Args:
        selection: the exported pairs.
        columns: columns of the files.
        configs: by method, the file pattern of each split.
        license: license of the texts, as the user gives it.
    """
    front = _front_matter(selection, configs, columns) | license_entries(license)
    body = _body(selection, columns, license)
    return "\n".join(["---", *yaml_lines(front), "---", "", *body])


def hub_split_name(part: Part) -> str:
    """Return the name of a split on the hub.

    >>> hub_split_name(Part("dev", METHOD_ALIGNED, 3))
    'validation'
    """
    split = part.split or "train"
    return _HUB_SPLITS.get(split, split)


def size_category(rows: int) -> str:
    """Return how the hub calls a data set of this size.

    >>> size_category(2_500)
    '1K<n<10K'
    """
    return next((name for limit, name in _SIZES if rows < limit), "n>1B")


def license_entries(license: str) -> dict[str, str]:
    """Return the license as the hub spells it, if it knows it.

    >>> license_entries("CC BY-SA 4.0")
    {'license': 'cc-by-sa-4.0'}
    >>> license_entries("As the pages say")
    {'license': 'other', 'license_name': 'As the pages say'}
    """
    if not license:
        return {"license": "unknown"}
    dashed = "-".join(re.findall(r"[^\s_-]+", license.lower()))
    if _CC0.fullmatch(dashed):
        return {"license": "cc0-1.0"}
    if _CC_BY.fullmatch(dashed):
        return {"license": dashed}
    if _LICENSE_ID.fullmatch(license):
        return {"license": license}
    return {"license": "other", "license_name": license}


def _front_matter(
    selection: Selection, configs: dict[str, dict[str, str]], columns: pl.Schema
) -> dict[str, Any]:
    front: dict[str, Any] = {
        "language": list(selection.language_pair()),
        "license": "",
        "task_categories": ["translation"],
        "multilinguality": ["translation"],
        "size_categories": [size_category(selection.written)],
        "language_creators": [_CREATORS[method] for method in configs],
        "configs": [
            {
                "config_name": method,
                **({"default": True} if method == selection.default_method else {}),
                "data_files": [{"split": s, "path": path} for s, path in splits.items()],
            }
            for method, splits in configs.items()
        ],
    }
    if features := _features(columns, selection.language_pair()):
        front["dataset_info"] = [
            {"config_name": method, "features": features} for method in configs
        ]
    return front


def _features(columns: pl.Schema, langs: tuple[str, str]) -> list[dict[str, Any]] | None:
    """Return the column types as `datasets` names them; None if it has no name for one."""
    features: list[dict[str, Any]] = []
    for name, dtype in columns.items():
        if name == "translation":
            kind: dict[str, Any] = {"dtype": {"translation": {"languages": list(langs)}}}
        elif isinstance(dtype, pl.List) and (inner := scalar_type(dtype.inner)):
            kind = {"sequence": inner}
        elif scalar := scalar_type(dtype):
            kind = {"dtype": scalar}
        else:
            return None
        features.append({"name": name, **kind})
    return features


def scalar_type(dtype: Any) -> str | None:
    """Return a type as `datasets` names it; None if it is not a simple one."""
    if dtype == pl.Boolean:
        return "bool"
    if dtype == pl.String or dtype.is_integer() or dtype.is_float():
        return str(dtype).lower()
    return None


def _body(selection: Selection, columns: pl.Schema, license: str) -> list[str]:
    first, second = selection.language_pair()
    run = selection.run()
    return [
        f"# Parallel sentences, {first}–{second}",
        "",
        f"{selection.written:,} pairs.",
        "",
        *_size_tables(selection),
        *_method_notes(selection, columns),
        "## Columns",
        "",
        *table(
            ("column", "meaning"),
            [(f"`{name}`", _MEANINGS.get(name, "as in the exported pairs")) for name in columns],
        ),
        *sources_section(run),
        *_models_section(selection),
        *_whole_funnel_section(run),
        *_funnel_section(selection),
        *_left_out_section(selection),
        *license_section(license),
        *reproduction_section(selection, run, license),
    ]


def _size_tables(selection: Selection) -> list[str]:
    by_method: dict[str, int] = {}
    for part in selection.parts:
        by_method[part.method] = by_method.get(part.method, 0) + part.pairs
    sizes = [(hub_split_name(part), part.method, f"{part.pairs:,}") for part in selection.parts]
    shares = [(method, f"{pairs / selection.written:.1%}") for method, pairs in by_method.items()]
    return [*table(("split", "method", "pairs"), sizes), *table(("method", "share"), shares)]


def _method_notes(selection: Selection, columns: pl.Schema) -> list[str]:
    unless_turned = f", or of `source_lang` where `{TURNED}` is true" if TURNED in columns else ""
    example = max((part.method for part in selection.parts), default=METHOD_ALIGNED)
    flagged = ""
    if "flags" in columns:
        are = "are part of the data" if selection.flagged else "were left out"
        flagged = f"Translations in which a fault is suspected (`flags`) {are}. "
    return [
        f"Both sides of `{METHOD_ALIGNED}` pairs come from pages; who or what wrote them is not "
        "known.",
        f"`{METHOD_IMPORTED}` pairs existed before this data set was made; who or what "
        "translated them is not known, and they have no score.",
        f"One side of `{METHOD_TRANSLATED}` pairs was translated by a machine for this data set, "
        f"the side of `target_lang`{unless_turned}; `model` names the model. {flagged}Each method "
        "is a separate configuration:",
        "",
        "```python",
        f'datasets.load_dataset(folder, "{example}")',
        "```",
        "",
    ]


def sources_section(run: dict[str, Any]) -> list[str]:
    """List the inputs that run.json records."""
    inputs = run.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return []
    rows = [
        (
            cell(Path(str(source.get("source"))).name),
            f"{source.get('records') or 0:,}",
            f"{source.get('bytes') or 0:,}",
            cell(str(source.get("sha256") or _NO_HASH)),
        )
        for source in inputs[:_MAX_ROWS]
    ]
    lines = ["## Sources", "", *table(("source", "pages", "bytes", "SHA-256"), rows)]
    if any(sha256 == _NO_HASH for *_, sha256 in rows):
        lines += [f"{_NO_HASH}: only a file that is one page has a hash.", ""]
    if len(inputs) > _MAX_ROWS:
        lines += [f"and {len(inputs) - _MAX_ROWS:,} more, listed in run.json of the run.", ""]
    return lines


def _models_section(selection: Selection) -> list[str]:
    """List the models that paired or translated the texts."""
    if not selection.models:
        return []
    models = list(selection.models.items())[:_MAX_ROWS]
    rows = [(cell(name), f"{pairs:,}") for name, pairs in models]
    return [
        "## Models",
        "",
        "The models that paired or translated the texts, with their hashes.",
        "",
        *table(("model", "pairs"), rows),
    ]


def _whole_funnel_section(run: dict[str, Any]) -> list[str]:
    """Show the funnel from pages to pairs that `ingest dataset` writes to run.json."""
    rows = run.get("funnel")
    if not isinstance(rows, list) or not rows:
        return []
    counts = [(cell(str(row["what"])), f"{'-' * row['lost']}{row['number']:,}") for row in rows]
    return ["## From the sources to the pairs", "", *table(("what", "count"), counts)]


def _funnel_section(selection: Selection) -> list[str]:
    """Show how many pairs each rule of the filter dropped."""
    prefix = "not kept: "
    dropped, others = {}, 0
    for reason, pairs in selection.left_out.items():
        if reason.startswith(prefix):
            dropped[reason.removeprefix(prefix)] = pairs
        else:
            others += pairs
    if not dropped:
        return []
    funnel = funnel_table(selection.read - others, dropped).filter(pl.col("took") > 0)
    rows = [(cell(rule), *(f"{n:,}" for n in numbers)) for rule, *numbers in funnel.rows()]
    return ["## Funnel", "", *table(("rule", "came in", "dropped", "left"), rows)]


def _left_out_section(selection: Selection) -> list[str]:
    lines = ["## What was left out", ""]
    if selection.left_out:
        rows = [(cell(reason), f"{pairs:,}") for reason, pairs in selection.left_out.items()]
        lines += table(("reason", "pairs"), rows)
    else:
        lines += ["Nothing.", ""]
    if selection.turned:
        lines += [f"{selection.turned:,} pairs of the opposite direction were turned around.", ""]
    if selection.masked:
        lines += [
            f"In {selection.masked:,} pairs, e-mail addresses, telephone numbers and similar data "
            "are replaced by placeholders such as `<EMAIL_1>`.",
            "",
        ]
    return lines


def license_section(license: str) -> list[str]:
    """State the license of the texts, and whose they are."""
    sentence = cell(license) or "The maker of this data set did not state one."
    sentence += "" if sentence.endswith((".", "!", "?")) else "."
    return [
        "## License",
        "",
        f"{sentence} The rights in the texts belong to the owners of the pages.",
        "",
    ]

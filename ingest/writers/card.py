"""The card of a data set: what a person, or a hub, wants to know before loading it."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl

from ingest import frames
from ingest._version import __version__
from ingest.drop_reasons import funnel_of
from ingest.frames import METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED, TURNED
from ingest.writers.selection import Part, Selection

# The classes that the hub knows, by the number of rows under which they end.
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
_SHOWN = 50  # sources, or models
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_CC0 = re.compile(r"cc-?(zero|0)(-1\.0)?")
_CC_BY = re.compile(r"cc-by(-nc)?(-sa|-nd)?-[1-4]\.[05]")
_NAMES = {"dev": "validation"}  # as the hub calls it
_STEPS = {"score": "quality", "filter": "keep", "split": "split"}  # verbs, and a column of each
_CREATORS = {
    METHOD_ALIGNED: "found",
    METHOD_IMPORTED: "other",
    METHOD_TRANSLATED: "machine-generated",
}
_MEANINGS = {
    **{c.name: c.meaning for c in (*frames.PAIRS, *frames.ALIGNED)},
    "translation": "the two texts, by language",
    **{c.name: c.meaning for c in (*frames.TRANSLATED, *frames.SCORED)},
    **{c.name: c.meaning for c in (*frames.FILTERED, *frames.SPLIT)},
    TURNED: "whether the sides were exchanged for this export, and their scores with them; `copy` "
    "has no opposite, and is as it was before",
}


def card(
    selection: Selection,
    columns: pl.Schema,
    configs: dict[str, dict[str, str]],
    license: str = "",
) -> str:
    """README.md: front matter in YAML, then prose and tables.

    Args:
        selection: what is exported.
        columns: of the files.
        configs: by method, the file pattern of each split.
        license: what the user says of the rights in the texts.
    """
    front = "\n".join(_yaml(_front(selection, configs, columns) | _license(license)))
    return "\n".join(["---", front, "---", "", *_prose(selection, columns, license)])


def split_name(part: Part) -> str:
    """What the split of a part is called here.

    >>> split_name(Part("dev", METHOD_ALIGNED, 3))
    'validation'
    """
    return _NAMES.get(part.split or "train", part.split or "train")


def _license(license: str) -> dict[str, str]:
    """The license for the hub, which knows some by a short name.

    >>> _license("CC BY-SA 4.0"), _license("As the pages say")
    ({'license': 'cc-by-sa-4.0'}, {'license': 'other', 'license_name': 'As the pages say'})
    """
    if not license:
        return {"license": "unknown"}
    dashed = "-".join(re.findall(r"[^\s_-]+", license.lower()))
    if _CC0.fullmatch(dashed):
        return {"license": "cc0-1.0"}
    if _CC_BY.fullmatch(dashed):
        return {"license": dashed}
    if _LICENCE.fullmatch(license):
        return {"license": license}
    return {"license": "other", "license_name": license}


def _front(
    selection: Selection, configs: dict[str, dict[str, str]], columns: pl.Schema
) -> dict[str, Any]:
    size = next((name for top, name in _SIZES if selection.written < top), "n>1B")
    front: dict[str, Any] = {
        "language": list(selection.sides()),
        "license": "",
        "task_categories": ["translation"],
        "multilinguality": ["translation"],
        "size_categories": [size],
        "language_creators": [_CREATORS[method] for method in configs],
        "configs": [
            {
                "config_name": method,
                **({"default": True} if method == selection.plain else {}),
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


def _prose(selection: Selection, columns: pl.Schema, license: str) -> list[str]:
    one, other = selection.sides()
    but = f", or of `source_lang` where `{TURNED}` is true" if TURNED in columns else ""
    by_method: dict[str, int] = {}
    for part in selection.parts:
        by_method[part.method] = by_method.get(part.method, 0) + part.pairs
    lines = [f"# Parallel sentences, {one}–{other}", "", f"{selection.written:,} pairs.", ""]
    lines += _table(("split", "method", "pairs"), [
        (split_name(part), part.method, f"{part.pairs:,}") for part in selection.parts
    ])  # fmt: skip
    lines += _table(("method", "share"), [
        (method, f"{pairs / selection.written:.1%}") for method, pairs in by_method.items()
    ])  # fmt: skip
    lines += [
        f"Both sides of `{METHOD_ALIGNED}` pairs were found on pages; who or what wrote them "
        "there is not known.",
        f"`{METHOD_IMPORTED}` pairs were pairs before this data set was made; who or what "
        "translated them is not known, and they have no score.",
        f"Of `{METHOD_TRANSLATED}` pairs a machine wrote one side for this data set, and "
        f"`model` is its name: the side of `target_lang`{but}. They are a "
        "configuration of their own:",
        "",
        "```python",
        f'datasets.load_dataset(folder, "{max(by_method, default=METHOD_ALIGNED)}")',
        "```",
        "",
        "## Columns",
        "",
    ]
    lines += _table(("column", "meaning"), [
        (f"`{name}`", _MEANINGS.get(name, "as in the pairs that were exported"))
        for name in columns
    ])  # fmt: skip
    run = selection.run()
    lines += [*_sources(run), *_models(selection), *_funnel(selection)]
    lines += ["## What was left out", ""]
    if selection.left_out:
        lines += _table(("reason", "pairs"), [
            (_cell(reason), f"{pairs:,}") for reason, pairs in selection.left_out.items()
        ])  # fmt: skip
    else:
        lines += ["Nothing.", ""]
    if selection.turned:
        lines += [f"{selection.turned:,} pairs of the other direction were turned round.", ""]
    if selection.masked:
        lines += [
            f"In {selection.masked:,} pairs e-mail addresses, telephone numbers and the like are "
            "placeholders such as `<EMAIL_1>`.",
            "",
        ]
    return [*lines, *_rights(license), *_again(selection, run, license)]


def _sources(run: dict[str, Any]) -> list[str]:
    """What was read, as the run says."""
    inputs = run.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return []
    lines = ["## Sources", ""]
    lines += _table(("source", "pages", "bytes", "SHA-256"), [
        (_cell(Path(str(one.get("source"))).name), f"{one.get('records') or 0:,}",
         f"{one.get('bytes') or 0:,}", _cell(str(one.get("sha256") or "—")))
        for one in inputs[:_SHOWN]
    ])  # fmt: skip
    if more := len(inputs) - _SHOWN:
        lines += [f"and {more:,} more, which run.json of the run names.", ""] if more > 0 else []
    return lines


def _models(selection: Selection) -> list[str]:
    """What paired or translated, with the hash of each."""
    models = list(selection.models.items())
    if not models:
        return []
    lines = ["## Models", "", "What paired or translated the texts, with its hash.", ""]
    return lines + _table(
        ("model", "pairs"), [(_cell(name), f"{pairs:,}") for name, pairs in models[:_SHOWN]]
    )


def _funnel(selection: Selection) -> list[str]:
    """What each rule of the filters took."""
    why = "not kept: "
    took = {r.removeprefix(why): n for r, n in selection.left_out.items() if r.startswith(why)}
    if not took:
        return []
    others = sum(n for r, n in selection.left_out.items() if not r.startswith(why))
    table = funnel_of(selection.read - others, took).filter(pl.col("took") > 0)
    rows = [(_cell(rule), *(f"{n:,}" for n in numbers)) for rule, *numbers in table.rows()]
    return ["## Funnel", "", *_table(("rule", "came in", "took", "left"), rows)]


def _rights(license: str) -> list[str]:
    said = _cell(license) or "Not stated by who made the data set."
    said += "" if said.endswith((".", "!", "?")) else "."
    return ["## License", "", f"{said} The texts belong to the pages that they were read from.", ""]


def _again(selection: Selection, run: dict[str, Any], license: str) -> list[str]:
    """Commands and settings that give the same pairs."""
    settings = ""
    if selection.langs:
        settings += f" --langs {','.join(selection.langs)}"
    if selection.min_score:
        settings += f" --min-score {selection.min_score:g}"
    if license:
        settings += f" --license {shlex.quote(' '.join(license.split()))}"
    steps = _steps(selection, run)
    lines = ["## How to make it again", "", "```"]
    if "fingerprint" in run:
        lines += ["ingest run SOURCES --align -o OUT --config settings.toml"]
    for verb, told in steps.items():
        options = " --config settings.toml" if told else ""
        if told.get("exclude"):
            files = (" ".join(Path(str(file)).name.split()) for file in told["exclude"])
            options += f" --exclude {shlex.join(files)}"
        options += " --mask-pii" if verb == "filter" and selection.masks else ""
        lines += [f"ingest {verb} PAIRS -o NEXT{options}"]
    lines += [f"ingest export PAIRS --format huggingface{settings}", "```", ""]
    if steps:
        lines += ["PAIRS of each step is what the step before it wrote.", ""]
    if unknown := [f"`{verb}`" for verb, told in steps.items() if not told and verb != "score"]:
        lines += [
            f"What settings {' and '.join(unknown)} had is not known: run.json does not say it of "
            "these pairs.",
            "",
        ]
    tables = {verb: told["settings"] for verb, told in steps.items() if told.get("settings")}
    if tables:
        lines += ["`settings.toml` has:", "", "```toml"]
        for verb, table in tables.items():
            lines += [f"[{verb}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
        lines += ["```", ""]
    if "fingerprint" in run:
        lines += [
            f"The run was made with ingest {_cell(str(run.get('version')))}; the fingerprint of "
            f"its settings is `{_cell(str(run['fingerprint']))}`.",
            "",
        ]
    return [*lines, f"Made with ingest {__version__}.", ""]


def _steps(selection: Selection, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The verbs whose columns the pairs have, and what run.json says of each; {} if nothing.

    It has the last call of a verb, which may have been about other pairs: what counts is the call
    that wrote this file, the one that wrote what that one read, and so on.
    """
    told: dict[str, dict[str, Any]] = {}
    at = os.path.abspath(selection.path) if selection.path else ""
    like = {"pairs": selection.read}
    while found := [v for v in _STEPS if v not in told and _wrote(run.get(v), at, like)]:
        last = told[found[0]] = run[found[0]]
        at = str(last.get("source"))
        like = {name: last.get(name) for name in ("pairs", "kept")}
    return {v: told.get(v, {}) for v, column in _STEPS.items() if column in selection.columns}


def _wrote(told: Any, path: str, like: dict[str, Any]) -> bool:
    """Whether a call that run.json tells of wrote the file, whose counts are these.

    Paths are compared as far as both go, since each may be of another working folder.

    >>> _wrote({"out": "out/f.parquet", "pairs": 3}, "/data/out/f.parquet", {"pairs": 3})
    True
    """
    if not isinstance(told, dict) or any(told.get(name) != value for name, value in like.items()):
        return False
    one, other = Path(str(told.get("out"))).parts, Path(path).parts
    least = min(len(one), len(other))
    return least > 0 and one[-least:] == other[-least:]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def _cell(text: str) -> str:
    r"""Text that cannot end a cell or row.

    >>> _cell("a|b\nc")
    'a\\|b c'
    """
    return " ".join(text.split()).replace("|", "\\|")

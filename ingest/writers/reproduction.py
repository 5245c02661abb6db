"""The section of the data card that tells how to make the same data set again."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from ingest._version import __version__
from ingest.writers.markdown import cell
from ingest.writers.selection import Selection

# The steps after alignment, and a column that each adds
_STEP_COLUMNS = {"score": "quality", "filter": "keep", "split": "split"}


def reproduction_section(selection: Selection, run: dict[str, Any], license: str) -> list[str]:
    """Return the commands and settings that give the same pairs.

    Args:
        selection: the exported pairs.
        run: run.json of the run that they belong to.
        license: license of the texts.
    """
    if _is_dataset(selection, run):
        return [*_dataset_call(run["dataset"]), *_versions(run)]
    steps = _recorded_steps(selection, run)
    tables = {verb: step["settings"] for verb, step in steps.items() if step.get("settings")}
    lines = ["## How to make it again", "", "```"]
    if "fingerprint" in run:
        options = " --config settings.toml" if tables else ""
        lines.append(f"ingest run SOURCES --align -o OUT{options}")
    for verb, step in steps.items():
        options = " --config settings.toml" if verb in tables else ""
        if step.get("exclude"):
            files = (" ".join(Path(str(file)).name.split()) for file in step["exclude"])
            options += f" --exclude {shlex.join(files)}"
        options += " --mask-pii" if verb == "filter" and selection.masks else ""
        lines.append(f"ingest {verb} PAIRS -o NEXT{options}")
    options = _export_options(selection, license)
    lines += [f"ingest export PAIRS --format huggingface{options}", "```", ""]
    if steps:
        lines += ["In each command, PAIRS is the output of the command before.", ""]
    if unknown := [f"`{verb}`" for verb, step in steps.items() if not step and verb != "score"]:
        lines += [
            f"The settings of {' and '.join(unknown)} are unknown: run.json does not record them "
            "for these pairs.",
            "",
        ]
    return [*lines, *_settings_file(tables), *_versions(run)]


def _is_dataset(selection: Selection, run: dict[str, Any]) -> bool:
    """Return whether `ingest dataset` made the pairs, and no later `ingest split` other ones."""
    call = run.get("dataset")
    path = os.path.abspath(selection.path) if selection.path else ""
    return (
        isinstance(call, dict)
        and call.get("split") == run.get("split")
        and _wrote(run.get("split"), path, {"pairs": selection.read})
    )


def _dataset_call(call: dict[str, Any]) -> list[str]:
    """Return the call of `ingest dataset`, which run.json has as `dataset`."""
    lines = ["## How to make it again", "", "```", *call["commands"], "```", ""]
    return [*lines, *_settings_file(call["settings"])]


def _settings_file(tables: dict[str, dict[str, Any]]) -> list[str]:
    if not tables:
        return []
    lines = ["`settings.toml` has:", "", "```toml"]
    for verb, settings in tables.items():
        lines += [f"[{verb}]", *(f"{k} = {json.dumps(v)}" for k, v in settings.items())]
    return [*lines, "```", ""]


def _versions(run: dict[str, Any]) -> list[str]:
    lines = []
    if "fingerprint" in run:
        lines += [
            f"The run was made with ingest {cell(str(run.get('version')))}; the fingerprint of "
            f"its settings is `{cell(str(run['fingerprint']))}`.",
            "",
        ]
    return [*lines, f"Made with ingest {__version__}.", ""]


def _export_options(selection: Selection, license: str) -> str:
    options = ""
    if selection.langs:
        options += f" --langs {','.join(selection.langs)}"
    if selection.min_score:
        options += f" --min-score {selection.min_score:g}"
    if selection.word_alignments:
        options += " --word-alignments"
    if selection.flagged:
        options += " --flagged"
    if license:
        options += f" --license {shlex.quote(' '.join(license.split()))}"
    return options


def _recorded_steps(selection: Selection, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the steps that the pairs went through, with what run.json records of each.

    A step whose column is present but that run.json does not record is {}. run.json has only the
    last call of each step, which may have been about other pairs. So this follows the chain: the
    call that wrote this file, the call that wrote the input of that, and so on.
    """
    recorded: dict[str, dict[str, Any]] = {}
    path = os.path.abspath(selection.path) if selection.path else ""
    counts = {"pairs": selection.read}
    while verbs := [
        verb
        for verb in _STEP_COLUMNS
        if verb not in recorded and _wrote(run.get(verb), path, counts)
    ]:
        step = recorded[verbs[0]] = run[verbs[0]]
        path = str(step.get("source"))
        counts = {name: step.get(name) for name in ("pairs", "kept")}
    return {
        verb: recorded.get(verb, {})
        for verb, column in _STEP_COLUMNS.items()
        if column in selection.columns
    }


def _wrote(step: Any, path: str, counts: dict[str, Any]) -> bool:
    """Return whether a step of run.json wrote the file at `path`, which has these counts.

    Only the common end of the paths is compared, since they may be relative to different folders.

    >>> _wrote({"out": "out/f.parquet", "pairs": 3}, "/data/out/f.parquet", {"pairs": 3})
    True
    """
    if not isinstance(step, dict) or any(step.get(name) != n for name, n in counts.items()):
        return False
    recorded, actual = Path(str(step.get("out"))).parts, Path(path).parts
    length = min(len(recorded), len(actual))
    return length > 0 and recorded[-length:] == actual[-length:]

"""The plan of a data set: its steps, what each reads and writes, and which of them are done.

A step has a key, made of its settings, its input files and the key of the step before. The file
steps.json in the working folder records of each finished step its key, its output, and the output
of the step before that it has read. A step is done if all are still the same, so a changed setting
or output redoes its own step and those after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest._version import __version__
from ingest.config import Config
from ingest.pipeline.plan import stamp
from ingest.text import count_noun

DONE, BEGUN, TO_DO, AGAIN = "done", "begun", "to do", "again"
MISSING, CHANGED = "is missing", "has been changed"
RUN_STEPS = ("read", "segment", "detect", "label", "dedupe")
"""The tables of the settings that a run applies to its pages."""

_BEFORE = "a step before it changed"

Stamps = list[tuple[str, int, int]]
"""Name, size and modification time of the files that a path stands for."""


@dataclass(frozen=True)
class DatasetOptions:
    """What data set to make, and of what.

    Attributes:
        sources: pages, the folder of one run, or files of pairs.
        data: file or folder to write.
        format: a format of pairs.
        config: the settings.
        pairs: whether the sources are pairs.
        langs: source and target language; as they are if None.
        license: license of the texts, for the data card.
        exclude: files of texts that no kept pair may have.
        like: files of clean pairs, which set the thresholds of the filter.
        given: thresholds that `like` does not change.
        mask: whether personal data is masked.
        workers: number of processes that read pages.
        asked: names of the options that the user gave, and full names of settings, or config for
            all settings; None if all were given. A --resume takes the others from the earlier call.
    """

    sources: tuple[str, ...]
    data: Path
    format: str
    config: Config
    pairs: bool = False
    langs: tuple[str, str] | None = None
    license: str = ""
    exclude: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    mask: bool = False
    workers: int = 1
    asked: frozenset[str] | None = None


@dataclass(frozen=True)
class Step:
    """One step of the plan.

    Attributes:
        name: run, import, align, score, filter, split or export.
        reads: files and folders that it reads, for the plan that is printed.
        writes: its output.
        settings: the settings that change its output, as JSON values.
        inputs: a hash of the names, sizes and times of its input files; empty if its only input
            is the output of the step before.
        linked: whether an earlier run has the output, which is only linked.
        key: hash of all that its output depends on.
        state: DONE, BEGUN, TO_DO or AGAIN.
        why: why it is to be done again.
    """

    name: str
    reads: tuple[str, ...]
    writes: Path
    settings: dict[str, Any]
    inputs: str = ""
    linked: bool = False
    key: str = ""
    state: str = TO_DO
    why: str = ""


def make_steps(options: DatasetOptions, folder: Path, stamps: dict[str, Stamps]) -> list[Step]:
    """Return the steps in order, none of them done.

    Args:
        options: what to make. Its settings are those of the run if the source is one.
        folder: where the outputs of all steps but the last are written.
        stamps: stamps of the input files of the steps: `sources`, `exclude` and `like`; also `run`
            if the source is a run, and `pairs` if its pairs are used.
    """
    tables = json.loads(json.dumps(options.config.to_dict()))
    pairs = folder / "pairs.parquet"
    steps = _steps_to_pairs(options, folder, stamps, tables)
    names = ["scored.parquet", "filtered.parquet", "split.parquet"]
    paths = [pairs, *(folder / name for name in names)]
    of_filter = {
        "exclude": list(options.exclude),
        "like": list(options.like),
        "given": sorted(options.given) if options.like else [],
        "mask": options.mask,
    }
    of_export = {
        "format": options.format,
        "license": options.license,
        "langs": list(options.langs or ()),
    }
    references = (*options.exclude, *options.like)
    steps += [
        Step("score", (str(paths[0]),), paths[1], {"detect": tables["detect"]}),
        Step(
            "filter",
            (str(paths[1]), *references),
            paths[2],
            {"filter": tables["filter"], **of_filter},
            hash_of(stamps["exclude"], stamps["like"]) if references else "",
        ),
        Step("split", (str(paths[2]),), paths[3], {"split": tables["split"]}),
        Step("export", (str(paths[3]),), options.data, of_export),
    ]
    return _with_keys(steps)


def _steps_to_pairs(
    options: DatasetOptions, folder: Path, stamps: dict[str, Stamps], tables: dict[str, Any]
) -> list[Step]:
    pairs = folder / "pairs.parquet"
    if options.pairs:
        settings = {"langs": list(options.langs or ())}
        return [Step("import", options.sources, pairs, settings, hash_of(stamps["sources"]))]
    is_run = "run" in stamps
    of_run = {} if is_run else {name: tables[name] for name in RUN_STEPS}
    inputs = hash_of(stamps["run" if is_run else "sources"])
    run = Step("run", options.sources, folder / "segments.parquet", of_run, inputs, is_run)
    if "pairs" in stamps:
        source = str(Path(options.sources[0]) / "pairs.parquet")
        return [run, Step("align", (source,), pairs, {}, hash_of(stamps["pairs"]), linked=True)]
    of_align = {"align": tables["align"]}
    if options.config.align.translate:
        of_align["translate"] = tables["translate"]
    return [run, Step("align", (str(folder),), pairs, of_align)]


def _with_keys(steps: Sequence[Step]) -> list[Step]:
    keyed: list[Step] = []
    for step in steps:
        before = keyed[-1].key if keyed else ""
        key = hash_of(__version__, step.name, step.settings, step.inputs, step.linked, before)
        keyed.append(replace(step, key=key))
    return keyed


def mark_done(
    steps: Sequence[Step], record: dict[str, Any], outputs: dict[str, Stamps]
) -> list[Step]:
    """Return the steps with their states.

    Args:
        steps: as `make_steps` returns them.
        record: `steps` of steps.json: by name, the key, settings, inputs, output and `read` of
            each finished step.
        outputs: by name, the stamps of the outputs that exist now.

    >>> step = Step("score", (), Path("scored.parquet"), {"detect": {"langs": []}}, key="k")
    >>> old = {"key": "k", "settings": step.settings, "inputs": "", "output": [["a", 1, 2]]}
    >>> mark_done([step], {"score": old}, {"score": [("a", 1, 2)]})[0].state
    'done'
    >>> mark_done([step], {"score": old}, {"score": [("a", 3, 4)]})[0].why
    'a has been changed'
    """
    marked: list[Step] = []
    read: Stamps = []
    for step in steps:
        old, output = record.get(step.name), outputs.get(step.name, [])
        if old is None:
            marked.append(step)
        elif old["key"] != step.key:
            marked.append(replace(step, state=AGAIN, why=_why_again(step, old)))
        elif any(before.state != DONE for before in marked):
            marked.append(replace(step, state=AGAIN, why=_BEFORE))
        elif as_stamps(old.get("read", [])) != read:
            why = f"{marked[-1].writes.name} has been corrected or made again"
            marked.append(replace(step, state=AGAIN, why=why))
        elif changes := list_changes(as_stamps(old["output"]), output):
            marked.append(replace(step, state=AGAIN, why=_describe_changes(changes)))
        else:
            marked.append(replace(step, state=DONE))
        read = output
    return marked


def list_changes(before: Stamps, now: Stamps) -> dict[str, str]:
    """Return what has happened to each file that is no longer as it was; missing ones first.

    >>> list_changes([("a", 1, 2), ("b", 1, 2), ("c", 1, 2)], [("a", 1, 2), ("b", 3, 4)])
    {'c': 'is missing', 'b': 'has been changed'}
    """
    names = {name for name, *_ in now}
    new = [stamp for stamp in now if stamp not in before]
    missing = [name for name, size, _ in new if size < 0]
    if not missing:  # else a folder that is gone would also be named by its files
        missing = [name for name, *_ in before if name not in names]
    changed = [name for name, size, _ in new if size >= 0]
    return dict.fromkeys(missing, MISSING) | dict.fromkeys(changed, CHANGED)


def _describe_changes(changes: dict[str, str]) -> str:
    """Say what has happened to the first file, and to how many others.

    >>> _describe_changes({"run/a": "is missing", "run/b": "is missing"})
    'a is missing, and 1 more file has changed'
    """
    name, what = next(iter(changes.items()))
    others = len(changes) - 1
    more = f", and {count_noun(others, 'more file')} {'has' if others == 1 else 'have'} changed"
    return f"{Path(name).name} {what}{more if others else ''}"


def as_stamps(stored: Sequence[Sequence[Any]]) -> Stamps:
    """Return stamps as steps.json has them."""
    return [(name, size, time) for name, size, time in stored]


def _why_again(step: Step, old: dict[str, Any]) -> str:
    """Say what has changed since a step was done."""
    before, now = _flat(old["settings"]), _flat(step.settings)
    names = sorted(name for name in before | now if before.get(name) != now.get(name))
    if names:
        return f"{', '.join(names)} changed"
    if old["inputs"] != step.inputs:
        return "its input files changed"
    return _BEFORE


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings by their full names.

    >>> _flat({"filter": {"near": 0.7}, "mask": False})
    {'filter.near': 0.7, 'mask': False}
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": nested for inner, nested in value.items()}
        else:
            flat[name] = value
    return flat


def changed_settings(config: Config) -> dict[str, Any]:
    """Return the settings that differ from their defaults, by full name.

    >>> from ingest.config import SplitConfig
    >>> changed_settings(Config(split=SplitConfig(seed=5)))
    {'split.seed': 5}
    """
    now, default = _flat(config.to_dict()), _flat(Config().to_dict())
    return {name: value for name, value in now.items() if value != default[name]}


def instead_of(option: str, given: str) -> str:
    """Name an option for the next call, and the one of this call that cannot stand beside it.

    Args:
        option: --overwrite or --resume.
        given: which of them this call has; empty if none.

    >>> instead_of("--overwrite", "--resume"), instead_of("--overwrite", "")
    ('--overwrite instead of --resume', '--overwrite')
    """
    return f"{option} instead of {given}" if given not in ("", option) else option


def adopt_settings(config: Config, run_config: Config) -> tuple[Config, list[str]]:
    """Return the settings for the data set of a run, and those that the run contradicts.

    The run has applied its own settings to the pages. They also hold for the steps after it, unless
    the user wants others.

    Args:
        config: what the user wants.
        run_config: the settings of the run.

    >>> from ingest.config import DetectConfig
    >>> run_config = Config(detect=DetectConfig(langs=("ar", "en")))
    >>> adopted, contradicted = adopt_settings(Config(), run_config)
    >>> adopted == run_config, contradicted
    (True, [])
    >>> adopt_settings(Config(detect=DetectConfig(langs=("fr",))), run_config)[1]
    ['detect.langs']
    """
    of_run = {name: getattr(run_config, name) for name in RUN_STEPS}
    adopted = replace(config, **of_run)
    wanted, actual = changed_settings(config), _flat(adopted.to_dict())
    contradicted = [name for name, value in wanted.items() if actual[name] != value]
    return adopted, contradicted


def can_use_pairs(config: Config, run_config: Config) -> bool:
    """Return whether the pairs of a run can be used: the user wants no other way to align."""
    steps = ("align", "translate")
    return all(
        getattr(config, name) in (getattr(Config(), name), getattr(run_config, name))
        for name in steps
    )


def stamps_of(*paths: str | Path) -> Stamps:
    """Return the stamps of files, and of the files in folders, or of a folder that has none.

    Size and time of a missing file are -1.
    """
    stamps: Stamps = []
    for path in map(Path, paths):
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
        for file in files or [path]:
            size, time = stamp(str(file)) or (-1, -1)
            stamps.append((str(file), size, int(time)))
    return stamps


def hash_of(*values: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of values as JSON."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_record(record: Any) -> bool:
    """Return whether a JSON value is what steps.json has.

    >>> is_record({"steps": {}}), is_record({"steps": {"run": 3}})
    (True, False)
    """
    if not isinstance(record, dict) or not isinstance(record.get("steps"), dict):
        return False
    tables = (record.get("options", {}), record.get("started", {}))
    if not all(isinstance(table, dict) for table in tables):
        return False
    return _are_stamps(record.get("replaces", [])) and all(
        isinstance(step, dict)
        and isinstance(step.get("key"), str)
        and isinstance(step.get("inputs"), str)
        and isinstance(step.get("settings"), dict)
        and isinstance(step.get("result"), dict)
        and _are_stamps(step.get("output"))
        and _are_stamps(step.get("read", []))
        for step in record["steps"].values()
    )


def _are_stamps(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(stamp, list) and list(map(type, stamp)) == [str, int, int] for stamp in value
    )


def to_record(
    step: Step, read: Stamps, output: Stamps, corrections: str, result: dict[str, Any]
) -> dict[str, Any]:
    """Return what steps.json says of a finished step.

    Args:
        step: the step.
        read: stamps of the output of the step before.
        output: stamps of its output.
        corrections: hash of the corrections that are applied to its output.
        result: what it says of itself.
    """
    return {
        "key": step.key,
        "settings": step.settings,
        "inputs": step.inputs,
        "read": read,
        "output": output,
        "corrections": corrections,
        "result": result,
    }

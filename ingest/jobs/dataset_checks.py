"""Plan a data set: look at its sources, at what an earlier call has left, and at DATA.

Nothing is written here. All that would stop the work later is found now, where possible.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ingest.errors import ConfigError, OutputError, SourceError
from ingest.io.atomic import check_output
from ingest.io.file_kinds import read_file
from ingest.io.in_place import is_empty
from ingest.io.remake import STEPS_FILE, DamagedFileError
from ingest.io.run_files import ARTICLES_FILE, CORRECTIONS_FILE, EXPORT_FILE, OUTPUTS, RUN_FILE
from ingest.io.run_json import read_complete_run
from ingest.jobs.damaged_files import find_damage, find_damaged_articles
from ingest.jobs.dataset_corrections import accept_corrected
from ingest.jobs.dataset_funnel import FunnelRow, funnel_rows
from ingest.jobs.dataset_memory import options_to_record, recall_options
from ingest.jobs.dataset_plan import (
    AGAIN,
    BEGUN,
    CHANGED,
    TO_DO,
    DatasetOptions,
    Stamps,
    Step,
    as_stamps,
    changed_settings,
    instead_of,
    is_record,
    list_changes,
    make_steps,
    mark_done,
    stamps_of,
)
from ingest.jobs.dataset_sources import inspect_sources, work_folder
from ingest.jobs.dataset_steps import PAGES_FILE, Outcome
from ingest.jobs.export import FORMATS
from ingest.pipeline.executors import Executor
from ingest.text import describe_parse_error
from ingest.writers.folder import refuse_foreign_files

EXPORT = "export"
LOCK, README = "lock", "README.md"
WORK_NAMES = ("run", "run.unfinished", "pairs", STEPS_FILE, LOCK, README, CORRECTIONS_FILE)

# A person may have changed these by other means than `ingest correct`: they are never replaced.
_MAY_BE_EDITED = ("run", "import", "align")


@dataclass(frozen=True)
class DatasetPlan:
    """What is to be done, and what an earlier call has done.

    Attributes:
        options: what to make. Its settings are those of the run if the source is one.
        work: the folder DATA.work.
        folder: the folder in it that has the outputs of all steps but the last.
        steps: the steps, in order.
        record: the content of steps.json.
        recalled: the options and settings that come from the earlier call, by name.
        given: --resume or --overwrite, if the call has it.
        exported: the files in the data set that an earlier call wrote, relative to it.
    """

    options: DatasetOptions
    work: Path
    folder: Path
    steps: list[Step]
    record: dict[str, Any] = field(default_factory=dict)
    recalled: dict[str, Any] = field(default_factory=dict)
    given: str = ""
    exported: tuple[str, ...] = ()

    @property
    def changed_settings(self) -> dict[str, Any]:
        """The settings that differ from their defaults, by full name."""
        return changed_settings(self.options.config)

    def outcomes(self) -> dict[str, Outcome]:
        """Return what the finished steps say of themselves, by name."""
        done = self.record["steps"]
        return {step.name: done[step.name]["result"] for step in self.steps if step.name in done}

    def funnel(self) -> list[FunnelRow]:
        """Return the funnel of the finished steps."""
        return funnel_rows(self.outcomes())

    def in_error(self) -> int:
        """Return how many pages, articles or rows were in error."""
        return sum(outcome["in_error"] for outcome in self.outcomes().values())

    def messages(self) -> list[str]:
        """Return what the finished steps say that the user should know, the step first."""
        return [
            f"{name}: {message}"
            for name, outcome in self.outcomes().items()
            for message in outcome["messages"]
        ]


def default_format(data: str | os.PathLike[str]) -> str:
    """Return the format that the ending of a path says, or else huggingface.

    >>> default_format("out/pairs.tmx"), default_format("out/data")
    ('tmx', 'huggingface')
    """
    ending = Path(data).suffix.lower().removeprefix(".")
    return ending if ending in FORMATS else "huggingface"


def plan_dataset(
    options: DatasetOptions, *, resume: bool = False, overwrite: bool = False
) -> DatasetPlan:
    """Plan a data set, without writing anything.

    Args:
        options: what to make.
        resume: whether to continue an earlier call.
        overwrite: whether to replace `data`, and start again.

    Raises:
        IngestError: as `make_dataset`.
    """
    if resume and overwrite:
        raise ConfigError("--overwrite starts again; it cannot be used with --resume")
    work = work_folder(options.data)
    given = "--resume" if resume else "--overwrite" if overwrite else ""
    try:
        record = _read_record(work, given)
    except OutputError:
        if not overwrite:
            raise
        record = {"steps": {}}
    exported = _exported_files(record, options.data)
    if overwrite:
        record = {"steps": {}, "replaces": stamps_of(options.data)}
    recalled: dict[str, Any] = {}
    if resume:
        options, recalled = recall_options(options, record.get("options", {}))
    record["options"] = options_to_record(options)
    if options.format not in FORMATS:
        raise ConfigError(f"format: {options.format!r} is not one of {', '.join(FORMATS)}")
    if options.license and options.format != "huggingface":
        raise ConfigError(f"license: {options.format} has no data card; only huggingface has one")
    Executor(options.workers).check()
    for file in (*options.exclude, *options.like):
        if not os.path.exists(file):
            raise SourceError(f"{file}: no such file")
    options, stamps = inspect_sources(options)
    _check_place(options, work, stamps["sources"])
    folder = work / ("pairs" if options.pairs else "run")
    if "run" in record["steps"] and os.path.lexists(folder / RUN_FILE):
        read_complete_run(folder)  # later steps add to it, so that its stamp says nothing
    steps = make_steps(options, folder, stamps)
    outputs = {step.name: stamps_of(*outputs_of(step)) for step in steps}
    record["steps"] = accept_corrected(record["steps"], steps, outputs, folder)
    steps = mark_done(steps, record["steps"], outputs | _find_lost_pages(steps, outputs))
    if steps[0].state == TO_DO and (work / "run.unfinished").exists() and not overwrite:
        steps[0] = replace(steps[0], state=BEGUN)
    plan = DatasetPlan(options, work, folder, steps, record, recalled, given, exported)
    _check_work(plan, resume=resume, overwrite=overwrite)
    _check_edited(plan, outputs)
    _check_data(plan, outputs[EXPORT], resume=resume, overwrite=overwrite)
    return plan


def _is_folder(format: str) -> bool:
    return bool(import_module(f"ingest.writers.{format}").FOLDER)


def _check_place(options: DatasetOptions, work: Path, files: Stamps) -> None:
    """Raise if the data set would be among its sources, or replace one."""
    own = {Path(os.path.realpath(path)) for path in (options.data, work)}
    for source in (*options.sources, *(name for name, *_ in files)):
        path = Path(os.path.realpath(source))
        if any(path == place or place in path.parents for place in own):
            raise OutputError(f"{options.data}: contains the source {source}; choose another name")
        if path.is_dir() and any(path in place.parents for place in own):
            raise OutputError(
                f"{options.data}: is inside {source}, which is read; choose a place outside"
            )


def _read_record(work: Path, given: str) -> dict[str, Any]:
    """Return the content of steps.json; no steps if there is none."""
    path = work / STEPS_FILE
    advice = f"give {instead_of('--overwrite', given)} to start again"
    try:
        record: dict[str, Any] = json.loads(read_file(path))
    except FileNotFoundError:
        return {"steps": {}}
    except (OSError, ValueError, RecursionError) as error:
        reason = describe_parse_error(error)
        raise OutputError(f"{path}: cannot be read: {reason}; {advice}") from error
    if not is_record(record):
        raise OutputError(f"{path}: is not a record of steps; {advice}")
    return record


def _exported_files(record: dict[str, Any], data: Path) -> tuple[str, ...]:
    """Return the files in a data set that an earlier call wrote, relative to it."""
    paths = [Path(name) for name, size, _ in _known_data(record) or [] if size >= 0]
    return tuple(path.relative_to(data).as_posix() for path in paths if data in path.parents)


def _known_data(record: dict[str, Any]) -> Stamps | None:
    """Return the stamps of the data set that a --resume may replace; None if it may replace none.

    That is what an earlier call exported, or what it was to replace when it was stopped.
    """
    known = record["steps"].get(EXPORT, {}).get("output", record.get("replaces"))
    return None if known is None else as_stamps(known)


def _check_work(plan: DatasetPlan, *, resume: bool, overwrite: bool) -> None:
    """Raise unless the working folder is free, or may be continued or replaced."""
    work = plan.work
    if not os.path.lexists(work):
        return
    if not work.is_dir():
        raise OutputError(f"{work}: is not a folder; choose another name for the data set")
    names = sorted(p.name for p in work.iterdir() if not p.name.startswith("."))
    if foreign := [name for name in names if name not in WORK_NAMES]:
        raise OutputError(
            f"{work}: contains files that ingest did not write ({', '.join(foreign[:3])}); choose "
            "another name for the data set"
        )
    if overwrite or not has_work(work):
        return
    if not resume:
        raise OutputError(
            f"{work}: has the work of an earlier call; use --resume to go on with it, or "
            "--overwrite to start again"
        )
    first = plan.steps[0]
    known = {step.name for step in plan.steps}
    if others := plan.record["steps"].keys() - known:
        raise OutputError(
            f"{work}: was made from other sources (it has the step {min(others)}); give "
            "--overwrite instead of --resume to start again"
        )
    recorded = plan.record["steps"].get(first.name)
    if first.state == AGAIN and recorded["key"] != first.key and not _links_to(first, plan.folder):
        raise OutputError(
            f"{work}: has the work of an earlier call on other sources or settings: "
            f"{first.name}: {first.why}; give --overwrite instead of --resume to start again"
        )


def _links_to(run: Step, folder: Path) -> bool:
    """Return whether a folder links to the run that a step links to: its files may change there."""
    name = "documents.parquet"
    return run.linked and (folder / name).resolve() == (Path(run.reads[0]) / name).resolve()


def _check_edited(plan: DatasetPlan, outputs: dict[str, Stamps]) -> None:
    """Raise if a step would replace what a person has changed, or a disk has damaged.

    Args:
        plan: the plan.
        outputs: the stamps of the outputs that exist now, by step.
    """
    for step in plan.steps:
        recorded = plan.record["steps"].get(step.name)
        if step.name not in _MAY_BE_EDITED or not recorded or not os.path.exists(step.writes):
            continue
        known = {tuple(stamp) for stamp in recorded["output"]}
        there = [stamp for stamp in outputs[step.name] if os.path.lexists(stamp[0])]
        changed = [Path(stamp[0]) for stamp in there if stamp not in known]
        for path in changed:
            if path.is_symlink():  # it has no changes of its own
                continue
            of_articles = path.name == ARTICLES_FILE
            if damage := find_damaged_articles(plan.folder) if of_articles else find_damage(path):
                raise DamagedFileError(damage)
            source = step.writes if plan.options.pairs else plan.folder
            raise OutputError(
                f"{path}: has been changed since; to make a data set of it as it is: ingest "
                f"dataset {source} -o OTHER; to make it again, delete it and give --resume"
            )


def _check_data(plan: DatasetPlan, stamps: Stamps, *, resume: bool, overwrite: bool) -> None:
    """Raise unless the data set does not exist, or may be replaced."""
    data, format = plan.options.data, plan.options.format
    check_output(data, overwrite=True, folder=_is_folder(format))
    if _is_folder(format):
        refuse_foreign_files(data, plan.exported)
    if not os.path.lexists(data) or is_empty(data) or overwrite:
        return
    if not resume:
        raise OutputError(
            f"{data}: exists already; choose another name, or give --overwrite, or --resume if an "
            "earlier call made it"
        )
    if plan.record.get("started", {}).get("name") == EXPORT:  # and it may have been stopped there
        return
    replace_it = "to replace it, give --overwrite instead of --resume"
    if (known := _known_data(plan.record)) is None:
        steps = plan.work / STEPS_FILE
        if not steps.exists():
            raise OutputError(
                f"{steps}: is missing, so an earlier call did not make {data}, or its notes are "
                f"lost; {replace_it}"
            )
        raise OutputError(f"{data}: exists, but no earlier call has finished it; {replace_it}")
    changes = list_changes(known, stamps)
    changes.pop(str(data / EXPORT_FILE), None)  # nobody's work, and it may be damaged
    if edited := [name for name, what in changes.items() if what == CHANGED]:
        whole = f"replace {data}" if edited[0] != str(data) else "replace it"
        raise OutputError(
            f"{edited[0]}: {CHANGED} since; to {whole}, give --overwrite instead of --resume"
        )


def outputs_of(step: Step) -> list[Path]:
    """Return the files that a step writes.

    Later steps add to the run.json of a run, so it belongs to them only as long as it is missing.
    """
    if step.name != "run":
        return [step.writes]
    paths = [step.writes.with_name(name) for name in OUTPUTS]
    return [path for path in paths if path.name != RUN_FILE or not os.path.lexists(path)]


def _find_lost_pages(steps: list[Step], outputs: dict[str, Stamps]) -> dict[str, Stamps]:
    """Return the output of `align` with the pairs of pages, if they are missing or damaged.

    They are only a stage of it, which other commands read, too: they are made again unasked.
    """
    lost: dict[str, Stamps] = {}
    for step in steps:
        path = step.writes.with_name(PAGES_FILE)
        if step.name != "align" or step.linked:
            continue
        if not os.path.lexists(path) or find_damage(path, all_values=False, names=()):
            lost[step.name] = outputs[step.name] + stamps_of(path)
    return lost


def has_work(work: Path) -> bool:
    """Whether an earlier call has left something in its working folder."""
    return any((work / name).exists() for name in ("run", "run.unfinished", "pairs"))

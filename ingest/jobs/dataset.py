"""Make a data set in one go: run, align, score, filter, split and export (`ingest dataset`).

The last step writes DATA. All others write to a folder next to it:

    DATA.work/
        steps.json   what each finished step was made from, and what it counted
        run/         the folder of a run, with the pairs of each step
        pairs/       instead of run/, if the sources are pairs
        README.md    the funnel and the settings
        corrections.jsonl   those of run/ while that is made again
        lock         held while a call works here
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ingest._typing import Progress
from ingest.config import Config
from ingest.errors import OutputError, WriteError
from ingest.io.atomic import atomic_write, wrap_os_errors
from ingest.io.locks import LockHeldError, hold_lock
from ingest.io.parts_folder import remove_parts
from ingest.io.remake import STEPS_FILE, DamagedFileError
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.jobs.damage import blame_damage
from ingest.jobs.dataset_checks import (
    EXPORT,
    LOCK,
    README,
    WORK_NAMES,
    DatasetPlan,
    default_format,
    has_work,
    outputs_of,
    plan_dataset,
)
from ingest.jobs.dataset_corrections import hash_corrections, set_aside
from ingest.jobs.dataset_funnel import add_to_run_report, readme
from ingest.jobs.dataset_plan import (
    DONE,
    DatasetOptions,
    Stamps,
    Step,
    changed_settings,
    hash_of,
    instead_of,
    stamps_of,
    to_record,
)
from ingest.jobs.dataset_sources import work_folder
from ingest.jobs.dataset_steps import NothingLeftError, Work, do_step
from ingest.languages import parse_language_pair
from ingest.text import json_document
from ingest.writers.folder import restore_report

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""One path, or several."""

Watch = Callable[[Step], AbstractContextManager[Progress | None]]
"""Called before each step; what it yields is called with the progress of the step."""


def make_dataset(
    sources: Paths,
    data: str | os.PathLike[str],
    *,
    config: Config | None = None,
    format: str | None = None,
    pairs: bool = False,
    langs: str | Sequence[str] | None = None,
    license: str | None = None,
    exclude: Paths | None = None,
    like: Paths | None = None,
    mask_pii: bool | None = None,
    resume: bool = False,
    overwrite: bool = False,
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Make a data set of sentence pairs: run, align, score, filter, split and export.

    The same sources and settings always give the same bytes in `data`, whatever the number of
    workers and interruptions. Each step writes to a folder `data`.work and is noted there, so
    that a call that was stopped can be resumed.

    Args:
        sources: files and folders of pages, the folder of one run, or files of pairs.
        data: file or folder to write.
        config: settings of all steps; the defaults if None. Those that a run has applied to its
            pages are taken from the run.
        format: one of the formats of `ingest.export`; if None, what the ending of `data` says, or
            else huggingface.
        pairs: the sources are pairs, as `ingest import` reads them. TMX, and Parquet with the
            columns of pairs, are recognized.
        langs: source and target, such as ("ar", "en") or "ar,en"; as they are if None.
        license: license of the texts, for the data card of huggingface.
        exclude: files or folders of texts that no kept pair may have, such as test sets.
        like: a file of clean pairs, or two text files: sets the thresholds of the filter that
            `config` leaves at their defaults.
        mask_pii: replace personal data by placeholders.
        resume: continue an earlier call, or start. Options that are None are those of the earlier
            call. Steps whose settings have changed are done again, and so are the steps after
            them.
        overwrite: replace `data`, and start again.
        workers: number of processes that read pages, pair, score and filter.
        progress: called with the name of the step, the amount of work done, and of all.

    Returns:
        data, work (the folder), funnel (counts from pages to exported pairs), in_error (pages,
        articles and rows in error), and messages (what each step says that the user should know).

    Raises:
        SourceError: no source can be read, they have no pairs, or the filter keeps none; or they
            have changed since the earlier call.
        ConfigError: a setting is invalid, or differs from that of the run or the earlier call.
        OutputError: `data` exists, is inside a source, or is being written by another call.
        WriteError: `data` cannot be written, or its parent folder does not exist.

    >>> import tempfile
    >>> from ingest.resources import samples
    >>> pairs = samples().parent / "pairs" / "harbour.tsv"
    >>> made = make_dataset(pairs, tempfile.mkdtemp() + "/harbour.tmx", pairs=True)
    >>> made["funnel"][-1]
    {'number': 5, 'what': 'exported', 'lost': False}
    """
    asked = {
        "config": config, "format": format, "pairs": pairs or None, "langs": langs,
        "license": license, "exclude": exclude, "like": like, "mask": mask_pii,
    }  # fmt: skip
    config = config or Config()
    options = DatasetOptions(
        sources=_paths(sources),
        data=Path(data),
        format=format or default_format(data),
        config=config,
        pairs=pairs,
        langs=None if langs is None else parse_language_pair(langs),
        license=license or "",
        exclude=_paths(exclude or ()),
        like=_paths(like or ()),
        given=tuple(
            name.removeprefix("filter.")
            for name in changed_settings(config)
            if name.startswith("filter.")
        ),
        mask=bool(mask_pii),
        workers=workers,
        asked=frozenset(name for name, value in asked.items() if value is not None),
    )

    def watch(step: Step) -> AbstractContextManager[Progress | None]:
        return nullcontext(partial(progress, step.name) if progress else None)

    with open_plan(options, resume=resume, overwrite=overwrite) as plan:
        for _ in do_steps(plan, watch):
            pass
        return {
            "data": str(options.data),
            "work": str(plan.work),
            "funnel": [row._asdict() for row in plan.funnel()],
            "in_error": plan.in_error(),
            "messages": plan.messages(),
        }


def _paths(given: Paths) -> tuple[str, ...]:
    """Return paths that are given alone or as a list."""
    listed = [given] if isinstance(given, (str, os.PathLike)) else given
    return tuple(os.fspath(path) for path in listed)


@contextmanager
def open_plan(
    options: DatasetOptions, *, resume: bool = False, overwrite: bool = False
) -> Iterator[DatasetPlan]:
    """Keep other calls out of the working folder, and yield the plan.

    Raises:
        IngestError: as `plan_dataset`; or another call works there.
    """
    work = work_folder(options.data)
    with blame_damage(*options.sources):
        plan_dataset(options, resume=resume, overwrite=overwrite)  # before anything is written
    with _keep_others_out(work, options.data), blame_damage(*options.sources, work / "run"):
        try:
            plan = plan_dataset(options, resume=resume, overwrite=overwrite)
            if plan.exported:
                with wrap_os_errors(options.data):
                    restore_report(options.data, plan.exported)
            if overwrite:
                _clear(work)
            yield plan
        except BaseException as error:
            if has_work(work):
                advice = getattr(error, "__notes__", [])
                has_advice = isinstance(error, (NothingLeftError, DamagedFileError))
                if not has_advice and "--resume" not in str(advice):
                    resume_it = instead_of("--resume", "--overwrite" if overwrite else "")
                    error.add_note(f"finished steps are kept in {work}; use {resume_it} to go on")
            else:
                (work / STEPS_FILE).unlink(missing_ok=True)
            raise


@contextmanager
def _keep_others_out(work: Path, data: Path) -> Iterator[None]:
    """Hold the lock of a working folder, which is made if necessary.

    Raises:
        OutputError: another call holds it.
        WriteError: the folder cannot be made.
    """
    with ExitStack() as stack:
        try:
            with wrap_os_errors(work):
                stack.enter_context(hold_lock(work / LOCK))
        except LockHeldError:
            raise OutputError(f"{data}: another call is writing it") from None
        except WriteError:
            with suppress(OSError):  # nothing was written
                work.rmdir()
            raise
        try:
            yield
        finally:
            (work / LOCK).unlink(missing_ok=True)
            if not any(work.iterdir()):
                work.rmdir()


def do_steps(plan: DatasetPlan, watch: Watch) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Do the steps that are not done, and note each in steps.json.

    Args:
        plan: as `open_plan` yields it.
        watch: called before each step.

    Yields:
        Each step that has been done, and what it says of itself.

    Raises:
        IngestError: a step fails.
    """
    record = plan.record
    read: Stamps = []
    for step in plan.steps:
        if step.state == DONE:
            read = stamps_of(*outputs_of(step))
            continue
        started = record.get("started", {})
        if started.get("name") == step.name:
            _remove_partial(step.writes)
        record["started"] = {"name": step.name, "key": hash_of(step.key, read)}
        was_started = started == record["started"]
        old = record["steps"].pop(step.name, None)  # its output is about to change
        if old and step.name == EXPORT:
            record["replaces"] = old["output"]
        _write_record(plan)
        if step.name == EXPORT:
            linked = plan.steps[0].linked
            add_to_run_report(plan.folder, plan.funnel(), plan.options, linked=linked)
        with watch(step) as progress:
            work = Work(plan.options, plan.folder, was_started, plan.given)
            outcome = do_step(step, work, progress)
        output = stamps_of(*outputs_of(step))
        applied = hash_corrections(plan.folder / CORRECTIONS_FILE).get(step.name, "")
        record["steps"][step.name] = to_record(step, read, output, applied, outcome)
        del record["started"]
        if step.name == EXPORT:
            record.pop("replaces", None)
        read = output
        _write_record(plan)
        yield step, outcome
    _write_readme(plan)


def _write_record(plan: DatasetPlan) -> None:
    with atomic_write(plan.work / STEPS_FILE) as new:
        text = json_document(plan.record)
        new.write_text(text, encoding="utf-8")


def _write_readme(plan: DatasetPlan) -> None:
    names = [f"{plan.folder.name}/{step.writes.name}" for step in plan.steps[:-1]]
    text = readme(plan.options.data, plan.funnel(), plan.changed_settings, names)
    with atomic_write(plan.work / README) as new:
        new.write_text(text, encoding="utf-8")


def _clear(work: Path) -> None:
    """Remove what an earlier call has left, but the lock that is held, and corrections."""
    with wrap_os_errors(work):
        set_aside(work / "run")
        for name in WORK_NAMES:
            path = work / name
            if path.is_dir():
                shutil.rmtree(path)
            elif name not in (LOCK, CORRECTIONS_FILE):
                path.unlink(missing_ok=True)


def _remove_partial(path: Path) -> None:
    """Remove what a call that was killed had written of an output."""
    remove_parts(path)
    with wrap_os_errors(path):
        for partial_output in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-z_]' * 8}"):
            if partial_output.is_dir():
                shutil.rmtree(partial_output)
            else:
                partial_output.unlink()

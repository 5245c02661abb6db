"""The steps of `ingest dataset`: each calls the job of one command, and says what it did."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import Progress, Result
from ingest.errors import SourceError
from ingest.io.atomic import atomic_folder, atomic_write, wrap_os_errors
from ingest.io.in_place import remove
from ingest.io.parquet import scan_parquet
from ingest.io.remake import unreadable
from ingest.io.run_files import CORRECTIONS_FILE, OUTPUTS, PAIRS_FILE, RUN_FILE
from ingest.io.run_json import read_complete_run
from ingest.jobs.correct import correct_run
from ingest.jobs.dataset_corrections import set_aside
from ingest.jobs.dataset_plan import DatasetOptions, Step, instead_of
from ingest.pipeline.executors import Executor
from ingest.pipeline.state import State

PAGES_FILE = "pages.parquet"  # which pages are paired: a stage of `align`
Outcome = dict[str, Any]
"""What a step says of itself: messages, in_error, and counts for the funnel. JSON values."""


class NothingLeftError(SourceError):
    """The sources are read, and have nothing for the next step: its message is the only advice."""


@dataclass(frozen=True)
class Work:
    """Where and how the steps work.

    Attributes:
        options: what to make.
        folder: where their outputs are.
        was_started: whether an earlier call began this step, with the same settings and input.
        given: --resume or --overwrite, if the call has it.
    """

    options: DatasetOptions
    folder: Path
    was_started: bool
    given: str


def do_step(step: Step, work: Work, progress: Progress | None) -> Outcome:
    """Do one step, whose input is there. Its output is complete or does not exist.

    Raises:
        NothingLeftError: no page could be read, the pages have no pairs, or no pair is kept.
        SourceError: an input cannot be read.
        IngestError: the job fails.
    """
    do = _USE if step.linked else _DO
    with wrap_os_errors(step.writes):
        return do[step.name](step, work, progress)


def _run(_step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.run import run

    state = State(work.folder.absolute())
    aside = work.folder.parent / CORRECTIONS_FILE
    if state.is_complete() and work.was_started:
        report = read_complete_run(state.target)  # stopped just before it could be noted
    else:
        set_aside(work.folder)
        _remove(work.folder)
        report = run(
            work.options.sources,
            work.folder,
            config=work.options.config,
            resume=True,
            workers=work.options.workers,
            corrections=aside if aside.is_file() else None,
            progress=progress,
        )
    if report["counts"]["errors"] == report["counts"]["pages"]:
        set_aside(work.folder)
        _remove(work.folder)
        first = report["in_error"][0]
        raise NothingLeftError(
            f"{_name_sources(work)}: no page could be read; the first: {first['uri']}: "
            f"{first['error']}"
        )
    aside.unlink(missing_ok=True)  # the new run has stored them
    return _describe_run(report)


def _use_run(_step: Step, work: Work, _progress: Progress | None) -> Outcome:
    """Link the files of a run, and copy run.json, to which later steps add.

    Its corrections hold here too, and those that were made here are applied again.
    """
    source = Path(work.options.sources[0]).resolve()
    aside = set_aside(work.folder)
    _remove(work.folder)
    with atomic_folder(work.folder.absolute()) as new:
        for name in OUTPUTS:
            if name != RUN_FILE:
                (new / name).symlink_to(source / name)
        shutil.copyfile(source / RUN_FILE, new / RUN_FILE)
    corrections = [path for path in (source / CORRECTIONS_FILE, aside) if path.is_file()]
    if corrections:
        correct_run(work.folder, corrections)
        aside.unlink(missing_ok=True)
    return _describe_run(read_complete_run(work.folder))


def _describe_run(report: dict[str, Any]) -> Outcome:
    counts = report["counts"]
    errors = [f"{name}: {count:,} pages in error" for name, count in _sources_in_error(report)]
    return {
        "messages": errors,
        "in_error": counts["errors"],
        "pages": counts["pages"],
        "articles": counts["articles"],
        "segments": counts["segments"],
        "kept": counts["kept"],
    }


def _sources_in_error(report: dict[str, Any]) -> list[tuple[str, int]]:
    inputs = [(entry["source"], entry["errors"]) for entry in report["inputs"]]
    return [(name, count) for name, count in inputs if count][:5]


def _import(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.import_pairs import import_files

    work.folder.mkdir(exist_ok=True)
    options = work.options
    result = import_files(
        options.sources, step.writes, langs=options.langs, overwrite=True, progress=progress
    )
    return {**_describe(result), "pairs": result.pairs}


def _align(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.align_run import align_run

    langs = work.options.config.align.langs or ("ar", "en")
    pages = _count_pages(work.folder / "segments.parquet", langs)
    if missing := [lang for lang, count in pages.items() if not count]:
        raise NothingLeftError(
            f"{_name_sources(work)}: no page has text to keep in {' or '.join(missing)}, so there "
            f"is nothing to pair; add such pages and give {_start_again(work)}"
            f"{_instead_of_pairs(work)}"
        )
    if not work.was_started:  # else the pages were paired with the same settings
        remove(work.folder / PAGES_FILE)
    result = align_run(
        str(work.folder),
        str(step.writes),
        overwrite=True,
        config=work.options.config,
        executor=Executor(work.options.workers),
        progress=progress,
    )
    return _count_pairs(step, work, _describe(result))


def _use_pairs(step: Step, work: Work, _progress: Progress | None) -> Outcome:
    """Link the pairs of a run."""
    source = Path(work.options.sources[0]).resolve()
    with atomic_write(step.writes) as new:
        new.symlink_to(source / step.writes.name)
    if (work.folder / CORRECTIONS_FILE).is_file():
        correct_run(work.folder)
    return _count_pairs(step, work, {"messages": [], "in_error": 0})


def _count_pairs(step: Step, work: Work, outcome: Outcome) -> Outcome:
    """Add how many sentences are paired, and on how many pages.

    Raises:
        SourceError: no sentence is.
    """
    langs = work.options.config.align.langs or ("ar", "en")
    pages = _count_pages(work.folder / "segments.parquet", langs)
    try:
        docs = scan_parquet(step.writes).select("source_doc", "target_doc").collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(step.writes, error) from error
    if docs.is_empty():
        found = " and ".join(f"{pages[lang]:,} with text in {lang}" for lang in langs)
        raise NothingLeftError(
            f"{_name_sources(work)}: no pairs of sentences: among the pages, {found} were "
            f"compared, and none translates another{_instead_of_pairs(work)}"
        )
    paired = pl.concat([docs["source_doc"], docs["target_doc"]]).n_unique()
    return {**outcome, "pages_by_lang": pages, "paired_pages": paired, "pairs": len(docs)}


def _name_sources(work: Work) -> str:
    return ", ".join(work.options.sources)


def _instead_of_pairs(work: Work) -> str:
    folder = shlex.quote(str(work.folder))
    return (
        f"; to write the articles: ingest export {folder} --what articles -o FILE; if "
        f"the sources are pairs: --pairs and {_start_again(work)}"
    )


def _start_again(work: Work) -> str:
    return instead_of("--overwrite", work.given)


def _count_pages(segments: Path, langs: tuple[str, ...]) -> dict[str, int]:
    """Count the pages that have kept text in each language."""
    try:
        counts = (
            scan_parquet(segments)
            .filter(pl.col("keep") & pl.col("lang").is_in(langs))
            .group_by("lang")
            .agg(pl.col("doc_id").n_unique())
            .collect(engine="streaming")
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(segments, error) from error
    by_lang = dict(counts.iter_rows())
    return {lang: by_lang.get(lang, 0) for lang in langs}


def _score(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.score import score_file

    source = work.folder / PAIRS_FILE
    options = work.options
    return _describe(
        score_file(
            source,
            step.writes,
            overwrite=True,
            config=options.config,
            executor=Executor(options.workers),
            progress=progress,
        )
    )


def _filter(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.filter import filter_file

    options = work.options
    result = filter_file(
        work.folder / "scored.parquet",
        step.writes,
        exclude=options.exclude,
        like=options.like,
        given=options.given,
        mask=options.mask,
        overwrite=True,
        config=options.config,
        executor=Executor(options.workers),
        progress=progress,
    )
    if not result.kept:
        raise NothingLeftError(
            f"{step.writes}: no pair was kept: {_describe_drops(result.funnel)}; change [filter] "
            f"with --config or --set, and give {instead_of('--resume', work.given)}"
        )
    dropped = result.funnel.filter(pl.col("took") > 0).select("rule", "took")
    return {**_describe(result), "kept": result.kept, "dropped": dict(dropped.iter_rows())}


def _describe_drops(funnel: pl.DataFrame) -> str:
    rows = funnel.filter(pl.col("took") > 0).sort("took", descending=True, maintain_order=True)
    return ", ".join(f"{took:,} {rule}" for rule, took in rows.select("rule", "took").iter_rows())


def _split(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.split import split_file

    source = work.folder / "filtered.parquet"
    config = work.options.config
    result = split_file(source, step.writes, overwrite=True, config=config, progress=progress)
    return {**_describe(result), "sizes": result.sizes}


def _export(step: Step, work: Work, progress: Progress | None) -> Outcome:
    from ingest.jobs.export import export

    options = work.options
    report = export(
        work.folder / "split.parquet",
        step.writes,
        format=options.format,
        langs=options.langs,
        license=options.license,
        overwrite=True,
        progress=progress,
    )
    names = ("written", "left_out", "turned", "masked", "changed", "files")
    return {"messages": [], "in_error": 0, **{name: report[name] for name in names}}


def _describe(result: Result) -> Outcome:
    return {"messages": list(result.messages), "in_error": result.in_error}


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder)


_Do = Callable[[Step, Work, "Progress | None"], Outcome]
_DO: dict[str, _Do] = {
    "run": _run, "import": _import, "align": _align, "score": _score, "filter": _filter,
    "split": _split, "export": _export,
}  # fmt: skip
_USE: dict[str, _Do] = {"run": _use_run, "align": _use_pairs}

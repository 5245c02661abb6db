"""Run all steps on pages, then align or translate the result (`ingest run`)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ingest._typing import Progress, TranslationProgress
from ingest.config import Config
from ingest.errors import ConfigError
from ingest.io.remake import DamagedFileError
from ingest.io.run_json import read_complete_run
from ingest.io.urls import check_target_is_writable, is_url
from ingest.jobs.damaged_files import TABLES_OF_RUN, find_damage, find_damaged_articles
from ingest.jobs.postprocess import (
    add_export,
    add_pairs,
    add_translations,
    check_export,
    check_sources,
    check_translatable,
    select_missing,
)
from ingest.pipeline.executors import Executor
from ingest.pipeline.run import exclude_outputs, run_shards
from ingest.pipeline.state import State
from ingest.readers.sources import find_sources

# What `run` writes with all its options; other steps make the other files again.
_TABLES = (*TABLES_OF_RUN, "pages.parquet", "pairs.parquet", "translated.parquet")


def run(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    overwrite: bool = False,
    resume: bool = False,
    workers: int = 1,
    ray: str | None = None,
    ray_workers: int | None = None,
    shard: tuple[int, int] | None = None,
    align: bool = False,
    translate: tuple[str, str] | None = None,
    export: str | os.PathLike[str] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    translating: TranslationProgress | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read, segment, detect, label and dedupe pages, and write the result to a folder.

    Writes documents.parquet, segments.parquet, articles.jsonl (one record per article with kept
    text) and run.json. The same pages and settings always give the same bytes, except for the
    timings in run.json: the order of the sources, the number of processes and shards, and
    interruptions make no difference.

    A page that ends a worker, or takes longer than `run.page_seconds`, becomes a row with an
    `error`, and so does what can no longer be read of a file that changes during the run. With one
    worker, such a page may end this process; `resume` then finds it.

    Finished work is kept in a folder `out`.unfinished during the run. If the run stops early and at
    least one shard is done, the folder stays, and `resume` continues from there.

    Args:
        sources: files, folders, globs, '-' for standard input, or URLs: s3://, gs:// and az:// of
            an object or of a folder, and https:// of a file.
        out: folder to make, or its URL: s3://, gs:// or az://.
        config: settings; the defaults if None.
        overwrite: replace `out` if an earlier run made it, and discard unfinished work.
        resume: continue an unfinished run; start a new one if there is none. If `out` is complete
            except for what `align`, `translate` or `export` add, add that. If nothing is missing
            or damaged, and sources and settings are the same, do nothing.
        workers: number of processes.
        ray: work on a Ray cluster instead (extra `ray`): HOST:PORT, ray://HOST:PORT, or "auto" for
            the cluster that runs on this machine, or a temporary one if there is none. All nodes
            must see the sources and the folder of `out`, and have the same ingest.
        ray_workers: the most tasks on the cluster at a time, one core each; as many as it has
            cores if None.
        shard: (i, n) processes part i of n of the shards and leaves the unfinished folder. Parts
            may run at the same time. Once all parts are done, `resume` makes `out`.
        align: once `out` is complete, also write pages.parquet and pairs.parquet to it: which
            articles translate each other, and their sentence pairs.
        translate: source and target language, such as ("en", "ar"): once `out` is complete, also
            translate its segments with an installed argos package and write translated.parquet.
        export: a file to which the articles are written once `out` is complete, outside of `out`.
            Its ending says the format: .parquet, .jsonl, .txt or .md. `overwrite` replaces it too.
        corrections: a file of corrections that people made in the report of an earlier run. They
            are applied to the segments and pairs, and stored in `out`, where they stay if the run
            is overwritten.
        progress: called with the number of stored bytes done, and of all stored bytes.
        translating: called with the number of segments translated, their total, and the tokens
            sent to the models.
        storage_options: options of obstore for the stores of all URLs, such as `endpoint` and
            `access_key_id`; what is not given comes from the environment. They are stored nowhere.

    Returns:
        The content of run.json, in which `changed` lists sources that changed during the run, and
        their `error`, if there are any; and `uncut`, messages about large files that were one shard
        because they cannot be cut, if there are any. With `shard`, only `shards` (their number) and
        `done`. With `align`, also `pairs`: how many articles were `aligned`, how many sentence
        `pairs` they gave, how many articles `failed`, and messages about them (`said`). With
        `translate`, also `translated`: `texts`, `tokens`, `seconds`, and how many translations have
        which `flags`. With `export`, also `exported`, as `export_texts` returns it. With `resume`,
        `unchanged` is true if `out` was complete already, and nothing was done; `damaged_work` says
        what was made again if files of the unfinished run were damaged, as after a power cut. With
        `corrections`, also `damaged_corrections`, if lines could not be used: what is wrong with
        each.

    Raises:
        ConfigError: the unfinished run had other settings, `shard` was given with `align`,
            `translate`, `export` or `corrections`, or the Ray cluster cannot be reached or has a
            node that differs.
        ModelError: no package is installed for the pair of languages.
        MissingExtraError: the extra `translate` or `ray` is needed and not installed.
        SourceError: no page was found, an input of the run to be resumed has changed, or a file of
            a complete `out` is damaged.
        OutputError: `out` or an unfinished run of it exists, or another run is writing it, or it
            is a URL that cannot be written. An `out` in which all pages are in error may be
            replaced.
        WriteError: `out` cannot be written, or workers died again and again.

    >>> import tempfile, ingest
    >>> report = run(ingest.samples(), tempfile.mkdtemp() + "/out")
    >>> report["counts"]["errors"]
    0
    """
    if shard and (align or translate or export or corrections):
        raise ConfigError(
            "align, translate, export, corrections: not possible for a part of the shards; use "
            "them in the run that resumes and completes all parts"
        )
    executor = Executor(workers, ray, ray_workers)
    executor.check()
    notes = check_translatable(translate) if translate else []
    check_target_is_writable(out)
    if is_url(out) and (align or translate or export):
        raise ConfigError(_describe_need_of_folder(os.fspath(out), align, translate, export))
    config = config or Config()
    state = State(Path(os.path.abspath(out)))  # not used for an OUT in an object store
    was_complete = resume and not is_url(out) and state.is_complete()
    if export:
        check_export(export, out, overwrite=overwrite, resume=resume, is_complete=was_complete)
    if was_complete and (align or translate or export):
        if corrections:
            raise ConfigError(
                f"corrections: {os.fspath(out)} is complete; to apply them: "
                + shlex.join(["ingest", "correct", os.fspath(out), os.fspath(corrections)])
            )
        report = read_complete_run(state.target)
        check_sources(state.target, report, exclude_outputs(state, find_sources(sources)).files)
        _refuse_damage(state.target)
        align, translate = select_missing(
            state.target, report, config, align, translate, export=export is not None
        )
        if not (align or translate or export):
            report = {**report, "unchanged": True}
    else:
        report = run_shards(
            sources,
            out,
            config=config,
            overwrite=overwrite,
            resume=resume,
            executor=executor,
            shard=shard,
            corrections=corrections,
            progress=progress,
            storage_options=storage_options,
        )
        if report.get("unchanged") and not is_url(out):
            _refuse_damage(state.target)
    if align:
        report = {**report, "pairs": add_pairs(os.fspath(out), config, executor)}
    if translate:
        added = add_translations(os.fspath(out), translate, config, executor, translating)
        report = {**report, "translated": {**added, "said": [*notes, *added["said"]]}}
    if export:
        exported = add_export(os.fspath(out), export, overwrite=overwrite, may_exist=was_complete)
        is_new = exported is not None
        report |= {"exported": exported} if is_new else {"unchanged": not (align or translate)}
    return report


def _refuse_damage(out: Path) -> None:
    """Raise if a file of a complete OUT is damaged."""
    damage = find_damage(out, names=_TABLES) or find_damaged_articles(out)
    if damage:
        raise DamagedFileError(damage)


def _describe_need_of_folder(
    out: str,
    align: bool,
    translate: tuple[str, str] | None,
    export: str | os.PathLike[str] | None,
) -> str:
    """What to do instead of the options that cannot be used with an OUT in an object store."""
    options = {
        "--align": "ingest align RUN -o RUN/pairs.parquet" if align else "",
        "--translate": "ingest translate RUN --from {} --to {} -o RUN/translated.parquet".format(
            *translate
        )
        if translate
        else "",
        "--export": f"ingest export RUN -o {shlex.quote(os.fspath(export))}" if export else "",
    }
    given = {option: command for option, command in options.items() if command}
    return (
        f"{out}: {', '.join(given)} cannot be used with an OUT in an object store; run without, "
        f"download OUT to a folder RUN, and then: {' and '.join(given.values())}"
    )

"""Run all steps on pages, and align or translate what came of it: what `ingest run` does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ingest._typing import Progress, TranslationProgress
from ingest.config import Config
from ingest.errors import ConfigError
from ingest.jobs.postprocess import add_pairs, add_translations, missing, require_translatable
from ingest.pipeline.run import run_shards, sources_without_own
from ingest.pipeline.state import State
from ingest.readers.sources import find_sources


def run(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    overwrite: bool = False,
    resume: bool = False,
    workers: int = 1,
    shard: tuple[int, int] | None = None,
    align: bool = False,
    translate: tuple[str, str] | None = None,
    progress: Progress | None = None,
    translating: TranslationProgress | None = None,
) -> dict[str, Any]:
    """Read, segment, detect, label and dedupe pages, and write what came of it to a folder.

    Writes documents.parquet, segments.parquet, articles.jsonl (one record an article that has
    kept text) and run.json. But for the timings in run.json, the same pages and settings give the
    same bytes: in whatever order the sources are named, in however many processes and shards the
    work is done, and however often it is stopped.

    What is done stands in a folder `out`.unfinished meanwhile. It stays where a run ends early
    with a shard or more done, and `resume` goes on from there.

    Args:
        sources: files, folders, globs, or '-' for standard input.
        out: folder to make.
        config: settings; the defaults where None.
        overwrite: replace `out` if an earlier run made it, and what an unfinished run left.
        resume: go on with an unfinished run; where there is none, begin. Where `out` is complete
            but for what `align` or `translate` makes, make that.
        workers: processes that do the work.
        shard: (i, n) does the i-th of n parts of the shards and leaves the folder, for `resume`
            to make `out` of once all parts are done. Parts may run side by side.
        align: when `out` is complete, write pages.parquet and pairs.parquet to it too: which
            articles translate one another, and their sentences.
        translate: language of segments and of their translations, such as ("en", "ar"): when
            `out` is complete, write translated.parquet to it too, by an installed argos package.
        progress: called with the number of stored bytes done and of all stored bytes.
        translating: called with how many segments are translated, of how many, and the tokens that
            went to the models.

    Returns:
        What run.json holds; of a part only `shards`, how many there are, and `done`. With `align`
        also `pairs`: how many `pairs` of sentences came of how many `aligned` articles, how many
        `failed`, and what is `said` of these. With `translate` also `translated`: how many
        `texts`, of how many `tokens`, in how many `seconds`, and how many have which of `flags`.

    Raises:
        ConfigError: the unfinished run had other settings; or a part is to be aligned or
            translated.
        ModelError: no package is installed for the pair of languages.
        MissingExtraError: the extra `translate` is not installed.
        SourceError: no page was found; or an input changed or went since the run began.
        OutputError: `out` is there, or an unfinished run of it, or another run is writing it.
        WriteError: `out` cannot be written, or a worker died.

    >>> import tempfile, ingest
    >>> done = run(ingest.samples(), tempfile.mkdtemp() + "/out")
    >>> done["counts"]["errors"]
    0
    """
    if shard and (align or translate):
        raise ConfigError(
            "align, translate: a part has none yet; do it in the run that resumes them all"
        )
    if translate:
        require_translatable(translate)
    config = config or Config()
    state = State(Path(os.path.abspath(out)))
    if resume and (align or translate) and state.complete():
        sources_without_own(state, find_sources(sources))
        report = state.published()
        align, translate = missing(state.target, report, config, align, translate)
    else:
        report = run_shards(
            sources,
            out,
            config=config,
            overwrite=overwrite,
            resume=resume,
            workers=workers,
            shard=shard,
            progress=progress,
        )
    if align:
        report = {**report, "pairs": add_pairs(os.fspath(out), config)}
    if translate:
        added = add_translations(os.fspath(out), translate, config, translating)
        report = {**report, "translated": added}
    return report

"""What the sources of a data set are: pages, one run, or pairs."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

import polars as pl

from ingest.config import Config
from ingest.errors import ConfigError, OutputError, SourceError
from ingest.io.parquet import scan_parquet
from ingest.io.run_files import (
    OUTPUTS,
    PAIRS_FILE,
    RUN_FILE,
    describe_unfinished_run,
    refuse_incomplete,
)
from ingest.io.run_json import read_complete_run
from ingest.jobs.dataset_corrections import segments_were_corrected
from ingest.jobs.dataset_plan import (
    DatasetOptions,
    Stamps,
    adopt_settings,
    can_use_pairs,
    stamps_of,
)
from ingest.pairs.sources import files_of
from ingest.readers.formats import suffix
from ingest.readers.sources import STDIN, find_sources, is_run, is_stream


def work_folder(data: Path) -> Path:
    """Return the folder of the working files.

    >>> work_folder(Path("sets/data")).as_posix()
    'sets/data.work'

    Raises:
        OutputError: the data set would be the root of all folders.
    """
    named = data if data.name else Path(os.path.abspath(data))  # "." has no name
    if not named.name:
        raise OutputError(f"{data}: has no place for the working files next to it; name a folder")
    return named.with_name(f"{named.name}.work")


def inspect_sources(options: DatasetOptions) -> tuple[DatasetOptions, dict[str, Stamps]]:
    """Find out what the sources are, and return the stamps of all input files."""
    for source in options.sources:
        if unfinished := describe_unfinished_run(source):
            raise SourceError(unfinished)
        refuse_incomplete(source)
    stamps = {name: stamps_of(*getattr(options, name)) for name in ("exclude", "like")}
    pairs = options.pairs or (bool(options.sources) and all(map(_has_pairs, options.sources)))
    options = replace(options, pairs=pairs)
    if pairs:
        for source in options.sources:
            if not os.path.exists(source):
                raise SourceError(f"{source}: no such file")
        files = [file for source in options.sources for file in files_of(source)]
    elif any(map(is_run, options.sources)):
        if len(options.sources) > 1:
            raise SourceError(
                f"{', '.join(options.sources)}: one of these is the folder of a run; give that "
                "alone, or only pages"
            )
        return _adopt_run(options, stamps)
    else:
        files = find_sources(options.sources).files
        if streams := [file for file in files if file == STDIN or is_stream(file)]:
            raise SourceError(
                f"{streams[0]}: can be read only once; save it to a file, or run it first: "
                f"ingest run {shlex.quote(streams[0])} -o OUT"
            )
    return options, stamps | {"sources": stamps_of(*files)}


def _adopt_run(
    options: DatasetOptions, stamps: dict[str, Stamps]
) -> tuple[DatasetOptions, dict[str, Stamps]]:
    """Take the settings of a run.

    Raises:
        ConfigError: the user wants others for its pages.
        SourceError: run.json cannot be read.
    """
    source = Path(options.sources[0])
    try:
        run_config = Config.from_dict(read_complete_run(source)["config"])
    except ConfigError as error:
        raise SourceError(
            f"{source / RUN_FILE}: has other settings than this version of ingest: {error}; run "
            "the sources again"
        ) from error
    config, contradicted = adopt_settings(options.config, run_config)
    if contradicted:
        raise ConfigError(
            f"{source}: the run had another {', '.join(contradicted)}; leave it out, or give the "
            "pages instead of the run"
        )
    files = stamps_of(*(source / name for name in OUTPUTS if name != RUN_FILE))
    stamps = stamps | {"sources": files, "run": files}
    if (
        (source / PAIRS_FILE).is_file()
        and can_use_pairs(options.config, run_config)
        and not segments_were_corrected(work_folder(options.data), source)
    ):
        stamps["pairs"] = stamps_of(source / PAIRS_FILE)
    return replace(options, config=config), stamps


def _has_pairs(source: str) -> bool:
    """Whether a file is clearly one of pairs: TMX, or Parquet with their columns."""
    kind = suffix(source)
    if kind != ".parquet" or not os.path.isfile(source):
        return kind == ".tmx"
    try:
        return {"source_text", "target_text"} <= set(scan_parquet(source).collect_schema())
    except (pl.exceptions.PolarsError, OSError):
        return False  # `run` says what is wrong with it

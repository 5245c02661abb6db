"""The funnel from pages to pairs, as a table, in run.json and in the README of a data set."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingest._version import __version__
from ingest.errors import SourceError
from ingest.io.atomic import atomic_write
from ingest.io.file_kinds import read_file
from ingest.io.run_files import RUN_FILE
from ingest.io.run_json import read_run
from ingest.jobs.dataset_plan import DatasetOptions, changed_settings
from ingest.text import json_document
from ingest.writers.markdown import cell, table

_NOT_KEPT = "not kept"  # the filter has counted these by rule


class FunnelRow(NamedTuple):
    """One line of the funnel.

    Attributes:
        number: how many pages, articles, segments or pairs.
        what: what is counted, or why these are left out.
        lost: whether they are left out.
    """

    number: int
    what: str
    lost: bool = False

    def __str__(self) -> str:
        """Format the row for the terminal.

        >>> str(FunnelRow(1200, "too short", lost=True))
        '      -1,200  too short'
        """
        return f"{'-' * self.lost + f'{self.number:,}':>12}  {self.what}"


def funnel_rows(outcomes: Mapping[str, Mapping[str, Any]]) -> list[FunnelRow]:
    r"""Return the funnel of the steps that are done, from pages to exported pairs.

    Args:
        outcomes: by name of the step, what it counted.

    >>> outcomes = {
    ...     "import": {"pairs": 9, "in_error": 1}, "filter": {"kept": 7, "dropped": {"copy": 2}}
    ... }
    >>> print(*funnel_rows(outcomes), sep="\n")
               9  pairs imported
              -1  rows in error
              -2  copy
               7  kept
    """
    rows: list[FunnelRow] = []
    if run := outcomes.get("run"):
        align = outcomes.get("align", {})
        rows += [FunnelRow(run["pages"], "pages"), FunnelRow(run["in_error"], "in error", True)]
        by_lang = align.get("pages_by_lang", {})
        rows += [FunnelRow(n, f"pages with text in {lang}") for lang, n in by_lang.items()]
        if align:
            rows.append(FunnelRow(align["paired_pages"], "pages with pairs"))
        rows += [
            FunnelRow(run["articles"], "articles"),
            FunnelRow(run["segments"], "segments"),
            FunnelRow(run["kept"], "segments kept"),
        ]
        if align:
            rows.append(FunnelRow(align["pairs"], "pairs of sentences aligned"))
    if imported := outcomes.get("import"):
        rows += [
            FunnelRow(imported["pairs"], "pairs imported"),
            FunnelRow(imported["in_error"], "rows in error", True),
        ]
    if filtered := outcomes.get("filter"):
        rows += [FunnelRow(n, rule, True) for rule, n in filtered["dropped"].items()]
        rows.append(FunnelRow(filtered["kept"], "kept"))
    if split := outcomes.get("split"):
        rows += [FunnelRow(n, name) for name, n in split["sizes"].items()]
    if exported := outcomes.get("export"):
        left_out = exported["left_out"].items()
        rows += [FunnelRow(n, why, True) for why, n in left_out if not why.startswith(_NOT_KEPT)]
        rows.append(FunnelRow(exported["written"], "exported"))
    return [row for row in rows if row.number or not row.lost]


def add_to_run_report(
    folder: Path, rows: Sequence[FunnelRow], options: DatasetOptions, *, linked: bool
) -> None:
    """Write the funnel and the call to run.json, for the data card.

    Imported pairs have no run.json. Theirs gets what `filter` and `split` reported, too.

    Args:
        folder: the folder of the run.
        rows: the funnel.
        options: what to make.
        linked: whether the source is a run.
    """
    path = folder / RUN_FILE
    if path.exists():
        report = read_run(folder)
    else:
        reports = {"filter": "filtered.funnel.json", "split": "split.split.json"}
        report = {verb: _read_json(folder / name) for verb, name in reports.items()}
    report["funnel"] = [row._asdict() for row in rows]
    settings = _tables(options)
    report["dataset"] = {
        "commands": _commands(options, given=bool(settings), linked=linked),
        "settings": settings,
        "split": report.get("split"),  # a later call of `ingest split` replaces the other one
    }
    with atomic_write(path) as work:
        text = json_document(report)
        work.write_text(text, encoding="utf-8")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_file(path))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path}: cannot be read: {error}; delete {path.parent} and give --resume"
        ) from error


def _tables(options: DatasetOptions) -> dict[str, dict[str, Any]]:
    """Return the settings that were changed, but those of `run`, which change no output."""
    tables: dict[str, dict[str, Any]] = {}
    for full_name, value in changed_settings(options.config).items():
        step, _, name = full_name.partition(".")
        if step != "run":
            tables.setdefault(step, {})[name] = value
    return tables


def _commands(options: DatasetOptions, *, given: bool, linked: bool) -> list[str]:
    """Return the commands that make the data set, with names of files but without folders.

    >>> from ingest.config import Config
    >>> options = DatasetOptions(("a",), Path("d"), "huggingface", Config(), license="mit")
    >>> _commands(options, given=False, linked=False)
    ['ingest dataset SOURCES -o DATA --license mit']
    """
    words = ["--pairs"] if options.pairs else []
    words += ["--langs", ",".join(options.langs)] if options.langs else []
    words += ["--license", " ".join(options.license.split())] if options.license else []
    words += ["--exclude", *map(_file_name, options.exclude)] if options.exclude else []
    for file in options.like:
        words += ["--like", _file_name(file)]
    words += ["--mask-pii"] if options.mask else []
    source = "OUT" if linked else "SOURCES"
    call = shlex.join(["ingest", "dataset", source, "-o", "DATA", *words])
    calls = [*(["ingest run SOURCES -o OUT"] if linked else []), call]
    return [f"{call} --config settings.toml" if given else call for call in calls]


def _file_name(path: str) -> str:
    return " ".join(Path(path).name.split())


def readme(
    data: Path, rows: Sequence[FunnelRow], settings: Mapping[str, Any], files: Sequence[str]
) -> str:
    """Return the README.md of the working folder: what is here, the funnel, and the settings.

    Args:
        data: the data set.
        rows: its whole funnel.
        settings: the settings that differ from their defaults, by full name.
        files: the files of the working folder.
    """
    changed = [(f"`{name}`", cell(json.dumps(value))) for name, value in settings.items()]
    counts = [(cell(row.what), f"{'-' * row.lost}{row.number:,}") for row in rows]
    return "\n".join(
        [
            f"# How {cell(data.name)} was made",
            "",
            "Each step of `ingest dataset` has left its output here, and the next one has read it: "
            f"{', '.join(f'`{name}`' for name in files)}. `ingest show` and `ingest report` read "
            "`run`, if it is there. You may delete this folder if you will not make the data set "
            "again with other settings.",
            "",
            "## Funnel",
            "",
            *table(("what", "count"), counts),
            "## Settings that differ from the default",
            "",
            *(table(("setting", "value"), changed) if changed else ["None.", ""]),
            f"Made with ingest {__version__}.",
            "",
        ]
    )

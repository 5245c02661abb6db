"""`ingest export --what articles|segments`: write the texts of a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest._version import __version__
from ingest.errors import ConfigError
from ingest.jobs.damage import names_damage

if TYPE_CHECKING:
    from ingest._typing import Progress

TEXT_FORMATS = ("parquet", "jsonl", "txt", "huggingface", "markdown")
# The ending of a file says its format.
ENDINGS = {".parquet": "parquet", ".jsonl": "jsonl", ".txt": "txt", ".md": "markdown"}
_WRITERS = {"markdown": "markdown_texts", "huggingface": "huggingface_texts"}


@names_damage("run")
def export_texts(
    run: str | Path,
    dest: str | Path,
    *,
    what: str = "articles",
    format: str | None = None,
    langs: Sequence[str] = (),
    roles: Sequence[str] = (),
    dedupe: bool = False,
    license: str = "",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Export the articles or segments of a run. The output is complete or does not exist.

    Memory does not grow with the run, except for about 40 bytes per article with `dedupe`. The
    output depends on the run alone, and so not on the number of its workers.

    Args:
        run: the folder that `ingest.run` wrote.
        dest: path to write: a folder for huggingface, else a file. The parent folder must exist.
        what: articles, with one row per article, or segments, with one row per segment.
        format: one of TEXT_FORMATS; if None, what the ending of `dest` says. Only articles can be
            markdown.
        langs: languages to export; all if empty. Of an article of which a quarter or more is in
            them, their lines are exported; other articles are left out.
        roles: roles of the segments to export, such as ("headline", "body", "caption"); if empty,
            those that the run keeps. Segments that repeat others or are hidden are never exported.
        dedupe: whether to export one copy of each article: the longest; of several, the one with
            the earliest date, then the first in the run.
        license: license of the texts, such as "cc-by-4.0", for the data card. Only huggingface has
            one.
        overwrite: whether to replace an earlier export.
        progress: called with the number of segments read, and of all to read.

    Returns:
        what, format, dest, files, read, written, by_lang (rows by language), left_out (by reason),
        changed (rows by how their text was changed), and the settings. A folder also contains it,
        as export.json.

    Raises:
        ConfigError: a setting is invalid.
        SourceError: `run` is not the folder of a run, or was changed while it was read.
        FrameError: a file of the run lacks a column.
        OutputError: `dest` exists, or belongs to the run.
        WriteError: `dest` cannot be written, or its parent folder does not exist.

    >>> import ingest, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = ingest.run(ingest.samples() / "ar_chrome_en_news_1.txt", folder + "/out")
    >>> export_texts(folder + "/out", folder + "/articles.txt", langs=["en"])["written"]
    1
    """
    format = check_format(dest, format, what)
    if license and format != "huggingface":
        raise ConfigError(
            f"license: {format} has no data card to put it on; only huggingface has one"
        )
    from ingest.io.atomic import atomic_write, check_output
    from ingest.io.run_files import EXPORT_FILE
    from ingest.writers.folder import refuse_foreign_files, write_report
    from ingest.writers.texts import TextSelection

    target = Path(dest)
    writer = import_module(f"ingest.writers.{_WRITERS.get(format, format)}")
    selection = TextSelection(
        run, what=what, langs=langs, roles=roles, dedupe=dedupe, progress=progress
    )
    check_output(target, overwrite=overwrite, folder=writer.FOLDER, inputs=selection.inputs)
    if writer.FOLDER:
        refuse_foreign_files(target)
    with atomic_write(target, folder=writer.FOLDER) as work:
        written = writer.write(selection, work, **({"license": license} if license else {}))
        report: dict[str, Any] = {
            "version": __version__,
            "what": what,
            "format": format,
            "langs": selection.langs,
            "roles": selection.roles,
            "dedupe": dedupe,
            "read": selection.read,
            "written": selection.written,
            "by_lang": dict(sorted(selection.by_lang.items(), key=lambda n: (-n[1], n[0]))),
            "left_out": dict(sorted(selection.left_out.items())),
            "changed": {},
            "files": [target.name],
        } | written
        report["changed"] = {change: n for change, n in report["changed"].items() if n}
        if writer.FOLDER:
            report["files"] = [EXPORT_FILE, *report["files"]]
            write_report(work, report)
    return {**report, "dest": str(target)}


def check_format(dest: str | Path, format: str | None, what: str = "articles") -> str:
    """Return the format to write: the one given, or what the ending of `dest` says.

    Raises:
        ConfigError: there is no such format, or none for `what`.

    >>> check_format("news.md", None)
    'markdown'
    """
    if format is None:
        format = ENDINGS.get(Path(dest).suffix.lower())
        if format is None:
            raise ConfigError(
                f"format: {Path(dest).name!r} does not say it; end it in "
                f"{', '.join(ENDINGS)}, or give --format {'|'.join(TEXT_FORMATS)}"
            )
    if format not in TEXT_FORMATS:
        raise ConfigError(f"format: {format!r} is not one of {', '.join(TEXT_FORMATS)}")
    if format == "markdown" and what != "articles":
        raise ConfigError(f"format: markdown is for articles, not for {what}; use txt or jsonl")
    return format


def default_destination(run: str | Path, format: str | None, what: str) -> Path:
    """Return where an export goes if no path is given: next to the run, with its name.

    Raises:
        ConfigError: there is no format.

    >>> default_destination("runs/out", "jsonl", "articles").as_posix()
    'runs/out.articles.jsonl'
    >>> default_destination("runs/out", "huggingface", "segments").as_posix()
    'runs/out.segments'
    """
    if format is None:
        raise ConfigError(f"format: give one with --format: {', '.join(TEXT_FORMATS)}")
    path = Path(os.path.normpath(run))
    ending = next((end for end, name in ENDINGS.items() if name == format), "")
    return path.with_name(f"{path.name or path.resolve().name}.{what}{ending}")


def summary_lines(report: dict[str, Any]) -> list[str]:
    """Format the report of an export for the terminal.

    >>> summary_lines({"what": "articles", "read": 3, "written": 2, "by_lang": {"ar": 2},
    ...                "left_out": {"copies": 1}, "changed": {}, "dest": "x.txt"})
    ['2 of 3 articles', '  2 ar', 'left out: 1 copies', 'written to x.txt']
    """
    lines = [f"{report['written']:,} of {report['read']:,} {report['what']}"]
    shown = list(report["by_lang"].items())[:8]
    lines += [f"  {n:,} {lang}" for lang, n in shown]
    if rest := sum(list(report["by_lang"].values())[len(shown) :]):
        lines.append(f"  {rest:,} in other languages")
    lines += [f"left out: {n:,} {reason}" for reason, n in report["left_out"].items()]
    lines += [f"{change}: in {n:,} {report['what']}" for change, n in report["changed"].items()]
    return [*lines, f"written to {report['dest']}"]

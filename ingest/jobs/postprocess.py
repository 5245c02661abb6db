"""What `ingest run` can add to a complete run: sentence pairs and translations."""

from __future__ import annotations

import filecmp
import os
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest._typing import TranslationProgress
from ingest.config import Config
from ingest.errors import ConfigError, OutputError, SourceError
from ingest.io.atomic import wrap_os_errors
from ingest.io.remake import DamagedFileError
from ingest.pipeline.executors import Executor
from ingest.text import escape_file_name

PAIRS_FILE, TRANSLATED_FILE = "pairs.parquet", "translated.parquet"


def select_missing(
    out: Path,
    report: dict[str, Any],
    config: Config,
    align: bool,
    translate: tuple[str, str] | None,
    *,
    export: bool = False,
) -> tuple[bool, tuple[str, str] | None]:
    """Return `align` and `translate`, switched off where a complete run already has the file.

    Args:
        out: folder of the run.
        report: content of its run.json.
        config: the current settings.
        align: whether pairs were requested.
        translate: languages of the requested translations.
        export: whether an export was requested, too.

    Raises:
        ConfigError: the run had other settings.
    """
    align = align and not (out / PAIRS_FILE).exists()
    translate = None if (out / TRANSLATED_FILE).exists() else translate
    if report["fingerprint"] != config.fingerprint():
        if not (align or translate or export):
            raise ConfigError(
                f"{out}: is complete, but with other settings; choose another name, or give "
                "--overwrite instead of --resume"
            )
        commands = [_align_command(str(out))] if align else []
        commands += [_translate_command(str(out), translate)] if translate else []
        commands += [f"ingest export {shlex.quote(str(out))} -o FILE"] if export else []
        raise ConfigError(
            f"{out}: the run had other settings; to go on anyway: {' and '.join(commands)}"
        )
    return align, translate


def check_sources(out: Path, report: dict[str, Any], files: Iterable[str]) -> None:
    """Raise unless a complete run has read exactly these files.

    Args:
        out: folder of the run.
        report: content of its run.json.
        files: what the current sources stand for.

    Raises:
        SourceError: a file is new or missing.
    """
    read = {entry["source"] for entry in report["inputs"]}
    current = {escape_file_name(file) for file in files}
    if read != current:
        example = min(read ^ current)
        state = "was not read" if example in current else "is not among the sources now"
        raise SourceError(
            f"{out}: the run read other sources ({example} {state}); name the same ones, or "
            "choose another folder"
        )


def add_pairs(out: str, config: Config, executor: Executor) -> dict[str, Any]:
    """Align the articles of a run into OUT/pairs.parquet, and return the counts."""
    from ingest.jobs.align_run import align_run  # loads models that other runs do not need

    to = os.path.join(out, PAIRS_FILE)
    with _note_what_is_missing(out, "pairs", _align_command(out)):
        return align_run(out, to, config=config, executor=executor).to_dict()


def check_translatable(pair: tuple[str, str]) -> list[str]:
    """Raise before the run starts if its segments could not be translated.

    Returns:
        What the user should know about the cache of translations.

    Raises:
        ConfigError: source and target language are the same.
        ModelError: no package is installed for the pair.
        WriteError: the cache of translations cannot be written.
        MissingExtraError: the extra `translate` is not installed.
    """
    from ingest.translation.cache import Cache
    from ingest.translation.packages.install import find
    from ingest.translation.packages.validate import require_extra

    require_extra()
    find(*pair)
    with Cache() as cache:
        return cache.notes


def add_translations(
    out: str,
    pair: tuple[str, str],
    config: Config,
    executor: Executor = Executor(),  # noqa: B008
    progress: TranslationProgress | None = None,
) -> dict[str, Any]:
    """Translate the kept segments of a run into OUT/translated.parquet, and return the counts."""
    from ingest.jobs.translate_run import SEGMENTS_FILE, TranslateOptions, translate_segments

    source, to = pair
    with _note_what_is_missing(out, "translations", _translate_command(out, pair)):
        folder = Path(out)
        options = TranslateOptions(
            to=to, source=source, config=config, executor=executor, progress=progress
        )
        result = translate_segments(folder / SEGMENTS_FILE, folder / TRANSLATED_FILE, options)
        return result.to_dict()


def check_export(
    dest: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    overwrite: bool,
    resume: bool = False,
    is_complete: bool = False,
) -> None:
    """Raise before the run starts if its articles could not be exported to a file.

    Args:
        dest: the file.
        out: folder of the run.
        overwrite: whether the file may be replaced.
        resume: whether the run is resumed, so that `overwrite` is no choice.
        is_complete: whether it was complete, so that it may have written the file.

    Raises:
        ConfigError: the ending of the file says no format.
        OutputError: the file exists, or is inside the folder of the run.
        WriteError: the parent folder does not exist.
    """
    from ingest.io.atomic import check_output
    from ingest.jobs.export_texts import check_format

    check_format(os.fspath(dest), None)
    path, folder = Path(os.path.abspath(dest)), Path(os.path.abspath(out))
    if path == folder or folder in path.parents:
        raise OutputError(f"{os.fspath(dest)}: is inside {os.fspath(out)}; choose a place outside")
    if resume and not is_complete and os.path.lexists(dest):
        raise OutputError(f"{os.fspath(dest)}: exists already; choose another name, or delete it")
    check_output(os.fspath(dest), overwrite=overwrite or is_complete)


def add_export(
    out: str, dest: str | os.PathLike[str], *, overwrite: bool, may_exist: bool = False
) -> dict[str, Any] | None:
    """Export the articles of a run, and return the report.

    Args:
        out: folder of the run.
        dest: the file to write.
        overwrite: whether it may be replaced.
        may_exist: whether it may be there, as it would be written.

    Returns:
        None if it is there.

    Raises:
        SourceError: it is there, but differs.
    """
    from ingest.jobs.export_texts import export_texts

    command = shlex.join(["ingest", "export", out, "-o", os.fspath(dest)])
    with _note_what_is_missing(out, "export", command):
        if may_exist and os.path.lexists(dest):
            _check_same_export(out, Path(dest))
            return None
        return export_texts(out, os.fspath(dest), overwrite=overwrite)


def _check_same_export(out: str, dest: Path) -> None:
    """Raise unless a file is what an export of the articles of a run would write."""
    from ingest.jobs.export_texts import export_texts

    with (
        wrap_os_errors(dest),
        tempfile.TemporaryDirectory(dir=dest.parent, prefix=f".{dest.name}.") as folder,
    ):
        again = Path(folder) / dest.name
        export_texts(out, again)
        if not filecmp.cmp(again, dest, shallow=False):
            raise DamagedFileError(
                f"{dest}: is damaged, or something else than the articles of {out}; to make it "
                "again, delete it and give --resume"
            )


def _translate_command(out: str, pair: tuple[str, str]) -> str:
    to = os.path.join(out, TRANSLATED_FILE)
    return shlex.join(["ingest", "translate", out, "--from", pair[0], "--to", pair[1], "-o", to])


def _align_command(out: str) -> str:
    """Return the command that makes the pairs of a run.

    >>> _align_command("my run")
    "ingest align 'my run' -o 'my run/pairs.parquet'"
    """
    return shlex.join(["ingest", "align", out, "-o", os.path.join(out, PAIRS_FILE)])


@contextmanager
def _note_what_is_missing(out: str, what: str, command: str) -> Iterator[None]:
    """Add the command that makes the missing file to any error, but that of a damaged OUT."""
    try:
        yield
    except DamagedFileError:
        raise
    except BaseException as error:
        error.add_note(f"{out} is complete except for its {what}; to add them: {command}")
        raise

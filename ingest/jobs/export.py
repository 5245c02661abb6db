"""`ingest export`: write pairs in the formats that other tools read.

Aligned, imported and machine-translated pairs never mix unmarked. A format with columns or
properties has `method`; a plain-text format puts each method in files of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest._version import __version__
from ingest.errors import ConfigError, SourceError
from ingest.jobs.damage import names_damage

if TYPE_CHECKING:
    import polars as pl

    from ingest._typing import Progress

FORMATS = ("moses", "tsv", "tmx", "jsonl", "parquet", "huggingface")
FOLDERS = ("moses", "huggingface")
WHATS = ("pairs", "articles", "segments")
UNALIGNED = "without word alignment, not Arabic–English or over 1,000 tokens"


@names_damage("pairs")
def export(
    pairs: pl.DataFrame | str | Path,
    dest: str | Path,
    *,
    format: str,
    min_score: float = 0.0,
    langs: Sequence[str] | None = None,
    flagged: bool = False,
    license: str = "",
    word_alignments: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Export pairs to a file or folder. The output is complete or does not exist.

    If the frame has `keep`, only kept pairs are exported; if it has `split`, only pairs in a split.
    Machine translations with flags are left out, and so are pairs without a text, language or
    method. If the frame has masked texts, as
    `ingest.mask_pii` makes them, they replace the original texts.

    Args:
        pairs: a frame of pairs, a Parquet file of them, or a folder that contains pairs.parquet.
        dest: path to write: a folder for moses and huggingface, else a file. The parent folder
            must exist.
        format: one of FORMATS.
        min_score: minimum score; 0 exports all pairs, including those without a score. Imported
            pairs have no score and are always exported.
        langs: source and target, such as ("ar", "en"). Pairs of other languages are left out, and
            pairs of the opposite direction are turned around; column `turned` marks them.
        flagged: whether to export machine translations that have flags.
        license: license of the texts, such as "cc-by-4.0", for the data card. Only huggingface
            has one.
        word_alignments: whether to add `word_alignment`, as `ingest.align_words` makes it, for the
            texts as they are written. In moses it is a file of its own.
        overwrite: whether to replace an earlier export.
        progress: called with the number of pairs written, and of all pairs to write.

    Returns:
        format, dest, files; read, written, by (pairs by split, method and direction), left_out
        (pairs by reason), turned, masked (pairs with placeholders for personal data), changed
        (pairs by how their text was changed), and the settings. A folder also contains it, as
        export.json.

    Raises:
        ConfigError: a setting is invalid.
        SourceError: there is no such file, or it is not Parquet.
        FrameError: a column is missing, or has a value that pairs cannot have.
        ModelError: the encoder, which word alignments need, is missing or damaged.
        OutputError: `dest` exists, or is the input.
        WriteError: `dest` cannot be written, or its parent folder does not exist.

    >>> import tempfile
    >>> from ingest.alignment import align_lines
    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> report = export(pairs, tempfile.mkdtemp() + "/pairs.tsv", format="tsv")
    >>> report["written"], report["files"]
    (2, ['pairs.tsv'])
    """
    if format not in FORMATS:
        raise ConfigError(
            f"format: {format!r} is not a format of pairs, which are {', '.join(FORMATS)}"
            + ("; to export texts: --what articles" if format in ("txt", "markdown") else "")
        )
    if license and format != "huggingface":
        raise ConfigError(
            f"license: {format} has no data card to put it on; only huggingface has one"
        )
    from ingest.io.atomic import atomic_write, check_output
    from ingest.io.run_files import EXPORT_FILE
    from ingest.writers.folder import refuse_foreign_files, write_report
    from ingest.writers.selection import Selection

    if isinstance(pairs, (str, Path)) and choose_what(pairs) == "articles":
        raise SourceError(
            f"{pairs}: is a run without pairs, which --align adds; to export its articles: "
            "--what articles"
        )
    target = Path(dest)
    writer = import_module(f"ingest.writers.{format}")
    selection = Selection(
        pairs,
        min_score=min_score,
        langs=langs,
        flagged=flagged,
        word_alignments=word_alignments,
        progress=progress,
    )
    inputs = [selection.path] if selection.path else []
    check_output(target, overwrite=overwrite, folder=writer.FOLDER, inputs=inputs)
    if writer.FOLDER:
        refuse_foreign_files(target)
    report: dict[str, Any] = {
        "version": __version__,
        "format": format,
        "min_score": selection.min_score,
        "langs": selection.langs,
        "flagged": selection.flagged,
        "read": selection.read,
        "written": selection.written,
        "by": selection.by,
        "left_out": selection.left_out,
        "turned": selection.turned,
        "masked": selection.masked,
        "changed": {},
        "files": [target.name],
    }
    with atomic_write(target, folder=writer.FOLDER) as work:
        report |= writer.write(selection, work, **({"license": license} if license else {}))
        changed = {**report["changed"], UNALIGNED: selection.unaligned}
        report["changed"] = {change: n for change, n in changed.items() if n}
        if writer.FOLDER:
            report["files"] = [EXPORT_FILE, *report["files"]]
            write_report(work, report)
    return {**report, "dest": str(target)}


def default_destination(source: str | Path, format: str) -> Path:
    """Return where an export goes if no path is given: next to the input, with its name.

    >>> default_destination("runs/out", "tmx").as_posix()
    'runs/out.tmx'
    >>> default_destination("a/pairs.parquet", "moses").as_posix()
    'a/pairs.moses'
    """
    path = Path(os.path.normpath(source))
    stem = path.name.removesuffix(".parquet")
    return path.with_name(f"{stem or path.resolve().name}.{format}")


def format_of(dest: str | Path | None) -> str:
    """Return the format of pairs that the ending of a file says.

    Raises:
        ConfigError: it says none.

    >>> format_of("out.tmx")
    'tmx'
    """
    ending = Path(dest or "").suffix.lower().removeprefix(".")
    if ending not in set(FORMATS) - set(FOLDERS):
        raise ConfigError(f"format: give one with --format: {', '.join(FORMATS)}")
    return ending


def choose_what(source: str | Path) -> str:
    """Return what to export if the user does not say it: articles of a run without pairs, or pairs.

    >>> choose_what("pairs.parquet")
    'pairs'
    """
    from ingest.io.run_files import PAIRS_FILE

    folder = Path(source)
    is_run = (folder / "segments.parquet").is_file() and not (folder / PAIRS_FILE).is_file()
    return "articles" if is_run else "pairs"


def summary_lines(report: dict[str, Any]) -> list[str]:
    """Format the report of an export for the terminal.

    >>> summary_lines({"read": 3, "written": 2, "by": [], "left_out": {"not kept": 1},
    ...                "turned": 0, "masked": 0, "changed": {}, "dest": "x.tmx"})
    ['2 of 3 pairs', 'left out: 1 not kept', 'written to x.tmx']
    """
    from ingest.writers.selection import FLAGGED

    lines = [f"{report['written']:,} of {report['read']:,} pairs"]
    for group in report["by"]:
        split = f" in {group['split']}" if group["split"] else ""
        direction = f"{group['source_lang']}-{group['target_lang']}"
        lines.append(f"  {group['pairs']:,} {group['method']}, {direction}{split}")
    lines += [f"left out: {n:,} {reason}" for reason, n in report["left_out"].items()]
    if any(reason.startswith(FLAGGED) for reason in report["left_out"]):
        lines.append("to export translations with flags too: --flagged")
    if report["turned"]:
        lines.append(f"turned around: {report['turned']:,}")
    if report["masked"]:
        lines.append(f"personal data masked: in {report['masked']:,} pairs")
    lines += [f"{change}: in {n:,} pairs" for change, n in report["changed"].items()]
    return [*lines, f"written to {report['dest']}"]

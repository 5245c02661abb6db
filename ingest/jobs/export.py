"""Pairs out: every format is made from the same frame, and says what it does not hold.

`aligned` pairs, `given` ones and those that a machine translated never stand unmarked beside each
other: a format with columns or properties has `method`, and one of bare text keeps them in files
apart.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest._version import __version__
from ingest.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("moses", "tsv", "tmx", "jsonl", "parquet", "huggingface")
FOLDERS = ("moses", "huggingface")


def export(
    pairs: pl.DataFrame | str | Path,
    dest: str | Path,
    *,
    format: str,
    min_score: float = 0.0,
    langs: Sequence[str] | None = None,
    license: str = "",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write pairs for others to use, whole or not at all.

    Where the frame has `keep`, only pairs that are kept are taken; where it has `split`, only
    those that are in one. Pairs without a text, language or method are never taken. Where it has
    masked texts, as `ingest.mask_pii` makes them, these are written, and no others.

    Args:
        pairs: a frame of pairs, a Parquet file of them, or a folder that holds pairs.parquet.
        dest: what to make, in a folder that is there: a folder for moses and huggingface, else a
            file.
        format: one of FORMATS.
        min_score: the least score to take; 0 takes all, those without a score too. Given pairs
            have none, and are taken whatever it is.
        langs: source and target, such as ("ar", "en"): pairs of other languages are left out, and
            those of the other direction turned round; column `turned` then says which.
        license: what to say of the rights in the texts, such as "cc-by-4.0", on the card that
            huggingface alone has.
        overwrite: replace what an earlier export made.

    Returns:
        format, dest, files; read, written, by (pairs by split, method and direction), left_out
        (pairs by reason), turned, masked (pairs with placeholders for personal data), changed
        (pairs by what was changed in their text), and the settings. A folder holds it too, as
        export.json.

    Raises:
        ConfigError: a setting cannot be used.
        SourceError: there is no such file, or it is no Parquet file.
        FrameError: a column is missing, or holds what no pair has.
        OutputError: `dest` exists, or is the input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    if format not in FORMATS:
        raise ConfigError(f"format: {format!r} is none of {', '.join(FORMATS)}")
    if license and format != "huggingface":
        raise ConfigError(f"license: {format} has no card to say it on; huggingface has")
    from ingest.io.atomic import atomic_write, check_output
    from ingest.io.run_files import EXPORT_FILE
    from ingest.writers.folder import leave_report, refuse_strangers
    from ingest.writers.selection import Selection

    target = Path(dest)
    module = import_module(f"ingest.writers.{format}")
    selection = Selection(pairs, min_score=min_score, langs=langs)
    inputs = [selection.path] if selection.path else []
    check_output(target, overwrite=overwrite, folder=module.FOLDER, inputs=inputs)
    if module.FOLDER:
        refuse_strangers(target)
    report: dict[str, Any] = {
        "version": __version__,
        "format": format,
        "min_score": selection.min_score,
        "langs": selection.langs,
        "read": selection.read,
        "written": selection.written,
        "by": selection.by,
        "left_out": selection.left_out,
        "turned": selection.turned,
        "masked": selection.masked,
        "changed": {},
        "files": [target.name],
    }
    with atomic_write(target, folder=module.FOLDER) as work:
        report |= module.write(selection, work, **({"license": license} if license else {}))
        report["changed"] = {what: n for what, n in report["changed"].items() if n}
        if module.FOLDER:
            report["files"] = [EXPORT_FILE, *report["files"]]
            leave_report(work, report)
    return {**report, "dest": str(target)}


def beside(source: str | Path, format: str) -> Path:
    """Where an export goes if nothing else is said: beside the input, named after it.

    >>> beside("runs/out", "tmx").as_posix(), beside("a/pairs.parquet", "moses").as_posix()
    ('runs/out.tmx', 'a/pairs.moses')
    """
    path = Path(os.path.normpath(source))
    stem = path.name.removesuffix(".parquet")
    return path.with_name(f"{stem or path.resolve().name}.{format}")


def said(report: dict[str, Any]) -> list[str]:
    """What an export did, in lines for a person.

    >>> said({"read": 3, "written": 2, "by": [], "left_out": {"not kept": 1}, "turned": 0,
    ...       "masked": 0, "changed": {}, "dest": "x.tmx"})
    ['2 of 3 pairs', 'left out: 1 not kept', 'written to x.tmx']
    """
    lines = [f"{report['written']:,} of {report['read']:,} pairs"]
    for group in report["by"]:
        of = f" of {group['split']}" if group["split"] else ""
        direction = f"{group['source_lang']}-{group['target_lang']}"
        lines.append(f"  {group['pairs']:,} {group['method']}, {direction}{of}")
    lines += [f"left out: {n:,} {reason}" for reason, n in report["left_out"].items()]
    if report["turned"]:
        lines.append(f"turned round: {report['turned']:,}")
    if report["masked"]:
        lines.append(f"personal data masked: in {report['masked']:,} pairs")
    lines += [f"{what}: in {n:,} pairs" for what, n in report["changed"].items()]
    return [*lines, f"written to {report['dest']}"]

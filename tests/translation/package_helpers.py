"""Helpers for the tests of packages: list folders, make zips and packages without a model."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from ingest.cli import build_parser

TOP = "translate-en_ar-1_0"


def command(*argv: str) -> int:
    """Run `ingest models ARGV`."""
    args = build_parser().parse_args(["models", *argv])
    return args.command(args)


def below(folder: Path) -> list[str]:
    """List everything in a folder, hidden files too; nothing if there is no folder."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def zipped(path: Path, members: dict[str, bytes], **of_each) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo()
            info.filename = name  # unchanged: ZipInfo(name) would sanitize it
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in of_each.items():
                setattr(info, key, value)
            archive.writestr(info, data)
    return path


def bare(folder: Path, source: str, target: str, version: str = "1.0", **metadata) -> Path:
    """Make a folder that looks like a package until its model is loaded."""
    path = folder / f"translate-{source}_{target}-{version.replace('.', '_')}"
    (path / "model").mkdir(parents=True)
    about = {"from_code": source, "to_code": target, "package_version": version, **metadata}
    (path / "metadata.json").write_text(json.dumps(about))
    for name in ("model/model.bin", "model/shared_vocabulary.txt", "sentencepiece.model"):
        (path / name).write_bytes(b"x")
    return path


def no_extra(monkeypatch) -> None:
    """Make the packages of the extra impossible to import, here and in child processes."""
    for name in ("ctranslate2", "sentencepiece", "sacremoses"):
        monkeypatch.setitem(sys.modules, name, None)

"""Argos packages on disk: which to use for a pair, installing, removing."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest._version import __version__
from ingest.errors import ConfigError, ModelError, WriteError
from ingest.io.atomic import atomic_write, wrap_os_errors
from ingest.translation.packages.archive import Archive, opened
from ingest.translation.packages.locations import (
    Stray,
    caches,
    folder,
    found,
    installed,
    unpacked_at,
)
from ingest.translation.packages.package import (
    DETECTED_AS,
    RECORD,
    Origin,
    Package,
    content_sha256,
    file_sha256,
    load,
    load_zip,
)
from ingest.translation.packages.validate import METADATA, check

__all__ = [
    "Package", "Stray", "caches", "find", "folder", "found", "install", "installed", "load",
    "named", "remove", "same_as", "through", "version_key",
]  # fmt: skip

_PREFERRED: tuple[Origin, ...] = ("ours", "argostranslate", "shipped")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_KILLED = 3600  # seconds after which what an install was writing is no one's any more


def named(name: str) -> Package:
    """The package of that name; ours where there are several.

    Raises:
        ModelError: there is none, or it is broken.
    """
    packages, strays = found()
    for package in packages:
        if package.name == name:
            return package
    for stray in strays:
        if stray.path.name == name:
            raise ModelError(f"{stray.path}: {stray.why}")
    raise _unknown(name)


def _unknown(name: str) -> ModelError:
    return ModelError(f"{name}: no package of that name; to see them: ingest models list")


def find(from_lang: str, to_lang: str) -> list[Package]:
    """The packages that translate a pair, in order: one, or two through a third language.

    Of several, ours goes before argostranslate's, that before the shipped one, and a newer one
    before an older; English before any other third language.

    Raises:
        ConfigError: both are one language.
        ModelError: there is none, or the shipped one does not load.
        WriteError: the shipped one cannot be unpacked.
        MissingExtraError: what tries a shipped one at its first use is not installed.
    """
    best = {(p.from_lang, p.to_lang): p for p in sorted(installed(), key=_rank)}
    route = through(best, from_lang, to_lang)
    if route is None:
        raise ModelError(
            f"no package translates {from_lang} to {to_lang}; install one: "
            f"ingest models install {from_lang} {to_lang}"
        )
    return [_unpacked(best[pair]) for pair in route]


def _rank(package: Package) -> tuple[int, list[int], str]:
    """Least for the one that is wanted least."""
    return -_PREFERRED.index(package.origin), version_key(package.version), package.name


def through(
    pairs: Iterable[tuple[str, str]], from_lang: str, to_lang: str
) -> list[tuple[str, str]] | None:
    """The pairs to go through, one or two; None where they do not lead there.

    Where none begins at the language as detection names it, one does that argos names otherwise.

    Raises:
        ConfigError: both are one language.

    >>> through([("ar", "en"), ("en", "fr")], "ar", "fr")
    [('ar', 'en'), ('en', 'fr')]
    >>> through([("ar", "en"), ("en", "fr")], "fr", "ar")
    >>> through([("nb", "en")], "no", "en")
    [('nb', 'en')]
    """
    known = set(pairs)
    if from_lang == to_lang:
        raise ConfigError(f"source and target are both {to_lang}; name two languages")
    named_so = [argos for argos, lang in DETECTED_AS.items() if lang == from_lang]
    routes = (_route(known, lang, to_lang) for lang in (from_lang, *named_so))
    return next(filter(None, routes), None)


def _route(
    known: set[tuple[str, str]], from_lang: str, to_lang: str
) -> list[tuple[str, str]] | None:
    if (from_lang, to_lang) in known:
        return [(from_lang, to_lang)]
    third = [mid for start, mid in known if start == from_lang and (mid, to_lang) in known]
    if not third:
        return None
    mid = min(third, key=lambda lang: (lang != "en", lang))
    return [(from_lang, mid), (mid, to_lang)]


def version_key(version: str) -> list[int]:
    """What orders versions: their numbers.

    >>> version_key("1.10") > version_key("1.9")
    True
    """
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def install(path: str | Path, *, overwrite: bool = False, source: str = "") -> Package:
    """Install an .argosmodel file; a file that is installed already is left as it is.

    Args:
        path: The file.
        overwrite: Whether to replace another package of the same name.
        source: The address it came from, for the record.

    Raises:
        ModelError: it is no package, a broken or a hostile one, or another of its name is there.
        MissingExtraError: what tries the model is not installed.
        WriteError: it could not be written.
    """
    path = Path(path)
    if (same := same_as(path)) is not None:
        return same
    load_zip(path, "ours")  # what can be found wrong without unpacking is found first
    with opened(path) as archive:
        dest = folder() / archive.top
        if not _NAME.fullmatch(archive.top):
            raise ModelError(
                f"{path}: its folder is named {archive.top!r}; a name has letters, digits and "
                ".-_+ only"
            )
        _refuse(dest, overwrite=overwrite)
        made_from = {
            "file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path),
            "from": source,
        }  # fmt: skip
        _place(archive, dest, made_from)
    return load(dest)


def same_as(path: Path) -> Package | None:
    """The installed package that was made of this very file and is still as it was.

    Raises:
        ModelError: the file is no package.
    """
    with opened(path) as archive:
        top = archive.top
    try:
        package = load(folder() / top)
    except ModelError:
        return None
    if package.made_from.get("sha256") != file_sha256(path):
        return None
    return package if package.hashed() == package.sha256 else None


def _refuse(dest: Path, *, overwrite: bool) -> None:
    """Raise unless a package may be put there."""
    if not os.path.lexists(dest):
        return
    if not overwrite:
        raise ModelError(
            f"{dest}: another package of this name is installed, or its files were changed; "
            "to replace it: --overwrite"
        )
    if dest.is_symlink() or not _like_a_package(dest):
        raise ModelError(f"{dest}: is no package, and is not replaced; take it away by hand")


def _like_a_package(path: Path) -> bool:
    """Whether it looks like a package, be it a broken one, and not like anything else."""
    return any((path / part).exists() for part in (RECORD, METADATA, "model"))


def _place(archive: Archive, dest: Path, made_from: dict[str, Any]) -> None:
    """Unpack beside `dest`, check, record, and rename; or leave nothing."""
    above = [place for place in (dest.parent, *dest.parent.parents) if not place.exists()]
    for left in dest.parent.glob(f".{dest.name}.*"):
        if time.time() - left.stat().st_mtime > _KILLED:
            shutil.rmtree(left, ignore_errors=True)
    try:
        with wrap_os_errors(dest):
            dest.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(dest, folder=True) as work:
            archive.unpack(work)
            try:
                check(work)
            except ModelError as error:
                raise ModelError(f"{archive.path}: {error}; nothing was installed") from error
            record = {"archive": made_from, "sha256": content_sha256(work), "ingest": __version__}
            (work / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    except BaseException:
        with suppress(OSError):
            for place in above:
                place.rmdir()
        raise


def _unpacked(package: Package) -> Package:
    """The package as a folder."""
    if package.path.is_dir():
        return package
    dest = unpacked_at(package.path)
    try:
        with opened(package.path) as archive:
            _place(archive, dest, {"file": package.path.name})
    except WriteError as error:  # perhaps since another process was quicker
        with suppress(ModelError):
            return replace(load(dest, "shipped"), name=package.name)
        raise WriteError(f"{error}; name another folder in $INGEST_CACHE_DIR") from error
    return replace(load(dest, "shipped"), name=package.name)


def remove(name: str) -> Path:
    """Remove a package of ours, whole or broken, and say where it was.

    Raises:
        ModelError: there is none of that name, or it is not ours to remove.
        WriteError: it could not be removed.
    """
    packages, strays = found()
    named_so = [(p.path, p.origin) for p in packages if p.name == name]
    named_so += [(s.path, s.origin) for s in strays if s.path.name == name]
    if not named_so:
        raise _unknown(name)
    path, origin = min(named_so, key=lambda one: _PREFERRED.index(one[1]))
    if origin != "ours":
        whose = "ships with ingest" if origin == "shipped" else "is argostranslate's"
        raise ModelError(f"{path}: {whose} and is not removed from here")
    if not _like_a_package(path):
        raise ModelError(f"{path}: is no package; what ingest did not write, remove by hand")
    with wrap_os_errors(path):
        if path.is_symlink():
            path.unlink()
        else:
            aside = path.with_name(f".{name}.removed")
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)
            shutil.rmtree(aside)
    return path

"""Choose the packages for a language pair; install and remove packages."""

from __future__ import annotations

import glob
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
from ingest.translation.packages.archive import Archive, open_archive
from ingest.translation.packages.locations import installed, packages_dir, scan, unpacked_path
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
from ingest.translation.packages.validate import METADATA, validate

_BY_PREFERENCE: tuple[Origin, ...] = ("ours", "argostranslate", "shipped")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_STALE_SECONDS = 3600  # age at which the files of a killed install are deleted


def find_by_name(name: str) -> Package:
    """Return the package of that name; ours if there are several.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    packages, invalid = scan()
    for package in packages:
        if package.name == name:
            return package
    for entry in invalid:
        if entry.path.name == name:
            raise ModelError(f"{entry.path}: {entry.reason}")
    raise _unknown_name(name)


def _unknown_name(name: str) -> ModelError:
    return ModelError(f"{name}: no package has this name; to list them: ingest models list")


def find(from_lang: str, to_lang: str) -> list[Package]:
    """Return the packages that translate a pair, in order: one, or two through a third language.

    Our packages are preferred to argostranslate's, those to the shipped ones, newer versions to
    older ones, and English to other third languages.

    Raises:
        ConfigError: both languages are the same.
        ModelError: there is none, or the shipped package cannot be loaded.
        WriteError: the shipped package cannot be unpacked.
        MissingExtraError: the extra `translate`, needed to validate a shipped package on first
            use, is not installed.
    """
    best = {(p.from_lang, p.to_lang): p for p in sorted(installed(), key=_rank)}
    route = find_route(best, from_lang, to_lang)
    if route is None:
        raise ModelError(
            f"no package translates {from_lang} to {to_lang}; install one: "
            f"ingest models install {from_lang} {to_lang}"
        )
    return [_unpack_if_shipped(best[pair]) for pair in route]


def _rank(package: Package) -> tuple[int, list[int], str]:
    """Return a sort key that puts the preferred package last."""
    return -_BY_PREFERENCE.index(package.origin), version_key(package.version), package.name


def find_route(
    pairs: Iterable[tuple[str, str]], from_lang: str, to_lang: str
) -> list[tuple[str, str]] | None:
    """Return one or two pairs that lead from one language to the other, or None.

    `from_lang` may be a code of language detection where argos uses another one.

    Raises:
        ConfigError: both languages are the same.

    >>> find_route([("ar", "en"), ("en", "fr")], "ar", "fr")
    [('ar', 'en'), ('en', 'fr')]
    >>> find_route([("ar", "en"), ("en", "fr")], "fr", "ar")
    >>> find_route([("nb", "en")], "no", "en")
    [('nb', 'en')]
    """
    known = set(pairs)
    if from_lang == to_lang:
        raise ConfigError(f"source and target are both {to_lang}; give two different languages")
    aliases = [argos for argos, detected in DETECTED_AS.items() if detected == from_lang]
    routes = (_find_exact_route(known, lang, to_lang) for lang in (from_lang, *aliases))
    return next(filter(None, routes), None)


def _find_exact_route(
    known: set[tuple[str, str]], from_lang: str, to_lang: str
) -> list[tuple[str, str]] | None:
    if (from_lang, to_lang) in known:
        return [(from_lang, to_lang)]
    pivots = [
        target for start, target in known if start == from_lang and (target, to_lang) in known
    ]
    if not pivots:
        return None
    pivot = min(pivots, key=lambda lang: (lang != "en", lang))
    return [(from_lang, pivot), (pivot, to_lang)]


def version_key(version: str) -> list[int]:
    """Return a sort key for versions: their numbers.

    >>> version_key("1.10") > version_key("1.9")
    True
    """
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def install(path: str | Path, *, overwrite: bool = False, source: str = "") -> Package:
    """Install an .argosmodel file. A file that is already installed is left as it is.

    Args:
        path: The file.
        overwrite: Whether to replace another package of the same name.
        source: The address it was downloaded from, for the record.

    Raises:
        ModelError: the file is not a valid or safe package, or another package has its name.
        MissingExtraError: the extra `translate`, needed to validate the model, is not installed.
        WriteError: the package cannot be written.
    """
    path = Path(path)
    if (existing := find_same(path)) is not None:
        return existing
    load_zip(path, "ours")  # finds most faults before anything is unpacked
    with open_archive(path) as archive:
        dest = packages_dir() / archive.top
        if not _NAME.fullmatch(archive.top):
            raise ModelError(
                f"{path}: its folder is named {archive.top!r}; a name may only contain letters, "
                "digits and .-_+"
            )
        _check_replaceable(dest, overwrite=overwrite)
        archive_info = {
            "file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path),
            "from": source,
        }  # fmt: skip
        _unpack(archive, dest, archive_info)
    return load(dest)


def find_same(path: Path) -> Package | None:
    """Return the installed package that was made from this very file and is unchanged.

    Raises:
        ModelError: the file is not a package.
    """
    with open_archive(path) as archive:
        top = archive.top
    try:
        package = load(packages_dir() / top)
    except ModelError:
        return None
    if package.archive_info.get("sha256") != file_sha256(path):
        return None
    return package if package.compute_sha256() == package.sha256 else None


def _check_replaceable(dest: Path, *, overwrite: bool) -> None:
    """Raise if a package may not be written to `dest`."""
    if not os.path.lexists(dest):
        return
    if not overwrite:
        raise ModelError(
            f"{dest}: another package of this name is installed, or its files were changed; "
            "to replace it: --overwrite"
        )
    if dest.is_symlink() or not _looks_like_package(dest):
        raise ModelError(f"{dest}: is not a package, and is not replaced; remove it by hand")


def _looks_like_package(path: Path) -> bool:
    """Whether a folder looks like a package, even a damaged one."""
    return any((path / part).exists() for part in (RECORD, METADATA, "model"))


def _unpack(archive: Archive, dest: Path, archive_info: dict[str, Any]) -> None:
    """Unpack next to `dest`, validate, record and rename; on failure, leave nothing behind."""
    new_folders = [parent for parent in dest.parents if not parent.exists()]
    for leftover in dest.parent.glob(f".{glob.escape(dest.name)}.*"):
        if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
    try:
        with wrap_os_errors(dest):
            dest.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(dest, folder=True) as work:
            archive.unpack(work)
            try:
                validate(work)
            except ModelError as error:
                raise ModelError(f"{archive.path}: {error}; nothing was installed") from error
            record = {
                "archive": archive_info, "sha256": content_sha256(work), "ingest": __version__,
            }  # fmt: skip
            (work / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    except BaseException:
        with suppress(OSError):
            for folder in new_folders:
                folder.rmdir()
        raise


def _unpack_if_shipped(package: Package) -> Package:
    if package.path.is_dir():
        return package
    dest = unpacked_path(package.path)
    try:
        with open_archive(package.path) as archive:
            _unpack(archive, dest, {"file": package.path.name})
    except WriteError as error:  # perhaps another process was faster
        with suppress(ModelError):
            return replace(load(dest, "shipped"), name=package.name)
        raise WriteError(f"{error}; choose another folder with $INGEST_CACHE_DIR") from error
    return replace(load(dest, "shipped"), name=package.name)


def remove(name: str) -> Path:
    """Remove a package of ours, valid or damaged, and return its former path.

    Raises:
        ModelError: no package has this name, or it is not ours.
        WriteError: it cannot be removed.
    """
    packages, invalid = scan()
    matches = [(p.path, p.origin) for p in packages if p.name == name]
    matches += [(entry.path, entry.origin) for entry in invalid if entry.path.name == name]
    if not matches:
        raise _unknown_name(name)
    path, origin = min(matches, key=lambda match: _BY_PREFERENCE.index(match[1]))
    if origin != "ours":
        owner = "ships with ingest" if origin == "shipped" else "belongs to argostranslate"
        raise ModelError(f"{path}: {owner} and cannot be removed with ingest")
    if not _looks_like_package(path):
        raise ModelError(f"{path}: is not a package; remove it by hand")
    with wrap_os_errors(path):
        if path.is_symlink():
            path.unlink()
        else:
            trash = path.with_name(f".{name}.removed")
            shutil.rmtree(trash, ignore_errors=True)
            path.rename(trash)
            shutil.rmtree(trash)
    return path

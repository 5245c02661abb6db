"""Where packages are: our folder, argostranslate's folder, and the zip files that ship with ingest.

Looking creates no folders and needs no extra.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from ingest.errors import ModelError
from ingest.resources import model_dir
from ingest.translation.packages.archive import open_archive
from ingest.translation.packages.package import Origin, Package, load, load_zip


@dataclass(frozen=True)
class InvalidPackage:
    """An entry of a packages folder that is not a usable package, and the reason."""

    path: Path
    reason: str
    origin: Origin


def packages_dir() -> Path:
    """Return our packages folder: $INGEST_MODELS_DIR, or the platform's data folder.

    >>> packages_dir().name
    'models'
    """
    if folder := os.environ.get("INGEST_MODELS_DIR"):
        return Path(folder)
    return platformdirs.user_data_path("ingest", appauthor=False) / "models"


def cache_dir() -> Path:
    """Return ingest's cache folder: $INGEST_CACHE_DIR, or the platform's cache folder.

    It holds unpacked shipped packages, unfinished downloads and the translation cache.

    >>> cache_dir().name
    'ingest'
    """
    if folder := os.environ.get("INGEST_CACHE_DIR"):
        return Path(folder)
    return platformdirs.user_cache_path("ingest", appauthor=False)


def _argos_packages_dir() -> Path:
    """Return argostranslate's packages folder, found the way argostranslate finds it."""
    if folder := os.environ.get("ARGOS_PACKAGES_DIR") or argos_setting("ARGOS_PACKAGES_DIR"):
        return Path(folder)
    return _argos_home("XDG_DATA_HOME", ".local/share") / "packages"


def _argos_home(variable: str, default: str) -> Path:
    """Return a folder of argostranslate, which uses the XDG folders on every platform."""
    return Path(os.environ.get(variable) or Path.home() / default) / "argos-translate"


def argos_setting(key: str) -> str:
    """Read a setting of argostranslate; return an empty string if it is not set."""
    try:
        path = _argos_home("XDG_CONFIG_HOME", ".config") / "settings.json"
        value = json.loads(path.read_bytes())[key]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def scan() -> tuple[list[Package], list[InvalidPackage]]:
    """List all packages, ours first, and all other entries of the packages folders."""
    packages: list[Package] = []
    invalid: list[InvalidPackage] = []
    for path, origin in _candidates():
        try:
            packages.append(_load_shipped(path) if origin == "shipped" else load(path, origin))
        except ModelError as error:
            invalid.append(InvalidPackage(path, str(error).removeprefix(f"{path}: "), origin))
    return packages, invalid


def _candidates() -> Iterator[tuple[Path, Origin]]:
    """Yield each path where a package may be, and its origin."""
    folders: dict[Path, Origin] = {packages_dir(): "ours"}
    folders.setdefault(_argos_packages_dir(), "argostranslate")
    for folder, origin in folders.items():
        with suppress(OSError):
            yield from ((p, origin) for p in sorted(folder.iterdir()) if p.name[0] != ".")
    with suppress(ModelError):
        yield from ((p, "shipped") for p in sorted(model_dir("translate").glob("*.argosmodel")))


def installed() -> list[Package]:
    """List the usable packages, ours first."""
    return scan()[0]


def _load_shipped(path: Path) -> Package:
    """Load a shipped package from the cache if it is complete there, otherwise from its zip."""
    package = load_zip(path)
    with suppress(ModelError):
        unpacked = replace(load(unpacked_path(path), "shipped"), name=package.name)
        if unpacked.sizes == package.sizes:
            return unpacked
    return package


def unpacked_path(path: Path) -> Path:
    """Return the folder where a shipped zip is unpacked. It depends on the contents of the zip."""
    with open_archive(path) as archive:
        return cache_dir() / "models" / f"{archive.top}-{archive.fingerprint()}"

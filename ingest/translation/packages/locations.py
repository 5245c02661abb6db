"""The places where packages stand, and what stands there.

A folder of ours, the folder of argostranslate, and, as zips, the models that ship with ingest.
Looking makes no folder and needs no extra.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.errors import ModelError
from ingest.resources import model_dir
from ingest.translation.packages.archive import opened
from ingest.translation.packages.package import Origin, Package, load, load_zip


@dataclass(frozen=True)
class Stray:
    """What stands among the packages and is none, and why."""

    path: Path
    why: str
    origin: Origin


def folder() -> Path:
    """Where our packages stand, be it there or not.

    >>> folder().name
    'models'
    """
    if given := os.environ.get("INGEST_MODELS_DIR"):
        return Path(given)
    return _home("XDG_DATA_HOME", ".local/share") / "ingest" / "models"


def caches() -> Path:
    """$INGEST_CACHE_DIR, else ingest/ in the platform's folder of caches, be it there or not.

    Shipped packages are unpacked there, downloads begun, and translations kept.

    >>> caches().name
    'ingest'
    """
    own = os.environ.get("INGEST_CACHE_DIR")
    return Path(own) if own else _home("XDG_CACHE_HOME", ".cache") / "ingest"


def _home(variable: str, otherwise: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / otherwise)


def _argos_folder() -> Path:
    if given := os.environ.get("ARGOS_PACKAGES_DIR") or _argos_setting("ARGOS_PACKAGES_DIR"):
        return Path(given)
    return _home("XDG_DATA_HOME", ".local/share") / "argos-translate" / "packages"


def _argos_setting(key: str) -> str:
    """What the settings file of argostranslate says; empty where it says nothing of use."""
    try:
        path = _home("XDG_CONFIG_HOME", ".config") / "argos-translate" / "settings.json"
        said = json.loads(path.read_bytes())[key]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""
    return said if isinstance(said, str) else ""


def found() -> tuple[list[Package], list[Stray]]:
    """Every package there is, ours first; and what stands among them and is none."""
    packages: list[Package] = []
    strays: list[Stray] = []
    for path, origin in _places():
        try:
            packages.append(_shipped(path) if origin == "shipped" else load(path, origin))
        except ModelError as error:
            strays.append(Stray(path, str(error).removeprefix(f"{path}: "), origin))
    return packages, strays


def _places() -> Iterator[tuple[Path, Origin]]:
    """Where a package may be, and whose it would be."""
    wheres: dict[Path, Origin] = {folder(): "ours"}
    wheres.setdefault(_argos_folder(), "argostranslate")
    for where, origin in wheres.items():
        with suppress(OSError):
            yield from ((p, origin) for p in sorted(where.iterdir()) if p.name[0] != ".")
    with suppress(ModelError):
        yield from ((p, "shipped") for p in sorted(model_dir("translate").glob("*.argosmodel")))


def installed() -> list[Package]:
    """Every package that can be used, ours first."""
    return found()[0]


def _shipped(path: Path) -> Package:
    """A package that ships: unpacked if it was used before and is whole, else its zip."""
    package = load_zip(path)
    with suppress(ModelError):
        unpacked = replace(load(unpacked_at(path), "shipped"), name=package.name)
        if unpacked.sizes == package.sizes:
            return unpacked
    return package


def unpacked_at(path: Path) -> Path:
    """Where a shipped zip is unpacked; another zip of its name, somewhere else."""
    with opened(path) as archive:
        return caches() / "models" / f"{archive.top}-{archive.fingerprint()}"

"""The argos index: list the packages to download, and install those of a language pair."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest._typing import Progress
from ingest.errors import ModelError
from ingest.io.temporary import temporary_folder
from ingest.text import describe_parse_error
from ingest.translation.packages.archive import MAX_BYTES
from ingest.translation.packages.download import download, fetch
from ingest.translation.packages.install import find_route, install, version_key
from ingest.translation.packages.isolated import run_python
from ingest.translation.packages.locations import argos_setting, cache_dir, installed
from ingest.translation.packages.package import Package, load_zip
from ingest.translation.packages.validate import CODE, require_extra

DEFAULT_INDEX = "https://raw.githubusercontent.com/argosopentech/argospm-index/main/"
"""The official index, argostranslate's default."""

_MAX_INDEX_BYTES = 16 << 20  # the argos index has a hundredth of that
_PRINT_INDEX_URL = "import argostranslate.settings as s; print(s.remote_package_index)"


@dataclass(frozen=True)
class AvailablePackage:
    """A package in the index.

    Attributes:
        from_lang: Code of the source language.
        to_lang: Code of the target language.
        version: The package's version.
        from_name: Name of the source language.
        to_name: Name of the target language.
        links: Addresses of the same file.
    """

    from_lang: str
    to_lang: str
    version: str
    from_name: str
    to_name: str
    links: tuple[str, ...]


def index_url() -> str:
    """Return the address of the index: $ARGOS_PACKAGE_INDEX, argostranslate's setting or default.

    Without argostranslate, its settings file is read all the same.

    Raises:
        ModelError: argostranslate's settings cannot be read.
    """
    if url := os.environ.get("ARGOS_PACKAGE_INDEX"):
        return _with_file_name(url)
    if find_spec("argostranslate") is None:
        return _with_file_name(argos_setting("ARGOS_PACKAGE_INDEX") or DEFAULT_INDEX)
    return _read_argostranslate_setting()


def _with_file_name(url: str) -> str:
    return url if url.endswith(".json") else url.rstrip("/") + "/index.json"


def _read_argostranslate_setting() -> str:
    """Read the setting in another process, because importing the settings creates folders."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    with temporary_folder() as folder:
        scratch = str(folder)
        folders = ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SNAP_USER_DATA")
        env = dict.fromkeys(folders, scratch)
        env["XDG_CONFIG_HOME"] = str(config) if (config / "argos-translate").is_dir() else scratch
        env["ARGOS_PACKAGES_DIR"] = os.path.join(scratch, "packages")
        process = run_python("-c", _PRINT_INDEX_URL, env=env)
    if process.returncode:
        raise ModelError(
            "argostranslate: its settings do not give the address of the package index; set "
            "$ARGOS_PACKAGE_INDEX"
        )
    return process.stdout.decode().strip()


def fetch_index() -> list[AvailablePackage]:
    """Download the index, sorted by languages, the newest version of a pair first.

    Raises:
        ModelError: the index cannot be downloaded or parsed.
    """
    url = index_url()
    try:
        entries = json.loads(fetch(url, max_bytes=_MAX_INDEX_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{url}: is not a package index: {describe_parse_error(error)}") from error
    if not isinstance(entries, list):
        raise ModelError(f"{url}: is not a package index: it is not a JSON list")
    packages = [package for entry in entries if (package := _parse_entry(entry))]
    packages.sort(key=lambda p: version_key(p.version), reverse=True)
    return sorted(packages, key=lambda p: (p.from_lang, p.to_lang))


def _parse_entry(entry: Any) -> AvailablePackage | None:
    """Parse an entry of the index; return None if it is not a usable translation package."""
    if not isinstance(entry, dict) or entry.get("type", "translate") != "translate":
        return None
    keys = ("from_code", "to_code", "package_version", "from_name", "to_name")
    from_lang, to_lang, version, *names = (entry.get(key, "") for key in keys)
    links = entry.get("links")
    if not all(isinstance(code, str) and CODE.fullmatch(code) for code in (from_lang, to_lang)):
        return None
    if not all(isinstance(text, str) for text in (version, *names)) or not isinstance(links, list):
        return None
    usable = tuple(link for link in links if isinstance(link, str) and link.startswith("http"))
    if not usable:
        return None
    return AvailablePackage(from_lang, to_lang, version, names[0], names[1], usable)


def install_pair(
    from_lang: str,
    to_lang: str,
    *,
    overwrite: bool = False,
    progress: Callable[[AvailablePackage], Progress] | None = None,
) -> list[tuple[Package, bool]]:
    """Download and install the packages for a pair, through a third language if necessary.

    Args:
        from_lang: Code of the source language.
        to_lang: Code of the target language.
        overwrite: Whether to replace other packages of the same names.
        progress: Called with each package to download; returns its progress callback.

    Returns:
        The packages in order, each with whether it was installed before. A package of the same or
        a newer version is left as it is.

    Raises:
        ConfigError: both languages are the same.
        ModelError: the index or a package cannot be downloaded, the index does not have the pair,
            or a package is damaged.
        MissingExtraError: the extra `translate` is not installed.
        WriteError: a package cannot be written.
    """
    find_route((), from_lang, to_lang)  # checks the languages before anything is downloaded
    require_extra()
    newest: dict[tuple[str, str], AvailablePackage] = {}
    for entry in fetch_index():
        newest.setdefault((entry.from_lang, entry.to_lang), entry)
    route = find_route(newest, from_lang, to_lang)
    if route is None:
        raise ModelError(
            f"{index_url()}: no package translates {from_lang} to {to_lang}, directly or through a "
            f"third language, among {len(newest):,} pairs; to list them: "
            "ingest models list --available"
        )
    packages: list[tuple[Package, bool]] = []
    for available in (newest[pair] for pair in route):
        existing = None if overwrite else _find_up_to_date(available)
        package = existing or _download_and_install(available, overwrite, progress)
        packages.append((package, existing is not None))
    return packages


def _find_up_to_date(available: AvailablePackage) -> Package | None:
    """Return an installed package for the same pair that is not older."""
    for package in installed():
        if (
            package.origin != "shipped"
            and (package.from_lang, package.to_lang) == (available.from_lang, available.to_lang)
            and version_key(package.version) >= version_key(available.version)
        ):
            return package
    return None


def _download_and_install(
    available: AvailablePackage,
    overwrite: bool,
    progress: Callable[[AvailablePackage], Progress] | None,
) -> Package:
    """Download a package from the first link that works, and install it."""
    pair = available.from_lang, available.to_lang
    failures: list[str] = []
    for link in available.links:
        link_hash = hashlib.sha256(link.encode()).hexdigest()[:8]
        name = f"translate-{pair[0]}_{pair[1]}-{link_hash}.argosmodel"
        path = cache_dir() / "downloads" / name
        try:
            if not path.exists():  # it exists if an earlier call could not install it
                download(link, path, max_bytes=MAX_BYTES, progress=progress and progress(available))
        except ModelError as error:
            failures.append(str(error))
            continue
        try:
            contents = load_zip(path)
            if (contents.from_lang, contents.to_lang) != pair:
                raise ModelError(
                    f"{link}: translates {contents.from_lang} to {contents.to_lang}, not "
                    f"{pair[0]} to {pair[1]} as the index says"
                )
            package = install(path, overwrite=overwrite, source=link)
        except ModelError:
            path.unlink()  # it would fail again
            raise
        path.unlink()
        return package
    raise ModelError("\n".join(failures))

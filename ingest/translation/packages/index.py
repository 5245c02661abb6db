"""The argos index: which packages there are to download, and installing those of a pair."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest._typing import Progress
from ingest.errors import MissingExtraError, ModelError
from ingest.translation.packages import install
from ingest.translation.packages.archive import MAX_BYTES
from ingest.translation.packages.download import download, fetch
from ingest.translation.packages.isolated import child
from ingest.translation.packages.package import Package, load_zip
from ingest.translation.packages.validate import CODE, require

_MOST = 16 << 20  # bytes of an index; the one of argostranslate has a hundredth
_SAY = "import argostranslate.settings as s; print(s.remote_package_index)"


@dataclass(frozen=True)
class Offer:
    """A package that can be downloaded.

    Attributes:
        from_lang: Code of the language it reads.
        to_lang: Code of the language it writes.
        version: As its maker numbers it.
        from_name: The first language, for people.
        to_name: The second language, for people.
        links: Where it is, each as good as the other.
    """

    from_lang: str
    to_lang: str
    version: str
    from_name: str
    to_name: str
    links: tuple[str, ...]


def address() -> str:
    """Where the index is: as $ARGOS_PACKAGE_INDEX says, else as argostranslate does.

    Raises:
        MissingExtraError: argostranslate would say it, and is not installed.
    """
    if given := os.environ.get("ARGOS_PACKAGE_INDEX"):
        return given if given.endswith(".json") else given.rstrip("/") + "/index.json"
    if find_spec("argostranslate") is None:
        raise MissingExtraError("translate", "argostranslate")
    return _of_argostranslate()


def _of_argostranslate() -> str:
    """What its settings say, read in a process of its own since reading them makes folders."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    with tempfile.TemporaryDirectory() as aside:
        places = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SNAP_USER_DATA"), aside)
        places["XDG_CONFIG_HOME"] = str(config) if (config / "argos-translate").is_dir() else aside
        places["ARGOS_PACKAGES_DIR"] = os.path.join(aside, "packages")
        said = child("-c", _SAY, env=places)
    if said.returncode:
        raise ModelError(
            "argostranslate does not say where its index is; name it in $ARGOS_PACKAGE_INDEX"
        )
    return said.stdout.decode().strip()


def available() -> list[Offer]:
    """The packages in the index, by languages, the newest of a pair first.

    Raises:
        ModelError: the index cannot be had, or is none.
        MissingExtraError: argostranslate would say where it is, and is not installed.
    """
    url = address()
    try:
        entries = json.loads(fetch(url, most=_MOST))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{url}: is no index of packages: {error}") from error
    if not isinstance(entries, list):
        raise ModelError(f"{url}: is no index of packages: it is no list")
    offers = [offer for entry in entries if (offer := _offer(entry))]
    offers.sort(key=lambda o: install.version_key(o.version), reverse=True)
    return sorted(offers, key=lambda o: (o.from_lang, o.to_lang))


def _offer(entry: Any) -> Offer | None:
    """A package of the index; None where an entry is none that translates."""
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
    return Offer(from_lang, to_lang, version, names[0], names[1], usable) if usable else None


def install_pair(
    from_lang: str,
    to_lang: str,
    *,
    overwrite: bool = False,
    progress: Callable[[Offer], Progress] | None = None,
) -> list[tuple[Package, bool]]:
    """Download and install what translates a pair, through a third language if need be.

    Args:
        from_lang: Code of the language to read.
        to_lang: Code of the language to write.
        overwrite: Whether to replace other packages of the same names.
        progress: Called with each package to download; gives what is told how far it is.

    Returns:
        The packages in order, and of each whether it was there already, in this version or a
        newer one; such a one is left as it is.

    Raises:
        ConfigError: both are one language.
        ModelError: the index or a package cannot be had, or has no such pair, or is broken.
        MissingExtraError: what is needed is not installed.
        WriteError: a package could not be written.
    """
    install.through((), from_lang, to_lang)  # two languages, before anything is fetched
    require()
    best: dict[tuple[str, str], Offer] = {}
    for offer in available():
        best.setdefault((offer.from_lang, offer.to_lang), offer)
    route = install.through(best, from_lang, to_lang)
    if route is None:
        raise ModelError(
            f"no package translates {from_lang} to {to_lang}, nor two through a third language, "
            f"among {len(best):,} pairs of {address()}; to see them: "
            "ingest models list --available"
        )
    done: list[tuple[Package, bool]] = []
    for offer in (best[pair] for pair in route):
        there = None if overwrite else _as_new(offer)
        done.append((there or _get(offer, overwrite, progress), there is not None))
    return done


def _as_new(offer: Offer) -> Package | None:
    """An installed package for that pair which is no older."""
    for package in install.installed():
        if (
            package.origin != "shipped"
            and (package.from_lang, package.to_lang) == (offer.from_lang, offer.to_lang)
            and install.version_key(package.version) >= install.version_key(offer.version)
        ):
            return package
    return None


def _get(offer: Offer, overwrite: bool, progress: Callable[[Offer], Progress] | None) -> Package:
    """Download a package from the first link that has it, and install it."""
    failed: list[str] = []
    for link in offer.links:
        short = hashlib.sha256(link.encode()).hexdigest()[:8]
        name = f"translate-{offer.from_lang}_{offer.to_lang}-{short}.argosmodel"
        path = install.caches() / "downloads" / name
        try:
            if not path.exists():  # or an earlier call could not install it
                download(link, path, most=MAX_BYTES, progress=progress and progress(offer))
        except ModelError as error:
            failed.append(str(error))
            continue
        try:
            holds = load_zip(path)
            if (holds.from_lang, holds.to_lang) != (offer.from_lang, offer.to_lang):
                raise ModelError(
                    f"{link}: translates {holds.from_lang} to {holds.to_lang}, not "
                    f"{offer.from_lang} to {offer.to_lang} as the index has it"
                )
            package = install.install(path, overwrite=overwrite, source=link)
        except ModelError:
            path.unlink()  # what is wrong with it would be wrong the next time
            raise
        path.unlink()
        return package
    raise ModelError("\n".join(failed))

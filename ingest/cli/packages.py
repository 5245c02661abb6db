"""Translation packages: `models list`, `install`, `remove`, `info`."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cli.options import OK, interruptible
from ingest.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ingest._typing import Progress
    from ingest.cli.options import Commands
    from ingest.translation.packages.index import Offer


def add(commands: Commands) -> None:
    """Add these commands to those that are there."""
    models = commands.add_parser(
        "models",
        help="packages that translate: list, install, remove, info",
        description="Packages of argostranslate, each for one language into another.",
    )
    ways = models.add_subparsers(metavar="WHAT", required=True)
    _add_list(ways)
    _add_install(ways)

    remove = ways.add_parser(
        "remove",
        help="remove a package",
        description="Remove a package that ingest installed.",
    )
    remove.add_argument("name", metavar="NAME", help="as `ingest models list` shows it")
    remove.set_defaults(command=_remove)

    info = ways.add_parser(
        "info",
        help="what is known of a package",
        description="Show a package's languages, files, hashes, origin and license.",
    )
    info.add_argument("name", metavar="NAME", help="as `ingest models list` shows it")
    info.add_argument("--json", action="store_true", help="as one JSON object")
    info.set_defaults(command=_info)


def _add_list(ways: Commands) -> None:
    listing = ways.add_parser(
        "list",
        help="the packages there are",
        description="Show the packages that are installed, by whom, and what is wrong with any.",
    )
    listing.add_argument("--available", action="store_true",
                       help="those in the argos index instead; needs the network")  # fmt: skip
    listing.add_argument("--json", action="store_true", help="one JSON object a package")
    listing.set_defaults(command=_list)


def _add_install(ways: Commands) -> None:
    install = ways.add_parser(
        "install",
        help="install a file, or what translates a pair of languages",
        description="Install an .argosmodel file; or download what translates one language into "
        "another, through a third if need be, from the index of argostranslate.",
    )
    install.add_argument("what", nargs="+", metavar="FILE|CODE",
                         help="a file, or two codes, source and target, such as ar en")  # fmt: skip
    install.add_argument("--overwrite", action="store_true",
                         help="replace another package of the same name")  # fmt: skip
    install.set_defaults(command=_install)


def _list(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import packages_view
    from ingest.translation.packages import install

    if args.available:
        return _available(as_json=args.json)
    whole, strays = install.found()
    if args.json:
        _print_json([*map(packages_view.about, whole), *map(packages_view.about_stray, strays)])
    elif whole or strays:
        packages_view.table(whole, strays)
    else:
        print("no package is installed; to install one: ingest models install ar en")
    return OK


def _available(*, as_json: bool) -> int:
    from ingest.cli import packages_view
    from ingest.translation.packages.index import available
    from ingest.translation.packages.install import installed

    there = {(package.from_lang, package.to_lang) for package in installed()}
    found = available()
    if as_json:
        _print_json(
            packages_view.about_offer(offer, installed=(offer.from_lang, offer.to_lang) in there)
            for offer in found
        )
    else:
        packages_view.offers(found, there)
    return OK


def _install(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import packages_view
    from ingest.text import safe
    from ingest.translation.packages.index import install_pair
    from ingest.translation.packages.install import install, same_as
    from ingest.translation.packages.validate import CODE

    pair = len(args.what) == 2 and all(map(CODE.fullmatch, args.what))
    if len(args.what) == 1:
        path = Path(args.what[0])
        if not path.exists():
            raise ConfigError(f"{path}: no such file; name one, or two codes, such as ar en")
        there = same_as(path)
        done = [(there or install(path, overwrite=args.overwrite), there is not None)]
    elif pair:
        with _bar() as progress:
            done = install_pair(*args.what, overwrite=args.overwrite, progress=progress)
    else:
        raise ConfigError("models install: name one file, or two codes, such as ar en")
    for package, there_already in done:
        if there_already:
            print(f"{safe(package.name)} is there already: {package.path}")
        else:
            packages_view.installed(package)
    return OK


@contextmanager
def _bar() -> Iterator[Callable[[Offer], Progress]]:
    """A bar a download on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn())  # fmt: skip
    with Bars(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bars:

        def begin(offer: Offer) -> Progress:
            task = bars.add_task(f"{offer.from_lang} to {offer.to_lang}", total=None)
            return lambda done, total: bars.update(task, completed=done, total=total or None)

        yield begin


def _remove(args: argparse.Namespace) -> int:
    from ingest.text import safe
    from ingest.translation.packages.install import remove

    print(f"removed {safe(str(remove(args.name)))}")
    return OK


def _info(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import packages_view
    from ingest.translation.packages.install import named

    package = named(args.name)
    intact = package.hashed() == package.sha256
    if args.json:
        more = {"files": package.sizes, "intact": intact, "license": package.license}
        _print_json([packages_view.about(package) | more])
    else:
        packages_view.info(package, intact=intact)
    return OK


def _print_json(records: Iterable[dict[str, Any]]) -> None:
    from ingest.text import json_line, scrub

    for record in records:
        print(scrub(json_line(record)))

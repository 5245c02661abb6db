"""Commands for translation packages: `models list`, `install`, `remove`, `info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cli.options import OK, allow_interrupts
from ingest.cli.parser import Commands
from ingest.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Any

_NAME_HELP = "name of the package, as ingest models list shows it"


def add_commands(commands: Commands) -> None:
    """Add `models` and the commands below it."""
    parser = commands.add(
        "models",
        None,
        usage="%(prog)s COMMAND [OPTIONS]",
        help="manage translation packages",
        description="Manage Argos translation packages, each for one language into another.",
        examples=["ingest models list", "ingest models install ar en"],
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, prog=parser.prog)
    below = Commands(parser, subparsers, "Commands")
    _add_list(below)
    _add_install(below)
    remove = below.add(
        "remove",
        _remove,
        help="remove a package",
        description="Remove a package that ingest installed.",
        examples=["ingest models remove translate-ar_en-1_0"],
    )
    remove.add_argument("name", metavar="NAME", help=_NAME_HELP)
    info = below.add(
        "info",
        _info,
        help="show the details of a package",
        description="Show the languages, files, hashes, origin and license of a package.",
        examples=["ingest models info translate-ar_en-1_0 --json"],
    )
    info.add_argument("name", metavar="NAME", help=_NAME_HELP)
    info.add_argument("--json", action="store_true", help="print one JSON object")


def _add_list(commands: Commands) -> None:
    parser = commands.add(
        "list",
        _list,
        help="list packages",
        description="List the installed packages, what installed each, and any that are invalid.",
        examples=["ingest models list", "ingest models list --available"],
    )
    parser.add_argument("--available", action="store_true",
                        help="list the packages of the Argos index instead; needs the "
                        "network")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object per package")


def _add_install(commands: Commands) -> None:
    parser = commands.add(
        "install",
        _install,
        help="install a package file, or packages for two languages",
        description="Install an .argosmodel file. Or give two language codes, to download from the "
        "Argos index what translates the first into the second, through a third if necessary.",
        examples=["ingest models install ar en", "ingest models install ar_en.argosmodel"],
    )
    parser.add_argument("what", nargs="+", metavar="FILE|CODE",
                        help="a file, or two codes, source and target, such as ar en")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true",
                        help="replace a different package with the same name")  # fmt: skip


def _list(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import packages_view
    from ingest.translation.packages.locations import scan

    if args.available:
        return _list_available(as_json=args.json)
    packages, invalid = scan()
    if args.json:
        _print_json(
            [
                *map(packages_view.package_record, packages),
                *map(packages_view.invalid_record, invalid),
            ]
        )
    elif packages or invalid:
        packages_view.print_packages(packages, invalid)
    else:
        print("no package is installed; to install one: ingest models install ar en")
    return OK


def _list_available(*, as_json: bool) -> int:
    from ingest.cli import packages_view
    from ingest.translation.packages.index import fetch_index
    from ingest.translation.packages.locations import installed

    pairs = {(package.from_lang, package.to_lang) for package in installed()}
    offers = fetch_index()
    if as_json:
        _print_json(
            packages_view.offer_record(offer, installed=(offer.from_lang, offer.to_lang) in pairs)
            for offer in offers
        )
    else:
        packages_view.print_offers(offers, pairs)
    return OK


def _install(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import packages_view
    from ingest.cli.messages import print_summary
    from ingest.cli.progress import download_progress
    from ingest.cli.standard_streams import after_the_work
    from ingest.translation.packages.index import install_pair
    from ingest.translation.packages.install import find_same, install
    from ingest.translation.packages.validate import CODE

    if len(args.what) == 1:
        path = Path(args.what[0])
        if not path.exists():
            raise ConfigError(f"{path}: no such file; give a file, or two codes, such as ar en")
        existing = find_same(path)
        installs = [(existing or install(path, overwrite=args.overwrite), existing is not None)]
    elif len(args.what) == 2 and all(map(CODE.fullmatch, args.what)):
        with download_progress(quiet=args.quiet) as progress:
            installs = install_pair(*args.what, overwrite=args.overwrite, progress=progress)
    else:
        raise ConfigError("models install: give one file, or two codes, such as ar en")
    for package, was_installed in installs:
        if was_installed:
            print_summary(args, f"{package.name} is already installed: {package.path}")
        elif not args.quiet:
            with after_the_work():
                packages_view.print_installed(package)
    return OK


def _remove(args: argparse.Namespace) -> int:
    from ingest.cli.messages import print_summary
    from ingest.translation.packages.install import remove

    path = remove(args.name)
    print_summary(args, f"removed {path}")
    return OK


def _info(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import packages_view
    from ingest.translation.packages.install import find_by_name

    package = find_by_name(args.name)
    intact = package.compute_sha256() == package.sha256
    if args.json:
        details = {"files": package.sizes, "intact": intact, "license": package.license}
        _print_json([packages_view.package_record(package) | details])
    else:
        packages_view.print_info(package, intact=intact)
    return OK


def _print_json(records: Iterable[dict[str, Any]]) -> None:
    from ingest.text import json_line, scrub

    for record in records:
        print(scrub(json_line(record)))

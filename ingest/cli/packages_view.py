"""What `ingest models` shows: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from ingest.cli.render import Stdout
from ingest.text import safe
from ingest.translation.packages.index import AvailablePackage
from ingest.translation.packages.locations import InvalidPackage
from ingest.translation.packages.package import Package

_ORIGINS = {"ours": "ingest", "argostranslate": "argostranslate", "shipped": "ships with ingest"}
_LICENSE_LINES = 30  # shown after an installation


def package_record(package: Package) -> dict[str, Any]:
    """Return the JSON record of a package."""
    return {
        "name": package.name,
        "from": package.from_lang,
        "to": package.to_lang,
        "version": package.version,
        "origin": package.origin,
        "path": str(package.path),
        "bytes": sum(package.sizes.values()),
        "sha256": package.sha256,
        "archive_sha256": package.archive_info.get("sha256"),
        "archive_bytes": package.archive_info.get("bytes"),
        "source": package.archive_info.get("from") or package.archive_info.get("file"),
        "tokenizer": package.tokenizer,
        "target_prefix": package.target_prefix,
        "error": None,
    }


def invalid_record(package: InvalidPackage) -> dict[str, Any]:
    """Return the JSON record of a folder or file that is not a valid package."""
    return {
        "name": package.path.name,
        "origin": package.origin,
        "path": str(package.path),
        "error": package.reason,
    }


def offer_record(offer: AvailablePackage, *, installed: bool) -> dict[str, Any]:
    """Return the JSON record of a package of the index."""
    return {
        "from": offer.from_lang,
        "to": offer.to_lang,
        "version": offer.version,
        "from_name": offer.from_name,
        "to_name": offer.to_name,
        "links": list(offer.links),
        "installed": installed,
    }


def print_packages(packages: Iterable[Package], invalid: Iterable[InvalidPackage]) -> None:
    """Print one row per package, then one line per invalid package."""
    console = Stdout()
    table = _build_table("name", "from", "to", "version")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("by", no_wrap=True)
    for package in packages:
        table.add_row(
            *map(safe, (package.name, package.from_lang, package.to_lang, package.version)),
            _megabytes(sum(package.sizes.values())),
            _ORIGINS[package.origin],
        )
    if table.row_count:
        console.print(table)
    for item in invalid:
        console.print_line(f"{item.path}: {item.reason}", "red")


def print_offers(offers: Iterable[AvailablePackage], installed: set[tuple[str, str]]) -> None:
    """Print one row per package of the index.

    Args:
        offers: the packages.
        installed: source and target languages of the packages that are installed.
    """
    table = _build_table("from", "to", "version", "languages", "installed")
    for offer in offers:
        table.add_row(
            *map(safe, (offer.from_lang, offer.to_lang, offer.version)),
            Text(safe(f"{offer.from_name} to {offer.to_name}")),
            "yes" if (offer.from_lang, offer.to_lang) in installed else "",
        )
    Stdout().print(table)


def print_info(package: Package, *, intact: bool) -> None:
    """Print the details of a package.

    Args:
        package: the package.
        intact: whether its files are unchanged since the installation.
    """
    details = {
        "translates": f"{package.from_lang} to {package.to_lang}",
        "version": package.version,
        "by": _ORIGINS[package.origin],
        "folder": str(package.path),
        "size": f"{_megabytes(sum(package.sizes.values()))} in {len(package.sizes):,} files",
        "model": _megabytes(package.sizes.get("model/model.bin", 0)),
        "tokenizer": package.tokenizer,
        "begins with": package.target_prefix,
        "sha256": package.sha256
        if intact
        else f"{package.compute_sha256()}, changed since the install",
        "archive": str(package.archive_info.get("from") or package.archive_info.get("file") or ""),
        "its sha256": str(package.archive_info.get("sha256") or ""),
    }
    print(safe(package.name))
    for label, value in details.items():
        if value:
            print(f"  {label:<12}{safe(value)}")
    print()
    _print_license(package)


def print_installed(package: Package) -> None:
    """Print what was installed, and its license."""
    print(
        f"installed {safe(package.name)}: {package.from_lang} to {package.to_lang}, "
        f"{_megabytes(sum(package.sizes.values()))}, sha256 {package.sha256}"
    )
    _print_license(package, max_lines=_LICENSE_LINES)


def _print_license(package: Package, *, max_lines: int | None = None) -> None:
    if not package.license:
        print("no license: the package does not say how it may be used; ask its author")
        return
    lines = package.license.splitlines()
    print("license, as the package has it:")
    for line in lines[:max_lines]:
        print(f"  {safe(line)}".rstrip())
    if max_lines and len(lines) > max_lines:
        rest = len(lines) - max_lines
        print(f"  … {rest:,} more lines: ingest models info {safe(package.name)}")


def _build_table(*names: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _megabytes(size: int) -> str:
    """Format a number of bytes.

    >>> _megabytes(58_833), _megabytes(120_000_000)
    ('0.1 MB', '120.0 MB')
    """
    return f"{size / 1e6:,.1f} MB"

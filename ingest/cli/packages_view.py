"""What `ingest models` shows: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from ingest.cli.render import Stdout
from ingest.text import safe
from ingest.translation.packages.index import Offer
from ingest.translation.packages.install import Stray
from ingest.translation.packages.package import Package

_BY = {"ours": "ingest", "argostranslate": "argostranslate", "shipped": "ships with ingest"}
_LICENCE_LINES = 30  # that are shown at install


def about(package: Package) -> dict[str, Any]:
    """A package as JSON has it."""
    return {
        "name": package.name,
        "from": package.from_lang,
        "to": package.to_lang,
        "version": package.version,
        "origin": package.origin,
        "path": str(package.path),
        "bytes": sum(package.sizes.values()),
        "sha256": package.sha256,
        "archive_sha256": package.made_from.get("sha256"),
        "archive_bytes": package.made_from.get("bytes"),
        "source": package.made_from.get("from") or package.made_from.get("file"),
        "tokenizer": package.tokenizer,
        "target_prefix": package.target_prefix,
        "error": None,
    }


def about_stray(stray: Stray) -> dict[str, Any]:
    """What is no package, as JSON has it."""
    return {
        "name": stray.path.name,
        "origin": stray.origin,
        "path": str(stray.path),
        "error": stray.why,
    }


def about_offer(offer: Offer, *, installed: bool) -> dict[str, Any]:
    """A package of the index, as JSON has it."""
    return {
        "from": offer.from_lang,
        "to": offer.to_lang,
        "version": offer.version,
        "from_name": offer.from_name,
        "to_name": offer.to_name,
        "links": list(offer.links),
        "installed": installed,
    }


def table(packages: Iterable[Package], strays: Iterable[Stray]) -> None:
    """Print a row a package, and what is wrong with what is none."""
    console = Stdout(highlight=False, soft_wrap=True)
    rows = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "from", "to", "version"):
        rows.add_column(name, no_wrap=True)
    rows.add_column("size", justify="right", no_wrap=True)
    rows.add_column("by", no_wrap=True)
    for package in packages:
        rows.add_row(
            *map(safe, (package.name, package.from_lang, package.to_lang, package.version)),
            _megabytes(sum(package.sizes.values())),
            _BY[package.origin],
        )
    if rows.row_count:
        console.print(rows)
    for stray in strays:
        console.print(Text(safe(f"{stray.path}: {stray.why}"), "red"))


def offers(found: Iterable[Offer], there: set[tuple[str, str]]) -> None:
    """Print a row a package of the index."""
    rows = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("from", "to", "version", "languages", "installed"):
        rows.add_column(name, no_wrap=True)
    for offer in found:
        rows.add_row(
            *map(safe, (offer.from_lang, offer.to_lang, offer.version)),
            Text(safe(f"{offer.from_name} to {offer.to_name}")),
            "yes" if (offer.from_lang, offer.to_lang) in there else "",
        )
    Stdout(highlight=False, soft_wrap=True).print(rows)


def info(package: Package, *, intact: bool) -> None:
    """Print all that is known of a package."""
    known = {
        "translates": f"{package.from_lang} to {package.to_lang}",
        "version": package.version,
        "by": _BY[package.origin],
        "folder": str(package.path),
        "size": f"{_megabytes(sum(package.sizes.values()))} in {len(package.sizes):,} files",
        "model": _megabytes(package.sizes.get("model/model.bin", 0)),
        "tokenizer": package.tokenizer,
        "begins with": package.target_prefix,
        "sha256": package.sha256 if intact else f"{package.hashed()}, changed since the install",
        "archive": str(package.made_from.get("from") or package.made_from.get("file") or ""),
        "its sha256": str(package.made_from.get("sha256") or ""),
    }
    print(safe(package.name))
    for what, value in known.items():
        if value:
            print(f"  {what:<12}{safe(value)}")
    print()
    license(package)


def license(package: Package, *, most: int | None = None) -> None:
    """Print the license of a package, or its first lines, or that it has none."""
    if not package.license:
        print("no license: the package says nothing of how it may be used; ask its maker")
        return
    lines = package.license.splitlines()
    print("license, as the package has it:")
    for line in lines[:most]:
        print(f"  {safe(line)}".rstrip())
    if most and len(lines) > most:
        print(f"  … {len(lines) - most:,} lines more: ingest models info {package.name}")


def installed(package: Package) -> None:
    """Print what was installed, and under which license."""
    print(
        f"installed {safe(package.name)}: {package.from_lang} to {package.to_lang}, "
        f"{_megabytes(sum(package.sizes.values()))}, sha256 {package.sha256}"
    )
    license(package, most=_LICENCE_LINES)


def _megabytes(size: int) -> str:
    """A size for people.

    >>> _megabytes(58_833), _megabytes(120_000_000)
    ('0.1 MB', '120.0 MB')
    """
    return f"{size / 1e6:,.1f} MB"

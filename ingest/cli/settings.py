"""The command `config`: all settings and their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.cli.options import OK

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands


def add_commands(commands: Commands) -> None:
    """Add `config`."""
    commands.add(
        "config",
        _config,
        help="print all settings",
        description="Print all settings with their defaults and meanings in TOML, as a file for "
        "--config. A command that takes --config also takes single settings with --set.",
        examples=[
            "ingest config",
            "ingest run pages/ -o out --config ingest.toml",
            "ingest filter out/scored.parquet -o out/filtered.parquet --set filter.min_quality=0.5",
        ],
    )


def _config(_args: argparse.Namespace) -> int:
    from ingest.config_file import default_settings

    print(default_settings(), end="")
    return OK

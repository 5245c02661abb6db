"""What a run has to do: its inputs, cut into shards, and whether they are still what they were."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import polars as pl

from ingest._version import __version__
from ingest.config import Config
from ingest.errors import ConfigError, SourceError
from ingest.readers import describe_guesses, plan_slices
from ingest.readers.records import Slice
from ingest.readers.single_file import describe_os_error
from ingest.readers.sources import STDIN, FoundSources, is_stream

# Size and time of change of a file; None for what is no file: missing, a pipe, standard input.
Stamp = tuple[int, int] | None
_AGAIN = "; --overwrite starts again"
_NAMED = 3  # changed inputs that a message names


class Plan(NamedTuple):
    """All that a run, or one that goes on with it, must know before it begins.

    `stamps` has each input by its name, in order. `once` are those that cannot be read again;
    `columns` says which columns of tables were guessed.
    """

    versions: str
    settings: dict[str, Any]
    overwrite: bool
    shard_bytes: int
    stamps: dict[str, Stamp]
    once: list[str]
    skipped: list[str]
    columns: list[str]
    shards: list[list[Slice]]

    def to_json(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read a plan back.

        Raises:
            ConfigError: another version made it.
        """
        held = json.loads(text)
        if held["versions"] != versions():
            raise ConfigError(
                f"the run began with {held['versions']}, this is {versions()}{_AGAIN}"
            )
        stamps = {name: stamp and (stamp[0], stamp[1]) for name, stamp in held["stamps"].items()}
        shards = [[Slice(*part) for part in shard] for shard in held["shards"]]
        return cls(**held | {"stamps": stamps, "shards": shards})


def make_plan(found: FoundSources, config: Config, *, overwrite: bool) -> Plan:
    """Look at the inputs and cut them.

    Raises:
        SourceError: a file cannot be looked into.
    """
    try:
        slices = plan_slices(found.files, shard_bytes=config.run.shard_bytes)
    except OSError as error:
        raise SourceError(f"{error.filename}: {describe_os_error(error)}") from error
    return Plan(
        versions(),
        _settings(config),
        overwrite,
        config.run.shard_bytes,
        {file: stamp(file) for file in found.files},
        [file for file in found.files if is_stream(file)],
        found.skipped,
        describe_guesses(slices, config.read),
        cut(slices, config.run.shard_bytes),
    )


def cut(slices: Iterable[Slice], shard_bytes: int) -> list[list[Slice]]:
    """Group slices, in order, into shards that are closed when they reach `shard_bytes`.

    >>> parts = [Slice(name, "file", size=size) for name, size in zip("abcd", (3, 3, 9, 1))]
    >>> ["".join(part.source for part in shard) for shard in cut(parts, 5)]
    ['ab', 'c', 'd']
    """
    shards: list[list[Slice]] = [[]]
    size = 0
    for part in slices:
        if size >= shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(part)
        size += part.size
    return shards


def stamp(source: str) -> Stamp:
    """What tells that a file has changed."""
    if source == STDIN or not os.path.isfile(source):
        return None
    try:
        seen = os.stat(source)
    except OSError:  # it vanished this moment
        return None
    return seen.st_size, seen.st_mtime_ns


def check_plan(old: Plan, found: FoundSources, config: Config) -> None:
    """Raise unless the plan still stands.

    Raises:
        ConfigError: it was made for other settings.
        SourceError: inputs came, went or changed, or cannot be read a second time.
    """
    if changed := _changed_settings(old.settings, _settings(config)):
        raise ConfigError(f"settings changed since the run began: {', '.join(changed)}{_AGAIN}")
    if old.once:
        raise SourceError(f"{', '.join(old.once)}: cannot be read a second time{_AGAIN}")
    refuse_changes(old.stamps, {file: stamp(file) for file in found.files}, hint=_AGAIN)


def refuse_changes(old: dict[str, Stamp], new: dict[str, Stamp], *, hint: str = "") -> None:
    """Raise where inputs are not what they were.

    Raises:
        SourceError: names the first few of them.
    """
    changed = [
        f"{name} ({_change(name, old, new)})"
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or old[name] != new[name]
    ]
    if changed:
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise SourceError(
            f"inputs changed since the run began: {', '.join(changed[:_NAMED])}{more}{hint}"
        )


def _change(name: str, old: dict[str, Stamp], new: dict[str, Stamp]) -> str:
    if name not in old:
        return "new"
    return "gone" if new.get(name) is None else "changed"


def _changed_settings(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        f"{step}.{key}: {json.dumps(old[step][key])} → {json.dumps(value)}"
        for step, table in new.items()
        for key, value in table.items()
        if old[step][key] != value
    ]


def _settings(config: Config) -> dict[str, Any]:
    """The settings that can change what comes out, as JSON gives them back."""
    tables = json.loads(json.dumps(config.to_dict()))
    return {step: table for step, table in tables.items() if step != "run"}


def versions() -> str:
    """What a run began with, and must go on with."""
    return f"ingest {__version__} with Polars {pl.__version__}"

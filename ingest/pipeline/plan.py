"""The plan of a run: its inputs, cut into shards, and the checks that they have not changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import polars as pl

from ingest._version import __version__
from ingest.config import Config
from ingest.errors import ConfigError, SourceError
from ingest.io import opening
from ingest.io.access import in_parallel
from ingest.io.opening import Stamp
from ingest.io.storage_files import raise_outage
from ingest.io.streams import describe_os_error
from ingest.io.urls import is_remote
from ingest.readers import describe_guesses, expansion, plan_slices
from ingest.readers.formats import COMPRESSED
from ingest.readers.records import Slice
from ingest.readers.sources import STDIN, FoundSources, Skipped, is_stream

_HINT = "; use --overwrite to start again"
_CHANGED_HINT = "; put them back as they were, or use --overwrite to start again"
_LARGE_SHARD = 64  # times the size of a shard, from which a file that cannot be cut is named
_UNCUT = {
    "csv": "CSV and TSV files cannot be cut",
    "json": "only JSON lines can be cut",
    "feed": "feeds cannot be cut",
    "mhtml": "a page cannot be cut",
    "file": "a page cannot be cut",
}
_MAX_NAMED = 3  # changed inputs listed in a message


class Plan(NamedTuple):
    """Everything that a run, or a later run that resumes it, needs to know before it starts.

    Attributes:
        versions: versions of ingest and Polars.
        settings: settings that affect the outputs.
        overwrite: whether an existing OUT may be replaced.
        shard_bytes: target size of a shard.
        stamps: the stamp of each input, in order.
        streams: inputs that can be read only once.
        skipped: files in folders that are not read, and why.
        columns: which table columns were guessed.
        uncut: files that are one large shard, because they cannot be cut.
        shards: the slices of each shard.
    """

    versions: str
    settings: dict[str, Any]
    overwrite: bool
    shard_bytes: int
    stamps: dict[str, Stamp]
    streams: list[str]
    skipped: list[Skipped]
    columns: list[str]
    uncut: list[str]
    shards: list[list[Slice]]

    def to_json(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Parse what `to_json` returned.

        Raises:
            ConfigError: another version wrote it.
            ValueError: it is damaged.
        """
        try:
            return cls._from_fields(json.loads(text))
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("is not a plan") from error

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Plan:
        if fields["versions"] != versions():
            raise ConfigError(
                f"the run was started with {fields['versions']}, but this is {versions()}{_HINT}"
            )
        stamps = {name: stamp and (stamp[0], stamp[1]) for name, stamp in fields["stamps"].items()}
        shards = [[Slice(*values) for values in shard] for shard in fields["shards"]]
        skipped = [Skipped(*values) for values in fields["skipped"]]
        return cls(**fields | {"stamps": stamps, "shards": shards, "skipped": skipped})


def make_plan(sources: FoundSources, config: Config, *, overwrite: bool) -> Plan:
    """Inspect the inputs and cut them into shards.

    Raises:
        SourceError: a file cannot be opened.
    """
    try:
        slices = plan_slices(sources.files, shard_bytes=config.run.shard_bytes)
        columns = describe_guesses(slices, config.read)
        raise_outage()
    except OSError as error:
        raise SourceError(f"{error.filename}: {describe_os_error(error)}") from error
    return Plan(
        versions=versions(),
        settings=_settings(config),
        overwrite=overwrite,
        shard_bytes=config.run.shard_bytes,
        stamps=stamps_of(sources.files),
        streams=[file for file in sources.files if is_stream(file)],
        skipped=sources.skipped,
        columns=columns,
        uncut=describe_uncut(slices, config.run.shard_bytes),
        shards=cut_shards(slices, config.run.shard_bytes),
    )


def cut_shards(slices: Iterable[Slice], shard_bytes: int) -> list[list[Slice]]:
    """Group slices, in order, into shards; a shard is full once it reaches `shard_bytes`.

    Compressed bytes count several times.

    >>> slices = [Slice(name, "file", size=size) for name, size in zip("abcd", (3, 3, 9, 1))]
    >>> ["".join(item.source for item in shard) for shard in cut_shards(slices, 5)]
    ['ab', 'c', 'd']
    """
    shards: list[list[Slice]] = [[]]
    size = 0
    for item in slices:
        if size >= shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(item)
        size += item.size * expansion(item.source, item.kind)
    return shards


def describe_uncut(slices: Iterable[Slice], shard_bytes: int) -> list[str]:
    """Describe the files that are one shard of many times `shard_bytes`, the largest first.

    >>> describe_uncut([Slice("a.csv", "csv", size=5_000_000_000)], 4_000_000)
    ['a.csv: 5,000 MB are one shard, because CSV and TSV files cannot be cut']
    """
    large = [
        item
        for item in slices
        if item.size * expansion(item.source, item.kind) > _LARGE_SHARD * shard_bytes
    ]
    large.sort(key=lambda item: -item.size)
    return [
        f"{item.source}: {item.size // 1_000_000:,} MB are one shard, because {_why_uncut(item)}"
        for item in large
    ]


def _why_uncut(item: Slice) -> str:
    if item.kind in _UNCUT:
        return _UNCUT[item.kind]
    name = item.source.lower()
    if name.endswith((".gz", ".zst")):
        return "it is compressed as a whole, or in blocks that do not begin with a record"
    if name.endswith(COMPRESSED):
        return "of compressed files, only gzip and zstd can be cut"
    return "it has no place where it can be cut"


def stamp(source: str) -> Stamp:
    """Return what shows whether a file or object has changed.

    Raises:
        SourceError: the object could not be read to its end, but perhaps later.
    """
    try:
        return None if source == STDIN else opening.stamp(source)
    except OSError as error:
        raise SourceError(f"{error.filename}: {describe_os_error(error)}") from error


def stamps_of(sources: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamp of each source.

    Raises:
        SourceError: an object could not be read to its end, but perhaps later.
    """
    stamps: dict[str, Stamp] = dict.fromkeys(sources)
    remote = [source for source in stamps if is_remote(source)]
    stamps |= zip(remote, in_parallel(stamp, remote), strict=True)
    return stamps | {source: stamp(source) for source in stamps if not is_remote(source)}


def check_plan(plan: Plan, sources: FoundSources, config: Config) -> None:
    """Raise unless the plan can be resumed with these sources and settings.

    Raises:
        ConfigError: the settings have changed.
        SourceError: inputs were added, removed or changed, or cannot be read a second time.
    """
    if changed := _changed_settings(plan.settings, _settings(config)):
        raise ConfigError(f"settings changed since the run started: {', '.join(changed)}{_HINT}")
    if plan.streams:
        raise SourceError(f"{', '.join(plan.streams)}: cannot be read a second time{_HINT}")
    check_unchanged(plan.stamps, stamps_of(sources.files), hint=_CHANGED_HINT)


def check_unchanged(old: dict[str, Stamp], new: dict[str, Stamp], *, hint: str = "") -> None:
    """Raise if inputs have changed.

    Raises:
        SourceError: names the first few of them.
    """
    changed = [
        f"{name} ({_describe_change(name, old, new)})"
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or old[name] != new[name]
    ]
    if changed:
        rest = len(changed) - _MAX_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        raise SourceError(
            f"inputs changed since the run started: {', '.join(changed[:_MAX_NAMED])}{more}{hint}"
        )


def describe_changed(old: Mapping[str, Stamp], new: Mapping[str, Stamp]) -> dict[str, str]:
    """Return the sources whose stamp is another one now, and the `error` of their pages.

    >>> describe_changed({"a": (1, 5), "b": (2, 5), "c": None}, {"a": (1, 6), "b": None, "c": None})
    {'a': 'has changed since the run started', 'b': 'no longer exists'}
    """
    return {
        name: "no longer exists" if new[name] is None else "has changed since the run started"
        for name, stamp in old.items()
        if new[name] != stamp
    }


def _describe_change(name: str, old: dict[str, Stamp], new: dict[str, Stamp]) -> str:
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
    """Return the settings that affect the outputs, as JSON gives them back."""
    tables = json.loads(json.dumps(config.to_dict()))
    return {step: table for step, table in tables.items() if step != "run"}


def versions() -> str:
    """Return the versions that a run starts with and must be resumed with."""
    return f"ingest {__version__} with Polars {pl.__version__}"

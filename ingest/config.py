"""The settings: one frozen dataclass a step, TOML in, a fingerprint out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import ConfigError

DETECTORS = ("langdetect-exact", "langdetect", "fasttext", "cld2")


@dataclass(frozen=True)
class ReadConfig:
    """What is read of tables (JSONL, Parquet, CSV, TSV), and how much at once.

    `text_column`, `html_column`, `url_column`, `id_column`: names of columns; empty: guessed.
    `max_record_bytes`: most bytes of one record of a container, and of a compressed file after
    decompression; what is larger is a page in error.
    """

    text_column: str = ""
    html_column: str = ""
    url_column: str = ""
    id_column: str = ""
    max_record_bytes: int = 1 << 26

    def __post_init__(self) -> None:
        _at_least("read.max_record_bytes", self.max_record_bytes, 1)


@dataclass(frozen=True)
class SegmentConfig:
    """How pages are cut.

    `min_run_words`: a line with Arabic and Latin words becomes two segments only where each run
    has at least so many words; below that it is one code-switched segment.
    """

    min_run_words: int = 4

    def __post_init__(self) -> None:
        _at_least("segment.min_run_words", self.min_run_words, 1)


@dataclass(frozen=True)
class DetectConfig:
    """Which detector names the language, and among which languages (empty: all it knows)."""

    detector: str = "langdetect-exact"
    langs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ConfigError(
                f"detect.detector: {self.detector!r} is unknown; one of {', '.join(DETECTORS)}"
            )


@dataclass(frozen=True)
class DedupeConfig:
    """When two articles are one.

    `threshold`: least Jaccard similarity of their word 4-grams, 0…1.
    """

    threshold: float = 0.6

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(f"dedupe.threshold: {self.threshold} is not in (0, 1]")


@dataclass(frozen=True)
class AlignConfig:
    """What pages are aligned with.

    `langs`: languages of source and target, such as ("ar", "en"); empty: found out.
    `encoder`: folder of an encoder; empty: the one that ships with ingest.
    """

    langs: tuple[str, ...] = ()
    encoder: str = ""

    def __post_init__(self) -> None:
        if self.langs and len(self.langs) != 2:
            raise ConfigError(f"align.langs: {', '.join(self.langs)!r} are not two languages")


@dataclass(frozen=True)
class RunConfig:
    """How a run is cut up; none of it changes a byte of what comes out.

    `batch_chars`: pages are looked at together until they have so many characters.
    `shard_bytes`: inputs are cut into shards of about so many bytes, the unit of work that a
    process takes and that a resumed run does not do again.
    """

    batch_chars: int = 700_000
    shard_bytes: int = 1 << 22

    def __post_init__(self) -> None:
        _at_least("run.batch_chars", self.batch_chars, 1)
        _at_least("run.shard_bytes", self.shard_bytes, 1)


@dataclass(frozen=True)
class Config:
    """All settings of a run.

    >>> Config(detect=DetectConfig(langs=("ar", "en"))).fingerprint() == Config().fingerprint()
    False
    """

    read: ReadConfig = field(default_factory=ReadConfig)
    segment: SegmentConfig = field(default_factory=SegmentConfig)
    detect: DetectConfig = field(default_factory=DetectConfig)
    dedupe: DedupeConfig = field(default_factory=DedupeConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionaries, as `run.json` shows them."""
        return dataclasses.asdict(self)

    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) of the settings that can change what comes out.

        `run` is left out: the size of a batch or shard never changes a byte of the result.
        """
        settings = {k: v for k, v in self.to_dict().items() if k != "run"}
        text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, tables: dict[str, Any]) -> Config:
        """Build from nested dictionaries.

        Raises:
            ConfigError: an unknown table or key, or a value of the wrong type.
        """
        steps = {f.name: f.default_factory for f in dataclasses.fields(cls)}
        made: dict[str, Any] = {}
        for name, table in tables.items():
            if name not in steps:
                raise ConfigError(f"[{name}]: unknown table; known: {', '.join(steps)}")
            if not isinstance(table, dict):
                raise ConfigError(f"{name}: must be a table, as in [{name}]")
            made[name] = _step(name, steps[name], table)
        return cls(**made)

    @classmethod
    def from_toml(cls, path: str | Path) -> Config:
        """Read a TOML file whose tables are the steps.

        Raises:
            ConfigError: the file cannot be read, is not TOML, or has an unknown key.
        """
        try:
            tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
        return cls.from_dict(tables)


_SAME = ((list, tuple), (int, float))


def _step(name: str, kind: Any, table: dict[str, Any]) -> Any:
    default = kind()
    known = {f.name: getattr(default, f.name) for f in dataclasses.fields(default)}
    values: dict[str, Any] = {}
    for key, given in table.items():
        if key not in known:
            raise ConfigError(f"{name}.{key}: unknown setting; known: {', '.join(known)}")
        kind_of = type(known[key])
        # TOML has arrays for tuples, and people write 1 for 1.0
        same = (isinstance(given, list) and kind_of is tuple) or (
            type(given) is int and kind_of is float
        )
        value = kind_of(given) if same else given
        if type(value) is not kind_of:
            raise ConfigError(f"{name}.{key}: {value!r} is not a {kind_of.__name__}")
        values[key] = value
    return kind(**values)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{name}: {value} is less than {least}")

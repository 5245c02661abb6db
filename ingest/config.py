"""The settings: one frozen dataclass a step, TOML in, a fingerprint out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ingest.errors import ConfigError

T = TypeVar("T")

_KINDS = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
    tuple: 'an array, such as ["ar", "en"]',
}  # fmt: skip
DETECTORS = ("langdetect-exact", "langdetect", "fasttext", "cld2")


@dataclass(frozen=True)
class ReadConfig:
    """What is read of tables (JSONL, Parquet, CSV, TSV), and how much at once.

    `text_column`, `html_column`, `url_column`, `id_column`: names of columns; empty: guessed.
    `max_record_bytes`: most bytes of one record of a container, and of a file that is a page,
    after decompression; what is larger is a page in error.
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
    `translate`: whether one side is translated by an installed package, and how like the other it
    is counts too.
    """

    langs: tuple[str, ...] = ()
    encoder: str = ""
    translate: bool = False

    def __post_init__(self) -> None:
        if self.langs and len(self.langs) != 2:
            raise ConfigError(f"align.langs: {', '.join(self.langs)!r} are not two languages")


@dataclass(frozen=True)
class TranslateConfig:
    """How texts are translated.

    `beam_size`: translations that are followed at once, of which the best is taken; 1 is fastest.
    `max_tokens`: longest piece of a text that is translated at once, in tokens of the model;
    longer sentences are cut at clauses or words.
    """

    beam_size: int = 2
    max_tokens: int = 100

    def __post_init__(self) -> None:
        _at_least("translate.beam_size", self.beam_size, 1)
        _at_least("translate.max_tokens", self.max_tokens, 8)
        # CTranslate2 cuts what has more than 1,024 tokens; pieces are counted before they are put
        # together, so that they can have a few more
        if self.max_tokens > 800:
            raise ConfigError(f"translate.max_tokens: {self.max_tokens} is more than 800")


@dataclass(frozen=True)
class FilterConfig:
    """Which pairs are kept; 0 switches a threshold off, for `max_` ones too.

    Rules that look at the columns of `ingest.score` have a say where the frame has these. A
    threshold of theirs that is not the default asks for the column: without it is an error.

    `min_words`, `max_words`: of a side.
    `max_ratio`: how many times as long one side may be as the other, as if both were English.
    `min_script`: least share of a side's letters in the script of its language.
    `min_language`: least probability that a side is in its language; of `ingest.score`.
    `min_score`: least score of an aligned pair.
    `min_quality`: least quality; of `ingest.score`. It is the chance of a good pair where half are
    spoilt; where one in ten is, .2 stands for .7.
    `machine`: whether pairs that a machine translated are wanted.
    `flagged`: whether those are wanted in which the translation looks wrong.
    `max_copy`, `max_boilerplate`, `max_repetition`: as `ingest.score` measures them.
    `near`: two pairs whose words in a row are alike by so much are near-duplicates, 0…1.
    `max_sources`, `max_targets`: how many texts one text may be paired with.
    """

    min_words: int = 2
    max_words: int = 200
    max_ratio: float = 2.5
    min_script: float = 0.5
    min_language: float = 0.2
    min_score: float = 0.5
    min_quality: float = 0.2
    machine: bool = True
    flagged: bool = False
    max_copy: float = 0.8
    max_boilerplate: float = 0.6
    max_repetition: float = 0.5
    near: float = 0.7
    max_sources: int = 3
    max_targets: int = 3

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            share = isinstance(value, float) and name != "max_ratio"
            if not 0 <= value <= (1 if share else math.inf):
                bounds = "in 0…1" if share else "0 or more"
                raise ConfigError(f"filter.{name}: {value} is not {bounds}")
        if self.max_words and self.max_words < self.min_words:
            raise ConfigError(
                f"filter.max_words: {self.max_words} is less than min_words, {self.min_words}"
            )
        if 0 < self.max_ratio < 1:
            raise ConfigError(f"filter.max_ratio: {self.max_ratio} is less than 1")


@dataclass(frozen=True)
class SplitConfig:
    """How kept pairs are given to train, dev and test.

    `dev`, `test`: below 1 a share of the pairs, else how many there are.
    `seed`: another one draws other pages.
    `by`: "page": all pairs of a page go together; "text": only texts that are alike do.
    `near`: texts whose words in a row are alike by so much go together, 0…1.
    `machine`: whether pairs that a machine translated may stand in dev and test.
    """

    dev: float = 0.02
    test: float = 0.02
    seed: int = 1
    by: str = "page"
    near: float = 0.6
    machine: bool = False

    def __post_init__(self) -> None:
        for name, value in (("dev", self.dev), ("test", self.test)):
            if not 0 <= value < math.inf or (value >= 1 and value != int(value)):
                raise ConfigError(f"split.{name}: {value} is no share below 1 and no whole number")
        if self.dev < 1 and self.test < 1 and self.dev + self.test >= 1:
            raise ConfigError(
                f"split.dev and split.test: {self.dev} and {self.test} leave nothing for train"
            )
        if self.by not in ("page", "text"):
            raise ConfigError(f"split.by: {self.by!r} is unknown; one of page, text")
        if not 0.0 < self.near <= 1.0:
            raise ConfigError(f"split.near: {self.near} is not in (0, 1]")


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
    translate: TranslateConfig = field(default_factory=TranslateConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionaries, as `run.json` shows them."""
        return dataclasses.asdict(self)

    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) of the settings that can change what comes out.

        `run` is left out: the size of a batch or shard never changes a byte of the result. So are
        `filter` and `split`, which have their say when a run is done.
        """
        settings = {k: v for k, v in self.to_dict().items() if k not in _AFTER}
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
            tables = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            reason = error.strerror or str(error)
            said = f"cannot be read: {reason[:1].lower()}{reason[1:]}"
            raise ConfigError(f"{path}: {said}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
        try:
            return cls.from_dict(tables)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


def config_of(config: Any, kind: type[T]) -> T:
    """The settings of one step, from those of all steps, of this one, or None for the defaults.

    Raises:
        ConfigError: `config` is something else.

    >>> config_of(Config(detect=DetectConfig(langs=("ar",))), DetectConfig).langs
    ('ar',)
    >>> config_of("ar,en", DetectConfig)
    Traceback (most recent call last):
    ...
    ingest.errors.ConfigError: config: must be a Config or DetectConfig, is str
    """
    if config is None:
        return kind()
    if isinstance(config, Config):
        config = next(value for value in vars(config).values() if isinstance(value, kind))
    if not isinstance(config, kind):
        raise ConfigError(
            f"config: must be a Config or {kind.__name__}, is {type(config).__name__}"
        )
    return config


_AFTER = ("run", "filter", "split")


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
            raise ConfigError(f"{name}.{key}: {value!r} is not {_KINDS[kind_of]}")
        if kind_of is tuple and not all(isinstance(one, str) for one in value):
            raise ConfigError(f"{name}.{key}: {given!r} is not an array of strings")
        values[key] = value
    return kind(**values)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{name}: {value} is less than {least}")

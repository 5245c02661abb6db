"""Settings: one frozen dataclass per step, read from TOML.

The meaning of each setting is in the metadata of its field, under "help"; SETTINGS.md lists them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ingest.config_table import check_max, check_min, parse_step
from ingest.errors import ConfigError
from ingest.roles import KEPT_ROLES, ROLES

T = TypeVar("T")

DETECTORS = ("langdetect-exact", "langdetect", "fasttext", "cld2")
# `run` never changes a byte of the outputs; `filter` and `split` apply after the run.
_NOT_IN_FINGERPRINT = ("run", "filter", "split")


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True)
class ReadConfig:
    """How to read tables (JSONL, Parquet, CSV, TSV), and how large a record may be."""

    text_column: str = field(default="", metadata=_help("Column with the text; guessed if empty."))
    html_column: str = field(default="", metadata=_help("Column with the HTML; guessed if empty."))
    url_column: str = field(default="", metadata=_help("Column with the URL; guessed if empty."))
    id_column: str = field(
        default="", metadata=_help("Column with the record ID; guessed if empty.")
    )
    max_record_bytes: int = field(
        default=1 << 26,
        metadata=_help("Largest record or page, in decompressed bytes; larger ones are in error."),
    )

    def __post_init__(self) -> None:
        check_min("read.max_record_bytes", self.max_record_bytes, 1)


@dataclass(frozen=True)
class SegmentConfig:
    """How to cut pages into segments."""

    min_run_words: int = field(
        default=4,
        metadata=_help(
            "Split a line into Arabic and Latin parts if each has at least this many words."
        ),
    )

    def __post_init__(self) -> None:
        check_min("segment.min_run_words", self.min_run_words, 1)


@dataclass(frozen=True)
class DetectConfig:
    """How to detect the language of segments."""

    detector: str = field(
        default="langdetect-exact",
        metadata=_help(f"Language detector: {', '.join(DETECTORS[:-1])} or {DETECTORS[-1]}."),
    )
    langs: tuple[str, ...] = field(
        default=(),
        metadata=_help("Languages to choose from, as ISO 639-1 codes; all known ones if empty."),
    )

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ConfigError(
                f"detect.detector: {self.detector!r} is unknown; use one of {', '.join(DETECTORS)}"
            )


@dataclass(frozen=True)
class LabelConfig:
    """Which segments count as content."""

    keep: tuple[str, ...] = field(
        default=KEPT_ROLES,
        metadata=_help('Roles of segments to keep; add "code", "caption" or "comment" at will.'),
    )
    documentation_code: bool = field(
        default=True,
        metadata=_help("Keep the listings of HTML pages that consist of documentation."),
    )
    body_text: bool = field(
        default=False,
        metadata=_help(
            "Pages are body text already, such as one paragraph each: look for no other roles."
        ),
    )

    def __post_init__(self) -> None:
        for role in self.keep:
            if role not in ROLES:
                raise ConfigError(f"label.keep: {role!r} is not a role; use {', '.join(ROLES)}")


@dataclass(frozen=True)
class DedupeConfig:
    """When two articles count as copies of each other."""

    threshold: float = field(
        default=0.6,
        metadata=_help("Lowest Jaccard similarity of the word 4-grams of two copies, 0 to 1."),
    )

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(f"dedupe.threshold: {self.threshold} is not in (0, 1]")


@dataclass(frozen=True)
class AlignConfig:
    """How to align pages and sentences."""

    langs: tuple[str, ...] = field(
        default=(),
        metadata=_help('Source and target language, such as ["ar", "en"]; detected if empty.'),
    )
    encoder: str = field(
        default="",
        metadata=_help("Folder of an encoder; if empty, the one shipped with ingest."),
    )
    translate: bool = field(
        default=False,
        metadata=_help("Also compare one side with a machine translation of the other side."),
    )

    def __post_init__(self) -> None:
        if self.langs and len(self.langs) != 2:
            raise ConfigError(f"align.langs: {', '.join(self.langs)!r} are not two languages")


@dataclass(frozen=True)
class TranslateConfig:
    """How to translate texts."""

    beam_size: int = field(
        default=2,
        metadata=_help("Beam size of the search for a translation; 1 is the fastest."),
    )
    max_tokens: int = field(
        default=100,
        metadata=_help(
            "Most tokens to translate at once; longer sentences are cut at clauses or words."
        ),
    )

    def __post_init__(self) -> None:
        check_min("translate.beam_size", self.beam_size, 1)
        check_min("translate.max_tokens", self.max_tokens, 8)
        # CTranslate2 cuts input after 1,024 tokens. The limit is lower because pieces are counted
        # before they are joined, and can end up slightly longer.
        check_max("translate.max_tokens", self.max_tokens, 800)


@dataclass(frozen=True)
class FilterConfig:
    """Which pairs to keep. 0 switches a threshold off, including the `max_` ones.

    Rules on columns of `ingest.score` apply if the frame has these columns. If such a threshold is
    set to another value than the default, a missing column is an error.
    """

    min_words: int = field(default=2, metadata=_help("Fewest words on each side."))
    max_words: int = field(default=200, metadata=_help("Most words on each side."))
    max_ratio: float = field(
        default=2.5,
        metadata=_help("Largest ratio of the longer side to the shorter, as if both were English."),
    )
    min_script: float = field(
        default=0.5,
        metadata=_help("Lowest share of a side's letters in the script of its language."),
    )
    min_language: float = field(
        default=0.2,
        metadata=_help("Lowest probability that a side is in its language; from score."),
    )
    min_score: float = field(default=0.5, metadata=_help("Lowest score of an aligned pair."))
    min_quality: float = field(
        default=0.2,
        metadata=_help(
            "Lowest quality, from score: the probability of a good pair if half of all "
            "pairs are bad. If one in ten is bad, a quality of 0.2 means a probability of 0.7."
        ),
    )
    machine: bool = field(default=True, metadata=_help("Keep machine-translated pairs."))
    flagged: bool = field(default=False, metadata=_help("Keep pairs whose translation has flags."))
    max_copy: float = field(
        default=0.8,
        metadata=_help("Largest share of target words copied from the source; from score."),
    )
    max_boilerplate: float = field(
        default=0.6,
        metadata=_help("Largest share of words in boilerplate phrases; from score."),
    )
    max_repetition: float = field(
        default=0.5, metadata=_help("Largest share of repeated words; from score.")
    )
    near: float = field(
        default=0.7,
        metadata=_help("Lowest similarity of the word sequences of two near-duplicates, 0 to 1."),
    )
    max_sources: int = field(
        default=3, metadata=_help("Most source texts that one target text may be paired with.")
    )
    max_targets: int = field(
        default=3, metadata=_help("Most target texts that one source text may be paired with.")
    )

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            is_share = isinstance(value, float) and name != "max_ratio"
            if not 0 <= value <= (1 if is_share else math.inf):
                bounds = "in 0…1" if is_share else "0 or more"
                raise ConfigError(f"filter.{name}: {value} is not {bounds}")
        if self.max_words and self.max_words < self.min_words:
            raise ConfigError(
                f"filter.max_words: {self.max_words} is less than min_words, {self.min_words}"
            )
        if 0 < self.max_ratio < 1:
            raise ConfigError(f"filter.max_ratio: {self.max_ratio} is less than 1")


@dataclass(frozen=True)
class SplitConfig:
    """How to split kept pairs into train, dev and test."""

    dev: float = field(
        default=0.02,
        metadata=_help("Size of dev: a share of the pairs if below 1, else a number of pairs."),
    )
    test: float = field(
        default=0.02,
        metadata=_help("Size of test: a share of the pairs if below 1, else a number of pairs."),
    )
    seed: int = field(default=1, metadata=_help("Seed of the random choice."))
    by: str = field(
        default="page",
        metadata=_help('"page" keeps all pairs of a page together; "text" only similar texts.'),
    )
    near: float = field(
        default=0.6,
        metadata=_help(
            "Texts whose word sequences are at least this similar stay together, 0 to 1."
        ),
    )
    machine: bool = field(
        default=False, metadata=_help("Allow machine-translated pairs in dev and test.")
    )

    def __post_init__(self) -> None:
        for name, value in (("dev", self.dev), ("test", self.test)):
            if not 0 <= value < math.inf or (value >= 1 and value != int(value)):
                raise ConfigError(
                    f"split.{name}: {value} is neither a share below 1 nor a whole number"
                )
        if self.dev < 1 and self.test < 1 and self.dev + self.test >= 1:
            raise ConfigError(
                f"split.dev and split.test: {self.dev} and {self.test} leave nothing for train"
            )
        if self.by not in ("page", "text"):
            raise ConfigError(f"split.by: {self.by!r} is unknown; use page or text")
        if not 0.0 < self.near <= 1.0:
            raise ConfigError(f"split.near: {self.near} is not in (0, 1]")


@dataclass(frozen=True)
class RunConfig:
    """How a run divides its work; this never changes what is made of a page."""

    batch_chars: int = field(
        default=700_000,
        metadata=_help("Process pages in batches of about this many characters."),
    )
    shard_bytes: int = field(
        default=1 << 22,
        metadata=_help("Cut inputs into shards of about this many bytes, the units of work."),
    )
    page_seconds: int = field(
        default=300,
        metadata=_help("Most seconds for a page; one that takes longer is in error."),
    )

    def __post_init__(self) -> None:
        check_min("run.page_seconds", self.page_seconds, 1)
        check_max("run.page_seconds", self.page_seconds, 1_000_000)  # timers overflow at more
        check_min("run.batch_chars", self.batch_chars, 1)
        check_min("run.shard_bytes", self.shard_bytes, 1)


@dataclass(frozen=True)
class Config:
    """All settings.

    >>> Config(detect=DetectConfig(langs=("ar", "en"))).fingerprint() == Config().fingerprint()
    False
    """

    read: ReadConfig = field(default_factory=ReadConfig)
    segment: SegmentConfig = field(default_factory=SegmentConfig)
    detect: DetectConfig = field(default_factory=DetectConfig)
    label: LabelConfig = field(default_factory=LabelConfig)
    dedupe: DedupeConfig = field(default_factory=DedupeConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    translate: TranslateConfig = field(default_factory=TranslateConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return nested dictionaries, as in run.json."""
        return dataclasses.asdict(self)

    def fingerprint(self) -> str:
        """Return a hash of the settings that affect the outputs of a run.

        It is the first 16 hex digits of the SHA-256 of these settings as JSON.
        """
        settings = {k: v for k, v in self.to_dict().items() if k not in _NOT_IN_FINGERPRINT}
        text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, tables: dict[str, Any]) -> Config:
        """Build from nested dictionaries.

        Raises:
            ConfigError: a table or key is unknown, or a value has the wrong type.
        """
        classes = {f.name: f.default_factory for f in dataclasses.fields(cls)}
        steps: dict[str, Any] = {}
        for name, table in tables.items():
            if name not in classes:
                raise ConfigError(f"[{name}]: unknown table; use one of {', '.join(classes)}")
            if not isinstance(table, dict):
                raise ConfigError(f"{name}: must be a table, as in [{name}]")
            steps[name] = parse_step(name, classes[name], table)
        return cls(**steps)

    @classmethod
    def from_toml(cls, path: str | Path) -> Config:
        """Read a TOML file with one table per step.

        Raises:
            ConfigError: the file cannot be read, is not TOML, or has an unknown key.
        """
        try:
            tables = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            reason = error.strerror or str(error)
            reason = reason[:1].lower() + reason[1:]
            raise ConfigError(f"{path}: cannot be read: {reason}") from error
        except (ValueError, RecursionError) as error:
            from ingest.text import describe_parse_error  # imports Polars

            raise ConfigError(f"{path}: {describe_parse_error(error)}") from error
        try:
            return cls.from_dict(tables)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


def config_of(config: Any, kind: type[T]) -> T:
    """Return the settings of one step.

    Args:
        config: a Config, the settings of that step, or None for the defaults.
        kind: the class of the step's settings.

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

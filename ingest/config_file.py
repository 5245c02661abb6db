"""Settings as TOML: all of them with their defaults, and those that a command line sets."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from ingest.config import Config
from ingest.errors import ConfigError

_WIDTH = 98  # characters of a comment


def default_settings() -> str:
    """Return all settings with their defaults and meanings, as the text of a TOML file.

    >>> print(default_settings().partition("[segment]")[2].partition("[detect]")[0].strip())
    # Split a line into Arabic and Latin parts if each has at least this many words.
    min_run_words = 4
    <BLANKLINE>
    # How to detect the language of segments.
    """
    tables = []
    for step, settings in vars(Config()).items():
        lines = [*_comment(settings.__doc__ or ""), f"[{step}]"]
        for field in dataclasses.fields(settings):
            value = json.dumps(getattr(settings, field.name), ensure_ascii=False)
            lines += [*_comment(field.metadata["help"]), f"{field.name} = {value}"]
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def load_settings(path: str | Path | None, assignments: Sequence[str] = ()) -> Config:
    """Read settings from a TOML file, and change those that are assigned.

    Args:
        path: the file; None for the defaults.
        assignments: settings and values, such as `filter.min_quality=0.5`. Values are in TOML.

    Raises:
        ConfigError: the file cannot be read, or a setting is unknown or has an invalid value.

    >>> load_settings(None, ["filter.min_quality=0.5"]).filter.min_quality
    0.5
    >>> load_settings(None, ["filter.min_qualty=0.5"])
    Traceback (most recent call last):
    ...
    ingest.errors.ConfigError: --set filter.min_qualty: unknown setting; did you mean \
filter.min_quality?
    """
    config = Config.from_toml(path) if path else Config()  # its own errors name the file
    if not assignments:
        return config
    tables: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        step, name, value = _parse(assignment)
        tables.setdefault(step, {})[name] = value
    settings = config.to_dict()
    for step, changes in tables.items():
        settings[step] |= changes
    # TOML has arrays, which are tuples in Config
    lists = {
        step: {k: list(v) if isinstance(v, tuple) else v for k, v in table.items()}
        for step, table in settings.items()
    }
    try:
        return Config.from_dict(lists)
    except ConfigError as error:
        raise ConfigError(f"--set {error}") from error


def given_settings(
    path: str | Path | None, assignments: Sequence[str], step: str
) -> tuple[str, ...]:
    """Return the names of the settings of one step that a file or assignments give a value.

    Args:
        path: a valid TOML file, or None.
        assignments: valid assignments, as for `load_settings`.
        step: the step, such as filter.

    >>> given_settings(None, ["filter.near=0", "split.seed=2"], "filter")
    ('near',)
    """
    names: list[str] = []
    if path:
        names += tomllib.loads(Path(path).read_text(encoding="utf-8-sig")).get(step, {})
    names += (name for table, name, _ in map(_parse, assignments) if table == step)
    return tuple(dict.fromkeys(names))


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(" ".join(text.split()), _WIDTH, break_on_hyphens=False)]


def _parse(assignment: str) -> tuple[str, str, Any]:
    """Return the step, the name and the value of an assignment."""
    key, equals, text = (part.strip() for part in assignment.partition("="))
    if not (key and equals):
        raise ConfigError(
            f"--set {assignment}: is not of the form SETTING=VALUE, such as filter.min_quality=0.5"
        )
    step, _, name = key.partition(".")
    settings = {
        (table, field.name)
        for table, values in vars(Config()).items()
        for field in dataclasses.fields(values)
    }
    if (step, name) not in settings:
        raise ConfigError(f"--set {key}: unknown setting; {_suggest(key, settings)}")
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        table = {}
    if list(table) != ["value"]:
        raise ConfigError(f"--set {key}: {text!r} {_expected_form(step, name, text)}")
    return step, name, table["value"]


def _expected_form(step: str, name: str, text: str) -> str:
    r"""Say what is wrong with a value that is not one of TOML, and how to write it.

    >>> _expected_form("filter", "min_quality", "high")
    'is not a number, such as 0.2'
    >>> _expected_form("split", "by", "page")
    'must be in double quotes; for a shell: --set \'split.by="page"\''
    """
    default = getattr(getattr(Config(), step), name)
    if isinstance(default, bool):
        return "is not true or false"
    if isinstance(default, (int, float)):
        kind = "whole number" if isinstance(default, int) else "number"
        return f"is not a {kind}, such as {default}"
    word = text if text.isprintable() and text.strip("[]\"',; ") == text and text else "..."
    form, value = (
        ("a list of texts", f'["{word}"]')
        if isinstance(default, tuple)
        else ("in double quotes", f'"{word}"')
    )
    return f"must be {form}; for a shell: --set '{step}.{name}={value}'"


def _suggest(key: str, settings: set[tuple[str, str]]) -> str:
    import difflib  # only here: `ingest --help` is quick

    names = sorted(map(".".join, settings))
    step, _, name = key.rpartition(".")
    by_name = {full.partition(".")[2]: full for full in names}
    close = [full for full in names if full.endswith(f".{name}")]
    close = close or difflib.get_close_matches(key, names, n=1)
    close = close or [by_name[like] for like in difflib.get_close_matches(name, by_name, n=1)]
    if not close:
        return "ingest config lists all settings"
    return f"did you mean {max(close, key=lambda full: full.startswith(step))}?"

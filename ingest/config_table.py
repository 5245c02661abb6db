"""One table of a settings file, checked and turned into the settings of its step."""

from __future__ import annotations

import dataclasses
from typing import Any

from ingest.errors import ConfigError

_MOST_DIGITS = 18  # of a whole number, which then fits in 64 bits
_TYPE_NAMES = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
    tuple: 'an array, such as ["ar", "en"]',
}  # fmt: skip


def parse_step(name: str, kind: Any, table: dict[str, Any]) -> Any:
    """Build the settings of a step.

    Args:
        name: of the table, for messages.
        kind: the dataclass of the settings.
        table: keys and values as TOML gives them.

    Raises:
        ConfigError: an unknown key, a value of the wrong type, or a number that is too large.
    """
    default = kind()
    known = {f.name: getattr(default, f.name) for f in dataclasses.fields(default)}
    values: dict[str, Any] = {}
    for key, given in table.items():
        if key not in known:
            raise ConfigError(f"{name}.{key}: unknown setting; use one of {', '.join(known)}")
        wanted = type(known[key])
        if type(given) is int and abs(given) >= 10**_MOST_DIGITS:
            raise ConfigError(
                f"{name}.{key}: has more than {_MOST_DIGITS} digits; give a smaller number"
            )
        # TOML has arrays instead of tuples, and people write 1 for 1.0
        convertible = (isinstance(given, list) and wanted is tuple) or (
            type(given) is int and wanted is float
        )
        value = wanted(given) if convertible else given
        if type(value) is not wanted:
            raise ConfigError(f"{name}.{key}: {value!r} is not {_TYPE_NAMES[wanted]}")
        if wanted is tuple and not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{name}.{key}: {given!r} is not an array of strings")
        values[key] = value
    return kind(**values)


def check_min(name: str, value: int, minimum: int) -> None:
    """Raise if the value of a setting is too small.

    Raises:
        ConfigError: it is.

    >>> check_min("run.batch_chars", 1, 1)
    """
    if value < minimum:
        raise ConfigError(f"{name}: {value} is less than {minimum}")


def check_max(name: str, value: int, maximum: int) -> None:
    """Raise if the value of a setting is too large.

    Raises:
        ConfigError: it is.

    >>> check_max("translate.max_tokens", 801, 800)
    Traceback (most recent call last):
    ...
    ingest.errors.ConfigError: translate.max_tokens: 801 is more than 800
    """
    if value > maximum:
        raise ConfigError(f"{name}: {value} is more than {maximum}")

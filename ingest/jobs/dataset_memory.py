"""The options of a data set in steps.json: what a --resume leaves out stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.config import Config
from ingest.jobs.dataset_plan import DatasetOptions, changed_settings

_NAMES = ("format", "pairs", "langs", "license", "exclude", "like", "mask")


def options_to_record(options: DatasetOptions) -> dict[str, Any]:
    """Return the options that a later call may leave out, as JSON values."""
    values = {name: getattr(options, name) for name in (*_NAMES, "given")}
    return {**values, "settings": changed_settings(options.config)}


def recall_options(
    options: DatasetOptions, stored: Mapping[str, Any]
) -> tuple[DatasetOptions, dict[str, Any]]:
    """Return options in which those that the user left out are as in an earlier call.

    Args:
        options: what the user wants now.
        stored: `options` of steps.json.

    Returns:
        The options, and by name those that come from the earlier call.

    >>> from pathlib import Path
    >>> now = DatasetOptions(("a",), Path("d"), "huggingface", Config(), asked=frozenset())
    >>> before = {"license": "mit", "langs": None, "settings": {"split.seed": 2}}
    >>> options, recalled = recall_options(now, before)
    >>> options.license, options.config.split.seed, recalled
    ('mit', 2, {'license': 'mit', 'split.seed': 2})
    """
    if options.asked is None:
        return options, {}
    values: dict[str, Any] = {
        name: tuple(stored[name]) if isinstance(stored[name], list) else stored[name]
        for name in _NAMES
        if stored.get(name) and name not in options.asked
    }
    if values.get("format", options.format) != "huggingface":
        values.pop("license", None)  # another format has no place for it
    settings = {
        name: value
        for name, value in stored.get("settings", {}).items()
        if not {name, "config"} & options.asked
    }
    shown = {name: value for name, value in values.items() if value != getattr(options, name)}
    given = tuple(dict.fromkeys((*options.given, *stored.get("given", ()))))
    config = _change(options.config, settings) if settings else options.config
    return replace(options, **values, config=config, given=given), {**shown, **settings}


def _change(config: Config, settings: Mapping[str, Any]) -> Config:
    """Return settings with other values, by full name."""
    tables = {
        step: {name: list(v) if isinstance(v, tuple) else v for name, v in table.items()}
        for step, table in config.to_dict().items()
    }
    for full_name, value in settings.items():
        step, _, name = full_name.partition(".")
        tables.setdefault(step, {})[name] = value  # an unknown one is refused below
    return Config.from_dict(tables)

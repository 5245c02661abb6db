"""The data in `rules.json`: scripts, candidate languages, patterns, names of languages."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(1)
def load_rules() -> dict[str, Any]:
    """Load `rules.json`."""
    text = files("ingest.detection").joinpath("rules.json").read_text(encoding="utf-8")
    rules: dict[str, Any] = json.loads(text)
    return rules


def candidate_languages(script: str) -> tuple[str, ...]:
    """The languages of a script between which a model decides; zh is split into zh-cn and zh-tw."""
    return tuple(load_rules()["languages"][script].replace("|", "").split())


def rare_languages(script: str) -> tuple[str, ...]:
    """The candidates that few pages are in: those after the bar in `rules.json`."""
    return tuple(load_rules()["languages"][script].partition("|")[2].split())

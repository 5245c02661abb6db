"""What stands in `rules.json`: scripts, languages, patterns, names of languages."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(1)
def rules() -> dict[str, Any]:
    """The content of `rules.json`."""
    text = files("ingest.detection").joinpath("rules.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def candidates(script: str) -> tuple[str, ...]:
    """The languages of a script among which a model decides; zh-cn and zh-tw stand for zh."""
    return tuple(rules()["languages"][script].replace("|", "").split())


def rare(script: str) -> tuple[str, ...]:
    """Those of them that pages are seldom in: after the bar in `rules.json`."""
    return tuple(rules()["languages"][script].partition("|")[2].split())

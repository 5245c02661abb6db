"""Read the corrections that people have already made in a run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ingest.roles import ROLES

CORRECTIONS_FILE = "corrections.jsonl"

Correction = dict[str, Any]

_BOOLEANS = ("keep", "starts_article")
_TEXTS = ("new_source_text", "new_target_text", "audit")


def read_corrections(path: Path) -> list[Correction]:
    """Return the corrections of segments and pairs in a file; of one thing, only the last.

    Lines that are damaged are left out: `ingest correct` names them when it reads the file.

    Args:
        path: a file of corrections; none are returned if it does not exist.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines()
    corrections = filter(None, map(_parse, lines))
    return list({_key(correction): correction for correction in corrections}.values())


def keep_shown(
    corrections: Iterable[Correction], segments: Iterable[str], pairs: Iterable[str]
) -> list[Correction]:
    """Return the corrections of pages and pairs that a report shows.

    Args:
        corrections: what `read_corrections` returns.
        segments: IDs of the pages shown.
        pairs: IDs of the pairs shown.
    """
    shown = {"segment": set(segments), "pair": set(pairs)}
    return [c for c in corrections if c.get("doc_id", c.get("pair_id")) in shown[c["kind"]]]


def _key(correction: Correction) -> tuple[Any, ...]:
    return tuple(correction.get(key) for key in ("kind", "doc_id", "segment", "pair_id"))


def _parse(line: bytes) -> Correction | None:
    """Return the known fields of a line; None if it is not a correction of a segment or pair."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    known: Correction = {}
    match given:
        case {"kind": "segment", "doc_id": str(doc_id), "segment": int(segment), "sha": str(sha)}:
            known = {"kind": "segment", "doc_id": doc_id, "segment": int(segment), "sha": sha}
        case {"kind": "pair", "pair_id": str(pair_id), "sha": str(sha)}:
            known = {"kind": "pair", "pair_id": pair_id, "sha": sha}
        case _:
            return None
    if given.get("verdict") in ("right", "wrong"):
        known["verdict"] = given["verdict"]
    if given.get("role") in ROLES:
        known["role"] = given["role"]
    known |= {key: given[key] for key in _BOOLEANS if isinstance(given.get(key), bool)}
    return known | {key: given[key] for key in _TEXTS if isinstance(given.get(key), str)}

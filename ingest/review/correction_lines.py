"""The fields of a line of corrections, and what is wrong with a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NamedTuple

import polars as pl

from ingest.roles import ROLES
from ingest.text import safe

RIGHT, WRONG = VERDICTS = ("right", "wrong")

_MAX_SHOWN = 40  # characters of a wrong value in a message
_MAX_INT = 2**63
_ID = re.compile(r"[0-9a-f]{16}")


class _Field(NamedTuple):
    """One field of a line.

    Attributes:
        dtype: its type.
        accepts: whether a value other than null may be used.
        expected: what it must be, for messages.
        required: whether a line without it is damaged.
    """

    dtype: pl.DataType
    accepts: Callable[[Any], bool]
    expected: str
    required: bool = False


def _is_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which Polars cannot hold
        return False
    return True


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _is_filled(value: Any) -> bool:
    return _is_text(value) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_INT


_TEXT = _Field(pl.String(), _is_text, "a text")
_NAME = _Field(pl.String(), _is_filled, "a text", required=True)
_STRATUM = _Field(pl.String(), _is_text, "a text: the name of a part of the sample, as kept, ar")
_NEW_TEXT = _Field(pl.String(), _is_filled, "a text that is not empty")
_HASH = _Field(pl.String(), _is_hash, "16 hex digits")
_BOOLEAN = _Field(pl.Boolean(), lambda value: isinstance(value, bool), "true or false")
_WITHDRAWN = _Field(pl.Boolean(), lambda value: value is True, "true, or left out")
_VERDICT = _Field(pl.String(), VERDICTS.__contains__, "right or wrong")
_ROLE = _Field(pl.String(), lambda value: value in ROLES, f"one of {', '.join(ROLES)}")
_NUMBER = _Field(pl.Int64(), _is_number, "a whole number from 0", required=True)

FIELDS: dict[str, dict[str, _Field]] = {
    "segment": {
        "doc_id": _HASH._replace(required=True),
        "uri": _TEXT,
        "segment": _NUMBER,
        "sha": _HASH,
        "text": _TEXT,
        "verdict": _VERDICT,
        "keep": _BOOLEAN,
        "role": _ROLE,
        "starts_article": _BOOLEAN,
        "withdrawn": _WITHDRAWN,
        "audit": _STRATUM,
    },
    "pair": {
        "pair_id": _NAME,
        "sha": _HASH,
        "source_text": _TEXT,
        "target_text": _TEXT,
        "verdict": _VERDICT,
        "keep": _BOOLEAN,
        "new_source_text": _NEW_TEXT,
        "new_target_text": _NEW_TEXT,
        "withdrawn": _WITHDRAWN,
        "audit": _STRATUM,
    },
    "rule": {
        "site": _TEXT._replace(required=True),
        "path": _NAME,
        "role": _ROLE._replace(required=True),
        "keep": _BOOLEAN._replace(required=True),
    },
}
# What a line is about. Of several lines about one thing, the last one counts.
KEYS = {"segment": ["doc_id", "segment"], "pair": ["pair_id"], "rule": ["site", "path"]}
# What a line says, one of which it must have.
_SAYS = {
    "segment": ["verdict", "keep", "role", "starts_article"],
    "pair": ["verdict", "keep", "new_source_text", "new_target_text"],
}
SCHEMAS = {
    kind: pl.Schema({name: field.dtype for name, field in fields.items()})
    for kind, fields in FIELDS.items()
}


def parse_line(line: bytes) -> tuple[str, dict[str, Any]] | str:
    """Return the kind and all fields of a line, or what is wrong with it.

    >>> parse_line(b'{"kind": "pair", "pair_id": "a", "kep": true}')
    'unknown field "kep"; did you mean keep?'
    """
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError:
        return "is not UTF-8"
    except (ValueError, RecursionError):
        return "is not JSON"
    if not isinstance(record, dict):
        return "is not a JSON object"
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in FIELDS:
        return f"kind is {_shown(kind)}, must be one of {', '.join(FIELDS)}"
    fields = FIELDS[kind]
    if unknown := next((name for name in record if name not in fields and name != "kind"), None):
        return _describe_unknown(unknown, kind)
    row = {name: record.get(name) for name in fields}
    return _find_fault(row, fields) or _find_nothing(row, kind) or (kind, row)


def _describe_unknown(name: str, kind: str) -> str:
    fields = FIELDS[kind]
    similar = get_close_matches(name.lower(), fields, 1)
    hint = f"did you mean {similar[0]}?" if similar else f"a {kind} has {', '.join(fields)}"
    return f"unknown field {_shown(name)}; {hint}"


def _find_nothing(row: dict[str, Any], kind: str) -> str:
    """Return a fault if a line says nothing, or takes back what it says."""
    says = [name for name in _SAYS.get(kind, ()) if row[name] is not None]
    if row.get("withdrawn"):
        return f"withdrawn takes everything back; leave out {', '.join(says)}" if says else ""
    if says or kind not in _SAYS:
        return ""
    names = ", ".join(_SAYS[kind])
    return f"says nothing; give {names}, or withdrawn to take an earlier line back"


def _find_fault(row: dict[str, Any], fields: dict[str, _Field]) -> str:
    for name, about in fields.items():
        value = row[name]
        if value is None and about.required:
            return f"{name} is missing"
        if value is not None and not about.accepts(value):
            return f"{name} is {_shown(value)}, must be {about.expected}"
    return ""


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return safe(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")

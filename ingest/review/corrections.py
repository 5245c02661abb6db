"""Read, merge and write corrections: JSON Lines, one thing per line. README.md lists the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import SourceError
from ingest.roles import ROLES
from ingest.text import safe

RIGHT, WRONG = VERDICTS = ("right", "wrong")

_MAX_SHOWN = 40  # characters of a wrong value in a message
_MAX_INT = 2**63
_ID = re.compile(r"[0-9a-f]{16}")
# A line with a fault that was meant as a correction.
_NAMES_A_KIND = re.compile(rb'(?m)^\s*\{[^\n]*"kind"')


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

_FIELDS: dict[str, dict[str, _Field]] = {
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
_KEYS = {"segment": ["doc_id", "segment"], "pair": ["pair_id"], "rule": ["site", "path"]}
# What a line says, one of which it must have.
_SAYS = {
    "segment": ["verdict", "keep", "role", "starts_article"],
    "pair": ["verdict", "keep", "new_source_text", "new_target_text"],
}
_SCHEMAS = {
    kind: pl.Schema({name: field.dtype for name, field in fields.items()})
    for kind, fields in _FIELDS.items()
}


@dataclass(frozen=True)
class Corrections:
    """Corrections, one row per thing, sorted, so that the order of lines makes no difference.

    Attributes:
        segments: doc_id, uri, segment, sha, text, verdict, keep, role, starts_article,
            withdrawn, audit.
        pairs: pair_id, sha, source_text, target_text, verdict, keep, new_source_text,
            new_target_text, withdrawn, audit.
        rules: site, path, role, keep.
        damaged: what is wrong with each line that was left out.
    """

    segments: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMAS["segment"]))
    pairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMAS["pair"]))
    rules: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMAS["rule"]))
    damaged: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(len(frame) for frame in (self.segments, self.pairs, self.rules))


def parse_corrections(data: bytes, name: str = "corrections") -> Corrections:
    r"""Parse lines of corrections. Of several lines about one thing, the last one counts.

    A damaged line is left out, and listed in `damaged`. A line with a field that is not known is
    damaged too: it could be a misspelt one, without which the line says something else.

    Args:
        data: JSON Lines in UTF-8.
        name: name of the file, for messages.

    >>> lines = b'{"kind": "rule", "site": "a.com", "path": "p", "role": "nav", "keep": false}\nno'
    >>> corrections = parse_corrections(lines, "c.jsonl")
    >>> len(corrections.rules), corrections.damaged
    (1, ['c.jsonl, line 2: is not JSON'])
    """
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _FIELDS}
    damaged: list[str] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        parsed = _parse(line)
        if isinstance(parsed, str):
            damaged.append(f"{name}, line {number}: {parsed}")
        else:
            kind, row = parsed
            rows[kind].append(row)
    frames = {kind: pl.DataFrame(rows[kind], _SCHEMAS[kind], orient="row") for kind in _FIELDS}
    return _keep_last(frames, damaged)


def read_corrections(path: Path) -> Corrections:
    """Read a file of corrections, as `parse_corrections` does.

    Raises:
        SourceError: the file cannot be read, or it has lines and none is meant as a correction.

    >>> read_corrections(Path("no-such-file.jsonl"))
    Traceback (most recent call last):
    ...
    ingest.errors.SourceError: no-such-file.jsonl: no such file; give a file of corrections that \
the report saved
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(
            f"{path}: no such file; give a file of corrections that the report saved"
        ) from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    corrections = parse_corrections(data, str(path))
    if corrections.damaged and not corrections and not _NAMES_A_KIND.search(data):
        raise SourceError(
            f"{path}: is not a file of corrections; give one that the report saved, or one as in "
            "ingest/review/README.md"
        )
    return corrections


def merge_corrections(parts: Sequence[Corrections]) -> Corrections:
    r"""Merge corrections; later ones replace earlier ones about the same thing.

    A segment that was `wrong` once, and whose `keep` was then worked out, keeps it if it is called
    `wrong` again.

    >>> line = '{"kind": "rule", "site": "a.com", "path": "p", "role": "%s", "keep": false}'
    >>> parts = [parse_corrections((line % role).encode()) for role in ("nav", "ad")]
    >>> merge_corrections(parts).rules["role"].to_list()
    ['ad']
    """
    merged = Corrections()
    for part in parts:
        known = merged.segments.filter(verdict=WRONG).select(*_KEYS["segment"], known="keep")
        segments = part.segments.join(
            known, on=_KEYS["segment"], how="left", maintain_order="left"
        ).with_columns(
            keep=pl.when(pl.col("verdict") == WRONG)
            .then(pl.coalesce("keep", "known"))
            .otherwise("keep")
        )
        frames = {
            "segment": pl.concat([merged.segments, segments.drop("known")]),
            "pair": pl.concat([merged.pairs, part.pairs]),
            "rule": pl.concat([merged.rules, part.rules]),
        }
        merged = _keep_last(frames, [*merged.damaged, *part.damaged])
    return merged


def write_corrections(corrections: Corrections) -> bytes:
    r"""Return the lines of corrections, without fields that are null.

    >>> line = b'{"kind":"rule","site":"a.com","path":"p","role":"nav","keep":false}\n'
    >>> write_corrections(parse_corrections(line)) == line
    True
    """
    lines: list[str] = []
    for kind, frame in (
        ("segment", corrections.segments),
        ("pair", corrections.pairs),
        ("rule", corrections.rules),
    ):
        for row in frame.iter_rows(named=True):
            record = {"kind": kind, **{k: v for k, v in row.items() if v is not None}}
            lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


def _keep_last(frames: dict[str, pl.DataFrame], damaged: list[str]) -> Corrections:
    segments, pairs, rules = (
        frames[kind].unique(keys, keep="last", maintain_order=True).sort(keys)
        for kind, keys in _KEYS.items()
    )
    return Corrections(segments, pairs, rules, damaged)


def _parse(line: bytes) -> tuple[str, dict[str, Any]] | str:
    """Return the kind and the known fields of a line, or what is wrong with it."""
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError:
        return "is not UTF-8"
    except (ValueError, RecursionError):
        return "is not JSON"
    if not isinstance(record, dict):
        return "is not a JSON object"
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return f"kind is {_shown(kind)}, must be one of {', '.join(_FIELDS)}"
    fields = _FIELDS[kind]
    if unknown := next((name for name in record if name not in fields and name != "kind"), None):
        return _describe_unknown(unknown, kind)
    row = {name: record.get(name) for name in fields}
    return _find_fault(row, fields) or _find_nothing(row, kind) or (kind, row)


def _describe_unknown(name: str, kind: str) -> str:
    fields = _FIELDS[kind]
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

"""Read, merge and write corrections: JSON Lines, one thing per line. README.md lists the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import SourceError
from ingest.io.file_kinds import NotAFileError, read_file
from ingest.io.remake import DamagedFileError, is_run_folder
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.review.correction_lines import FIELDS, KEYS, SCHEMAS, WRONG, parse_line

# A line with a fault that was meant as a correction.
_NAMES_A_KIND = re.compile(rb'(?m)^\s*\{[^\n]*"kind"')


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

    segments: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMAS["segment"]))
    pairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMAS["pair"]))
    rules: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMAS["rule"]))
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
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in FIELDS}
    damaged: list[str] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        parsed = parse_line(line)
        if isinstance(parsed, str):
            damaged.append(f"{name}, line {number}: {parsed}")
        else:
            kind, row = parsed
            rows[kind].append(row)
    frames = {kind: pl.DataFrame(rows[kind], SCHEMAS[kind], orient="row") for kind in FIELDS}
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
    is_output = path.name == CORRECTIONS_FILE and is_run_folder(path.parent)
    try:
        data = read_file(path) if is_output else path.read_bytes()  # any other may be a pipe
    except FileNotFoundError as error:
        raise SourceError(
            f"{path}: no such file; give a file of corrections that the report saved"
        ) from error
    except NotAFileError as error:
        raise _refuse(path, str(error.strerror)) from error
    except OSError as error:
        raise _refuse(path, f"cannot be read: {error.strerror}") from error
    corrections = parse_corrections(data, str(path))
    if corrections.damaged and not corrections and not _NAMES_A_KIND.search(data):
        raise _refuse(path, "is not a file of corrections")
    return corrections


def _refuse(path: Path, what: str) -> SourceError:
    if path.name == CORRECTIONS_FILE and is_run_folder(path.parent):
        advice = "put a copy of it back; to go on without it, delete it"
        return DamagedFileError(f"{path}: {what}; {advice}")
    advice = "give one that the report saved, or one as in ingest/review/README.md"
    return SourceError(f"{path}: {what}; {advice}")


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
        if not part:  # nearly all runs
            merged = replace(merged, damaged=[*merged.damaged, *part.damaged])
            continue
        known = merged.segments.filter(verdict=WRONG).select(*KEYS["segment"], known="keep")
        segments = part.segments.join(
            known, on=KEYS["segment"], how="left", maintain_order="left"
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
        for kind, keys in KEYS.items()
    )
    return Corrections(segments, pairs, rules, damaged)

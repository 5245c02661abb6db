"""Write plain text: one line per segment, and an empty line between articles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.writers.plain_text import LINE_BREAKERS, SPACED, replace_matches
from ingest.writers.texts import TextSelection

FOLDER = False
# All line breakers but the newlines between the lines of an article.
_WITHIN_LINES = LINE_BREAKERS.replace(r"\r\n|[\x00-\x1F", r"[\x00-\x09\x0B-\x1F")


def write(selection: TextSelection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    changed = 0
    between = "\n\n" if selection.what == "articles" else "\n"
    first = True
    with dest.open("wb") as file:
        for batch in selection.batches():
            texts, rows = replace_matches(batch.select("text"), _WITHIN_LINES, " ")
            changed += rows
            if len(texts):
                start = "" if first else between
                file.write((start + between.join(texts["text"])).encode())
                first = False
        if not first:
            file.write(b"\n")
    return {"changed": {SPACED: changed}}

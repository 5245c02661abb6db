"""Two text files of as many lines: line N of one is the translation of line N of the other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from ingest.errors import SourceError
from ingest.frames import METHOD_IMPORTED, METHOD_TRANSLATED
from ingest.io.run_files import EXPORT_FILE
from ingest.pairs.languages import of_file
from ingest.pairs.tables import Bad, Rows, batched
from ingest.pairs.text_lines import damaged, lines

_MACHINE = f".{METHOD_TRANSLATED}."  # in names of files that export makes


def moses(source: str, target: str) -> Iterator[Rows | Bad]:
    """The lines of both, and what the .ids that `ingest export` puts beside them says of each.

    Raises:
        SourceError: one cannot be read, or has more lines than the other: then there is no saying
            which lines belong together.
    """
    names = _ids_columns(source, target)
    files = [source, target, *([_ids(source)] if names else [])]
    named = languages(source, target)

    def rows() -> Iterator[tuple[int, dict[str, str | None] | str]]:
        for found in zip_longest(*map(lines, files)):
            held = [line for line in found if line]
            number = held[0][0]
            if len(held) < len(files):
                less, more = (files[next(at for at, x in enumerate(found) if bool(x) == there)]
                              for there in (False, True))  # fmt: skip
                raise SourceError(
                    f"{less} ends after {number - 1:,} lines, and {more} goes on: they must have "
                    "as many"
                )
            texts = [line for _, line in held]
            said = [text for text in texts if isinstance(text, str)]
            if len(said) < len(texts):
                yield number, next(str(text) for text in texts if isinstance(text, SourceError))
            elif any(map(damaged, said)):
                yield number, "holds bytes that are no text"
            else:
                yield number, _row(said, names, named)

    yield from batched(rows())


def _row(
    said: list[str], names: list[str], named: tuple[str, str] | None
) -> dict[str, str | None] | str:
    """A row of both lines and that of .ids, or what is wrong with them."""
    fields = said[2].split("\t") if names else []
    if len(fields) != len(names):
        return f"has {len(fields)} of {len(names)} fields in .ids"
    row: dict[str, str | None] = {
        name: text or None for name, text in zip(names, fields, strict=True)
    }
    turned = named and (row.get("source_lang"), row.get("target_lang")) == named[::-1]
    row["source_text"], row["target_text"] = said[1::-1] if turned else said[:2]
    return row


def _ids(path: str) -> str:
    return os.path.splitext(path)[0] + ".ids"


def _ids_columns(source: str, target: str) -> list[str]:
    """The columns of .ids; none where `ingest export` did not make these files."""
    if _ids(source) != _ids(target) or not os.path.isfile(_ids(source)):
        return []
    try:
        told = Path(source).with_name(EXPORT_FILE).read_bytes()
        names = json.loads(told)["ids_columns"]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def languages(source: str, target: str) -> tuple[str, str] | None:
    """The languages that both files are named by; None where they are not, or by the same.

    >>> languages("dev.en", "dev.ar.txt"), languages("a.txt", "b.ar")
    (('en', 'ar'), None)
    """
    one, other = of_file(source), of_file(target)
    return (one, other) if one and other and one != other else None


def method(source: str, target: str) -> str:
    """How their pairs were made, as the names that `ingest export` gives tell.

    >>> method("out/train.translated.ar", "out/train.translated.en"), method("a.ar", "a.en")
    ('translated', 'imported')
    """
    machine = all(_MACHINE in os.path.basename(path) for path in (source, target))
    return METHOD_TRANSLATED if machine else METHOD_IMPORTED

"""TMX 1.4b, level 1: the text of each side as a <seg>, all else as properties.

Of a <tu>: tuid is the pair_id, srclang the source_lang; a <prop> a column (score, method, model,
…) and `origin`, which says in words what the method is. Of a <tuv>: `source` is the page,
`segments` are its segments; what a machine wrote has creationid "MT!", as translation tools mark
it. Null columns have no <prop>. No date is written: the same pairs make the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator, escape
from xml.sax.xmlreader import AttributesImpl

import polars as pl

from ingest._version import __version__
from ingest.frames import METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED, TURNED
from ingest.writers.plain_text import flat, replaced
from ingest.writers.selection import Selection, sides_of

FOLDER = False
REMOVED = "characters that XML 1.0 cannot hold were removed"
ORIGIN = {
    METHOD_ALIGNED: "aligned from pages",
    METHOD_IMPORTED: "given as a pair",
    METHOD_TRANSLATED: "machine translation",
}
MACHINE = "MT!"

_ILLEGAL = r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]"
# A bare carriage return would be read as a line feed.
_CARRIAGE_RETURN = {"\r": "&#13;"}
_OWN_PLACE = ("pair_id", "source_lang", "target_lang", "source_text", "target_text")


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    sources = {source for source, _ in selection.languages}
    header = {
        "creationtool": "ingest",
        "creationtoolversion": __version__,
        "segtype": "sentence",
        "o-tmf": "ingest pairs",
        "adminlang": "en",
        "srclang": sources.pop() if len(sources) == 1 else "*all*",
        "datatype": "plaintext",
    }
    changed = 0
    with dest.open("w", encoding="utf-8", newline="\n") as file:
        xml = _Writer(file, "utf-8", short_empty_elements=True)
        xml.startDocument()
        file.write('<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n')
        xml.start("tmx", {"version": "1.4"})
        xml.line()
        xml.start("header", header)
        xml.endElement("header")
        xml.start("body")
        xml.line()
        columns = _Columns(selection.columns)
        for batch in selection.batches():
            clean, rows = replaced(flat(batch), _ILLEGAL, "")
            changed += rows
            for row in clean.iter_rows(named=True):
                _unit(xml, row, columns)
        xml.endElement("body")
        xml.endElement("tmx")
        xml.line()
        xml.endDocument()
    return {"changed": {REMOVED: changed}}


class _Writer(XMLGenerator):
    def start(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        self.startElement(name, AttributesImpl(attributes or {}))

    def characters(self, content: str) -> None:
        super().ignorableWhitespace(escape(content, _CARRIAGE_RETURN))

    def line(self) -> None:
        super().ignorableWhitespace("\n")


class _Columns:
    """Which column says what, as name and `type` of the <prop>."""

    def __init__(self, columns: pl.Schema) -> None:
        twins = [(s, t) for s, t in sides_of(columns) if s not in _OWN_PLACE]
        names = [s.removeprefix("source_") for s, _ in twins]
        types = ["source" if name == "doc" else name for name in names]
        of_sides = {name for pair in twins for name in pair}
        self.source = list(zip((s for s, _ in twins), types, strict=True))
        self.target = list(zip((t for _, t in twins), types, strict=True))
        self.unit = [c for c in columns if c not in _OWN_PLACE and c not in of_sides]
        self.origin = "origin" not in columns


def _unit(xml: _Writer, row: dict[str, Any], columns: _Columns) -> None:
    about = {"srclang": row["source_lang"]}
    if row["pair_id"] is not None:
        about["tuid"] = row["pair_id"]
    xml.start("tu", about)
    for name in columns.unit:
        _prop(xml, name, row[name])
        if name == "method" and columns.origin:
            _prop(xml, "origin", ORIGIN[row[name]])
    machine = None
    if row["method"] == METHOD_TRANSLATED:
        machine = "source" if row.get(TURNED) == "true" else "target"
    for side, props in (("source", columns.source), ("target", columns.target)):
        variant = {"xml:lang": row[f"{side}_lang"]}
        if side == machine:
            variant["creationid"] = MACHINE
        xml.start("tuv", variant)
        for name, kind in props:
            _prop(xml, kind, row[name])
        xml.start("seg")
        xml.characters(row[f"{side}_text"])
        xml.endElement("seg")
        xml.endElement("tuv")
    xml.endElement("tu")
    xml.line()


def _prop(xml: _Writer, kind: str, value: str | None) -> None:
    if value is not None:
        xml.start("prop", {"type": kind})
        xml.characters(value)
        xml.endElement("prop")

"""Write TMX 1.4b, level 1: the text of each side as a <seg>, all other columns as properties.

Of a <tu>, tuid is the pair_id and srclang the source_lang. Each <prop> is a column (score, method,
model, …), and `origin` describes the method in words. Of a <tuv>, `source` is the page and
`segments` are its segments. A side that a machine wrote has creationid "MT!", the mark that
translation tools use. Null columns have no <prop>. No date is written, so the same pairs give the
same file.
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
from ingest.writers.plain_text import as_text, replace_matches
from ingest.writers.selection import Selection, side_columns

FOLDER = False
REMOVED = "characters that XML 1.0 cannot hold were removed"
ORIGIN = {
    METHOD_ALIGNED: "aligned from pages",
    METHOD_IMPORTED: "imported as a pair",
    METHOD_TRANSLATED: "machine translation",
}
MACHINE = "MT!"

_ILLEGAL = r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]"
_CARRIAGE_RETURN = {"\r": "&#13;"}  # XML parsers turn a bare one into a line feed
_NOT_PROPS = ("pair_id", "source_lang", "target_lang", "source_text", "target_text")


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    source_langs = {source for source, _ in selection.directions}
    header = {
        "creationtool": "ingest",
        "creationtoolversion": __version__,
        "segtype": "sentence",
        "o-tmf": "ingest pairs",
        "adminlang": "en",
        "srclang": source_langs.pop() if len(source_langs) == 1 else "*all*",
        "datatype": "plaintext",
    }
    changed = 0
    with dest.open("w", encoding="utf-8", newline="\n") as file:
        xml = _Writer(file, "utf-8", short_empty_elements=True)
        xml.startDocument()
        file.write('<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n')
        xml.start("tmx", {"version": "1.4"})
        xml.line_break()
        xml.start("header", header)
        xml.endElement("header")
        xml.start("body")
        xml.line_break()
        columns = _PropColumns(selection.columns)
        for batch in selection.batches():
            rows, changed_rows = replace_matches(as_text(batch), _ILLEGAL, "")
            changed += changed_rows
            for row in rows.iter_rows(named=True):
                _write_unit(xml, row, columns)
        xml.endElement("body")
        xml.endElement("tmx")
        xml.line_break()
        xml.endDocument()
    return {"changed": {REMOVED: changed}}


class _Writer(XMLGenerator):
    def start(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        self.startElement(name, AttributesImpl(attributes or {}))

    def characters(self, content: str) -> None:
        super().ignorableWhitespace(escape(content, _CARRIAGE_RETURN))

    def line_break(self) -> None:
        super().ignorableWhitespace("\n")


class _PropColumns:
    """The columns that become properties, of the unit and of each side.

    Attributes:
        unit: columns of the unit.
        source: column and `type` of the properties of the source.
        target: the same for the target.
        add_origin: whether to add a property `origin`.
    """

    def __init__(self, columns: pl.Schema) -> None:
        twins = [(s, t) for s, t in side_columns(columns) if s not in _NOT_PROPS]
        names = [source.removeprefix("source_") for source, _ in twins]
        types = ["source" if name == "doc" else name for name in names]
        of_sides = {name for pair in twins for name in pair}
        self.source = list(zip((s for s, _ in twins), types, strict=True))
        self.target = list(zip((t for _, t in twins), types, strict=True))
        self.unit = [c for c in columns if c not in _NOT_PROPS and c not in of_sides]
        self.add_origin = "origin" not in columns


def _write_unit(xml: _Writer, row: dict[str, Any], columns: _PropColumns) -> None:
    attributes = {"srclang": row["source_lang"]}
    if row["pair_id"] is not None:
        attributes["tuid"] = row["pair_id"]
    xml.start("tu", attributes)
    for name in columns.unit:
        _write_prop(xml, name, row[name])
        if name == "method" and columns.add_origin:
            _write_prop(xml, "origin", ORIGIN[row[name]])
    machine_side = None
    if row["method"] == METHOD_TRANSLATED:
        machine_side = "source" if row.get(TURNED) == "true" else "target"
    for side, props in (("source", columns.source), ("target", columns.target)):
        attributes = {"xml:lang": row[f"{side}_lang"]}
        if side == machine_side:
            attributes["creationid"] = MACHINE
        xml.start("tuv", attributes)
        for name, kind in props:
            _write_prop(xml, kind, row[name])
        xml.start("seg")
        xml.characters(row[f"{side}_text"])
        xml.endElement("seg")
        xml.endElement("tuv")
    xml.endElement("tu")
    xml.line_break()


def _write_prop(xml: _Writer, kind: str, value: str | None) -> None:
    if value is not None:
        xml.start("prop", {"type": kind})
        xml.characters(value)
        xml.endElement("prop")

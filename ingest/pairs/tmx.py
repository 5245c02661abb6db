"""Read TMX: the texts of each translation unit, as a stream.

Files that declare entities are refused, and no other file is ever opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from ingest.errors import SourceError
from ingest.frames import METHOD_TRANSLATED, TURNED
from ingest.io.streams import read_pieces
from ingest.pairs.columns import is_pair_column
from ingest.pairs.languages import normalize_language
from ingest.pairs.tables import InvalidRow, NumberedRow, Row, Rows, batch_rows
from ingest.writers.tmx import MACHINE

_INLINE_CODES = {"bpt", "ept", "ph", "it", "ut"}  # their content is markup, not text
_LANG_ATTRIBUTES = ("xml:lang", "lang")
# Properties of a side that export writes, and the column of each without source_ or target_
_SIDE_COLUMNS = {"source": "doc", "segments": "segments"}


def read_tmx(source: str, langs: tuple[str, str] | None) -> Iterator[Rows | InvalidRow]:
    """Read the units of a file. `langs` chooses two if there are more languages."""

    def rows() -> Iterator[NumberedRow]:
        parser = _UnitParser()
        number = 1
        try:
            for piece in read_pieces(source):
                parser.feed(piece)
                for number, unit in parser.pop_units():
                    yield number, _row(unit, langs)
            parser.feed(b"", last=True)
        except SourceError as error:
            yield number, f"cannot be read from here on: {error}"
        except expat.ExpatError as error:
            for number, unit in parser.pop_units():
                yield number, _row(unit, langs)
            yield error.lineno, f"is not valid XML from here on: {expat.ErrorString(error.code)}"

    yield from batch_rows(rows())


class _Variant:
    """A <tuv>: the text of a unit in one language."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.lang = next((attributes[name] for name in _LANG_ATTRIBUTES if name in attributes), "")
        self.is_machine = attributes.get("creationid") == MACHINE
        self.text: str | None = None
        self.props: dict[str, str] = {}


class _Unit:
    """A <tu>: its attributes and properties, and one variant per language."""

    def __init__(
        self, attributes: dict[str, str], srclang: str, *, written_by_ingest: bool
    ) -> None:
        self.written_by_ingest = written_by_ingest
        self.tuid = attributes.get("tuid")
        self.srclang = attributes.get("srclang", srclang)
        self.props: dict[str, str] = {}
        self.variants: list[_Variant] = []


class _UnitParser:
    """Collects units from a stream of XML, each when it is complete."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse_entity
        self._complete: list[tuple[int, _Unit]] = []
        self._unit: _Unit | None = None
        self._variant: _Variant | None = None
        self._srclang = ""
        self._written_by_ingest = False
        self._line = 0
        self._prop: str | None = None
        self._text: list[str] | None = None  # text of the open <seg> or <prop>
        self._code_depth = 0

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Parse the next bytes."""
        self._parser.Parse(piece, last)

    def pop_units(self) -> Iterator[tuple[int, _Unit]]:
        """Yield the complete units, each once, with their line numbers."""
        complete, self._complete = self._complete, []
        yield from complete

    def _refuse_entity(self, *_declaration: object) -> NoReturn:
        raise SourceError("declares entities, which TMX does not need")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "header":
            self._srclang = attributes.get("srclang", "")
            self._written_by_ingest = attributes.get("creationtool") == "ingest"
        elif tag == "tu":
            self._unit = _Unit(attributes, self._srclang, written_by_ingest=self._written_by_ingest)
            self._line = self._parser.CurrentLineNumber
        elif tag == "tuv" and self._unit:
            self._variant = _Variant(attributes)
            self._unit.variants.append(self._variant)
        elif tag == "prop" and self._unit and self._written_by_ingest:
            self._prop, self._text = attributes.get("type"), []
        elif tag == "seg" and self._variant:
            self._text = []
        elif tag in _INLINE_CODES:
            self._code_depth += 1

    def _end(self, tag: str) -> None:
        if tag == "tu" and self._unit:
            self._complete.append((self._line, self._unit))
            self._unit = None
        elif tag == "tuv":
            self._variant = None
        elif tag == "prop" and self._unit:
            if self._prop:
                (self._variant or self._unit).props[self._prop] = "".join(self._text or ())
            self._prop = self._text = None
        elif tag == "seg" and self._variant:
            self._variant.text, self._text = "".join(self._text or ()), None
        elif tag in _INLINE_CODES:
            self._code_depth -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._code_depth:
            self._text.append(text)


def _row(unit: _Unit, langs: tuple[str, str] | None) -> Row | str:
    """Make a row with our column names, or return the problem."""
    variants = unit.variants
    if langs:
        by_lang = {normalize_language(variant.lang): variant for variant in reversed(variants)}
        if missing := [lang for lang in langs if lang not in by_lang]:
            return f"has no {missing[0]}"
        variants = [by_lang[lang] for lang in langs]
    if len(variants) != 2:
        return f"has {len(variants)} languages, not 2; if there are more, choose two with --langs"
    source_is_second = normalize_language(unit.srclang) == normalize_language(variants[1].lang)
    if (unit.written_by_ingest or not langs) and source_is_second:
        variants = variants[::-1]
    row: dict[str, str | None] = {"pair_id": unit.tuid, "method": None}
    row |= {name: value for name, value in unit.props.items() if is_pair_column(name)}
    if any(variant.is_machine for variant in variants):
        row["method"] = METHOD_TRANSLATED
        # the machine wrote the target, unless the pair was turned around
        if variants[0].is_machine and row.get(TURNED) != "true":
            variants = variants[::-1]
    for side, variant in zip(("source", "target"), variants, strict=True):
        row[f"{side}_lang"], row[f"{side}_text"] = variant.lang, variant.text
        row |= {f"{side}_{_SIDE_COLUMNS.get(k, k)}": v for k, v in variant.props.items()}
    return row

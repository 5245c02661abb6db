"""Read TMX: the texts of each translation unit, as a stream.

A damaged unit costs no other one. No other file is ever opened: the names of characters, such as
&nbsp;, are those of HTML, and those that the file itself declares for a few characters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.entities import html5
from itertools import islice
from xml.parsers import expat

from ingest.errors import SourceError
from ingest.frames import METHOD_TRANSLATED, TURNED
from ingest.pairs.languages import normalize_language
from ingest.pairs.tables import InvalidRow, NumberedRow, Row, Rows, batch_rows
from ingest.pairs.tmx_codes import CODES, join_pieces, text_of_code
from ingest.pairs.tmx_units import UnitSplitter, UnitText, read_text
from ingest.writers.tmx import MACHINE

_LANG_ATTRIBUTES = ("xml:lang", "lang")
# Properties of a side that export writes, and the column of each without source_ or target_
_SIDE_COLUMNS = {"source": "doc", "segments": "segments"}
_ORIGIN = "origin"  # a property that repeats the method
_UNITS_AT_ONCE = 256
_HEADER = re.compile(r"<header\b((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ENTITY = re.compile(r"&([A-Za-z_][\w.-]*);")
_DECLARED = re.compile(r"<!ENTITY\s+([A-Za-z_][\w.-]*)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_MAX_ENTITY_CHARS = 32  # what a file declares as one character, or a few
_XML_NAMES = frozenset(("amp", "lt", "gt", "quot", "apos"))
_TMX = re.compile(r"<tmx[\s>]")


def read_tmx(source: str, langs: tuple[str, str] | None) -> Iterator[Rows | InvalidRow]:
    """Read the units of a file. `langs` chooses two if there are more languages.

    A unit with several variants of a language gives several pairs.
    """
    yield from batch_rows(_read_rows(source, langs))


def _read_rows(source: str, langs: tuple[str, str] | None) -> Iterator[NumberedRow]:
    splitter = UnitSplitter(read_text(source))
    units = iter(splitter)
    parser: _Parser | None = None
    last = 1
    failed: SourceError | None = None

    def until_failure() -> Iterator[UnitText]:
        nonlocal failed
        try:
            yield from units
        except SourceError as error:
            failed = error

    texts = until_failure()
    while batch := list(islice(texts, _UNITS_AT_ONCE)):
        parser = parser or _Parser(splitter.head)
        for text, unit in parser.parse(batch):
            last = text.line
            for row in [unit] if isinstance(unit, str) else _rows(unit, langs):
                yield text.line, row
    if failed:
        yield last, f"cannot be read from here on: {failed}"
    elif parser is None:
        kind = "has no units" if _TMX.search(splitter.head) else "is not TMX: it has no <tu>"
        yield 1, kind


class _Variant:
    """A <tuv>: the text of a unit in one language."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.lang = next((attributes[name] for name in _LANG_ATTRIBUTES if name in attributes), "")
        self.is_machine = attributes.get("creationid") == MACHINE
        self.text: str | None = None
        self.props: dict[str, str] = {}


class _Unit:
    """A <tu>: its attributes and properties, and its variants."""

    def __init__(
        self, attributes: dict[str, str], srclang: str, *, written_by_ingest: bool
    ) -> None:
        self.written_by_ingest = written_by_ingest
        self.tuid = attributes.get("tuid")
        self.srclang = attributes.get("srclang", srclang)
        self.props: dict[str, str] = {}
        self.variants: list[_Variant] = []


class _Parser:
    """Parses the units of one file, many at once as long as they are valid."""

    def __init__(self, head: str) -> None:
        header = _HEADER.search(head)
        attributes = {
            name: html.unescape(one or other)
            for name, one, other in _ATTRIBUTE.findall(header[1] if header else "")
        }
        self._srclang = attributes.get("srclang", "")
        self._written_by_ingest = attributes.get("creationtool") == "ingest"
        self._entities = _declared_entities(head)
        self._declared = _declared(head)

    def parse(self, texts: list[UnitText]) -> Iterator[tuple[UnitText, _Unit | str]]:
        """Yield each unit, or why it is lost."""
        whole = [text for text in texts if not text.problem]
        try:
            units = iter(self._parse("\n".join(text.text for text in whole)))
        except expat.ExpatError:
            for text in texts:
                yield text, text.problem or self._parse_one(text)
            return
        for text in texts:
            yield text, text.problem or next(units)

    def _parse_one(self, text: UnitText) -> _Unit | str:
        try:
            return self._parse(text.text)[0]
        except expat.ExpatError as error:
            problem = f"is not valid XML: {expat.ErrorString(error.code)}"
            unknown = [name for name in _ENTITY.findall(text.text) if not self._value(name)]
            if unknown and unknown[0] in self._declared:
                return (
                    f"uses &{unknown[0]};, which stands for markup, for much text or for other "
                    "entities; such names are never expanded"
                )
            return f"{problem}: &{unknown[0]};" if unknown else problem

    def _parse(self, text: str) -> list[_Unit]:
        reader = _UnitReader(self._srclang, written_by_ingest=self._written_by_ingest)
        names = {name: self._value(name) for name in set(_ENTITY.findall(text)) - _XML_NAMES}
        entities = "".join(
            f'<!ENTITY {name} "{"".join(map(_reference, value))}">'
            for name, value in names.items()
            if value
        )
        document = f"<!DOCTYPE body [{entities}]><body>{text}</body>"
        return reader.read(document.encode("utf-8", "surrogatepass"))

    def _value(self, name: str) -> str | None:
        return self._entities.get(name) or html5.get(f"{name};")


def _declared_entities(head: str) -> dict[str, str]:
    """Return the characters that a file declares names for. Names of other things are unknown."""
    return {
        name: value
        for name, stored in _declared(head).items()
        if not set(_ENTITY.findall(stored)) - _XML_NAMES
        and (value := html.unescape(stored)).isprintable()
        and len(value) <= _MAX_ENTITY_CHARS
        and "<" not in value
    }


def _declared(head: str) -> dict[str, str]:
    return {name: one or other for name, one, other in _DECLARED.findall(head)}


def _reference(char: str) -> str:
    # markup in the value of an entity is read twice
    return f"&#38;#{ord(char)};" if char in "<&" else f"&#{ord(char)};"


class _UnitReader:
    """Collects the units of a valid document."""

    def __init__(self, srclang: str, *, written_by_ingest: bool) -> None:
        self._srclang, self._written_by_ingest = srclang, written_by_ingest
        self._units: list[_Unit] = []
        self._unit: _Unit | None = None
        self._variant: _Variant | None = None
        self._prop: str | None = None
        self._text: list[str | None] | None = None  # of the open <seg> or <prop>
        self._codes: list[tuple[str, str]] = []  # tag and type of the open inline codes
        self._code: list[str] = []  # text of the outermost inline code
        self._sub_depth = 0

    def read(self, document: bytes) -> list[_Unit]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(document, True)
        return self._units

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "tu":
            self._unit = _Unit(attributes, self._srclang, written_by_ingest=self._written_by_ingest)
        elif tag == "tuv" and self._unit:
            self._variant = _Variant(attributes)
            self._unit.variants.append(self._variant)
        elif tag == "prop" and self._unit and self._written_by_ingest:
            self._prop, self._text = attributes.get("type"), []
        elif tag == "seg" and self._variant:
            self._text = []
        elif tag in CODES:
            self._codes.append((tag, attributes.get("type", "")))
        elif tag == "sub":
            self._sub_depth += 1

    def _end(self, tag: str) -> None:
        if tag == "tu" and self._unit:
            self._units.append(self._unit)
            self._unit = None
        elif tag == "tuv":
            self._variant = None
        elif tag == "prop" and self._unit:
            if self._prop:
                (self._variant or self._unit).props[self._prop] = join_pieces(self._text or [])
            self._prop = self._text = None
        elif tag == "seg" and self._variant:
            self._variant.text, self._text = join_pieces(self._text or []), None
        elif tag in CODES:
            code = self._codes.pop()
            if not self._codes and self._text is not None:
                self._text.append(text_of_code(*code, "".join(self._code)))
                self._code = []
        elif tag == "sub":
            self._sub_depth -= 1

    def _characters(self, text: str) -> None:
        if self._codes:  # a <sub> is a text of its own, such as a footnote
            self._code += [] if self._sub_depth else [text]
        elif self._text is not None:
            self._text.append(text)


def _rows(unit: _Unit, langs: tuple[str, str] | None) -> list[Row | str]:
    """Make rows with our column names, or return the problem.

    Variants of one language, such as en-US and en-GB, are each paired with the other language.
    """
    sides = _sides(unit, langs)
    if isinstance(sides, str):
        return [sides]
    first, second = sides
    source_is_second = normalize_language(unit.srclang) == normalize_language(second[0].lang)
    if (unit.written_by_ingest or not langs) and source_is_second:
        first, second = second, first
    pairs = [(first[0], other) for other in second] + [(one, second[0]) for one in first[1:]]
    return [_row(unit, pair, unit.tuid if n == 0 else None) for n, pair in enumerate(pairs)]


def _sides(
    unit: _Unit, langs: tuple[str, str] | None
) -> tuple[list[_Variant], list[_Variant]] | str:
    """Return the variants of both languages, or the problem."""
    if unit.written_by_ingest and not langs and len(unit.variants) == 2:
        return [unit.variants[0]], [unit.variants[1]]
    by_lang: dict[str, list[_Variant]] = {}
    for variant in unit.variants:
        base = normalize_language(variant.lang) or variant.lang
        by_lang.setdefault(base, []).append(variant)
    if missing := [lang for lang in langs or () if lang not in by_lang]:
        return f"has no {missing[0]}"
    if len(by_lang) == 1:
        return f"has only texts in {next(iter(by_lang)) or 'an unnamed language'}"
    if len(by_lang) != 2 and not langs:
        return f"has {len(by_lang)} languages, not 2; if there are more, choose two with --langs"
    first, second = langs or by_lang
    return _with_text(by_lang[first]), _with_text(by_lang[second])


def _with_text(variants: list[_Variant]) -> list[_Variant]:
    return [variant for variant in variants if variant.text] or variants[:1]


def _row(unit: _Unit, variants: tuple[_Variant, _Variant], pair_id: str | None) -> Row:
    row: dict[str, str | None] = {"pair_id": pair_id, "method": None}
    row |= {name: value for name, value in unit.props.items() if name != _ORIGIN}
    if any(variant.is_machine for variant in variants):
        row["method"] = METHOD_TRANSLATED
        # the machine wrote the target, unless the pair was turned around
        if variants[0].is_machine and row.get(TURNED) != "true":
            variants = variants[::-1]
    for side, variant in zip(("source", "target"), variants, strict=True):
        row[f"{side}_lang"], row[f"{side}_text"] = variant.lang, variant.text
        row |= {f"{side}_{_SIDE_COLUMNS.get(k, k)}": v for k, v in variant.props.items()}
    return row

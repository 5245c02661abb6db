"""TMX: the two texts of each unit, as they stream by.

A document type that declares entities is refused, and no other file is ever opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from ingest.errors import SourceError
from ingest.frames import METHOD_TRANSLATED, TURNED
from ingest.io.streams import read_pieces
from ingest.pairs.columns import known
from ingest.pairs.languages import base
from ingest.pairs.tables import Bad, Rows, batched
from ingest.writers.tmx import MACHINE

_CODES = {"bpt", "ept", "ph", "it", "ut"}  # what stands in them is markup, no text
_LANG = ("xml:lang", "lang")
_SIDES = {"source": "doc", "segments": "segments"}  # properties of a side, as export writes them


def tmx(source: str, langs: tuple[str, str] | None) -> Iterator[Rows | Bad]:
    """The units of a file; of more than two languages, those of `langs`."""

    def rows() -> Iterator[tuple[int, dict[str, str | None] | str]]:
        units = _Units()
        at = 1
        try:
            for piece in read_pieces(source):
                units.feed(piece)
                for at, unit in units.taken():
                    yield at, _row(unit, langs)
            units.feed(b"", last=True)
        except SourceError as error:
            yield at, f"cannot be read from here on: {error}"
        except expat.ExpatError as error:
            for at, unit in units.taken():
                yield at, _row(unit, langs)
            yield error.lineno, f"is no XML from here on: {expat.ErrorString(error.code)}"

    yield from batched(rows())


class _Side:
    """One language of a unit."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.lang = next((attributes[name] for name in _LANG if name in attributes), "")
        self.machine = attributes.get("creationid") == MACHINE
        self.text: str | None = None
        self.props: dict[str, str] = {}


class _Unit:
    """A <tu>: what it says of itself, and its languages."""

    def __init__(self, attributes: dict[str, str], srclang: str, *, ours: bool) -> None:
        self.ours = ours
        self.name = attributes.get("tuid")
        self.srclang = attributes.get("srclang", srclang)
        self.props: dict[str, str] = {}
        self.sides: list[_Side] = []


class _Units:
    """The units of a stream of XML, each once it is whole."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        self._done: list[tuple[int, _Unit]] = []
        self._unit: _Unit | None = None
        self._side: _Side | None = None
        self._srclang = ""
        self._ours = False
        self._line = 0
        self._prop: str | None = None
        self._said: list[str] | None = None  # text of the element that is open, if it counts
        self._code = 0  # depth in markup

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Read on."""
        self._parser.Parse(piece, last)

    def taken(self) -> Iterator[tuple[int, _Unit]]:
        """The units that are whole, with their lines; each comes once."""
        done, self._done = self._done, []
        yield from done

    def _entity(self, *_declared: object) -> NoReturn:
        raise SourceError("declares entities, which TMX has no use for")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "header":
            self._srclang = attributes.get("srclang", "")
            self._ours = attributes.get("creationtool") == "ingest"
        elif tag == "tu":
            self._unit = _Unit(attributes, self._srclang, ours=self._ours)
            self._line = self._parser.CurrentLineNumber
        elif tag == "tuv" and self._unit:
            self._side = _Side(attributes)
            self._unit.sides.append(self._side)
        elif tag == "prop" and self._unit and self._ours:
            self._prop, self._said = attributes.get("type"), []
        elif tag == "seg" and self._side:
            self._said = []
        elif tag in _CODES:
            self._code += 1

    def _end(self, tag: str) -> None:
        said = "".join(self._said or ())
        if tag == "tu" and self._unit:
            self._done.append((self._line, self._unit))
            self._unit = None
        elif tag == "tuv":
            self._side = None
        elif tag == "prop" and self._unit:
            if self._prop:
                (self._side or self._unit).props[self._prop] = said
            self._prop = self._said = None
        elif tag == "seg" and self._side:
            self._side.text, self._said = said, None
        elif tag in _CODES:
            self._code -= 1

    def _characters(self, text: str) -> None:
        if self._said is not None and not self._code:
            self._said.append(text)


def _row(unit: _Unit, langs: tuple[str, str] | None) -> dict[str, str | None] | str:
    """A unit as a row of our own, or what is wrong with it."""
    sides = unit.sides
    if langs:
        named = {base(side.lang): side for side in reversed(sides)}
        if missing := [lang for lang in langs if lang not in named]:
            return f"has no {missing[0]}"
        sides = [named[lang] for lang in langs]
    if len(sides) != 2:
        return f"has {len(sides)} languages, not 2; --langs names two of more"
    if (unit.ours or not langs) and base(unit.srclang) == base(sides[1].lang):
        sides = sides[::-1]
    row: dict[str, str | None] = {"pair_id": unit.name, "method": None}
    row |= {name: value for name, value in unit.props.items() if known(name)}
    if any(side.machine for side in sides):
        row["method"] = METHOD_TRANSLATED
        # the machine's words are the target's, unless the unit says that it was turned round
        if sides[0].machine and row.get(TURNED) != "true":
            sides = sides[::-1]
    for name, side in zip(("source", "target"), sides, strict=True):
        row[f"{name}_lang"], row[f"{name}_text"] = side.lang, side.text
        row |= {f"{name}_{_SIDES.get(k, k)}": v for k, v in side.props.items()}
    return row

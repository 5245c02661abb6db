from __future__ import annotations

import hashlib

import polars as pl
import pytest

from ingest.frames import DOCUMENTS, schema
from ingest.readers.document import to_row
from ingest.readers.records import Record

ARABIC = "أعلنت الوزارة، أمس الأربعاء، عن خطة جديدة لدعم المزارعين"


def test_html_is_decoded_as_declared():
    html = f"<!doctype html><meta charset=windows-1256><title>{ARABIC}</title><p>{ARABIC}"
    row = to_row(Record("a", content=html.encode("cp1256")))
    assert (row["media_type"], row["encoding"], row["title"]) == ("text/html", "cp1256", ARABIC)
    assert ARABIC in row["text"]


def test_the_header_precedes_the_page_and_utf8_precedes_both():
    html = f"<html><meta charset=windows-1252><p>{ARABIC}"
    declared = Record("a", content=html.encode("iso8859-6"), charset="iso-8859-6")
    assert ARABIC in to_row(declared)["text"]
    wrong = Record("a", content=html.encode(), charset="iso-8859-1")
    assert to_row(wrong)["encoding"] == "utf-8"
    assert ARABIC in to_row(wrong)["text"]


def test_text_has_no_declaration():
    text = f"<meta charset=koi8-r> {ARABIC}"
    row = to_row(Record("a", content=text.encode("cp1256"), media_type="text/plain"))
    assert (row["text"], row["encoding"]) == (text, "cp1256")


def test_text_that_is_already_decoded():
    row = to_row(Record("a", 3, content=f"{ARABIC} \ud800 \ufffd"))
    assert row["text"] == f"{ARABIC} \ufffd \ufffd"
    assert (row["encoding"], row["replaced"]) == (None, 1)


@pytest.mark.parametrize("wrap", ["{}", "<html><title>{}</title><p>x"])
def test_a_wrong_decoding_is_repaired_and_reported(wrap):
    text = wrap.format(ARABIC).encode().decode("cp1256")
    for content in (text, text.encode()):
        row = to_row(Record("a", content=content))
        assert ARABIC in row["text"]
        assert row["repaired"] == "utf-8 read as windows-1256"
    assert to_row(Record("a", content=ARABIC))["repaired"] is None


def test_the_hash_is_that_of_the_bytes_as_stored():
    assert to_row(Record("a", content=b"abc"))["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert to_row(Record("a", content="é"))["sha256"] == hashlib.sha256("é".encode()).hexdigest()
    assert to_row(Record("a", content=b"abc", sha256="of the file"))["sha256"] == "of the file"


def test_values_that_polars_cannot_hold_are_replaced():
    row = to_row(Record("a\udcff", 1, "k\ud800", "x", url="u\ud800", error=None))
    failed = to_row(Record("a", 2, error="e\ud800"))
    frame = pl.DataFrame(
        [row, failed], {n: t for n, t in schema(DOCUMENTS).items() if n != "blocks"}
    )
    assert frame["uri"].to_list() == ["a\\udcff#k\ufffd", "a#2"]
    assert frame["error"].to_list() == [None, "e\ufffd"]


def test_binary_is_an_error():
    row = to_row(Record("a", content=bytes(range(256)) * 9, media_type="text/html"))
    assert "not text" in row["error"]
    assert "text" not in row

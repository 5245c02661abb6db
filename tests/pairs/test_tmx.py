"""TMX as other tools write it: damaged units, entities, variants, inline codes, encodings."""

from __future__ import annotations

import polars as pl
import pytest

from ingest.jobs.import_pairs import import_files
from ingest.pairs.tmx_units import UnitSplitter


def unit(*variants):
    sides = "".join(f'<tuv xml:lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in variants)
    return f"<tu>{sides}</tu>\n"


def tmx(*units, doctype="", encoding="utf-8"):
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n{doctype}<tmx version="1.4">'
    return f'{head}<header srclang="en"/><body>\n{"".join(units)}</body></tmx>'


def imported(tmp_path, data, **options):
    path, out = tmp_path / "p.tmx", tmp_path / "o.parquet"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    result = import_files([str(path)], out, overwrite=True, **options)
    return pl.read_parquet(out), result


def texts(pairs):
    return pairs.select("source_text", "target_text").rows()


@pytest.mark.parametrize(
    "bad",
    ["&#x1b;[1m", "\x0b", "R & D", "<b>", "&unknown;", "</seg>", "<!-- x", "<![CDATA[ x"],
)
def test_a_damaged_unit_costs_only_itself(bad, tmp_path):
    units = [unit(("en", f"Valve {n}"), ("ar", f"الصمام {n}")) for n in range(600)]
    units[2] = unit(("en", bad), ("ar", "الصمام"))
    pairs, result = imported(tmp_path, tmx(*units))
    assert len(pairs) == 599
    assert result.in_error == 1
    assert "p.tmx, line 5: is not valid XML" in result.messages[0]


def test_a_unit_that_is_not_closed_costs_only_itself(tmp_path):
    units = [unit(("en", f"Valve {n}"), ("ar", f"الصمام {n}")) for n in range(4)]
    units[1] = units[1].replace("</tu>", "")
    pairs, result = imported(tmp_path, tmx(*units) + "<tu><tuv>")
    assert len(pairs) == 3
    assert dict(result.invalid) == {
        "is not closed by </tu>": 1,
        "is cut off": 1,
    }


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_units_do_not_depend_on_the_pieces(size):
    text = tmx("<!-- <tu>no</tu> -->", unit(("en", "<![CDATA[</tu>]]>")), "<tu>", unit(("ar", "x")))
    pieces = iter([text[at : at + size] for at in range(0, len(text), size)])
    splitter = UnitSplitter(pieces)
    found = [(u.line, u.text, u.problem) for u in splitter]
    assert [line for line, *_ in found] == [3, 4, 4]
    assert found[0][1] == unit(("en", "<![CDATA[</tu>]]>")).strip()
    assert found[1][2] == "is not closed by </tu>"
    assert splitter.head.endswith("-->")


def test_names_of_characters_are_those_of_html(tmp_path):
    english = "5&nbsp;kg caf&eacute; &mdash; &rlm;&hellip; &quot;&lt;&amp;"
    doctypes = (
        "",
        '<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        '<!DOCTYPE tmx [<!ENTITY eacute "&#233;">]>',
    )
    for doctype in doctypes:
        pairs, _ = imported(tmp_path, tmx(unit(("en", english), ("ar", "خمسة")), doctype=doctype))
        assert pairs["source_text"].to_list() == ['5\xa0kg café — \u200f… "<&']


def test_no_other_file_is_opened(tmp_path):
    (tmp_path / "secret").write_text("secret")
    doctype = f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "{tmp_path / "secret"}"><!ENTITY brand "Acme">]>'
    units = [unit(("en", "&x;"), ("ar", "نعم")), unit(("en", "&brand;"), ("ar", "لا"))]
    pairs, result = imported(tmp_path, tmx(*units, doctype=doctype))
    assert texts(pairs) == [("Acme", "لا")]
    assert "undefined entity: &x;" in result.messages[0]


def test_variants_are_paired_by_language(tmp_path):
    units = [
        unit(("en-US", "color"), ("en-GB", "colour"), ("ar", "لون")),
        unit(("en", "evening"), ("ar-EG", "مساء"), ("ar-SA", "عشية")),
        unit(("en", "thanks"), ("en-GB", "cheers")),
        unit(("en", "one"), ("ar", "واحد"), ("fr", "un")),
    ]
    pairs, result = imported(tmp_path, tmx(*units))
    assert texts(pairs) == [("color", "لون"), ("colour", "لون"), ("evening", "مساء"), ("evening", "عشية")]  # fmt: skip
    assert set(pairs.select("source_lang", "target_lang").rows()) == {("en", "ar")}
    assert pairs["pair_id"].n_unique() == 4
    assert result.in_error == 2
    chosen, result = imported(tmp_path, tmx(*units), langs=("ar", "en"))
    assert texts(chosen)[-1] == ("واحد", "one")
    assert dict(result.invalid) == {"has no ar": 1}


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("one<ph x='1'>&lt;br/&gt;</ph>two", "one two"),
        ("one <ph>&lt;br&gt;</ph>two", "one two"),
        ("one<ph type='lb'/>two", "one two"),
        (r"one<ph>\n</ph>two", "one two"),
        ("one<ph>&lt;br/&gt;</ph>", "one"),
        ("Hi <ph>{name}</ph>!", "Hi {name}!"),
        ("<ph>%s</ph> of <ph>%(n)d</ph>", "%s of %(n)d"),
        ("<ph>{0}</ph>, <ph>${x}</ph>", "{0}, ${x}"),
        ("<bpt i='1'>&lt;b&gt;</bpt>bold<ept i='1'>&lt;/b&gt;</ept>", "bold"),
        (r"<bpt i='1'>{\b </bpt>bold<ept i='1'>}</ept> <ut>{\cs6 </ut>x", "bold x"),
        ("a<it pos='begin'>&lt;i&gt;</it>b", "ab"),
        ("note<ph>&lt;fn&gt;<sub>aside</sub>&lt;/fn&gt;</ph> here", "note here"),
        ("the <hi type='x'>valve</hi>", "the valve"),
        ("co<ph/>op", "coop"),
    ],
)
def test_inline_codes(markup, text, tmp_path):
    pairs, _ = imported(tmp_path, tmx(unit(("en", markup), ("ar", "نعم"))))
    assert pairs["source_text"].to_list() == [text]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "utf-8"), ("utf-16-le", "utf-8"), ("utf-16-be", "UTF-16"), ("utf-8", "UTF-16"),
     ("utf-8-sig", "iso-8859-1"), ("cp1256", "windows-1256"), ("cp1256", "utf-8")],
)  # fmt: skip
def test_the_bytes_decide_the_encoding(encoding, declared, tmp_path):
    text = tmx(unit(("en", "The ship"), ("ar", "وصلت السفينة إلى المرفأ")), encoding=declared)
    pairs, _ = imported(tmp_path, text.encode(encoding))
    assert texts(pairs) == [("The ship", "وصلت السفينة إلى المرفأ")]


@pytest.mark.parametrize(("name", "data"), [("p.tmx", "<html></html>"), ("p.tmx", "")])
def test_what_is_not_tmx_says_so(name, data, tmp_path):
    with pytest.raises(Exception, match=r"p.tmx, line 1: is not TMX"):
        imported(tmp_path, data)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("mt.tmx", 2), ("tmx_1000_badref.tmx", 999), ("tmx_entities_dtd.tmx", 6),
     ("tmx_inline.tmx", 6), ("tmx_variants.tmx", 5), ("quotes.tsv", 5), ("hdr_00.tsv", 3),
     ("hdr_03.tsv", 3), ("hdr_05.tsv", 3), ("hdr3.csv", 1), ("array_pretty.json", 2)],
)  # fmt: skip
def test_public_reports(name, pairs, shared, tmp_path):
    path = shared / "cases" / "bitext" / name
    assert import_files([str(path)], tmp_path / "o.parquet").pairs == pairs

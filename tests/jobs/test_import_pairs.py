"""Import of existing pairs: all formats, reports of what is left out, and the steps after it."""

from __future__ import annotations

import gzip
import json
import zipfile

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
from ingest.cli import main
from ingest.errors import ConfigError, FrameError
from ingest.frames import PAIRS, schema
from ingest.jobs.import_pairs import import_files
from ingest.pairs import tables

AR = ["صباح الخير يا أمي العزيزة", "قرأت كتابا جديدا أمس", "فتحت المكتبة أبوابها للزوار"]
EN = ["Good morning, dear mother", "I read a new book yesterday", "The library opened its doors"]
BOTH = list(zip(AR, EN, strict=True))


def call(*args) -> int:
    return main([str(arg) for arg in args])


def saved(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def import_pairs(tmp_path, *args, rc=0) -> pl.DataFrame:
    out = tmp_path / "imported.parquet"
    assert call("import", *args, "-o", out, "--overwrite") == rc
    return pl.read_parquet(out)


def texts(pairs):
    return pairs.select("source_text", "target_text").rows()


def joined(by, rows=BOTH, head=()):
    return "".join(by.join(row) + "\n" for row in [*head, *rows])


def objects(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FORMS = {
    "a.tsv": joined("\t"),
    "b.tsv": joined("\t", head=[("ar", "en")]),
    "c.csv": joined(";", head=[("Arabic", "English")]),
    "d.csv": 'ar,en\r\n' + "".join(f'"{a}","{b}"\r\n' for a, b in BOTH),
    "e.tsv": "\ufeff" + joined("\t", head=[("source_text", "target_text")]),
    "f.tsv": joined("\t").encode("utf-16"),
    "g.tsv.gz": gzip.compress(joined("\t").encode()),
    "h.txt": joined("\t", head=[("src", "tgt")]),
    "i.jsonl": objects({"ar": a, "en": b} for a, b in BOTH),
    "j.jsonl": objects({"id": n, "translation": {"ar": a, "en": b}} for n, (a, b) in enumerate(BOTH)),
    "k.json": objects({"source_text": a, "target_text": b, "source_lang": "ar-EG", "target_lang": "eng_Latn"}
                      for a, b in BOTH),
    "l.tmx": '<tmx version="1.4"><header srclang="ar"/><body>' + "".join(
        f'<tu><tuv xml:lang="en-GB"><seg>{b}</seg></tuv><tuv xml:lang="AR"><seg><bpt i="1">&lt;b></bpt>{a}</seg></tuv></tu>'
        for a, b in BOTH) + "</body></tmx>",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_pairs(name, tmp_path, capsys):
    imported = import_pairs(tmp_path, saved(tmp_path, name, FORMS[name]))
    expected = ingest.read_pairs(pl.DataFrame({"ar": AR, "en": EN}))
    assert_frame_equal(imported, expected)
    assert imported.schema == schema(PAIRS)
    assert capsys.readouterr().out.startswith("3 pairs: 3 ar-en, imported\n")


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"AR": AR, "en_US": EN}),
        pl.DataFrame({"id": ["x"] * 3, "no": [1, 2, 3], "ar": AR, "en": EN}),
        pl.DataFrame({"translation": [{"ar": a, "en": b} for a, b in BOTH]}),
        pl.DataFrame({"source_text": AR, "target_text": EN}),
        pl.DataFrame({"source": AR, "target": EN, "source_lang": "ar", "target_lang": "English"}),
        pl.DataFrame({"source_text": AR, "target_text": EN}).cast(pl.Categorical),
    ],
)
def test_frames_and_parquet(frame, tmp_path):
    expected = ingest.read_pairs(pl.DataFrame({"ar": AR, "en": EN}))
    assert_frame_equal(ingest.read_pairs(frame).select(schema(PAIRS).names()), expected)
    frame.write_parquet(tmp_path / "p.parquet")
    assert_frame_equal(import_pairs(tmp_path, tmp_path / "p.parquet"), expected)


def test_languages_of_two_text_files_come_from_names_or_detection(tmp_path, capsys):
    files = [saved(tmp_path, f"t.{n}.txt", "\n".join(side)) for n, side in (("ar", AR), ("en", EN))]
    assert texts(import_pairs(tmp_path, *files)) == BOTH
    assert import_pairs(tmp_path, *files, "--langs", "en,ar")["source_text"].to_list() == EN
    plain = [saved(tmp_path, f"{n}", "\n".join(side)) for n, side in (("one", EN), ("two", AR))]
    imported = import_pairs(tmp_path, *plain)
    assert imported.select("source_lang", "target_lang").unique().rows() == [("en", "ar")]
    short = saved(tmp_path, "short.en", "\n".join(EN[:2]))
    assert call("import", files[0], short, "-o", tmp_path / "no.parquet") == 2
    assert "short.en: ends after 2 lines" in capsys.readouterr().err
    assert not (tmp_path / "no.parquet").exists()


def test_ids_are_hashes_of_the_content_and_unique(tmp_path):
    rows = [*BOTH, BOTH[0], BOTH[0]]
    imported = import_pairs(tmp_path, saved(tmp_path, "p.tsv", joined("\t", rows)))
    assert imported["pair_id"].n_unique() == 5
    assert imported["pair_id"].str.contains(r"^[0-9a-f]{16}$").all()
    again = import_pairs(tmp_path, saved(tmp_path, "q.tsv", joined("\t", rows[1:3])))
    assert again["pair_id"].to_list() == imported["pair_id"][1:3].to_list()
    turned = ingest.read_pairs(pl.DataFrame({"en": EN, "ar": AR}))
    assert not set(turned["pair_id"]) & set(imported["pair_id"])


@pytest.mark.parametrize("size", [1, 2, 1 << 15])
def test_the_size_of_batches_makes_no_difference(size, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BATCH_SIZE", size)
    rows = [*BOTH, BOTH[0], ("", "x"), *BOTH]
    imported = import_pairs(
        tmp_path, saved(tmp_path, "p.tsv", joined("\t", rows, [("ar", "en")])), rc=3
    )
    assert len(imported) == 7
    whole = ingest.read_pairs(pl.DataFrame({"ar": AR, "en": EN}))
    assert imported["pair_id"][:3].to_list() == whole["pair_id"].to_list()
    assert imported["pair_id"].n_unique() == 7


def test_invalid_lines_are_counted_and_reported(tmp_path, capsys):
    bad = f"ar\ten\n{AR[0]}\t{EN[0]}\nalone\n\t{EN[1]}\na\tb\tc\n".encode()
    bad += b"\xff\xfe\xfd\tbroken\n" + f"{AR[2]}\t{EN[2]}\n".encode()
    imported = import_pairs(tmp_path, saved(tmp_path, "p.tsv", bad), rc=3)
    assert texts(imported) == [BOTH[0], BOTH[2]]
    out, err = capsys.readouterr()
    assert [line.partition("p.tsv, ")[2] for line in err.splitlines()] == [
        "line 3: has 1 of 2 fields",
        "line 4: has an empty side",
        "line 5: has 3 of 2 fields",
        "line 6: contains bytes that are not valid text",
    ]
    assert "left out: 1 row: has an empty side" in out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "is not valid JSON"),
        ("[1]", "must be a JSON object, is list"),
        ('{"ar": "a"}', "has an empty side"),
        ('{"ar": "\\ud800", "en": "b"}', "contains half of a character"),
        ('{"ar": ["a"], "en": "b"}', "'ar' is not a text, but a list"),
    ],
)
def test_an_invalid_object(line, why, tmp_path, capsys):
    data = (
        objects([{"ar": AR[0], "en": EN[0]}])
        + line
        + "\n\n"
        + objects([{"ar": AR[1], "en": EN[1]}])
    )
    assert texts(import_pairs(tmp_path, saved(tmp_path, "p.jsonl", data), rc=3)) == BOTH[:2]
    assert f"p.jsonl, line 2: {why}" in capsys.readouterr().err


def test_a_stray_quote_costs_its_own_line(tmp_path, capsys):
    data = f'ar,en\n"{AR[0]}",{EN[0].replace(",", "")}\n"{AR[1]},lost\n"{AR[2]}",{EN[2]}\n'
    imported = import_pairs(tmp_path, saved(tmp_path, "p.csv", data), rc=3)
    assert imported["source_text"].to_list() == [AR[0], AR[2]]
    assert "p.csv, line 3: opens a quote that is not closed" in capsys.readouterr().err


def test_a_file_that_is_cut_off_gives_what_came_before(tmp_path, capsys):
    data = gzip.compress(joined("\t", BOTH * 3000).encode())
    imported = import_pairs(tmp_path, saved(tmp_path, "p.tsv.gz", data[:-20]), rc=3)
    assert len(imported) > 10
    assert "the file is cut off" in capsys.readouterr().err


# TMX


def test_entities_of_entities_are_never_expanded(tmp_path, capsys):
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE tmx [<!ENTITY e0 "ha">{laughs}<!ENTITY x SYSTEM "p.tmx">]>' + FORMS["l.tmx"]
    bomb = bomb.replace("Good", "&e9;").replace("I read", "&x;")
    assert texts(import_pairs(tmp_path, saved(tmp_path, "p.tmx", bomb), rc=3)) == BOTH[2:]
    err = capsys.readouterr().err
    assert "uses &e9;, which stands for markup, for much text or for other entities" in err
    assert "is not valid XML: undefined entity: &x;" in err


def test_broken_tmx_gives_the_units_before_the_error(tmp_path, capsys):
    whole = FORMS["l.tmx"]
    cut = whole[: whole.index(EN[2])] + "<"
    assert texts(import_pairs(tmp_path, saved(tmp_path, "p.tmx", cut), rc=3)) == BOTH[:2]
    assert "is cut off: the file ends before </tu>" in capsys.readouterr().err


def test_two_of_several_languages_can_be_chosen(tmp_path, capsys):
    tu = "".join(
        f'<tuv xml:lang="{n}"><seg>{t}</seg></tuv>'
        for n, t in (("fr", "Oui"), ("en", "Yes"), ("ar", "نعم"))
    )
    path = saved(tmp_path, "p.tmx", f"<tmx><body><tu>{tu}</tu></body></tmx>")
    assert call("import", path, "-o", tmp_path / "o.parquet") == 2
    assert "has 3 languages, not 2; " in capsys.readouterr().err
    assert texts(import_pairs(tmp_path, path, "--langs", "ar,en")) == [("نعم", "Yes")]


# a machine's text


def machine_rows(**more):
    return [{"ar": a, "en": b, **more} for a, b in BOTH]


@pytest.mark.parametrize(
    "more", [{"method": "translated"}, {"method": "Machine"}, {"machine": True}]
)
def test_machine_translation_stays_marked(more, tmp_path):
    imported = import_pairs(tmp_path, saved(tmp_path, "p.jsonl", objects(machine_rows(**more))))
    assert set(imported["method"]) == {"translated"}
    assert set(ingest.read_pairs(pl.DataFrame(machine_rows(**more)))["method"]) == {"translated"}


def test_a_column_that_only_later_lines_have_counts(tmp_path):
    rows = [*machine_rows(), {"ar": AR[0], "en": EN[1], "method": "mt"}]
    imported = import_pairs(tmp_path, saved(tmp_path, "p.jsonl", objects(rows)))
    assert imported["method"].to_list() == ["imported"] * 3 + ["translated"]


def test_the_side_of_tmx_with_the_machine_mark_is_the_target(tmp_path):
    marked = FORMS["l.tmx"].replace('xml:lang="AR"', 'xml:lang="AR" creationid="MT!"')
    imported = import_pairs(tmp_path, saved(tmp_path, "p.tmx", marked))
    assert set(imported.select("target_lang", "method").rows()) == {("ar", "translated")}


def test_the_names_of_moses_files_mark_machine_translation(tmp_path):
    files = [
        saved(tmp_path, f"train.translated.{n}", "\n".join(side))
        for n, side in (("ar", AR), ("en", EN))
    ]
    assert set(import_pairs(tmp_path, *files)["method"]) == {"translated"}


# our own exports


@pytest.fixture
def own() -> pl.DataFrame:
    usual = {
        "source_lang": "ar",
        "target_lang": "en",
        "source_doc": "d1",
        "source_segments": [1, 2],
    }
    kinds = [
        {"method": "aligned", "model": "align 1", "score": 0.75, "target_doc": "d2", "target_segments": [3]},
        {"method": "imported", "source_doc": None, "source_segments": None},
        {"method": "translated", "model": "argos", "score": 0.5},
    ]  # fmt: skip
    rows = [
        {"pair_id": f"{n:016x}", "source_text": a, "target_text": b, **usual, **kind}
        for n, ((a, b), kind) in enumerate(zip(BOTH, kinds, strict=True))
    ]
    pairs = ingest.score(pl.DataFrame(rows, schema(PAIRS)))
    return pairs.with_columns(
        keep=True, flags=pl.lit([], pl.List(pl.String)), split=pl.lit("train")
    )


@pytest.mark.parametrize("format", ["tsv", "jsonl", "parquet", "tmx", "huggingface"])
def test_what_export_writes_comes_back(format, own, tmp_path):
    dest = tmp_path / f"out.{format}"
    ingest.export(own, dest, format=format)
    imported = import_pairs(tmp_path, dest).sort("pair_id")
    assert_frame_equal(imported, own.sort("pair_id"), check_column_order=False)


def test_moses_comes_back_with_its_ids_file(own, tmp_path):
    other_way = own[2:].rename({"source_text": "target_text", "target_text": "source_text"})
    other_way = other_way.select(own.columns).with_columns(
        pair_id=pl.lit("f"), source_lang=pl.lit("en"), target_lang=pl.lit("ar")
    )
    both = pl.concat([own, other_way])
    ingest.export(both, tmp_path / "m", format="moses")
    names = sorted(path.name for path in (tmp_path / "m").glob("*.ar"))
    assert names == ["train.ar", "train.imported.ar", "train.translated.ar"]
    for stem, method in (
        ("train", "aligned"),
        ("train.imported", "imported"),
        ("train.translated", "translated"),
    ):
        files = [tmp_path / "m" / f"{stem}.{n}" for n in ("ar", "en")]
        expected = both.filter(method=method)
        assert_frame_equal(import_pairs(tmp_path, *files), expected, check_column_order=False)


def test_a_turned_export_comes_back_with_its_mark(own, tmp_path):
    for format in ("tsv", "tmx", "jsonl"):
        dest = tmp_path / f"t.{format}"
        ingest.export(own, dest, format=format, langs=("en", "ar"))
        imported = import_pairs(tmp_path, dest)
        assert imported["turned"].to_list() == [True] * 3
        assert imported["source_lang"].unique().to_list() == ["en"]
        assert imported["method"].to_list() == own["method"].to_list()


def test_scores_of_other_tools_are_not_imported(tmp_path, capsys):
    rows = machine_rows(score=4.5, quality=-3, keep=False, source_doc="d")
    imported = import_pairs(tmp_path, saved(tmp_path, "p.jsonl", objects(rows)))
    assert imported.schema == schema(PAIRS)
    assert imported.select("score", "source_doc").unique().rows() == [(None, "d")]
    assert "columns not imported: quality, keep" in capsys.readouterr().out


# the chain


@pytest.mark.parametrize("format", ["tsv", "jsonl", "tmx", "moses", "huggingface", "parquet"])
def test_imported_pairs_go_through_every_step(format, tmp_path, capsys):
    at = {n: tmp_path / f"{n}.parquet" for n in ("pairs", "scored", "kept", "split")}
    assert call("import", saved(tmp_path, "p.tsv", joined("\t")), "-o", at["pairs"]) == 0
    for verb, one, other in (("score", "pairs", "scored"), ("filter", "scored", "kept"), ("split", "kept", "split")):  # fmt: skip
        assert call(verb, at[one], "-o", at[other]) == 0
    assert pl.read_parquet(at["kept"])["drop_reason"].null_count() == 3
    dest = tmp_path / f"out.{format}"
    args = ("--format", format, "-o", dest, "--min-score", "0.9")
    assert call("export", at["split"], *args) == 0
    assert "3 of 3 pairs\n  3 imported, ar-en in train" in capsys.readouterr().out
    if format == "moses":
        assert (dest / "train.ar").read_text().splitlines() == AR
    if format == "huggingface":
        assert len(pl.read_parquet(dest / "data" / "train-*.parquet")) == 3
        assert "`imported` pairs existed before" in (dest / "README.md").read_text()
    assert call("report", tmp_path, "--pairs", at["split"], "-o", tmp_path / "r.html") == 0
    assert "pairs 3" in capsys.readouterr().out


def test_without_score_only_an_aligned_pair_is_dropped(own):
    bare = own.select(schema(PAIRS).names()).with_columns(score=pl.lit(None, pl.Float32))
    reasons = dict(ingest.filter(bare).select("method", "drop_reason").rows())
    assert reasons == {"aligned": "no score", "imported": None, "translated": None}


def test_an_imported_pair_is_better_than_a_translated_one(own):
    twins = own.with_columns(source_text=pl.lit(AR[0]), target_text=pl.lit(EN[0]))[1:]
    kept = ingest.filter(twins.select(schema(PAIRS).names()))
    assert dict(kept.select("method", "keep").rows()) == {"imported": True, "translated": False}


@pytest.mark.parametrize("verb", ["score", "filter", "split", "export", "report"])
def test_errors_for_tables_mention_import(verb, tmp_path, capsys):
    path = saved(tmp_path, "p.tsv", joined("\t"))
    args = {"export": (path, "--format", "tmx"), "report": (tmp_path, "--pairs", path)}
    args = args.get(verb, (path, "-o", tmp_path / "o.parquet"))
    assert call(verb, *args) == 2
    assert f"ingest import {path} -o pairs.parquet" in capsys.readouterr().err


def test_errors_for_frames_mention_read_pairs():
    with pytest.raises(FrameError, match=r"'pair_id' is missing; .*ingest.read_pairs"):
        ingest.score(pl.DataFrame({"source_text": AR, "target_text": EN}))


# invalid usage


def test_read_pairs_keeps_every_row_and_refuses_unknown_values():
    frame = pl.DataFrame({"ar": [*AR, None], "en": [*EN, "x"], "mine": [1, 2, 3, 4]})
    imported = ingest.read_pairs(frame)
    assert imported["mine"].to_list() == [1, 2, 3, 4]
    with pytest.raises(FrameError, match=r"row 0 has a method that is not one of .*magic"):
        ingest.read_pairs(frame.with_columns(method=pl.lit("magic"), pair_id=pl.lit("a")))
    with pytest.warns(UserWarning, match="row 0: column 'method' has 'magic'"):
        foreign = ingest.read_pairs(frame.with_columns(method=pl.lit("magic")))
    assert set(foreign["method"]) == {"imported"}
    with pytest.raises(FrameError, match="which two hold the texts"):
        ingest.read_pairs(frame.select("ar", "mine"))
    with pytest.raises(FrameError, match="collect it first"):
        ingest.read_pairs(frame.lazy())
    with pytest.raises(FrameError, match="column 'ar' is Int64, must be text"):
        ingest.read_pairs(frame.with_columns(ar="mine"))
    with pytest.raises(ConfigError, match="not two different language codes"):
        ingest.read_pairs(frame, langs=("ar", "ar"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("1", "2"), ("3", "4")], "cannot detect the language of the first and second side"),
        (list(zip(EN, EN[::-1], strict=True)), "both sides look like en"),
    ],
)
def test_languages_that_cannot_be_detected(rows, message, tmp_path, capsys):
    path = saved(tmp_path, "p.tsv", joined("\t", rows))
    assert call("import", path, "-o", tmp_path / "o.parquet") == 2
    assert f"{message}" in (err := capsys.readouterr().err)
    assert "--langs ar,en" in err
    assert len(import_pairs(tmp_path, path, "--langs", "en,ar")) == len(rows)


def test_other_invalid_calls(tmp_path, capsys):
    good, empty = saved(tmp_path, "p.tsv", joined("\t")), tmp_path / "empty"
    empty.mkdir()
    for args, message in (
        ((tmp_path / "none.tsv",), "no such file"),
        ((empty,), "is a folder without files of pairs"),
        ((good, saved(tmp_path, "a.txt", "x")), "is plain text; give two text files"),
        ((saved(tmp_path, "e.tsv", ""),), "contains no valid pair"),
        ((saved(tmp_path, "x.parquet", "PAR1"),), "cannot be read as Parquet"),
        ((saved(tmp_path, "y.parquet", "ar,en"),), "is not a Parquet file"),
        ((saved(tmp_path, "z.jsonl", objects([{"text": "a"}])),), "its columns are 'text'"),
        ((saved(tmp_path, "w.tsv", "a\tb\tc\n"),), "w.tsv: has 3 columns (1 to 3), and it is"),
    ):
        assert call("import", *args, "-o", tmp_path / "o.pairs") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "o.pairs").exists()
    assert call("import", good, "-o", good, "--overwrite") == 2
    assert call("import", good, "-o", tmp_path / "o.tsv") == 2
    assert "would be a Parquet file" in capsys.readouterr().err


def test_several_tables_make_one_file(tmp_path):
    one, other = (
        saved(tmp_path, "1.tsv", joined("\t")),
        saved(tmp_path, "2.jsonl", FORMS["i.jsonl"]),
    )
    imported = import_pairs(tmp_path, one, other)
    assert texts(imported) == BOTH * 2
    assert imported["pair_id"].n_unique() == 6


# sides, languages and values that cannot be trusted


def test_rows_with_exchanged_sides_are_exchanged_one_by_one(tmp_path, capsys):
    rows = [pair if n % 2 == 0 else pair[::-1] for n, pair in enumerate(BOTH * 2)]
    pairs = import_pairs(tmp_path, saved(tmp_path, "p.tsv", joined("\t", rows, [("ar", "en")])))
    assert texts(pairs) == BOTH * 2
    err = capsys.readouterr().err
    assert "p.tsv: 3 of 6 rows have their sides exchanged, the first in line 3" in err
    assert "--langs" not in err
    with pytest.warns(UserWarning, match="3 of 6 rows have their sides exchanged"):
        ingest.read_pairs(pl.DataFrame(rows, {"ar": pl.String, "en": pl.String}, orient="row"))


def test_the_exchange_of_sides_is_always_told(tmp_path, capsys):
    files = [saved(tmp_path, f"t.{n}", "\n".join(side)) for n, side in (("ar", AR), ("en", EN))]
    table = saved(tmp_path, "p.tsv", joined("\t", head=[("ar", "en")]))
    for args in (files, [table]):
        pairs = import_pairs(tmp_path, *args, "--langs", "en,ar")
        assert pairs["source_text"].to_list() == EN
        assert "the sides are exchanged" in capsys.readouterr().err


def test_languages_that_a_file_does_not_have_are_an_error(tmp_path, capsys):
    table = saved(tmp_path, "p.tsv", joined("\t", head=[("fr", "en")]))
    files = [saved(tmp_path, f"t.{n}", "\n".join(side)) for n, side in (("fr", AR), ("en", EN))]
    for args in ([table], files):
        assert call("import", *args, "-o", tmp_path / "o.parquet", "--langs", "ar,en") == 2
        assert "has no pairs of ar-en, only of fr-en" in capsys.readouterr().err


def test_values_of_other_tools_are_not_believed(tmp_path, capsys):
    rows = machine_rows(method="aligned", score="0.5")
    imported = import_pairs(tmp_path, saved(tmp_path, "p.jsonl", objects(rows)))
    assert imported.select("method", "score").unique().rows() == [("imported", None)]
    err = capsys.readouterr().err
    assert "p.jsonl, line 1: column 'method' has 'aligned', which is not" in err
    rows = [{**row, "method": "mt", "score": s} for row, s in zip(rows, ["0.5", "7", "abc"], strict=True)]  # fmt: skip
    imported = import_pairs(tmp_path, saved(tmp_path, "q.jsonl", objects(rows)))
    assert imported["score"].to_list() == [0.5, None, None]
    err = capsys.readouterr().err
    assert "q.jsonl, line 2: column 'score' has '7', which is not a number from 0 to 1" in err


def test_an_uneven_pair_of_files_is_left_out_alone(tmp_path, capsys):
    folder = tmp_path / "f"
    folder.mkdir()
    for name, lang, side in (("a", "ar", AR), ("a", "en", EN), ("b", "ar", AR), ("b", "en", EN[:1])):  # fmt: skip
        saved(folder, f"{name}.{lang}", "\n".join(side))
    assert texts(import_pairs(tmp_path, folder, rc=3)) == BOTH
    assert "b.en: ends after 1 line, but" in (err := capsys.readouterr().err)
    assert "b.ar has 3; both need the same number of lines; left out" in err


def test_word_alignments_that_are_not_imported_are_named(own, tmp_path, capsys):
    marked = own.with_columns(word_alignment=pl.lit("0-0"))
    for format in ("tmx", "moses"):
        dest = tmp_path / ("o.tmx" if format == "tmx" else format)
        ingest.export(marked, dest, format=format, word_alignments=True)
    import_pairs(tmp_path, tmp_path / "o.tmx")
    assert "columns not imported: word_alignment" in capsys.readouterr().out
    import_pairs(tmp_path, *(tmp_path / "moses" / f"train.{lang}" for lang in ("ar", "en")))
    err = capsys.readouterr().err
    assert "columns not imported: word_alignment" in err
    assert "train.ar-en.align" in err


def test_declared_names_may_have_predefined_names(tmp_path):
    data = '<!DOCTYPE tmx [<!ENTITY co "ACME &amp; Sons &#169;">]>' + FORMS["l.tmx"]
    path = saved(tmp_path, "p.tmx", data.replace("Good", "&co; Good"))
    assert texts(import_pairs(tmp_path, path))[0][1].startswith("ACME & Sons © Good")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("p.xlf", "<xliff/>", "XLIFF is not read; convert it to TMX"),
        ("p.po", 'msgid "a"', "PO is not read"),
        ("p.xlsx", b"PK\3\4", "save the file as CSV"),
        ("p.txt", "\n".join(AR), "a text with one column; give two text files, source first"),
        ("q.txt", joined(" ||| "), "two texts around ' ||| '"),
        ("p.jsonl", objects([{"messages": [{"role": "user", "content": "a"}]}]), "conversations"),
        ("r.jsonl", objects([{"id": "1", "lang": "ar", "text": "a"}]), "a column for each language"),
        ("p.tsv", "a\tb\tc\n", "choose two with --langs"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_with_advice(name, data, message, tmp_path, capsys):
    assert call("import", saved(tmp_path, name, data), "-o", tmp_path / "o.parquet") == 2
    assert message in capsys.readouterr().err


def test_progress_counts_the_stored_bytes_of_every_kind_of_file(tmp_path):
    rows = [
        (f"قرأت كتابا رقم {n} أمس في البيت", f"I read book {n} at home yesterday") for n in range(9)
    ]
    columns = {"ar": [ar for ar, _ in rows], "en": [en for _, en in rows]}
    sides = [saved(tmp_path, f"a.{name}", "\n".join(text) + "\n") for name, text in columns.items()]
    tables_ = [
        saved(tmp_path, "a.tsv.gz", gzip.compress(joined("\t", rows).encode())),
        saved(tmp_path, "a.jsonl", objects([dict(zip(columns, row, strict=True)) for row in rows])),
        tmp_path / "a.parquet",
        tmp_path / "a.zip",
    ]
    pl.DataFrame(columns).write_parquet(tables_[2])
    with zipfile.ZipFile(tables_[3], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.tsv", joined("\t", rows * 50))
    for files in (*([table] for table in tables_), sides):
        calls = []
        result = import_files(
            [str(file) for file in files],
            tmp_path / "out.parquet",
            langs=("ar", "en"),
            overwrite=True,
            progress=lambda *numbers, calls=calls: calls.append(numbers),
        )
        assert result.pairs in (9, 450)
        size = sum(file.stat().st_size for file in files)
        done = [number for number, _ in calls]
        assert {total for _, total in calls} == {size}
        assert done == sorted(done)
        assert 0.4 * size < done[-1] <= size  # a ZIP archive has a directory, too

"""Read each format back: the pairs are the same, except for the changes that the export reports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.cli import main
from ingest.errors import FrameError
from ingest.frames import PAIRS, schema
from ingest.jobs.export import export
from ingest.writers.jsonl import NULLED
from ingest.writers.moses import SPACED
from ingest.writers.tmx import REMOVED

COLUMNS = pl.Schema({**schema(PAIRS), "keep": pl.Boolean(), "split": pl.String()})
TEXTS = ("source_text", "target_text")
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NASTY = [
    "", " ", "a\nb", "a\r\nb", "\r", "tab\there", "nul\0", "\u2028", "a\u2029b", "a\x85b", "\x0b\x0c",
    "\x1c\x1d\x1e", '"', '"quoted", not', "\\n", "<seg>&amp;</seg>", "]]>", "\ufeffbom", "\ufffe\uffff",
    "e\u0301", "\U0001f600", "سلام\u200cعليكم", "\u202eevil\u202c", "\x7f\x9f", "null", "\\N", "'",
]  # fmt: skip
LINE_BREAKS = re.compile("\r\n|[\0-\x1f\x7f-\x9f\u2028\u2029]")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_text = st.sampled_from(NASTY) | st.text(st.characters(codec="utf-8"), max_size=8) | st.lists(
    st.sampled_from(NASTY), max_size=3
).map("".join)  # fmt: skip
_row = st.fixed_dictionaries(
    {
        "source_text": _text,
        "target_text": _text,
        "turn": st.booleans(),
        "method": st.sampled_from(["aligned", "translated"]),
        "model": st.sampled_from([None, "m 1", "a\tb"]),
        "score": st.none() | st.floats(0, 1, width=32),
        "segments": st.none() | st.lists(st.integers(0, 99), max_size=2),
        "split": st.sampled_from(["train", "test"]),
    }
)


def frame(rows) -> pl.DataFrame:
    records = []
    for n, row in enumerate(rows):
        langs = ("en", "ar") if row["turn"] else ("ar", "en")
        records.append(
            {
                **row, "pair_id": f"{n:016x}", "source_lang": langs[0], "target_lang": langs[1],
                "source_doc": "d1", "target_doc": None if row["method"] == "translated" else "d2",
                "source_segments": [1], "target_segments": row["segments"], "keep": True,
            }
        )  # fmt: skip
    return pl.DataFrame(records, COLUMNS)


def rows(texts=NASTY, **same):
    return [
        {"source_text": a, "target_text": b, "turn": False, "method": "aligned", "model": None,
         "score": 0.5, "segments": [2, 3], "split": "train", **same}
        for a, b in zip(texts, texts[::-1], strict=True)
    ]  # fmt: skip


def clean(pairs: pl.DataFrame, pattern: re.Pattern, by: str) -> tuple[pl.DataFrame, int]:
    """Replace characters as a format does, computed without Polars."""
    names = [n for n, t in pairs.schema.items() if t == pl.String]
    new = [
        {n: pattern.sub(by, v) if n in names and v else v for n, v in row.items()}
        for row in pairs.iter_rows(named=True)
    ]
    changed = sum(a != b for a, b in zip(pairs.iter_rows(named=True), new, strict=True))
    return pl.DataFrame(new, pairs.schema), changed


def round_trip(check):
    """Run a check of (frame, destination) on arbitrary pairs."""

    def test(made_rows):
        with tempfile.TemporaryDirectory() as folder:
            check(frame(made_rows), Path(folder) / "out")

    test = given(st.lists(_row, min_size=1, max_size=6))(test)
    test = example(rows())(example([])(test))
    test.__name__ = test.__qualname__ = f"test_{check.__name__}"
    test.__doc__ = check.__doc__
    return test


def parquet(pairs, dest):
    export(pairs, dest, format="parquet")
    assert_frame_equal(pl.read_parquet(dest), pairs)


def jsonl(pairs, dest):
    report = export(pairs, dest, format="jsonl")
    assert report["changed"] == {}
    if len(pairs):
        assert_frame_equal(pl.read_ndjson(dest, schema=pairs.schema), pairs)
    lines = dest.read_text(encoding="utf-8").splitlines()  # by any line break there is
    back = [json.loads(line) for line in lines]
    assert [[r[t] for t in TEXTS] for r in back] == list(map(list, pairs.select(TEXTS).rows()))


def read_tsv(path: Path, columns: pl.Schema, *, header: bool) -> pl.DataFrame:
    flat = {n: pl.String() if isinstance(t, pl.List) else t for n, t in columns.items()}
    back = pl.read_csv(path, separator="\t", quote_char=None, schema=flat, has_header=header)
    lists = [n for n, t in columns.items() if isinstance(t, pl.List)]
    return back.with_columns(pl.col(n).str.json_decode(columns[n]) for n in lists)


def tsv(pairs, dest):
    report = export(pairs, dest, format="tsv")
    expected, changed = clean(pairs, LINE_BREAKS, " ")
    assert report["changed"] == ({SPACED: changed} if changed else {})
    lines = dest.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(pairs) + 1
    assert {line.count("\t") for line in lines} == {pairs.width - 1}
    back = read_tsv(dest, pairs.schema, header=True)
    assert_frame_equal(back.with_columns(pl.col(TEXTS).fill_null("")), expected)


def moses(pairs, dest):
    if pairs.is_empty():
        return
    report = export(pairs, dest, format="moses")
    expected, changed = clean(pairs, LINE_BREAKS, " ")
    assert report["changed"] == ({SPACED: changed} if changed else {})
    columns = pl.Schema({n: pairs.schema[n] for n in report["ids_columns"]})
    back = []
    for ids in dest.glob("*.ids"):
        name = ids.name.removesuffix(".ids")
        texts = {}
        for lang in ("ar", "en"):
            text = (dest / f"{name}.{lang}").read_text(encoding="utf-8")
            assert text.count("\n") == len(text.splitlines()) == ids.read_bytes().count(b"\n")
            texts[lang] = text.splitlines()
        part = read_tsv(ids, columns, header=False)
        assert set(part["method"]) == {"translated" if "translated" in name else "aligned"}
        sides = [
            {t: texts[row[f"{t[:6]}_lang"]][n] for t in TEXTS}
            for n, row in enumerate(part.iter_rows(named=True))
        ]
        back.append(part.hstack(pl.DataFrame(sides, dict.fromkeys(TEXTS, pl.String))))
    got = pl.concat(back).select(pairs.columns).sort("pair_id")
    assert_frame_equal(got, expected)


def read_tmx(path: Path, columns: pl.Schema) -> pl.DataFrame:
    flat = pl.Schema({n: pl.String() for n in columns})
    records = []
    for unit in ET.parse(path).iter("tu"):
        row = {p.get("type"): p.text or "" for p in unit.findall("prop")}
        row["pair_id"] = unit.get("tuid")
        for side, variant in zip(("source", "target"), unit.findall("tuv"), strict=True):
            props = {p.get("type"): p.text or "" for p in variant.findall("prop")}
            row[f"{side}_lang"] = variant.get(LANG)
            row[f"{side}_text"] = variant.find("seg").text or ""
            row[f"{side}_doc"] = props.get("source")
            row[f"{side}_segments"] = props.get("segments")
        assert unit.get("srclang") == row["source_lang"]
        assert row.pop("origin") == (
            "machine translation" if row["method"] == "translated" else "aligned from pages"
        )
        records.append(row)
    lists = [n for n, t in columns.items() if isinstance(t, pl.List)]
    rest = {n: t for n, t in columns.items() if n not in (*lists, "keep")}
    return pl.DataFrame(records, flat).with_columns(
        *(pl.col(n).str.json_decode(columns[n]) for n in lists),
        *(pl.col(n).cast(t) for n, t in rest.items()),
        pl.col("keep") == "true",
    )


def tmx(pairs, dest):
    report = export(pairs, dest, format="tmx")
    expected, changed = clean(pairs, NOT_XML, "")
    assert report["changed"] == ({REMOVED: changed} if changed else {})
    assert_frame_equal(read_tmx(dest, pairs.schema), expected)


def huggingface(pairs, dest):
    if pairs.is_empty():
        return
    export(pairs, dest, format="huggingface")
    back = pl.concat(map(pl.read_parquet, dest.rglob("*.parquet"))).sort("pair_id")
    sides = {"ar": pl.col("translation").struct["ar"], "en": pl.col("translation").struct["en"]}
    back = back.with_columns(
        pl.when(pl.col(f"{side}_lang") == "ar").then(sides["ar"]).otherwise(sides["en"])
        .alias(f"{side}_text") for side in ("source", "target")
    )  # fmt: skip
    assert_frame_equal(back.select(pairs.columns), pairs)


test_parquet, test_jsonl, test_tsv = map(round_trip, (parquet, jsonl, tsv))
test_moses, test_tmx, test_huggingface = map(round_trip, (moses, tmx, huggingface))


def test_jsonl_reports_non_finite_numbers(tmp_path):
    pairs = frame(rows(["a", "b"])).with_columns(
        score=pl.Series([float("nan"), 0.5], dtype=pl.Float32)
    )
    assert export(pairs, tmp_path / "o", format="jsonl")["changed"] == {NULLED: 1}
    assert pl.read_ndjson(tmp_path / "o")["score"].to_list() == [None, 0.5]


def test_tmx_is_valid(tmp_path):
    etree = pytest.importorskip("lxml.etree", reason="lxml validates against a DTD")
    both = rows() + rows(method="translated", turn=True)
    export(frame(both), tmp_path / "o.tmx", format="tmx")
    dtd = etree.DTD(str(Path(__file__).parent / "tmx14.dtd"))
    document = etree.parse(str(tmp_path / "o.tmx"))
    assert dtd.validate(document), dtd.error_log
    assert document.docinfo.system_url == "tmx14.dtd"
    assert document.find("header").get("srclang") == "*all*"


@pytest.mark.parametrize("langs", [None, ("ar", "en"), ("en", "ar")])
def test_tmx_marks_the_side_that_a_machine_wrote(tmp_path, langs):
    both = (
        rows(["a"]) + rows(["b"], method="translated") + rows(["c"], method="translated", turn=True)
    )
    export(frame(both), tmp_path / "o.tmx", format="tmx", langs=langs)
    marked = [v.get(LANG) for v in ET.parse(tmp_path / "o.tmx").iter("tuv") if v.get("creationid")]
    assert marked == ["en", "ar"]


def test_tmx_opens_in_a_translation_tool(tmp_path):
    reader = pytest.importorskip(
        "translate.storage.tmx", reason="translate-toolkit is not installed"
    )
    texts = ["Hello & <b>welcome</b>", "مرحبا", "two\nlines", ' "quoted" ']
    export(frame(rows(texts)), tmp_path / "o.tmx", format="tmx", langs=("ar", "en"))
    store = reader.tmxfile.parsefile(str(tmp_path / "o.tmx"))
    assert [(u.source, u.target) for u in store.units] == list(zip(texts, texts[::-1], strict=True))
    assert [u.getid() for u in store.units] == [f"{n:016x}" for n in range(4)]


def test_a_data_set_loads_offline(tmp_path):
    pytest.importorskip("datasets", reason="datasets is not installed")
    both = rows() + rows(["b"], split="test") + rows(["c"], method="translated", turn=True)
    export(frame(both), tmp_path / "o", format="huggingface", langs=("ar", "en"))
    code = """if True:
        import sys, datasets
        default, machine = (datasets.load_dataset(sys.argv[1], *c) for c in ([], ["translated"]))
        assert {s: len(d) for s, d in default.items()} == {"train": int(sys.argv[2]), "test": 1}
        assert set(default["train"]["method"]) == {"aligned"}
        assert default["test"][0]["translation"] == {"ar": "b", "en": "b"}
        assert default["test"].features["translation"] == datasets.Translation(["ar", "en"])
        assert default["test"][0]["target_segments"] == [2, 3]
        assert list(machine) == ["train"]
        assert machine["train"]["method"] == ["translated"] and machine["train"]["turned"] == [True]
    """
    env = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "o", str(len(NASTY))],
        env={**os.environ, **env}, capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def test_the_card_has_yaml_front_matter_and_describes_the_data(tmp_path):
    pairs = frame(rows(["a", "b", "c"]) + rows(["d"], method="translated", split="test"))
    pairs = pairs.with_columns(score=pl.Series([0.1, 0.9, 0.9, 0.9], dtype=pl.Float32))
    export(pairs, tmp_path / "o", format="huggingface", min_score=0.5)
    _, front, prose = (tmp_path / "o" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    for phrase in ("3 pairs", "| train | aligned | 2 |", "| translated | 33.3% |",
                 "| score under 0.5 | 1 |", "--format huggingface --min-score 0.5"):  # fmt: skip
        assert phrase in prose
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    about = yaml.safe_load(front)
    assert about["language"] == ["ar", "en"]
    assert about["task_categories"] == ["translation"]
    assert about["size_categories"] == ["n<1K"]
    assert about["configs"] == [
        {"config_name": "aligned", "default": True,
         "data_files": [{"split": "train", "path": "data/train-*.parquet"}]},
        {"config_name": "translated",
         "data_files": [{"split": "test", "path": "translated/test-*.parquet"}]},
    ]  # fmt: skip
    for config in about["configs"]:
        for files in config["data_files"]:
            assert list((tmp_path / "o").glob(files["path"]))


@pytest.mark.parametrize(
    ("license_", "known"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC-BY-SA 4.0", "cc-by-sa-4.0"),
        ("cc_by-nc-nd 3.0", "cc-by-nc-nd-3.0"),
        ("CC0", "cc0-1.0"),
        ("CC0 1.0", "cc0-1.0"),
        ("mit", "mit"),
        ("CC BY or so.", "other"),
    ],
)
def test_the_hub_knows_the_license(license_, known, tmp_path):
    export(frame(rows(["a"])), tmp_path / "o", format="huggingface", license=license_)
    card = (tmp_path / "o" / "README.md").read_text(encoding="utf-8")
    assert f'license: "{known}"\n' in card
    assert ("license_name" in card) == (known == "other")
    assert f"\n{license_.rstrip('.')}. The rights in the texts belong to" in card


def test_two_splits_with_the_same_name_are_refused(tmp_path):
    both = rows(["a"], split="dev") + rows(["b"], split="validation")
    with pytest.raises(FrameError, match="'dev' and 'validation', which are both 'validation'"):
        export(frame(both), tmp_path / "o", format="huggingface")
    assert list(tmp_path.iterdir()) == []
    export(frame(both), tmp_path / "m", format="moses")
    apart = rows(["a"], split="dev") + rows(["b"], split="validation", method="translated")
    assert export(frame(apart), tmp_path / "o", format="huggingface")["written"] == 2


@pytest.fixture
def story(tmp_path, monkeypatch):
    """Make a folder in which pairs were scored, filtered twice with different settings, and split."""
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("out/run.json").write_text('{"version": "1", "fingerprint": "f"}')
    texts = ["الباب مفتوح", "The door is open"]
    frame(rows(texts) + rows(texts[::-1])).drop("keep", "split").write_parquet("out/pairs.parquet")
    for words in (1, 2):
        Path(f"{words}.toml").write_text(f"[filter]\nmin_words = {words}\n")
    Path("my test.en").write_text("No such line\n")
    for call in (
        ["score", "out", "-o", "out/scored.parquet"],
        ["filter", "out/scored.parquet", "-o", "out/first.parquet", "--config", "1.toml"],
        ["filter", "out/scored.parquet", "-o", "out/f.parquet", "--config", "2.toml",
         "--exclude", "my test.en", "--mask-pii"],
        ["split", "out/f.parquet", "-o", "out/s.parquet"],
    ):  # fmt: skip
        assert main(call) == 0
    return tmp_path


def again(file: str) -> str:
    export(file, "card", format="huggingface", overwrite=True)
    return Path("card/README.md").read_text("utf-8").partition("## How to make it again")[2]


FILTER = "ingest filter PAIRS -o NEXT"


def test_the_card_names_the_steps_of_these_pairs(story, monkeypatch):
    steps_text = again("out/s.parquet")
    steps = ("ingest run", "ingest score PAIRS -o NEXT\n",
             f"{FILTER} --config settings.toml --exclude 'my test.en' --mask-pii\n",
             "ingest split PAIRS -o NEXT --config settings.toml\n", "ingest export PAIRS",
             "[filter]", "min_words = 2", "[split]")  # fmt: skip
    places = [steps_text.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert "unknown" not in steps_text
    monkeypatch.chdir(story / "out")
    assert again("s.parquet") == steps_text


@pytest.mark.parametrize(
    ("file", "there", "not_there"),
    [
        ("pairs", [], ["score", "filter", "split", "settings.toml", "PAIRS of each"]),
        ("scored", ["ingest score PAIRS -o NEXT\n"], ["filter", "split", "settings.toml"]),
        ("f", ["[filter]", "min_words = 2", "--exclude"], ["split", "not known"]),
        ("first", [f"{FILTER}\n", "The settings of `filter` are unknown"],
         ["split", "min_words", "--exclude", "--mask-pii"]),
    ],
)  # fmt: skip
def test_the_card_ignores_steps_of_other_pairs(story, file, there, not_there):
    steps_text = again(f"out/{file}.parquet")
    assert [phrase for phrase in there if phrase not in steps_text] == []
    assert [phrase for phrase in not_there if phrase in steps_text] == []


@pytest.mark.parametrize(("sha256", "note"), [(None, True), ("5f", False)])
def test_the_card_explains_a_missing_hash(story, sha256, note):
    inputs = [{"source": "pages.jsonl", "records": 2, "bytes": 90, "sha256": sha256}]
    Path("out/run.json").write_text(json.dumps({"inputs": inputs}))
    export("out/pairs.parquet", "card", format="huggingface")
    card = Path("card/README.md").read_text("utf-8")
    assert f"| pages.jsonl | 2 | 90 | {sha256 or '—'} |" in card
    assert ("\n—: only a file that is one page has a hash.\n" in card) == note


def test_the_card_says_that_the_settings_of_pairs_filtered_twice_are_unknown(story):
    call = ["filter", "out/scored.parquet", "-o", "out/f.parquet", "--overwrite", "--config"]
    Path("9.toml").write_text("[filter]\nmin_words = 9\n")
    assert main([*call, "9.toml"]) == 0
    card = again("out/s.parquet")
    assert "The settings of `filter` are unknown" in card
    assert "min_words" not in card
    assert "[split]" in card


def test_a_large_data_set_has_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("ingest.writers.huggingface"), "_FILE_ROWS", 10)
    monkeypatch.setattr(import_module("ingest.writers.selection"), "_READ_ROWS", 7)
    pairs = frame(rows([str(n) for n in range(24)]))
    report = export(pairs, tmp_path / "o", format="huggingface")
    shards = sorted((tmp_path / "o" / "data").iterdir())
    assert [s.name for s in shards] == [f"train-{n:05d}-of-00003.parquet" for n in range(3)]
    assert [len(pl.read_parquet(s)) for s in shards] == [10, 10, 4]
    assert (
        pl.concat(map(pl.read_parquet, shards))["pair_id"].to_list() == pairs["pair_id"].to_list()
    )
    assert set(report["files"]) == {
        p.relative_to(tmp_path / "o").as_posix() for p in (tmp_path / "o").rglob("*") if p.is_file()
    }

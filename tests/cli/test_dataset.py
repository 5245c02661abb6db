"""`ingest filter` and `ingest split`, then `ingest export`, as a person calls them."""

from __future__ import annotations

import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
from ingest.cli import main
from ingest.config import FilterConfig
from ingest.frames import PAIRS, schema
from ingest.io.pairs_file import PairsFile

TEXTS = [
    ("فتحت المكتبة أبوابها للزوار", "The library opened its doors to visitors"),
    ("اتصل على ٠٥٠١٢٣٤٥٦٧ قبل الظهر", "Call 050 123 4567 before noon, please"),
    ("نعم", "Yes"),
    ("سافر الوفد إلى العاصمة أمس", "The delegation went to the capital yesterday"),
    ("تعطلت الحافلة في الطريق", "The bus broke down on the way"),
]


@pytest.fixture
def pairs() -> pl.DataFrame:
    usual = {
        "source_lang": "ar",
        "target_lang": "en",
        "method": "aligned",
        "score": 0.9,
        "model": "align 1 ab12",
    }
    made = [
        {"pair_id": f"{n}", "source_text": s, "target_text": t, "source_doc": f"d{n}", **usual}
        for n, (s, t) in enumerate(TEXTS)
    ]
    return pl.DataFrame(made, schema(PAIRS))


def call(*args) -> int:
    return main([str(arg) for arg in args])


def test_filter_writes_what_the_verb_makes_and_shows_the_funnel(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    assert call("filter", tmp_path / "p.parquet", "-o", tmp_path / "f.parquet") == 0
    assert_frame_equal(pl.read_parquet(tmp_path / "f.parquet"), ingest.filter(pairs))
    out = capsys.readouterr().out.splitlines()
    assert [line.split() for line in out[:3]] == [
        ["5", "pairs"],
        ["-1", "too", "short"],
        ["4", "kept"],
    ]
    assert out[3] == "personal data: 1 phone"
    told = json.loads((tmp_path / "f.funnel.json").read_text())
    assert told["funnel"] == ingest.funnel(ingest.filter(pairs)).to_dicts()
    assert (told["pairs"], told["kept"], told["pii"]) == (5, 4, {"phone": 1})


def test_in_a_run_the_funnel_stands_in_run_json(pairs, tmp_path):
    run = {"version": "1", "fingerprint": "f" * 16, "counts": {"pages": 3}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    pairs.write_parquet(tmp_path / "pairs.parquet")
    assert call("filter", tmp_path, "-o", tmp_path / "f.parquet") == 0
    assert call("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet") == 0
    held = json.loads((tmp_path / "run.json").read_text())
    assert {key: held[key] for key in run} == run
    assert held["filter"]["kept"] == 4
    assert held["split"]["sizes"]["train"] == 4
    assert not list(tmp_path.glob("*.funnel.json"))


def test_a_run_file_that_is_none_is_left_alone(pairs, tmp_path):
    (tmp_path / "run.json").write_text("[1]")
    pairs.write_parquet(tmp_path / "pairs.parquet")
    assert call("filter", tmp_path, "-o", tmp_path / "f.parquet") == 0
    assert (tmp_path / "run.json").read_text() == "[1]"
    assert (tmp_path / "f.funnel.json").is_file()


def test_settings_exclusion_and_masks(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.toml").write_text("[filter]\nmin_words = 1\n")
    (tmp_path / "test.en").write_text("The bus broke down on the way.\n")
    assert call(
        "filter", tmp_path / "p.parquet", "-o", tmp_path / "f.parquet", "--config", tmp_path / "c.toml",
        "--exclude", tmp_path / "test.en", "--mask-pii",
    ) == 0  # fmt: skip
    made = pl.read_parquet(tmp_path / "f.parquet")
    assert made["drop_reason"].to_list() == [None] * 4 + ["excluded"]
    assert_frame_equal(
        made,
        ingest.mask_pii(
            ingest.filter(pairs, exclude=[tmp_path / "test.en"], config=FilterConfig(min_words=1))
        ),
    )
    assert made["target_masked"].drop_nulls().to_list() == ["Call <PHONE_1> before noon, please"]
    assert "1 phone; masked in 1 pairs" in capsys.readouterr().out


def test_what_export_writes_has_no_personal_data(pairs, tmp_path):
    pairs.write_parquet(tmp_path / "p.parquet")
    call("filter", tmp_path / "p.parquet", "-o", tmp_path / "f.parquet", "--mask-pii")
    for format in ("tsv", "jsonl", "tmx", "moses"):
        dest = tmp_path / f"out.{format}"
        assert call("export", tmp_path / "f.parquet", "--format", format, "-o", dest) == 0
        files = [dest] if dest.is_file() else [*dest.glob("pairs*")]
        text = "".join(file.read_text() for file in files)
        assert "PHONE_1" in text
        assert "4567" not in text
        assert "٤٥٦٧" not in text


def test_split_says_how_many_and_what_falls_short(pairs, tmp_path, capsys):
    pairs.with_columns(source_doc=pl.lit("one")).write_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.toml").write_text("[split]\ndev = 1\ntest = 1\n")
    settings = ("--config", tmp_path / "c.toml")
    assert call("split", tmp_path / "p.parquet", "-o", tmp_path / "s.parquet", *settings) == 0
    out = capsys.readouterr().out
    assert out.startswith("5 train, 0 dev, 0 test of 5 kept pairs, in 1 groups\n")
    assert "dev has 0 of 1 pairs" in out
    (tmp_path / "c.toml").write_text('[split]\ndev = 1\ntest = 1\nby = "text"\n')
    assert (
        call(
            "split", tmp_path / "p.parquet", "-o", tmp_path / "s.parquet", "--overwrite", *settings
        )
        == 0
    )
    assert capsys.readouterr().out.startswith("3 train, 1 dev, 1 test")
    told = json.loads((tmp_path / "s.split.json").read_text())
    assert told["sizes"] == {"train": 3, "dev": 1, "test": 1}


def test_split_says_what_is_more_than_was_wanted(pairs, tmp_path, capsys):
    docs = pl.Series(["one", "one", "two", "two", "three"])
    pairs.with_columns(source_doc=docs)[:4].write_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.toml").write_text("[split]\ndev = 1\ntest = 0\n")
    settings = ("--config", tmp_path / "c.toml")
    assert call("split", tmp_path / "p.parquet", "-o", tmp_path / "s.parquet", *settings) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "2 train, 2 dev, 0 test of 4 kept pairs, in 2 groups",
        "dev has 2 of 1 pairs: groups must not be parted, and none that is left is smaller",
    ]


@pytest.mark.parametrize(("verb", "beside"), [("filter", "funnel"), ("split", "split")])
def test_a_report_is_not_replaced_unasked(verb, beside, pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    report = tmp_path / f"o.{beside}.json"
    report.write_text("mine")
    args = (verb, tmp_path / "p.parquet", "-o", tmp_path / "o.parquet")
    assert call(*args) == 2
    assert f"{report.name}: exists already" in capsys.readouterr().err
    assert report.read_text() == "mine"
    assert not (tmp_path / "o.parquet").exists()
    assert call(*args, "--overwrite") == 0
    assert json.loads(report.read_text())["pairs"] == 5


@pytest.mark.parametrize("verb", ["score", "filter", "split"])
@pytest.mark.parametrize("name", ["x.tsv", "x.CSV", "x.txt", "x.jsonl", "x.json", "x.tmx"])
def test_parquet_goes_by_no_name_of_a_text_file(verb, name, pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    assert call(verb, tmp_path / "p.parquet", "-o", tmp_path / name) == 2
    assert f"{name}: would be a Parquet file" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


def test_pairs_stand_before_what_is_excluded(pairs, tmp_path, capsys):
    file, *lines = (tmp_path / name for name in ("p.parquet", "a.en", "b.en"))
    pairs.write_parquet(file)
    for path, text in zip(lines, (TEXTS[0][1], TEXTS[3][1]), strict=True):
        path.write_text(text)
    out = ("-o", tmp_path / "f.parquet", "--overwrite")
    for call_ in (("--exclude", *lines), ("--exclude", lines[0], "--exclude", lines[1])):
        assert call("filter", file, *call_, *out) == 0
        assert pl.read_parquet(tmp_path / "f.parquet")["keep"].sum() == 2
    with pytest.raises(SystemExit):
        call("filter", "--exclude", lines[0], file, *out)
    assert "PAIRS before --exclude" in capsys.readouterr().err


def test_shares_that_come_to_no_pair_are_said(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.toml").write_text("[split]\ntest = 0\n")
    made = ("split", tmp_path / "p.parquet", "-o", tmp_path / "s.parquet", "--overwrite")
    of = "0.02 of so few pairs comes to none; set a number of pairs, such as"
    for more, names in (((), ("dev", "test")), (("--config", tmp_path / "c.toml"), ("dev",))):
        assert call(*made, *more) == 0
        assert capsys.readouterr().out.splitlines()[1:-1] == [
            f"{name} has none: {of} {name} = 1, in [split] of --config" for name in names
        ]
    pairs.clear().write_parquet(tmp_path / "p.parquet")
    assert call(*made) == 0
    assert "has none" not in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["score", "filter", "split"])
def test_damaged_pages(verb, pairs, tmp_path, capsys):
    path = tmp_path / "p.parquet"
    pairs.write_parquet(path, statistics=False)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    path.write_bytes(whole[:4] + b"\xff" * (len(whole) - footer - 4) + whole[-footer:])
    assert call(verb, path, "-o", tmp_path / "o.parquet") == 2
    assert "p.parquet: cannot be read as Parquet" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("verb", ["filter", "split"])
def test_a_file_that_changes_between_two_passes(verb, pairs, tmp_path, capsys, monkeypatch):
    path = tmp_path / "p.parquet"
    pairs.write_parquet(path)
    rewrite = PairsFile.rewrite

    def change(self, *args, **more):
        pairs[::-1].write_parquet(path)
        rewrite(self, *args, **more)

    monkeypatch.setattr(PairsFile, "rewrite", change)
    assert call(verb, path, "-o", tmp_path / "o.parquet") == 2
    assert "p.parquet: was changed while it was read" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


def test_copies_that_the_run_knows_go_together(pairs, tmp_path):
    docs = [f"d{n}" for n in range(5)]
    pl.DataFrame({"doc_id": docs, "cluster": ["c"] * 5}).write_parquet(
        tmp_path / "segments.parquet"
    )
    pairs.write_parquet(tmp_path / "pairs.parquet")
    (tmp_path / "c.toml").write_text("[split]\ndev = 1\n")
    assert (
        call("split", tmp_path, "-o", tmp_path / "s.parquet", "--config", tmp_path / "c.toml") == 0
    )
    assert set(pl.read_parquet(tmp_path / "s.parquet")["split"]) == {"train"}


def test_none_kept_and_no_pairs_are_said_and_no_error(pairs, tmp_path, capsys):
    for frame in (pairs.with_columns(score=0.0).cast({"score": pl.Float32}), pairs.clear()):
        frame.write_parquet(tmp_path / "p.parquet")
        assert (
            call("filter", tmp_path / "p.parquet", "-o", tmp_path / "f.parquet", "--overwrite") == 0
        )
        assert ("no pair was kept" in capsys.readouterr().out) == bool(len(frame))
        assert (
            call("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet", "--overwrite") == 0
        )
        assert capsys.readouterr().out.startswith("0 train, 0 dev, 0 test of 0 kept pairs")


@pytest.mark.parametrize("verb", ["filter", "split"])
def test_wrong_calls(verb, pairs, tmp_path, capsys):
    good, bad, strange = (tmp_path / name for name in ("p.parquet", "bad.parquet", "x.parquet"))
    pairs.write_parquet(good)
    bad.write_bytes(b"PAR1 no")
    pairs.drop("method").write_parquet(strange)
    for args, message in (
        ((tmp_path / "none", "-o", tmp_path / "o"), "no such file"),
        ((bad, "-o", tmp_path / "o"), "cannot be read as Parquet"),
        ((strange, "-o", tmp_path / "o"), "column 'method' is missing; ingest.align makes it"),
        ((good, "-o", good, "--overwrite"), "is the input itself"),
        ((good, "-o", strange), "exists already"),
        ((good, "-o", tmp_path / "no" / "o"), "there is no folder"),
    ):
        assert call(verb, *args) in (1, 2)
        assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_an_excluded_file_must_be_there(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    assert (
        call("filter", tmp_path / "p.parquet", "-o", tmp_path / "f", "--exclude", tmp_path / "no")
        == 2
    )
    assert "no:" in capsys.readouterr().err


def test_the_card_has_the_whole_story(pairs, tmp_path):
    run = {
        "version": "0.1", "fingerprint": "0123456789abcdef",
        "inputs": [{"source": f"/data/{n}|x.html", "bytes": 9, "records": 1, "sha256": "ab"} for n in range(70)],
    }  # fmt: skip
    run["inputs"][1]["sha256"] = None  # a container
    (tmp_path / "run.json").write_text(json.dumps(run))
    pairs.write_parquet(tmp_path / "pairs.parquet")
    (tmp_path / "c.toml").write_text("[split]\ndev = 1\ntest = 1\n")
    settings = ("--config", tmp_path / "c.toml")
    call("filter", tmp_path, "-o", tmp_path / "f.parquet", "--mask-pii", *settings)
    call("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet", *settings)
    dest = tmp_path / "hub"
    license = ("--license", "cc-by-4.0")
    assert (
        call("export", tmp_path / "s.parquet", "--format", "huggingface", "-o", dest, *license) == 0
    )
    names = {path.name for path in (dest / "data").iterdir()}
    assert names == {f"{s}-00000-of-00001.parquet" for s in ("train", "validation", "test")}
    assert len(pl.read_parquet(dest / "data" / "train-*.parquet")) == 2
    card = (dest / "README.md").read_text()
    for said in (
        'license: "cc-by-4.0"', "| validation | aligned | 1 |", "| 0\\|x.html | 1 | 9 | ab |", "x.html | 1 | 9 | — |",
        "and 20 more", "| align 1 ab12 | 4 |", "| too short | 5 | 1 | 4 |", "In 1 pairs e-mail",
        "ingest filter PAIRS", "[split]\ndev = 1.0", "`0123456789abcdef`", "--license cc-by-4.0",
    ):  # fmt: skip
        assert said in card
    assert "<PHONE_1>" in str(pl.read_parquet(dest / "data" / "*.parquet")["translation"].to_list())


def test_a_licence_needs_a_card(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    assert call("export", tmp_path / "p.parquet", "--format", "tsv", "--license", "mit") == 2
    assert "tsv has no card" in capsys.readouterr().err


def test_scores_come_first(pairs, tmp_path, capsys):
    pairs.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.toml").write_text("[filter]\nmin_quality = 0.4\n")
    made = ("-o", tmp_path / "f.parquet", "--config", tmp_path / "c.toml")
    assert call("filter", tmp_path / "p.parquet", *made) == 2
    assert "column 'quality'; ingest.score makes it" in capsys.readouterr().err
    assert call("score", tmp_path / "p.parquet", "-o", tmp_path / "s.parquet") == 0
    assert capsys.readouterr().out.startswith("5 pairs scored")
    assert call("filter", tmp_path / "s.parquet", *made) == 0
    scored = pl.read_parquet(tmp_path / "f.parquet")
    assert_frame_equal(scored.select(pairs.columns), pairs)
    assert scored["quality"].null_count() == 0

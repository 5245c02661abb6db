"""The commands that make a data set of pairs: `score`, `filter`, `split`, `export`."""

from __future__ import annotations

import json
import tomllib

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
    common = {
        "source_lang": "ar",
        "target_lang": "en",
        "method": "aligned",
        "score": 0.9,
        "model": "align 1 ab12",
    }
    rows = [
        {"pair_id": f"{n}", "source_text": s, "target_text": t, "source_doc": f"d{n}", **common}
        for n, (s, t) in enumerate(TEXTS)
    ]
    return pl.DataFrame(rows, schema(PAIRS))


@pytest.fixture
def path(pairs, tmp_path):
    """A file with the pairs."""
    file = tmp_path / "p.parquet"
    pairs.write_parquet(file)
    return file


@pytest.fixture
def settings(tmp_path):
    """A function that writes a file of settings and returns the option that names it."""

    def write(text: str):
        file = tmp_path / "c.toml"
        file.write_text(text)
        return ("--config", file)

    return write


def test_filter_writes_what_the_function_returns_and_shows_the_funnel(pairs, path, call, tmp_path):
    status, out, err = call("filter", path, "-o", tmp_path / "f.parquet")
    assert status == 0
    assert_frame_equal(pl.read_parquet(tmp_path / "f.parquet"), ingest.filter(pairs))
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["5", "pairs"],
        ["-1", "too", "short"],
        ["4", "kept"],
    ]
    assert "1 phone" in out + err
    report = json.loads((tmp_path / "f.funnel.json").read_text())
    assert report["funnel"] == ingest.funnel(ingest.filter(pairs)).to_dicts()
    assert (report["pairs"], report["kept"], report["pii"]) == (5, 4, {"phone": 1})


def test_the_numbers_of_a_run_go_to_run_json(pairs, call, tmp_path):
    run = {"version": "1", "fingerprint": "f" * 16, "counts": {"pages": 3}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    pairs.write_parquet(tmp_path / "pairs.parquet")
    assert call("filter", tmp_path, "-o", tmp_path / "f.parquet").status == 0
    assert call("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet").status == 0
    report = json.loads((tmp_path / "run.json").read_text())
    assert {key: report[key] for key in run} == run
    assert report["filter"]["kept"] == 4
    assert report["split"]["sizes"]["train"] == 4
    assert not list(tmp_path.glob("*.funnel.json"))


def test_a_run_json_of_something_else_is_left_alone(pairs, call, tmp_path):
    (tmp_path / "run.json").write_text("[1]")
    pairs.write_parquet(tmp_path / "pairs.parquet")
    assert call("filter", tmp_path, "-o", tmp_path / "f.parquet").status == 0
    assert (tmp_path / "run.json").read_text() == "[1]"
    assert (tmp_path / "f.funnel.json").is_file()


def test_filter_with_settings_excluded_texts_and_masks(pairs, path, call, settings, tmp_path):
    (tmp_path / "test.en").write_text("The bus broke down on the way.\n")
    status, out, err = call(
        "filter", path, "-o", tmp_path / "f.parquet", *settings("[filter]\nmin_words = 1\n"),
        "--exclude", tmp_path / "test.en", "--mask-pii",
    )  # fmt: skip
    assert status == 0
    filtered = pl.read_parquet(tmp_path / "f.parquet")
    assert filtered["drop_reason"].to_list() == [None] * 4 + ["excluded"]
    assert_frame_equal(
        filtered,
        ingest.mask_pii(
            ingest.filter(pairs, exclude=[tmp_path / "test.en"], config=FilterConfig(min_words=1))
        ),
    )
    assert filtered["target_masked"].drop_nulls().to_list() == [
        "Call <PHONE_1> before noon, please"
    ]
    assert "1 phone; masked in 1 pair" in out + err


def test_exported_files_have_no_personal_data(path, call, tmp_path):
    call("filter", path, "-o", tmp_path / "f.parquet", "--mask-pii")
    for format in ("tsv", "jsonl", "tmx", "moses"):
        dest = tmp_path / f"out.{format}"
        assert call("export", tmp_path / "f.parquet", "--format", format, "-o", dest).status == 0
        files = [dest] if dest.is_file() else [*dest.glob("pairs*")]
        text = "".join(file.read_text() for file in files)
        assert "PHONE_1" in text
        assert "4567" not in text
        assert "٤٥٦٧" not in text


def test_split_reports_sizes_that_are_too_small(pairs, path, call, settings, tmp_path):
    pairs.with_columns(source_doc=pl.lit("one")).write_parquet(path)
    out = tmp_path / "s.parquet"
    status, *printed = call("split", path, "-o", out, *settings("[split]\ndev = 1\ntest = 1\n"))
    assert status == 0
    assert printed[0].startswith("5 train, 0 dev, 0 test of 5 kept pairs, in 1 group")
    assert "dev has 0 pairs instead of 1: " in "".join(printed)
    options = settings('[split]\ndev = 1\ntest = 1\nby = "text"\n')
    status, printed, _ = call("split", path, "-o", out, "--overwrite", *options)
    assert status == 0
    assert printed.startswith("3 train, 1 dev, 1 test")
    report = json.loads((tmp_path / "s.split.json").read_text())
    assert report["sizes"] == {"train": 3, "dev": 1, "test": 1}


def test_split_reports_sizes_that_are_too_large(pairs, path, call, settings, tmp_path):
    docs = pl.Series(["one", "one", "two", "two", "three"])
    pairs.with_columns(source_doc=docs)[:4].write_parquet(path)
    options = settings("[split]\ndev = 1\ntest = 0\n")
    status, out, err = call("split", path, "-o", tmp_path / "s.parquet", *options)
    assert status == 0
    assert out.startswith("2 train, 2 dev, 0 test of 4 kept pairs, in 2 groups")
    assert "dev has 2 pairs instead of 1: " in out + err


def test_split_reports_shares_that_round_to_no_pair(pairs, path, call, settings, tmp_path):
    args = ("split", path, "-o", tmp_path / "s.parquet", "--overwrite")
    for options, names in (((), {"dev", "test"}), (settings("[split]\ntest = 0\n"), {"dev"})):
        status, out, err = call(*args, *options)
        assert status == 0
        assert {name for name in ("dev", "test") if f"{name} = 1, in [split]" in out + err} == names
        assert "0.02 of" in out + err
    pairs.clear().write_parquet(path)
    status, out, err = call(*args)
    assert status == 0
    assert "in [split]" not in out + err


@pytest.mark.parametrize(("command", "suffix"), [("filter", "funnel"), ("split", "split")])
def test_a_report_is_replaced_only_with_overwrite(command, suffix, path, call, tmp_path):
    report = tmp_path / f"o.{suffix}.json"
    report.write_text("mine")
    args = (command, path, "-o", tmp_path / "o.parquet")
    status, _, err = call(*args)
    assert status == 2
    assert f"{report.name}: " in err
    assert "exists" in err
    assert report.read_text() == "mine"
    assert not (tmp_path / "o.parquet").exists()
    assert call(*args, "--overwrite").status == 0
    assert json.loads(report.read_text())["pairs"] == 5


@pytest.mark.parametrize("command", ["score", "filter", "split"])
@pytest.mark.parametrize("name", ["x.tsv", "x.CSV", "x.txt", "x.jsonl", "x.json", "x.tmx"])
def test_parquet_is_not_written_under_the_suffix_of_text(command, name, path, call, tmp_path):
    status, _, err = call(command, path, "-o", tmp_path / name)
    assert status == 2
    assert f"{name}: " in err
    assert "Parquet" in err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


def test_exclude_may_stand_anywhere_and_several_times(path, call, tmp_path):
    a, b = files = [tmp_path / "a.en", tmp_path / "b.en"]
    for file, (_, text) in zip(files, (TEXTS[0], TEXTS[3]), strict=True):
        file.write_text(text)
    out = ("-o", tmp_path / "f.parquet", "--overwrite")
    for options in (
        (path, "--exclude", a, b),
        (path, "--exclude", a, "--exclude", b),
        ("--exclude", a, "--exclude", b, *out, path),
        ("--exclude", a, b, path),
        ("--exclude", a, path, "--exclude", b),
        ("--exclude", a, "--exclude", b, path),
        (f"--exclude={a}", path, f"--exclude={b}"),
    ):
        status, _, err = call("filter", *options, *out)
        assert status == 0
        assert "excludes nothing" not in err
        assert pl.read_parquet(tmp_path / "f.parquet")["keep"].sum() == 2
    for options in (("--exclude", a), ("--exclude", path, a, "--exclude", path, b), ()):
        status, _, err = call("filter", *options, *out)
        assert status == 2
        assert "PAIRS before --exclude" in err


def test_a_file_that_excludes_nothing_is_named(path, call, tmp_path):
    names = ["hit.en", "same.en", "miss.en", "empty.en"]
    hit, same, miss, empty = files = [tmp_path / name for name in names]
    hit.write_text(f"{TEXTS[3][1]}\n")
    same.write_text(f"{TEXTS[3][1]}\n")
    miss.write_text("Nothing of this is in the pairs.\nNor is this line.\n")
    empty.write_text("")
    status, out, err = call("filter", path, "-o", tmp_path / "f.parquet", "--exclude", *files)
    assert status == 0
    lines = [line for line in (out + err).splitlines() if "excludes nothing" in line]
    assert [line.split(": ")[1] for line in lines] == [str(miss), str(empty)]
    assert "2 texts" in lines[0]
    report = json.loads((tmp_path / "f.funnel.json").read_text())
    assert report["exclude"] == [str(file) for file in files]
    assert list(report["excluded_by"].values()) == [1, 1, 0, 0]
    counts = [f"{n:>12}  {file}" for n, file in zip((1, 1, 0, 0), files, strict=True)]
    assert "\n".join(counts) in out
    assert call("-q", "filter", path, "-o", tmp_path / "g.parquet", "--exclude", miss)[1:] == (
        "",
        "",
    )


@pytest.mark.parametrize("format", ["tsv", "jsonl", "tmx", "parquet", "moses", "huggingface"])
def test_whatever_export_writes_can_be_excluded(format, pairs, path, call, tmp_path):
    test_set, some = tmp_path / f"test.{format}", tmp_path / "some.parquet"
    pairs[1:4].write_parquet(some)
    assert call("export", some, "--format", format, "-o", test_set).status == 0
    options = ("-o", tmp_path / "f.parquet", "--exclude", test_set)
    status, _, err = call("filter", path, *options)
    assert status == 0
    assert "excludes nothing" not in err
    reasons = pl.read_parquet(tmp_path / "f.parquet")["drop_reason"].to_list()
    assert reasons == [None, "excluded", "too short", "excluded", None]


def test_an_excluded_file_must_exist(path, call, tmp_path):
    status, _, err = call("filter", path, "-o", tmp_path / "f", "--exclude", tmp_path / "no")
    assert status == 2
    assert f"{tmp_path / 'no'}: " in err


@pytest.mark.parametrize("command", ["score", "filter", "split"])
def test_damaged_pages_of_parquet(command, pairs, path, call, tmp_path):
    pairs.write_parquet(path, statistics=False)
    data = path.read_bytes()
    footer = int.from_bytes(data[-8:-4], "little") + 8
    path.write_bytes(data[:4] + b"\xff" * (len(data) - footer - 4) + data[-footer:])
    status, _, err = call(command, path, "-o", tmp_path / "o.parquet")
    assert status == 2
    assert "p.parquet: cannot be read as Parquet" in err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("command", ["filter", "split"])
def test_a_file_that_changes_between_two_passes(command, path, call, tmp_path, monkeypatch):
    write = PairsFile.write

    def change(self, *args, **options):
        pl.read_parquet(path)[::-1].write_parquet(path)
        return write(self, *args, **options)

    monkeypatch.setattr(PairsFile, "write", change)
    status, _, err = call(command, path, "-o", tmp_path / "o.parquet")
    assert status == 2
    assert "p.parquet: " in err
    assert "change" in err
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


def test_copies_of_an_article_go_to_the_same_split(pairs, call, settings, tmp_path):
    docs = [f"d{n}" for n in range(5)]
    pl.DataFrame({"doc_id": docs, "cluster": ["c"] * 5}).write_parquet(
        tmp_path / "segments.parquet"
    )
    pairs.write_parquet(tmp_path / "pairs.parquet")
    options = settings("[split]\ndev = 1\n")
    assert call("split", tmp_path, "-o", tmp_path / "s.parquet", *options).status == 0
    assert set(pl.read_parquet(tmp_path / "s.parquet")["split"]) == {"train"}


def test_no_kept_pairs_and_no_pairs_are_not_errors(pairs, path, call, tmp_path):
    for frame in (pairs.with_columns(score=0.0).cast({"score": pl.Float32}), pairs.clear()):
        frame.write_parquet(path)
        status, out, err = call("filter", path, "-o", tmp_path / "f.parquet", "--overwrite")
        assert status == 0
        assert ("no pair was kept" in out + err) == bool(len(frame))
        split = ("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet", "--overwrite")
        status, out, _ = call(*split)
        assert status == 0
        assert out.startswith("0 train, 0 dev, 0 test of 0 kept pairs")


@pytest.mark.parametrize("command", ["filter", "split"])
def test_invalid_usage(command, pairs, path, call, tmp_path):
    bad, incomplete = tmp_path / "bad.parquet", tmp_path / "x.parquet"
    bad.write_bytes(b"PAR1 no")
    pairs.drop("method").write_parquet(incomplete)
    for args, message in (
        ((tmp_path / "none", "-o", tmp_path / "o"), "none: "),
        ((bad, "-o", tmp_path / "o"), "cannot be read as Parquet"),
        ((incomplete, "-o", tmp_path / "o"), "'method'"),
        ((path, "-o", path, "--overwrite"), "input"),
        ((path, "-o", incomplete), "exists"),
        ((path, "-o", tmp_path / "no" / "o"), "cannot be written"),
    ):
        status, _, err = call(command, *args)
        assert status == (1 if message == "cannot be written" else 2)
        assert message in err
    assert not (tmp_path / "o").exists()


def test_the_card_of_a_data_set(pairs, call, settings, tmp_path):
    run = {
        "version": "0.1", "fingerprint": "0123456789abcdef",
        "inputs": [{"source": f"/data/{n}|x.html", "bytes": 9, "records": 1, "sha256": "ab"} for n in range(70)],
    }  # fmt: skip
    run["inputs"][1]["sha256"] = None  # a container
    (tmp_path / "run.json").write_text(json.dumps(run))
    pairs.write_parquet(tmp_path / "pairs.parquet")
    options = settings("[split]\ndev = 1\ntest = 1\n")
    call("filter", tmp_path, "-o", tmp_path / "f.parquet", "--mask-pii", *options)
    call("split", tmp_path / "f.parquet", "-o", tmp_path / "s.parquet", *options)
    dest = tmp_path / "hub"
    status, *_ = call(
        "export", tmp_path / "s.parquet", "--format", "huggingface", "-o", dest,
        "--license", "cc-by-4.0",
    )  # fmt: skip
    assert status == 0
    names = {file.name for file in (dest / "data").iterdir()}
    assert names == {f"{s}-00000-of-00001.parquet" for s in ("train", "validation", "test")}
    assert len(pl.read_parquet(dest / "data" / "train-*.parquet")) == 2
    card = (dest / "README.md").read_text()
    for text in (
        'license: "cc-by-4.0"', "| validation | aligned | 1 |", "| 0\\|x.html | 1 | 9 | ab |",
        "x.html | 1 | 9 | — |", "20 more", "| align 1 ab12 | 4 |", "| too short | 5 | 1 | 4 |",
        "e-mail", "ingest filter PAIRS", "[split]\ndev = 1.0", "`0123456789abcdef`",
        "--license cc-by-4.0",
    ):  # fmt: skip
        assert text in card
    assert "<PHONE_1>" in str(pl.read_parquet(dest / "data" / "*.parquet")["translation"].to_list())


def test_a_license_needs_a_card(path, call):
    status, _, err = call("export", path, "--format", "tsv", "--license", "mit")
    assert status == 2
    assert "license" in err
    assert "tsv" in err


def test_a_quality_threshold_needs_scores(pairs, path, call, settings, tmp_path):
    options = ("-o", tmp_path / "f.parquet", *settings("[filter]\nmin_quality = 0.4\n"))
    status, _, err = call("filter", path, *options)
    assert status == 2
    assert "'quality'" in err
    assert "ingest.score" in err
    status, out, _ = call("score", path, "-o", tmp_path / "s.parquet")
    assert status == 0
    assert out.startswith("5 pairs scored")
    assert call("filter", tmp_path / "s.parquet", *options).status == 0
    scored = pl.read_parquet(tmp_path / "f.parquet")
    assert_frame_equal(scored.select(pairs.columns), pairs)
    assert scored["quality"].null_count() == 0


def test_an_experiment_outside_a_run_leaves_its_run_json_alone(tmp_path):
    out = tmp_path / "out"
    crawl = str(ingest.samples().parent / "crawl" / "pages.jsonl")
    assert main(["run", crawl, "-o", str(out), "--align"]) == 0
    assert main(["filter", str(out), "-o", str(out / "filtered.parquet")]) == 0
    before = (out / "run.json").read_bytes()
    assert main(["filter", str(out), "-o", str(tmp_path / "trial.parquet")]) == 0
    assert (out / "run.json").read_bytes() == before
    assert (tmp_path / "trial.funnel.json").exists()


def test_machine_translations_of_another_tool_are_kept(call, tmp_path):
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>{english}</seg></tuv>'
        f'<tuv xml:lang="ar" creationid="MT!"><seg>{arabic}</seg></tuv></tu>'
        for arabic, english in TEXTS[3:]
    )
    header = '<header creationtool="OmegaT" srclang="en"/>'
    (tmp_path / "a.tmx").write_text(f"<tmx version='1.4'>{header}<body>{units}</body></tmx>")
    for command in (
        ("import", tmp_path / "a.tmx", "-o", tmp_path / "p.parquet"),
        ("filter", tmp_path / "p.parquet", "-o", tmp_path / "f.parquet"),
    ):
        assert call(*command).status == 0
    filtered = pl.read_parquet(tmp_path / "f.parquet")
    assert filtered.select("method", "keep").unique().rows() == [("translated", True)]


def test_steps_say_what_they_could_not_apply(pairs, path, call, settings, tmp_path):
    scored, filtered = tmp_path / "scored.parquet", tmp_path / "filtered.parquet"
    _, out, err = call("filter", path, "-o", filtered)
    assert "not checked: copied words, wrong language, low quality" in out + err
    assert "run ingest score first" in out + err
    off = "".join(f"{name} = 0\n" for name in (
        "max_copy", "min_language", "min_quality", "max_boilerplate", "max_repetition"
    ))  # fmt: skip
    _, out, err = call("filter", path, "-o", filtered, "--overwrite", *settings(f"[filter]\n{off}"))
    assert "not checked" not in out + err
    assert call("score", path, "-o", scored).status == 0
    _, out, err = call("filter", scored, "-o", filtered, "--overwrite")
    assert "not checked" not in out + err
    for source, is_filtered in ((scored, False), (filtered, True)):
        _, out, err = call("split", source, "-o", tmp_path / "s.parquet", "--overwrite")
        assert ("run ingest filter first" in out + err) != is_filtered
        report = json.loads((tmp_path / "s.split.json").read_text())
        assert report["filtered"] == is_filtered


WORDS = [
    ("الكتاب", "book"), ("المفتاح", "key"), ("القلم", "pen"), ("الهاتف", "phone"),
    ("الطعام", "food"), ("الماء", "water"), ("التقرير", "report"), ("الدواء", "medicine"),
    ("الخبز", "bread"), ("المال", "money"), ("الصندوق", "box"), ("الخريطة", "map"),
]  # fmt: skip
PLACES = [("المدرسة", "school"), ("المكتبة", "library"), ("البيت", "house"), ("المدينة", "city"),
          ("السوق", "market"), ("المسجد", "mosque"), ("المستشفى", "hospital"), ("الميناء", "harbour"),
          ("القرية", "village"), ("المكتب", "office")]  # fmt: skip


@pytest.fixture(scope="module")
def clean_rows():
    """Clean pairs: an English text, a tab, an Arabic text."""
    return [
        f"The man left the {thing} in the {place} in the morning.\tترك الرجل {arabic} في {where} في الصباح."
        for arabic, thing in WORDS
        for where, place in PLACES
    ]


@pytest.fixture
def scored(pairs, call, tmp_path):
    """A file of scored pairs, Arabic first: one pair fits, the other does not."""
    fitting = (
        "ترك الولد الكرة في الحديقة في المساء.",
        "The boy left the ball in the garden in the evening.",
    )
    rows = [fitting, (TEXTS[4][0], TEXTS[0][1])]
    texts = pl.DataFrame(rows, ["source_text", "target_text"], orient="row")
    pairs[:2].with_columns(texts).write_parquet(tmp_path / "two.parquet")
    assert call("score", tmp_path / "two.parquet", "-o", tmp_path / "s.parquet").status == 0
    return tmp_path / "s.parquet"


def test_thresholds_from_clean_pairs(scored, clean_rows, call, settings, tmp_path):
    clean = tmp_path / "clean.tsv"
    clean.write_text("\n".join(clean_rows))
    out = tmp_path / "f.parquet"
    status, printed, err = call("filter", scored, "-o", out, "--like", clean)
    assert (status, err) == (0, "")
    toml, _, table = printed.partition("\n\n")
    assert toml.startswith("[filter]  # from 120 clean pairs")
    assert table.split()[:2] == ["2", "pairs"]
    used = json.loads((tmp_path / "f.funnel.json").read_text())
    assert used["like"] == [str(clean)]
    values = tomllib.loads(toml)["filter"]
    assert {"min_words", "max_ratio", "min_script", "min_quality"} <= values.keys()
    assert used["settings"] | values == used["settings"]
    assert values["min_quality"] > FilterConfig().min_quality
    # pasted into the settings, they do the same
    again = tmp_path / "g.parquet"
    assert call("filter", scored, "-o", again, *settings(toml)).status == 0
    assert_frame_equal(pl.read_parquet(again), pl.read_parquet(out))
    # what was given stays, even if it is the default
    given = settings("[filter]\nmin_quality = 0.2\nmax_words = 77\n")
    _, printed, _ = call("filter", scored, "-o", out, "--overwrite", "--like", clean, *given)
    values = tomllib.loads(printed.partition("\n\n")[0])["filter"]
    assert (values["min_quality"], values["max_words"]) == (0.2, 77)
    assert printed.count("# as given") == 2
    assert call("-q", "filter", scored, "-o", again, "--overwrite", "--like", clean)[1:] == ("", "")


def test_clean_pairs_of_any_format_and_direction(scored, clean_rows, call, tmp_path):
    clean = tmp_path / "clean.tsv"
    clean.write_text("\n".join(clean_rows))
    out = ("-o", tmp_path / "f.parquet", "--overwrite")
    first = call("filter", scored, *out, "--like", clean).out
    english, arabic = zip(*(row.split("\t") for row in clean_rows), strict=True)
    (tmp_path / "c.en").write_text("\n".join(english))
    (tmp_path / "c.ar").write_text("\n".join(arabic))
    likes = ("--like", tmp_path / "c.ar", "--like", tmp_path / "c.en")
    assert call("filter", *likes, scored, *out).out == first
    assert call("import", clean, "-o", tmp_path / "c.parquet").status == 0
    assert call("filter", scored, *out, "--like", tmp_path / "c.parquet").out == first


def test_clean_pairs_that_are_few_or_do_not_fit(scored, path, clean_rows, call, tmp_path):
    clean = tmp_path / "clean.tsv"
    out = ("-o", tmp_path / "f.parquet", "--overwrite")
    clean.write_text("\n".join(clean_rows[:30]))
    status, printed, err = call("filter", scored, *out, "--like", clean)
    assert status == 0
    assert "clean.tsv: has only 30 pairs" in printed + err
    _, printed, err = call("filter", path, *out, "--like", clean)  # without scores
    values = tomllib.loads(printed.partition("\n\n")[0])["filter"]
    assert values.keys() == {"min_words", "max_words", "max_ratio", "min_script"}
    assert "not checked: copied words" in printed + err
    clean.write_text("fr\ten\nLe chat dort sur le tapis.\tThe cat sleeps on the mat.\n")
    status, _, err = call("filter", scored, *out, "--like", clean)
    assert status == 2
    assert "clean.tsv: the clean pairs are fr-en" in err
    clean.write_text("")
    status, _, err = call("filter", scored, *out, "--like", clean)
    assert status == 2
    assert "clean.tsv" in err
    assert call("filter", scored, *out, "--like", tmp_path / "no.tsv").status == 2

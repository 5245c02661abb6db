from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import ingest
from ingest import resources as models
from ingest.config import AlignConfig, Config, RunConfig
from ingest.errors import AlignError, ConfigError, ModelError, OutputError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.jobs.align import align_files
from ingest.jobs.align_run import align_run
from ingest.jobs.pair import pair_run

PARALLEL = ingest.samples().parent / "parallel"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    html = PARALLEL.parent / "html" / "bilingual-two-columns-agency.html"
    ingest.run([PARALLEL, html], out)
    return out


def test_a_run_becomes_pairs_of_sentences(run, tmp_path):
    report = align_run(str(run), str(tmp_path / "pairs.parquet"))
    pairs = pl.read_parquet(tmp_path / "pairs.parquet")
    assert pairs.schema == schema(PAIRS, ALIGNED)
    assert report.pairs == len(pairs)
    assert report.aligned == 2  # the two library files, and the two columns of one page
    library = pairs.filter(pl.col("source_doc") != pl.col("target_doc"))
    assert len(library) == 12
    assert library["score"].min() > 0.9
    assert not library["source_text"].str.contains("رطوبة البحر").any()
    segments = pl.read_parquet(run / "segments.parquet")
    for row in library.iter_rows(named=True):
        at = segments.filter(doc_id=row["source_doc"], segment=row["source_segments"][0])
        assert row["source_text"].split(" ")[0] in at["text"][0]


def test_existing_files_are_not_replaced(run, tmp_path):
    (tmp_path / "pairs.parquet").write_bytes(b"")
    with pytest.raises(OutputError, match="--overwrite"):
        align_run(str(run), str(tmp_path / "pairs.parquet"))
    with pytest.raises(SourceError, match="folder that ingest run made"):
        align_run(str(tmp_path), str(tmp_path / "other.parquet"))


def test_overwrite_replaces_a_paired_run(call, run, tmp_path):
    done = call("run", PARALLEL, "-o", run, "--overwrite")
    assert done.status == 0, done.err
    assert not (run / "pages.parquet").exists()


def test_run_with_align(call, tmp_path):
    done = call("run", PARALLEL, "-o", tmp_path / "out", "--align")
    assert done.status == 0, done.err
    assert "12 pairs of sentences from 1 pair of articles" in done.out
    assert len(pl.read_parquet(tmp_path / "out" / "pairs.parquet")) == 12


def test_run_returns_pairs_and_run_json_stays_the_same(tmp_path):
    reports = [ingest.run(PARALLEL, tmp_path / name, align=name == "b") for name in "ab"]
    assert reports[1]["pairs"] == {
        "aligned": 1, "pairs": 12, "good": 12, "failed": 0, "said": [], "what": "article",
    }  # fmt: skip
    assert len(pl.read_parquet(tmp_path / "b" / "pairs.parquet")) == 12
    assert "pairs" not in reports[0]
    assert not (tmp_path / "a" / "pairs.parquet").exists()
    keys = [set(json.loads((tmp_path / name / "run.json").read_bytes())) for name in "ab"]
    assert keys[0] == keys[1] == set(reports[0])


def test_a_part_cannot_be_aligned(tmp_path):
    with pytest.raises(ConfigError, match="resumes and completes all parts"):
        ingest.run(PARALLEL, tmp_path / "out", shard=(1, 1), align=True)
    ingest.run(PARALLEL, tmp_path / "out", shard=(1, 1))
    assert ingest.run(PARALLEL, tmp_path / "out", resume=True, align=True)["pairs"]["pairs"] == 12


def test_a_failed_alignment_names_the_command_to_repeat(call, tmp_path, monkeypatch):
    config = Config(align=AlignConfig(encoder=str(tmp_path / "none")))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as raised:
        ingest.run(PARALLEL, "out", config=config, align=True)
    assert raised.value.__notes__ == [
        "out is complete except for its pairs; to add them: ingest align out -o out/pairs.parquet"
    ]
    assert call("align", "out", "-o", "out/pairs.parquet").status == 0


def test_alignment_is_not_imported_without_align():
    code = "import sys, ingest.jobs.run; print([m for m in sys.modules if 'ingest.alignment' in m])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout.strip() == b"[]"


@pytest.mark.parametrize("name", ["documents", "segments", "pages"])
def test_the_files_of_the_run_are_not_replaced(run, tmp_path, name):
    if name == "pages":
        pair_run(run, overwrite=True)
    with pytest.raises(OutputError, match="is the input itself"):
        align_run(str(run), str(run / f"{name}.parquet"), overwrite=True)


def test_a_damaged_run_is_named(run, tmp_path):
    for name in ("documents", "segments", "pages"):
        (tmp_path / f"{name}.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(SourceError, match=str(tmp_path)):
        align_run(str(tmp_path), str(tmp_path / "pairs.parquet"))


@pytest.fixture
def paired(run, tmp_path) -> Path:
    for name in ("documents", "segments"):
        shutil.copy(run / f"{name}.parquet", tmp_path)
    pair_run(tmp_path)
    return tmp_path


def test_pages_paired_in_other_languages_are_refused(paired):
    to, wish = str(paired / "b.parquet"), Config(align=AlignConfig(langs=("en", "ar")))
    with pytest.raises(ConfigError, match=r"pages\.parquet: pairs ar with en, not en with ar .*"
                       r"ingest pair .* --overwrite --langs en,ar"):  # fmt: skip
        align_run(str(paired), to, config=wish)
    assert not Path(to).exists()
    pair_run(paired, config=wish.align, overwrite=True)
    align_run(str(paired), to, config=wish)
    assert set(pl.read_parquet(to)["source_lang"]) == {"en"}


def test_pages_paired_by_another_encoder_are_mentioned(paired):
    shipped = Config(align=AlignConfig(encoder=str(models.model_dir("encoder"))))
    report = align_run(str(paired), str(paired / "b.parquet"), config=shipped)
    assert ["whatever encoder" in line for line in report.messages] == [True]
    (paired / "pages.parquet").unlink()
    assert align_run(str(paired), str(paired / "c.parquet"), config=shipped).messages == []


@pytest.mark.parametrize("lost", ["row", "column"])
def test_pages_of_another_run_are_refused(paired, lost):
    pages = pl.read_parquet(paired / "pages.parquet")
    other = pages.with_columns(source_doc=pl.lit("0" * 16)) if lost == "row" else pages[:, 1:]
    other.write_parquet(paired / "pages.parquet")
    with pytest.raises(
        SourceError, match="belongs to another run" if lost == "row" else "source_doc"
    ):
        align_run(str(paired), str(paired / "b.parquet"))
    assert not (paired / "b.parquet").exists()


def test_from_files_to_an_export(call, tmp_path):
    pairs, out = tmp_path / "pairs.parquet", tmp_path / "moses"
    done = call("align", PARALLEL / "library.ar.txt", PARALLEL / "library.en.txt", "-o", pairs)
    summary = (
        "12 pairs of sentences from 1 pair of files\n"
        "left out 6 lines that are not content; --lines aligns every line, each as one unit\n"
        f"written to {pairs}\n"
    )
    assert (done.status, done.out) == (0, summary)
    done = call("export", pairs, "--format", "moses", "--langs", "en,ar", "-o", out)
    assert done.status == 0, done.err
    assert len((out / "pairs.en").read_text(encoding="utf-8").splitlines()) == 12
    assert call("align", pairs, pairs, pairs, "-o", tmp_path / "x").status == 2


def test_vectors_of_lines(call, tmp_path):
    (tmp_path / "a.txt").write_text("The boat sails.\nأبحر القارب.\n20", encoding="utf-8")
    done = call("encode", tmp_path / "a.txt", "-o", tmp_path / "v.npy")
    assert done.status == 0, done.err
    assert done.out.splitlines()[1:] == [f"written to {tmp_path / 'v.npy'}"]
    vectors = np.load(tmp_path / "v.npy")
    assert vectors.dtype == np.float32
    near = vectors @ vectors.T
    assert near[0, 1] > near[0, 2]
    assert call("encode", tmp_path / "none.txt", "-o", tmp_path / "w.npy").status == 2
    named = ["-o", tmp_path / "w.npy", "--encoder", models.model_dir("encoder")]
    assert call("encode", tmp_path / "a.txt", *named).status == 0
    assert (tmp_path / "w.npy").read_bytes() == (tmp_path / "v.npy").read_bytes()
    named[-1] = tmp_path
    done = call("encode", tmp_path / "a.txt", *named, "--overwrite")
    assert (done.status, str(tmp_path) in done.err) == (2, True)


@pytest.mark.parametrize("way", ["files", "run"])
def test_low_scores_are_questioned(way, tmp_path, monkeypatch):
    """The summary asks whether the texts are translations if most pairs score low."""
    other = PARALLEL.parent / "scrapes" / "en_recipe_1.txt"
    (tmp_path / "a").mkdir()
    shutil.copy(PARALLEL / "library.ar.txt", tmp_path / "a" / "b.ar.txt")
    shutil.copy(other, tmp_path / "a" / "b.en.txt")
    if way == "files":
        sides = [str(tmp_path / "a" / f"b.{lang}.txt") for lang in ("ar", "en")]
        report = align_files(*sides, str(tmp_path / "p.parquet"))
    else:
        ingest.run(tmp_path / "a", tmp_path / "out")
        pair_run(tmp_path / "out", min_score=0.0)
        report = align_run(str(tmp_path / "out"), str(tmp_path / "p.parquet"))
    scores = pl.read_parquet(tmp_path / "p.parquet")["score"]
    good = int((scores >= 0.5).sum())
    assert len(scores) > 2 * good
    assert (
        str(report)
        .splitlines()[0]
        .endswith(
            f", {good} of them with a score of 0.5 or more. Are these texts translations of each other?"
        )
    )


def test_a_page_that_fails_costs_its_pair(tmp_path, monkeypatch):
    folder = tmp_path / "both"
    folder.mkdir()
    for name in "abc":
        for lang in ("ar", "en"):
            shutil.copy(PARALLEL / f"library.{lang}.txt", folder / f"{name}.{lang}.txt")
    original = ingest.jobs.align.segment

    def segment(documents, **options):
        if documents["uri"][0].endswith("a.ar.txt"):
            raise RecursionError("too deep")
        while documents["uri"][0].endswith("b.ar.txt"):
            pass
        return original(documents, **options)

    monkeypatch.setattr("ingest.jobs.align.segment", segment)
    config = Config(run=RunConfig(page_seconds=2))
    report = align_files(*[str(folder)] * 2, str(tmp_path / "p.parquet"), config=config)
    assert (report.aligned, report.in_error) == (1, 2)
    assert [message.rpartition("txt: ")[2] for message in report.messages] == [
        "cannot be processed: RecursionError: too deep",
        "cannot be processed: it takes longer than run.page_seconds",
    ]


def test_one_folder_with_both_sides(call, tmp_path):
    folder, out = tmp_path / "both", tmp_path / "p.parquet"
    folder.mkdir()
    for lang in ("ar", "en"):
        shutil.copy(PARALLEL / f"library.{lang}.txt", folder / f"a.{lang}.txt")
    (folder / "notes.txt").write_text("Something else.")
    assert call("align", folder, "-o", out).out.startswith("12 pairs of sentences from 1 pair")
    for langs, lines in (("ar,en", False), ("en,ar", True)):
        config = Config(align=AlignConfig(langs=tuple(langs.split(","))))
        report = align_files(
            *[str(folder)] * 2, str(out), lines=lines, overwrite=True, config=config
        )
        assert (report.aligned, report.in_error) == (1, 0)
        (message,) = report.messages
        assert message.startswith(f"{folder}: ignored 1 file")
        assert f"NAME.{langs[:2]}.txt and NAME.{langs[3:]}.txt" in message
        assert set(pl.read_parquet(out)["source_lang"]) == {langs[:2]}
    (folder / "a.ar.txt").unlink()
    done = call("align", folder, "-o", out, "--overwrite")
    assert done.status == 2
    assert "give a run, two folders or two files" in done.err


def test_a_text_file_name_is_refused_for_parquet(run, tmp_path):
    library = [str(PARALLEL / f"library.{lang}.txt") for lang in ("ar", "en")]
    for make in (partial(align_files, *library), partial(align_run, str(run))):
        with pytest.raises(
            OutputError, match=r"my\.tsv: would be a Parquet file; name it my\.parquet"
        ):
            make(str(tmp_path / "my.tsv"))
    assert list(tmp_path.iterdir()) == []


def test_resume_of_a_complete_run_refuses_other_sources(tmp_path):
    out = tmp_path / "out"
    pages = ingest.samples()
    ingest.run(pages / "ar_news_1.txt", out)
    for sources in (pages / "ar_news_2.txt", [pages / "ar_news_1.txt", pages / "ar_news_2.txt"]):
        with pytest.raises(SourceError, match=r"ar_news_\d\.txt"):
            ingest.run(sources, out, align=True, resume=True)
    assert not (out / "pairs.parquet").exists()


BYLINES = {
    "ar": "كتب الطبيب وصفة للمريض وطلب منه أن يعود بعد أسبوع.\nوصل المريض إلى العيادة في الصباح "
    "الباكر.\nبقلم رصاص رسم الطفل بيتا صغيرا على الورقة.\nبقلم: محمد علي\n"
    "شربت القطة الحليب كله ثم نامت قرب النافذة.\n",
    "en": "The doctor wrote a prescription and asked the patient to return in a week.\nThe patient "
    "arrived at the clinic early in the morning.\nThe child drew a small house on the paper with a "
    "pencil.\nBy the time the train came, the station was empty.\nBy John Smith\n",
}


@pytest.fixture
def bylines(tmp_path):
    for lang, text in BYLINES.items():
        (tmp_path / f"a.{lang}.txt").write_text(text, "utf-8")
    return str(tmp_path / "a.ar.txt"), str(tmp_path / "a.en.txt"), tmp_path


@pytest.mark.parametrize("name", ["u.parquet", "u.tsv", "u.jsonl"])
def test_sentences_like_bylines_are_aligned_and_the_rest_is_written(bylines, name):
    source, target, folder = bylines
    out, unmatched = str(folder / "p.parquet"), folder / name
    result = align_files(source, target, out, unmatched=str(unmatched))
    pairs = pl.read_parquet(out)
    assert any(text.startswith("بقلم رصاص") for text in pairs["source_text"])
    assert result.left_out == 2
    assert "left out 2 lines that are not content; --lines aligns every line, " in str(result)
    readers = {
        ".parquet": pl.read_parquet,
        ".tsv": lambda path: pl.read_csv(path, separator="\t", quote_char=None),
        ".jsonl": pl.read_ndjson,
    }
    rows = readers[unmatched.suffix](unmatched)
    assert rows.columns == ["side", "lang", "text", "reason", "doc", "segment", "start", "end"]
    found = rows.filter(pl.col("reason") == "no content")
    assert found["text"].to_list() == ["بقلم: محمد علي", "By John Smith"]
    by_the_time = rows.filter(pl.col("text").str.starts_with("By the time"))
    in_pairs = "\n".join(pairs["target_text"])
    assert len(by_the_time) == 1 or "By the time" in in_pairs
    # each sentence is in a pair or in the file
    for side, text in zip(("source", "target"), BYLINES.values(), strict=True):
        told = "\n".join([*pairs[f"{side}_text"], *rows.filter(side=side)["text"]])
        assert all(line in told for line in text.splitlines())


def test_unmatched_lines_have_their_numbers(bylines):
    source, target, folder = bylines
    out, unmatched = str(folder / "p.parquet"), str(folder / "u.jsonl")
    result = align_files(source, target, out, lines=True, unmatched=unmatched)
    rows = pl.read_ndjson(unmatched)
    assert result.left_out == 0
    assert set(rows["reason"]) == {"no counterpart"}
    for side, path, lang in (("source", source, "ar"), ("target", target, "en")):
        lines = BYLINES[lang].splitlines()
        own = rows.filter(side=side)
        assert set(own["doc"]) <= {path}
        assert [lines[i] for i in own["segment"]] == own["text"].to_list()
        paired = pl.read_parquet(out)[f"{side}_segments"].explode().to_list()
        assert sorted([*paired, *own["segment"]]) == list(range(len(lines)))


def test_unmatched_needs_a_known_ending_and_is_not_replaced(bylines):
    source, target, folder = bylines
    out = str(folder / "p.parquet")
    with pytest.raises(ConfigError, match=r"u\.csv: the name must end in one of \.parquet"):
        align_files(source, target, out, unmatched=str(folder / "u.csv"))
    (folder / "u.tsv").write_text("mine")
    with pytest.raises(OutputError):
        align_files(source, target, out, unmatched=str(folder / "u.tsv"))
    assert (folder / "u.tsv").read_text() == "mine"


@pytest.mark.parametrize("lines", [False, True])
def test_swapped_sides_are_named_with_their_files(bylines, lines):
    source, target, folder = bylines
    out = str(folder / "p.parquet")
    config = Config(align=AlignConfig(langs=("en", "ar")))
    with pytest.raises(AlignError, match=r"the source \(.*a\.ar\.txt\) should be in English") as e:
        align_files(source, target, out, lines=lines, config=config)
    assert f"is in Arabic (ar); the sides are swapped, so give {target} first" in str(e.value)
    with pytest.raises(AlignError, match=r"both sides are in English \(en\) \(.*en\.txt and .*en"):
        align_files(target, target, out, lines=lines)

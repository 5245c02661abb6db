"""All steps from pages to a data set: what is done, done again, refused, and counted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.config import AlignConfig, Config, FilterConfig, LabelConfig, SplitConfig
from ingest.errors import ConfigError, OutputError, SourceError, WriteError
from ingest.io.locks import hold_lock
from ingest.io.remake import describe_damage
from ingest.jobs import dataset
from ingest.jobs.correct import correct_run
from ingest.jobs.dataset_checks import plan_dataset
from ingest.jobs.dataset_plan import DatasetOptions
from ingest.resources import samples

CORPORA = samples().parent
STEPS = ["run", "align", "score", "filter", "split", "export"]
PAIRS = "\n".join(
    f"فتحت المكتبة رقم {n} أبوابها للزوار صباح اليوم\tLibrary number {n} opened its doors this morning"
    for n in range(1, 8)
)


class StoppedError(BaseException):
    """Stands for a kill."""


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save_corrections(run: Path, file: Path, *, segment: bool = False) -> tuple[str, str]:
    """Save corrections: one pair rejected, one edited, and maybe a line of a paired page dropped.

    Returns:
        The ID of the rejected pair, and the new text of the edited one.
    """
    pairs = pl.read_parquet(run / "split.parquet").filter("keep")
    rejected, edited = pairs.row(3, named=True), pairs.row(5, named=True)
    texts = [
        short_hash(f"{row['source_text']}\n{row['target_text']}") for row in (rejected, edited)
    ]
    new_text = edited["target_text"] + " (edited)"
    records = [
        {"kind": "pair", "pair_id": rejected["pair_id"], "sha": texts[0], "verdict": "wrong"},
        {
            "kind": "pair",
            "pair_id": edited["pair_id"],
            "sha": texts[1],
            "new_target_text": new_text,
        },
    ]
    if segment:
        segments = pl.read_parquet(run / "segments.parquet")
        line = segments.filter("keep", doc_id=rejected["source_doc"]).row(-1, named=True)
        records.append(
            {
                "kind": "segment", "doc_id": line["doc_id"], "segment": line["segment"],
                "sha": short_hash(line["text"]), "keep": False,
            }
        )  # fmt: skip
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return rejected["pair_id"], new_text


def check_corrected(data: Path, result: dict, rejected: str, new_text: str) -> None:
    numbers = {row["what"]: row["number"] for row in result["funnel"]}
    pairs = pl.read_parquet(data / "data" / "*.parquet", missing_columns="insert")
    assert rejected not in pairs["pair_id"]
    assert new_text in pairs["translation"].struct.field("en")
    assert len(pairs) == numbers["exported"] == numbers["kept"]
    assert numbers["rejected by hand"] == 1


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def states(sources, data, **options) -> dict[str, str]:
    plan = plan_dataset(asked(sources, data, **options), resume=True)
    return {step.name: step.state for step in plan.steps}


def asked(sources, data, **options) -> DatasetOptions:
    config = options.pop("config", Config())
    return DatasetOptions((str(sources),), data, "huggingface", config, **options)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A folder of pages, some of which translate each other."""
    folder = tmp_path_factory.mktemp("sources") / "pages"
    folder.mkdir()
    shutil.copy(CORPORA / "crawl" / "pages.csv", folder)
    return folder


@pytest.fixture(scope="module")
def whole(pages, tmp_path_factory) -> Path:
    """A data set that was made without a stop."""
    data = tmp_path_factory.mktemp("whole") / "data"
    ingest.make_dataset(pages, data, license="mit")
    return data


@pytest.fixture
def made(whole, tmp_path) -> Path:
    """A copy of it that a test may change, with the times of its files."""
    for name in (whole.name, f"{whole.name}.work"):
        shutil.copytree(whole.with_name(name), tmp_path / name)
    record = tmp_path / "data.work" / "steps.json"
    record.write_text(record.read_text().replace(str(whole.parent), str(tmp_path)))
    return tmp_path / "data"


@pytest.fixture
def table(tmp_path) -> Path:
    file = tmp_path / "pairs.tsv"
    file.write_text(PAIRS, encoding="utf-8")
    return file


def test_a_kill_before_or_after_any_step_changes_no_byte(pages, whole, tmp_path, monkeypatch):
    do_step, done = dataset.do_step, []

    def stop(before: bool, name: str):
        def do(step, *args):
            if step.name == name and before:
                raise StoppedError
            done.append(step.name)
            outcome = do_step(step, *args)
            if step.name == name:  # it is done, and nobody has noted it
                raise StoppedError
            return outcome

        monkeypatch.setattr(dataset, "do_step", do)

    data = tmp_path / "data"
    for name in STEPS:
        for before in (True, False):
            stop(before, name)
            with pytest.raises(StoppedError) as stopped:
                ingest.make_dataset(pages, data, license="mit", resume=True)
            has_work = (name, before) != ("run", True)
            assert (
                any("use --resume" in n for n in getattr(stopped.value, "__notes__", []))
                == has_work
            )
    monkeypatch.setattr(dataset, "do_step", do_step)
    ingest.make_dataset(pages, data, license="mit", resume=True)
    assert contents(data) == contents(whole)
    # a step runs again only if it was stopped before it was noted
    assert done == [name for name in STEPS for _ in range(2)][:-1]


def test_the_number_of_workers_changes_no_byte(pages, whole, tmp_path):
    config = ingest.Config(run=ingest.RunConfig(shard_bytes=1000))
    ingest.make_dataset(pages, tmp_path / "data", license="mit", workers=2, config=config)
    assert contents(tmp_path / "data") == contents(whole)


def test_the_funnel_counts_from_pages_to_pairs(pages, whole, made):
    result = ingest.make_dataset(pages, made, license="mit", resume=True)  # nothing is left to do
    numbers = {row["what"]: row["number"] for row in result["funnel"]}
    lost = sum(row["number"] for row in result["funnel"] if row["lost"])
    assert numbers["pages"] == 6
    assert numbers["pages with pairs"] == 1
    assert numbers["pairs of sentences aligned"] - lost == numbers["kept"] == numbers["exported"]
    assert sum(numbers[name] for name in ("train", "dev", "test")) == numbers["exported"]
    files = (made / "data").glob("*.parquet")
    assert sum(len(pl.read_parquet(file)) for file in files) == numbers["exported"]
    assert result["in_error"] == 0
    assert result["messages"][0].startswith("split: dev is empty")
    card = (made / "README.md").read_text(encoding="utf-8")
    assert "| pages with pairs | 1 |" in card
    assert "```\ningest dataset SOURCES -o DATA --license mit\n```" in card
    work = (whole.with_name("data.work") / "README.md").read_text(encoding="utf-8")
    assert f"| exported | {numbers['exported']} |" in work


def test_a_changed_setting_redoes_its_step_and_those_after_it(pages, made):
    assert set(states(pages, made).values()) == {"done", "again"}  # there is no license
    config = Config(split=SplitConfig(seed=7))
    assert states(pages, made, config=config, license="mit") == {
        **dict.fromkeys(STEPS[:4], "done"), "split": "again", "export": "again",
    }  # fmt: skip
    before = {
        path.name: path.stat().st_mtime_ns for path in (made.parent / "data.work/run").iterdir()
    }
    ingest.make_dataset(pages, made, config=config, resume=True)
    after = {
        path.name: path.stat().st_mtime_ns for path in (made.parent / "data.work/run").iterdir()
    }
    assert {name for name in after if after[name] != before[name]} == {"split.parquet", "run.json"}
    assert set(states(pages, made, config=config, license="mit").values()) == {"done"}
    settings = (made.parent / "data.work" / "README.md").read_text(encoding="utf-8")
    assert "| `split.seed` | 7 |" in settings


def test_a_step_that_was_stopped_while_it_was_done_again(pages, made, monkeypatch):
    do_step = dataset.do_step

    def stop(step, *args):
        do_step(step, *args)
        raise StoppedError

    monkeypatch.setattr(dataset, "do_step", stop)
    config = Config(align=AlignConfig(langs=("ar", "en")))
    with pytest.raises(StoppedError):
        ingest.make_dataset(pages, made, config=config, resume=True)
    monkeypatch.setattr(dataset, "do_step", do_step)
    assert states(pages, made, config=config)["align"] == "to do"
    ingest.make_dataset(pages, made, config=config, resume=True)
    assert set(states(pages, made, config=config, license="mit").values()) == {"done"}


def test_a_run_that_was_stopped_is_begun(tmp_path):
    (tmp_path / "pages").mkdir()
    for number in range(3):
        page = "صباح الخير يا سيدي"
        (tmp_path / "pages" / f"{number}.txt").write_text(page, encoding="utf-8")

    def stop(step, done, total):
        if done > total / 2:
            raise StoppedError

    config = ingest.Config(run=ingest.RunConfig(shard_bytes=1))
    with pytest.raises(StoppedError) as stopped:
        ingest.make_dataset(tmp_path / "pages", tmp_path / "data", config=config, progress=stop)
    assert str(stopped.value.__notes__).count("--resume") == 1
    assert states(tmp_path / "pages", tmp_path / "data", config=config)["run"] == "begun"


def test_a_damaged_output_is_made_again(pages, whole, made):
    scored = made.parent / "data.work" / "run" / "scored.parquet"
    good = scored.read_bytes()
    scored.write_bytes(good[:1000])
    assert states(pages, made)["score"] == "again"
    (made.parent / "data.work" / "run" / "split.parquet").unlink()
    ingest.make_dataset(pages, made, license="mit", resume=True)
    assert scored.read_bytes() == good
    assert contents(made) == contents(whole)


@pytest.mark.parametrize(
    ("file", "number"),
    [
        ("data.work/run/run.json", 0),
        ("data.work/run/documents.parquet", 0),
        ("data.work/run/articles.jsonl", 0),
        ("data.work/run/pairs.parquet", 1),
        ("data/README.md", 5),
        ("data", 5),
    ],
)
def test_the_plan_names_the_file_that_is_missing(pages, made, file, number):
    path = made.parent / file
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    steps = plan_dataset(asked(pages, made, license="mit"), resume=True).steps
    assert [step.state for step in steps[: number + 1]] == ["done"] * number + ["again"]
    assert steps[number].why == f"{path.name} is missing"


def test_the_plan_counts_the_files_that_have_changed(pages, made):
    shutil.rmtree(made.parent / "data.work" / "run")
    first = plan_dataset(asked(pages, made, license="mit"), resume=True).steps[0]
    assert first.why == "documents.parquet is missing, and 3 more files have changed"


def test_a_lost_file_of_the_data_set_is_made_again(pages, whole, made):
    [file] = (made / "data").iterdir()
    file.unlink()
    ingest.make_dataset(pages, made, license="mit", resume=True)
    assert contents(made / "data") == contents(whole / "data")


@pytest.mark.parametrize("kind", ["missing", "empty", "half", "a folder"])
def test_lost_pairs_of_pages_are_made_again(pages, whole, made, kind):
    file = made.parent / "data.work" / "run" / "pages.parquet"
    good = file.read_bytes()
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind != "missing":
        file.write_bytes(b"" if kind == "empty" else good[: len(good) // 2])
    steps = plan_dataset(asked(pages, made, license="mit"), resume=True).steps
    assert [step.state for step in steps] == ["done", *["again"] * 5]
    assert steps[1].why.startswith("pages.parquet ")
    ingest.make_dataset(pages, made, license="mit", resume=True)
    assert file.read_bytes() == good
    assert contents(made) == contents(whole)


def test_a_translation_next_to_a_data_set_is_not_said_to_be_a_step_of_it(whole):
    run = whole.with_name("data.work") / "run"
    command = f"ingest translate {run} --to LANG -o {run}/translated.parquet --overwrite"
    assert describe_damage(run / "translated.parquet", "is empty").endswith(f"run: {command}")


@pytest.mark.parametrize("text", ["", '{"config": {', "{}"])
def test_a_damaged_run_json_is_named_though_all_steps_are_done(pages, made, text):
    file = made.parent / "data.work" / "run" / "run.json"
    file.write_text(text)
    message = rf"^{file}: .*; to make it again, delete it and run: ingest dataset .* --resume$"
    with pytest.raises(SourceError, match=message):
        ingest.make_dataset(pages, made, license="mit", resume=True)
    file.unlink()
    assert states(pages, made, license="mit") == dict.fromkeys(STEPS, "again")


@pytest.mark.parametrize("option", ["resume", "overwrite"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text('{"files": [')])
def test_a_lost_list_of_the_data_set_is_made_again(table, tmp_path, damage, option, monkeypatch):
    data = tmp_path / "data"
    ingest.make_dataset(table, data, pairs=True)
    before = contents(data)
    damage(data / "export.json")

    def stop(step, *args):
        if step.name in ("score", "export"):
            raise StoppedError
        return do_step(step, *args)

    do_step = dataset.do_step
    with monkeypatch.context() as context:
        context.setattr(dataset, "do_step", stop)
        with pytest.raises(StoppedError):
            ingest.make_dataset(table, data, pairs=True, **{option: True})
    ingest.make_dataset(table, data, pairs=True, resume=True)
    assert contents(data) == before
    damage(data / "export.json")
    (data / "notes.txt").touch()
    with pytest.raises(OutputError, match=r"export did not write \(notes\.txt\)"):
        ingest.make_dataset(table, data, pairs=True, **{option: True})


@pytest.mark.parametrize("lost", ["data.work/steps.json", "data.work"])
def test_lost_notes_are_not_blamed_on_the_data_set(pages, whole, made, lost):
    path = made.parent / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    message = r"^\S+data.work/steps\.json: is missing, .* give --overwrite instead of --resume$"
    with pytest.raises(OutputError, match=message):
        ingest.make_dataset(pages, made, license="mit", resume=True)
    ingest.make_dataset(pages, made, license="mit", overwrite=True)
    assert contents(made) == contents(whole)


def test_silent_damage_is_named(pages, made):
    scored = made.parent / "data.work" / "run" / "scored.parquet"
    times = scored.stat()
    damaged = bytearray(scored.read_bytes())
    damaged[100:900] = bytes(800)
    scored.write_bytes(damaged)
    os.utime(scored, ns=(times.st_atime_ns, times.st_mtime_ns))
    strict = Config(filter=FilterConfig(near=0.6))
    message = r"scored\.parquet: cannot be read.*delete it and run: ingest dataset .* --resume"
    with pytest.raises(SourceError, match=message):
        ingest.make_dataset(pages, made, config=strict, resume=True)
    scored.unlink()
    ingest.make_dataset(pages, made, config=strict, resume=True)


def test_a_run_that_a_person_has_changed_is_not_replaced(pages, whole, made):
    run = made.parent / "data.work" / "run"
    segments = pl.read_parquet(run / "segments.parquet")
    segments.with_columns(keep=False).write_parquet(run / "segments.parquet")
    with pytest.raises(
        OutputError, match=r"segments\.parquet: has been changed since; .* delete it"
    ):
        ingest.make_dataset(pages, made, license="mit", resume=True)
    shutil.rmtree(run)
    ingest.make_dataset(pages, made, license="mit", resume=True)
    assert contents(made) == contents(whole)


@pytest.mark.parametrize("segment", [False, True])
def test_corrections_of_the_run_are_applied_and_survive(pages, made, tmp_path, segment):
    run, file = made.parent / "data.work" / "run", tmp_path / "given.jsonl"
    said = save_corrections(run, file, segment=segment)
    before = json.loads((run / "run.json").read_bytes())["counts"]["kept"]
    advice = correct_run(run, [file]).messages
    assert "to make data again with them: the same ingest dataset call, with --resume" in advice
    assert states(pages, made, license="mit") == {
        "run": "done", "align": "again" if segment else "done", **dict.fromkeys(STEPS[2:], "again"),
    }  # fmt: skip
    result = ingest.make_dataset(pages, made, license="mit", resume=True)
    check_corrected(made, result, *said)
    kept = {row["what"]: row["number"] for row in result["funnel"]}["segments kept"]
    assert kept == before - segment
    assert set(states(pages, made, license="mit").values()) == {"done"}
    corrected = contents(made)
    if not segment:
        return

    (run / "pairs.parquet").unlink()  # the corrections are applied to pairs that are made again
    assert ingest.make_dataset(pages, made, license="mit", resume=True) == result
    assert contents(made) == corrected

    again = ingest.make_dataset(pages, made, license="mit", overwrite=True)
    check_corrected(made, again, *said)
    assert not (made.parent / "data.work" / "corrections.jsonl").exists()

    (run / "segments.parquet").unlink()  # so that the run is made again
    ingest.make_dataset(pages, made, license="mit", resume=True)
    assert contents(made / "data") == {name.removeprefix("data/"): data
                                       for name, data in corrected.items()
                                       if name.startswith("data/")}  # fmt: skip


@pytest.mark.parametrize("segment", [False, True])
def test_a_linked_run_that_was_corrected_is_linked_again(pages, whole, tmp_path, segment):
    out, data, file = tmp_path / "out", tmp_path / "data", tmp_path / "given.jsonl"
    shutil.copytree(whole.with_name("data.work") / "run", out)
    ingest.make_dataset(out, data)
    said = save_corrections(out, file, segment=segment)
    correct_run(out, [file])
    check_corrected(data, ingest.make_dataset(out, data, resume=True), *said)
    assert (tmp_path / "data.work" / "run" / "segments.parquet").is_symlink()
    other = shutil.copytree(out, tmp_path / "other")
    (other / "segments.parquet").touch()
    with pytest.raises(OutputError, match="its input files changed"):
        ingest.make_dataset(other, data, resume=True)


def test_corrections_do_not_hide_changes_by_other_hands(pages, made, tmp_path):
    run, file = made.parent / "data.work" / "run", tmp_path / "given.jsonl"
    save_corrections(run, file)
    correct_run(run, [file])
    pl.read_parquet(run / "pairs.parquet").head(9).write_parquet(run / "pairs.parquet")
    with pytest.raises(OutputError, match=r"pairs\.parquet: has been changed since"):
        ingest.make_dataset(pages, made, license="mit", resume=True)


def test_a_linked_run_can_be_corrected_and_does_not_change(pages, whole, tmp_path):
    out, data, file = tmp_path / "out", tmp_path / "data", tmp_path / "given.jsonl"
    shutil.copytree(whole.with_name("data.work") / "run", out)
    ingest.make_dataset(out, data)
    before = contents(out)
    run = tmp_path / "data.work" / "run"
    said = save_corrections(run, file, segment=True)
    correct_run(run, [file])
    result = ingest.make_dataset(out, data, resume=True)
    check_corrected(data, result, *said)
    assert contents(out) == before
    check_corrected(data, ingest.make_dataset(out, data, overwrite=True), *said)
    assert contents(out) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("report data.work", "it is the working folder of a data set; give data.work/run"),
        ("report data", "it is a data set; give data.work/run"),
        ("correct data c.jsonl", "it is a data set; give data.work/run"),
        ("correct data.work c.jsonl", "give data.work/run"),
        ("export data -o x.tmx", "it is a data set; give data.work/run"),
        ("export data.work --what articles -o x.md", "give data.work/run"),
        ("export data.work/run --dedupe -o x.jsonl", "to export articles, add --what articles"),
        ("export data.work/run --langs en -o x.jsonl", "in these languages: --what articles"),
        (
            "export data.work/run --what articles --langs english -o x.jsonl",
            "langs: 'english' is unknown; use one of ar, ",
        ),
    ],
)
def test_wrong_folders_and_options_point_to_the_right_ones(
    words, message, whole, monkeypatch, capsys
):
    monkeypatch.chdir(whole.parent)
    assert main(words.split()) == 2
    assert message in capsys.readouterr().err
    assert {path.name for path in whole.parent.iterdir()} == {"data", "data.work"}


def test_a_step_that_is_made_again_makes_the_later_ones_again(pages, made):
    (made.parent / "data.work" / "run" / "pairs.parquet").unlink()
    assert list(states(pages, made, license="mit").values()) == ["done", *["again"] * 5]


def test_other_pages_or_settings_of_the_run_are_refused(pages, made, tmp_path):
    with pytest.raises(OutputError, match=r"run: label\.body_text changed; give --overwrite"):
        states(pages, made, config=Config(label=LabelConfig(body_text=True)))
    others = shutil.copytree(pages, tmp_path / "others")
    with pytest.raises(OutputError, match="its input files changed"):
        states(others, made)
    shutil.rmtree(made)
    with pytest.raises(OutputError, match=r"--resume to go on .* or --overwrite"):
        ingest.make_dataset(pages, made)


def test_a_data_set_that_was_changed_is_not_replaced(pages, made):
    readme = made / "README.md"
    readme.write_text("my notes")
    with pytest.raises(OutputError, match=r"data/README\.md: has been changed since; to replace"):
        ingest.make_dataset(pages, made, resume=True)
    with pytest.raises(OutputError, match=r"exists already|work of an earlier call"):
        ingest.make_dataset(pages, made)
    assert readme.read_text() == "my notes"


def test_overwrite_starts_again(table, tmp_path):
    data = tmp_path / "data.jsonl"
    data.write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        ingest.make_dataset(table, data, pairs=True)
    with pytest.raises(
        OutputError, match=r"steps\.json: is missing, so an earlier call did not make"
    ):
        ingest.make_dataset(table, data, pairs=True, resume=True)
    ingest.make_dataset(table, data, pairs=True, overwrite=True)
    first = data.read_bytes()
    table.write_text(PAIRS.partition("\n")[0], encoding="utf-8")
    with pytest.raises(OutputError, match="import: its input files changed"):
        ingest.make_dataset(table, data, pairs=True, resume=True)
    ingest.make_dataset(table, data, pairs=True, overwrite=True)
    assert len(data.read_bytes()) < len(first)
    with pytest.raises(ConfigError, match="cannot be used with"):
        ingest.make_dataset(table, data, pairs=True, overwrite=True, resume=True)


def test_a_run_is_linked_and_not_changed(pages, whole, tmp_path):
    run = tmp_path / "out"
    shutil.copytree(whole.with_name("data.work") / "run", run)
    for name in ("scored.parquet", "filtered.parquet", "split.parquet"):
        (run / name).unlink()
    before = contents(run)
    plan = {}

    def note(step, done, total):
        plan[step] = total

    ingest.make_dataset(run, tmp_path / "data", license="mit", progress=note)
    assert list(plan) == STEPS[2:]  # the run has pairs
    assert contents(run) == before
    assert contents(tmp_path / "data" / "data") == contents(whole / "data")
    assert (tmp_path / "data.work" / "run" / "segments.parquet").is_symlink()
    card = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    assert "```\ningest run SOURCES -o OUT\ningest dataset OUT -o DATA --license mit\n```" in card
    config = Config(label=LabelConfig(body_text=True))
    with pytest.raises(ConfigError, match=r"the run had another label\.body_text"):
        ingest.make_dataset(run, tmp_path / "other", config=config)
    with pytest.raises(OutputError, match="is inside"):
        ingest.make_dataset(run, run / "data")


def test_a_run_without_pairs_is_aligned(pages, whole, tmp_path):
    run = tmp_path / "out"
    run.mkdir()
    for name in ("documents.parquet", "segments.parquet", "articles.jsonl", "run.json"):
        shutil.copy(whole.with_name("data.work") / "run" / name, run)
    ingest.make_dataset(run, tmp_path / "data", license="mit")
    assert contents(tmp_path / "data" / "data") == contents(whole / "data")
    assert not (run / "pages.parquet").exists()


def test_pairs_are_imported(table, tmp_path):
    result = ingest.make_dataset(table, tmp_path / "data", pairs=True, langs=("en", "ar"))
    assert result["funnel"][0] == {"number": 7, "what": "pairs imported", "lost": False}
    card = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    assert "| pairs imported | 7 |" in card
    assert "are unknown" not in card  # the settings of filter and split
    # an export of ours is recognized
    ingest.export(
        tmp_path / "data.work" / "pairs" / "split.parquet", tmp_path / "a.tmx", format="tmx"
    )
    tmx = ingest.make_dataset(tmp_path / "a.tmx", tmp_path / "again.parquet")
    assert tmx["funnel"][0]["what"] == "pairs imported"


def test_invalid_rows_are_counted(table, tmp_path):
    table.write_text(f"{PAIRS}\nوحيد\n", encoding="utf-8")
    result = ingest.make_dataset(table, tmp_path / "data.tsv", pairs=True)
    assert result["in_error"] == 1
    assert {"number": 1, "what": "rows in error", "lost": True} in result["funnel"]
    again = ingest.make_dataset(table, tmp_path / "data.tsv", pairs=True, resume=True)
    assert again == result


def test_pages_in_one_language_end_with_advice(tmp_path):
    page = CORPORA / "scrapes" / "ar_gov_news.txt"
    with pytest.raises(
        SourceError, match=r"no page has text to keep in en, .* --overwrite; .* --what articles"
    ) as error:
        ingest.make_dataset(page, tmp_path / "data")
    assert not getattr(error.value, "__notes__", [])  # --resume would only fail again
    assert not (tmp_path / "data").exists()
    ingest.export_texts(tmp_path / "data.work" / "run", tmp_path / "articles.jsonl")


def test_pages_that_cannot_be_read_leave_nothing(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.parquet").write_bytes(b"not Parquet")
    with pytest.raises(
        SourceError, match=r"no page could be read; .*a\.parquet#0: cannot"
    ) as error:
        ingest.make_dataset(tmp_path / "pages", tmp_path / "data")
    assert not getattr(error.value, "__notes__", [])
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_a_filter_that_keeps_nothing_can_be_changed(table, tmp_path):
    strict = Config(filter=FilterConfig(min_words=50))
    with pytest.raises(SourceError, match=r"no pair was kept: 7 too short; change \[filter\]"):
        ingest.make_dataset(table, tmp_path / "data", pairs=True, config=strict)
    with pytest.raises(SourceError, match="no pair was kept"):  # the settings are remembered
        ingest.make_dataset(table, tmp_path / "data", resume=True)
    ingest.make_dataset(table, tmp_path / "data", config=Config(), resume=True)
    assert (tmp_path / "data" / "README.md").exists()


def test_advice_names_the_option_that_has_to_go(table, tmp_path):
    strict = Config(filter=FilterConfig(min_words=50))
    for options, advice in (
        ({}, "give --resume"),
        ({"resume": True}, "give --resume"),
        ({"overwrite": True}, "give --resume instead of --overwrite"),
    ):
        with pytest.raises(SourceError, match=f"and {advice}$"):
            ingest.make_dataset(table, tmp_path / "data", pairs=True, config=strict, **options)
    page, again = CORPORA / "scrapes" / "ar_gov_news.txt", "--overwrite instead of --resume"
    message = f"add such pages and give {again}; .*: --pairs and {again}$"
    with pytest.raises(SourceError, match=message):
        ingest.make_dataset(page, tmp_path / "other", resume=True)
    table.touch()
    with pytest.raises(OutputError, match=f"give {again} to start again"):
        ingest.make_dataset(table, tmp_path / "data", pairs=True, resume=True)


def test_a_stopped_call_with_overwrite_is_resumed_without(table, tmp_path, monkeypatch):
    def stop(step, *args):
        if step.name == "score":
            raise StoppedError
        return do_step(step, *args)

    ingest.make_dataset(table, tmp_path / "data", pairs=True)
    before = contents(tmp_path / "data")
    do_step = dataset.do_step
    monkeypatch.setattr(dataset, "do_step", stop)
    with pytest.raises(StoppedError) as stopped:
        ingest.make_dataset(table, tmp_path / "data", pairs=True, overwrite=True)
    [note] = stopped.value.__notes__
    assert note.endswith("; use --resume instead of --overwrite to go on")
    monkeypatch.setattr(dataset, "do_step", do_step)
    ingest.make_dataset(table, tmp_path / "data", resume=True)
    assert contents(tmp_path / "data") == before
    assert "replaces" not in json.loads((tmp_path / "data.work" / "steps.json").read_bytes())


def test_a_resumed_call_has_the_options_of_the_earlier_one(table, tmp_path):
    test_set = tmp_path / "test.tsv"
    test_set.write_text("قرأت كتابا في البيت\tI read a book at home\n", encoding="utf-8")
    config = Config(filter=FilterConfig(near=0.9), split=SplitConfig(seed=3))
    options = {"config": config, "langs": "en,ar", "license": "mit", "mask_pii": True}
    data = tmp_path / "data"
    # one path may be given alone
    first = ingest.make_dataset(table, data, pairs=True, exclude=test_set, **options)
    before = contents(data)
    assert ingest.make_dataset(table, data, resume=True) == first
    (tmp_path / "data.work" / "pairs" / "scored.parquet").unlink()
    assert ingest.make_dataset(table, data, resume=True) == first
    assert contents(data) == before
    ingest.make_dataset(table, data, mask_pii=False, license="", resume=True)
    assert 'license: "unknown"' in (data / "README.md").read_text(encoding="utf-8")
    plan = json.loads((tmp_path / "data.work" / "steps.json").read_bytes())
    card = (data / "README.md").read_text(encoding="utf-8")
    assert (
        "ingest dataset SOURCES -o DATA --pairs --langs en,ar --exclude test.tsv --config "
        "settings.toml\n```\n\n`settings.toml` has:\n\n```toml\n[filter]\nnear = 0.9\n[split]\n"
    ) in card
    assert plan["steps"]["filter"]["settings"]["mask"] is False
    assert plan["steps"]["filter"]["settings"]["exclude"] == [str(test_set)]
    assert plan["steps"]["split"]["settings"]["split"]["seed"] == 3
    with pytest.raises(ConfigError, match="langs: 'ar' is not two"):
        ingest.make_dataset(table, data, langs="ar", resume=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"sources": "none"}, SourceError, "not found"),
        ({"sources": "none.tsv", "pairs": True}, SourceError, "no such file"),
        ({"sources": "-"}, SourceError, "can be read only once"),
        ({"sources": []}, SourceError, "no source given"),
        ({"data": "no/data"}, WriteError, "there is no folder"),
        ({"data": "pages"}, OutputError, "contains the source"),
        ({"data": "pages/data"}, OutputError, "is inside"),
        ({"format": "docx"}, ConfigError, "not one of moses"),
        ({"format": "tsv", "license": "mit"}, ConfigError, "no data card"),
        ({"exclude": ["none"]}, SourceError, "none: no such file"),
    ],
)
def test_wrong_calls_leave_nothing(change, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.txt").write_text("صباح الخير", encoding="utf-8")
    with pytest.raises(error, match=message):
        ingest.make_dataset(**{"sources": "pages", "data": "data", **change})
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_what_a_kill_left_half_written_is_removed(table, tmp_path, monkeypatch):
    data = tmp_path / "data"
    partial = tmp_path / ".data.0123abcd"

    def stop(step, *args):
        if step.name != "export":
            return do_step(step, *args)
        (partial / "data").mkdir(parents=True)
        raise StoppedError

    do_step = dataset.do_step
    monkeypatch.setattr(dataset, "do_step", stop)
    with pytest.raises(StoppedError):
        ingest.make_dataset(table, data, pairs=True)
    monkeypatch.setattr(dataset, "do_step", do_step)
    (tmp_path / ".data.notes").touch()
    ingest.make_dataset(table, data, pairs=True, resume=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        ".data.notes", "data", "data.work", "pairs.tsv",
    }  # fmt: skip


def test_foreign_files_are_left_alone(table, tmp_path):
    work = tmp_path / "data.work"
    work.mkdir()
    (work / "thesis.txt").write_text("mine")
    for options in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(OutputError, match=r"did not write \(thesis.txt\)"):
            ingest.make_dataset(table, tmp_path / "data", pairs=True, **options)
    assert contents(work) == {"thesis.txt": b"mine"}
    (work / "thesis.txt").unlink()
    for text in ("{", "[]", '{"steps": {}, "options": []}'):
        (work / "steps.json").write_text(text)
        for resume, advice in ((False, "--overwrite"), (True, "--overwrite instead of --resume")):
            with pytest.raises(OutputError, match=rf"steps.json: .* give {advice} to start again"):
                ingest.make_dataset(table, tmp_path / "data", pairs=True, resume=resume)
    ingest.make_dataset(table, tmp_path / "data", pairs=True, overwrite=True)
    assert json.loads((work / "steps.json").read_bytes())["steps"].keys() >= {"import", "export"}


def test_two_calls_at_the_same_time(table, tmp_path):
    work = tmp_path / "data.work"
    with hold_lock(work / "lock"), pytest.raises(OutputError, match="another call is writing it"):
        ingest.make_dataset(table, tmp_path / "data", pairs=True)
    ingest.make_dataset(table, tmp_path / "data", pairs=True)
    assert not (work / "lock").exists()

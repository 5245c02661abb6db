"""After a power cut, files may lack their content. A run that is resumed gives the same bytes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import ingest
from ingest.cli.app import main
from ingest.config import Config, RunConfig
from ingest.errors import OutputError
from ingest.pipeline import plan
from ingest.pipeline.state import State

SMALL = Config(run=RunConfig(shard_bytes=1))  # one page per shard
NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl", "corrections.jsonl")
PAGES = {
    "a.html": "<title>A</title><h1>The river rose</h1><p>The river rose by two metres on Monday, "
    "and the council closed both bridges until the water falls.",
    "b.html": "<title>B</title><h1>ارتفع النهر</h1><p>ارتفع النهر مترين يوم الاثنين، وأغلق المجلس "
    "الجسرين حتى تنخفض المياه.",
}
DAMAGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "missing": None,
}


def damage(path: Path, how: str) -> None:
    change = DAMAGES[how]
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))


def content(out: Path) -> list[bytes]:
    assert os.listdir(out.parent) == [out.name]
    assert sorted(os.listdir(out)) == sorted([*NAMES, "run.json"])
    return [(out / name).read_bytes() for name in NAMES]


class Cuts:
    """A run of two pages, and copies of what is on the disk before each of its renames.

    Attributes:
        right: what the run writes.
        moments: the copies, by what is renamed next.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages, self.given = folder / "pages", folder / "given.jsonl"
        self.pages.mkdir()
        for name, text in PAGES.items():
            (self.pages / name).write_text(text, encoding="utf-8")
        rule = {"kind": "rule", "site": "", "path": "h1", "role": "body", "keep": True}
        self.given.write_text(json.dumps(rule) + "\n")
        self.out = folder / "work" / "out"
        self.out.parent.mkdir()
        self.moments: dict[str, Path] = {}
        rename = Path.rename

        def copy_before(path: Path, dest: Path) -> Path:
            copy = folder / f"cut-{len(self.moments)}"
            shutil.copytree(self.out.parent, copy)
            self.moments[f"{dest.parent.name}/{dest.name}"] = copy
            return rename(path, dest)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", copy_before)
            ingest.run(self.pages, self.out, config=SMALL, corrections=self.given)
        self.right = content(self.out)

    def restore(self, moment: str) -> Path:
        """Put everything back to a moment, and return the folder of the unfinished work."""
        shutil.rmtree(self.out.parent)
        shutil.copytree(self.moments[moment], self.out.parent)
        return self.out.with_name("out.unfinished")

    def resume(self, **options) -> list[str]:
        """Resume the run, check what it wrote, and return what it says was damaged."""
        report = ingest.run(self.pages, self.out, config=SMALL, resume=True, **options)
        assert content(self.out) == self.right
        return report.get("damaged_work", [])


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return Cuts(tmp_path_factory.mktemp("cuts"), patch)


PARTS = {
    "labelled/000001": ("documents-00000.parquet", "segments-00000.parquet", "keys.parquet",
                        "lines.parquet", "values.npy", "report.json", "checksums.json"),
    "joined/final/000000": ("000000.parquet", "template.npy", "checksums.json"),
    "joined/report/000000": ("report.json", "checksums.json"),
    "finished/000000": ("segments-00000.parquet", "articles.jsonl.zst", "report.json",
                        "checksums.json"),
}  # fmt: skip
OUTPUTS = ("out.json", *(f"out/{name}" for name in (*NAMES, "run.json")))


@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_part_is_made_again(cuts, part):
    for number, name in enumerate(PARTS[part]):
        for how in DAMAGES:
            folder = cuts.restore("out.unfinished/out")
            assert {path.name for path in (folder / part).iterdir()} >= set(PARTS[part])
            damage(folder / part / name, how)
            state = State(cuts.out)
            state.drop_damaged(range(2))
            assert not (folder / part).exists()
            assert not part.startswith("joined") or not (folder / "joined").exists()
            assert state.notes == [f"{folder}: damaged and made again: 1 part"]
            if how == list(DAMAGES)[number % len(DAMAGES)]:  # to save time
                cuts.resume()


def test_what_is_whole_is_used_again(cuts):
    folder = cuts.restore("out.unfinished/out")
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/00000?")}
    seen = {}

    def look(*_args):
        seen.update({path: path.stat().st_mtime_ns for path in folder.glob("*/00000?")})

    assert cuts.resume(progress=look) == []
    assert seen == before
    assert len(before) == 4


def test_everything_is_damaged(cuts):
    for how in DAMAGES:
        folder = cuts.restore("out.unfinished/out")
        for path in folder.glob("*/**/*"):
            if path.is_file() and path.parent.name != "locks":
                damage(path, how)
        assert cuts.resume() == [f"{folder}: damaged and made again: 5 parts"]


@pytest.mark.parametrize("moment", ["out.unfinished/done.json", "work/out"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_damaged_outputs_are_made_again(cuts, moment, name):
    for how in DAMAGES:
        folder = cuts.restore(moment)
        damage(folder / name, how)
        assert cuts.resume() == [f"{folder}/out: was damaged, and was made again"]


def test_a_damaged_plan_starts_again(cuts):
    for how in DAMAGES:
        folder = cuts.restore("finished/000001")
        damage(folder / "plan.json", how)
        state = "missing" if how == "missing" else "damaged"
        note = f"{folder}/plan.json: is {state}, so the unfinished work cannot be used; the run starts again"
        assert cuts.resume(corrections=cuts.given) == [note]
    version = json.dumps(plan.versions())
    for text in ("[]", "{}", "null", f'{{"versions": {version}, "shards": 3}}'):
        folder = cuts.restore("finished/000001")
        (folder / "plan.json").write_text(text)
        assert len(cuts.resume(corrections=cuts.given)) == 1
    (cuts.restore("finished/000001") / "plan.json").write_text("")
    with pytest.raises(OutputError, match=r"plan .* damaged; delete .*unfinished and start all"):
        ingest.run(cuts.pages, cuts.out, config=SMALL, shard=(1, 2))


def test_a_part_of_the_shards_looks_at_its_own(cuts):
    folder = cuts.restore("finished/000001")
    for number in range(2):
        damage(folder / f"labelled/00000{number}/keys.parquet", "zeros")
    report = ingest.run(cuts.pages, cuts.out, config=SMALL, shard=(2, 2))
    note = f"{folder}: damaged and made again: 1 part"
    assert report == {"shards": 2, "done": 2, "damaged_work": [note]}
    assert cuts.resume() == [note]


def test_corrections_that_are_lost_are_asked_for(cuts):
    """Without them, the result would be another one."""
    for how in DAMAGES:
        folder = cuts.restore("finished/000001")
        damage(folder / "corrections.jsonl", how)
        with pytest.raises(OutputError, match=r"is damaged, .*; give --corrections again"):
            ingest.run(cuts.pages, cuts.out, config=SMALL, resume=True)
        notes = cuts.resume(corrections=cuts.given)
        assert notes == [
            f"{folder}: its corrections were damaged; only those given now are applied"
        ]


def test_the_command_says_what_was_damaged(cuts, capsys):
    folder = cuts.restore("finished/000001")
    damage(folder / "labelled/000000/values.npy", "half")
    config = cuts.pages.parent / "c.toml"
    config.write_text("[run]\nshard_bytes = 1\n")
    call = ["run", str(cuts.pages), "-o", str(cuts.out), "--config", str(config), "--resume"]
    assert main(call) == 0
    assert f"ingest: {folder}: damaged and made again: 1 part\n" in capsys.readouterr().err
    assert content(cuts.out) == cuts.right

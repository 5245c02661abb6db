"""Names with signs that mean something elsewhere are taken as they are, by every command."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.frames import PAIRS, schema

PARALLEL = ingest.samples().parent / "parallel"
# Any of the signs would be a fault; what stands first counts only there.
FOLDERS = ["file:x/o[1]*?{a}", "-o/lang=ar/%41 b"]
RULE = {"kind": "rule", "site": "", "path": "h1", "role": "body", "keep": True}


def pairs(word: str) -> pl.DataFrame:
    rows = [
        {"pair_id": f"{n:016x}", "source_lang": "en", "target_lang": "ar",
         "source_text": f"The {word} opened its door number {n} to visitors this morning.",
         "target_text": f"فتح المبنى بابه رقم {n} أمام الزوار صباح اليوم.", "method": "imported"}
        for n in range(3)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema(PAIRS))


def pages(word: str) -> pl.DataFrame:
    text = f"The {word} rose by two metres on Monday, and the council closed both bridges."
    return pl.DataFrame({"url": [f"https://example.org/{word}"], "text": [text]})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    ingest.run(PARALLEL, out, align=True)
    return out


@pytest.fixture(params=FOLDERS)
def folder(request, tmp_path, monkeypatch):
    """A folder with an odd name, relative to the current one."""
    monkeypatch.chdir(tmp_path)
    place = Path(".", request.param)
    place.mkdir(parents=True)
    return f"./{place}" if request.param.startswith(("-", "file:")) else str(place)


def test_commands_about_pairs(call, folder):
    source, scored = f"{folder}/a[b].parquet", f"{folder}/s[c]*.parquet"
    pairs("river").write_parquet(source)
    for neighbour in ("ab.parquet", "a.parquet", "sc.parquet"):
        pairs("harbour").write_parquet(f"{folder}/{neighbour}")
    filtered, split = f"{folder}/f?.parquet", f"{folder}/t{{a,b}}.parquet"
    for words in (
        ["score", source, "-o", scored],
        ["score", source, "-o", f"{folder}/w[d].parquet", "--workers", "2"],
        ["filter", scored, "-o", filtered, "--exclude", f"{folder}/ab.parquet"],
        ["split", filtered, "-o", split],
        *(["export", scored, "-o", f"{folder}/e[{end}].{end}"] for end in ("jsonl", "tsv", "tmx", "parquet")),
        ["export", scored, "--format", "huggingface", "-o", f"{folder}/h[1]"],
        ["import", source, "-o", f"{folder}/i[1].parquet"],
        ["import", f"{folder}/e[tsv].tsv", f"{folder}/e[parquet].parquet", "-o", f"{folder}/i*.parquet"],
        ["report", folder, "--pairs", scored, "-o", f"{folder}/r[1].html"],
    ):  # fmt: skip
        done = call(*words)
        assert done.status == 0, (words, done.err)
    for name in (scored, f"{folder}/w[d].parquet", filtered, split, f"{folder}/i[1].parquet"):
        texts = pl.read_parquet(Path(name).read_bytes())["source_text"]
        assert texts.str.contains("river").all()
        assert len(texts) == 3
    assert Path(scored).read_bytes() == Path(f"{folder}/w[d].parquet").read_bytes()
    assert "harbour" not in Path(f"{folder}/e[tsv].tsv").read_text()


def test_pairs_in_arrow(call, folder):
    for name, word in (("a[b].arrow", "river"), ("ab.arrow", "harbour")):
        with Path(f"{folder}/{name}").open("wb") as file:
            pairs(word).write_ipc(file)
    done = call("import", f"{folder}/a[b].arrow", "-o", f"{folder}/i[1].parquet")
    assert done.status == 0, done.err
    texts = pl.read_parquet(Path(f"{folder}/i[1].parquet").read_bytes())["source_text"]
    assert texts.str.contains("river").all()


def test_pages_in_parquet(call, folder):
    for name, word in (("a[b].parquet", "river"), ("ab.parquet", "harbour")):
        pages(word).write_parquet(f"{folder}/{name}")
    done = call("run", f"{folder}/a[b].parquet", "-o", f"{folder}/o[1]")
    assert done.status == 0, done.err
    documents = pl.read_parquet(Path(f"{folder}/o[1]/documents.parquet").read_bytes())
    assert documents["text"].str.contains("river").all()
    assert len(documents) == 1
    done = call("show", f"{folder}/o[1]")
    assert (done.status, "river" in done.out, "harbour" in done.out) == (0, True, False)
    done = call("read", f"{folder}/a[b].parquet")
    assert (done.status, "a[b].parquet" in done.out) == (0, True)


def test_commands_about_runs(call, folder, whole, tmp_path):
    """The same bytes as in a folder with a usual name."""
    out = f"{folder}/out[1]"
    shutil.copytree(PARALLEL, f"{folder}/p[1]")
    shutil.copytree(whole, f"{folder}/out1")
    Path(folder, "rules[1].jsonl").write_text(json.dumps(RULE) + "\n")
    for words in (
        ["run", f"{folder}/p[1]", "-o", out, "--align", "--export", f"{folder}/x[1].jsonl"],
        ["pair", out, "-o", f"{folder}/g[1].parquet"],
        ["align", out, "-o", f"{folder}/n[1].parquet"],
        ["align", f"{folder}/p[1]", "-o", f"{folder}/n[2].parquet"],
        ["correct", out, f"{folder}/rules[1].jsonl"],
        ["report", out],
        ["report", out, "--against", out],
        ["export", out, "--what", "segments", "-o", f"{folder}/q[1].parquet"],
        ["show", out, "--grep", "library"],
        ["dataset", f"{folder}/p[1]", "-o", f"{folder}/d[1]"],
        ["dataset", f"{folder}/p[1]", "-o", f"{folder}/d[1]", "--resume", "--set", "split.seed=3"],
    ):
        done = call(*words)
        assert done.status == 0, (words, done.err)
    texts = ["source_text", "target_text"]
    expected = pl.read_parquet(whole / "pairs.parquet").select(texts)
    for path in (f"{out}/pairs.parquet", f"{folder}/n[1].parquet"):
        assert pl.read_parquet(Path(path).read_bytes()).select(texts).equals(expected)


def test_names_that_are_not_utf8(call, whole, tmp_path, monkeypatch):
    """Polars takes no such path. Compared is what xdist can send."""
    monkeypatch.chdir(tmp_path)
    folder = os.fsdecode(b"caf\xe9")
    out, page = f"{folder}/out", os.fsdecode(b"\xe9.txt")
    shutil.copytree(PARALLEL, folder)
    for words in (
        ["run", folder, "-o", out, "--align"],
        ["run", folder, "-o", out, "--align", "--resume"],
        ["score", out, "-o", f"{folder}/s.parquet"],
        ["filter", f"{folder}/s.parquet", "-o", f"{folder}/f.parquet"],
        ["export", out, "--what", "articles", "-o", f"{folder}/x.jsonl"],
        ["pair", out, "-o", f"{folder}/g.parquet"],
        ["report", out],
        ["dataset", out, "-o", f"{folder}/d"],
        ["dataset", out, "-o", f"{folder}/d", "--resume", "--set", "split.seed=3"],
    ):
        done = call(*words)
        assert done.status == 0, ascii((words, done.err))
    texts = ["source_text", "target_text"]
    expected = pl.read_parquet(whole / "pairs.parquet").select(texts)
    assert pl.read_parquet(Path(f"{out}/pairs.parquet").read_bytes()).select(texts).equals(expected)

    Path(page).write_text("The river rose by two metres on Monday.")
    assert call("run", page, "-o", "out").status == 0
    for name in (page, "\\udce9.txt"):  # as on the disk, and as the run has it
        done = call("show", "out", "--page", name)
        assert (done.status, "The river rose" in done.out) == (0, True), ascii(done.err)


def test_a_run_is_resumed(folder):
    sources = [f"{folder}/a[b].parquet", f"{folder}/*.parquet"]
    for source in sources:
        pages("river").write_parquet(source)
    out, config = f"{folder}/o[1]", Config(run=RunConfig(shard_bytes=1))
    with pytest.raises(KeyboardInterrupt):
        ingest.run(sources, out, config=config, progress=stop_at_the_end)
    assert os.path.exists(f"{out}.unfinished")
    assert ingest.run(sources, out, config=config, resume=True)["counts"]["pages"] == 2


def stop_at_the_end(done: int, total: int) -> None:
    if done == total:
        raise KeyboardInterrupt


def test_a_glob_is_still_a_glob(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a1.txt", "a2.txt", "b.txt"):
        Path(name).write_text("The river rose by two metres on Monday.")
    assert ingest.run("a*.txt", "out")["counts"]["pages"] == 2


def test_pairs_in_an_arrow_stream(call, tmp_path):
    with (tmp_path / "a[b].arrow").open("wb") as file:
        pairs("river").write_ipc_stream(file)
    done = call("import", tmp_path / "a[b].arrow", "-o", tmp_path / "i.parquet")
    assert done.status == 0, done.err

"""The commands `run`, `show` and `samples`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import ingest


def test_run_writes_files_and_prints_a_table(page, call, tmp_path):
    status, out, err = call("run", page, "-o", tmp_path / "out")
    assert (status, err) == (0, "")
    assert out.startswith("role")
    assert "\n1 page, " in out
    assert (tmp_path / "out" / "segments.parquet").exists()


def test_run_names_pages_in_error_and_exits_3(page, call, tmp_path):
    (tmp_path / "bad.txt").write_bytes(bytes(range(256)))
    status, out, err = call(
        "run", page, tmp_path / "bad.txt", tmp_path / "gone.txt", "-o", tmp_path / "out"
    )
    assert status == 3
    assert out.endswith(f"written to {tmp_path}/out\n")
    assert "2 pages in error" in err
    assert "gone.txt: cannot be read: no such file or directory" in err
    assert len(pl.read_parquet(tmp_path / "out" / "documents.parquet")) == 3


def test_run_by_shards_then_resume(page, call, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for n in range(3):
        (pages / f"{n}.txt").write_bytes(page.read_bytes())
    (tmp_path / "c.toml").write_text("[run]\nshard_bytes = 1\n")
    base = ("run", pages, "-o", tmp_path / "out", "--config", tmp_path / "c.toml")
    first = call(*base, "--shard", "1/2")
    assert first.status == 0, first.err
    assert "2 of 3 shards done" in first.out
    again = call(*base)
    assert again.status == 2
    assert "did not finish" in again.err
    assert "--resume" in again.err
    assert call(*base, "--shard", "2/2", "-q") == (0, "", "")
    last = call(*base, "--resume", "--workers", "2")
    assert last.status == 0, last.err
    assert "\n3 pages, " in last.out


@pytest.mark.parametrize("part", ["3/2", "0/2", "1", "a/b", "-1/2"])
def test_the_form_of_shard_is_shown_where_it_is_wrong(part, page, call, tmp_path):
    status, _, err = call("run", page, "-o", tmp_path / "out", f"--shard={part}")
    assert status == 2
    assert "--shard" in err
    assert "1/2 to 2/2" in err if part in ("3/2", "0/2") else "1/4" in err


def test_show_prints_one_line_per_segment(page, call):
    status, out, _ = call("show", page)
    assert status == 0
    lines = out.splitlines()
    assert "utf-8" in lines[0]
    numbers = [int(line.split()[0]) for line in lines[1:] if line.strip()]
    text = page.read_text(encoding="utf-8").splitlines()
    assert numbers == [n for n, line in enumerate(text, 1) if line.strip()]
    assert any("= line" in line for line in lines)
    assert any("keep" in line and "body" in line for line in lines)


def test_show_prints_what_a_run_decided(call, tmp_path):
    for n, name in enumerate(("ar_chrome_en_news_1.txt", "ar_chrome_en_news_2.txt")):
        (tmp_path / f"{n}.txt").write_bytes((ingest.samples() / name).read_bytes())
    ingest.run(tmp_path, tmp_path / "out")
    pages = call("show", tmp_path / "0.txt", tmp_path / "1.txt")
    # only a run finds the lines of site templates, so that `show` of the pages differs
    segments = pl.read_parquet(tmp_path / "out" / "segments.parquet")
    status, out, err = call("show", tmp_path / "out")
    assert status == 0, err
    lines = out.splitlines()
    heads = [line for line in lines if line.startswith("/")]
    assert heads == [line for line in pages.out.splitlines() if line.startswith("/")]
    rows = [line.split() for line in lines if line and line not in heads]
    assert [row[2] for row in rows] == segments["role"].to_list()
    assert [row[5] == "keep" for row in rows] == segments["keep"].to_list()
    assert "\u2068" not in out


def test_show_applies_no_settings_to_a_run(page, call, tmp_path):
    out = tmp_path / "out"
    ingest.run(page, out)
    status, _, err = call("show", out, "--langs", "ar,en")
    assert status == 2
    assert err.startswith(f"ingest: {out}: ")
    assert "settings" in err
    Path(out, "segments.parquet").write_bytes(b"no Parquet")
    status, _, err = call("show", out)
    assert status == 2
    assert "cannot be read" in err


def test_show_prints_no_control_characters(call, tmp_path):
    (tmp_path / "a.txt").write_text("Title \x1b[2J\x07 \u202eevil\u202c text of some words\n")
    out = call("show", tmp_path / "a.txt").out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_names_and_errors_are_printed_without_control_characters(call, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a\x1b[31m\u202eb.txt").write_bytes(bytes(range(256)) * 4)
    (pages / "good.txt").write_text("A line of English text.", encoding="utf-8")
    for command in (["run", "-o", tmp_path / "out"], ["show"], ["read"]):
        status, out, err = call(*command, pages)
        assert status == 3
        assert "not text" in out + err
        assert not {"\x1b", "\u202e"} & set(out + err)


def test_samples_prints_the_folder(call):
    assert call("samples") == (0, f"{ingest.samples()}\n", "")

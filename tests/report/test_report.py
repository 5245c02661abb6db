"""The file written by `ingest report`."""

from __future__ import annotations

import re
import time
from importlib.resources import files

import polars as pl
import pytest
from made_runs import HOSTILE, documents, pairs, segments, write

import ingest
from ingest.cli import main, progress_lines
from ingest.errors import OutputError
from ingest.jobs.report import write_report
from ingest.report.html_page import render
from ingest.report.pairs import summarize_pairs
from ingest.roles import ROLES


@pytest.fixture
def out(tmp_path):
    return write(tmp_path / "out", documents=documents({}), segments=segments({}), pairs=pairs({}))


def test_the_same_run_makes_the_same_bytes(out, tmp_path):
    first = write_report(out, tmp_path / "a.html")
    write_report(out, tmp_path / "b.html")
    content = (tmp_path / "a.html").read_bytes()
    assert content == (tmp_path / "b.html").read_bytes()
    assert str(first).endswith("a.html: 0.1 MB, pages 1, pairs 1")
    assert first.bytes == len(content)


def test_it_is_self_contained(out):
    write_report(out)
    html = (out / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href|url|import)\s*[=(]\s*["']?\s*(?:https?:)?//""", html)
    assert "default-src 'none'" in html
    assert "unsafe" not in html


def test_a_hostile_name_of_a_folder():
    html = render({"name": HOSTILE})
    assert html.count("<script") == 2
    assert "<title>&lt;/script&gt;" in html


def test_the_command(out, tmp_path, capsys):
    assert main(["report", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"written to {out / 'report.html'}: ")
    assert main(["report", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["report", str(out), "--overwrite"]) == 0
    assert main(["report", str(out), "-o", str(tmp_path / "no" / "r.html")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "gone")]) == 2
    assert "gone: is not a directory" in capsys.readouterr().err


def test_the_command_says_how_long_it_will_take(out, monkeypatch, capsys):
    monkeypatch.setattr(progress_lines, "INTERVAL", 0.01)
    monkeypatch.setattr("ingest.report.gather.summarize_pairs", slow(summarize_pairs))
    assert main(["report", str(out)]) == 0
    assert re.search(r"ingest: report: \d+ of \d+ \(\d+ %\), 0 s so far", capsys.readouterr().err)
    assert main(["-q", "report", str(out), "--overwrite"]) == 0
    assert capsys.readouterr().err == ""


def slow(call):
    def wait(*args):
        time.sleep(0.1)
        return call(*args)

    return wait


def test_other_pairs_on_the_command_line(out, tmp_path, capsys):
    pl.read_parquet(out / "pairs.parquet").head(1).write_parquet(tmp_path / "one.parquet")
    assert main(["report", str(out), "--pairs", str(tmp_path / "one.parquet")]) == 0
    assert "pairs 1" in capsys.readouterr().out
    assert main(["report", str(out), "--overwrite", "--pairs", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err


def test_it_never_replaces_its_inputs(out):
    (out / "articles.jsonl").touch()
    for name in ("pairs.parquet", "segments.parquet", "articles.jsonl"):
        with pytest.raises(OutputError, match="is the input itself"):
            write_report(out, out / name, overwrite=True)
    with pytest.raises(OutputError, match="is the input itself"):
        write_report(out, out / "pairs.parquet", pairs=out / "pairs.parquet", overwrite=True)


def test_a_real_run(tmp_path):
    ingest.run([ingest.samples() / "ar_chrome_en_news_1.txt"], tmp_path / "out")
    result = write_report(tmp_path / "out")
    assert result.pages == (1, 1)


def test_every_role_has_a_color():
    css = (files("ingest.report") / "page.css").read_text(encoding="utf-8")
    assert [role for role in ROLES if f"--{role}: " not in css] == []

"""Integers that Python does not parse, wherever JSON and TOML are read: our message, not Python's."""

from __future__ import annotations

import pytest

import ingest
from ingest.cli import main

BIG = "9" * 5000
MESSAGE = "has an integer of more than 4,300 digits"


@pytest.mark.parametrize(
    "text", ['{"text": "a", "n": %s}\n{"text": "b"}\n', '[{"text": "a", "n": %s}, {"text": "b"}]']
)
def test_in_pages(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text % BIG)
    errors = ingest.read(path)["error"].to_list()
    assert errors == [MESSAGE, None]


def test_in_pairs(tmp_path, capsys):
    path = tmp_path / "a.jsonl"
    row = '{"source_text": "good morning", "target_text": "صباح الخير"'
    path.write_text(f'{row}, "n": {BIG}}}\n{row}}}\n')
    assert main(["import", str(path), "-o", str(tmp_path / "p.parquet")]) == 3
    assert f"line 1: {MESSAGE}" in capsys.readouterr().err


def test_in_settings(tmp_path, capsys):
    path = tmp_path / "a.toml"
    path.write_text(f"[run]\nshard_bytes = {BIG}\n")
    assert main(["read", str(path), "--config", str(path)]) == 2
    assert capsys.readouterr().err == f"ingest: {path}: {MESSAGE}\n"
    path.write_text("a = " + "[" * 100_000)
    assert main(["read", str(path), "--config", str(path)]) == 2
    assert capsys.readouterr().err == f"ingest: {path}: is nested too deeply\n"
    assert main(["read", str(path), "--set", f"run.shard_bytes={BIG}"]) == 2
    assert "Exceeds" not in capsys.readouterr().err


def test_in_corrections_and_run_json(tmp_path, call):
    out, corrections = tmp_path / "out", tmp_path / "c.jsonl"
    ingest.run(ingest.samples() / "ar_blog.txt", out)
    corrections.write_text(f'{{"kind": "pair", "pair_id": "a", "keep": {BIG}}}\n')
    assert "line 1: is not JSON" in call("correct", out, corrections).err
    run = out / "run.json"
    run.write_text(run.read_text().replace("{", f'{{"n": {BIG},', 1))
    for command in (["show", out], ["report", out], ["correct", out, corrections]):
        done = call(*command)
        assert "Exceeds" not in done.err
        assert command[0] == "show" or f"run.json: cannot be read: {MESSAGE}" in done.err

"""The command `config`, and the options --config and --set."""

from __future__ import annotations

import argparse
import json

import polars as pl

import ingest
from ingest.cli import build_parser
from ingest.config import Config


def commands():
    parser = build_parser()
    (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return action.choices


def test_config_prints_a_file_for_config(call, page, tmp_path):
    status, text, err = call("config")
    assert (status, err) == (0, "")
    (tmp_path / "all.toml").write_text(text, encoding="utf-8")
    assert call("run", page, "-o", tmp_path / "out", "--config", tmp_path / "all.toml").status == 0
    assert call("show", tmp_path / "out", "--config", tmp_path / "all.toml").status == 0


def test_every_command_with_config_has_set():
    for name, parser in commands().items():
        options = parser._option_string_actions
        assert ("--config" in options) == ("--set" in options), name


def test_set_is_recorded_in_run_json(call, page, tmp_path):
    out = tmp_path / "out"
    assert call("run", page, "-o", out, "--set", "label.keep=['headline']", "-q").status == 0
    config = json.loads((out / "run.json").read_bytes())["config"]
    assert config == json.loads(
        json.dumps(Config(label=ingest.LabelConfig(("headline",))).to_dict())
    )
    kept = pl.read_parquet(out / "segments.parquet").filter("keep")["role"]
    assert set(kept) == {"headline"}


def test_set_in_filter_is_used_and_recorded(call, tmp_path):
    pairs = tmp_path / "pairs.parquet"
    (tmp_path / "a.tsv").write_text("قرأت كتابا\tI read a book\n", encoding="utf-8")
    assert call("import", tmp_path / "a.tsv", "--langs", "ar,en", "-o", pairs, "-q").status == 0
    status, _, err = call("filter", pairs, "-o", tmp_path / "f.parquet",
                          "--set", "filter.min_words=50", "--set", "filter.max_ratio=0")  # fmt: skip
    assert status == 0, err
    report = json.loads((tmp_path / "f.funnel.json").read_bytes())
    assert (report["settings"]["min_words"], report["settings"]["max_ratio"]) == (50, 0)
    assert report["kept"] == 0


def test_wrong_settings_end_with_status_2(call, page, tmp_path):
    status, out, err = call("run", page, "-o", tmp_path / "out", "--set", "filter.min_qualty=1")
    assert (status, out) == (2, "")
    assert err == (
        "ingest: --set filter.min_qualty: unknown setting; did you mean filter.min_quality?\n"
    )
    assert not (tmp_path / "out").exists()
    assert call("show", page, "--set").status == 2

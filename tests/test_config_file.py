"""Settings as TOML: all of them with their defaults, and those that a command line sets."""

from __future__ import annotations

import dataclasses
import tomllib
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import Config, DetectConfig, FilterConfig
from ingest.config_file import default_settings, given_settings, load_settings
from ingest.errors import ConfigError


def test_the_defaults_are_read_back(tmp_path):
    (tmp_path / "all.toml").write_text(default_settings(), encoding="utf-8")
    assert Config.from_toml(tmp_path / "all.toml") == Config()


def test_every_setting_has_its_meaning_above_it():
    text = default_settings()
    tables = tomllib.loads(text)
    assert list(tables) == list(Config().to_dict())
    for step, settings in vars(Config()).items():
        assert list(tables[step]) == [field.name for field in dataclasses.fields(settings)]
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    for before, line in pairwise(lines):
        assert before.startswith("# ") or not line or line.startswith("#"), line


def test_assignments_change_a_file(tmp_path):
    (tmp_path / "c.toml").write_text("[filter]\nmin_words = 3\nnear = 0.9\n")
    config = load_settings(
        tmp_path / "c.toml", ["filter.near=0", 'detect.langs = ["ar", "en"]', "filter.near=1"]
    )
    assert config == Config(
        filter=FilterConfig(min_words=3, near=1.0), detect=DetectConfig(langs=("ar", "en"))
    )
    assert given_settings(tmp_path / "c.toml", ["filter.near=0"], "filter") == ("min_words", "near")
    assert given_settings(None, [], "filter") == ()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("filter.min_qualty=1", "filter.min_qualty: unknown setting; did you mean filter.min_quality?"),
        ("min_quality=1", "did you mean filter.min_quality?"),
        ("split.near_=1", "did you mean split.near?"),
        ("fliter.near=1", "did you mean filter.near?"),
        ("xyz=1", "ingest config lists all settings"),
        ("filter=1", "filter: unknown setting"),
        (".=1", ".: unknown setting"),
        ("filter.near", "is not of the form SETTING=VALUE"),
        ("=1", "is not of the form"),
        ("", "is not of the form"),
        ("split.by=page", """split.by: 'page' must be in double quotes; for a shell: --set 'split.by="page"'"""),
        ("label.keep=body", """'body' must be a list of texts; for a shell: --set 'label.keep=["body"]'"""),
        ("filter.machine=maybe", "'maybe' is not true or false"),
        ("filter.min_quality=high", "'high' is not a number, such as 0.2"),
        ("split.seed=", "'' is not a whole number, such as 1"),
        ("split.seed=1\nx=2", "is not a whole number"),
        ("split.seed=1.5", "--set split.seed: 1.5 is not a whole number"),
        ("filter.near=7", "--set filter.near: 7.0 is not in 0…1"),
        ("filter.machine=1", "--set filter.machine: 1 is not true or false"),
    ],
)  # fmt: skip
def test_wrong_assignments_are_named(assignment, message):
    with pytest.raises(ConfigError) as error:
        load_settings(None, [assignment])
    assert str(error.value).startswith("--set ")
    assert message in str(error.value)


def test_a_wrong_file_is_named_even_with_assignments(tmp_path):
    (tmp_path / "c.toml").write_text("[filter]\nnear = 7\n")
    with pytest.raises(ConfigError, match=r"^.*c\.toml: filter\.near: "):
        load_settings(tmp_path / "c.toml", ["filter.near=0.5"])


@given(st.text(max_size=30))
def test_any_assignment_is_read_or_refused(text):
    for assignment in (text, f"split.by={text}", f"filter.near={text}"):
        with suppress(ConfigError):
            assert isinstance(load_settings(None, [assignment]), Config)

from __future__ import annotations

import pytest

from ingest.config import Config, DedupeConfig, DetectConfig, RunConfig, SegmentConfig
from ingest.errors import ConfigError


def test_read_toml(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[detect]\nlangs = ["ar", "en"]\n[dedupe]\nthreshold = 1\n')
    assert Config.from_toml(path) == Config(
        detect=DetectConfig(langs=("ar", "en")), dedupe=DedupeConfig(threshold=1.0)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[detekt]\n", "unknown table"),
        ("detect = 1\n", "must be a table"),
        ("[detect]\nlang = 1\n", "detect.lang: unknown setting"),
        ("[detect]\ndetector = 7\n", "is not a string"),
        ('[detect]\ndetector = "magic"\n', "'magic' is unknown"),
        ("[dedupe]\nthreshold = 0.0\n", r"not in \(0, 1\]"),
        ("[segment]\nmin_run_words = 0\n", "less than 1"),
        ("[segment]\nmin_run_words = true\n", "is not a whole number"),
        (
            '[detect]\nlangs = "ar,en"\n',
            r"langs: 'ar,en' is not an array, such as \[\"ar\", \"en\"\]",
        ),
        ("[run]\nbatch_chars = 0\n", "less than 1"),
        ("[detect\n", "c.toml"),
        ("[detect]\nlangs = [1]\n", r"c.toml: detect.langs: \[1\] is not an array of strings"),
    ],
)
def test_bad_settings_are_named(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Config.from_toml(tmp_path / "c.toml")


def test_the_fingerprint_covers_settings_that_affect_outputs():
    assert Config(segment=SegmentConfig(5)).fingerprint() != Config().fingerprint()
    assert Config(run=RunConfig(7)).fingerprint() == Config().fingerprint()


def test_to_dict_and_back():
    config = Config(detect=DetectConfig(langs=("fa",)))
    assert Config.from_dict(config.to_dict()) == config


def test_a_file_saved_with_a_byte_order_mark(tmp_path):
    (tmp_path / "c.toml").write_text("[dedupe]\nthreshold = 0.5\n", encoding="utf-8-sig")
    assert Config.from_toml(tmp_path / "c.toml").dedupe.threshold == 0.5


def test_a_missing_file_is_named_once(tmp_path):
    with pytest.raises(ConfigError) as error:
        Config.from_toml(tmp_path / "no.toml")
    assert str(error.value) == f"{tmp_path}/no.toml: cannot be read: no such file or directory"

from __future__ import annotations

import pytest

from ingest.config import Config, DedupeConfig, DetectConfig, RunConfig, SegmentConfig
from ingest.errors import ConfigError
from ingest.pipeline.time_limit import limit_main, limit_worker


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


@pytest.mark.parametrize("number", [10**18, -(10**20), 10**400], ids=["19", "21", "401"])
def test_numbers_that_fit_nowhere(number):
    """Of every setting that is a number."""
    settings = [
        (step, name)
        for step, table in Config().to_dict().items()
        for name, value in table.items()
        if type(value) in (int, float)
    ]
    assert len(settings) > 20
    for step, name in settings:
        message = rf"^{step}\.{name}: has more than 18 digits; give a smaller number$"
        with pytest.raises(ConfigError, match=message):
            Config.from_dict({step: {name: number}})


def test_a_limit_that_timers_cannot_take():
    with pytest.raises(ConfigError, match=r"page_seconds: 1000001 is more than 1000000"):
        RunConfig(page_seconds=1_000_001)
    longest = RunConfig(page_seconds=1_000_000).page_seconds
    with limit_main(longest), limit_worker(longest):
        pass


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

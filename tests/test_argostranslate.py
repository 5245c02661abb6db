"""argostranslate, the official library, accepts our packages, and both engines say the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")
pytest.importorskip("argostranslate", reason="the extra 'argostranslate' is not installed")

from ingest.config import TranslateConfig
from ingest.resources import model_dir
from ingest.translation import engine, package_translator
from ingest.translation.packages.install import install

LIBRARY = Path(__file__).parent / "translation" / "argos_library.py"
# single sentences: argostranslate splits sentences with models of its own
SENTENCES = {
    "ar": [
        "أين المدرسة؟",
        "أعلنت الحكومة أمس عن خطة جديدة لبناء المدارس.",
        "أغلقت الأمطار الغزيرة طريقين وجسرا قرب النهر.",
        "قال الوزير إن الاقتصاد سينمو بسرعة خلال العام القادم",
        "مكتبة",
    ],
    "en": [
        "Where is the school?",
        "The government announced yesterday a new plan to build schools.",
        "Heavy rain closed two roads and a bridge near the river.",
        "The minister said that the economy would grow quickly next year",
        "Library",
    ],
}
SHIPPED = sorted(model_dir("translate").glob("*.argosmodel"))


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """The folder where both look for packages."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INGEST_MODELS_DIR", str(tmp_path / "packages"))
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "packages"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SNAP"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "packages"


def translate_with_the_library(source: str, target: str, texts: list[str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(LIBRARY), source, target, json.dumps(texts)],
        env={**os.environ, "ARGOS_DEVICE_TYPE": "cpu", "ARGOS_INTRA_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    translations: list[str] = json.loads(done.stdout.splitlines()[-1])
    return translations


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_same_translations_with_the_same_settings(path, packages, monkeypatch):
    # what argostranslate sets: a beam of 4 and little reward for length
    monkeypatch.setattr(package_translator, "_LENGTH_PENALTY", 0.2)
    package = install(path)
    texts = SENTENCES[package.from_lang]
    ours = engine.Translator(package, config=TranslateConfig(beam_size=4)).translate(texts)
    theirs = translate_with_the_library(package.from_lang, package.to_lang, texts)
    assert [translation.text for translation in ours] == theirs
    assert len(set(theirs)) == len(texts)

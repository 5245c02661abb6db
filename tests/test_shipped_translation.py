"""The package that ships is found, is a whole argos package, and translates."""

import pytest

pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")

from ingest.models import model_dir
from ingest.translate.chrf import chrf
from ingest.translate.engine import Translator
from ingest.translate.packages import find, install

AR = ["أين المدرسة؟", "أعلنت الحكومة أمس عن خطة جديدة لبناء المدارس."]
EN = ["Where is the school?", "The government announced yesterday a new plan to build schools."]


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("INGEST_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "argos"))
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "cache"))


def test_it_translates():
    (package,) = find("ar", "en")
    assert package.origin == "shipped"
    said = Translator(package).translate(AR)
    assert chrf([t.text for t in said], EN).mean() > 50
    assert not any(t.flags for t in said)


def test_it_is_a_package_like_others():
    (path,) = model_dir("translate").glob("*.argosmodel")
    package = install(path)
    assert (package.from_lang, package.to_lang) == ("ar", "en")
    assert "CC BY-SA 4.0" in package.licence
    assert path.stat().st_size < 30e6

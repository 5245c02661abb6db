from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ingest.translation.packages import locations

sys.path.insert(0, str(Path(__file__).parent))  # test helpers are not a package


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module that makes tiny packages; skips the test without the extra."""
    pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")
    pytest.importorskip("sentencepiece", reason="the extra 'translate' is not installed")
    import tiny

    return tiny


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory, tiny) -> Path:
    """The .argosmodel of a tiny package from English to Arabic."""
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def packages_dir(tmp_path, monkeypatch) -> Path:
    """Our packages folder, below the test's own folder. The real home is never used."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SNAP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INGEST_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "argos"))
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def shipped(tmp_path_factory, monkeypatch) -> Path:
    """The folder of shipped packages, empty at first."""
    folder = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(locations, "model_dir", lambda _: folder)
    return folder

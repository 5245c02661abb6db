from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ingest.translation.packages import locations as shelves

sys.path.insert(0, str(Path(__file__).parent))  # helpers of tests are no package


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """What makes tiny packages; a test that needs it is skipped without the extra."""
    pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")
    pytest.importorskip("sentencepiece", reason="the extra 'translate' is not installed")
    import tiny

    return tiny


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory, tiny) -> Path:
    """The .argosmodel of a tiny package from English to Arabic."""
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> Path:
    """Where packages stand: in the test's own folder. Nobody's home is looked into."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SNAP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INGEST_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "argos"))
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def shipped(tmp_path_factory, monkeypatch) -> Path:
    """The folder of the packages that ship: an empty one, whatever ships by now."""
    folder = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(shelves, "model_dir", lambda _: folder)
    return folder

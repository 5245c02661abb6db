"""The built wheel works without the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = shutil.which("uv")


@pytest.mark.skipif(UV is None, reason="needs uv to build the wheel")
def test_the_wheel_runs_from_an_empty_folder(tmp_path):
    built = subprocess.run(
        [UV, "build", "--wheel", "-q", "-o", tmp_path, ROOT], capture_output=True
    )
    if built.returncode and b"hatchling" in built.stderr:
        pytest.skip("hatchling, which builds the wheel, cannot be downloaded")
    assert built.returncode == 0, built.stderr.decode()
    site = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    assert (site / "ingest" / "py.typed").exists()
    # keep the dependencies of this environment, but not the checkout or the working folder
    code = (
        f"import sys; sys.path = [{str(site)!r}] + [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
        "import ingest; assert ingest.__file__.startswith(sys.path[0]), ingest.__file__\n"
        "report = ingest.run(ingest.samples(), 'out')\n"
        "assert report['counts']['pages'] >= 24 and not report['counts']['errors']\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "out" / "segments.parquet").exists()

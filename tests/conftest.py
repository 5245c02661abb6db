from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

import ingest
from ingest.cli import main

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Threads of BLAS mostly wait for each other in small products; the commands use one, too. Polars
# keeps its threads, so that an order that depends on them shows.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Where Python may not store compiled code next to the sources, each process would compile all of
# it again. The variables reach the workers of pytest and all processes that tests start.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".pytest_cache" / "bytecode"))

# No example is late on a busy machine, and one commit passes or fails alike whenever it is tried.
# HYPOTHESIS_PROFILE=thorough tries many more examples, for a change of what they test. Slow tests
# take a part of the number.
settings.register_profile("ingest", deadline=None, max_examples=40)
settings.register_profile("ci", settings.get_profile("ingest"), derandomize=True)
settings.register_profile("thorough", settings.get_profile("ingest"), max_examples=1000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "ingest")
)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than there are cores: tests wait for processes, limits and the disk."""
    cores = yield
    return cores if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores + 1


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk():
    """Write files and folders to the disk when the system likes, as no test cuts the power.

    What cannot be written to the disk, such as a pipe, still fails. Processes that tests start
    wait.
    """
    fsync = os.fsync

    def sync_others(descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", sync_others)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The labelled pages and dev sets that are no part of the project."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared: the labelled third-party pages are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def sample_gold() -> list[dict]:
    path = ROOT / "corpora" / "gold" / "scrapes.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def sample_documents():
    return ingest.read(ROOT / "corpora" / "scrapes")


@pytest.fixture(scope="session")
def sample_segments(sample_documents):
    return ingest.label(ingest.detect(ingest.segment(sample_documents)))


class Outcome(NamedTuple):
    """What a command returned and printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def keep_environment():
    """Undo the limits on threads that commands set."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def call(capsys, keep_environment):
    """A function that runs one command in this process: to start one takes a second."""
    import polars  # noqa: F401  # without it, commands copy the process, and capsys sees nothing

    def run(*args: object) -> Outcome:
        try:
            status = main([str(arg) for arg in args])
        except SystemExit as error:
            status = error.code
        return Outcome(status, *capsys.readouterr())

    return run

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

import ingest
from ingest.cli import main

# no example is late on a busy machine; and one commit passes or fails alike whenever it is tried
settings.register_profile("ingest", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "ingest")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


class Outcome(NamedTuple):
    """What a command returned and printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def call(capsys):
    """A function that runs one command in this process."""

    def run(*args: object) -> Outcome:
        try:
            status = main([str(arg) for arg in args])
        except SystemExit as error:
            status = error.code
        return Outcome(status, *capsys.readouterr())

    return run


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

"""Fixtures for the tests of the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

import ingest
from ingest.cli import main


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


@pytest.fixture(autouse=True)
def _keep_environment():
    """Undo the limits on threads that commands set."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def page() -> Path:
    return ingest.samples() / "ar_chrome_en_news_1.txt"

"""Fixtures for the tests of the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import ingest


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

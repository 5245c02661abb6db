from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # test helpers are not a package


@pytest.fixture(scope="session")
def browser():
    """A browser; tests that need it are skipped if there is none."""
    from chromium import CHROMIUM, Browser

    if CHROMIUM is None:
        pytest.skip("no chromium on the path; these tests need a real browser")
    opened = Browser()
    yield opened
    opened.close()

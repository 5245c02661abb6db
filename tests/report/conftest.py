from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers of tests are no package


@pytest.fixture(scope="session")
def browser():
    """A browser; a test that needs it is skipped where there is none."""
    from chromium import CHROMIUM, Browser

    if CHROMIUM is None:
        pytest.skip("no chromium on the path: the page is looked at in a real browser")
    opened = Browser()
    yield opened
    opened.close()

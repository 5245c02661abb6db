"""The cost of hostile inputs grows with their size, and no faster.

Each of these once took minutes. tests/benchmarks/linear.py measures all steps.
"""

import time

import pytest

import ingest
from ingest.jobs.import_pairs import import_files
from ingest.pii.find import find_pii
from ingest.readers import http, sniff

_SECONDS = 10  # of CPU; a few tenths on an idle machine


@pytest.fixture(autouse=True)
def in_time():
    started = time.process_time()
    yield
    assert time.process_time() - started < _SECONDS


def import_pairs(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return import_files([str(path)], tmp_path / "pairs.parquet", langs=["en", "ar"])


@pytest.mark.parametrize("line", ['"a"b,"c\n', '"a","b\n'])
def test_rows_of_csv_that_all_reach_the_end_of_the_file(tmp_path, line):
    path = tmp_path / "pages.csv"
    path.write_text("text,url\n" + line * 30_000 + "last,x\n")
    pages = ingest.read(path)
    assert len(pages) == 30_001
    assert pages["error"].null_count() == 1
    assert pages["text"][-1] == "last"


def test_inline_codes_in_a_long_text(tmp_path):
    segment = "a<ph/>" * 60_000
    unit = (f'<tu><tuv xml:lang="en"><seg>{segment}</seg></tuv>'
            '<tuv xml:lang="ar"><seg>b</seg></tuv></tu>')  # fmt: skip
    assert import_pairs(tmp_path, "pairs.tmx", f"<tmx><body>{unit}</body></tmx>").pairs == 1


def test_rows_of_json_with_columns_of_their_own(tmp_path):
    rows = "".join(f'{{"en": "a", "ar": "b", "k{n}": 1}}\n' for n in range(12_000))
    assert import_pairs(tmp_path, "pairs.jsonl", rows).pairs == 12_000


@pytest.mark.parametrize("unit", [b"<!--", b"<meta ", b"<meta charset "])
def test_markup_before_a_charset(unit):
    page = unit * 1000
    for _ in range(200):
        assert sniff.declared_charset(page) is None


def test_folded_lines_of_a_header():
    head = b"HTTP/1.1 200 OK\r\nA:" + b" b\n" * 20_000
    for _ in range(60):
        assert len(http.parse_fields(head)["a"]) == 40_000 - 1


def test_a_long_list_of_short_numbers():
    assert find_pii("12 " * 100_000) == []

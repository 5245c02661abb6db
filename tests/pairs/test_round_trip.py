"""Every format that is exported comes back as it was, apart from what the export says it changes."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ingest
from ingest.frames import PAIRS, schema
from ingest.jobs.import_pairs import import_files

CONTROL = re.compile("\r\n|[\0-\x1f\x7f-\x9f\u2028\u2029]")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PIECES = [
    '"A full quote"', '"اقتباس كامل"', '"', '""', 'say ""no""', '"a ""b"" c"', "'", "\\n", '\\"', "\t",
    "\v", "\f", "\r", "\n", "\r\n", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\u200f", "\u200e",
    "\u202b", "\u202c", "\u2066", "\u2069", "\u061c", "\ufeff", "\ufffe", "&nbsp;", "&amp;", "<ph>x</ph>",
    "]]>", "<!--", "-->", "<tu ", "</tu>", "{name}", "نعم", "yes", " ", "#", "[", "{'ar': 'x'}", "🙂", "e\u0301",
]  # fmt: skip
FORMATS = {
    "tsv": (CONTROL, " "),
    "moses": (CONTROL, " "),
    "tmx": (NOT_XML, ""),
    "jsonl": None,
    "parquet": None,
    "huggingface": None,
}

_texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=5).map(
    "".join
)
_texts = _texts.filter(lambda text: re.search(r"\w", text) is not None)


def pairs_of(texts) -> pl.DataFrame:
    rows = [
        {
            "pair_id": f"{number:016x}", "source_lang": "ar", "target_lang": "en", "source_text": one,
            "target_text": other, "method": "aligned", "score": 0.5, "model": other,
            "source_segments": [1, 2],
        }
        for number, (one, other) in enumerate(texts)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema(PAIRS))


def changed(pairs: pl.DataFrame, change: tuple[re.Pattern[str], str] | None) -> pl.DataFrame:
    if change is None:
        return pairs
    pattern, by = change
    texts = [name for name, dtype in pairs.schema.items() if dtype == pl.String]
    return pairs.with_columns(
        pl.Series(name, [text and pattern.sub(by, text) for text in pairs[name]], pl.String)
        for name in texts
    )


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_exported_comes_back(format):
    @settings(max_examples=settings.default.max_examples // 2)
    @given(st.lists(st.tuples(_texts, _texts), min_size=1, max_size=5))
    @example([(text + "x", "x" + text) for text in PIECES])
    @example([('"A full quote"', '"اقتباس كامل"')])
    @example([("\ufeffنعم", "\ufeffyes")])
    def check(texts):
        pairs = pairs_of(texts)
        with tempfile.TemporaryDirectory() as folder:
            dest, back = Path(folder) / f"out.{format}", Path(folder) / "back.parquet"
            ingest.export(pairs, dest, format=format)
            result = import_files([str(dest)], back)
            assert result.messages == []
            expected = changed(pairs, FORMATS[format])
            assert_frame_equal(pl.read_parquet(back), expected, check_column_order=False)

    check()


def quoted(field: str) -> str:
    """Write a field as pandas and the csv module do: with quotes if it needs them."""
    needs = any(mark in field for mark in '"\t\n\r')
    return '"' + field.replace('"', '""') + '"' if needs else field


# Where a line break and a tab follow an opening quote, the next line could be a row as well.
_one_of_both = _texts.filter(lambda text: "\t" not in text or not re.search("[\r\n]", text))


@given(st.lists(st.tuples(_one_of_both, _one_of_both), min_size=1, max_size=6), st.booleans())
def test_tsv_of_other_tools_comes_back(texts, quotes_all):
    def write(field):
        return '"' + field.replace('"', '""') + '"' if quotes_all else quoted(field)

    rows = [("source_text", "target_text"), *texts]
    data = "".join("\t".join(map(write, row)) + "\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path, back = Path(folder) / "p.tsv", Path(folder) / "back.parquet"
        path.write_bytes(data.encode())
        import_files([str(path)], back, langs=("ar", "en"), columns=rows[0])
        expected = [tuple(re.sub("\r\n", "\n", text) for text in row) for row in texts]
        assert pl.read_parquet(back).select("source_text", "target_text").rows() == expected

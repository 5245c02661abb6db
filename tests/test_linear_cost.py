"""Pages that are hard to process take time in proportion to their size."""

import time

import polars as pl
import pytest

import ingest
from ingest.frames import DOCUMENTS, schema

CHARS = 200_000
SECONDS = 1.5  # of processor time; usually under 0.3, and 5 for 1 MB would already be too much
UNITS = {
    "equal lines": "The same line of English text again\n",
    "one long line": "The quick brown fox jumps over the lazy dog. ",
    "one-letter lines": "a\n",
    "combining marks": "a" + "\u0301" * 3000 + "\n",
    "scripts by word": "word كلمة ",
    "scripts by letter": "aب",
    "scripts by run": "one two three four five. كلمة كلمة كلمة كلمة كلمة. ",
    "digits": "12 345\n",
    "punctuation": ".,;:!?()[]{}",
    "emoji": "😀👍🏽\n",
    "spaces": "a" + " " * 500 + "b\n",
    "URLs": "https://a.example.com/x?y=1 ",
    "at signs": "a@",
    "dots": "a.b-",
    "held letters": "aaabbbccc",
    "spaced letters": "a b c d ",
    "letters and gaps": "a\u0301\u0301      ",
    "inner breaks": "a\u000b",
    "code": "{a: x='",
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_cost_is_linear(unit: str):
    text = (unit * (CHARS // len(unit) + 1))[:CHARS]
    lines = "\n".join(text[at : at + 3999] for at in range(0, CHARS, 3999))
    pages = pl.DataFrame(
        [{"doc_id": name, "source": "page.txt", "text": page}
         for name, page in (("a", text), ("b", lines))],
        schema(DOCUMENTS),
    )  # fmt: skip
    started = time.process_time()
    segments = ingest.detect(ingest.segment(pages))
    assert len(segments)
    assert time.process_time() - started < SECONDS

"""A user's script: mypy checks it with `strict`, so the public names have full types."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import polars as pl
from numpy.typing import NDArray

import ingest

CONFIG = ingest.Config(filter=ingest.FilterConfig(min_quality=0.4))
LINES = {"ar": ["أين المكتبة القديمة؟"], "en": ["Where is the old library?"]}


def test_pages() -> None:
    rows = pl.DataFrame({"id": [7], "text": ["Home\nNews"]})
    documents = assert_type(ingest.read(rows), pl.DataFrame)
    segments = assert_type(ingest.segment(documents, config=CONFIG), pl.DataFrame)
    labelled = ingest.label(ingest.detect(segments, config=CONFIG))
    assert_type(ingest.dedupe(labelled, documents), pl.DataFrame)
    assert assert_type(ingest.identify(["صباح الخير"]), pl.DataFrame).height == 1


def test_pairs() -> None:
    pairs = ingest.align_lines(LINES["ar"], LINES["en"], langs=("ar", "en"))
    scored = assert_type(ingest.score(pairs), pl.DataFrame)
    filtered = ingest.filter(scored, config=CONFIG)
    assert assert_type(filtered, pl.DataFrame).height == 1
    assert assert_type(ingest.align_words(pairs), pl.DataFrame).height == 1
    vectors = assert_type(ingest.Encoder.load().encode(LINES["en"]), NDArray[np.float32])
    assert vectors.shape[0] == 1


def test_errors() -> None:
    try:
        ingest.read("no/such/page")
    except ingest.SourceError as error:
        assert_type(error, ingest.SourceError)

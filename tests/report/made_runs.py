"""Small runs for the tests of reports."""

from __future__ import annotations

import json

import polars as pl

from ingest.frames import DETECTED, DOCUMENTS, LABELLED, PAIRS, SEGMENTS, schema

HOSTILE = (
    "</script><script>window.pwned = 1</script><!-- <script> --> <img src=x onerror='window.pwned = 2'>"
    " <svg onload=window.pwned=3> & \u2028 \u202eabc \x00\x1b[31m ${window.pwned = 4}"
)


def documents(*pages) -> pl.DataFrame:
    usual = {"media_type": "text/html", "text": "some text", "chars": 9, "replaced": 0}
    records = [
        {"doc_id": f"{n:016x}", "uri": f"in/{n}.html", "source": f"in/{n}.html", **usual, **page}
        for n, page in enumerate(pages)
    ]
    return pl.DataFrame(records, schema(DOCUMENTS))


def segments(*rows) -> pl.DataFrame:
    usual = {
        "doc_id": f"{0:016x}", "start": 0, "end": 1, "text": "t", "script": "Latn", "lang": "en",
        "lang_score": 1.0, "lang_by": "model", "role": "body", "role_score": 0.9,
        "role_by": "model", "article": 1, "keep": True,
    }  # fmt: skip
    records = [{"segment": n, "line": n + 1, **usual, **row} for n, row in enumerate(rows)]
    return pl.DataFrame(records, schema(SEGMENTS, DETECTED, LABELLED))


def pairs(*rows, **columns) -> pl.DataFrame:
    usual = {
        "source_lang": "ar", "target_lang": "en", "source_text": "نص", "target_text": "text",
        "source_doc": f"{0:016x}", "target_doc": f"{0:016x}", "source_segments": [0],
        "target_segments": [1], "method": "aligned", "model": "m", "score": 0.5,
    }  # fmt: skip
    records = [{"pair_id": f"{n:016x}", **usual, **row} for n, row in enumerate(rows)]
    return pl.DataFrame(records, {**schema(PAIRS), **columns})


def write(folder, *, run=None, **frames):
    """Write frames as the folder of a run."""
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    if run is not None:
        (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder

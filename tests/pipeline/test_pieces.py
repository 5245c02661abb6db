"""A shard that is labelled in pieces, with interruptions, is that of one call."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ingest.config import Config, RunConfig
from ingest.pipeline.label import label_shard
from ingest.pipeline.pieces import label_in_pieces
from ingest.pipeline.plan import stamps_of
from ingest.pipeline.shard_records import ALL
from ingest.pipeline.state import State
from ingest.readers import plan_slices

CONFIG = Config(run=RunConfig(batch_chars=1))  # of which a batch has about one page
PAGES = 5


class StoppedError(Exception):
    pass


def warc() -> bytes:
    """Pages between records of the crawler's own."""
    kinds = ["warcinfo", *["response", "request"] * PAGES, "metadata"]
    records = []
    for n, kind in enumerate(kinds):
        text = f"Page {n}\n\nThe council of the town talked about road {n} and its bridge.\n" * 400
        body = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{text}".encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: application/http; msgtype=response\r\n"
        )
        address = f"WARC-Target-URI: https://a.example/{n}\r\nContent-Length: {len(body)}\r\n\r\n"
        records.append(f"{head}{address}".encode() + body + b"\r\n\r\n")
    return b"".join(records)


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Slices of a WARC and two texts, their stamps, and what one call makes of them."""
    folder = tmp_path_factory.mktemp("shard")
    (folder / "a.warc").write_bytes(warc())
    for name in "bc":
        (folder / f"{name}.txt").write_text(f"Text {name}\n\nThe mayor opened the new bridge.\n")
    files = [str(folder / name) for name in ("a.warc", "b.txt", "c.txt")]
    slices = plan_slices(files, shard_bytes=len(warc()) // 3)
    assert len(slices) > 3
    state = State(folder / "plain")
    state.folder.mkdir()
    label_shard(state, 0, slices, lambda _size: None, stamps=stamps_of(files), config=CONFIG)
    return slices, stamps_of(files), content(state.labelled(0))


def content(folder: Path) -> list[object]:
    """What a labelled shard says, whatever its batches and times."""
    report = json.loads((folder / "report.json").read_bytes())
    for measured in ("seconds", "stored", "elapsed", "memory"):
        report.pop(measured, None)
    frames = [
        pl.concat(map(pl.read_parquet, sorted(folder.glob(pattern)))).write_json()
        for pattern in ("documents-*", "segments-*", "keys.*", "lines.*")
    ]
    return [report, np.load(folder / "values.npy").tolist(), *frames]


def label(state, shard, *, stop_after=99, change=None):
    """Label the shard until some batches are done; return the pages that were read."""
    slices, stamps, _ = shard
    pages = []
    batches = 0

    def announce(**event):
        nonlocal batches
        if "got" in event:
            pages.append(event["got"])
        batches += "rows" in event
        if batches == stop_after:
            raise StoppedError

    stamps = stamps | (change or {})
    try:
        label_in_pieces(
            state, 0, slices, lambda _size: None, stamps=stamps, config=CONFIG,
            selection=ALL, announce=announce, batch_limit=nullcontext,
        )  # fmt: skip
    except StoppedError:
        assert not state.labelled(0).exists()
    return pages


@pytest.mark.parametrize("stops", [[], [1], [2, 1], [1, 1, 3]])
def test_it_goes_on_where_it_stopped(shard, tmp_path, stops):
    state = State(tmp_path / "out")
    state.folder.mkdir()
    read = [label(state, shard, stop_after=stop) for stop in [*stops, 99]]
    assert content(state.labelled(0)) == shard[2]
    assert not state.pieces(0)
    # a batch that is stored is not read again
    assert len(read[-1]) <= PAGES + 2 - len(stops)


def test_a_damaged_piece_and_those_after_it_are_made_again(shard, tmp_path):
    state = State(tmp_path / "out")
    state.folder.mkdir()
    label(state, shard, stop_after=4)
    assert len(state.pieces(0)) == 4
    (state.piece(0, 1) / "values.npy").write_bytes(b"")
    assert len(state.pieces(0)) == 1
    assert not state.piece(0, 2).exists()
    label(state, shard)
    assert content(state.labelled(0)) == shard[2]


def test_pieces_of_a_source_that_changes_are_made_again(shard, tmp_path):
    state = State(tmp_path / "out")
    state.folder.mkdir()
    label(state, shard, stop_after=2)
    source = shard[0][0].source
    label(state, shard, change={source: (1, 1)})
    report = json.loads((state.labelled(0) / "report.json").read_bytes())
    assert report["changed"] == {source: "has changed since the run started"}
    assert report["counts"]["pages"] == len(shard[0])  # one for each slice
    assert report["counts"]["errors"] == len(shard[0]) - 2

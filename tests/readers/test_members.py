"""Compressed files are cut between their members, and give the same records as in one piece."""

from __future__ import annotations

import gzip
import io
import json
import random
import re

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.config import ReadConfig
from ingest.io.members import GzipMembers, ZstdMembers
from ingest.io.window import FileWindow
from ingest.readers import jsonl, warc
from ingest.readers.records import Slice

SETTINGS = ReadConfig(max_record_bytes=300_000)
SHARDS = (1, 100, 333, 1000, 5000)


def record(number: int, body: bytes, kind: str = "text/html") -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{number}\r\n"
        f"Content-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def page(number: int, size: int = 50) -> bytes:
    return record(number, b"<p>" + random.Random(number).randbytes(size).hex().encode())


def skippable(content: bytes, number: int = 0) -> bytes:
    return bytes([0x50 + number]) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


def streamed(content: bytes) -> bytes:
    """A frame of several blocks, which does not say how large its content is."""
    stream = io.BytesIO()
    writer = zstandard.ZstdCompressor(write_checksum=True).stream_writer(stream, closefd=False)
    for at in range(0, len(content), 70):
        writer.write(content[at : at + 70])
        writer.flush(zstandard.FLUSH_BLOCK)
    writer.close()
    return stream.getvalue()


def zstd(content: bytes, level: int = 3) -> bytes:
    return zstandard.ZstdCompressor(level).compress(content)


def read(path, reader=warc):
    size = path.stat().st_size
    return list(reader.read_records(Slice(str(path), "x", 0, size, 0, size), SETTINGS))


def check_slices(path, reader=warc, shards=SHARDS):
    """Return the records, which must be the same however the file is cut, and the cuts."""
    records = read(path, reader)
    cuts = []
    for shard in shards:
        parts = reader.cut_slices(str(path), shard)
        assert [p.start for p in parts[1:]] == [p.stop for p in parts[:-1]]
        assert (parts[0].start, parts[-1].stop) == (0, path.stat().st_size)
        assert [r for part in parts for r in reader.read_records(part, SETTINGS)] == records
        cuts.append([part.start for part in parts[1:]])
    return records, cuts


def saved(folder, data: bytes, name: str):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [zstd, streamed, zstandard.compress])
def test_frames_are_cut_and_a_record_is_named_by_the_offset_of_its_frame(tmp_path, pack):
    frames = [pack(page(n)) for n in range(20)]
    path = saved(tmp_path, b"".join(frames), "a.warc.zst")
    records, cuts = check_slices(path)
    starts = [sum(map(len, frames[:n])) for n in range(20)]
    assert [r.record for r in records] == starts
    assert cuts[0] == starts[1:]
    assert cuts[1]
    assert set(cuts[1]) < set(starts)


def test_frames_with_a_dictionary(tmp_path):
    words = zstandard.train_dictionary(3000, [page(n, n) for n in range(300)])
    compressor = zstandard.ZstdCompressor(dict_data=words)
    frames = b"".join(compressor.compress(page(n)) for n in range(30))
    for stored in (words.as_bytes(), zstd(words.as_bytes())):
        path = saved(tmp_path, skippable(stored, 0xD) + frames, "a.warc.zst")
        records, cuts = check_slices(path, shards=(1, 200, 1000))
        assert [r.error for r in records] == [None] * 30
        assert len(cuts[1]) > 3
    bad = skippable(zstd(words.as_bytes())[:-20], 0xD) + frames
    (broken,), _ = check_slices(saved(tmp_path, bad, "a.warc.zst"))
    assert broken.error.startswith("cannot be decompressed: its dictionary")


def archive(pack, count: int = 6) -> bytes:
    return b"".join(pack(record(n, random.Random(n).randbytes(3000))) for n in range(count))


NESTED = {
    "gzip": (lambda data: gzip.compress(data, 0), "a.warc.gz"),
    "zstd": (zstd, "a.warc.zst"),
    "zstd, streamed": (streamed, "a.warc.zst"),
}


@pytest.mark.parametrize("form", NESTED)
def test_an_archive_in_an_archive_is_not_cut(tmp_path, form):
    """Its members are stored as they are, because they are compressed already."""
    pack, name = NESTED[form]
    inner = archive(pack)
    members = [page(0), record(1, inner, "application/gzip"), page(2), record(3, inner), page(4)]
    path = saved(tmp_path, b"".join(map(pack, members)), name)
    magic = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")[name.endswith("zst")]
    assert path.read_bytes().count(magic) > len(members)
    records, cuts = check_slices(path, shards=range(1, 30_000, 997))
    assert [r.url for r in records if not r.error] == [
        f"http://a.example/{n}" for n in (0, 2, 3, 4)
    ]
    starts = {r.record for r in records} | {len(pack(page(0)))}
    assert all(set(some) <= starts for some in cuts)


def test_what_is_skipped_is_not_searched(tmp_path):
    hidden = skippable(archive(zstd))
    data = hidden + zstd(page(0)) + hidden + zstd(page(1)) + hidden
    records, _ = check_slices(saved(tmp_path, data, "a.warc.zst"), shards=range(1, 3000, 97))
    assert [r.url for r in records] == ["http://a.example/0", "http://a.example/1"]
    # its end is missing
    records, _ = check_slices(saved(tmp_path, data[:-3], "a.warc.zst"), shards=range(1, 3000, 97))
    assert [r.error for r in records][:3] == [
        None, None, "cannot be decompressed: the file is cut off",
    ]  # fmt: skip


def test_the_last_frame_is_cut_off(tmp_path):
    frames = [zstd(page(n)) for n in range(5)]
    for missing in (1, 30, len(frames[-1]) - 5, len(frames[-1]) - 2):
        path = saved(tmp_path, b"".join(frames)[:-missing], "a.warc.zst")
        records, _ = check_slices(path)
        assert [bool(r.error) for r in records] == [False] * 4 + [True]


def test_damage_affects_only_its_frame(tmp_path):
    frames = [streamed(page(n)) for n in range(6)]
    for at in range(0, len(frames[2]), 7):
        bad = bytearray(frames[2])
        bad[at] ^= 0x55
        path = saved(tmp_path, b"".join([*frames[:2], bytes(bad), *frames[3:]]), "a.warc.zst")
        records, _ = check_slices(path)
        good = [r.url[-1] for r in records if not r.error]
        assert [n for n in good if n != "2"] == list("01345")


def test_records_across_members_stay_whole(tmp_path):
    """Tools that compress blocks of a fixed size do not care for records."""
    whole = b"".join(page(n, 3000) for n in range(8))
    for pack, name in ((gzip.compress, "a.warc.gz"), (zstd, "a.warc.zst")):
        blocks = b"".join(pack(whole[at : at + 5000]) for at in range(0, len(whole), 5000))
        records, cuts = check_slices(saved(tmp_path, blocks, name))
        assert [r.error for r in records] == [None] * 8
        assert not any(cuts)
    # a first record that is cut off in the middle of the file is an error of its own
    members = gzip.compress(page(0)[:-60]) + gzip.compress(page(1))
    records, _ = check_slices(saved(tmp_path, members, "a.warc.gz"))
    assert [bool(r.error) for r in records] == [True, False]


PIECES = st.lists(
    st.one_of(
        st.tuples(st.just("page"), st.integers(0, 300)),
        st.tuples(st.just("several"), st.integers(1, 3)),
        st.tuples(st.just("skippable"), st.integers(0, 200)),
        st.tuples(st.just("nested"), st.integers(0, 3)),
        st.tuples(st.just("hidden"), st.integers(0, 3)),
        st.tuples(st.just("empty"), st.just(0)),
        st.tuples(st.just("junk"), st.integers(1, 40)),
        st.tuples(st.just("magic"), st.integers(1, 40)),
    ),
    max_size=10,
)


@given(PIECES, st.integers(1, 4000), st.integers(0, 60), st.sampled_from([zstd, streamed]))
@example([("hidden", 3), ("page", 10)], 50, 30, zstd)
def test_frames_of_any_kind(tmp_path_factory, pieces, shard, missing, pack):
    stored = []
    for number, (kind, size) in enumerate(pieces):
        inner = archive(pack, size) if kind in ("nested", "hidden") else b""
        stored.append({
            "page": lambda n=number, s=size: pack(page(n, s)),
            "several": lambda n=number, s=size: pack(page(n) * s),
            "skippable": lambda s=size, n=number: skippable(bytes(s), n),
            "nested": lambda n=number, inner=inner: pack(record(n, inner, "application/zstd")),
            "hidden": lambda inner=inner: skippable(inner),
            "empty": lambda: pack(b""),
            "junk": lambda n=number, s=size: random.Random(n).randbytes(s),
            "magic": lambda n=number, s=size: b"\x28\xb5\x2f\xfd" + random.Random(n).randbytes(s),
        }[kind]())  # fmt: skip
    data = b"".join(stored)
    path = saved(tmp_path_factory.mktemp("a"), data[: len(data) - missing], "a.warc.zst")
    check_slices(path, shards=[shard])


@given(st.lists(st.binary(max_size=2000), max_size=5), st.booleans(), st.integers(-7, 19))
def test_the_length_of_a_frame_is_found_without_decompressing_it(
    tmp_path_factory, contents, checksum, level
):
    compressor = zstandard.ZstdCompressor(level, write_checksum=checksum)
    frames = [compressor.compress(content) for content in contents]
    frames += [streamed(content * 50) for content in contents]
    path = saved(tmp_path_factory.mktemp("a"), b"".join(frames), "a.zst")
    members, lengths = ZstdMembers(), []
    with path.open("rb", buffering=0) as file:
        window = FileWindow(file)
        while length := members.length(window):
            lengths.append(length)
            window.advance(length)
    assert lengths == list(map(len, frames))


def test_cuts_are_sought_in_several_ranges_of_a_file(tmp_path):
    members = [gzip.compress(page(n), mtime=0) for n in range(400)]
    path = saved(tmp_path, b"".join(members), "a.warc.gz")
    starts = {sum(map(len, members[:n])) for n in range(400)}
    with path.open("rb", buffering=0) as file:
        cuts = GzipMembers().find_cuts(file, 0, path.stat().st_size, 200, re.compile(b"WARC/"))
    assert set(cuts) < starts
    assert sorted(set(cuts)) == cuts
    assert len(cuts) > 150


# JSON lines

LINES = [
    json.dumps({"text": f"line {n} " + "words " * (n % 7)}).encode() + b"\n" for n in range(60)
]


def lines_in(blocks, pack):
    return b"".join(map(pack, blocks))


@pytest.mark.parametrize("pack", [gzip.compress, zstd, streamed])
def test_json_lines_are_cut_where_a_line_begins_with_a_member(tmp_path, pack):
    name = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    blocks = [b"".join(LINES[at : at + 4]) for at in range(0, 60, 4)]
    records, cuts = check_slices(saved(tmp_path, lines_in(blocks, pack), name), jsonl)
    assert [r.record for r in records] == list(range(60))
    assert len(cuts[0]) == 14
    assert 0 < len(cuts[2]) < len(cuts[1]) < 14
    # between members: padding, an empty member, frames to skip
    between = (
        bytes(9) + gzip.compress(b"") if pack is gzip.compress else skippable(b"x") + pack(b"")
    )
    packed = between.join(map(pack, blocks))
    padded, cuts = check_slices(saved(tmp_path, packed, name), jsonl)
    assert [r.content for r in padded] == [r.content for r in records]
    assert cuts[1]


def test_json_lines_in_blocks_stay_whole(tmp_path):
    whole = b"".join(LINES)
    blocks = [whole[at : at + 50] for at in range(0, len(whole), 50)]
    _, cuts = check_slices(saved(tmp_path, lines_in(blocks, gzip.compress), "a.jsonl.gz"), jsonl)
    assert not any(cuts)
    # a few such members do no harm
    blocks = [*LINES[:20], LINES[20][:5], LINES[20][5:], *LINES[21:]]
    _, cuts = check_slices(saved(tmp_path, lines_in(blocks, gzip.compress), "a.jsonl.gz"), jsonl)
    assert len(cuts[0]) == 59


def test_json_lines_with_a_dictionary(tmp_path):
    words = zstandard.train_dictionary(2000, [b"".join(LINES[n : n + 9]) for n in range(50)] * 9)
    compressor = zstandard.ZstdCompressor(dict_data=words)
    data = skippable(words.as_bytes(), 0xD) + lines_in(LINES, compressor.compress)
    records, cuts = check_slices(saved(tmp_path, data, "a.jsonl.zst"), jsonl)
    assert [r.error for r in records] == [None] * 60
    assert len(cuts[1]) > 5


def test_json_lines_in_a_wide_encoding_stay_whole(tmp_path):
    data = lines_in((line.decode().encode("utf-16-le") for line in LINES), gzip.compress)
    records, cuts = check_slices(saved(tmp_path, data, "a.jsonl.gz"), jsonl)
    assert [r.error for r in records] == [None] * 60
    assert not any(cuts)


@given(
    st.lists(st.sampled_from(["line", "half", "empty", "blank", "junk"]), max_size=12),
    st.integers(1, 400), st.integers(0, 30), st.sampled_from([gzip.compress, zstd]),
)  # fmt: skip
def test_json_lines_of_any_kind(tmp_path_factory, kinds, shard, missing, pack):
    content = {"line": LINES[1], "half": LINES[2][:9], "empty": b"", "blank": b"\n"}
    data = b"".join(b"junk" if kind == "junk" else pack(content[kind]) for kind in kinds)
    name = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    path = saved(tmp_path_factory.mktemp("a"), data[: len(data) - missing], name)
    check_slices(path, jsonl, shards=[shard])

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.review.corrections import (
    merge_corrections,
    parse_corrections,
    read_corrections,
    write_corrections,
)
from ingest.roles import ROLES

DOC, SHA = "0123456789abcdef", "fedcba9876543210"
SEGMENT = {"kind": "segment", "doc_id": DOC, "segment": 1, "sha": SHA}
PAIR = {"kind": "pair", "pair_id": "p1", "sha": SHA, "verdict": "right"}
RULE = {"kind": "rule", "site": "a.example", "path": "body p", "role": "nav", "keep": False}


def encode(*records) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()


def test_a_later_line_replaces_an_earlier_one_as_a_whole():
    lines = encode(
        SEGMENT | {"role": "nav"},
        PAIR,
        SEGMENT | {"keep": True},
        SEGMENT | {"segment": 2, "withdrawn": True},
    )
    corrections = parse_corrections(lines)
    assert corrections.segments.select("segment", "role", "keep").rows() == [
        (1, None, True),
        (2, None, None),
    ]
    assert not corrections.damaged


def test_null_fields_and_the_hash_may_be_left_out():
    given = SEGMENT | {"keep": False}
    assert write_corrections(parse_corrections(encode(given | {"role": None}))) == encode(
        given
    ).replace(b": ", b":").replace(b", ", b",")
    del given["sha"]
    assert parse_corrections(encode(given)).segments["sha"].to_list() == [None]


def test_only_withdrawn_takes_an_earlier_line_back():
    first = parse_corrections(encode(SEGMENT | {"keep": False}))
    for nothing in ({}, {"kep": True}, {"audit": "kept, ar"}):
        later = parse_corrections(encode(SEGMENT | nothing))
        assert len(later.damaged) == 1
        assert merge_corrections([first, later]).segments["keep"].to_list() == [False]
    later = parse_corrections(encode(SEGMENT | {"withdrawn": True}))
    merged = merge_corrections([first, later])
    assert merged.segments.select("keep", "withdrawn").rows() == [(None, True)]


def test_a_file_of_something_else_is_not_read(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Title\n\n- `kind` is a word\n{}\n")
    with pytest.raises(SourceError, match=r"README\.md: is not a file of corrections"):
        read_corrections(path)
    path.write_text('{"kind": "segment", oops\n')  # one line with a fault
    assert read_corrections(path).damaged == [f"{path}, line 1: is not JSON"]
    path.write_text("")
    assert not read_corrections(path)


def test_arabic_text_comes_back_byte_for_byte():
    text = "مُحَـــمَّد\u200f ﷴ\u2028"
    lines = write_corrections(
        parse_corrections(encode(PAIR | {"new_target_text": text, "source_text": text}))
    )
    assert parse_corrections(lines).pairs.select("new_target_text", "source_text").row(0) == (
        text,
        text,
    )
    assert lines.decode().count("\n") == 1


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"no", "is not JSON"),
        (b'"text"', "is not a JSON object"),
        (b"[1]", "is not a JSON object"),
        (b'{"kind": "seg\xff"}', "is not UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "kind is null, must be one of segment, pair, rule"),
        (encode({"kind": ["pair"]}).strip(), 'kind is ["pair"], must be one of segment, pair, rule'),
        (encode(SEGMENT | {"doc_id": "x"}).strip(), 'doc_id is "x", must be 16 hex digits'),
        (encode(SEGMENT | {"doc_id": None}).strip(), "doc_id is missing"),
        (encode(SEGMENT | {"kep": False}).strip(), 'unknown field "kep"; did you mean keep?'),
        (encode(RULE | {"mood": "good"}).strip(), 'unknown field "mood"; a rule has site, path, role, keep'),
        (encode(SEGMENT).strip(), "says nothing; give verdict, keep, role, starts_article, or withdrawn to take an earlier line back"),
        (encode(PAIR | {"withdrawn": True}).strip(), "withdrawn takes everything back; leave out verdict"),
        (encode(PAIR | {"withdrawn": False}).strip(), "withdrawn is false, must be true, or left out"),
        (encode(PAIR | {"audit": True}).strip(), "audit is true, must be a text: the name of a part of the sample, as kept, ar"),
        (encode(SEGMENT | {"segment": -1}).strip(), "segment is -1, must be a whole number from 0"),
        (encode(SEGMENT | {"segment": True}).strip(), "segment is true, must be a whole number from 0"),
        (encode(SEGMENT | {"segment": 2**70}).strip(), f"segment is {2**70}, must be a whole number from 0"),
        (encode(SEGMENT | {"role": "menu"}).strip(), f'role is "menu", must be one of {", ".join(ROLES)}'),
        (encode(SEGMENT | {"keep": "yes"}).strip(), 'keep is "yes", must be true or false'),
        (encode(PAIR | {"verdict": "good"}).strip(), 'verdict is "good", must be right or wrong'),
        (encode(PAIR | {"new_source_text": " "}).strip(), 'new_source_text is " ", must be a text that is not empty'),
        (b'{"kind": "pair", "pair_id": "p", "sha": "%s", "audit": "\\ud800"}' % SHA.encode(), 'audit is "\\ud800", must be a text: the name of a part of the sample, as kept, ar'),
    ],
)  # fmt: skip
def test_a_damaged_line_is_named_and_left_out(line, fault):
    corrections = parse_corrections(encode(RULE) + b"\n" + line + b"\n" + encode(PAIR), "c.jsonl")
    assert corrections.damaged == [f"c.jsonl, line 3: {fault}"]
    assert len(corrections.rules) == len(corrections.pairs) == 1


def test_a_byte_order_mark_windows_line_ends_and_no_lines():
    assert len(parse_corrections(b"\xef\xbb\xbf" + encode(PAIR).replace(b"\n", b"\r\n")).pairs) == 1
    assert not parse_corrections(b"")
    assert write_corrections(parse_corrections(b"")) == b""


def test_what_wrong_meant_stays_known_when_the_same_line_comes_again():
    known = parse_corrections(encode(SEGMENT | {"verdict": "wrong", "keep": False}))
    again = parse_corrections(encode(SEGMENT | {"verdict": "wrong"}))
    assert merge_corrections([known, again]).segments["keep"].to_list() == [False]
    right = parse_corrections(encode(SEGMENT | {"verdict": "right"}))
    assert merge_corrections([known, right]).segments["keep"].to_list() == [None]


records = st.one_of(
    st.builds(
        lambda number, keep: SEGMENT | {"segment": number, "keep": keep},
        st.integers(0, 30),
        st.booleans(),
    ),
    st.builds(lambda text: PAIR | {"pair_id": text}, st.sampled_from("abcdef")),
    st.builds(lambda path: RULE | {"path": path}, st.sampled_from("uvwxyz")),
)


@given(st.lists(records, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_lines_about_different_things_makes_no_difference(lines, rng: random.Random):
    last = {tuple(r.get(k) for k in ("kind", "segment", "pair_id", "path")): r for r in lines}
    distinct = list(last.values())
    rng.shuffle(distinct)
    expected = write_corrections(parse_corrections(encode(*lines)))
    assert write_corrections(parse_corrections(encode(*distinct))) == expected
    assert write_corrections(parse_corrections(expected)) == expected
    halves = [
        parse_corrections(encode(*part))
        for part in (lines[: len(lines) // 2], lines[len(lines) // 2 :])
    ]
    assert write_corrections(merge_corrections(halves)) == expected

from __future__ import annotations

import hashlib
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.frames import CLUSTERED, LABELLED, SEGMENTS, schema
from ingest.review.corrections import Corrections, parse_corrections
from ingest.review.rules import learn_rules, template_path
from ingest.review.segments import correct_segments
from ingest.roles import ROLES

A, B = "a" * 16, "b" * 16


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_page(doc: str, *rows) -> pl.DataFrame:
    """Make a page of (text, role, keep, article)."""
    columns = schema(SEGMENTS, LABELLED, CLUSTERED)
    records = [
        dict.fromkeys(columns.names())
        | {
            "doc_id": doc,
            "segment": n,
            "text": text,
            "role": role,
            "keep": keep,
            "article": article,
        }
        | {"role_by": "model", "role_score": 0.5, "cluster": f"{doc}:{article}"}
        for n, (text, role, keep, article) in enumerate(rows)
    ]
    return pl.DataFrame(records, columns)


PAGE = make_page(
    A,
    ("Home", "nav", False, 0),
    ("عنوان أول", "headline", True, 1),
    ("نص أول", "body", True, 1),
    ("Share", "widget", False, 0),
    ("Second", "headline", True, 2),
    ("Its text", "body", True, 2),
    ("Share", "widget", False, 0),
)


def said(number: int, text: str, doc: str = A, **fields) -> dict:
    return {"kind": "segment", "doc_id": doc, "segment": number, "sha": sha(text), **fields}


def corrections(*records) -> Corrections:
    parsed = parse_corrections("".join(json.dumps(r) + "\n" for r in records).encode())
    assert not parsed.damaged
    return parsed


def apply(page: pl.DataFrame, *records, **options) -> pl.DataFrame:
    result = correct_segments(page, corrections(*records), **options).segments
    assert result.schema == page.schema
    untouched = pl.exclude("role", "role_by", "role_score", "keep", "article", "cluster")
    assert result.select(untouched).equals(page.select(untouched))
    again = correct_segments(result, corrections(*records), **options)
    assert again.segments.equals(result)
    assert not again.matches["changed"].any()
    return result


def labels(page: pl.DataFrame, row: int) -> tuple:
    return page.select("role", "keep", "article", "role_by", "role_score").row(row)


def test_wrong_without_keep_flips_keep():
    page = apply(PAGE, said(2, "نص أول", verdict="wrong"), said(3, "Share", verdict="wrong"))
    assert labels(page, 2) == ("body", False, 1, "person", 1.0)
    assert labels(page, 3) == ("widget", True, 1, "person", 1.0)  # joins the article before it
    others = [n for n in range(len(PAGE)) if n not in (2, 3)]
    assert page[others].equals(PAGE[others])


def test_right_changes_nothing():
    assert apply(PAGE, said(2, "نص أول", verdict="right", audit="kept, ar")).equals(PAGE)


@pytest.mark.parametrize(
    ("number", "text", "fields", "expected"),
    [
        (2, "نص أول", {"role": "nav"}, ("nav", False, 0)),  # a role that is not kept
        (2, "نص أول", {"role": "caption"}, ("caption", False, 1)),
        (2, "نص أول", {"role": "headline"}, ("headline", True, 1)),
        (0, "Home", {"role": "body"}, ("body", True, 1)),  # the nearest article comes after it
        (0, "Home", {"role": "body", "keep": False}, ("body", False, 0)),
        (6, "Share", {"keep": True}, ("widget", True, 2)),
        (2, "نص أول", {"role": "headline", "verdict": "right"}, ("headline", True, 1)),
        (2, "نص أول", {"keep": False}, ("body", False, 1)),
    ],
)
def test_role_and_keep(number, text, fields, expected):
    assert labels(apply(PAGE, said(number, text, **fields)), number)[:3] == expected


def test_other_roles_that_a_run_keeps():
    page = apply(PAGE, said(2, "نص أول", role="caption"), kept_roles=("body", "caption"))
    assert labels(page, 2)[:2] == ("caption", True)


def test_a_copy_is_not_kept_because_of_its_role_alone():
    page = PAGE.with_columns(duplicate_of=pl.when(pl.col("segment") == 6).then(3).cast(pl.Int64))
    assert labels(apply(page, said(6, "Share", role="body")), 6)[1] is False
    assert labels(apply(page, said(6, "Share", role="body", keep=True)), 6)[1] is True


def test_a_page_without_articles_gets_one():
    page = make_page(A, ("One", "nav", False, 0), ("Two", "nav", False, 0))
    assert apply(page, said(1, "Two", role="body"))["article"].to_list() == [0, 1]


def test_a_new_article_starts_there_and_later_ones_are_numbered_again():
    page = apply(PAGE, said(2, "نص أول", starts_article=True))
    assert page["article"].to_list() == [0, 1, 2, 0, 3, 3, 0]
    assert page["role_by"].to_list() == ["model"] * 7  # only the boundary was corrected
    # the new article is in a cluster of its own; the others keep theirs
    assert page["cluster"].to_list() == [f"{A}:{n}" for n in (0, 1, "s2", 0, 2, 2, 0)]


def test_an_article_continues_the_one_before():
    page = apply(PAGE, said(4, "Second", starts_article=False))
    assert page["article"].to_list() == [0, 1, 1, 0, 1, 1, 0]
    assert page["cluster"].to_list() == [f"{A}:{n}" for n in (0, 1, 1, 0, 1, 1, 0)]
    assert apply(PAGE, said(1, "عنوان أول", starts_article=False)).equals(
        PAGE
    )  # nothing is before it


def test_an_article_may_start_at_what_was_in_none():
    page = apply(PAGE, said(3, "Share", starts_article=True, role="headline", keep=True))
    assert page["article"].to_list() == [0, 1, 1, 2, 3, 3, 0]


def test_a_segment_that_moved_is_found_by_its_text():
    page = PAGE.with_columns(pl.col("segment") + 1)
    moved = apply(page, said(3, "Share", verdict="wrong"))
    assert moved["keep"].to_list() == [False, True, True, True, True, True, False]
    # both of them moved, and each finds the nearest
    both = apply(page, said(3, "Share", keep=True), said(6, "Share", role="body"))
    assert both["role"].to_list()[3::3] == ["widget", "body"]


def test_other_texts_and_pages_match_nothing():
    result = correct_segments(
        PAGE, corrections(said(2, "another", keep=False), said(2, "نص أول", doc=B, keep=False))
    )
    assert result.segments.equals(PAGE)
    assert result.matches.is_empty()


def test_without_a_hash_the_number_alone_counts():
    said_it = corrections(said(1, "another text", keep=False) | {"sha": None})
    result = correct_segments(PAGE, said_it)
    assert result.matches["row"].to_list() == [PAGE["segment"].index_of(1)]
    assert correct_segments(
        PAGE, corrections(said(99, "x", keep=True) | {"sha": None})
    ).matches.is_empty()


def test_no_segments_and_no_corrections():
    assert correct_segments(PAGE.clear(), corrections(said(1, "x", keep=True))).segments.equals(
        PAGE.clear()
    )
    assert correct_segments(PAGE, Corrections()).segments.equals(PAGE)


SITE = pl.DataFrame({"doc_id": [A, B], "site": ["a.example", "b.example"]})
RULE = {"kind": "rule", "site": "a.example", "path": "body p.tag-0", "role": "nav", "keep": False}


def test_a_rule_applies_to_its_site_and_a_person_wins():
    markup = pl.lit("body p.tag-17[lang=ar]").alias("markup")
    pages = pl.concat([PAGE, PAGE.with_columns(doc_id=pl.lit(B))]).with_columns(markup)
    result = apply(pages, RULE, said(5, "Its text", role="subheading"), site=SITE)
    first, second = result.filter(doc_id=A), result.filter(doc_id=B)
    assert first["role_by"].to_list() == ["site rule"] * 5 + ["person", "site rule"]
    assert labels(first, 2) == ("nav", False, 0, "site rule", 1.0)
    assert labels(first, 5)[:2] == ("subheading", True)
    assert second.equals(pages.filter(doc_id=B))
    counted = correct_segments(pages, corrections(RULE), SITE)
    assert counted.by_rules == 6  # one was nav already
    assert correct_segments(pages, corrections(RULE)).segments.equals(pages)  # no sites


def test_a_rule_keeps_no_copies():
    page = PAGE.with_columns(markup=pl.lit("body p.tag-17"), duplicate_of=pl.lit(0, pl.Int64))
    rule = RULE | {"role": "body", "keep": True}
    assert not apply(page, rule, site=SITE)["keep"].any()


def test_template_paths():
    markups = pl.Series(["body div#a12.b-3[role=x][itemprop=y] p", "body div[a=[b]] p", "", None])
    assert pl.select(template_path(pl.lit(markups))).to_series().to_list()[::2] == [
        "body div#a0.b-0 p",
        "",
    ]
    assert pl.select(template_path(pl.lit(None, pl.String))).item() is None


def evidence(*rows) -> pl.DataFrame:
    names = ("doc_id", "role", "keep", "verdict")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    return pl.DataFrame(records).with_columns(site=pl.lit("s"), path=pl.lit("p"))


@pytest.mark.parametrize(
    ("rows", "learned"),
    [
        ([(A, "nav", False, "wrong")], False),
        ([(A, "nav", False, "wrong")] * 2, False),
        ([(A, "nav", False, "wrong")] * 3, True),
        ([(A, "nav", False, "wrong"), (B, "nav", False, None)], True),
        ([(A, "nav", False, "wrong"), (B, "ad", False, "wrong")], False),
        ([(A, "nav", False, "wrong"), (B, "nav", False, "wrong"), (B, "body", True, "right")], False),
        ([(A, "body", True, "right"), (B, "body", True, "right")], False),
        ([(A, "nav", False, "wrong"), (B, "nav", False, "right")], False),
    ],
)  # fmt: skip
def test_what_is_enough_for_a_rule(rows, learned):
    assert bool(len(learn_rules(evidence(*rows)))) is learned


rows = st.tuples(
    st.sampled_from(["a", "b", "نص"]), st.sampled_from(ROLES), st.booleans(), st.integers(0, 2)
)
fields = st.fixed_dictionaries(
    {"verdict": st.sampled_from(["right", "wrong", None])},
    optional={
        "keep": st.booleans(),
        "role": st.sampled_from(ROLES),
        "starts_article": st.booleans(),
    },
)


@given(
    st.lists(rows, min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", "نص"]), fields), max_size=6),
    st.booleans(),
)
def test_to_apply_corrections_again_makes_no_difference(page_rows, given_corrections, with_rule):
    articles = sorted(article for *_, article in page_rows)
    page = make_page(
        A, *((t, r, k, n) for (t, r, k, _), n in zip(page_rows, articles, strict=True))
    )
    other = make_page(B, *page_rows)
    pages = pl.concat([page, other]).with_columns(markup=pl.lit("body p.tag-1"))
    records = [
        said(number, text, **(more if {*more.values()} - {None} else {"withdrawn": True}))
        for number, text, more in given_corrections
    ]
    result = apply(pages, *records, *([RULE] if with_rule else []), site=SITE)
    assert result.filter(doc_id=B).equals(pages.filter(doc_id=B))  # nothing is said about it

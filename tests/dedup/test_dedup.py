from __future__ import annotations

import random

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest
from ingest.config import DedupeConfig
from ingest.dedup.clusters import article_signatures, cluster_names, find_leaders
from ingest.dedup.site_templates import find_sites
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.minhash import BANDS, ROWS, similar_pairs

WORDS = [
    f"{a}{b}" for a in ("ka", "lo", "mi", "nu", "re", "so", "ta", "wa") for b in "bdfglmnprstvz"
]


def story(seed: int, words: int = 120) -> list[str]:
    chosen = random.Random(seed).choices(WORDS, k=words)
    return [" ".join(chosen[i : i + 20]) for i in range(0, words, 20)]


def page(doc_id: str, lines: list[str], roles: list[str] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "doc_id": doc_id,
            "segment": range(len(lines)),
            "line": range(1, len(lines) + 1),
            "text": lines,
            "role": roles or ["body"] * len(lines),
            "role_by": "model",
            "article": [0 if r == "nav" else 1 for r in roles or ["body"] * len(lines)],
            "keep": [r != "nav" for r in roles or ["body"] * len(lines)],
        },
        strict=False,
    )
    whole = schema(SEGMENTS, DETECTED, LABELLED)
    return frame.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in whole.items()
        if name not in frame.columns
    ).select(pl.col(name).cast(dtype) for name, dtype in whole.items())


def cluster_groups(frame: pl.DataFrame) -> list[set[str]]:
    rows = frame.filter(pl.col("article") > 0).group_by("cluster").agg(pl.col("doc_id").unique())
    return sorted((set(ids) for ids in rows["doc_id"]), key=sorted)


def test_an_article_and_its_near_copy_share_a_cluster():
    near = story(1)
    near[2] = near[2].replace(" ", " x ", 1)
    frame = pl.concat(
        [
            page("a", story(1)),
            page("b", story(2)),
            page("c", ["menu", *near], ["nav"] + ["body"] * 6),
        ]
    )
    assert cluster_groups(ingest.dedupe(frame)) == [{"a", "c"}, {"b"}]


def test_line_breaks_make_no_difference():
    text = " ".join(story(1)).split()
    broken = [" ".join(text[i : i + 7]) for i in range(0, len(text), 7)]
    frame = pl.concat([page("a", story(1)), page("b", broken)])
    assert cluster_groups(ingest.dedupe(frame)) == [{"a", "b"}]


def test_clusters_are_transitive_and_named_after_the_first():
    frame = pl.concat([page(d, story(7)) for d in ("c", "a", "b")])
    assert ingest.dedupe(frame)["cluster"].unique().to_list() == ["a:1"]


def test_threshold():
    half = story(1)[:3] + story(9)[:3]  # a third of the shingles in common
    frame = pl.concat([page("a", story(1)), page("b", half)])
    assert len(cluster_groups(ingest.dedupe(frame))) == 2
    assert len(cluster_groups(ingest.dedupe(frame, config=DedupeConfig(threshold=0.2)))) == 1


@settings(max_examples=settings.default.max_examples // 2)
@given(st.permutations(range(6)))
def test_the_order_of_pages_makes_no_difference(order):
    pages = [page(f"d{n}", story(n % 4)) for n in range(6)]
    rows = ingest.dedupe(pl.concat([pages[n] for n in order])).sort("doc_id", "segment")
    assert rows.equals(ingest.dedupe(pl.concat(pages)))


def test_keys_do_not_depend_on_the_batch():
    pages = [page(f"d{n}", story(n % 3)) for n in range(5)]
    whole = article_signatures(pl.concat(pages))
    parts = [article_signatures(p) for p in pages]
    joined = whole._replace(
        keys=pl.concat([p.keys for p in parts]),
        values=np.concatenate([p.values for p in parts]),
    )
    whole_clusters, joined_clusters = (
        rows.keys.with_columns(cluster=cluster_names(rows.keys[find_leaders(rows, 0.6)]))
        for rows in (whole, joined)
    )
    assert whole_clusters.sort("doc_id", "article").equals(
        joined_clusters.sort("doc_id", "article")
    )


def test_pages_and_articles_are_never_compared():
    values = np.full((2, BANDS * ROWS), 7, np.uint16)
    values[1, ::ROWS] += 31
    assert list(map(len, next(similar_pairs(values, 0.5)))) == [0, 0]
    for kinds in ([0, 1], [1, 0], [31, 30]):
        pairs = similar_pairs(values, 0.5, np.array(kinds, np.uint64))
        assert not any(len(left) for left, _ in pairs)


def test_a_template_line_is_boilerplate():
    pages = [page(f"d{n}", [*story(n), "Trusted voices of the bay"]) for n in range(3)]
    frame = ingest.dedupe(pl.concat(pages))
    last = frame.filter(pl.col("text").str.starts_with("Trusted"))
    assert last.select("role", "role_by", "article", "keep").unique().rows() == [
        ("nav", "site", 0, False)
    ]
    assert frame["keep"].sum() == 18


def test_a_short_line_of_one_copied_article_is_not_a_template_line():
    pages = [page(f"d{n}", [*story(1), "One man was hurt."]) for n in range(5)]
    assert ingest.dedupe(pl.concat(pages))["keep"].all()


def test_different_sites_have_no_common_template():
    pages = pl.concat([page(f"d{n}", [*story(n), "Trusted voices of the bay"]) for n in range(3)])
    rows = [{"doc_id": f"d{n}", "source": f"site{n}/page.txt"} for n in range(3)]
    documents = pl.DataFrame(rows, schema(DOCUMENTS))
    assert ingest.dedupe(pages, documents)["keep"].all()


def test_nothing_to_compare():
    frame = page("a", ["…"]).clear()
    assert ingest.dedupe(frame).is_empty()
    assert ingest.dedupe(page("a", ["…"]))["cluster"].null_count() == 1


def test_dedupe_twice_changes_nothing():
    frame = ingest.dedupe(pl.concat([page("a", story(1)), page("b", story(1))]))
    assert ingest.dedupe(frame).equals(frame)


def test_a_document_listed_twice_adds_no_rows():
    pages = pl.concat([page(f"d{n}", [*story(n), "Trusted voices of the bay"]) for n in range(3)])
    rows = [{"doc_id": f"d{n}", "source": "site/page.txt"} for n in range(3)]
    documents = pl.DataFrame(rows * 2, schema(DOCUMENTS))
    rows = ingest.dedupe(pages, documents)
    assert len(rows) == len(pages)
    assert (rows["role_by"] == "site").sum() == 3


def test_case_of_the_host_does_not_matter():
    rows = [{"doc_id": "a", "url": "https://News.example/1"},
            {"doc_id": "b", "url": "HTTPS://news.EXAMPLE:8080/2"}]  # fmt: skip
    assert (
        find_sites(pl.DataFrame(rows, schema(DOCUMENTS)))["site"].to_list() == ["news.example"] * 2
    )


def labelled_clusters(source) -> list[set[str]]:
    documents = ingest.read(source)
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    frame = ingest.dedupe(segments, documents)
    return frame.filter(pl.col("article") > 0)["cluster"].unique().to_list()


def test_a_copy_with_presentation_forms_is_found(shared):
    assert len(labelled_clusters(shared / "cases" / "reading" / "r23_lig")) == 1


def test_ligatures_make_no_difference():
    plain = [
        "the first officer of the fleet offers five flowers to his staff",
        "لا إله إلا الله في الأسواق",
    ]
    ligatures = ["the ﬁrst oﬃcer of the ﬂeet oﬀers ﬁve ﬂowers to his staﬀ", "ﻻ ﺇﻟﻪ ﺇﻻ ﷲ ﻓﻲ ﺍﻷﺳﻮﺍﻕ"]  # fmt: skip
    frame = pl.concat([page("a", plain), page("b", ligatures)])
    assert cluster_groups(ingest.dedupe(frame)) == [{"a", "b"}]

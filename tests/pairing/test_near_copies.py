"""Pages among near-copies: the Arabic page goes with the version that it translates."""

import numpy as np
import polars as pl
import pytest

from ingest.encoder.model import Encoder
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.jobs import pair
from ingest.jobs.pair import pair_run
from ingest.pairing import pair_pages
from ingest.pairing.candidates import sort_pairs
from ingest.pairing.comparison import compare, read_sentences
from ingest.pairing.units import Units
from ingest.pairing.urls import collect_page_urls

GUIDE = (
    ("ثبّت البرنامج قبل أن تبدأ.", "Install the program before you begin."),
    ("يحتاج البرنامج إلى ذاكرة سعتها 16 غيغابايت.", "The program needs 16 gigabytes of memory."),
    ("افتح نافذة جديدة واكتب كلمة المرور.", "Open a new window and type the password."),
    ("تُحفظ الصور في مجلد المستخدم.", "Pictures are saved in the folder of the user."),
    ("يمكنك تغيير اللغة من الإعدادات.", "You can change the language in the settings."),
    ("أعد تشغيل الحاسوب بعد التحديث.", "Restart the computer after the update."),
)
EXTRA = ("لا تطفئ الشبكة أثناء التنزيل.", "Do not switch off the network during the download.")
CODE = "install tool@2.4"
DROPPED = (*GUIDE[:3], *GUIDE[4:])
ADDED = (*GUIDE[:3], EXTRA, *GUIDE[3:])
MOVED = (*GUIDE[:2], *GUIDE[4:], *GUIDE[2:4])
NUMBER = (GUIDE[0], tuple(x.replace("16", "32") for x in GUIDE[1]), *GUIDE[2:])
VERSIONS = {"guide": GUIDE, "dropped": DROPPED, "added": ADDED, "moved": MOVED, "number": NUMBER}


def site(arabic, versions=VERSIONS, code=None, **urls):
    """Frames with one Arabic page and one English page per version."""
    pages = {"ar": [line[0] for line in arabic]}
    pages |= {name: [line[1] for line in lines] for name, lines in versions.items()}
    rows = [
        (name, n, text, "ar" if name == "ar" else "en", 1, "body", True)
        for name, lines in pages.items()
        for n, text in enumerate(lines)
    ]
    rows += [(name, 50, text, "zxx", 1, "code", False) for name, text in (code or {}).items()]
    names = ["doc_id", "segment", "text", "lang", "article", "role", "keep"]
    segments = pl.DataFrame(rows, names, orient="row").with_columns(pl.col("segment").cast(int))
    types = schema(SEGMENTS, DETECTED, LABELLED)
    docs = [{"doc_id": name, "url": urls.get(name)} for name in pages]
    empty = {x: pl.lit(None, t) for x, t in types.items() if x not in names}
    segments = segments.with_columns(**empty).select(types.names()).cast(dict(types))
    return pl.DataFrame(docs, schema(DOCUMENTS)), segments


def partner(documents, segments):
    pages = pair_pages(documents, segments).drop_nulls("score")
    assert len(pages) == 1
    return pages.row(0, named=True)


@pytest.mark.parametrize("name", VERSIONS)
def test_the_version_that_was_translated_is_chosen(name):
    pair = partner(*site(VERSIONS[name]))
    assert pair["target_doc"] == name
    assert 0 <= pair["unaligned"] < 0.5
    assert pair["numbers_apart"] == 0


@pytest.mark.parametrize("name", ["old", "new"])
def test_equal_lines_of_code_decide(name):
    code = {"old": "install tool@1.9", "new": CODE, "ar": CODE}
    code["ar"] = code[name]
    pair = partner(*site(GUIDE, {"old": GUIDE, "new": GUIDE}, code))
    assert pair["target_doc"] == name
    assert pair["code_apart"] == 0


def test_code_between_articles_counts():
    """Lines of code are often left out of articles."""
    code = {"old": "install tool@1.9", "new": CODE, "ar": CODE}
    documents, segments = site(GUIDE, {"old": GUIDE, "new": GUIDE}, code)
    outside = pl.when(pl.col("role") == "code").then(0).otherwise("article")
    pair = partner(documents, segments.with_columns(article=outside))
    assert pair["target_doc"] == "new"
    assert pair["code_apart"] == 0


def test_of_equal_copies_the_newest_is_chosen_then_the_shortest_address():
    copies = {"a": GUIDE, "b": GUIDE, "c": GUIDE}
    assert partner(*site(GUIDE, copies))["target_doc"] == "a"
    urls = {
        "a": "https://x.org/help/v1/q",
        "b": "https://x.org/help/q",
        "c": "https://x.org/help/qq",
    }
    documents, segments = site(GUIDE, copies, **urls)
    assert partner(documents, segments)["target_doc"] == "b"
    days = {"a": "2021-03-01", "b": "2021-03-01", "c": "2023-05-01"}
    stated = [
        f'{{"meta": {{"date": "{days[x]}"}}}}' if x in days else None for x in documents["doc_id"]
    ]
    documents = documents.with_columns(metadata=pl.Series(stated, dtype=pl.String))
    assert partner(documents, segments)["target_doc"] == "c"


def test_rounding_errors_do_not_decide():
    """Batches change the last digits of a rank."""
    keys = pl.DataFrame({"doc_id": ["p", "q"], "article": [1, 1], "chars": [9, 9]})
    units = Units(keys, *[None] * 4)
    pairs = pl.DataFrame({"s": [0, 0], "t": [0, 1], "rank": [3.000001, 3.000002]})
    pairs = pairs.cast({"s": pl.UInt32, "t": pl.UInt32})
    assert sort_pairs(pairs, units, units, collect_page_urls([]))["t"].to_list() == [0, 1]
    apart = pairs.with_columns(rank=pl.Series([3.0, 3.1]))
    assert sort_pairs(apart, units, units, collect_page_urls([]))["t"].to_list() == [1, 0]


def test_a_misleading_address_is_outweighed_and_breaks_ties():
    urls = {"ar": "https://x.org/ar/v2/a", "guide": "https://x.org/en/v2/a"}
    pair = partner(*site(ADDED, **urls))
    assert pair["target_doc"] == "added"
    urls = {"ar": "https://x.org/ar/v2/a", "new": "https://x.org/en/v2/a"}
    pair = partner(*site(GUIDE, {"all": GUIDE, "new": GUIDE}, **urls))
    assert pair["target_doc"] == "new"


def test_lines_that_were_not_translated_count_as_counterparts():
    arabic = [*GUIDE[:4], *[(en, en) for _, en in GUIDE[4:]]]
    documents, segments = site(arabic)
    english = segments["text"].is_in([en for _, en in GUIDE[4:]])
    segments = segments.with_columns(
        lang=pl.when(english).then(pl.lit("en")).otherwise(pl.col("lang"))
    )
    assert partner(documents, segments)["target_doc"] == "guide"


def test_pages_without_a_rival_are_not_compared():
    pair = partner(*site(GUIDE, {"guide": GUIDE}))
    assert (pair["unaligned"], pair["numbers_apart"], pair["code_apart"]) == (None, None, None)


def test_rows_read_at_a_time_do_not_matter(tmp_path, monkeypatch):
    documents, segments = site(ADDED, code={"guide": CODE, "ar": CODE})
    documents.write_parquet(tmp_path / "documents.parquet")
    segments.sort("doc_id", "segment").write_parquet(tmp_path / "segments.parquet")
    written = []
    for rows in (1 << 16, 3, 1):
        monkeypatch.setattr(pair, "_SEGMENT_ROWS", rows)
        pair_run(tmp_path, overwrite=True)
        written.append((tmp_path / "pages.parquet").read_bytes())
    assert written[0] == written[1] == written[2]


def test_comparison_counts_what_has_no_counterpart():
    documents, segments = site(GUIDE, code={"guide": CODE, "added": f"{CODE}\n"})
    assert len(documents) == 6
    batches = [segments.sort("doc_id", "segment")]
    names = ["ar", "guide", "added", "moved", "number"]
    units = pl.DataFrame({"doc_id": names, "article": 1}).with_columns(lang=pl.lit(None, pl.String))
    sentences = read_sentences(batches, units, Encoder.load())
    t = np.arange(1, 5)
    found = compare(sentences, sentences, np.zeros(4, np.int64), t)
    assert found["numbers_apart"].to_list() == [0, 0, 0, 2]
    assert found["code_apart"].to_list() == [1, 1, 0, 0]
    guide, added, moved, _ = found.iter_rows(named=True)
    assert guide["unaligned"] < added["unaligned"]
    assert guide["unaligned"] < moved["unaligned"]
    assert guide["unordered"] == pytest.approx(moved["unordered"], abs=1e-4)
    itself = compare(sentences, sentences, t, t)
    assert (itself["unaligned"] < 0.05 * itself["size"]).all()


def test_an_empty_comparison_has_its_columns():
    _, segments = site(GUIDE)
    units = pl.DataFrame(schema={"doc_id": pl.String, "article": pl.Int64, "lang": pl.String})
    sentences = read_sentences([segments], units, Encoder.load())
    empty = np.zeros(0, np.int64)
    assert compare(sentences, sentences, empty, empty).columns == [
        "size", "unordered", "unaligned", "numbers_apart", "code_apart",
    ]  # fmt: skip

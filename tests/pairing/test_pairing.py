"""Pairing of pages: which are paired, which stay alone, and which inputs are errors."""

import polars as pl
import pytest

import ingest
from ingest import cli
from ingest.config import AlignConfig
from ingest.errors import ConfigError, FrameError, OutputError, SourceError, WriteError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.jobs import pair
from ingest.jobs.pair import pair_run
from ingest.pairing import PAGES, pair_pages
from ingest.pairing.urls import url_key

SCHOOL = {
    "ar": "افتتحت الوزيرة مدرسة جديدة في عمان يوم الأحد.\nتتسع المدرسة لنحو 450 طالبا وطالبة.\n"
    "وقال المدير إن المعلمين بدأوا العمل في سبتمبر 2023.",
    "en": "The minister opened a new school in Amman on Sunday.\nThe school has room for about 450 "
    "pupils.\nThe headmaster said that teachers began work in September 2023.",
}
MATCH = {
    "ar": "فاز المنتخب المصري على نظيره المغربي بهدفين في المباراة.\nسجل محمد صلاح الهدف الأول في "
    "الدقيقة 37.\nوشاهد المباراة أكثر من 60000 متفرج في القاهرة.",
    "en": "The Egyptian team beat Morocco by two goals in the match.\nMohamed Salah scored the first "
    "goal in minute 37.\nMore than 60000 spectators watched the match in Cairo.",
}
OIL = {
    "ar": "ارتفعت أسعار النفط بعد قرار منظمة أوبك خفض الإنتاج.\nوبلغ سعر البرميل 88 دولارا في لندن.",
    "en": "Oil prices rose after OPEC decided to cut production.\nA barrel cost 88 dollars in London.",
}


def frames(pages):
    """Documents and segments frames of pages: name -> list of (lang, text), with extra columns."""
    documents_types = schema(DOCUMENTS)
    segments_types = schema(SEGMENTS, DETECTED, LABELLED)
    docs, rows = [], []
    for name, page in pages.items():
        docs.append({"doc_id": name} | page.get("document", {}))
        number = 0
        for lang, text in page["bodies"]:
            for line in text.split("\n"):
                rows.append({"doc_id": name, "segment": number, "text": line, "lang": lang,
                             "article": 1, "keep": True})  # fmt: skip
                number += 1
    return pl.DataFrame(docs, documents_types), pl.DataFrame(rows, segments_types)


def page(lang, story, **document):
    return {"bodies": [(lang, story[lang])], "document": document}


CRAWL = {
    "0a": page("ar", SCHOOL),
    "0b": page("en", MATCH),
    "0c": page("ar", MATCH),
    "0d": page("en", SCHOOL),
    "0e": page("ar", OIL),
}


def pairs(pages):
    return sorted(pages.drop_nulls("score").select("source_doc", "target_doc").iter_rows())


def test_pages_are_paired_with_their_translation_and_the_rest_stay_alone():
    pages = pair_pages(*frames(CRAWL))
    assert pages.schema == schema(PAGES)
    assert pairs(pages) == [("0a", "0d"), ("0c", "0b")]
    alone = pages.filter(pl.col("score").is_null())
    assert alone["source_doc"].to_list() == ["0e"]
    assert alone["target_doc"].to_list() == [None]
    assert pages["score"].drop_nulls().is_between(0.5, 1).all()


def test_each_unit_is_in_one_row():
    pages = pair_pages(*frames(CRAWL | {"0f": page("en", SCHOOL)}))
    for side, count in (("source_doc", 3), ("target_doc", 3)):
        docs = pages[side].drop_nulls()
        assert len(docs) == docs.n_unique() == count


def test_the_order_of_pages_does_not_matter():
    docs, segments = frames(CRAWL)
    turned = frames(dict(reversed(CRAWL.items())))
    shuffled = (
        docs.sample(fraction=1, shuffle=True, seed=3),
        segments.sample(fraction=1, shuffle=True, seed=3),
    )
    expected = pair_pages(docs, segments)
    assert pair_pages(*turned).equals(expected)
    assert pair_pages(*shuffled).equals(expected)


def test_both_versions_on_a_page_are_paired():
    both = {"0a": {"bodies": [("ar", SCHOOL["ar"]), ("en", SCHOOL["en"])]}}
    pages = pair_pages(*frames(both | {"0b": page("en", OIL)}))
    assert pairs(pages) == [("0a", "0a")]
    assert pages["same_page"][0] == 1


def test_a_quotation_is_not_a_unit():
    quoting = {"bodies": [("ar", "\n".join([SCHOOL["ar"]] * 3)), ("en", "So be it.")]}
    pages = pair_pages(*frames({"0a": quoting}))
    assert len(pages) == 1


def test_source_and_target_languages_can_be_swapped():
    pages = pair_pages(*frames(CRAWL), config=AlignConfig(langs=("en", "ar")))
    assert pairs(pages) == [("0b", "0c"), ("0d", "0a")]


def test_hreflang_decides_between_copies():
    link = [{"lang": "en", "url": "/en/school#top"}]
    docs = {
        "0a": page("ar", SCHOOL, url="https://site.org/ar/madrasa", alternates=link),
        "0b": page("en", SCHOOL),
        "0c": page("en", SCHOOL, url="http://site.org/en/school/"),
    }
    pages = pair_pages(*frames(docs))
    assert pairs(pages) == [("0a", "0c")]
    assert pages.drop_nulls("score")["hreflang"].to_list() == [1]


def test_url_decides_between_copies():
    docs = {
        "0a": page("ar", SCHOOL, url="https://ar.site.org/news/7"),
        "0b": page("en", SCHOOL, url="https://en.site.org/news/8"),
        "0c": page("en", SCHOOL, url="https://en.site.org/news/7"),
    }
    pages = pair_pages(*frames(docs))
    assert pairs(pages) == [("0a", "0c")]
    assert pages.drop_nulls("score")["url"].to_list() == [1]


def test_a_url_alone_does_not_make_a_pair():
    docs = {
        "0a": page("ar", SCHOOL, url="https://ar.site.org/news/7"),
        "0b": page("en", OIL, url="https://en.site.org/news/7"),
    }
    assert pairs(pair_pages(*frames(docs))) == []


def test_dates_are_evidence():
    metadata = '{"meta": {"article:published_time": "2023-09-0%d"}}'
    docs = {
        "0a": page("ar", SCHOOL, metadata=metadata % 1),
        "0b": page("en", SCHOOL, url="https://site.org/2019/02/30/x"),  # no such day
        "0c": page("en", SCHOOL, url="https://site.org/2019/01/01/x"),
        "0d": page("en", SCHOOL, metadata=metadata % 3),
    }
    pages = pair_pages(*frames(docs)).drop_nulls("score")
    assert pairs(pages) == [("0a", "0d")]
    assert pages["date"].to_list() == [1]


def test_a_repeated_page_counts_once():
    docs, segments = frames(CRAWL)
    url = pl.lit("https://site.org/2023/09/01/x").alias("url")
    docs = docs.with_columns(url)
    twice = pl.concat([docs, docs, docs.with_columns(url.str.replace("01/x", "02/x"))])
    once = pair_pages(docs, segments)
    assert (
        pair_pages(twice, segments)
        .select("source_doc", "target_doc", "score")
        .equals(once.select("source_doc", "target_doc", "score"))
    )
    docs, segments = frames({"0a": {"bodies": list(SCHOOL.items()), "document": {}}})
    once = pair_pages(docs, segments)
    docs = docs.with_columns(url)
    assert len(pair_pages(pl.concat([docs, docs]), segments)) == len(once) == 1


@pytest.mark.parametrize(
    "address", ["", "   ", "http://[", "mailto:a@b", "/only/path", "http://", "\ud800"]
)
def test_a_url_without_a_host_has_no_key(address):
    assert url_key(address) == ""


def test_broken_links_are_ignored():
    bad = [{"lang": "en", "url": "http://["}, {"lang": None, "url": None}, None]
    pages = pair_pages(*frames({"0a": page("ar", OIL, url="http://[", alternates=bad)}))
    assert len(pages) == 1


@pytest.mark.parametrize("column", ["doc_id", "text", "lang", "keep"])
def test_missing_columns_are_named(column):
    docs, segments = frames(CRAWL)
    with pytest.raises(FrameError, match=column):
        pair_pages(docs, segments.drop(column))


def test_wrong_settings_are_refused():
    empty = frames({})
    with pytest.raises(ConfigError, match="both 'ar'"):
        pair_pages(*empty, config=AlignConfig(langs=("ar", "ar")))
    with pytest.raises(ConfigError, match="not in"):
        pair_pages(*empty, min_score=float("nan"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The output folder of a run over the pages of CRAWL, as files, and the samples."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "pages").mkdir()
    for name, content in CRAWL.items():
        lang, text = content["bodies"][0]
        (folder / "pages" / f"{name}.{lang}.txt").write_text(text.replace("\n", "\n\n"), "utf-8")
    ingest.run([folder / "pages", ingest.samples()], folder / "out")
    return folder / "out"


def test_reading_a_run_in_small_batches_gives_the_same_pairs(finished, tmp_path, monkeypatch):
    frame = pair_pages(
        *(pl.read_parquet(finished / f"{x}.parquet") for x in ("documents", "segments"))
    )
    monkeypatch.setattr(pair, "_SEGMENT_ROWS", 401)
    monkeypatch.setattr(pair, "_DOCUMENT_ROWS", 9)
    report = pair_run(finished, tmp_path / "pages.parquet")
    assert pl.read_parquet(tmp_path / "pages.parquet").equals(frame)
    assert report.pairs == frame["score"].count() >= 2
    assert report.unpaired == frame["score"].null_count()
    assert [p.name for p in tmp_path.iterdir()] == ["pages.parquet"]


def test_outputs_are_replaced_only_with_overwrite(finished, tmp_path):
    to = tmp_path / "pages.parquet"
    pair_run(finished, to)
    before = to.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        pair_run(finished, to)
    pair_run(finished, to, overwrite=True)
    assert to.read_bytes() == before
    with pytest.raises(OutputError, match="input itself"):
        pair_run(finished, finished / "segments.parquet", overwrite=True)
    with pytest.raises(WriteError, match=r"no folder .*none; create it first"):
        pair_run(finished, tmp_path / "none" / "pages.parquet")


def test_a_folder_that_is_not_a_run_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"documents\.parquet"):
        pair_run(tmp_path)
    for name in ("documents", "segments"):
        (tmp_path / f"{name}.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(SourceError):
        pair_run(tmp_path)


def test_command(finished, tmp_path, capsys):
    to = tmp_path / "pages.parquet"
    assert cli.main(["pair", str(finished), "-o", str(to)]) == cli.OK
    output = capsys.readouterr().out
    assert output.count("\n") == 2
    assert f"without a partner\nwritten to {to}\n" in output
    assert cli.main(["pair", str(finished), "-o", str(to)]) == cli.NOT_WRITTEN + 1
    assert cli.main(["pair", str(tmp_path)]) == cli.WRONG_CALL

"""From labelled pages to pairs of sentences: `align_pages` and what it shares with `ingest run`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.config import AlignConfig, Config, TranslateConfig
from ingest.errors import AlignError, ConfigError, FrameError
from ingest.frames import ALIGNED, DETECTED, DOCUMENTS, LABELLED, PAIRS, SEGMENTS, schema
from ingest.pairing.sentences import SIDE_COLUMNS, align_articles

CRAWL = Path(ingest.samples()).parent / "crawl"


@pytest.fixture(scope="module")
def pages() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Documents and labelled segments of the sample crawl."""
    documents = ingest.read(CRAWL)
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    return documents, ingest.dedupe(segments, documents)


@pytest.fixture(scope="module")
def pairs(pages: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return ingest.align_pages(*pages)


def test_a_run_writes_the_same_pairs(pairs, tmp_path):
    ingest.run(CRAWL, tmp_path / "out", align=True)
    written = pl.read_parquet(tmp_path / "out" / "pairs.parquet")
    assert len(pairs) > 50
    assert pairs.equals(written)


def test_pairs_lead_back_to_their_pages(pages, pairs):
    assert pairs.schema == schema(PAIRS, ALIGNED)
    text = dict(pages[0].select("doc_id", "text").iter_rows())
    for side in ("source", "target"):
        columns = (f"{side}_{name}" for name in ("doc", "text", "start", "end"))
        for doc, sentence, start, end in pairs.select(*columns).iter_rows():
            # lines in the other language may stand between those of a pair
            assert text[doc][start:].startswith(sentence.split()[0])
            assert text[doc][:end].endswith(sentence.split()[-1])


@pytest.mark.parametrize(
    "config", [AlignConfig(langs=("en", "ar")), Config(align=AlignConfig(langs=("en", "ar")))]
)
def test_config_may_be_that_of_alignment_or_of_everything(pages, pairs, config):
    swapped = ingest.align_pages(*pages, config=config)
    assert set(swapped["source_lang"]) == {"en"}
    both = ["source_text", "target_text"]
    assert (
        swapped.select(source_text="target_text", target_text="source_text")
        .sort(both)
        .equals(pairs.select(both).sort(both))
    )


def test_min_score_limits_the_articles(pages, pairs):
    assert ingest.align_pages(*pages, min_score=0).height >= pairs.height
    assert ingest.align_pages(*pages, min_score=1).height < pairs.height
    with pytest.raises(ConfigError, match="min_score"):
        ingest.align_pages(*pages, min_score=2)


def test_empty_input_gives_no_pairs(pages):
    documents = pl.DataFrame(schema=schema(DOCUMENTS))
    segments = pl.DataFrame(schema=schema(SEGMENTS, DETECTED, LABELLED))
    for given in ((documents, segments), (documents, pages[1].clear()), (pages[0], segments)):
        empty = ingest.align_pages(*given)
        assert empty.is_empty()
        assert empty.schema == schema(PAIRS, ALIGNED)


def test_a_missing_column_is_named(pages):
    documents, segments = pages
    with pytest.raises(FrameError, match="'article'"):
        ingest.align_pages(documents, segments.drop("article"))
    with pytest.raises(FrameError, match="'alternates'"):
        ingest.align_pages(documents.drop("alternates"), segments)


def test_an_article_that_the_segments_lack_is_an_error(pages):
    paired = pl.DataFrame([("none", 1, "ar", "none", 1, "en")], SIDE_COLUMNS, orient="row")
    with pytest.raises(FrameError, match="page none has no article 1 in ar"):
        list(align_articles(paired, pages[1], AlignConfig(), TranslateConfig()))


def test_articles_that_cannot_be_aligned_yield_their_error(pages):
    segments = pages[1].filter("keep")
    doc, article, lang = segments.select("doc_id", "article", "lang").row(0)
    paired = pl.DataFrame([(doc, article, lang) * 2], SIDE_COLUMNS, orient="row")
    (error,) = align_articles(paired, segments, AlignConfig(), TranslateConfig())
    assert isinstance(error, AlignError)

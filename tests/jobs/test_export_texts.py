"""Export of the articles and segments of a run."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

import ingest
from ingest.articles import PAGE_COLUMNS, collect_articles
from ingest.cli import main
from ingest.errors import ConfigError, OutputError, SourceError, WriteError
from ingest.jobs.export_texts import TEXT_FORMATS, export_texts
from ingest.writers.texts import _number_units

ENGLISH = (
    "The ferry to the island leaves twice a day in summer and once in winter, the harbour office "
    "said on Monday.\nTickets are sold on board, and a return ticket costs nine pounds.\n"
)
STORY = ("<h1>Ferry to run all winter</h1><p>{}</p><h2>Tickets</h2><p>{}</p>").format(
    *ENGLISH.strip().split("\n")
)


def html(url: str, published: str = "", body: str = STORY) -> str:
    head = f'<title>Ferry to run all winter</title><link rel="canonical" href="{url}">'
    head += '<meta name="author" content="Layla Haddad">'
    if published:
        head += f'<meta property="article:published_time" content="{published}">'
    return f"<html><head>{head}</head><body><article>{body}</article></body></html>"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with copies of an article, Arabic and bilingual pages, and a page in error."""
    folder = tmp_path_factory.mktemp("export")
    pages = folder / "pages"
    pages.mkdir()
    (pages / "a.html").write_text(html("https://www.a.example/x", "2024-05-13"))
    (pages / "b.html").write_text(html("https://b.example/2024/05/12/x"))
    (pages / "c.html").write_text(html("/relative"))
    for name in ("ar_news_1", "bilingual_press_2", "ar_chrome_en_news_1"):
        shutil.copy(ingest.samples() / f"{name}.txt", pages)
    (pages / "z.txt").write_bytes(bytes(range(256)) * 4)
    ingest.run(pages, folder / "out")
    return folder / "out"


def exported(run, tmp_path, **settings) -> tuple[pl.DataFrame, dict]:
    report = export_texts(run, tmp_path / "o.parquet", overwrite=True, **settings)
    frame = pl.read_parquet(tmp_path / "o.parquet")
    assert report["written"] == len(frame)
    assert report["read"] == len(frame) + sum(report["left_out"].values())
    return frame, report


def named(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.filter(pl.col("source").str.ends_with(name))


def test_articles_are_those_of_the_run(run, tmp_path):
    frame, _ = exported(run, tmp_path)
    of_run = pl.read_ndjson(run / "articles.jsonl", infer_schema_length=None)
    assert frame.to_dicts() == of_run.select(frame.columns).to_dicts()


def test_what_is_known_of_an_article(run, tmp_path):
    frame, _ = exported(run, tmp_path)
    facts = ("url", "site", "title", "author", "date", "lang")
    assert named(frame, "a.html").select(facts).row(0) == (
        "https://www.a.example/x", "a.example", "Ferry to run all winter", "Layla Haddad",
        "2024-05-13", "en",
    )  # fmt: skip
    assert named(frame, "b.html")["date"].item() == "2024-05-12"  # from its address
    assert named(frame, "c.html").select("url", "site", "date").row(0) == (None, None, None)


def test_one_of_equal_copies_is_the_earliest(run, tmp_path):
    frame, report = exported(run, tmp_path, dedupe=True)
    copies = frame.filter(title="Ferry to run all winter")
    assert copies["source"].str.ends_with("b.html").to_list() == [True]
    assert report["left_out"] == {"copies": 2}
    segments, _ = exported(run, tmp_path, what="segments", dedupe=True)
    assert named(segments, "b.html").height
    assert not named(segments, "a.html").height


def test_the_longest_copy_wins(run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(run, out)
    segments = pl.read_parquet(out / "segments.parquet")
    documents = pl.read_parquet(out / "documents.parquet")
    longer = documents.filter(pl.col("source").str.ends_with("c.html"))["doc_id"].item()
    is_longer = (pl.col("doc_id") == longer) & (pl.col("role") == "body")
    text = pl.when(is_longer).then(pl.col("text") + " More.").otherwise("text")
    segments.with_columns(text=text).write_parquet(out / "segments.parquet")
    frame, _ = exported(out, tmp_path, dedupe=True)
    copies = frame.filter(title="Ferry to run all winter")
    assert copies["doc_id"].to_list() == [longer]


def test_languages_of_articles_are_those_of_their_lines(run, tmp_path):
    every, _ = exported(run, tmp_path)
    english, report = exported(run, tmp_path, langs=["en"])
    arabic, _ = exported(run, tmp_path, langs=["ar"])
    segments = pl.read_parquet(run / "segments.parquet")
    lines = english.select(pl.col("text").str.split("\n")).explode("text")["text"]
    assert set(segments.filter(pl.col("text").is_in(lines.implode()))["lang"]) <= {"en", "zxx"}
    assert set(arabic["lang"]) == {"ar"}
    assert set(english["lang"]) == {"en"}
    assert named(english, "ar_news_1.txt").is_empty()
    assert report["left_out"]["other languages"] == len(every) - len(english)
    for name in ("bilingual_press_2.txt",):  # both sides of a bilingual page are found
        assert len(named(english, name)) >= 1
        assert len(named(arabic, name)) >= 1


def test_an_article_of_numbers_and_unknown_text_has_the_language_of_its_words(run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(run, out)
    segments = pl.read_parquet(out / "segments.parquet")
    doc, article = segments.filter(pl.col("keep") & (pl.col("lang") == "en"))[
        0, ["doc_id", "article"]
    ].row(0)
    inside = pl.col("keep") & (pl.col("doc_id") == doc) & (pl.col("article") == article)
    is_first = pl.int_range(pl.len()) == inside.arg_max()
    for other, lang in (("zxx", "en"), ("und", "und")):
        changed = segments.with_columns(
            lang=pl.when(inside & ~is_first).then(pl.lit(other)).otherwise("lang")
        )
        changed.write_parquet(out / "segments.parquet")
        every, _ = exported(out, tmp_path)
        english, _ = exported(out, tmp_path, langs=["en"])
        of_article = pl.col("doc_id") == doc, pl.col("article") == article
        assert every.filter(*of_article)["lang"].to_list() == [lang]
        assert set(english["lang"]) == {"en"}


@pytest.mark.parametrize("dedupe", [False, True])
def test_progress_counts_the_segments_of_each_pass(dedupe, run, tmp_path):
    calls = []
    exported(run, tmp_path, dedupe=dedupe, progress=lambda *numbers: calls.append(numbers))
    segments = pl.read_parquet(run / "segments.parquet", columns=["line"]).height
    assert calls[-1] == (segments * (1 + dedupe),) * 2


def test_pairs_of_a_run_without_pairs(run, tmp_path):
    with pytest.raises(SourceError, match=r"a run without pairs.* --what articles"):
        ingest.export(run, tmp_path / "out.tsv", format="tsv")


def test_segments_have_the_facts_of_their_article(run, tmp_path):
    frame, report = exported(run, tmp_path, what="segments")
    kept = pl.read_parquet(run / "segments.parquet").filter("keep")
    assert (
        frame.select("doc_id", "segment", "text").rows()
        == kept.select("doc_id", "segment", "text").rows()
    )
    assert set(named(frame, "a.html")["author"]) == {"Layla Haddad"}
    assert "not kept" in report["left_out"]


def test_roles_that_are_not_kept_can_be_exported(run, tmp_path):
    frame, report = exported(run, tmp_path, what="segments", roles=["nav", "widget"])
    assert set(frame["role"]) <= {"nav", "widget"}
    assert len(frame)
    assert not frame["url"].is_null().all() or named(frame, "a.html").is_empty()
    only_text, _ = exported(run, tmp_path, roles=["body"])
    article = named(only_text, "a.html")
    assert article["title"].item() == "Ferry to run all winter"
    assert "Ferry to run" not in article["text"].item()
    assert report["roles"] == ["nav", "widget"]


def test_the_size_of_batches_makes_no_difference(run, tmp_path, monkeypatch):
    settings = {"langs": ["ar", "en"], "dedupe": True, "what": "segments"}
    for size in (None, 1, 7, 1000):
        if size:
            monkeypatch.setattr("ingest.writers.texts._BATCH_SEGMENTS", size)
            monkeypatch.setattr("ingest.writers.texts._BATCH_PAGES", size)
        export_texts(run, tmp_path / f"{size}.parquet", **settings)
        export_texts(run, tmp_path / f"{size}.md", dedupe=True)
        export_texts(run, tmp_path / f"{size}.txt")
    for ending in ("parquet", "md", "txt"):
        assert (
            len({(tmp_path / f"{size}.{ending}").read_bytes() for size in (None, 1, 7, 1000)}) == 1
        )


def test_plain_text_has_an_empty_line_between_articles(run, tmp_path):
    report = export_texts(run, tmp_path / "a.txt")
    frame, _ = exported(run, tmp_path)
    texts = (tmp_path / "a.txt").read_text().removesuffix("\n").split("\n\n")
    assert len(texts) == report["written"]
    assert [t.split("\n") for t in texts] == [t.split("\n") for t in frame["text"]]
    export_texts(run, tmp_path / "s.txt", what="segments")
    lines = (tmp_path / "s.txt").read_text().splitlines()
    assert lines == [line for text in texts for line in text.split("\n")]


def test_markdown_has_headings_and_where_an_article_is_from(run, tmp_path):
    export_texts(run, tmp_path / "a.md")
    first = (tmp_path / "a.md").read_text().split("\n---\n")[0]
    assert first.startswith(
        "# Ferry to run all winter\n\n"
        "a.example · Layla Haddad · 2024-05-13 · en · <https://www.a.example/x>\n\n"
    )
    assert first.count("Ferry to run all winter") == 1


def test_markdown_shows_the_path_of_a_page_without_url(tmp_path):
    (tmp_path / "my_page.txt").write_text("The ferry will run all winter, said the port.\n" * 3)
    ingest.run(str(tmp_path / "my_page.txt"), tmp_path / "out")
    export_texts(tmp_path / "out", tmp_path / "a.md")
    text = (tmp_path / "a.md").read_text()
    assert "my\\_page.txt\n" in text
    assert "<" not in text


def test_hugging_face_folder(run, tmp_path):
    for _ in range(2):  # an export replaces itself
        report = export_texts(
            run, tmp_path / "hf", format="huggingface", license="cc-by-4.0", overwrite=True
        )
    card = (tmp_path / "hf" / "README.md").read_text()
    assert 'license: "cc-by-4.0"' in card
    assert f"{report['written']} articles." in card
    frame, _ = exported(run, tmp_path)
    assert pl.read_parquet(tmp_path / "hf" / "data" / "*.parquet").equals(frame)
    assert json.loads((tmp_path / "hf" / "export.json").read_text())["files"] == report["files"]
    (tmp_path / "hf" / "mine.txt").touch()
    with pytest.raises(OutputError, match=r"mine\.txt"):
        export_texts(run, tmp_path / "hf", format="huggingface", overwrite=True)


def test_a_large_folder_has_several_files(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.writers.huggingface_texts._GROUPS_PER_FILE", 1)
    monkeypatch.setattr("ingest.writers.texts._ARTICLE_ROWS", 2)
    report = export_texts(run, tmp_path / "hf", format="huggingface")
    files = -(-report["written"] // 2)
    assert len(report["files"]) == files + 2
    assert report["files"][-1] == f"data/train-{files - 1:05d}-of-{files:05d}.parquet"


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_a_run_with_only_errors(tmp_path, format):
    (tmp_path / "bad.txt").write_bytes(bytes(range(256)))
    ingest.run(tmp_path / "bad.txt", tmp_path / "out")
    report = export_texts(tmp_path / "out", tmp_path / "o", format=format, dedupe=True)
    assert (report["read"], report["written"]) == (0, 0)
    assert (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"dest": "o.csv"}, ConfigError, "'o.csv' does not say it; end it in"),
        ({"what": "pages"}, ConfigError, "'pages' is not one of"),
        ({"what": "segments", "dest": "o.md"}, ConfigError, "markdown is for articles"),
        ({"roles": ["nav"]}, ConfigError, "nav belongs to no article"),
        ({"roles": ["title"]}, ConfigError, "'title' is not a role"),
        ({"license": "mit"}, ConfigError, "has no data card"),
        ({"dest": "missing/o.txt"}, WriteError, "there is no folder"),
        (
            {"run": "no-such-folder"},
            SourceError,
            "is not a folder; give the folder that ingest run wrote",
        ),
        ({"run": ingest.samples()}, SourceError, r"contains no segments\.parquet"),
        ({"run": "s3://x/out"}, SourceError, "is a URL"),
    ],
)
def test_wrong_calls(run, tmp_path, settings, error, message):
    settings = {"run": run, "dest": "o.txt", **settings}
    settings["dest"] = tmp_path / settings["dest"]
    with pytest.raises(error, match=message):
        export_texts(**settings)
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_run_are_not_replaced(run):
    with pytest.raises(OutputError, match="is the input itself"):
        export_texts(run, run / "articles.jsonl", overwrite=True)


def test_a_run_that_is_replaced_meanwhile(run, tmp_path):
    from ingest.writers.texts import TextSelection

    shutil.copytree(run, tmp_path / "out")
    selection = TextSelection(tmp_path / "out")
    shutil.copy(run / "documents.parquet", tmp_path / "new.parquet")
    (tmp_path / "new.parquet").replace(tmp_path / "out" / "documents.parquet")
    with pytest.raises(SourceError, match="was changed while it was read"):
        list(selection.batches())


def test_documents_of_another_run(run, tmp_path):
    shutil.copytree(run, tmp_path / "out")
    documents = pl.read_parquet(run / "documents.parquet")
    documents[:1].write_parquet(tmp_path / "out" / "documents.parquet")
    with pytest.raises(SourceError, match=r"documents\.parquet: .*; to make it again, run: ingest"):
        export_texts(tmp_path / "out", tmp_path / "o.txt")
    assert not (tmp_path / "o.txt").exists()


def test_command_line(run, tmp_path, capsys):
    assert main(["export", str(run), "-o", str(tmp_path / "a.jsonl")]) == 0
    out = capsys.readouterr().out
    assert "has no pairs, so its articles are exported" in out
    assert "3 of" not in out.splitlines()[0]
    for wrong, message in (
        (["--flagged", "-o", "x.txt"], "--flagged is not for articles"),
        (["--what", "pairs", "--dedupe", "-o", "x.tsv"], "--dedupe is not for pairs"),
        (["--roles", ",", "-o", "x.txt"], "names no role"),
        ([], "give one with --format"),
        (["--what", "pairs", "-o", "x.txt"], "give one with --format"),
        (["--what", "pairs", "--format", "txt"], "to export texts: --what articles"),
    ):
        assert main(["export", str(run), *wrong]) == 2
        assert message in capsys.readouterr().err


def test_run_and_export_in_one_go(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.html").write_text(html("https://a.example/x"))
    command = ["run", "a.html", "-o", "out", "--export"]
    for wrong in ("a.csv", "out/a.txt", "missing/a.txt", "a.html"):
        assert main([*command, wrong]) in (1, 2)
        assert not (tmp_path / "out").exists()
    capsys.readouterr()
    assert main([*command, "b.jsonl"]) == 0
    assert "1 of 1 articles" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.jsonl").read_text())["site"] == "a.example"
    assert main([*command, "c.md", "--resume"]) == 0  # adds what is missing
    assert main([*command, "c.md", "--resume"]) == 0  # it is there
    exported = (tmp_path / "c.md").read_bytes()
    (tmp_path / "c.md").write_bytes(exported[:-5])
    capsys.readouterr()
    assert main([*command, "c.md", "--resume"]) == 2
    assert "c.md: is damaged, or " in capsys.readouterr().err
    (tmp_path / "c.md").unlink()
    assert main([*command, "c.md", "--resume"]) == 0
    assert (tmp_path / "c.md").read_bytes() == exported
    assert main([*command, "b.jsonl", "--overwrite"]) == 0
    assert main([*command, "d.txt", "--shard", "1/2", "--overwrite"]) == 2


def test_bylines_and_datelines_of_articles():
    rows = [
        (1, "headline", "A"), (1, "byline", "بقلم: منى الهادي | بيروت"), (1, "dateline", "٣ آب ٢٠٢٤"),
        (1, "body", "Text"), (2, "headline", "B"), (2, "byline", "By Omar Said, Cairo"),
        (2, "dateline", "Updated 1 May 2024"), (2, "body", "Text"), (3, "body", "More"),
    ]  # fmt: skip
    segments = pl.DataFrame(
        [
            {"doc_id": "d", "article": article, "role": role, "text": text, "line": n, "lang": "en",
             "keep": role in ("headline", "body"), "cluster": f"d:{article}"}
            for n, (article, role, text) in enumerate(rows)
        ]
    )  # fmt: skip
    page = dict.fromkeys(PAGE_COLUMNS) | {"doc_id": "d", "title": "Page", "published": "2020-01-01"}
    documents = pl.DataFrame([page], dict.fromkeys(PAGE_COLUMNS, pl.String))
    articles = collect_articles(segments, documents)
    assert articles["author"].to_list() == ["منى الهادي", "Omar Said", None]
    # on a page with several articles, their own dates come first
    assert articles["date"].to_list() == ["2024-08-03", "2020-01-01", "2020-01-01"]
    assert articles["title"].to_list() == ["A", "B", None]
    alone = collect_articles(segments.filter(article=3), documents)
    assert alone["title"].to_list() == ["Page"]


def test_segments_without_an_article_are_numbered_too():
    keys = pl.DataFrame(
        {"doc_id": ["a", "a", "a", "b"], "article": [0, None, None, None]},
        schema={"doc_id": pl.String, "article": pl.UInt32},
    )
    assert _number_units(keys).to_list() == [0, 1, 1, 2]

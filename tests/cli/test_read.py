"""The command `read`, and the options that name columns."""

from __future__ import annotations

import json
import re

import pytest

from ingest.cli import build_parser
from ingest.cli.options import build_config
from ingest.config import ReadConfig


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"id": n, "link": f"http://x/{n}", "content": f"Page {n}", "other": "O"}
        for n in range(1200)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "b.csv").write_bytes("id;text\n1;قتل أربعة أشخاص أمس\n".encode("cp1256"))
    (tmp_path / "c.html").write_text("<title>The title</title><p>A paragraph")
    (tmp_path / "d.png").write_bytes(b"x")
    return tmp_path


def test_one_row_per_source_and_the_guessed_columns(call, folder):
    done = call("read", folder)
    printed = done.out
    assert (done.status, done.err) == (0, ""), done.err
    assert printed.split()[:5] == ["source", "kind", "pages", "errors", "encodings"]
    assert "1,000+" in printed
    assert "only the first 1,000 records" in printed
    assert f"{folder}/a.jsonl: text from column `content`, url from column `link`" in printed
    assert f"1 file not read: {folder}/d.png (image)\n" in printed
    assert "  Page 0\n" in printed


def test_pages_in_error_are_named_and_exit_3(call, folder):
    (folder / "bad.jsonl").write_text('{"text": "a"}\nbad\n')
    (folder / "e.txt").write_bytes(bytes(range(256)))
    done = call("read", folder, folder / "gone.warc.gz")
    assert done.status == 3
    printed = done.err
    assert printed.startswith("3 in error:\n")
    assert re.search(r"bad[.]jsonl#1: .*JSON", printed)
    assert "gone.warc.gz: cannot be read: no such file or directory" in printed


def test_json_is_one_object_per_page(call, folder):
    done = call("read", "--json", folder)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) == 1202
    assert rows[-1] == {
        "uri": f"{folder}/c.html", "media_type": "text/html", "encoding": "utf-8", "repaired": None,
        "title": "The title", "url": None, "chars": len("The title\nA paragraph"), "error": None,
    }  # fmt: skip


def test_many_sources_are_summed_up_by_kind(call, tmp_path):
    for n in range(60):
        (tmp_path / f"{n}.txt").write_text("text")
    printed = call("read", tmp_path).out.splitlines()
    assert printed[0].split() == ["kind", "sources", "pages", "errors", "encodings"]
    assert printed[1].split() == ["file", "60", "60", "0", "utf-8", "60"]


def test_columns_can_be_named(call, folder):
    done = call(
        "read", folder / "a.jsonl", "--text-column", "other", "--url-column", "content", "--json"
    )
    first = json.loads(done.out.splitlines()[0])
    assert (first["chars"], first["url"]) == (1, "Page 0")
    (folder / "c.toml").write_text('[read]\ntext_column = "gone"\nid_column = "other"\n')
    done = call(
        "read",
        folder / "a.jsonl",
        "--config",
        folder / "c.toml",
        "--text-column",
        "other",
        "--json",
    )
    assert json.loads(done.out.splitlines()[0])["uri"].endswith("a.jsonl#O")
    done = call("read", folder / "a.jsonl", "--config", folder / "c.toml")
    assert done.status == 3
    assert "choose one with --text-column" in done.err


@pytest.mark.parametrize("command", [["run", "-o", "out"], ["show"], ["read"]])
def test_each_command_that_reads_takes_columns(command):
    names = ["--text-column", "t", "--html-column", "h", "--url-column", "u", "--id-column", "i"]
    args = build_parser().parse_args([*command, "a.jsonl", *names])
    assert build_config(args).read == ReadConfig("t", "h", "u", "i")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_control_characters_are_not_printed(call, tmp_path, options):
    text = "Title \x1b[2J\x07 \u202eevil\u202c \x9b31m words"
    (tmp_path / "a\x1b[31m.txt").write_text(text)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": text, "id": text, "url": text}) + "\n")
    (tmp_path / "c.jsonl").write_text(json.dumps({f"{text}": 1}) + "\n")
    (tmp_path / "d.html").write_text(f"<title>{text}</title>{text}")
    done = call("read", tmp_path, *options)
    printed = done.out
    assert done.status == 3
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(printed)


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (["read"], "ingest read --json prints all"),
        (["run", "-o", "{out}"], "column error of {out}/documents.parquet has all"),
        (
            ["translate", "--from", "en", "--to", "ar", "-o", "{out}.parquet"],
            "ingest read --json prints all",
        ),
    ],
)
def test_a_list_of_errors_that_is_cut_says_so(call, tmp_path, command, where):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "good.txt").write_text("The river rises in spring, and falls in the summer.\n")
    for n in range(12):
        (pages / f"{n}.txt").write_bytes(bytes(range(256)))
    out = tmp_path / "out"
    done = call(*(word.format(out=out) for word in command), pages)
    assert done.status == 3
    assert sum(".txt: " in line for line in done.err.splitlines()) == 10, done.err
    assert done.err.splitlines()[-1].split(maxsplit=1)[-1].removeprefix("and ") == (
        f"2 more; {where.format(out=out)}"
    ), done.err

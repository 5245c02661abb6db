"""The command line as a process."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.cli.packages_view import offers, table
from ingest.cli.render import languages, summary
from ingest.errors import FrameError
from ingest.frames import PAIRS, ROLES, schema
from ingest.translation.packages.locations import InvalidPackage

INGEST = [sys.executable, "-m", "ingest"]


def call(*args, stdin: bytes = b"", **options):
    return subprocess.run(
        [*INGEST, *map(str, args)], input=stdin, capture_output=True, timeout=120, check=False,
        **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return ingest.samples() / "ar_chrome_en_news_1.txt"


def test_run_writes_and_prints_a_table(page, tmp_path):
    done = call("run", page, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""  # no progress bar in a pipe
    printed = done.stdout.decode()
    assert printed.startswith("role")
    assert "\n1 page, " in printed
    assert (tmp_path / "out" / "segments.parquet").exists()


def test_run_says_which_pages_are_in_error_and_exits_3(page, tmp_path):
    (tmp_path / "bad.txt").write_bytes(bytes(range(256)))
    done = call("run", page, tmp_path / "bad.txt", tmp_path / "gone.txt", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert "2 pages in error" in done.stdout.decode()
    assert "gone.txt: cannot be read: no such file or directory" in done.stdout.decode()
    assert len(pl.read_parquet(tmp_path / "out" / "documents.parquet")) == 3


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("run",),
        ("run", "x.txt"),
        ("run", "no-such-file.txt", "-o", "out"),
        ("run", ".", "-o", "."),
        ("show", "no-such-file.txt"),
        ("detect", "text", "--detector", "magic"),
        ("detect", "text", "--langs", "xx-none"),
        ("run", ".", "-o", "out", "--config", "no.toml"),
        ("run", ".", "-o", "out", "--shard", "1/2", "--align"),
        ("align", "no-such-file", "no-such-file", "--lines", "-o", "out"),
        ("encode", "no-such-file", "-o", "out"),
        ("sing",),
    ],
)
def test_a_wrong_call_exits_2_and_writes_nothing(args, tmp_path):
    done = call(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [
        ("align", "a.txt", "a.txt", "--lines", "-o"),
        ("encode", "a.txt", "-o"),
        ("export", "a.parquet", "--format", "moses", "-o"),
    ],
)
def test_a_folder_that_is_not_there_is_not_made(args, tmp_path):
    (tmp_path / "a.txt").write_text("A line of text.\n", encoding="utf-8")
    pl.DataFrame(schema=schema(PAIRS)).write_parquet(tmp_path / "a.parquet")
    before = sorted(tmp_path.iterdir())
    done = call(*args, "nowhere/out", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "ingest: nowhere/out: cannot be written: there is no folder nowhere; create it first\n"
    )
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("codes", ["", " , "])
@pytest.mark.parametrize("command", [("show", "x"), ("run", "x", "-o", "out"), ("detect", "x")])
def test_candidate_languages_are_some(command, codes, capsys):
    assert main([*command, f"--langs={codes}"]) == 2
    said = capsys.readouterr().err
    assert said == f"ingest: --langs: {codes!r} names no language; give codes, such as ar,en\n"


@pytest.mark.parametrize("codes", ["", "ar", "ar,en,fr"])
@pytest.mark.parametrize(
    "command",
    [("align", "x", "-o", "y"), ("pair", "x"), ("export", "x", "--format", "tsv")],
)
def test_languages_of_pairs_are_two(command, codes, capsys):
    assert main([*command, f"--langs={codes}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ingest: --langs: {codes!r} is not two different language codes")


def test_a_folder_without_a_name_is_none(page, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", str(page), "-o", ""])
    assert "argument -o/--out: is empty; name the folder to make" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["a.parquet", None, pl.LazyFrame({"text": ["a"]})])
@pytest.mark.parametrize("verb", [ingest.segment, ingest.detect, ingest.label, ingest.score])
def test_what_is_no_frame_is_named(verb, given):
    with pytest.raises(FrameError, match=r"must be a Polars DataFrame, is \w+") as error:
        verb(given)
    assert str(error.value).endswith("collect it first") == isinstance(given, pl.LazyFrame)


def test_an_unknown_setting_is_named(page, tmp_path):
    (tmp_path / "c.toml").write_text("[dedupe]\nthresold = 0.5\n")
    done = call("run", page, "-o", tmp_path / "out", "--config", tmp_path / "c.toml")
    assert done.returncode == 2
    assert b"dedupe.thresold: unknown setting; use one of threshold" in done.stderr


def test_standard_input_is_a_page(page, tmp_path):
    done = call("run", "-", "-o", tmp_path / "out", stdin=page.read_bytes())
    assert done.returncode == 0
    assert pl.read_parquet(tmp_path / "out" / "documents.parquet")["source"].to_list() == ["-"]


def test_show_prints_a_line_a_segment(page):
    done = call("show", page)
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert "utf-8" in lines[0]
    numbers = [int(line.split()[0]) for line in lines[1:] if line.strip()]
    text = page.read_text(encoding="utf-8").splitlines()
    assert numbers == [n for n, line in enumerate(text, 1) if line.strip()]
    assert any("= line" in line for line in lines)
    assert any("keep" in line and "body" in line for line in lines)


def test_show_never_passes_controls_on_to_the_terminal(tmp_path):
    (tmp_path / "a.txt").write_text("Title \x1b[2J\x07 \u202eevil\u202c text of some words\n")
    done = call("show", tmp_path / "a.txt")
    assert b"\x1b" not in done.stdout
    assert b"\x07" not in done.stdout
    assert "\u202e" not in done.stdout.decode()


def test_show_prints_what_a_run_decided(tmp_path):
    for n, name in enumerate(("ar_chrome_en_news_1.txt", "ar_chrome_en_news_2.txt")):
        (tmp_path / f"{n}.txt").write_bytes((ingest.samples() / name).read_bytes())
    ingest.run(tmp_path, tmp_path / "out")
    pages = call("show", tmp_path / "0.txt", tmp_path / "1.txt")
    # lines of the site's template are known of a run only, so that it is no other show of pages
    segments = pl.read_parquet(tmp_path / "out" / "segments.parquet")
    done = call("show", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    heads = [line for line in lines if line.startswith("/")]
    assert heads == [line for line in pages.stdout.decode().splitlines() if line.startswith("/")]
    rows = [line.split() for line in lines if line and line not in heads]
    assert [row[2] for row in rows] == segments["role"].to_list()
    assert [row[5] == "keep" for row in rows] == segments["keep"].to_list()
    assert "\u2068" not in done.stdout.decode()


def test_settings_are_not_for_what_a_run_decided(page, tmp_path, capsys):
    out = str(tmp_path / "out")
    ingest.run(page, out)
    assert main(["show", out, "--langs", "ar,en"]) == 2
    assert (
        capsys.readouterr().err == f"ingest: {out}: is labelled already; settings are for pages\n"
    )
    Path(out, "segments.parquet").write_bytes(b"no Parquet")
    assert main(["show", out]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_detect_json_is_one_object_a_line_in_order(tmp_path):
    lines = ["Where is the station?", "", "أين المحطة القديمة؟", "20", "https://example.com"]
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for done in (
        call("detect", tmp_path / "lines.txt", "--json"),
        call("detect", "--json", stdin=("\n".join(lines) + "\n").encode()),
    ):
        assert done.returncode == 0, done.stderr
        found = [json.loads(line) for line in done.stdout.decode().splitlines()]
        assert [r["text"] for r in found] == lines
        assert [r["lang"] for r in found] == ["en", "zxx", "ar", "zxx", "zxx"]


def test_detect_takes_a_text():
    done = call("detect", "Wo ist der Bahnhof in dieser Stadt?")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[1].startswith("de")


def test_detect_takes_words_without_quotes():
    done = call("detect", "Wo", "ist", "der", "Bahnhof", "in", "dieser", "Stadt?", "--json")
    assert json.loads(done.stdout)["text"] == "Wo ist der Bahnhof in dieser Stadt?"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.txt"], "no.txt: no such file; if it is text, give it to standard input"),
        (["pages/no"], "pages/no: no such file; if it is text, give it to standard input"),
        (["a.txt", "b.txt"], "a.txt b.txt: name one file, or put the text in quotes"),
    ],
)
def test_detect_takes_no_name_of_a_file_for_text(words, said, capsys):
    assert main(["detect", *words]) == 2
    assert capsys.readouterr().err == f"ingest: {said}\n"


def test_a_text_that_names_a_file_is_text(capsys):
    assert main(["detect", "See pages/no.txt", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "See pages/no.txt"


@pytest.mark.parametrize("isatty", [True, False])
def test_invisible_marks_are_for_terminals_only(isatty, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: isatty)
    languages(ingest.identify(["أين المحطة القديمة؟"]))
    said = capsys.readouterr().out
    assert "أين المحطة القديمة؟" in said
    assert ("\u2068" in said, "\u2069" in said) == (isatty, isatty)


def test_detect_keeps_to_the_languages_named():
    done = call("detect", "Wo ist der Bahnhof?", "--json", "--langs", "ar,en")
    assert json.loads(done.stdout)["lang"] == "en"


@pytest.mark.parametrize("text", [b"\xff\xfe\xff", b"\xed\xa0\x80", b" ", b"\x1b[31m"])
def test_detect_takes_any_argument(text):
    done = subprocess.run([*INGEST, "detect", text, "--json"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["lang"]


def test_samples_prints_the_folder():
    assert call("samples").stdout.decode().strip() == str(ingest.samples())


def test_help_is_quick_because_nothing_heavy_is_loaded():
    code = (
        "import sys; from ingest.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'polars', 'numpy', 'rich', 'langdetect'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_the_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"ingest {ingest.__version__}\n"


def test_a_closed_pipe_is_no_error(page):
    command = (
        f"{' '.join(map(repr, INGEST))} show {page} {page} | head -n 1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["read", "show", "detect"])
def test_a_pipe_that_is_closed_already_is_no_error(page, command):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*INGEST, command, page], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("show", [lambda: table([], [InvalidPackage(Path("x"), "is no package", "ours")]),
                                  lambda: offers([], set())])  # fmt: skip
def test_what_models_shows_leaves_a_closed_pipe_to_the_caller(monkeypatch, show):
    monkeypatch.setattr("sys.stdout", Closed())
    with pytest.raises(BrokenPipeError):
        show()


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _text):
        raise BrokenPipeError


def test_a_pipe_is_a_file_to_detect():
    command = f"{' '.join(map(repr, INGEST))} detect <(echo 'Wo ist der Bahnhof von Berlin?')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.stdout.decode().splitlines()[-1].startswith("de ")


def test_numbers_are_whole_in_a_pipe(capsys):
    langs = ("ar", "en", "zxx", "fr", "ur", "fa", "de", "es", "tr")
    spread = [
        {"role": role, "lang": lang, "segments": 123_456_789, "kept": 98_765_432}
        for role in ROLES for lang in langs
    ]  # fmt: skip
    counts = {"by_role_and_lang": spread, "pages": 1, "articles": 1, "clusters": 1, "errors": 0,
              "duplicates": 0, "empty": 0, "template_lines": 0, "replaced": 0}  # fmt: skip
    summary({"counts": counts, "skipped": [], "columns": [], "elapsed": 1, "seconds": {}}, "out")
    table = capsys.readouterr().out
    assert table.count("123,456,789") == 6 * len(ROLES)
    assert "…" not in table


def test_totals_and_what_was_skipped_stand_on_a_line_each(capsys):
    counts = {"by_role_and_lang": [], "pages": 1_000, "articles": 2_000, "clusters": 2_000,
              "errors": 0, "duplicates": 30_000, "empty": 400, "template_lines": 50_000,
              "replaced": 6_000}  # fmt: skip
    skipped = ["a.docx", "b.jpg", "LICENSE"]
    report = {"counts": counts, "skipped": skipped, "columns": [], "elapsed": 1, "seconds": {}}
    summary(report, "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3].startswith("1,000 pages, ")
    assert lines[-3].endswith("6,000 characters that could not be decoded")
    assert lines[-2] == "3 files skipped (.docx, .jpg, no suffix); names in out/run.json"
    assert lines[-1] == "written to out"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_nothing(tmp_path, how):
    source = tmp_path / "pipe"
    os.mkfifo(source)
    out = tmp_path / "work" / "out"
    # a shell's background job ignores SIGINT, and hands that on
    default = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen([*INGEST, "run", source, "-o", out], preexec_fn=default) as process:  # noqa: PLW1509
        for _ in range(200):
            if out.parent.exists() and list(out.parent.iterdir()):
                break
            time.sleep(0.05)
        process.send_signal(how)
        assert process.wait(timeout=20) == 128 + how
    assert list(out.parent.iterdir()) == []


def test_parts_then_resume_say_what_they_did(page, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for n in range(3):
        (pages / f"{n}.txt").write_bytes(page.read_bytes())
    (tmp_path / "c.toml").write_text("[run]\nshard_bytes = 1\n")
    base = ("run", pages, "-o", tmp_path / "out", "--config", tmp_path / "c.toml")
    first = call(*base, "--shard", "1/2")
    assert first.returncode == 0, first.stderr
    assert b"2 of 3 shards are done" in first.stdout
    again = call(*base)
    assert again.returncode == 2
    assert b"an earlier run did not finish; use --resume to continue it" in again.stderr
    assert call(*base, "--shard", "2/2").returncode == 0
    last = call(*base, "--resume", "--workers", "2")
    assert last.returncode == 0, last.stderr
    assert "\n3 pages, " in last.stdout.decode()


@pytest.mark.parametrize("part", ["3/2", "0/2", "1", "a/b", "-1/2"])
def test_a_part_that_is_none_is_a_wrong_call(page, tmp_path, part):
    done = call("run", page, "-o", tmp_path / "out", f"--shard={part}")
    assert done.returncode == 2
    assert b"is not I/N, such as 1/4" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_half_way_says_how_to_go_on(page, tmp_path, how):
    for n in range(40):
        (tmp_path / f"{n}.txt").write_bytes(page.read_bytes())
    (tmp_path / "c.toml").write_text("[run]\nshard_bytes = 1\n")
    out = tmp_path / "work" / "out"
    args = ["run", tmp_path, "-o", out, "--config", tmp_path / "c.toml", "--workers", "2"]
    default = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen([*INGEST, *args], preexec_fn=default, stderr=subprocess.PIPE) as process:  # noqa: PLW1509
        while not (out.with_name("out.unfinished") / "labelled" / "000001").exists():
            time.sleep(0.005)
        process.send_signal(how)
        assert process.wait(timeout=20) == 128 + how
        said = process.stderr.read().decode()
    assert (
        said
        == f"ingest: stopped; finished work is kept in {out}.unfinished; use --resume to continue\n"
    )
    assert call(*args, "--resume").returncode == 0
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_names_and_errors_are_printed_without_controls(tmp_path):
    (tmp_path / "a\x1b[31m\u202eb.txt").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "good.txt").write_text("A line of English text.", encoding="utf-8")
    for command in (["run", "-o", "out"], ["show"], ["read"]):
        done = call(*command, str(tmp_path), cwd=tmp_path)
        assert done.returncode == 3
        said = (done.stdout + done.stderr).decode()
        assert "not text" in said
        assert not {"\x1b", "\u202e"} & set(said)

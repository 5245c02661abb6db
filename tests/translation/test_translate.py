"""Translate segments, runs, pages and lines."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.config import Config
from ingest.errors import ConfigError, FrameError, ModelError, OutputError, SourceError
from ingest.frames import DETECTED, LABELLED, PAIRS, SEGMENTS, TRANSLATED, schema
from ingest.io.locks import hold_lock
from ingest.jobs import translate as files
from ingest.jobs.postprocess import add_translations
from ingest.jobs.translate_lines import translate_lines
from ingest.jobs.translate_run import TranslateOptions, translate_segments
from ingest.translation.engine import Translation

NEWS = ingest.samples() / "ar_chrome_en_news_2.txt"
TO_ARABIC = TranslateOptions(to="ar")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory, tiny_package):
    """A packages folder of argostranslate with a package from English to Arabic."""
    folder = tmp_path_factory.mktemp("argos")
    with zipfile.ZipFile(tiny_package) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(autouse=True)
def installed(unpacked, monkeypatch):
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(unpacked))


@pytest.fixture(scope="module")
def labelled():
    pages = ingest.read(NEWS)
    return ingest.label(ingest.detect(ingest.segment(pages)))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    ingest.run(NEWS, out)
    return out


def segments(*rows):
    """Make a labelled frame from rows of (text, lang, keep)."""
    records = [
        {"doc_id": "a", "segment": n, "text": text, "lang": lang, "keep": keep}
        for n, (text, lang, keep) in enumerate(rows)
    ]
    return pl.DataFrame(records, schema(SEGMENTS, DETECTED, LABELLED))


def test_a_page_becomes_pairs(labelled):
    pairs = ingest.translate(labelled, to="ar")
    kept = labelled.filter("keep", lang="en")
    assert len(kept) > 20
    assert pairs.schema == schema(PAIRS, TRANSLATED)
    assert pairs["source_text"].to_list() == kept["text"].to_list()
    assert pairs["source_segments"].to_list() == [[n] for n in kept["segment"]]
    assert pairs["source_doc"].to_list() == kept["doc_id"].to_list()
    assert pairs["target_doc"].null_count() == pairs["target_segments"].null_count() == len(pairs)
    assert pairs["target_text"].null_count() == 0
    assert pairs["pair_id"].n_unique() == len(pairs)
    assert set(pairs["method"]) == {"translated"}
    assert set(pairs["model"].str.slice(0, 20)) == {"translate-en_ar-1_0-"}
    assert pairs["score"].is_between(0, 1).all()


def test_which_segments_are_translated():
    frame = segments(
        ("Our team won.", "en", True),
        ("Share", "en", False),
        ("فاز فريقنا.", "ar", True),
        ("20", "zxx", True),
        ("Our team won.", "en", True),
        ("?", "und", True),
        ("Unsere Mannschaft hat gewonnen.", "de", True),
    )
    pairs = ingest.translate(frame, to="ar")
    assert pairs["source_segments"].to_list() == [[0], [4]]
    assert pairs["target_text"].n_unique() == 1
    assert set(pairs["source_lang"]) | set(pairs["target_lang"]) == {"en", "ar"}
    assert ingest.translate(frame, to="ar", source="en").equals(pairs)
    assert len(ingest.translate(frame.filter("keep", lang="ar"), to="ar")) == 0


def test_a_missing_package_is_named_with_what_installs_it():
    german = segments(("Unsere Mannschaft hat gewonnen.", "de", True))
    with pytest.raises(ModelError, match="ingest models install de ar"):
        ingest.translate(german, to="ar")
    both = pl.concat([german, segments(("Our team won.", "en", True))])
    with pytest.raises(ModelError, match="ingest models install de ar"):
        ingest.translate(both, to="ar", source="de")


def test_a_frame_that_is_not_labelled():
    with pytest.raises(FrameError, match=r"'keep' is missing; ingest\.label makes it"):
        ingest.translate(segments().drop("keep"))


def test_a_run_gets_its_translations(run, labelled):
    calls = add_translations(str(run), ("en", "ar"), Config())
    translated = pl.read_parquet(run / "translated.parquet")
    alone = ingest.translate(pl.read_parquet(run / "segments.parquet"), to="ar")
    assert translated.equals(alone)
    assert (calls["texts"], calls["tokens"] > 0) == (len(translated), True)
    with pytest.raises(OutputError, match="--overwrite"):
        add_translations(str(run), ("en", "ar"), Config())
    over = TranslateOptions(to="ar", source="en", overwrite=True)
    again = translate_segments(run / "segments.parquet", run / "translated.parquet", over)
    assert (again.tokens, again.flags) == (0, calls["flags"])  # all from the cache
    assert pl.read_parquet(run / "translated.parquet").equals(translated)
    assert sorted(p.name for p in run.glob(".*")) == []


KILLED = """
import os, signal, sys
import ingest
from ingest.jobs import translate_run as runs

runs.sink_lazy = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
ingest.run(sys.argv[1], sys.argv[2], translate=("en", "ar"))
"""


def test_a_run_killed_during_translation(tmp_path, capsys):
    out = tmp_path / "out"
    call = [sys.executable, "-c", KILLED, str(NEWS), str(out)]
    assert subprocess.run(call, timeout=120).returncode == -signal.SIGKILL
    assert [p.name for p in out.glob(".*")] == [".translated.parquet.parts"]
    again = ["run", str(NEWS), "-o", str(out), "--translate", "en:ar"]
    config = tmp_path / "other.toml"
    config.write_text("[detect]\nlangs = ['en']\n")
    assert main([*again, "--resume", "--config", str(config)]) == 2
    calls = capsys.readouterr().err
    assert "other settings" in calls
    assert f"ingest translate {out} --from en --to ar -o {out}/translated.parquet" in calls
    segments = (out / "segments.parquet").stat()
    assert main([*again, "--resume"]) == 0
    assert "tokens" not in capsys.readouterr().out  # all from the cache
    assert (out / "segments.parquet").stat().st_mtime_ns == segments.st_mtime_ns
    translated = pl.read_parquet(out / "translated.parquet")
    assert translated.equals(ingest.translate(pl.read_parquet(out / "segments.parquet"), to="ar"))
    assert [p.name for p in out.glob(".*")] == []
    assert main([*again, "--resume"]) == 0
    assert "is complete already" in capsys.readouterr().out


def test_leftovers_of_a_kill_belong_to_the_run(tmp_path):
    out = tmp_path / "out"
    ingest.run(NEWS, out)
    (out / ".translated.parquet.parts").mkdir()
    (out / ".translated.parquet.parts" / "part-000000.parquet").write_bytes(b"PAR1")
    (out / ".pairs.parquet.0f").write_bytes(b"PAR1")
    ingest.run(NEWS, out, overwrite=True)
    assert [p.name for p in out.glob(".*")] == []
    (out / ".mine").write_bytes(b"")
    with pytest.raises(OutputError, match="did not write"):
        ingest.run(NEWS, out, overwrite=True)


def test_two_translations_of_one_run(run, tmp_path):
    dest = tmp_path / "pairs.parquet"
    with (
        hold_lock(tmp_path / ".pairs.parquet.parts" / "lock"),
        pytest.raises(OutputError, match="another process is writing it"),
    ):
        translate_segments(run / "segments.parquet", dest, TO_ARABIC)
    translate_segments(run / "segments.parquet", dest, TO_ARABIC)
    assert dest.exists()
    assert list(tmp_path.glob(".*")) == []


def test_source_and_target_must_differ(run, tmp_path):
    frame = segments(("Our team won.", "en", True))
    with pytest.raises(ConfigError, match="source and target are both en"):
        ingest.translate(frame, to="en", source="en")
    (tmp_path / "in.txt").write_text("Our team won.")
    with pytest.raises(ConfigError, match="source and target are both en"):
        translate_lines(
            str(tmp_path / "in.txt"), str(tmp_path / "o"), TranslateOptions(to="en", source="en")
        )
    assert not (tmp_path / "o").exists()


def test_an_unwritable_cache_is_reported_before_the_work(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_bytes(b"")
    out, pairs = str(tmp_path / "out"), str(tmp_path / "p.parquet")
    none = tmp_path / "file" / "cache"
    assert main(["translate", str(NEWS), "-o", pairs, "--to", "ar", "--cache", str(none)]) == 1
    assert "another folder with --cache" in capsys.readouterr().err
    monkeypatch.setenv("INGEST_CACHE_DIR", str(none))
    monkeypatch.setattr(files, "run", None)  # never called
    assert main(["translate", str(NEWS), "-o", pairs, "--to", "ar"]) == 1
    assert main(["run", str(NEWS), "-o", out, "--translate", "en:ar"]) == 1
    calls = capsys.readouterr().err
    assert calls.count("another folder with $INGEST_CACHE_DIR") == 2
    assert "with --cache" not in calls
    assert not (tmp_path / "out").exists()


def test_the_pairs_do_not_depend_on_the_batches(run, tmp_path, monkeypatch):
    from ingest.jobs import translate_run as runs

    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    translate_segments(run / "segments.parquet", whole, TO_ARABIC)
    monkeypatch.setattr(runs, "ROWS_PER_READ", 16)
    monkeypatch.setattr(runs, "_BATCH_SEGMENTS", 3)
    calls = []
    options = TranslateOptions(to="ar", cache=tmp_path, progress=lambda *t: calls.append(t))
    result = translate_segments(run / "segments.parquet", parts, options)
    assert pl.read_parquet(parts).equals(pl.read_parquet(whole))
    assert calls[-1] == (result.texts, result.texts, result.tokens)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)


def test_languages_without_a_package_are_reported(tmp_path):
    frame = segments(
        ("Our team won.", "en", True),
        *[("Unsere Mannschaft hat gewonnen.", "de", True)] * 2,
        ("Notre équipe a gagné.", "fr", True),
    )
    frame.write_parquet(tmp_path / "segments.parquet")
    result = translate_segments(tmp_path / "segments.parquet", tmp_path / "p.parquet", TO_ARABIC)
    assert result.texts == 1
    assert result.messages == [
        "not translated because no package is installed: 2 in de, 1 in fr; to install one: "
        "ingest models install de ar"
    ]


def test_folders_that_are_not_runs(tmp_path):
    with pytest.raises(SourceError, match="give the folder of an ingest run"):
        add_translations(str(tmp_path), ("en", "ar"), Config())
    (tmp_path / "segments.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        add_translations(str(tmp_path), ("en", "ar"), Config())
    pl.DataFrame({"text": ["a"]}).write_parquet(tmp_path / "segments.parquet")
    with pytest.raises(FrameError, match="'doc_id' is missing"):
        add_translations(str(tmp_path), ("en", "ar"), Config())
    assert [p.name for p in tmp_path.glob("*.parquet")] == ["segments.parquet"]


def test_machine_text_is_exported_apart(run, tmp_path):
    pairs = tmp_path / "pairs.parquet"
    translate_segments(run / "segments.parquet", pairs, TO_ARABIC)
    ingest.export(pairs, tmp_path / "moses", format="moses", flagged=True)
    names = {p.name for p in (tmp_path / "moses").iterdir()} - {"export.json"}
    assert names == {f"pairs.translated.{end}" for end in ("en", "ar", "ids")}


@pytest.mark.parametrize(
    "text",
    [
        "Our team won.\n\n  \nShe reads. He said.\n\u2028x\ta\r\n* * *\n",
        "Our team won.\nShe reads",
        "One bird.\u2028Two birds.\x0b\x85\n20\n",
        "\n",
        "",
    ],
)
def test_the_number_of_lines_is_kept(text, tmp_path):
    (tmp_path / "in.txt").write_bytes(text.encode())
    options = TranslateOptions(to="ar", source="en")
    result = translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), options)
    output = (tmp_path / "out.txt").read_bytes().decode()
    assert output.count("\n") == text.count("\n")
    assert len(output.splitlines()) == len(text.splitlines())
    assert result.texts == len(io.StringIO(text.replace("\r\n", "\n"), newline="\n").readlines())


def test_lines_without_letters_need_no_language(tmp_path):
    text = "00:00:00,000 --> 00:00:04,250\n٢٠٢٤\n=====\n1.1.1.1"
    (tmp_path / "in.txt").write_text(text, encoding="utf-8")
    result = translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), TO_ARABIC)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == text
    assert (result.texts, result.tokens, result.flags, result.messages) == (4, 0, {}, [])


def test_a_shipped_package_says_what_it_is_for(
    tiny_package, shipped, tmp_path, monkeypatch, capsys
):
    lines = tmp_path / "in.txt"
    lines.write_text("Our team won the match after a long evening.\n", encoding="utf-8")
    command = ["translate", str(lines), "--lines", "--from", "en", "--to", "ar", "-o"]
    assert main([*command, str(tmp_path / "installed.txt")]) == 0
    assert "ships with ingest" not in capsys.readouterr().err
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "none"))
    (shipped / tiny_package.name).write_bytes(tiny_package.read_bytes())
    assert main([*command, str(tmp_path / "shipped.txt")]) == 0
    notice = capsys.readouterr().err
    assert notice.count("translate-en_ar-1_0 ships with ingest") == 1
    assert "ingest models install en ar\n" in notice


def test_a_run_with_a_shipped_package_says_what_it_is_for(
    run, tiny_package, shipped, tmp_path, monkeypatch
):
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "none"))
    (shipped / tiny_package.name).write_bytes(tiny_package.read_bytes())
    result = translate_segments(run / "segments.parquet", tmp_path / "p.parquet", TO_ARABIC)
    assert "ingest models install en ar" in result.messages[0]


def test_lines_are_translated_each_by_itself(tmp_path):
    texts = ["Our team won the match.", "", "She reads.\tHe said.", "Our team won the match."]
    (tmp_path / "in.txt").write_text("\ufeff" + "\n".join(texts), encoding="utf-8")
    translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), TO_ARABIC)
    lines = (tmp_path / "out.txt").read_text(encoding="utf-8").split("\n")
    frame = segments(*((text, "en", True) for text in texts))
    assert lines == ingest.translate(frame, to="ar")["target_text"].to_list()
    (tmp_path / "in.txt.gz").write_bytes(gzipped((tmp_path / "in.txt").read_bytes()))
    translate_lines(str(tmp_path / "in.txt.gz"), str(tmp_path / "gz.txt"), TO_ARABIC)
    assert (tmp_path / "gz.txt").read_bytes() == (tmp_path / "out.txt").read_bytes()


def test_blank_lines_before_the_first_text(tmp_path, monkeypatch):
    from ingest.jobs import translate_lines as lines

    monkeypatch.setattr(lines, "_BATCH_LINES", 2)
    (tmp_path / "in.txt").write_bytes(b"\n \n\n\n\nOur team won the long match.\n\n")
    result = translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), TO_ARABIC)
    translated_lines = (tmp_path / "out.txt").read_bytes().split(b"\n")
    assert [bool(line.strip()) for line in translated_lines] == [False] * 5 + [True] + [False] * 2
    assert result.texts == 7


def gzipped(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data)


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ("فاز فريقنا بالمباراة بعد مساء طويل".encode(), ConfigError, "is already in ar"),
        (b"x 1\ny 2\n", ConfigError, "set it with --from"),
        (b"One bird.\n\xff\xfe bird\n", SourceError, "line 2: is not UTF-8"),
        (b"Unsere Mannschaft hat das Spiel gewonnen.", ModelError, "install de ar"),
        (None, SourceError, "no such file"),
    ],
)
def test_lines_that_cannot_be_translated(data, error, match, tmp_path):
    if data is not None:
        (tmp_path / "in.txt").write_bytes(data)
    with pytest.raises(error, match=match):
        translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), TO_ARABIC)
    assert not (tmp_path / "out.txt").exists()


def test_the_command_on_pages_and_on_a_run(run, tmp_path, capsys):
    pages, of_run = str(tmp_path / "pages.parquet"), str(tmp_path / "run.parquet")
    assert main(["translate", str(NEWS), "-o", pages, "--to", "ar"]) == 0
    output = capsys.readouterr().out
    assert "segments translated" in output
    assert output.endswith(f"\nwritten to {pages}\n")
    assert main(["translate", str(run), "-o", of_run, "--to", "ar"]) == 0
    of_pages, of_segments = pl.read_parquet(pages), pl.read_parquet(of_run)
    # Of a plain text file, lines that the run takes for boilerplate are translated too.
    assert of_pages.join(of_segments, on="pair_id", how="semi").equals(of_segments)
    assert main(["translate", str(run), "-o", of_run, "--to", "ar"]) == 2
    assert main(["translate", str(run), str(NEWS), "-o", pages, "--overwrite"]) == 2
    assert main(["translate", str(run), "-o", str(tmp_path / "none" / "x"), "--to", "ar"]) == 1
    capsys.readouterr()
    for source in (run, NEWS):
        assert main(["translate", str(source), "-o", str(tmp_path / "x.tsv"), "--to", "ar"]) == 2
        assert "x.tsv: would be a Parquet file" in capsys.readouterr().err
    assert main(["translate", str(run), "-o", str(tmp_path / "x"), "--to", "xx"]) == 2
    assert "ingest models install en xx" in capsys.readouterr().err
    assert main(["translate", str(NEWS), "-o", str(tmp_path / "x"), "--to", "xx"]) == 2
    assert "no package translates into xx" in capsys.readouterr().err


def test_the_sentences_of_a_plain_text_are_translated(tmp_path, capsys):
    """The same lines are content as for `align`; `run` does not change."""
    lines = [
        "All travellers must show a valid passport.",
        "The museum opens at nine in the morning.",
        "Hello {name}, you have <b>3</b> new messages \N{PARTY POPPER}",
        "Please write to help@example.com if you need a new ticket.",
        "The train leaves at 10:45 from platform 3.",
        "Children under six travel free of charge.",
        "By the time he came, she had left.",
        "See https://example.org/a for the whole timetable.",
        "She reads a book in the garden.",
        "Our team won the last game.",
    ]
    text, mixed, out = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "p.parquet"
    text.write_text("\n".join(lines))
    mixed.write_text("\n".join(["Home", "News", *lines]))
    call = ["translate", "-o", str(out), "--to", "ar", "--overwrite"]
    assert main([*call, str(text)]) == 0
    assert pl.read_parquet(out)["source_text"].to_list() == lines
    assert "left out" not in capsys.readouterr().out
    assert main([*call, str(mixed)]) == 0
    told = "left out 3 lines that are not content; --lines translates every line, each as one unit"
    assert told in capsys.readouterr().out
    translated = pl.read_parquet(out)["source_text"].to_list()
    assert lines[6] in translated
    assert {"Home", "News", lines[2]}.isdisjoint(translated)  # it has no full stop
    assert main([*call, str(text), str(mixed)]) == 0  # each file by itself
    assert pl.read_parquet(out).height == len(lines) + len(translated)


def test_pages_in_error_are_reported(tmp_path, capsys):
    (tmp_path / "bad.html").write_bytes(b"\x00\x01\x02" * 200)
    call = ["translate", str(NEWS), str(tmp_path / "bad.html"), "-o", str(tmp_path / "p.parquet")]
    assert main([*call, "--to", "ar"]) == 3
    assert "bad.html" in capsys.readouterr().err
    assert len(pl.read_parquet(tmp_path / "p.parquet")) > 20


def test_the_command_on_lines(tmp_path, capfdbinary, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"Our team won.\n\nShe reads."), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["translate", "--lines", "-", "-o", "-", "--to", "ar", "--from", "en"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.count(b"\n") == 2
    assert b"3 lines translated" in err
    (tmp_path / "a.txt").write_text("Our team won.")
    two = [str(tmp_path / "a.txt")] * 2
    assert main(["translate", "--lines", *two, "-o", "-"]) == 2
    same = str(tmp_path / "a.txt")
    assert main(["translate", "--lines", same, "-o", same, "--overwrite", "--to", "ar"]) == 2


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--lines", "-o", "-", "--langs", "en"], "--langs applies only to pages"),
        (["--lines", "-o", "-", "--text-column", "a"], "--text-column applies only to pages"),
        (["--lines", "-o", "-", "--detector", "cld2"], "--detector applies only to pages"),
        (["--lines", "-o", "-", "--workers", "2"], "--workers applies only to pages"),
        (["--lines", "-o", "-", "--ray", "auto"], "--ray applies only to pages"),
        (["-o", "-"], "only with --lines"),
    ],
)
def test_options_that_would_be_ignored(options, match, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Our team won.")
    assert main(["translate", "a.txt", "--to", "ar", *options]) == 2
    assert match in capsys.readouterr().err
    assert [p.name for p in tmp_path.glob("*")] == ["a.txt"]


def test_flagged_lines_are_numbered(tmp_path, monkeypatch):
    from ingest.jobs import translate_lines as lines
    from ingest.translation.engine import Translator

    def translate(_, texts, progress=None):
        return [Translation(text, 1.0, ("copied",) if "x" in text else ()) for text in texts]

    monkeypatch.setattr(Translator, "translate", translate)
    monkeypatch.setattr(lines, "_BATCH_LINES", 4)
    text = "".join("x\n" if n % 2 else "One.\n" for n in range(1, 26))
    (tmp_path / "in.txt").write_text(text)
    options = TranslateOptions(to="ar", source="en")
    result = translate_lines(str(tmp_path / "in.txt"), str(tmp_path / "out.txt"), options)
    numbers = ", ".join(f"{n} (copied)" for n in range(1, 20, 2))
    assert result.messages == [f"flagged lines: {numbers} and 3 more"]
    assert result.flags == {"copied": 13}


def test_norwegian_is_found_under_its_argos_code(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(tmp_path / "argos"))
    with zipfile.ZipFile(tiny.make(tmp_path / "made", source="nb", target="en")) as archive:
        archive.extractall(tmp_path / "argos")
    frame = segments(("Vi vant kampen.", "no", True), ("Our team won.", "en", True))
    pairs = ingest.translate(frame, to="en")
    assert pairs["source_lang"].to_list() == ["no"]
    assert "translate-nb_en" in pairs["model"][0]
    assert len(ingest.translate(frame.filter(lang="no"), to="nb")) == 0


def test_settings_from_a_file(tmp_path):
    (tmp_path / "c.toml").write_text("[translate]\nbeam_size = 1\nmax_tokens = 40\n")
    config = Config.from_toml(tmp_path / "c.toml").translate
    assert (config.beam_size, config.max_tokens) == (1, 40)


def test_a_run_that_ends_in_translations(tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["run", str(NEWS), "-o", out, "--translate", "en:ar"]) == 0
    translated = pl.read_parquet(tmp_path / "out" / "translated.parquet")
    output = capsys.readouterr().out
    assert f"{len(translated)} segments translated" in output
    for flag, count in translated["flags"].explode().drop_nulls().value_counts().iter_rows():
        assert f"{count} {flag}" in output
    assert main(["run", str(NEWS), "-o", out, "--translate", "en:ar", "--overwrite"]) == 0
    calls = []
    report = ingest.run(
        NEWS, out, translate=("en", "ar"), overwrite=True, translating=lambda *t: calls.append(t)
    )
    assert report["translated"]["texts"] == len(translated)
    assert calls[-1] == (len(translated), len(translated), report["translated"]["tokens"])


def test_a_run_that_cannot_be_translated_does_not_start(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["run", str(NEWS), "-o", str(out), "--translate", "fr:ar"]) == 2
    assert "ingest models install fr ar" in capsys.readouterr().err
    assert not out.exists()
    with pytest.raises(SystemExit):
        main(["run", str(NEWS), "-o", str(out), "--translate", "en"])
    assert "FROM:TO" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="not possible for a part"):
        ingest.run(NEWS, out, translate=("en", "ar"), shard=(1, 2))

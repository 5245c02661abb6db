"""The parser and the handling of errors: help, suggestions, exit statuses, --quiet, --verbose."""

from __future__ import annotations

import argparse
import re
import shlex
import signal

import polars as pl
import pytest

import ingest
from ingest.cli import build_parser
from ingest.errors import FrameError
from ingest.frames import PAIRS, schema
from ingest.pairing import MIN_SCORE

GROUPS = {
    "Pages": ["run", "read", "show", "samples", "report", "correct"],
    "Languages": ["detect"],
    "Bitext": ["align", "pair", "encode"],
    "Pairs and data sets": ["dataset", "import", "score", "filter", "split", "export"],
    "Translation": ["translate", "models"],
    "Settings": ["config"],
}


def parsers(parser, words=()):
    """Yield the words and the parser of each command, and of those below it."""
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from parsers(child, (*words, name))


PARSERS = dict(parsers(build_parser()))
COMMANDS = [words for words in PARSERS if words not in ((), ("models",))]


def sections(text: str) -> dict[str, list[str]]:
    """The lines of a help text by heading."""
    result: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line[:-1]
        elif line.strip():
            result.setdefault(heading, []).append(line)
    return result


def test_commands_are_grouped_in_the_help(call):
    status, out, err = call("--help")
    assert (status, err) == (0, "")
    by_heading = sections(out)
    names = {
        heading: re.findall(r"^  (\w+)", "\n".join(by_heading[heading]), re.M) for heading in GROUPS
    }
    assert names == GROUPS


def test_without_arguments_the_help_is_printed(call):
    assert call() == call("--help")


@pytest.mark.parametrize("words", [*PARSERS], ids=" ".join)
def test_help_shows_every_default_and_ends_with_examples(words, call):
    parser = PARSERS[words]
    status, out, _ = call(*words, "--help")
    assert status == 0
    text = " ".join(out.split())
    for action in parser._actions:
        if action.option_strings and action.default not in (None, False, [], "", "==SUPPRESS=="):
            assert f"(default: {action.default})" in text, action.option_strings
    examples = [line.strip() for line in sections(out)["Examples"]]
    assert examples[: len(parser.examples)] == list(parser.examples)


@pytest.mark.parametrize("words", [*PARSERS], ids=" ".join)
def test_examples_are_valid_calls_of_the_command(words):
    examples = PARSERS[words].examples
    assert " ".join(["ingest", *words]) in examples[0]
    for example in examples:
        program, *args = shlex.split(example)
        assert program == "ingest"
        if "--help" not in args:
            assert build_parser().parse_args(args).command


def test_help_texts_are_not_styled_in_a_pipe(call):
    out = call("filter", "--help").out
    assert "\x1b" not in out
    assert "[filter] of --config" in " ".join(out.split())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_quiet_and_verbose(words, call):
    out = call(*words, "--help").out
    assert "-q, --quiet" in out
    assert "-v, --verbose" in out


def test_quiet_and_verbose_may_come_before_the_command():
    assert build_parser().parse_args(["-q", "run", "a", "-o", "b"]).quiet
    assert build_parser().parse_args(["--verbose", "models", "list"]).verbose


def test_the_default_of_pair_is_that_of_the_library():
    assert build_parser().parse_args(["pair", "out"]).min_score == MIN_SCORE


def test_the_version(call):
    assert call("--version") == (0, f"ingest {ingest.__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["rnu"], "did you mean run?"),
        (["exprot", "x"], "did you mean export?"),
        (["label", "x"], "did you mean run?"),
        (["segment", "x"], "did you mean run?"),
        (["dedupe"], "did you mean run?"),
        (["models", "instal", "x"], "did you mean install?"),
        (["run", "x", "--ovewrite", "-o", "y"], "did you mean --overwrite?"),
        (["run", "x", "--otu", "y"], "did you mean --out?"),
        (["run", "x", "-o", "y", "--worker=2", "--lang", "ar", "--quite"], "did you mean --quiet?"),
        (["--versoin"], "did you mean --version?"),
        (["export", "x", "--format", "tsb"], "did you mean tsv?"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(args, hint, call):
    status, out, err = call(*args)
    assert (status, out) == (2, "")
    assert hint in err
    assert " --help" in err


def test_a_name_like_no_other_is_answered_with_all(call):
    err = call("zzz").err
    assert all(name in err for names in GROUPS.values() for name in names)
    assert "did you mean" not in err


def test_what_looks_like_an_option_after_a_double_dash_is_a_value():
    args = build_parser().parse_args(["detect", "--json", "--", "--ovewrite"])
    assert args.text == ["--ovewrite"]
    assert build_parser().parse_args(["detect", "--not an option"]).text == ["--not an option"]


def test_control_characters_of_a_call_are_not_printed(call):
    for args in (["\x1b[31m"], ["run", "x", "--a\x1b[31m"], ["run", "x", "-o", "y", "\x1b[31m"]):
        assert "\x1b" not in call(*args).err


@pytest.mark.parametrize(
    "args",
    [
        ["run"],
        ["run", "x.txt"],
        ["run", "no-such-file.txt", "-o", "out"],
        ["run", ".", "-o", "."],
        ["run", ".", "-o", "out", "--config", "no.toml"],
        ["run", ".", "-o", "out", "--shard", "1/2", "--align"],
        ["read"],
        ["read", "no-such-file"],
        ["read", ".", "--config", "no.toml"],
        ["read", ".", "--langs", "ar"],
        ["show", "no-such-file.txt"],
        ["show", ".", "-q", "-v"],
        ["detect", "text", "--detector", "magic"],
        ["detect", "text", "--langs", "xx-none"],
        ["align", "no-such-file", "no-such-file", "--lines", "-o", "out"],
        ["encode", "no-such-file", "-o", "out"],
        ["models"],
        ["sing"],
        *(["run", ".", "-o", "out", f"--shard={part}"] for part in ("3/2", "0/2", "1", "a/b")),
        ["run", ".", "-o", ""],
    ],
    ids=" ".join,
)
def test_invalid_usage_exits_2_and_writes_nothing(args, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = call(*args)
    assert status == 2
    assert err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [
        ["align", "a.txt", "a.txt", "--lines", "-o"],
        ["encode", "a.txt", "-o"],
        ["export", "a.parquet", "--format", "moses", "-o"],
    ],
)
def test_a_missing_folder_is_not_created(args, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("A line of text.\n", encoding="utf-8")
    pl.DataFrame(schema=schema(PAIRS)).write_parquet(tmp_path / "a.parquet")
    before = sorted(tmp_path.iterdir())
    status, _, err = call(*args, "nowhere/out")
    assert status == 1
    assert err.startswith("ingest: nowhere/out: cannot be written: ")
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("codes", ["", " , "])
@pytest.mark.parametrize("command", [("show", "x"), ("run", "x", "-o", "out"), ("detect", "x")])
def test_candidate_languages_must_not_be_empty(command, codes, call):
    status, _, err = call(*command, f"--langs={codes}")
    assert status == 2
    assert err.startswith(f"ingest: --langs: {codes!r} ")


@pytest.mark.parametrize("codes", ["", "ar", "ar,en,fr"])
@pytest.mark.parametrize(
    "command", [("align", "x", "-o", "y"), ("pair", "x"), ("export", "x", "--format", "tsv")]
)
def test_the_languages_of_pairs_are_two(command, codes, call):
    status, _, err = call(*command, f"--langs={codes}")
    assert status == 2
    assert err.startswith(f"ingest: --langs: {codes!r} ")
    assert "two" in err


def test_an_unknown_setting_is_named(page, call, tmp_path):
    (tmp_path / "c.toml").write_text("[dedupe]\nthresold = 0.5\n")
    status, _, err = call("run", page, "-o", tmp_path / "out", "--config", tmp_path / "c.toml")
    assert status == 2
    assert "c.toml: dedupe.thresold: unknown setting" in err
    assert "threshold" in err


@pytest.mark.parametrize("frame", ["a.parquet", None, pl.LazyFrame({"text": ["a"]})])
@pytest.mark.parametrize("verb", [ingest.segment, ingest.detect, ingest.label, ingest.score])
def test_an_argument_that_is_not_a_frame_is_named(verb, frame):
    with pytest.raises(FrameError, match=r"must be a Polars DataFrame") as error:
        verb(frame)
    assert ("collect" in str(error.value)) == isinstance(frame, pl.LazyFrame)


def test_quiet_prints_no_summary(page, call, tmp_path):
    out = tmp_path / "out"
    assert call("run", page, "-o", out, "-q") == (0, "", "")
    assert (out / "segments.parquet").exists()
    lines = tmp_path / "lines.txt"
    lines.write_text("A line of text.\n")
    assert call("encode", lines, "-o", tmp_path / "v.npy", "--quiet") == (0, "", "")
    assert call("report", out, "-q") == (0, "", "")


def test_quiet_still_prints_errors_and_results(page, call, tmp_path):
    (tmp_path / "bad.txt").write_bytes(bytes(range(256)))
    status, out, err = call("run", page, tmp_path / "bad.txt", "-o", tmp_path / "out", "-q")
    assert (status, out) == (3, "")
    assert "bad.txt: " in err
    status, out, err = call("show", tmp_path / "gone.txt", "-q")
    assert (status, out) == (2, "")
    assert "gone.txt" in err
    assert call("samples", "-q").out.strip() == str(ingest.samples())


def test_verbose_prints_tracebacks_and_timings(page, call, tmp_path):
    status, _, err = call("run", tmp_path / "gone.txt", "-o", tmp_path / "out", "-v")
    assert status == 2
    assert "Traceback" in err
    assert "ingest: " in err.splitlines()[-2]
    assert err.splitlines()[-1].endswith(" s of CPU")
    status, out, err = call("run", page, "-o", tmp_path / "out", "--verbose")
    assert status == 0
    assert "by step" in out
    assert err.endswith(" s of CPU\n")


def test_the_handler_of_sigterm_is_restored(call):
    before = signal.getsignal(signal.SIGTERM)
    call("samples")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_scripts_name_commands_and_options(shell, call):
    status, out, err = call("--print-completion", shell)
    assert (status, err) == (0, "")
    assert "export" in out
    assert "overwrite" in out

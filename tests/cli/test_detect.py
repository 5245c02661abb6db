"""The command `detect`."""

from __future__ import annotations

import io
import json
import sys

import pytest

import ingest
from ingest.cli.render import print_languages


def test_json_is_one_object_per_line_in_order(call, tmp_path, monkeypatch):
    lines = ["Where is the station?", "", "أين المحطة القديمة؟", "20", "https://example.com"]
    data = ("\n".join(lines) + "\n").encode()
    (tmp_path / "lines.txt").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    for words in ([tmp_path / "lines.txt"], []):
        status, out, err = call("detect", *words, "--json")
        assert status == 0, err
        rows = [json.loads(line) for line in out.splitlines()]
        assert [row["text"] for row in rows] == lines
        assert [row["lang"] for row in rows] == ["en", "zxx", "ar", "zxx", "zxx"]


def test_an_argument_can_be_text(call):
    status, out, _ = call("detect", "Wo ist der Bahnhof in dieser Stadt?")
    assert status == 0
    assert out.splitlines()[1].startswith("de")


@pytest.mark.parametrize("text", [" ", "\x1b[31m", "See pages/no.txt"])
def test_unusual_text(text, call):
    status, out, _ = call("detect", text, "--json")
    assert status == 0
    assert json.loads(out.splitlines()[0])["text"] == text


def test_text_needs_no_quotes(call):
    out = call("detect", "Wo", "ist", "der", "Bahnhof", "in", "dieser", "Stadt?", "--json").out
    assert json.loads(out)["text"] == "Wo ist der Bahnhof in dieser Stadt?"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.txt"], "no.txt: no such file"),
        (["pages/no"], "pages/no: no such file"),
        (["a.txt", "b.txt"], "a.txt b.txt: give one file"),
    ],
)
def test_the_name_of_a_missing_file_is_not_text(words, message, call):
    status, _, err = call("detect", *words)
    assert status == 2
    assert err.startswith(f"ingest: {message}")


def test_candidates_limit_the_languages(call):
    out = call("detect", "Wo ist der Bahnhof?", "--json", "--langs", "ar,en").out
    assert json.loads(out)["lang"] == "en"


@pytest.mark.parametrize("isatty", [True, False])
def test_invisible_marks_are_only_for_terminals(isatty, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: isatty)
    print_languages(ingest.identify(["أين المحطة القديمة؟"]))
    out = capsys.readouterr().out
    assert "أين المحطة القديمة؟" in out
    assert ("\u2068" in out, "\u2069" in out) == (isatty, isatty)

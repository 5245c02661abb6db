"""Damage a file of a run, call a command that reads it, and check what it says."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import socket
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

import ingest
from ingest.cli import main

PARALLEL = ingest.samples().parent / "parallel"
TABLES = ("documents.parquet", "segments.parquet", "pages.parquet", "pairs.parquet")
OUTPUTS = ("run.json", *TABLES, "articles.jsonl", "corrections.jsonl")
PATIENCE = 10.0  # seconds
RULE = {"kind": "rule", "site": "", "path": "h1", "role": "body", "keep": True}


class Damage(NamedTuple):
    """One kind of damage to one file.

    Attributes:
        file: its name.
        kind: what is done to it.
        do: does it.
    """

    file: str
    kind: str
    do: Callable[[Path], Any]


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _blank_middle(path: Path) -> None:
    """Leave the footer of a Parquet file as it is, and a part of its columns."""
    data = path.read_bytes()
    path.write_bytes(data[:4] + bytes(len(data) // 2) + data[4 + len(data) // 2 :])


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def to_pipe(path: Path) -> None:
    """Make a pipe to which nobody writes, until whoever waits for that has failed."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    timer = threading.Timer(PATIENCE, _end_pipe, [path])
    timer.daemon = True
    timer.start()


def _end_pipe(path: Path) -> None:
    with contextlib.suppress(OSError):  # nobody waits, or it is gone
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


def _to_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # a short name, as sockets need


def _rewrite(change: Callable[[pl.DataFrame], pl.DataFrame], path: Path) -> None:
    change(pl.read_parquet(path)).write_parquet(path)


def _other_type(names: tuple[str, ...], frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        (pl.lit(7, pl.Int8) if dtype == pl.String else pl.lit("x")).alias(name)
        for name, dtype in frame.schema.items()
        if name in names or not names
    )


def _nulls(names: tuple[str, ...], frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in frame.schema.items()
        if name in names or not names
    )


def _one_null(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, _nulls((), frame[:1])])


def _fill_run(value: Any, path: Path) -> None:
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_bytes()), value)))


def _write(text: str, path: Path) -> None:
    path.write_text(text)


_OF_FILES: dict[str, Callable[[Path], Any]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "half": _half,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "garbage": lambda path: path.write_bytes(b"PAR1 and then something else " * 99),
    "a folder": _to_folder,
    "a pipe": to_pipe,
    "a socket": _to_socket,
}
_OF_RUN_JSON: dict[str, Callable[[Path], Any]] = {
    "a list": partial(_write, "[]"),
    "null": partial(_write, "null"),
    "no entries": partial(_write, "{}"),
    "deep": partial(_write, "[" * 100_000),
    "a large number": partial(_write, '{"counts": ' + "9" * 10_000 + "}"),
    "numbers inside": partial(_fill_run, 7),
    "texts inside": partial(_fill_run, "x"),
    "lists inside": partial(_fill_run, [1]),
    "objects inside": partial(_fill_run, {"x": {"y": 1}}),
}
_COLUMNS = {
    "documents.parquet": ("doc_id", "uri", "chars", "text"),
    "segments.parquet": ("doc_id", "segment", "line", "start", "text", "lang", "role", "article",
                         "keep"),
    "pages.parquet": ("source_doc", "source_article", "source_lang", "score"),
    "pairs.parquet": ("pair_id", "source_text", "source_doc", "source_lang", "method", "score"),
}  # fmt: skip


def _of_table(columns: tuple[str, ...]) -> dict[str, Callable[[Path], Any]]:
    return {
        "a blank middle": _blank_middle,
        "other columns": lambda path: pl.DataFrame({"a": [1]}).write_parquet(path),
        "other types": partial(_rewrite, partial(_other_type, ())),
        "nulls": partial(_rewrite, partial(_nulls, ())),
        "one row of nulls": partial(_rewrite, _one_null),
        "no rows": partial(_rewrite, pl.DataFrame.clear),
        **{
            f"another type of {name}": partial(_rewrite, partial(_other_type, (name,)))
            for name in columns
        },
        **{f"no {name}": partial(_rewrite, partial(_nulls, (name,))) for name in columns},
    }


DAMAGES = [
    Damage(file, kind, do)
    for file in OUTPUTS
    for kind, do in {
        **_OF_FILES,
        **(_OF_RUN_JSON if file == "run.json" else {}),
        **(_of_table(_COLUMNS[file]) if file in TABLES else {}),
    }.items()
]
# What a sound run may have, too, if nothing is found in its pages; or what the command names as OUT.
_MAY_BE_SO = ("missing", "no rows", "no source_text", "no source_lang", "no score")
_WITHOUT_LANGUAGES = ("pairs.parquet", "nulls")  # such pairs are left out
_ADVICE = re.compile("make it again, (delete it and )?run: ingest .+|go on without it, delete it")
# What commands say besides the error.
_NOTES = (
    "ingest: translate-", "ingest: score: ", "ingest: split: ", "ingest: align: ",
)  # fmt: skip
# What to add to a command that has begun its work.
_AGAIN = {"dataset": ["--resume"]}
COMMANDS = {
    "show": "show OUT",
    "show a page": "show OUT --page library",
    "show dropped lines": "show OUT --dropped --grep library",
    "pair": "pair OUT -o NEW/pages.parquet",
    "align": "align OUT -o NEW/pairs.parquet",
    "report": "report OUT -o NEW/report.html",
    "audit": "report OUT -o NEW/audit.html --audit 5",
    "compare": "report WHOLE --against OUT",
    "compare with": "report OUT --against WHOLE",
    "export pairs": "export OUT -o NEW/export.jsonl",
    "export articles": "export OUT --what articles --dedupe -o NEW/articles.jsonl",
    "export segments": "export OUT --what segments -o NEW/segments.jsonl",
    "correct": "correct OUT RULES",
    "learn": "correct OUT RULES --learn",
    "score": "score OUT -o NEW/scored.parquet",
    "filter": "filter OUT -o NEW/filtered.parquet",
    "split": "split OUT -o NEW/split.parquet",
    "translate": "translate OUT -o NEW/translated.parquet",
    "dataset": "dataset OUT -o NEW/data",
    "export card": "export OUT --format huggingface -o NEW/card",
    "add scores": "score OUT -o OUT/scored.parquet",
    "add keep": "filter OUT -o OUT/filtered.parquet",
    "add split": "split OUT -o OUT/split.parquet",
    "resume alone": "run SOURCES -o OUT --resume",
    "resume": "run SOURCES -o OUT --resume --align",
    "resume with export": "run SOURCES -o OUT --resume --export NEW/resumed.jsonl",
}


def make_run(folder: Path) -> Path:
    """Make a run with pairs, next to a file of corrections, and return its folder."""
    out = folder / "whole" / "out"
    out.parent.mkdir()
    ingest.run(PARALLEL, out, align=True)
    for path in (out / "corrections.jsonl", out.parent / "rules.jsonl"):
        path.write_text(json.dumps(RULE) + "\n")
    return out


def find_fault(
    whole: Path, command: str, damage: Damage | None, *, follow: bool = True
) -> str | None:
    """Return what is wrong with how a command takes a run that is damaged; None if nothing is.

    It must end with a status that is documented. Unless it can do its work, it must print one
    line: the file, what is wrong, and what to do, after which it can.

    Args:
        whole: a sound run.
        command: one of COMMANDS.
        damage: what to do to a copy of the run.
        follow: whether to do what the command says, and call it again.
    """
    work = whole.parent.parent / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(whole, work / "out")
    (work / "new").mkdir()
    if command == "resume":
        (work / "out" / "pairs.parquet").unlink()
    if damage:
        path = work / "out" / damage.file
        if not path.exists():
            return None
        damage.do(path)
    places = {"OUT": work / "out", "NEW": work / "new", "WHOLE": whole, "SOURCES": PARALLEL,
              "RULES": whole.parent / "rules.jsonl"}  # fmt: skip
    words = COMMANDS[command].split()
    args = [fill(w, places) for w in words]
    status, said = _call(args)
    if status in (0, 3):
        return None
    if damage is None or damage.kind in _MAY_BE_SO or damage[:2] == _WITHOUT_LANGUAGES:
        return None if status in (1, 2) and str(work) in said else f"status {status}: {said}"
    fault = _find_fault_in(said, path) if status in (1, 2) else f"status {status}: {said}"
    if fault or not follow:
        return fault
    advice = said.partition("; to ")[2].splitlines()[0]
    return _follow(advice, path, places, [*args, *_AGAIN.get(command, ())])


def _find_fault_in(said: str, path: Path) -> str | None:
    """Return what is wrong with what a command prints because of a damaged file."""
    problems = [line for line in said.splitlines() if not line.startswith(_NOTES)]
    _, _, advice = problems[0].partition("; to ")
    named = f"ingest: {path}: "
    if len(problems) != 1 or not (problems[0].startswith(named) and _ADVICE.fullmatch(advice)):
        return f"must be one line: {path.name}, what is wrong, how to make it again: {said}"
    return None


def _follow(advice: str, path: Path, places: dict[str, Path], args: list[str]) -> str | None:
    """Do what a command advises, and call it again; return what is wrong with that."""
    if "delete it" in advice:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _, _, made_by = advice.partition("run: ingest ")
    remade = [fill(word, places) for word in shlex.split(made_by)]
    for call in filter(None, (remade, args)):
        status, said = _call(call)
        if status not in (0, 3):
            return f"{shlex.join(call)}, as it was said: status {status}: {said}"
    return None


def _call(args: list[str]) -> tuple[int | str, str]:
    """Return the exit status of a command, or its traceback, and what it printed as errors."""
    error = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
            return main(args), error.getvalue()
    except SystemExit as stop:
        return int(stop.code or 0), error.getvalue()
    except BaseException:
        return traceback.format_exc(limit=-3), error.getvalue()


def fill(word: str, places: dict[str, Path]) -> str:
    """Return a word of a command with the place that it names."""
    name, _, file = word.partition("/")
    return str(places[name] / file) if name in places else word

"""Run every command that writes on disks of all sizes that are too small for it.

    uv run python tests/benchmarks/full_disk.py            # as root: it mounts a tmpfs

Each try has a file system of its own size, from one page to what the command needs. A try that fails
must end with status 1 and one message that has the path and says that the disk is full, and leave
nothing behind but unfinished work. Then the disk grows, and the command, with --resume if it has
that, must give the bytes of a disk that is large enough. Temporary files elsewhere are counted.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import ingest
from ingest.cli import main

PAGE = 4096  # bytes, in which a tmpfs counts
LARGE = 64 << 20
# name: what is run, what it writes, and how it is run again
COMMANDS = {
    "run": ("run {pages} -o {disk}/out --set run.shard_bytes=20000", "out", "--resume"),
    "run, 2 workers": (
        "run {pages} -o {disk}/out --set run.shard_bytes=20000 --workers 2", "out", "--resume"),
    "run --align": (
        "run {pages} -o {disk}/out --set run.shard_bytes=20000 --align", "out", "--resume"),
    "run --export": ("run {pages} -o {disk}/out --export {disk}/out.md", "out", "--resume"),
    "dataset": ("dataset {pages} -o {disk}/data", "data", "--resume"),
    "import": ("import {pairs} -o {disk}/p.parquet --langs ar,en", "p.parquet", ""),
    "score": ("score {files}/pairs.parquet -o {disk}/s.parquet", "s.parquet", ""),
    "score, 2 workers": ("score {files}/pairs.parquet -o {disk}/s.parquet --workers 2",
                         "s.parquet", ""),
    "filter": ("filter {files}/scored.parquet -o {disk}/f.parquet", "f.parquet", ""),
    "split": ("split {files}/filtered.parquet -o {disk}/s.parquet", "s.parquet", ""),
    "align": ("align {files}/a.ar.txt {files}/a.en.txt --langs ar,en -o {disk}/p.parquet "
              "--unmatched {disk}/u.tsv", "p.parquet", ""),
    "align, a run": ("align {files}/run -o {disk}/p.parquet", "p.parquet", ""),
    "pair": ("pair {files}/run -o {disk}/p.parquet", "p.parquet", ""),
    "encode": ("encode {files}/a.en.txt -o {disk}/v.npy", "v.npy", ""),
    "report": ("report {files}/run -o {disk}/r.html", "r.html", ""),
    **{
        f"export {name}": (
            f"export {{files}}/split.parquet --format {name} -o {{disk}}/x", "x", "")
        for name in ("moses", "tsv", "tmx", "jsonl", "parquet", "huggingface")
    },
    **{
        f"export articles, {name}": (
            f"export {{files}}/run --what articles --format {name} -o {{disk}}/x", "x", "")
        for name in ("parquet", "jsonl", "txt", "markdown", "huggingface")
    },
}  # fmt: skip


class Outcome(NamedTuple):
    status: int
    message: str


def call(words: list[str]) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(words)
    if status > 128:  # by a signal
        raise SystemExit(status)
    return Outcome(status, err.getvalue())


@contextmanager
def disk_of(folder: Path, size: int):
    """Mount an empty file system of a size; yields what changes the size."""

    def mount(*options: str) -> None:
        command = ["mount", *options, "tmpfs", str(folder)]
        subprocess.run(command, check=True)

    mount("-t", "tmpfs", "-o", f"size={size}")
    try:
        yield lambda new: mount("-o", f"remount,size={new}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def content(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file or folder, but for files with timings."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    names = {p.relative_to(path).as_posix(): p for p in files}
    return {name: p.read_bytes() for name, p in names.items() if not name.endswith("run.json")}


def make_files(folder: Path) -> None:
    pages = folder / "pages"
    pages.mkdir()
    for path in sorted((ingest.samples().parent / "html").glob("*-en-ar.html")):
        shutil.copy(path, pages)
    for path in sorted(ingest.samples().glob("*.txt"))[::20]:
        shutil.copy(path, pages)
    lines = ingest.samples().parent / "parallel"
    for lang in ("ar", "en"):
        shutil.copy(lines / f"library.{lang}.txt", folder / f"a.{lang}.txt")
    pairs = ingest.samples().parent / "pairs" / "harbour.tsv"
    for command in (
        f"run {pages} -o {folder}/run",
        f"import {pairs} -o {folder}/pairs.parquet --langs ar,en",
        f"score {folder}/pairs.parquet -o {folder}/scored.parquet",
        f"filter {folder}/scored.parquet -o {folder}/filtered.parquet",
        f"split {folder}/filtered.parquet -o {folder}/split.parquet",
    ):
        if (done := call(command.split())).status not in (0, 3):
            raise SystemExit(f"{command}: {done.message}")


def faults_of(done: Outcome, disk: Path, output: str) -> list[str]:
    """Return what is wrong with a try that failed."""
    lines = [line for line in done.message.splitlines() if line.startswith("ingest: ")]
    faults = []
    if done.status != 1:
        faults.append(f"status {done.status}")
    if len([line for line in lines if "No space left" in line]) != 1:
        faults.append("no message about the disk")
    if str(disk) not in done.message:
        faults.append("no path")
    if (disk / output).exists():
        faults.append("an output is there")
    if any(disk.glob("*.unfinished")) and "--resume" not in done.message:
        faults.append("no hint about --resume")
    return faults


def sweep(name: str, files: Path, disk: Path, steps: int, scratch: Path) -> tuple[int, int, int]:
    """Try a command on growing disks. Return tries, failures, and faults."""
    command, output, again = COMMANDS[name]
    pairs = ingest.samples().parent / "pairs" / "harbour.tsv"
    words = command.format(pages=files / "pages", files=files, disk=disk, pairs=pairs).split()
    with disk_of(disk, LARGE):
        assert call(words).status in (0, 3), name
        right = content(disk / output)
    size, tries, failures, faults = PAGE, 0, 0, 0
    while True:
        with disk_of(disk, size) as resize:
            tries += 1
            try:
                done = call(words)
            except Exception as error:  # a traceback
                done = Outcome(-1, f"{type(error).__name__}: {error}")
            if done.status in (0, 3):
                break
            failures += 1
            wrong = faults_of(done, disk, output)
            left = [
                path.name
                for path in disk.iterdir()
                if not path.name.endswith((".unfinished", ".work"))
            ]
            if left:
                wrong.append(f"left behind: {left}")
            resize(LARGE)
            try:
                done_again = call([*words, *again.split()])
            except Exception as error:
                done_again = Outcome(-1, f"{type(error).__name__}: {error}")
            if done_again.status not in (0, 3):
                wrong.append(f"again: {done_again.status}: {done_again.message.strip()}")
            elif content(disk / output) != right:
                wrong.append("other bytes")
            if os.listdir(scratch):
                wrong.append(f"temporary files: {os.listdir(scratch)}")
            if wrong:
                faults += 1
                print(
                    f"  {name}, {size} bytes: {'; '.join(wrong)}\n    {done.message.strip()}",
                    flush=True,
                )
        size += max(PAGE, size // steps // PAGE * PAGE)
    return tries, failures, faults


def main_() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", choices=[[], *COMMANDS], metavar="NAME", help="commands (default: all)"
    )
    parser.add_argument("--steps", type=int, default=12, help="a disk grows by 1/STEPS of its size")
    args = parser.parse_args()
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        files, disk, scratch = (Path(folder, name) for name in ("files", "disk", "tmp"))
        for path in (files, disk, scratch):
            path.mkdir()
        make_files(files)
        tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
        for name in args.names or COMMANDS:
            tries, failures, faults = sweep(name, files, disk, args.steps, scratch)
            total += faults
            print(f"{name}: {failures} of {tries} disks too small, {faults} faults", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main_())

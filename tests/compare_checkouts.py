"""Compare what two checkouts make of the sample data, command by command.

    python tests/compare_checkouts.py BEFORE AFTER [--work FOLDER]

BEFORE and AFTER are checkouts with a `.venv` (`uv sync`). Each command below runs in both, on the
sample data of its own checkout; then every file is compared: Parquet as frames, JSON as values
without timings and versions, everything else as text. Exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

# What one command writes, the next ones read. {import} and {license} are spelled by the checkout.
COMMANDS = (
    "run corpora/scrapes corpora/html -o {out}/pages --workers 2",
    "run corpora/crawl -o {out}/crawl --align",
    "run corpora/html -o {out}/html --translate en:ar",
    "pair {out}/crawl -o {out}/articles.parquet",
    "align {out}/crawl -o {out}/aligned-run.parquet",
    "align corpora/parallel/library.ar.txt corpora/parallel/library.en.txt -o {out}/align.parquet",
    "align corpora/parallel/library.ar.txt corpora/parallel/library.en.txt --lines"
    " -o {out}/lines.parquet",
    "align corpora/parallel -o {out}/translated-evidence.parquet --translate",
    "translate corpora/html --from en --to ar -o {out}/again.parquet",
    "translate corpora/parallel/library.ar.txt --lines --to en -o {out}/library.en.txt",
    "encode corpora/parallel/library.ar.txt -o {out}/vectors.npy",
    "{import} corpora/pairs/harbour.tsv -o {out}/imported.parquet",
    "score {out}/crawl -o {out}/scored.parquet",
    "score {out}/imported.parquet -o {out}/imported-scored.parquet",
    "filter {out}/scored.parquet -o {out}/filtered.parquet --mask-pii"
    " --exclude corpora/parallel/library.en.txt",
    "filter {out}/imported-scored.parquet -o {out}/imported-filtered.parquet",
    "split {out}/filtered.parquet -o {out}/split.parquet",
    "export {out}/split.parquet --format moses -o {out}/moses",
    "export {out}/split.parquet --format tsv -o {out}/pairs.tsv",
    "export {out}/split.parquet --format tmx -o {out}/pairs.tmx",
    "export {out}/split.parquet --format jsonl -o {out}/pairs.jsonl",
    "export {out}/split.parquet --format parquet -o {out}/exported.parquet --langs en,ar",
    "export {out}/split.parquet --format huggingface -o {out}/hub --{license} cc-by-4.0",
    "export {out}/html/translated.parquet --format tmx -o {out}/machine.tmx",
)
NEW_NAMES = {"import": "import", "license": "license"}
OLD_NAMES = {"import": "take", "license": "licence"}
# Renames between the checkouts, applied to texts and values of both
RENAMED = {"given": "imported", "licence": "license"}
_TOLERANCE = 1e-5  # of numbers: scores were made independent of the size of batches
_TIMINGS = {"version", "elapsed", "seconds", "fingerprint", "config", "dest"}
_ROWS_MAY_MOVE = {"error"}  # messages: whether there is one is compared, not its words


def make(checkout: Path, out: Path) -> None:
    """Run every command of COMMANDS in a checkout."""
    out.mkdir(parents=True)
    python = checkout / ".venv" / "bin" / "python"
    env = os.environ | {"INGEST_CACHE_DIR": str(out / ".cache"), "COLUMNS": "100"}
    listed = _call([python, "-m", "ingest", "--help"], checkout, env)
    names = OLD_NAMES if re.search(r"^\s+take\b", listed.stdout, re.MULTILINE) else NEW_NAMES
    for command in COMMANDS:
        words = command.format(out=out, **names).split()
        done = _call([python, "-m", "ingest", *words], checkout, env)
        if done.returncode not in (0, 3):
            raise SystemExit(f"{checkout}: {' '.join(words)}: {done.returncode}\n{done.stderr}")


def _call(words: list[Any], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], cwd=folder, env=env, capture_output=True, text=True
    )


def differences(before: Path, after: Path) -> list[str]:
    """What differs between the files of two folders, one line per file."""
    sides = [
        {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
        for root in (before, after)
    ]
    names = {name for side in sides for name in side if not name.startswith(".")}
    changes = [
        f"{name}: only in one" for name in sorted(names) if not all(name in s for s in sides)
    ]
    for name in sorted(names):
        if all(name in side for side in sides):
            changes += [f"{name}: {what}" for what in _differ(before / name, after / name)]
    return changes


def _differ(one: Path, other: Path) -> list[str]:
    if one.suffix == ".parquet":
        return _frames_differ(pl.read_parquet(one), pl.read_parquet(other))
    if one.suffix == ".json":
        texts = [
            re.sub(r'"[^"]*/(before|after)/out/', '"out/', path.read_text())
            for path in (one, other)
        ]
        values = [_plain(json.loads(_renamed(text))) for text in texts]
        return [] if values[0] == values[1] else ["other values"]
    if one.suffix in (".npy", ".gz", ".zst"):
        return [] if one.read_bytes() == other.read_bytes() else ["other bytes"]
    texts = [_renamed(path.read_text(encoding="utf-8")) for path in (one, other)]
    if one.name == "README.md":  # the card's prose is free to change, its figures are not
        texts = [" ".join(re.findall(r"\d[\d,.]*\d|\d", text)) for text in texts]
    return [] if texts[0] == texts[1] else ["other text"]


def _frames_differ(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    frames = []
    for frame in (one, other):
        method = [pl.col("method").replace(RENAMED)] if "method" in frame.columns else []
        messages = [pl.col(n).is_null() for n in _ROWS_MAY_MOVE & set(frame.columns)]
        frames.append(frame.with_columns(*method, *messages))
    try:
        assert_frame_equal(*frames, rel_tol=0, abs_tol=_TOLERANCE)
    except AssertionError as error:
        return [str(error).splitlines()[0]]
    return []


def _renamed(text: str) -> str:
    for old, new in RENAMED.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return re.sub(r"\d\.\d{5,}", lambda number: f"{float(number[0]):.4f}", text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in _TIMINGS}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path, metavar="BEFORE")
    parser.add_argument("after", type=Path, metavar="AFTER")
    parser.add_argument("--work", type=Path, help="keep outputs here; what is there is not redone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        outputs = [work / "before" / "out", work / "after" / "out"]
        for checkout, out in zip((args.before, args.after), outputs, strict=True):
            if not out.exists():
                make(checkout.resolve(), out)
        changes = differences(*outputs)
    print("\n".join(changes) or f"the same after {len(COMMANDS)} commands")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())

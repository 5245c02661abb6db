"""What `ingest report OUT` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.io.atomic import placed, refuse
from ingest.io.run_files import MADE_OF_THEM, OUTPUTS
from ingest.report.gather import gather
from ingest.report.html_page import page

REPORT_FILE = "report.html"


@dataclass(frozen=True)
class Report:
    """What was written, and how much of the run it shows: shown and all there are."""

    dest: Path
    bytes: int
    pages: tuple[int, int]
    pairs: tuple[int, int]

    def __str__(self) -> str:
        told = [f"written to {self.dest}: {self.bytes / 1e6:,.1f} MB"]
        for what, (shown, total) in (("pages", self.pages), ("pairs", self.pairs)):
            if total:
                told.append(f"{what} {shown:,}" + (f" of {total:,}" if shown < total else ""))
        return ", ".join(told)


def write_report(
    out: str | Path,
    dest: str | Path | None = None,
    *,
    pairs: str | Path | None = None,
    overwrite: bool = False,
) -> Report:
    """Write an HTML file that shows what a run did.

    It needs no network and no other file. Of what is too much, a part is shown, chosen at random
    but always alike, and the page says so.

    Args:
        out: folder that `ingest run` made.
        dest: file to write; report.html in `out` where None.
        pairs: file of pairs to show, in place of those in `out`.
        overwrite: replace `dest`.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: a file lacks a column.
        OutputError: `dest` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    folder, target = Path(out), Path(dest) if dest is not None else Path(out) / REPORT_FILE
    inputs = [folder / name for name in (*OUTPUTS, *MADE_OF_THEM) if name != REPORT_FILE]
    if folder.is_dir():  # else `gather` says what is wrong
        refuse(target, overwrite=overwrite, inputs=[*inputs, *([pairs] if pairs else [])])
    data = gather(folder, Path(pairs) if pairs is not None else None)
    made = page(data).encode()
    with placed(target) as work:
        work.write_bytes(made)
    views, bitext = data.get("views"), data.get("pairs")
    return Report(
        dest=target,
        bytes=len(made),
        pages=(len(views["pages"]), views["total"]) if views else (0, 0),
        pairs=(bitext["rows"], bitext["total"]) if bitext else (0, 0),
    )

"""Write the HTML report of a run (`ingest report OUT`)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from ingest._typing import Progress
from ingest.errors import ConfigError
from ingest.io.atomic import atomic_write, check_output
from ingest.io.remake import describe_earlier_run
from ingest.io.run_files import CORRECTIONS_FILE, DERIVED_OUTPUTS, OUTPUTS
from ingest.jobs.damage import names_damage
from ingest.report.audit import MAX_ITEMS
from ingest.report.gather import gather
from ingest.report.html_page import render
from ingest.report.sample import SEED

REPORT_FILE = "report.html"
_INPUTS = (*OUTPUTS, *DERIVED_OUTPUTS, CORRECTIONS_FILE)


@dataclass(frozen=True)
class ReportResult:
    """The report that was written, and how much of the run it shows.

    Attributes:
        dest: the HTML file.
        bytes: its size.
        pages: pages shown, and pages in the run.
        pairs: pairs shown, and pairs in the run.
        sample: segments and pairs of the audit; 0 without one.
        run: the folder of the run.
        messages: what the user should know, one line each.
        in_error: inputs that failed; always 0.
    """

    dest: Path
    bytes: int
    pages: tuple[int, int]
    pairs: tuple[int, int]
    sample: int = 0
    run: str = ""
    messages: list[str] = field(default_factory=list)
    in_error: int = 0

    def __str__(self) -> str:
        summary = [f"written to {self.dest}: {self.bytes / 1e6:,.1f} MB"]
        for unit, (shown, total) in (("pages", self.pages), ("pairs", self.pairs)):
            if total:
                summary.append(f"{unit} {shown:,}" + (f" of {total:,}" if shown < total else ""))
        if self.sample:
            summary.append(f"{self.sample:,} to judge")
        lines = [", ".join(summary)]
        if self.sample:
            lines.append(
                "open it in a browser, answer the questions, press Save, and give ingest the "
                f"file: ingest correct {shlex.quote(self.run)} corrections.jsonl"
            )
        return "\n".join(lines)


@names_damage("out")
def write_report(
    out: str | Path,
    dest: str | Path | None = None,
    *,
    pairs: str | Path | None = None,
    audit: int | None = None,
    seed: int = SEED,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ReportResult:
    """Write an HTML file that shows what a run did.

    The file is self-contained and works offline. Large runs are sampled; the sample is random but
    reproducible, and the page says that it is a sample.

    Args:
        out: folder written by `ingest run`.
        dest: file to write; report.html in `out` if None.
        pairs: file of pairs to show instead of those in `out`.
        audit: number of segments and pairs to draw at random for people to judge, from 1
            to 10,000.
        seed: seed of that draw.
        overwrite: replace `dest`.
        progress: called with the number of rows that were looked at, and that of all.

    Raises:
        ConfigError: `audit` or `seed` is out of range.
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: a file lacks a column.
        OutputError: `dest` exists already, or is an input.
        WriteError: `dest` could not be written, or its parent folder does not exist.
    """
    if audit is not None and not 1 <= audit <= MAX_ITEMS:
        raise ConfigError(f"--audit {audit}: must be from 1 to {MAX_ITEMS:,}")
    if seed < 0:
        raise ConfigError(f"--seed {seed}: must be 0 or more")
    folder, target = Path(out), Path(dest) if dest is not None else Path(out) / REPORT_FILE
    inputs = [folder / name for name in _INPUTS if name != REPORT_FILE]
    if folder.is_dir():  # otherwise `gather` raises a better error
        check_output(target, overwrite=overwrite, inputs=[*inputs, *([pairs] if pairs else [])])
    pairs_file = Path(pairs) if pairs is not None else None
    data = gather(folder, pairs_file, audit=audit, seed=seed, progress=progress)
    html = render(data).encode()
    with atomic_write(target) as work:
        work.write_bytes(html)
    earlier = describe_earlier_run(folder)
    page_views, pair_table = data.get("views"), data.get("pairs")
    return ReportResult(
        dest=target,
        bytes=len(html),
        pages=(len(page_views["pages"]), page_views["total"]) if page_views else (0, 0),
        pairs=(pair_table["rows"], pair_table["total"]) if pair_table else (0, 0),
        sample=len(data["audit"]["order"]) if audit is not None else 0,
        run=str(folder),
        messages=[earlier] if earlier else [],
    )

"""Pages in: `run`, `read`, `show`, and `samples` to try them on."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_config,
    add_detection,
    add_sources,
    interruptible,
    settings,
)
from ingest.config import Config
from ingest.errors import ConfigError, SourceError
from ingest.languages import parse_language_pair

if TYPE_CHECKING:
    import polars as pl

    from ingest.cli.options import Commands

# What is shown of a run, by file.
_SHOWN = {
    "documents.parquet": ("doc_id", "uri", "chars", "encoding", "repaired", "error"),
    "segments.parquet": (
        "doc_id", "segment", "line", "text", "script", "lang", "role", "role_score", "role_by",
        "article", "duplicate_of", "keep",
    ),
}  # fmt: skip


def add(commands: Commands) -> None:
    """Add these commands to those that are there."""
    run = commands.add_parser(
        "run",
        help="pages in; documents, segments and articles out",
        description="Label every segment of every page, and write documents.parquet, "
        "segments.parquet, articles.jsonl and run.json to OUT.",
    )
    add_sources(run)
    run.add_argument("-o", "--out", required=True, type=_name, metavar="OUT",
                     help="folder to make")  # fmt: skip
    begin = run.add_mutually_exclusive_group()
    begin.add_argument("--overwrite", action="store_true",
                       help="replace OUT of an earlier run, finished or not")  # fmt: skip
    begin.add_argument("--resume", action="store_true",
                       help="go on with a run that did not finish, or begin")  # fmt: skip
    run.add_argument("--workers", type=int, default=1, metavar="N",
                     help="processes that do the work, a core each (default 1)")  # fmt: skip
    run.add_argument("--shard", type=_part, metavar="I/N",
                     help="do but part I of N; when all are done, --resume finishes")  # fmt: skip
    run.add_argument("--align", action="store_true",
                     help="write pairs.parquet too: sentences and translations")  # fmt: skip
    run.add_argument("--translate", type=_pair, metavar="FROM:TO",
                     help="write translated.parquet too, such as en:ar")  # fmt: skip
    add_detection(run)
    run.set_defaults(command=_run)

    read = commands.add_parser(
        "read",
        help="what would be read, and as what",
        description="Show what SOURCE holds as it is read: kind, pages, columns, errors.",
    )
    add_sources(read)
    read.add_argument("--json", action="store_true", help="one JSON object a page")
    add_config(read)
    read.set_defaults(command=_read)

    show = commands.add_parser(
        "show",
        help="a page on the terminal, a line a segment",
        description="Show what was decided for each segment, and why: line, language, role, "
        "article, keep. Of the OUT of a run, what the run decided.",
    )
    add_sources(show)
    add_detection(show)
    show.set_defaults(command=_show)

    samples = commands.add_parser(
        "samples",
        help="where the sample pages are",
        description="Print the folder of the sample pages that come with ingest.",
    )
    samples.set_defaults(command=_samples)


def _name(text: str) -> str:
    """The OUT of --out."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; name the folder to make")
    return text


def _part(text: str) -> tuple[int, int]:
    """The I/N of --shard."""
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N, such as 1/4")
    return int(part), int(parts)


def _pair(text: str) -> tuple[str, str]:
    """The FROM:TO of --translate."""
    try:
        return parse_language_pair(text, separator=":")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM:TO, such as en:ar") from error


def _run(args: argparse.Namespace) -> int:
    # N workers are to keep N cores busy, and no more: this is how Polars and NumPy are told
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(max(args.workers, 1)))
    interruptible()
    from ingest.cli import render
    from ingest.jobs.run import run

    with render.translating() if args.translate else render.progress() as bars:
        reading, translating = bars if isinstance(bars, tuple) else (bars, None)
        report = run(
            args.sources,
            args.out,
            config=settings(args),
            overwrite=args.overwrite,
            resume=args.resume,
            workers=args.workers,
            shard=args.shard,
            align=args.align,
            translate=args.translate,
            progress=reading,
            translating=translating,
        )
    if args.shard:  # what it leaves is to be finished first
        render.part(report, args.out)
        return OK
    render.summary(report, args.out)
    in_error: int = report["counts"]["errors"]
    if "pairs" in report:
        from ingest.jobs.align import AlignResult

        pairs = AlignResult.from_dict(report["pairs"])
        for line in pairs.messages:
            print(f"ingest: {line}", file=sys.stderr)
        print(pairs)
        in_error += pairs.in_error
    if "translated" in report:
        from collections import Counter

        from ingest.jobs.translate_run import Report as TranslationReport

        made = report["translated"]
        print(TranslationReport(**{**made, "flags": Counter(made["flags"])}))
    return PAGES_IN_ERROR if in_error else OK


def _read(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import preview

    config = settings(args)
    show = preview.json_lines if args.json else preview.table
    return PAGES_IN_ERROR if show(args.sources, config.read) else OK


def _show(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import render
    from ingest.dedup import dedupe
    from ingest.detection import detect
    from ingest.labelling import label
    from ingest.readers import read
    from ingest.readers.sources import is_run
    from ingest.segmentation import segment

    config = settings(args)
    runs = [source for source in args.sources if is_run(source)]
    pages = [source for source in args.sources if source not in runs]
    in_error = 0
    for out in runs:
        if config != Config():
            raise ConfigError(f"{out}: is labelled already; settings are for pages")
        documents, segments = _decided(out)
        render.show(documents, segments)
        in_error += documents["error"].count()
    if pages:
        documents = read(pages, config=config)
        segments = detect(segment(documents, config=config.segment), config=config.detect)
        render.show(documents, dedupe(label(segments), documents, config=config.dedupe))
        in_error += documents["error"].count()
    return PAGES_IN_ERROR if in_error else OK


def _decided(out: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pages and segments of a run, as far as they are shown."""
    import polars as pl

    try:
        documents, segments = (
            pl.read_parquet(os.path.join(out, name), columns=list(columns), glob=False)
            for name, columns in _SHOWN.items()
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: cannot be read: {error}; run it again") from error
    return documents, segments


def _samples(_args: argparse.Namespace) -> int:
    from ingest.resources import samples

    print(samples())
    return OK

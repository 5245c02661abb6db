"""Commands that find translations: `align`, `pair`, `encode`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    add_config,
    add_output,
    add_overwrite,
    add_workers,
    allow_interrupts,
    language_pair,
    load_config,
    open_executor,
    use_one_blas_thread,
)
from ingest.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands
    from ingest.config import Config


def add_commands(commands: Commands) -> None:
    """Add `align`, `pair` and `encode`."""
    _add_align(commands)
    _add_pair(commands)
    _add_encode(commands)


def _add_align(commands: Commands) -> None:
    parser = commands.add(
        "align",
        _align,
        help="align the sentences of texts that translate each other",
        description="Align the sentences of two pages, of two folders whose files have the same "
        "names, of one folder with files such as a.ar.txt and a.en.txt, or of the articles of a "
        "run that translate each other, and write the pairs to PAIRS. The first text is the "
        "source. A sentence without a counterpart is in no pair.",
        examples=[
            "ingest align news.ar.txt news.en.txt -o pairs.parquet",
            "ingest align arabic/ english/ -o pairs.parquet --langs ar,en",
            "ingest align out -o out/pairs.parquet",
        ],
    )
    parser.add_argument("pages", nargs="+", metavar="PAGE",
                        help="two files or folders, source first; one folder that holds both "
                        "languages; or the OUT of a run")  # fmt: skip
    add_output(parser, "PAIRS", "Parquet file to write")
    parser.add_argument("--lines", action="store_true",
                        help="treat each line as one unit; segment numbers are then line numbers "
                        "that start at 0")  # fmt: skip
    parser.add_argument("--unmatched", metavar="FILE",
                        help="also write the sentences that are in no pair: .parquet, .tsv or "
                        ".jsonl")  # fmt: skip
    add_config(parser)
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en (default: detected)")  # fmt: skip
    parser.add_argument("--translate", action="store_true",
                        help="also compare a machine translation of one side")  # fmt: skip


def _add_pair(commands: Commands) -> None:
    parser = commands.add(
        "pair",
        _pair,
        help="find pages of a run that translate each other",
        description="Find which page, or article of a page, is the translation of which, and which "
        "has none, and write the result to PAGES.",
        examples=[
            "ingest pair out",
            "ingest pair out --min-score 0.7 -o pages.parquet",
            "ingest pair out --workers 4",
        ],
    )
    parser.add_argument("run", metavar="OUT", help="folder that ingest run wrote")
    parser.add_argument("-o", "--out", metavar="PAGES",
                        help="Parquet file to write (default: OUT/pages.parquet)")  # fmt: skip
    # as pairing.MIN_SCORE, which would import Polars
    parser.add_argument("--min-score", type=float, default=0.5, metavar="X",
                        help="a page with no score of at least X has no translation")  # fmt: skip
    add_overwrite(parser, "PAGES")
    add_config(parser)
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target (default: ar,en)")  # fmt: skip
    add_workers(parser)


def _add_encode(commands: Commands) -> None:
    parser = commands.add(
        "encode",
        _encode,
        help="encode lines as vectors",
        description="Write a unit vector for each line of FILE, as a float32 NumPy array with one "
        "row per line. Sentences that translate each other have vectors close together.",
        examples=["ingest encode lines.txt -o vectors.npy", "ingest encode - -o vectors.npy"],
    )
    parser.add_argument("file", metavar="FILE", help="text file, or - for standard input")
    add_output(parser, "VECTORS", ".npy file to write")
    parser.add_argument("--encoder", metavar="FOLDER",
                        help="folder of another encoder (default: the one that comes with "
                        "ingest)")  # fmt: skip


def _build_config(args: argparse.Namespace) -> Config:
    """Return the settings of --config, changed by --langs and --translate."""
    config, langs = load_config(args), language_pair(args)
    align = replace(config.align, langs=langs) if langs else config.align
    if getattr(args, "translate", False):
        align = replace(align, translate=True)
    return replace(config, align=align)


def _align(args: argparse.Namespace) -> int:
    use_one_blas_thread()
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.jobs.align import align_files
    from ingest.jobs.align_run import align_run

    config, pages = _build_config(args), args.pages
    folder = Path(pages[0])
    if len(pages) == 1 and folder.is_dir() and not (folder / "documents.parquet").exists():
        pages *= 2  # not a run: a folder that holds both languages
    is_run = len(pages) == 1 and not args.lines
    if not is_run and len(pages) != 2:
        raise ConfigError("align: give a source and a target, or the folder of a run")
    if is_run and args.unmatched:
        raise ConfigError("align: --unmatched needs two files or folders, not a run")
    with job_progress("align", quiet=args.quiet) as progress:
        if is_run:
            result = align_run(
                pages[0], args.out, overwrite=args.overwrite, config=config, progress=progress
            )
        else:
            result = align_files(
                pages[0],
                pages[1],
                args.out,
                lines=args.lines,
                unmatched=args.unmatched,
                overwrite=args.overwrite,
                config=config,
                progress=progress,
            )
    written = [f"written to {args.out}"]
    if args.unmatched:
        written.append(f"without a partner: {args.unmatched}")
    return print_result(args, result, *written)


def _pair(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.jobs.pair import pair_run

    config = _build_config(args).align
    out = args.out or Path(args.run) / "pages.parquet"
    with open_executor(args) as executor, job_progress("pair", quiet=args.quiet) as progress:
        result = pair_run(
            args.run,
            out,
            config=config,
            min_score=args.min_score,
            overwrite=args.overwrite,
            executor=executor,
            progress=progress,
        )
    return print_result(args, result, f"written to {out}")


def _encode(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_summary
    from ingest.encoder.model import load
    from ingest.io.arrays import save_array
    from ingest.io.atomic import atomic_write, check_output
    from ingest.readers.lines import read_lines

    check_output(args.out, overwrite=args.overwrite, inputs=[args.file])
    texts = read_lines(args.file)
    encoder = load(args.encoder)
    vectors = encoder.encode(texts)
    with atomic_write(args.out) as path:
        save_array(vectors, path)
    print_summary(
        args,
        f"{len(vectors):,} vectors of {encoder.dim} numbers by {encoder.name}",
        f"written to {args.out}",
    )
    return OK

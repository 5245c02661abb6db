"""The command `show`: the segments of pages, or of a finished run, and what was decided."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.cli.apart import Marks, run_apart
from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_detection,
    add_keep,
    add_sources,
    allow_interrupts,
    build_config,
)
from ingest.config import Config
from ingest.errors import ConfigError, SourceError
from ingest.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.cli.parser import Commands
    from ingest.io.stream_copies import StreamCopy
    from ingest.jobs.show import SegmentFilter, ShownPages

_RUN_LIMIT = 1000  # segments of a run that are shown without --limit
_FEW_PAGES = 3  # a site's template can only be found in as many pages


def add_commands(commands: Commands) -> None:
    """Add `show`."""
    show = commands.add(
        "show",
        _show,
        help="show pages segment by segment",
        description="Show each segment with its line, language, role and article, whether it is "
        "kept, and why. If SOURCE is the OUT of a run, show what that run decided: its "
        f"first {_RUN_LIMIT:,} segments, or as many as --limit says. A segment is shown if it "
        "meets all conditions.",
        examples=[
            "ingest show page.html",
            "ingest show out --page news_2.txt",
            "ingest show out --role nav,widget --lang ar --limit 50",
            "ingest show out --dropped --grep libya",
        ],
    )
    add_sources(show)
    chosen = show.add_argument_group("Segments to show")
    chosen.add_argument("--page", default="", metavar="P",
                        help="of this page: its ID, URI or URL, or a part of its URI or "
                        "URL")  # fmt: skip
    chosen.add_argument("--role", type=_split, default=[], metavar="ROLES",
                        help=f"with one of these roles: {', '.join(ROLES)}")  # fmt: skip
    chosen.add_argument("--lang", type=_split, default=[], metavar="CODES",
                        help="in one of these languages, such as ar,en")  # fmt: skip
    chosen.add_argument("--dropped", action="store_true", help="that are not kept")
    # the names of drop_reasons.SEGMENT_REASONS, which would import Polars
    chosen.add_argument("--reason", type=_split, default=[], metavar="REASONS",
                        help="that are not kept for one of these reasons: repeated, template, "
                        "hidden, not content, damaged, rejected by hand")  # fmt: skip
    chosen.add_argument("--grep", default="", metavar="TEXT",
                        help="that contain TEXT; case, Arabic marks and white space make no "
                        "difference")  # fmt: skip
    chosen.add_argument("--limit", type=_parse_limit, metavar="N",
                        help="at most N of them; 0 for all (default: 0 for pages, "
                        f"{_RUN_LIMIT} for a run)")  # fmt: skip
    add_detection(show)
    add_keep(show)


def _split(text: str) -> tuple[str, ...]:
    values = tuple(filter(None, (value.strip() for value in text.split(","))))
    if not values:
        raise argparse.ArgumentTypeError("is empty; give names, separated by commas")
    return values


def _parse_limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _show(args: argparse.Namespace) -> int:
    from ingest.io.stream_copies import reading_copies

    seconds = build_config(args).run.page_seconds
    marks = Marks()
    with reading_copies(_copy_streams(args.sources)):
        ending = run_apart(lambda: _show_all(args, marks), marks, seconds)
        if ending.status is None and marks.page:  # when it was labelling pages
            ending = run_apart(lambda: _show_pages(args, marks, by_run=True), Marks(), seconds)
    if ending.status is None:
        raise SourceError(f"{', '.join(args.sources)}: cannot be shown: {ending.reason}")
    return ending.status


def _copy_streams(sources: Sequence[str]) -> dict[str, StreamCopy]:
    """Read standard input and pipes now, because they can be read only once."""
    from ingest.io.opening import is_pipe
    from ingest.io.streams import STDIN
    from ingest.pipeline.stream_copies import copy_to_memory

    streams = (source for source in sources if source == STDIN or is_pipe(source))
    return {source: copy_to_memory(source) for source in streams}


def _show_all(args: argparse.Namespace, marks: Marks) -> int:
    """Show runs, then pages; return the exit status."""
    allow_interrupts()
    from ingest.io.remake import describe_earlier_run
    from ingest.io.run_files import describe_unfinished_run, refuse_incomplete
    from ingest.jobs.damage import blame_damage
    from ingest.jobs.show import open_run

    chosen = _chosen_segments(args)
    config = build_config(args)
    for source in args.sources:
        if unfinished := describe_unfinished_run(source):
            raise SourceError(unfinished)
        refuse_incomplete(source)
    runs, _ = _split_sources(args)
    in_error = 0
    for out in runs:
        if config != Config():
            raise ConfigError(
                f"{out}: is a finished run, and settings apply only to pages; leave them out"
                + ("; did you mean --lang, which chooses segments?" if args.langs else "")
            )
        with blame_damage(out):
            in_error += _print(args, open_run(out), chosen, _RUN_LIMIT)
        if earlier := describe_earlier_run(out):
            _note(args, earlier)
    marks.printed((0, 0), in_error)
    return _show_pages(args, marks, by_run=False)


def _show_pages(args: argparse.Namespace, marks: Marks, *, by_run: bool) -> int:
    """Label pages and show them; return the exit status of the command.

    Args:
        args: the call.
        marks: where to note when they are labelled; it has the number of errors in runs.
        by_run: whether to label them as a run does, which finds those that end a process.
    """
    allow_interrupts()
    in_error = marks.in_error
    if pages := _split_sources(args)[1]:
        config, chosen = build_config(args), _chosen_segments(args)
        with _label_by_run(pages, config) if by_run else _label(pages, config, marks) as labelled:
            in_error += _print(args, labelled, chosen, 0)
            if len(labelled.documents) < _FEW_PAGES:
                _note(args, _what_a_run_knows(pages))
    return PAGES_IN_ERROR if in_error else OK


def _split_sources(args: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The sources that are runs, and those that are pages."""
    from ingest.readers.sources import is_run

    runs = [source for source in args.sources if is_run(source)]
    return runs, [source for source in args.sources if source not in runs]


def _chosen_segments(args: argparse.Namespace) -> SegmentFilter:
    from ingest.jobs.show import SegmentFilter

    return SegmentFilter(
        page=args.page,
        roles=args.role,
        langs=args.lang,
        dropped=args.dropped,
        reasons=args.reason,
        text=args.grep,
    )


@contextmanager
def _label(sources: Sequence[str], config: Config, marks: Marks) -> Iterator[ShownPages]:
    from ingest.dedup import dedupe
    from ingest.detection import detect
    from ingest.jobs.show import ShownPages
    from ingest.labelling import label
    from ingest.readers import read
    from ingest.segmentation import segment

    marks.begin()
    documents = read(sources, config=config)
    segments = detect(segment(documents, config=config.segment), config=config.detect)
    segments = dedupe(label(segments, config=config.label), documents, config=config.dedupe)
    marks.rest()
    yield ShownPages(", ".join(sources), documents, segments.lazy(), config.label.keep)


@contextmanager
def _label_by_run(sources: Sequence[str], config: Config) -> Iterator[ShownPages]:
    from ingest.io.temporary import temporary_folder
    from ingest.jobs.run import run
    from ingest.jobs.show import open_run

    with temporary_folder() as folder:
        out = str(folder / "out")
        run(sources, out, config=config, workers=2)
        yield replace(open_run(out), name=", ".join(sources))


def _print(
    args: argparse.Namespace, pages: ShownPages, chosen: SegmentFilter, default_limit: int
) -> int:
    """Print the chosen segments; return the number of pages in error among the chosen ones."""
    from ingest.cli.page_view import print_pages
    from ingest.jobs.show import select_segments

    limit = default_limit if args.limit is None else args.limit
    documents = pages.find(chosen.page)
    found = select_segments(pages, chosen, limit + 1 if limit else 0)
    shown, has_more = print_pages(
        documents, found, all_pages=not chosen.selects_segments, limit=limit
    )
    if has_more:
        _note(args, _how_to_see_more(pages, chosen, limit))
    elif chosen.selects_segments and not shown:
        _note(args, f"{pages.name}: no segment meets all conditions")
    return documents["error"].count()


def _how_to_see_more(pages: ShownPages, chosen: SegmentFilter, limit: int) -> str:
    import polars as pl

    if chosen.page or chosen.selects_segments:
        return f"{pages.name}: only the first {limit:,} of these segments; to see all: --limit 0"
    total = pages.segments.select(pl.len()).collect().item()
    return (
        f"{pages.name}: only the first {limit:,} of {total:,} segments; to choose: --page, --role, "
        "--lang, --dropped, --reason, --grep; to see all: --limit 0"
    )


def _what_a_run_knows(sources: Sequence[str]) -> str:
    return (
        f"{', '.join(sources)}: labelled without the rest of its site; a run of the whole site "
        "also finds template lines and copies of articles: ingest run SITE -o OUT, ingest show OUT "
        "--page PAGE"
    )


def _note(args: argparse.Namespace, text: str) -> None:
    from ingest.cli.messages import print_notes

    if not args.quiet:
        print_notes([text])

"""Apply corrections to a finished run (`ingest correct OUT corrections.jsonl`)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import Progress
from ingest.articles import collect_articles
from ingest.dedup.site_templates import find_sites
from ingest.errors import SourceError
from ingest.frames import ARTICLES, schema
from ingest.io.atomic import atomic_write
from ingest.io.parquet import sink
from ingest.io.remake import is_working_folder
from ingest.io.run_files import CORRECTIONS_FILE, RUN_FILE
from ingest.io.run_json import kept_roles_of, read_run
from ingest.jobs.audit import estimate_run
from ingest.jobs.correct_pairs import find_corrected
from ingest.jobs.correct_result import (
    NOT_STORED,
    STORED,
    CorrectResult,
    describe_damaged,
    describe_unmatched,
)
from ingest.jobs.damage import names_damage
from ingest.jobs.dataset_corrections import make_last
from ingest.jobs.learn import PASSES, propose_rules
from ingest.jobs.run_pages import RunPages
from ingest.jobs.unmatched_corrections import explain_unmatched, leave_out_unmatched
from ingest.pipeline.assemble import SEGMENT_ROWS
from ingest.pipeline.stats import (
    count_by_role,
    count_corrected,
    count_segments,
    sum_counts,
    sum_role_counts,
)
from ingest.review.correction_lines import WRONG
from ingest.review.corrections import (
    Corrections,
    merge_corrections,
    read_corrections,
    write_corrections,
)
from ingest.review.hashes import text_hash
from ingest.review.segments import CorrectedSegments, correct_segments
from ingest.text import count_noun, json_document

_IS_EDITED = pl.any_horizontal(pl.col("original_source_text", "original_target_text").is_not_null())

# The filter knows excluded texts and duplicates; until then, pairs stay as it left them.
_WAITS_FOR_FILTER = (
    pl.col("kept_by_hand")
    & ~pl.col("keep")
    & ~pl.col("drop_reason").is_in(["excluded", "duplicate"]).fill_null(value=False)
)


@names_damage("out")
def correct_run(
    out: str | Path,
    files: Sequence[str | Path] = (),
    *,
    learn: bool = False,
    yes: bool = False,
    progress: Progress | None = None,
) -> CorrectResult:
    """Apply corrections to the segments, articles and pairs of a run, and store them in it.

    The corrections that are stored in `out` already are applied again; later ones replace earlier
    ones about the same thing. Those in `files` that match nothing are named and not stored. Files
    that do not change are not written.

    Args:
        out: folder written by `ingest run`.
        files: files of corrections, the earliest first.
        learn: propose rules for sites.
        yes: add these rules to the corrections, and apply them.
        progress: called with the number of segments read, in several passes, and the total.

    Raises:
        SourceError: a file is missing or cannot be read.
        FrameError: a file lacks a column.
        WriteError: a file cannot be written.

    >>> import tempfile, ingest
    >>> folder = Path(tempfile.mkdtemp())
    >>> report = ingest.run(sorted(ingest.samples().glob("en_*.txt"))[:1], folder / "out")
    >>> _ = (folder / "corrections.jsonl").write_text("")
    >>> print(correct_run(folder / "out", [folder / "corrections.jsonl"]))
    no corrections to apply
    """
    folder = Path(out)
    run = read_run(folder)
    stored_path = folder / CORRECTIONS_FILE
    given = [read_corrections(Path(file)) for file in files]
    stored = [read_corrections(stored_path)] if os.path.lexists(stored_path) else []
    if not given and not stored:
        raise SourceError(f"{folder}: contains no {CORRECTIONS_FILE}; give a file of corrections")
    kept_roles = kept_roles_of(run)
    passes = 1 + (PASSES if learn else 0) + 1  # to find what changes, to learn, and to write
    pages = RunPages(folder, progress, passes)
    given, not_stored = leave_out_unmatched(folder, pages, given)
    corrections = merge_corrections([*stored, *given])
    damaged = corrections.damaged
    result = CorrectResult(damaged=damaged, messages=describe_damaged(damaged))
    result.not_stored = not_stored
    result.messages += describe_unmatched(not_stored, NOT_STORED)
    result.messages += _describe_taken_back(stored, given)
    if learn:
        result.rules = propose_rules(pages, corrections, kept_roles)
        result.learned = yes and bool(len(result.rules.rules))
        if result.learned:
            rules = Corrections(rules=result.rules.rules)
            corrections = merge_corrections([corrections, rules])
    job = _Correction(folder, run, pages, corrections, kept_roles)
    job.find_changes(result)
    if files:  # before anything is written: the strata are those that were judged
        matched = Corrections(
            corrections.segments.join(
                result.unmatched["segment"], on=["doc_id", "segment"], how="anti"
            ),
            corrections.pairs.join(result.unmatched["pair"], on="pair_id", how="anti"),
        )
        result.audit, messages = estimate_run(folder, matched)
        result.messages += messages
    job.write()
    return result


class _Correction:
    """One call: finds what changes, then writes it."""

    def __init__(
        self,
        folder: Path,
        run: dict[str, Any],
        pages: RunPages,
        corrections: Corrections,
        kept_roles: Sequence[str],
    ) -> None:
        self._folder, self._run, self._pages = folder, run, pages
        self._corrections, self._kept_roles = corrections, kept_roles
        self._segments_change = False

    def find_changes(self, result: CorrectResult) -> None:
        """Count what corrections do, and work out what `wrong` means for each segment."""
        counts: list[dict[str, int]] = []
        matches: list[pl.DataFrame] = []
        role_counts, corrected = [], []
        for before, documents in self._pages.batches():
            after = self._correct(before, documents)
            self._segments_change |= not after.segments.equals(before)
            corrected.append(count_corrected(before, after))
            counts.append(count_segments(after.segments))
            role_counts.append(count_by_role(after.segments))
            seen = after.segments[after.matches["row"]].select(
                seen="keep", seen_sha=text_hash(pl.col("text"))
            )
            matches.append(after.matches.select("at", "changed").hstack(seen))
        if counts:
            self._update_counts(counts, role_counts, corrected)
        result.by_rules = sum(count["by_rules"] for count in corrected)
        found = pl.concat(matches) if matches else pl.DataFrame(schema={"at": pl.UInt32})
        found = found.unique("at", keep="first", maintain_order=True)
        segments = self._corrections.segments.with_row_index("at")
        result.unmatched["segment"] = segments.join(found, on="at", how="anti")
        result.applied["segment"] = len(found)
        result.changed["segment"] = int(found["changed"].sum()) if len(found) else 0
        if len(found):
            self._store_findings(segments.join(found, on="at", how="left", maintain_order="left"))
        self._files = find_corrected(self._folder, self._corrections)
        rows = [file.changes.rows for file in self._files]
        pairs = self._corrections.pairs.with_row_index("at")
        in_files = pl.concat(rows) if rows else pl.DataFrame(schema={"at": pl.UInt32})
        result.unmatched["pair"] = pairs.join(in_files, on="at", how="anti")
        result.applied["pair"] = len(pairs) - len(result.unmatched["pair"])
        result.changed["pair"] = in_files.filter("changed")["at"].n_unique() if rows else 0
        if len(in_files):
            self._store_pair_hashes(pairs, in_files)
        result.unmatched = explain_unmatched(self._folder, self._pages, result.unmatched)
        result.messages += describe_unmatched(result.unmatched, STORED)
        result.messages += self._describe_later_steps(in_files)

    def write(self) -> None:
        """Write the files that change. All are complete before the first one is replaced."""
        path = self._folder / CORRECTIONS_FILE
        data = write_corrections(self._corrections)
        written: list[Path] = []
        with ExitStack() as stack:
            # the last one opened is the first to be replaced
            if self._segments_change:
                names = ("segments.parquet", "articles.jsonl", RUN_FILE)
                segments, articles, run = (
                    stack.enter_context(atomic_write(self._folder / name)) for name in names
                )
                with articles.open("wb") as self._articles:
                    sink(self._corrected(), self._pages.columns, segments, rows=SEGMENT_ROWS)
                text = json_document(self._run)
                run.write_text(text, encoding="utf-8")
                written += (segments, articles, run)
            for file in self._files:
                if file.changes.changed:
                    written.append(stack.enter_context(atomic_write(file.path)))
                    file.write(written[-1])
            if data != (path.read_bytes() if path.is_file() else b""):
                new = stack.enter_context(atomic_write(path))
                new.write_bytes(data)
                make_last(new, written)

    def _corrected(self) -> Iterator[pl.DataFrame]:
        """Yield the corrected segments, and write their articles."""
        for before, documents in self._pages.batches():
            segments = self._correct(before, documents).segments
            articles = collect_articles(segments, documents)
            articles.select(schema(ARTICLES).names()).write_ndjson(self._articles)
            yield segments

    def _correct(self, segments: pl.DataFrame, documents: pl.DataFrame) -> CorrectedSegments:
        site = find_sites(documents)
        return correct_segments(segments, self._corrections, site, kept_roles=self._kept_roles)

    def _update_counts(
        self,
        counts: list[dict[str, int]],
        role_counts: list[pl.DataFrame],
        corrected: list[dict[str, int]],
    ) -> None:
        """Put the counts of segments and articles into run.json."""
        known = self._run.get("counts")
        totals = dict(known) if isinstance(known, dict) else {}
        more = sum_counts(corrected)["articles"]
        if isinstance(totals.get("articles"), int):
            totals["articles"] += more
        totals |= sum_counts(counts)
        totals["by_role_and_lang"] = sum_role_counts(role_counts).to_dicts()
        self._run["counts"] = totals

    def _store_findings(self, found: pl.DataFrame) -> None:
        """Store what `keep` is of the segments that are `wrong`: their labels are no longer there.

        A correction without `sha` gets that of its segment: the text may be another one later.

        Args:
            found: the corrections of segments, as `seen` what the segment has now, and `seen_sha`.
        """
        flips = (pl.col("verdict") == WRONG) & pl.col("keep").is_null()
        keep = pl.when(flips).then("seen").otherwise("keep").alias("keep")
        found = found.with_columns(keep, pl.coalesce("sha", "seen_sha").alias("sha"))
        segments = found.select(self._corrections.segments.columns)
        self._corrections = replace(self._corrections, segments=segments)

    def _store_pair_hashes(self, pairs: pl.DataFrame, in_files: pl.DataFrame) -> None:
        """Store the hashes of the texts of pairs with corrections that have none."""
        seen = in_files.unique("at", keep="first", maintain_order=True).select("at", seen_sha="sha")
        found = pairs.join(seen, on="at", how="left", maintain_order="left")
        found = found.with_columns(pl.coalesce("sha", "seen_sha").alias("sha"))
        pairs = found.select(self._corrections.pairs.columns)
        self._corrections = replace(self._corrections, pairs=pairs)

    def _describe_later_steps(self, pairs: pl.DataFrame) -> list[str]:
        """Say which results do not know of the corrections."""
        messages, out = [], self._folder
        if is_working_folder(out):
            files_change = self._segments_change or any(
                file.changes.changed for file in self._files
            )
            data = out.absolute().parent.name.removesuffix(".work")
            how = f"to make {data} again with them: the same ingest dataset call, with --resume"
            return [how] if files_change else []
        if (
            "changed" in pairs.columns
            and pairs.filter("changed").select(_IS_EDITED).to_series().any()
        ):
            messages.append("edited pairs keep their old scores until ingest score runs again")
        if "kept_by_hand" in pairs.columns and len(
            waiting := pairs.filter(_WAITS_FOR_FILTER)["at"]
        ):
            messages.append(
                f"{count_noun(waiting.n_unique(), 'pair')} kept by hand: still dropped in files "
                "that ingest filter wrote, until it runs again"
            )
        if self._segments_change and (out / "pages.parquet").is_file():
            folder = shlex.quote(str(out))
            messages.append(
                f"pages.parquet and the pairs were made from the segments as they were; to make "
                f"them again: ingest pair {folder} --overwrite, then ingest align {folder} "
                f"--overwrite -o {shlex.quote(str(out / 'pairs.parquet'))}"
            )
        return messages


def _describe_taken_back(stored: Sequence[Corrections], given: Sequence[Corrections]) -> list[str]:
    """Say that labels do not go back to what they were by themselves."""
    gives_label = pl.any_horizontal(pl.col("role", "keep", "starts_article").is_not_null())
    key = ["doc_id", "segment"]
    count = sum(
        len(new.segments.filter(~gives_label, pl.col("verdict").fill_null("") != WRONG)
            .join(old.segments.filter(gives_label), on=key, how="semi"))
        for old in stored
        for new in given
    )  # fmt: skip
    if not count:
        return []
    return [
        f"{count_noun(count, 'earlier correction')} of segments taken back: the labels stay as "
        "they are until the sources are run again with --overwrite"
    ]

"""The folder next to OUT that holds the finished work of a run until OUT is complete.

If OUT is a folder that cannot be renamed, it is OUT/.unfinished; see `ingest.io.in_place`.

    OUT.unfinished/
        plan.json   what to do; renamed to done.json once `out` is complete
        labelled/   one folder per shard: its pages, labelled segments and their keys
        tried/      one file per shard whose pages may have ended a process that labelled it, with
                    what is known of such pages
        pieces/     one folder per such shard, with one per batch: what is labelled of it
        streams/    a copy of each input that can be read only once, while it is labelled
        joined/     one folder per step of comparing the keys of all shards, see
                    `ingest.pipeline.join`
        finished/   one folder per shard: its segments and articles as they will be in OUT
        out/        the outputs, all of them
        out.json    their checksums; each of the parts above has a file of its own
        corrections.jsonl   what people said of earlier runs of OUT, if anything
        has-corrections     whether there are any
        locks/      held by the runs that work here; the system releases them when a run dies

Every folder is renamed into place once it is complete, so a folder that exists is never partial.
Only the files of OUT are moved one by one if it cannot be renamed: run.json is removed first and
comes last, so an OUT without it is partial. After a power cut, files may be damaged nevertheless: a
run that is resumed makes such parts again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from ingest.errors import OutputError, WriteError
from ingest.io.atomic import wrap_os_errors
from ingest.io.durable import replace, sync, sync_names
from ingest.io.file_kinds import NotAFileError, read_file
from ingest.io.in_place import (
    contents,
    is_empty,
    place_file,
    rename_folder,
    resolve_link,
)
from ingest.io.locks import LockHeldError, hold_lock, try_make_exclusive
from ingest.io.run_files import (
    CORRECTIONS_FILE,
    OUTPUTS,
    RUN_FILE,
    check_run_output,
    foreign_files,
    has_only_errors,
    is_run_file,
    refuse_incomplete,
)
from ingest.io.run_json import read_complete_run
from ingest.pipeline.checksums import is_whole
from ingest.pipeline.corrections_file import MARK, CorrectionsOfRun
from ingest.pipeline.parts import Parts, remove
from ingest.pipeline.place import check_place, unfinished_folder
from ingest.pipeline.plan import Plan
from ingest.pipeline.room import check_free_space, output_size

_NAMES = (
    "plan.json", "done.json", "labelled", "tried", "pieces", "streams", "joined", "finished",
    "out", "replaced", "locks", "out.json", CORRECTIONS_FILE, MARK,
)  # fmt: skip
MARKER = "running-"  # start of the name of what `mark_running` keeps


class State(Parts):
    """The unfinished work for one OUT, on disk.

    Attributes:
        name: OUT, for tasks and messages. Of a link, the folder that it leads to.
        folder_name: the folder of the unfinished work, for messages.

    Raises:
        OutputError: OUT is a link that leads nowhere.
    """

    def __init__(self, target: Path) -> None:
        self.target = resolve_link(target)
        self.name = str(self.target)
        super().__init__(unfinished_folder(self.target))
        self.folder_name = str(self.folder)
        self.locks = self.folder / "locks"
        self._corrections = CorrectionsOfRun(self.folder)
        self._plan = self.folder / "plan.json"
        self._done = self.folder / "done.json"
        self._lock = -1

    def wrap_errors(self) -> AbstractContextManager[None]:
        """Convert errors in writing to `WriteError`."""
        return wrap_os_errors(self.target)

    def owns(self, path: str) -> bool:
        """Return whether a source is in OUT or in the folder of unfinished work."""
        own = tuple(f"{os.path.realpath(folder)}{os.sep}" for folder in (self.target, self.folder))
        return os.path.realpath(path).startswith(own)

    def has_work(self) -> bool:
        """Return whether there is unfinished work."""
        return self.folder.exists()

    def load_plan(self) -> Plan | None:
        """Return the plan of an earlier or concurrent run; None if there is none.

        A plan that is damaged is none, and is noted; so is one that is lost.

        Raises:
            ConfigError: another version wrote it.
        """
        try:
            return Plan.from_json(read_file(self._plan).decode())
        except FileNotFoundError:
            if self._done.exists() or not self._labelled.exists():
                return None
            state = "missing"
        except (ValueError, NotAFileError):
            state = "damaged"
        self.notes.append(f"{self._plan}: is {state}, so the unfinished work cannot be used")
        return None

    def save_plan(self, plan: Plan) -> Plan:
        """Store a new plan and delete everything that was there. Return the plan to follow."""
        self._clear()
        new = self._plan.with_name(f".plan.{secrets.token_hex(4)}")
        new.write_text(plan.to_json(), encoding="utf-8")
        replace(new, self._plan)
        return plan

    def read_corrections(self) -> bytes:
        """Return the corrections to apply, which `save_corrections` stored; none if it did not.

        Raises:
            OutputError: they are damaged.
        """
        stored = self._corrections.read()
        if stored is None:
            raise OutputError(
                f"{self._corrections.path}: is damaged, and the corrections in it are lost; give "
                "--corrections again with --resume, or --overwrite to start again"
            )
        return stored

    def read_kept_corrections(self) -> bytes:
        """Return the corrections that are kept in OUT, which an earlier run made; none if none."""
        path = self.target / CORRECTIONS_FILE
        return path.read_bytes() if path.is_file() else b""

    def save_corrections(self, data: bytes) -> None:
        """Store the corrections to apply; what was finished with other ones is deleted.

        Args:
            data: lines of corrections; none removes those that are stored.
        """
        if data != self._corrections.read():
            remove(self._finished)
            remove(self.out)
            self._corrections.write(data)

    @contextmanager
    def lock(self, part: str | None) -> Iterator[None]:
        """Keep other runs out.

        Args:
            part: name of the part of the shards to work on; runs that work on other parts may
                share the folder. None locks out all other runs.

        Raises:
            OutputError: another run works here, or the folder contains files that no run wrote.
            WriteError: the file system has no locks.
        """
        if self.folder.is_dir():
            self._check_files()
        try:
            with hold_lock(self.locks / "run", shared=part is not None) as self._lock:
                if part is None:
                    for marker in self.locks.glob(f"{MARKER}*"):  # of a run that was killed
                        remove(marker)
                    self._remove_partial()
                    yield
                else:
                    with hold_lock(self.locks / f"shard-{part}"):
                        yield
        except LockHeldError:
            raise OutputError(
                f"{self.target}: another run is writing it; wait until it ends, or stop it, or "
                "choose another OUT"
            ) from None
        except WriteError:
            if self._lock < 0:  # there are no locks here
                self.remove_folder()
            raise

    def check_free(self, part: str | None) -> None:
        """Raise early if another run writes OUT, where `lock` would say so late.

        Raises:
            OutputError: another run does, or OUT cannot be in this place.
        """
        if not self.has_work():
            check_place(self.target)

    @contextmanager
    def lock_plan(self) -> Iterator[None]:
        """Let one run at a time read or write the plan; wait for the others."""
        with hold_lock(self.locks / "plan", wait=True):
            yield

    def check_lock(self) -> None:
        """Raise if the lock was lost, which cannot happen here."""

    @contextmanager
    def mark_running(self) -> Iterator[str]:
        """Keep a file in the folder during the run, and yield its path.

        Other machines look for it: one that does not see it has no access to the folder, or works
        for a run that has ended.
        """
        marker = self.locks / f"{MARKER}{secrets.token_hex(8)}"
        marker.touch()
        try:
            yield str(marker)
        finally:
            marker.unlink(missing_ok=True)

    def try_exclusive(self) -> bool:
        """Lock out runs that work on other parts. Return False if there are any."""
        return try_make_exclusive(self._lock)

    def _check_files(self) -> None:
        foreign = sorted(
            p.name for p in self.folder.iterdir() if p.name not in _NAMES and p.name[0] != "."
        )
        if foreign:
            names = ", ".join(foreign[:3])
            raise OutputError(
                f"{self.folder}: contains files that ingest did not write ({names}); "
                "choose another OUT"
            )

    def check_output(self, *, overwrite: bool, shown: str) -> None:
        """Raise unless a run may write to OUT, which the user called `shown`.

        Raises:
            OutputError: it exists and may not be replaced, or contains files of other programs.
        """
        check_run_output(self.target, overwrite=self._may_replace(overwrite), shown=shown)

    def check_resumable(self, *, shown: str) -> None:
        """Raise if OUT is complete, so that there is nothing to resume.

        Raises:
            OutputError: it is.
            SourceError: it was, and lacks a file now.
        """
        if not os.path.lexists(self.target) or is_empty(self.target):
            return
        if self.target.is_dir() and foreign_files(contents(self.target)):
            return  # it is not that of a run, as `check_output` says
        refuse_incomplete(self.target)
        if not has_only_errors(self.target):
            raise OutputError(f"{shown}: exists already; there is nothing to resume")

    def check_room(self, numbers: Sequence[int]) -> None:
        """Raise before the outputs of these shards are assembled if the disk has no room for them.

        Raises:
            WriteError: it has not.
        """
        labelled, finished = map(self.labelled, numbers), list(map(self.finished, numbers))
        articles = sum(report["article_bytes"] for report in self.read_reports(finished))
        check_free_space(self.target, self.folder, output_size(labelled, finished, articles))

    def publish_was_interrupted(self) -> bool:
        """Return whether a run was killed while it moved complete outputs into place."""
        return self._done.exists()

    def can_publish(self) -> bool:
        """Return whether outputs that were being moved are complete; if not, they are made again.

        The plan is valid again then.
        """
        if self.out.exists():
            if is_whole(self.out, self._out_checksums):
                return True
        elif os.path.lexists(self.target):
            return True
        self.notes.append(f"{self.out}: was damaged, and was made again")
        remove(self.out)
        self._done.rename(self._plan)
        return False

    def publish(self) -> None:
        """Move the outputs into place and clear up. Also finishes an interrupted move.

        Raises:
            OutputError: OUT was created in the meantime.
        """
        if plan := self.load_plan():
            check_run_output(self.target, overwrite=self._may_replace(plan.overwrite))
            self._plan.rename(self._done)
            sync_names(self.folder)
        if self.out.exists():
            has_all = all((self.out / name).exists() for name in OUTPUTS)
            if not (has_all and rename_folder(self.out, self.target, self.folder / "replaced")):
                self._move_outputs()
            sync_names(self.target.parent)
            sync_names(self.folder)
        if left := self._remove_work():
            self.notes.append(f"{left}: cannot be removed; {self.target} is complete without it")
        else:
            remove(self._done)

    def _may_replace(self, overwrite: bool) -> bool:
        """Return whether OUT may be replaced: also where a run was killed while it moved files."""
        is_partial = self.folder.parent == self.target and not (self.target / RUN_FILE).exists()
        return overwrite or is_partial

    def _move_outputs(self) -> None:
        """Give the outputs names in OUT, which stays. Also continues where that was interrupted."""
        if (self.out / RUN_FILE).exists():
            remove(self.target / RUN_FILE)
        for path in self.target.iterdir():
            if is_run_file(path.name) and path.name not in (*OUTPUTS, CORRECTIONS_FILE):
                remove(path)  # made from the earlier outputs
        for path in sorted(self.out.iterdir(), key=lambda path: path.name == RUN_FILE):
            if path.name == RUN_FILE:
                sync_names(self.target)  # run.json says that all others are there
            place_file(path, self.target / path.name)
            sync(self.target / path.name)  # it may be a copy
        sync_names(self.target)

    def is_complete(self) -> bool:
        """Return whether OUT has all outputs, and no run is about to replace them."""
        in_progress = self._plan.exists() or self._done.exists()
        return not in_progress and all((self.target / name).is_file() for name in OUTPUTS)

    def read_written_report(self) -> dict[str, Any]:
        """Return the content of the run.json that was written before the outputs were moved."""
        report: dict[str, Any] = json.loads(read_file(self.out / "run.json"))
        return report

    def read_report(self) -> dict[str, Any]:
        """Return the content of run.json in OUT.

        Raises:
            SourceError: it is damaged.
        """
        return read_complete_run(self.target)

    def clean_up(self, *, rereadable: bool) -> bool:
        """Clean up after a run that did not finish. Return whether it can be resumed.

        Args:
            rereadable: whether all inputs can be read a second time.
        """
        if not self.try_exclusive():
            return True
        self._remove_partial()
        if self.publish_was_interrupted():
            return True
        if rereadable and self._plan.exists() and self.has_shards():
            return True
        self._clear()
        self.remove_folder()
        return False

    def remove_folder(self) -> None:
        """Remove the locks and the empty folder; another run may start at any moment."""
        with suppress(OSError):
            for name in sorted(os.listdir(self.locks), key="run".__eq__):
                (self.locks / name).unlink()
            self.locks.rmdir()
            self.folder.rmdir()

    def _clear(self) -> None:
        """Remove everything but the locks."""
        if left := self._remove_work():  # the next run would take it for finished work
            raise WriteError(f"{left}: cannot be removed; remove it and start again")
        remove(self._done)

    def _remove_work(self) -> Path | None:
        """Remove everything but locks and done.json; return the first path that stays.

        The plan goes first, so leftovers are never used.
        """
        remove(self._plan)
        for path in list(self.folder.iterdir()):
            if path not in (self._done, self.locks):
                remove(path)
                if os.path.lexists(path):
                    return path
        return None

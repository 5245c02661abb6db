"""The unfinished work for one OUT in an object store, where nothing can be renamed or locked.

    OUT.unfinished/
        plan.json       which of the folders below is in use; written once, by one run
        work-ID/        what belongs to one plan
            plan.json   the plan
            labelled/, joined/, finished/   as in a local folder
            done/       one object per shard and step, written after all of its files
            tried/, pieces/     as in a local folder
        publishing      OUT is being written: what is in it belongs to this run
        done            OUT is complete
        running-ID      the marker of a run whose workers look for it
        locks/          see `ingest.pipeline.lease`

OUT is complete once it has run.json, which is written last and deleted first. Shards are made in a
temporary folder, of one shard at a time, and so are the outputs, one after the other.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from fnmatch import fnmatch
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any

from ingest.errors import OutputError, WriteError
from ingest.io import storage
from ingest.io.access import in_parallel
from ingest.io.atomic import atomic_folder, with_notes, wrap_os_errors
from ingest.io.locks import LockHeldError, hold_lock
from ingest.io.run_files import (
    CORRECTIONS_FILE,
    DERIVED_OUTPUTS,
    OUTPUTS,
    RUN_FILE,
    all_pages_in_error,
    foreign_files,
)
from ingest.io.storage_errors import StorageError
from ingest.io.storage_files import download
from ingest.io.temporary import tmpdir
from ingest.pipeline.lease import Lease, check_leases, hold_lease, other_leases
from ingest.pipeline.plan import Plan
from ingest.pipeline.state import MARKER, State

_WORK = "work-"
_TEMPORARY = "ingest-run-"
_REPORTS = 1_000  # reports that are read at once
_YOUNG = 60.0  # seconds; a younger temporary folder may not be locked yet


class RemoteState(State):
    """The unfinished work for one OUT, in an object store.

    Args:
        url: OUT.
        temporary: a local folder for the files of one shard.
    """

    def __init__(self, url: str, temporary: Path) -> None:
        super().__init__(temporary / "out")
        self.name = url.rstrip("/")
        self.folder_name = f"{self.name}.unfinished"
        self._base = f"{self.folder_name}/"
        self._pointer = f"{self._base}plan.json"
        self._published = f"{self._base}done"
        self._publishing = f"{self._base}publishing"
        self._lock_name = "run"
        self._lease: Lease | None = None
        self._work_id: str | None = None
        self._context = copy_context()

    @contextmanager
    def wrap_errors(self) -> Iterator[None]:
        """Convert errors of the store and of the operating system to `WriteError`."""
        try:
            with wrap_os_errors(self.target):
                yield
        except WriteError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.filename is None:
                raise
            message = f"{cause.filename}: cannot be written: {cause.strerror}"
            raise with_notes(WriteError(message), error) from error

    def owns(self, path: str) -> bool:
        return path.startswith((f"{self.name}/", self._base))

    def has_work(self) -> bool:
        return self._has_plan() or self.publish_was_interrupted()

    def _has_plan(self) -> bool:
        return storage.stat(self._pointer, fresh=True) is not None

    # the plan

    def _work(self) -> str:
        """The URL of the folder of the present plan."""
        if self._work_id is None:
            self._work_id = json.loads(storage.read(self._pointer)[0])["work"]
        return f"{self._base}{self._work_id}/"

    def load_plan(self) -> Plan | None:
        pointer = storage.read_if_present(self._pointer)
        if pointer is None:
            return None
        self._work_id = json.loads(pointer[0])["work"]
        return Plan.from_json(storage.read(f"{self._work()}plan.json")[0].decode())

    def save_plan(self, plan: Plan) -> Plan:
        """Store a new plan and delete what belongs to others. If another run was first, use its."""
        present = storage.read_if_present(self._pointer)
        new = _WORK + secrets.token_hex(8)
        storage.write(f"{self._base}{new}/plan.json", plan.to_json().encode())
        pointer = json.dumps({"work": new}).encode()
        self._work_id = None
        storage.delete([self._publishing])
        if present:
            is_ours = storage.replace(self._pointer, pointer, present[1])
        else:
            is_ours = storage.create(self._pointer, pointer)
        if not is_ours:
            storage.delete([f"{self._base}{new}/plan.json"])
            return self.load_plan() or plan
        self._delete_work(but=new)
        return plan

    def _corrections_url(self) -> str:
        return f"{self._work()}{CORRECTIONS_FILE}"

    def read_corrections(self) -> bytes:
        stored = storage.read_if_present(self._corrections_url())
        return stored[0] if stored else b""

    def read_kept_corrections(self) -> bytes:
        stored = storage.read_if_present(f"{self.name}/{CORRECTIONS_FILE}")
        return stored[0] if stored else b""

    def save_corrections(self, data: bytes) -> None:
        if data == self.read_corrections():
            return
        for folder in ("done/finished/", "finished/"):
            storage.delete(url for url, _ in storage.list_objects(self._work() + folder))
        if self._is_publishing():  # what is in OUT has the earlier ones
            storage.delete([f"{self.name}/{RUN_FILE}"])
        if data:
            storage.write(self._corrections_url(), data)
        else:
            storage.delete([self._corrections_url()])

    @contextmanager
    def lock_plan(self) -> Iterator[None]:
        yield  # the plan is written by one conditional request

    # the lock

    def check_free(self, part: str | None) -> None:
        try:
            check_leases(f"{self._base}locks/", *_lock_names(part))
        except LockHeldError as error:
            raise self._refuse(error) from None
        except StorageError as error:
            if error.is_outage:
                raise
            raise OutputError(f"{self.name}: cannot be written: {error.strerror}") from error

    def _refuse(self, error: LockHeldError) -> OutputError:
        return OutputError(f"{self.name}: another run is writing it, {error}")

    @contextmanager
    def lock(self, part: str | None) -> Iterator[None]:
        self._lock_name, excludes = _lock_names(part)
        try:
            with hold_lease(f"{self._base}locks/", self._lock_name, excludes=excludes) as lease:
                self._lease = lease
                if part is None:
                    self._delete_markers()
                yield
        except LockHeldError as error:
            raise self._refuse(error) from None

    def check_lock(self) -> None:
        if self._lease and self._lease.is_lost:
            raise OutputError(
                f"{self.name}: another run may be writing it, because this one could not reach "
                "the store for too long"
            )

    def _delete_markers(self) -> None:
        """Delete the markers of runs that were killed, whose workers then stop."""
        names = storage.list_names(self.folder_name)
        storage.delete(self._base + name for name in names if name.startswith(MARKER))

    @contextmanager
    def mark_running(self) -> Iterator[str]:
        """Keep an object in the store during the run, and yield its URL."""
        marker = f"{self._base}{MARKER}{secrets.token_hex(8)}"
        storage.write(marker, b"")
        try:
            yield marker
        finally:
            storage.delete([marker])

    def try_exclusive(self) -> bool:
        others = other_leases(f"{self._base}locks/", self._lock_name)
        return all(left < 0 for left in others.values())

    # shards

    def labelled_shards(self) -> set[int]:
        return self._listed("done/labelled/")

    def finished_shards(self) -> set[int]:
        return self._listed("done/finished/")

    def joined_tasks(self, step: str) -> set[int]:
        return self._listed(f"done/joined/{step}/")

    def empty_joined(self, step: str) -> None:
        stored = storage.list_objects(f"{self._work()}joined/{step}/")
        storage.delete(url for url, _ in stored if not url.endswith("/report.json"))

    def _listed(self, folder: str) -> set[int]:
        """The numbers that are names in a folder of the present plan."""
        if self._work_id is None and not self._has_plan():
            return set()
        done = storage.list_objects(f"{self._work()}{folder}")
        return {int(url.rpartition("/")[2]) for url, _ in done}

    def mark_tried(self, number: int, known: bytes = b"") -> None:
        storage.write(f"{self._work()}tried/{number:06d}", known)

    def read_tried(self, number: int) -> bytes:
        stored = storage.read_if_present(f"{self._work()}tried/{number:06d}")
        return stored[0] if stored else b""

    def unmark_tried(self, number: int) -> None:
        storage.delete([f"{self._work()}tried/{number:06d}"])

    def tried_shards(self) -> set[int]:
        return self._listed("tried/")

    def pieces(self, number: int) -> list[Path]:
        done = self._listed(f"done/pieces/{number:06d}/")
        return [self.piece(number, index) for index in takewhile(done.__contains__, count())]

    def remove_pieces(self, number: int) -> None:
        for folder in ("done/pieces", "pieces"):
            stored = storage.list_objects(f"{self._work()}{folder}/{number:06d}/")
            storage.delete(url for url, _ in stored)

    def _key(self, folder: Path) -> str:
        return folder.relative_to(self.folder).as_posix()

    def has(self, folder: Path) -> bool:
        if folder == self.out:
            return self._is_publishing() and RUN_FILE in storage.list_names(self.name)
        return storage.stat(f"{self._work()}done/{self._key(folder)}", fresh=True) is not None

    @contextmanager
    def store(self, folder: Path) -> Iterator[Path]:
        if folder == self.out:
            self._start_publishing()
        with atomic_folder(folder, durable=False) as work:
            yield work
        try:
            if folder != self.out:
                self._upload(folder)
        finally:
            shutil.rmtree(folder)

    def drop_damaged(self, numbers: Iterable[int], *, only_labelled: bool = False) -> None:
        """Nothing to do: an object is complete, or does not exist."""

    def _upload(self, folder: Path) -> None:
        paths = sorted(folder.iterdir())
        base = f"{self._work()}{self._key(folder)}/"
        in_parallel(lambda path: storage.upload(path, base + path.name), paths)
        names = json.dumps([path.name for path in paths]).encode()
        # if another process has done the same shard, its files were the same
        storage.create(f"{self._work()}done/{self._key(folder)}", names)

    @contextmanager
    def borrow(self, folder: Path, *patterns: str) -> Iterator[Path]:
        folder.mkdir(parents=True)
        try:
            # Polars asks for the next shard in a thread of its own
            self._context.copy().run(self._download, folder, patterns)
            yield folder
        finally:
            shutil.rmtree(folder)

    def _download(self, folder: Path, patterns: Sequence[str]) -> None:
        key, names = self._key(folder), patterns
        if any("*" in pattern for pattern in patterns):
            stored = json.loads(storage.read(f"{self._work()}done/{key}")[0])
            names = [n for n in stored if any(fnmatch(n, pattern) for pattern in patterns)]
        base = f"{self._work()}{key}/"
        in_parallel(lambda n: download(base + n, folder / n), names, at_once=4)

    def read_reports(self, folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
        urls = (f"{self._work()}{self._key(folder)}/report.json" for folder in folders)
        while some := list(islice(urls, _REPORTS)):
            for content, _ in in_parallel(storage.read, some):
                yield json.loads(content)

    # OUT

    def check_output(self, *, overwrite: bool, shown: str) -> None:
        names = storage.list_names(self.name)
        if others := foreign_files(names):
            raise OutputError(
                f"{shown}: contains files that ingest did not write ({', '.join(others[:3])}); "
                "choose another name"
            )
        if RUN_FILE in names and not (overwrite or self._is_publishing() or self._only_errors()):
            raise OutputError(f"{shown}: exists already; choose another name, or give --overwrite")

    def check_resumable(self, *, shown: str) -> None:
        if RUN_FILE in storage.list_names(self.name) and not (
            self._is_publishing() or self._only_errors()
        ):
            raise OutputError(f"{shown}: exists already; there is nothing to resume")

    def _only_errors(self) -> bool:
        return storage.list_names(self.name) - {CORRECTIONS_FILE} == set(
            OUTPUTS
        ) and all_pages_in_error(self.read_report())

    def _is_publishing(self) -> bool:
        return storage.stat(self._publishing, fresh=True) is not None

    def _start_publishing(self) -> None:
        self.check_lock()
        storage.delete([f"{self.name}/{RUN_FILE}"])
        storage.write(self._publishing, b"")
        present = storage.list_names(self.name)
        storage.delete(f"{self.name}/{n}" for n in (*OUTPUTS, *DERIVED_OUTPUTS) if n in present)

    def add_output(self, path: Path) -> None:
        self.check_lock()
        storage.upload(path, f"{self.name}/{path.name}")
        path.unlink()

    def check_room(self, numbers: Sequence[int]) -> None:
        """Nothing to check: the outputs are uploaded one after the other."""

    def publish_was_interrupted(self) -> bool:
        return storage.stat(self._published, fresh=True) is not None

    def can_publish(self) -> bool:
        return True

    def publish(self) -> None:
        storage.write(self._published, b"")
        self._clear()

    def is_complete(self) -> bool:
        return not self.has_work() and set(OUTPUTS) <= storage.list_names(self.name)

    def read_report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(storage.read(f"{self.name}/{RUN_FILE}")[0])
        return report

    def read_written_report(self) -> dict[str, Any]:
        return self.read_report()

    # leftovers

    def clean_up(self, *, rereadable: bool) -> bool:
        if self._lease and self._lease.is_lost:  # all of it belongs to another run
            return True
        try:
            if not self.try_exclusive():
                return True
            if self._is_publishing() or (rereadable and self.has_shards()):
                return True
            if not self.publish_was_interrupted():
                self._clear()
        except (StorageError, FileNotFoundError):  # what is stored cannot be seen
            return self._work_id is not None
        return False

    def remove_folder(self) -> None:
        """Nothing to do: there are no folders, and the lock goes when it is released."""

    def _clear(self) -> None:
        """Remove everything but the locks. The plan goes first, so leftovers are never used."""
        storage.delete([self._pointer])
        self._work_id = None
        self._delete_work()
        storage.delete([self._publishing])
        storage.delete([self._published])

    def _delete_work(self, but: str = "") -> None:
        for name in storage.list_names(self.folder_name):
            if name.startswith(_WORK) and name != but:
                urls = (url for url, _ in storage.list_objects(f"{self._base}{name}/"))
                storage.delete(urls)


def _lock_names(part: str | None) -> tuple[str, str | None]:
    """The name of a run's lock, and of the one other lock that keeps it out; None for all."""
    return ("run", None) if part is None else (f"shard-{part}", "run")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A temporary folder. Those of processes that were killed are removed on the way."""
    base = Path(tmpdir())
    for path in base.glob(f"{_TEMPORARY}*"):
        with suppress(OSError, LockHeldError):
            if time.time() - path.stat().st_mtime > _YOUNG:
                with hold_lock(path / "lock"):
                    shutil.rmtree(path)
    with ExitStack() as stack:
        path = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=base))
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        stack.enter_context(hold_lock(path / "lock"))
        yield path

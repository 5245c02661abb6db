"""The finished work of the shards of a run, and of the join, in the folder of unfinished work."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ingest.io.atomic import atomic_folder
from ingest.io.durable import replace, sync_names
from ingest.io.file_kinds import read_file
from ingest.io.in_place import remove as remove_path
from ingest.pipeline.checksums import CHECKSUMS, is_whole, seal, unseal, write_checksums
from ingest.text import count_noun

_REPORT = "report.json"  # of a shard, or of a task of the join
_EMPTIED = "emptied"  # in a step of the join whose tasks have nothing but their reports


remove = partial(remove_path, ignore_errors=True)  # `State` looks at what is left where it matters


class Parts:
    """Folders of finished work, each of which is complete if it exists.

    Args:
        folder: the folder of the unfinished work of a run, see `ingest.pipeline.state`.

    Attributes:
        folder: the folder.
        out: where the outputs are, once all of them are there.
        notes: what was damaged, one line each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.notes: list[str] = []
        self._joined = folder / "joined"
        self._labelled = folder / "labelled"
        self._tried = folder / "tried"
        self._pieces = folder / "pieces"
        self._finished = folder / "finished"
        self._out_checksums = folder / "out.json"

    def has(self, folder: Path) -> bool:
        """Return whether the results that belong into a folder are complete."""
        return folder.exists()

    @contextmanager
    def store(self, folder: Path) -> Iterator[Path]:
        """Yield an empty folder whose files become those of `folder` if the block succeeds."""
        is_out = folder == self.out
        with atomic_folder(folder, durable=is_out) as work:
            yield work
            write_checksums(work, self._out_checksums if is_out else work / CHECKSUMS)

    def drop_damaged(self, numbers: Iterable[int], *, only_labelled: bool = False) -> None:
        """Remove what does not have its checksums, so that it is made again.

        Args:
            numbers: the shards to look at.
            only_labelled: whether to look at nothing but their first step.
        """
        if not only_labelled and self.out.exists():
            if is_whole(self.out, self._out_checksums):
                return  # nothing else is needed
            self.notes.append(f"{self.out}: was damaged, and was made again")
            remove(self.out)
        steps = (self.labelled,) if only_labelled else (self.labelled, self.finished)
        folders = [step(number) for number in numbers for step in steps]
        damaged = [
            folder
            for folder in folders
            if folder.exists() and not is_whole(folder, folder / CHECKSUMS)
        ]
        if not only_labelled and self._joined.exists() and not self._joined_is_whole():
            damaged.append(self._joined)  # its tasks need each other
        for folder in damaged:
            remove(folder)
        if damaged:
            count = count_noun(len(damaged), "part")
            self.notes.append(f"{self.folder}: damaged and made again: {count}")

    def _joined_is_whole(self) -> bool:
        for step in self._joined.iterdir():
            only = (_REPORT,) if (step / _EMPTIED).exists() else None
            for number in _numbers(step):
                folder = self.joined(step.name, number)
                if not is_whole(folder, folder / CHECKSUMS, only):
                    return False
        return True

    @contextmanager
    def borrow(self, folder: Path, *patterns: str) -> Iterator[Path]:
        """Yield a folder with those stored files whose names match, until the end of the block."""
        yield folder

    def read_reports(self, folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
        """Yield the content of report.json in each of several folders."""
        for folder in folders:
            yield json.loads((folder / "report.json").read_bytes())

    def add_output(self, path: Path) -> None:
        """Accept a file in the folder that `store(self.out)` yielded; run.json is the last."""

    def labelled(self, number: int) -> Path:
        """Return the folder of a labelled shard."""
        return self._labelled / f"{number:06d}"

    def finished(self, number: int) -> Path:
        """Return the folder of a finished shard."""
        return self._finished / f"{number:06d}"

    def joined(self, step: str, number: int) -> Path:
        """Return the folder of a task of a step of the join."""
        return self._joined / step / f"{number:06d}"

    def labelled_shards(self) -> set[int]:
        """Return the numbers of the shards that are labelled."""
        return _numbers(self._labelled)

    def finished_shards(self) -> set[int]:
        """Return the numbers of the shards that are ready to be assembled."""
        return _numbers(self._finished)

    def mark_tried(self, number: int, known: bytes = b"") -> None:
        """Leave a mark that a shard is being labelled, for the case that this ends the process.

        Args:
            number: number of the shard.
            known: what `read_tried` will return.
        """
        self._tried.mkdir(exist_ok=True)
        path = self._tried / f"{number:06d}"
        if not known:
            path.touch()
            return
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        new.write_bytes(seal(known))
        replace(new, path)

    def read_tried(self, number: int) -> bytes:
        """Return what is known of a shard that was tried; nothing if it is damaged or lost."""
        try:
            return unseal(read_file(self._tried / f"{number:06d}")) or b""
        except OSError:
            return b""

    def unmark_tried(self, number: int) -> None:
        """Remove the mark of a shard."""
        (self._tried / f"{number:06d}").unlink(missing_ok=True)

    def tried_shards(self) -> set[int]:
        """Return the numbers of the shards with a mark."""
        return _numbers(self._tried)

    def has_shards(self) -> bool:
        """Return whether something is known of a shard, so that the run should be resumed."""
        return bool(self.labelled_shards() or self.tried_shards())

    def remove_partial(self, number: int) -> None:
        """Remove what processes that have ended left of a shard that they were labelling."""
        name = f"{number:06d}"
        partial = (
            (self._labelled, f".{name}.*"),
            (self._tried, f".{name}.*"),
            (self._pieces, f"{name}/.*"),
        )
        for folder, pattern in partial:
            for path in folder.glob(pattern):
                remove(path)

    def piece(self, number: int, index: int) -> Path:
        """Return the folder of a piece of a shard that is labelled in pieces."""
        return self._pieces / f"{number:06d}" / f"{index:06d}"

    def pieces(self, number: int) -> list[Path]:
        """Return the folders of the pieces of a shard, up to the first that lacks or is damaged.

        Those after it are removed.
        """
        found: list[Path] = []
        while is_whole(folder := self.piece(number, len(found)), folder / CHECKSUMS):
            found.append(folder)
        for path in set((self._pieces / f"{number:06d}").glob("[0-9]*")) - set(found):
            remove(path)
        return found

    def remove_pieces(self, number: int) -> None:
        """Remove all pieces of a shard."""
        remove(self._pieces / f"{number:06d}")

    def joined_tasks(self, step: str) -> set[int]:
        """Return the numbers of the tasks of a step of the join that are done."""
        return _numbers(self._joined / step)

    def empty_joined(self, step: str) -> None:
        """Delete the files of a step, which no task needs any more, except its reports.

        Its tasks still count as done.
        """
        (self._joined / step / _EMPTIED).touch()
        sync_names(self._joined / step)
        for path in (self._joined / step).glob("*/*"):
            if path.name not in (_REPORT, CHECKSUMS):
                path.unlink(missing_ok=True)

    def _remove_partial(self) -> None:
        """Remove what a killed run was writing."""
        steps = self._joined.glob("*")
        own = (self.folder, self._labelled, self._tried, self._finished)
        for folder in (*own, *self._pieces.glob("*"), *steps):
            for path in folder.glob(".*"):
                remove(path)


def _numbers(folder: Path) -> set[int]:
    if not folder.is_dir():
        return set()
    return {int(name) for name in os.listdir(folder) if name.isdecimal()}

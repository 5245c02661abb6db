"""The folder beside OUT where a run keeps what it has done, until OUT takes its place.

    OUT.unfinished/
        plan.json   what is to be done; done.json once `out` is complete
        parts/      a folder a shard: its pages and segments as labelled, and their keys
        joined/     what came of the keys of all shards
        pieces/     a folder a shard: its segments and articles as they will stand in OUT
        out/        the outputs, all of them
        locks/      held by the runs that work here, and let go by the system when they die

Every folder appears under its name by a rename when it is complete, so whatever is there is whole.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ingest.errors import OutputError, WriteError
from ingest.io.locks import LockHeldError, hold_lock, try_make_exclusive
from ingest.io.run_files import OUTPUTS, check_run_output
from ingest.pipeline.plan import Plan

_HELD = ("plan.json", "done.json", "parts", "joined", "pieces", "out", "replaced", "locks")


class State:
    """Where things stand for one OUT."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.folder = target.with_name(target.name + ".unfinished")
        self.out = self.folder / "out"
        self.joined = self.folder / "joined"
        self.locks = self.folder / "locks"
        self._plan = self.folder / "plan.json"
        self._done = self.folder / "done.json"
        self._lock = -1

    def part(self, number: int) -> Path:
        return self.folder / "parts" / f"{number:06d}"

    def piece(self, number: int) -> Path:
        return self.folder / "pieces" / f"{number:06d}"

    def parts(self) -> set[int]:
        """Numbers of the shards that are labelled."""
        return _numbers(self.folder / "parts")

    def pieces(self) -> set[int]:
        """Numbers of the shards that are ready to be put together."""
        return _numbers(self.folder / "pieces")

    def plan(self) -> Plan | None:
        """What an earlier run, or one beside this, set out to do; None where there is none."""
        try:
            return Plan.from_json(self._plan.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def begin(self, plan: Plan) -> None:
        """Keep a new plan in place of whatever was there."""
        self._clear()
        new = self._plan.with_name(f".plan.{secrets.token_hex(4)}")
        new.write_text(plan.to_json(), encoding="utf-8")
        new.rename(self._plan)

    @contextmanager
    def held(self, shard: str | None) -> Iterator[None]:
        """Keep others out: all of them, or, for a part of the shards, who does the same part.

        Raises:
            OutputError: another run works here, or the folder holds what no run wrote.
        """
        if self.folder.is_dir():
            self._refuse_strangers()
        try:
            with hold_lock(self.locks / "run", shared=shard is not None) as self._lock:
                if shard is None:
                    self._tidy()
                    yield
                else:
                    with hold_lock(self.locks / f"shard-{shard}"):
                        yield
        except LockHeldError:
            raise OutputError(f"{self.target}: another run is writing it") from None

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Let one at a time of those who share the folder look for a plan, or make it."""
        with hold_lock(self.locks / "plan", wait=True):
            yield

    def alone(self) -> bool:
        """Whether no other run does a part of the same shards."""
        return try_make_exclusive(self._lock)

    def _tidy(self) -> None:
        """Remove what a killed run was writing."""
        for folder in (self.folder, self.folder / "parts", self.folder / "pieces"):
            for left in folder.glob(".*"):
                _remove(left)

    def _refuse_strangers(self) -> None:
        others = sorted(
            p.name for p in self.folder.iterdir() if p.name not in _HELD and p.name[0] != "."
        )
        if others:
            raise OutputError(
                f"{self.folder}: holds what ingest did not write ({', '.join(others[:3])}); "
                "choose another OUT"
            )

    def swapping(self) -> bool:
        """Whether the outputs were complete, and a run that put them into place was killed."""
        return self._done.exists()

    def publish(self) -> None:
        """Put the outputs where they belong, and clear up; what a kill cut short is made good.

        Raises:
            OutputError: OUT came into being meanwhile.
        """
        if plan := self.plan():
            check_run_output(self.target, overwrite=plan.overwrite)
            self._plan.rename(self._done)
        if self.out.exists():
            if os.path.lexists(self.target):
                self.target.rename(self.folder / "replaced")
            self.out.rename(self.target)
        self._clear()

    def complete(self) -> bool:
        """Whether OUT holds a whole run, and nothing is on its way there."""
        under_way = self._plan.exists() or self._done.exists()
        return not under_way and all((self.target / name).is_file() for name in OUTPUTS)

    def published(self) -> dict[str, Any]:
        """What run.json of OUT holds."""
        report: dict[str, Any] = json.loads((self.target / "run.json").read_bytes())
        return report

    def leave(self, *, again: bool) -> bool:
        """Clear up after a run that did not finish; whether there is something to go on with.

        Args:
            again: whether its inputs can be read once more.
        """
        if not self.alone():
            return True
        self._tidy()
        if again and self._plan.exists() and self.parts():
            return True
        if not self.swapping():
            self._clear()
            self.let_go()
        return False

    def let_go(self) -> None:
        """Remove the locks and the empty folder; another run may come in at any moment of it."""
        with suppress(OSError):
            for name in sorted(os.listdir(self.locks), key="run".__eq__):
                (self.locks / name).unlink()
            self.locks.rmdir()
            self.folder.rmdir()

    def _clear(self) -> None:
        """Remove all but the locks. What is left if this is cut short counts for nothing."""
        _remove(self._plan)
        for path in list(self.folder.iterdir()):
            if path not in (self._done, self.locks):
                _remove(path)
                if os.path.lexists(path):  # it would count as done by what comes next
                    raise WriteError(f"{path}: cannot be removed; remove it and begin again")
        _remove(self._done)


def _numbers(folder: Path) -> set[int]:
    if not folder.is_dir():
        return set()
    return {int(name) for name in os.listdir(folder) if not name.startswith(".")}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

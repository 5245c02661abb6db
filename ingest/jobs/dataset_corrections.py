"""Corrections in the working folder of a data set.

`ingest correct DATA.work/run` changes the outputs of the steps `run` and `align`, and stores what
it applied in run/corrections.jsonl. Such changes are taken over: the later steps are done again.
Changes by other hands are not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.io.durable import replace
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.io.run_json import read_complete_run
from ingest.jobs.dataset_plan import Stamps, Step, hash_of
from ingest.pipeline.plan import stamp
from ingest.review.corrections import Corrections, read_corrections, write_corrections


def hash_corrections(path: Path) -> dict[str, str]:
    """Return a hash of the corrections in a file, by the step whose output they change.

    >>> hash_corrections(Path("no-such-file"))
    {'run': '', 'align': ''}
    """
    if not path.is_file():
        return {"run": "", "align": ""}
    stored = read_corrections(path)
    of_steps = {
        "run": Corrections(segments=stored.segments, rules=stored.rules),
        "align": Corrections(pairs=stored.pairs),
    }
    return {
        name: hash_of(write_corrections(part).decode()) if part else ""
        for name, part in of_steps.items()
    }


def accept_corrected(
    record: dict[str, Any], steps: Sequence[Step], outputs: dict[str, Stamps], folder: Path
) -> dict[str, Any]:
    """Return the record of the steps with the outputs that `ingest correct` has changed.

    An output is accepted if the corrections that change it are new, and no part of it is missing
    or was written after them: `correct` writes them last.

    Args:
        record: `steps` of steps.json.
        steps: the steps.
        outputs: the stamps of the outputs that exist now, by step.
        folder: the folder of the run.
    """
    written = stamp(str(folder / CORRECTIONS_FILE))
    if written is None:
        return record
    accepted = dict(record)
    hashes = hash_corrections(folder / CORRECTIONS_FILE)
    for step in steps:
        old = record.get(step.name)
        if step.name not in hashes or not old or old.get("corrections", "") == hashes[step.name]:
            continue
        now, before = outputs[step.name], {tuple(stamp) for stamp in old["output"]}
        changed = [entry for entry in now if entry not in before]
        if any(size < 0 or time > int(written[1]) for _, size, time in changed):
            continue
        accepted[step.name] = {**old, "output": now, "corrections": hashes[step.name]}
        if changed and step.name == "run":
            counts = read_complete_run(folder)["counts"]
            counted = {name: counts[name] for name in ("articles", "segments", "kept")}
            accepted["run"]["result"] = {**old["result"], **counted}
    return accepted


def make_last(path: Path, others: Sequence[Path]) -> None:
    """Let a file be no older than others that were written before it, also if the clock went back.

    Args:
        path: the file of corrections.
        others: the outputs that were changed.
    """
    newest = max((other.stat().st_mtime_ns for other in others), default=0)
    if newest > path.stat().st_mtime_ns:
        os.utime(path, ns=(newest, newest))


def segments_were_corrected(work: Path, source: Path) -> bool:
    """Return whether the segments in a working folder have other corrections than their source.

    Args:
        work: the working folder.
        source: the folder of the run whose files are linked there.
    """
    places = (work / "run" / CORRECTIONS_FILE, work / CORRECTIONS_FILE)
    here = [hash_corrections(path)["run"] for path in places if path.is_file()]
    return bool(here) and here[0] != hash_corrections(source / CORRECTIONS_FILE)["run"]


def set_aside(folder: Path) -> Path:
    """Move the corrections of a run, if there are any, out of its folder, which will be replaced.

    Args:
        folder: the folder of the run.

    Returns:
        Where the corrections are, if there are any.
    """
    aside = folder.parent / CORRECTIONS_FILE
    if (folder / CORRECTIONS_FILE).is_file():
        replace(folder / CORRECTIONS_FILE, aside)
    return aside

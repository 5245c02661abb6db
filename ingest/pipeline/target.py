"""What a run into OUT would find there, for `ingest run --plan`."""

from __future__ import annotations

import os

from ingest.errors import OutputError
from ingest.io.urls import check_target_is_writable, is_remote
from ingest.pipeline.open_state import open_state
from ingest.pipeline.run import absolute_target
from ingest.pipeline.state import State
from ingest.text import count_noun


def describe_target(out: str, *, overwrite: bool, resume: bool) -> str:
    """Return in one line what a run would do with OUT. Nothing is left behind.

    Whether an object store lets OUT be written is known only when something is written.

    Args:
        out: OUT as the user gave it.
        overwrite: whether it may be replaced.
        resume: whether an unfinished run may be continued.

    Raises:
        OutputError: the run would be refused.
        WriteError: its folder cannot be made, or the store cannot be reached.
        ConfigError: another version of ingest began it.

    >>> describe_target("no-such-folder/out", overwrite=False, resume=False)
    'no-such-folder/out does not exist yet, and can be made'
    """
    check_target_is_writable(out)
    target = absolute_target(out)
    with open_state(target) as state, state.wrap_errors():
        state.check_free(None)
        if unfinished := _describe_work(state, out, overwrite=overwrite, resume=resume):
            return unfinished
        if resume and state.is_complete():
            return f"{out} is complete; --resume does nothing if sources and settings are the same"
        state.check_output(overwrite=overwrite, shown=out)
        if is_remote(target):
            exists, can_be_made = state.is_complete(), "its bucket can be reached"
        else:
            exists, can_be_made = os.path.lexists(target), "can be made"
    found = f"{out} will be replaced" if exists else f"{out} does not exist yet, and {can_be_made}"
    return f"{found}; there is nothing to resume, so a run starts anew" if resume else found


def _describe_work(state: State, out: str, *, overwrite: bool, resume: bool) -> str | None:
    """What a run would do with an earlier one that did not finish; None if there is none."""
    plan = None if overwrite or not state.has_work() else state.load_plan()
    done = len(state.labelled_shards()) if plan else 0
    if plan is None or not done:
        return None
    if not resume:
        raise OutputError(
            f"{out}: an earlier run did not finish; use --resume to continue it, or --overwrite "
            "to start again"
        )
    return f"{out} is unfinished: {done:,} of {count_noun(len(plan.shards), 'shard')} are done"

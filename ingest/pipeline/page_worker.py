"""The process that `ingest.pipeline.careful` starts, and that a page may kill.

It says which record it reads and how many it has processed, so that its last line tells where to
look for the page.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from ingest.errors import IngestError
from ingest.pipeline.processes import open_channel
from ingest.pipeline.tasks import Task


def serve() -> None:
    """Read a task from standard input, then selections of its records, and process those.

    A selection comes with whether to store the result. The answers are `ready` at first; then, for
    each selection, what `ingest.pipeline.shard_records.Announce` says, `read` with the stored bytes
    that are done, and at the end `done`, `failed`, or `error` with `message`.
    """
    received, answer = open_channel()
    task = Task(*received.get())
    # when the thread runs that ends this process
    from ingest.config import Config
    from ingest.io.access import access
    from ingest.io.stream_copies import StreamCopy, reading_copies
    from ingest.pipeline.label import load_models
    from ingest.pipeline.label_task import label_task_in_pieces, rehearse_task
    from ingest.pipeline.open_state import open_state
    from ingest.pipeline.shard_records import Selection
    from ingest.pipeline.time_limit import limit_worker

    copies = {source: StreamCopy(*copy) for source, copy in task.copies.items()}
    with access(task.storage), reading_copies(copies), open_state(task.target) as state:
        if problem := _answer(lambda: load_models(Config.from_dict(task.config))):
            answer(**problem)
        else:
            answer(ready=True)
        while True:
            values, store = received.get()
            selection = Selection.from_json(values)

            def process(selection: Selection = selection, store: bool = store) -> None:
                if not store:
                    rehearse_task(task, selection, answer, limit_worker)
                    return
                with state.wrap_errors():
                    label_task_in_pieces(
                        state,
                        task,
                        lambda size: answer(read=size),
                        selection=selection,
                        announce=answer,
                        limit=limit_worker,
                    )

            answer(**(_answer(process) or {"done": True}))


def _answer(call: Callable[[], None]) -> dict[str, Any]:
    """Call a function; return what to say of its exception."""
    from ingest.pipeline.page_failures import PAGE_FAILURES, describe_failure, is_of_page

    try:
        call()
    except PAGE_FAILURES as error:
        if isinstance(error, IngestError):
            return {"error": type(error).__name__, "message": str(error)}
        if is_of_page(error):
            return {"failed": describe_failure(error), "trace": traceback.format_exc()}
        return {"error": "", "message": traceback.format_exc()}
    return {}

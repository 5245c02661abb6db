"""What can be made of a run once it is complete: pairs of sentences, and translations."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.config import Config


def aligned(out: str, config: Config) -> dict[str, Any]:
    """Align the articles of a run into OUT/pairs.parquet, and say what came of it."""
    from ingest.align.runs import align_run  # only runs that align need its models

    to = os.path.join(out, "pairs.parquet")
    with _complete_but(out, "pairs", f"ingest align {out} -o {to}"):
        return dataclasses.asdict(align_run(out, to, config=config))


def translatable(pair: tuple[str, str]) -> None:
    """Raise before a run begins that could not be translated.

    Raises:
        ModelError: no package is installed for the pair.
        MissingExtraError: the extra `translate` is not installed.
    """
    from ingest.translate.check import require
    from ingest.translate.packages import find

    require()
    find(*pair)


def translated(out: str, pair: tuple[str, str], config: Config) -> dict[str, Any]:
    """Translate the kept segments of a run into OUT/translated.parquet, and say what came of it."""
    from ingest.translate.runs import SEGMENTS_FILE, TRANSLATED_FILE, Order, translate_segments

    source, to = pair
    again = f"ingest translate {out} --from {source} --to {to} -o {out}/{TRANSLATED_FILE}"
    with _complete_but(out, "translations", again):
        folder = Path(out)
        order = Order(to=to, source=source, config=config)
        report = translate_segments(folder / SEGMENTS_FILE, folder / TRANSLATED_FILE, order)
        return {**vars(report), "flags": dict(report.flags)}


@contextmanager
def _complete_but(out: str, what: str, command: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"{out} is complete but for its {what}; {command} makes them")
        raise

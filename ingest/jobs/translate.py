"""Pages or a run to a file of pairs: what `ingest translate` does without --lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.errors import ConfigError
from ingest.io.atomic import check_output
from ingest.jobs.run import run
from ingest.jobs.translate_run import SEGMENTS_FILE, Order, Report, translate_segments
from ingest.translation.cache import Cache
from ingest.translation.pool import possible


def translate_files(
    sources: Sequence[str],
    out: str,
    order: Order,
    reading: Callable[[int, int], None] | None = None,
) -> Report:
    """Translate the kept segments of pages into a Parquet file of pairs.

    Args:
        sources: pages, as `ingest.run` takes them; or the folder that a run made.
        out: Parquet file to write.
        order: what into what.
        reading: called with the bytes of pages that are read, and of all.

    Raises:
        SourceError: no page was found, or what is there cannot be read; or the cache is damaged.
        ConfigError: source and target are one language.
        ModelError: no package is installed for any of the languages, or one is damaged.
        MissingExtraError: the extra `translate` is not installed.
        OutputError: `out` exists.
        WriteError: it could not be written.
    """

    def translated(folder: str) -> Report:
        return translate_segments(Path(folder) / SEGMENTS_FILE, Path(out), order)

    runs = [name for name in sources if (Path(name) / SEGMENTS_FILE).is_file()]
    if runs and len(sources) > 1:
        raise ConfigError(f"{runs[0]}: is the folder of a run; translate one run, or pages")
    if runs:
        return translated(runs[0])
    check_output(out, overwrite=order.overwrite, parquet=True)
    possible(order.to, order.source)
    with Cache(order.cache):  # which can be written to, before the pages are read
        pass
    where = Path(out)
    with tempfile.TemporaryDirectory(dir=where.parent, prefix=f".{where.name}.") as folder:
        pages = os.path.join(folder, "run")
        labelled = run(sources, pages, config=order.config, progress=reading)
        report = translated(pages)
    report.in_error = labelled["counts"]["errors"]
    report.said += [f"{page['uri']}: {page['error']}" for page in labelled["in_error"]]
    return report

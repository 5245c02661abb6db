"""Translate in other processes or on Ray: first what the cache lacks, then everything from it.

The cache is one SQLite file, which only the main process reads and writes. It lists the texts that
the models would be given first, and that are not cached; tasks translate them, without a cache, and
the main process stores the results. After that, the usual way of translating finds nearly all of
its work done: what is left are second attempts at texts whose numbers or links were lost. So the
output cannot depend on the tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import U64, Batches, Bools
from ingest.config import Config
from ingest.errors import ModelError
from ingest.io.parquet import sink
from ingest.pipeline.executors import Executor
from ingest.pipeline.row_groups import RowSlices, describe_one_task, is_done_here, map_rows
from ingest.pipeline.row_part import RowCall, RowFunction
from ingest.translation.cache import Cache, CachedTranslation
from ingest.translation.package_translator import PackageTranslator
from ingest.translation.packages.install import find
from ingest.translation.packages.package import Package, load
from ingest.translation.pool import MISSING, TranslatorPool

TASK_CHARS = 1 << 15  # of a task: some seconds of work

Routes = dict[str, list[Package]]
_ENTRIES = pl.Schema(
    {
        "key": pl.Binary(),
        "text": pl.String(),
        "score": pl.Float64(),
        "tokens": pl.Int64(),
        "cut": pl.Boolean(),
        "source_tokens": pl.Int64(),
    }
)


def translate_missing(
    batches: Batches,
    pool: TranslatorPool,
    routes: Routes,
    cache: Cache,
    executor: Executor,
    *,
    config: Config,
    folder: Path,
    report: Callable[[float], None],
) -> list[str]:
    """Translate what the cache lacks, on workers, and store it in the cache.

    Args:
        batches: yields the segments to translate.
        pool: the translators of the main process. Tokens that workers translate are added to it.
        routes: the packages by source language.
        cache: the cache of `pool`.
        executor: where to translate.
        config: the settings.
        folder: a folder for temporary files. On Ray, all nodes must see it.
        report: called with the share of the work that is done, 0 to 1.

    Returns:
        What the user should know.

    Raises:
        ModelError: a node of the Ray cluster has no such package.
        ConfigError: the Ray cluster cannot be reached, or a node of it differs.
        WriteError: a file or the cache cannot be written, or a worker was lost.
    """
    steps = max(map(len, routes.values()), default=0)
    packages = {
        package.sha256: [str(package.path), package.origin, package.from_lang, package.to_lang]
        for route in routes.values()
        for package in route
    }
    messages: list[str] = []
    call = RowCall(prepare_models, config, {"packages": packages})
    for step in range(steps):
        path = folder / f"missing-{step}.parquet"
        slices = _write_missing((pool.find_missing(batch, step) for batch in batches()), path)
        if len(slices) == 1 and not messages:
            texts = slices[0][1]
            messages = describe_one_task(executor, texts, "text", texts)
        if is_done_here(executor, len(slices)):
            continue  # as one task, it is quicker on all cores of this process
        done = 0
        with map_rows(
            RowSlices.of(path, slices), call, executor, out=path, in_order=False
        ) as parts:
            for part in parts:
                rows = part.drop("source_tokens").iter_rows()
                cache.put((key, CachedTranslation(*values)) for key, *values in rows)
                pool.tokens_elsewhere += int(part["source_tokens"].sum())
                done += 1
                report((step + done / len(slices)) / steps)
    return messages


def _write_missing(missing: Iterable[pl.DataFrame], path: Path) -> list[tuple[int, int]]:
    """Write the texts to translate, each once, and return the rows of each task.

    The texts of a task are of similar length, so that the model can translate them together.
    """
    seen = _SeenKeys()
    slices: list[tuple[int, int]] = []

    def new_texts() -> Iterable[pl.DataFrame]:
        rows = 0
        for batch in missing:
            new = batch.filter(pl.Series(seen.add(batch["key"]), dtype=pl.Boolean))
            chars = new["text"].str.len_chars().cum_sum().to_numpy()
            ends = np.flatnonzero(np.diff(chars // TASK_CHARS)) + 1
            bounds = [0, *ends.tolist(), len(new)] if len(new) else []
            slices.extend((rows + start, end - start) for start, end in pairwise(bounds))
            rows += len(new)
            yield new

    sink(new_texts(), MISSING, path)
    return slices


class _SeenKeys:
    """Keys that were there before, in eight bytes each.

    Sorted runs are merged when they are of similar length, so that each key is sorted a few times.
    Two keys with the same bytes count as one: the second is then translated by the main process.
    """

    def __init__(self) -> None:
        self._runs: list[U64] = []

    def add(self, keys: pl.Series) -> Bools:
        """Return which of some distinct keys are new, and remember them."""
        numbers = np.frombuffer(b"".join(key[:8] for key in keys), np.uint64)
        is_new = np.ones(len(numbers), np.bool_)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, numbers), len(run) - 1)
            is_new &= run[at] != numbers
        run = np.sort(numbers[is_new])
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate([run, self._runs.pop()]))
        if len(run):
            self._runs.append(run)
        return is_new


def prepare_models(config: Config, packages: dict[str, list[Any]]) -> RowFunction:
    """Return what translates rows of MISSING, for `map_rows`.

    Args:
        config: the settings.
        packages: path, origin and languages of each package, by its hash.
    """
    translators: dict[str, PackageTranslator] = {}

    def translate(rows: pl.DataFrame) -> pl.DataFrame:
        frames = [pl.DataFrame(schema=_ENTRIES)]
        for (sha256,), group in rows.group_by("package", maintain_order=True):
            name = str(sha256)
            if name not in translators:
                package = find_package(name, *packages[name])
                translators[name] = PackageTranslator(package, config.translate, None, 1)
            model = translators[name]
            before = model.tokens
            entries = [
                (key, *entry) for key, entry in model.translate_attempts(group["text"].to_list())
            ]
            columns = [name for name in _ENTRIES if name != "source_tokens"]
            frame = pl.DataFrame(entries, {name: _ENTRIES[name] for name in columns}, orient="row")
            tokens = pl.Series([model.tokens - before] + [0] * (len(frame) - 1), dtype=pl.Int64)
            frames.append(frame.with_columns(source_tokens=tokens))
        return pl.concat(frames)

    return translate


def find_package(sha256: str, path: str, origin: Any, from_lang: str, to_lang: str) -> Package:
    """Return a package of the main process, or the same one that this machine has elsewhere.

    Raises:
        ModelError: this machine does not have it.
    """
    try:
        candidates = [load(Path(path), origin)]
    except ModelError:
        candidates = find(from_lang, to_lang)
    for package in candidates:
        if package.sha256 == sha256:
            return package
    raise ModelError(
        f"the package {Path(path).name} of the main process is not installed here, only "
        f"{', '.join(package.name for package in candidates)}; install the same one on all nodes"
    )

"""What can be made of a run once it is complete: pairs of sentences, and translations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest._typing import TranslationProgress
from ingest.config import Config
from ingest.errors import ConfigError, OutputError

PAIRS_FILE, TRANSLATED_FILE = "pairs.parquet", "translated.parquet"


def missing(
    out: Path,
    report: dict[str, Any],
    config: Config,
    align: bool,
    translate: tuple[str, str] | None,
) -> tuple[bool, tuple[str, str] | None]:
    """Of pairs and translations, what was asked for and a complete run has not.

    Args:
        out: folder of the run.
        report: what its run.json holds.
        config: the settings now.
        align: whether pairs were asked for.
        translate: the languages of the translations that were asked for.

    Raises:
        ConfigError: the run had other settings.
        OutputError: nothing is missing.
    """
    align = align and not (out / PAIRS_FILE).exists()
    translate = None if (out / TRANSLATED_FILE).exists() else translate
    if not (align or translate):
        raise OutputError(f"{out}: is there already; nothing to go on with")
    if report["fingerprint"] != config.fingerprint():
        again = [f"ingest align {out} -o {out / PAIRS_FILE}"] if align else []
        again += [_again(str(out), translate)] if translate else []
        raise ConfigError(
            f"{out}: the run had other settings; with those of now: {' and '.join(again)}"
        )
    return align, translate


def add_pairs(out: str, config: Config) -> dict[str, Any]:
    """Align the articles of a run into OUT/pairs.parquet, and say what came of it."""
    from ingest.jobs.align_run import align_run  # only runs that align need its models

    to = os.path.join(out, PAIRS_FILE)
    with _complete_but(out, "pairs", f"ingest align {out} -o {to}"):
        return align_run(out, to, config=config).to_dict()


def require_translatable(pair: tuple[str, str]) -> None:
    """Raise before a run begins that could not be translated.

    Raises:
        ConfigError: both are one language.
        ModelError: no package is installed for the pair.
        WriteError: the cache of translations cannot be written.
        MissingExtraError: the extra `translate` is not installed.
    """
    from ingest.translation.cache import Cache
    from ingest.translation.packages.install import find
    from ingest.translation.packages.validate import require

    require()
    find(*pair)
    with Cache():
        pass


def add_translations(
    out: str, pair: tuple[str, str], config: Config, progress: TranslationProgress | None = None
) -> dict[str, Any]:
    """Translate the kept segments of a run into OUT/translated.parquet, and say what came of it."""
    from ingest.jobs.translate_run import SEGMENTS_FILE, Order, translate_segments

    source, to = pair
    with _complete_but(out, "translations", _again(out, pair)):
        folder = Path(out)
        order = Order(to=to, source=source, config=config, progress=progress)
        report = translate_segments(folder / SEGMENTS_FILE, folder / TRANSLATED_FILE, order)
        return {**vars(report), "flags": dict(report.flags)}


def _again(out: str, pair: tuple[str, str]) -> str:
    """The command that makes the translations of a run."""
    return f"ingest translate {out} --from {pair[0]} --to {pair[1]} -o {out}/{TRANSLATED_FILE}"


@contextmanager
def _complete_but(out: str, what: str, command: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"{out} is complete but for its {what}; {command} makes them")
        raise

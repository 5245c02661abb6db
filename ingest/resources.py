"""Where the models and samples that ship with ingest stand.

In a checkout they are folders beside the package; in an installed wheel they are inside it.
"""

from __future__ import annotations

from pathlib import Path

from ingest.errors import ModelError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / folder).is_dir():
            return root / folder
    raise ModelError(f"{folder}/ is missing beside {_PACKAGE}: reinstall ingest")


def model_dir(name: str) -> Path:
    """The folder of one shipped model.

    Raises:
        ModelError: nothing of that name is shipped.

    >>> model_dir("langdetect").name
    'langdetect'
    """
    path = _shipped("lang_models") / name
    if not path.is_dir():
        raise ModelError(f"lang_models/{name} is missing: reinstall ingest")
    return path


def samples() -> Path:
    """The folder of sample pages, as `ingest samples` prints it.

    >>> samples().name
    'scrapes'
    """
    return _shipped("corpora") / "scrapes"

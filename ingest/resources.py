"""Locate and load the models and samples that ship with ingest.

In a checkout they are folders beside the package. In an installed wheel they are inside it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ModelError

_LABELLING_MODELS = (
    "langdetect/??", "langdetect/???", "lid/*.npz", "roles/*.txt", "roles/roles.npz",
)  # fmt: skip
_PACKAGE = Path(__file__).resolve().parent
# What NumPy raises for a file that is not a sound archive; TypeError, for a single array.
_DAMAGED = (OSError, ValueError, EOFError, TypeError, BadZipFile, zlib.error, NotImplementedError)


def _shipped(folder: str) -> Path:
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / folder).is_dir():
            return root / folder
    raise ModelError(f"{_PACKAGE}: {folder}/ is missing; reinstall ingest")


def model_dir(name: str) -> Path:
    """Return the folder of a shipped model.

    Raises:
        ModelError: no model of that name ships with ingest.

    >>> model_dir("langdetect").name
    'langdetect'
    """
    path = _shipped("lang_models") / name
    if not path.is_dir():
        raise ModelError(f"lang_models/{name} is missing; reinstall ingest")
    return path


def models_digest() -> str:
    """Return a hash of the models that label pages, to tell whether two machines have the same.

    >>> len(models_digest())
    16
    """
    digest = blake2b(digest_size=8)
    for pattern in _LABELLING_MODELS:
        for path in sorted(_shipped("lang_models").glob(pattern)):
            digest.update(path.name.encode())
            digest.update(blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def samples() -> Path:
    """Return the folder of sample pages, as `ingest samples` prints it.

    >>> samples().name
    'scrapes'
    """
    return _shipped("corpora") / "scrapes"


def load_npz(path: Path, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """Load arrays from an `.npz` file, without pickled objects.

    Args:
        path: the file.
        names: the arrays to load; all arrays of the file if None.

    Raises:
        ModelError: the file is missing or damaged, or lacks one of the arrays.

    >>> sorted(load_npz(model_dir("lid") / "Latn.npz", ["orders", "langs"]))
    ['langs', 'orders']
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in (archive.files if names is None else names)}
    except KeyError as error:
        raise ModelError(
            f"{path}: an array is missing ({error.args[0]}); rebuild or reinstall it"
        ) from error
    except _DAMAGED as error:
        raise ModelError(f"{path}: cannot be loaded ({error}); rebuild or reinstall it") from error

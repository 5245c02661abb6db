"""All exceptions that ingest raises on purpose.

    IngestError
    ├── ConfigError        a setting is unknown, or its value cannot be used
    ├── SourceError        an input cannot be found, read or decoded
    ├── OutputError        an output exists already
    │   └── WriteError     an output could not be written: disk full, folder read-only
    ├── FrameError         a frame lacks a column, or a column has the wrong type
    ├── AlignError         two texts cannot be aligned: one is empty, or in another language
    ├── ModelError         a model is missing or damaged
    └── MissingExtraError  an optional package is not installed

Each message says where the problem is (file, record or column), what it is, and what to do.
"""

from __future__ import annotations


class IngestError(Exception):
    """Base class of all exceptions that ingest raises on purpose."""


class ConfigError(IngestError):
    """A setting is unknown, or its value cannot be used."""


class SourceError(IngestError):
    """An input cannot be found, read or decoded."""


class OutputError(IngestError):
    """An output exists already."""


class WriteError(OutputError):
    """An output could not be written: disk full, folder read-only."""


class FrameError(IngestError):
    """A frame lacks a column, or a column has the wrong type."""


class AlignError(IngestError):
    """Two texts cannot be aligned: one is empty, or in another language."""


class ModelError(IngestError):
    """A model is missing or damaged."""


class MissingExtraError(IngestError):
    """An optional package is not installed.

    >>> str(MissingExtraError("cld2", "pycld2"))
    'pycld2 is not installed: pip install "ingest[cld2]", in a clone uv sync --extra cld2'
    """

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f'{package} is not installed: pip install "ingest[{extra}]", '
            f"in a clone uv sync --extra {extra}"
        )
        self.extra = extra
        self.package = package

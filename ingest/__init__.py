"""Mixed Arabic-English scrapes in, labelled Polars frames out.

    documents = ingest.read("corpora/scrapes")
    segments = ingest.label(ingest.detect(ingest.segment(documents)))

Each verb is a plain function from frame to frame; `ingest.run` does them all and writes files.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name stands. They are loaded when first used: `ingest --help` needs no Polars.
_HOME = {
    "read": "ingest.read",
    "segment": "ingest.segment",
    "detect": "ingest.detect",
    "identify": "ingest.detect",
    "label": "ingest.label",
    "dedupe": "ingest.dedupe",
    "run": "ingest.pipeline",
    "export": "ingest.export",
    "align": "ingest.align.verbs",
    "pair_pages": "ingest.align.documents",
    "Encoder": "ingest.align.encoder",
    "translate": "ingest.translate.verbs",
    "filter": "ingest.filter",
    "funnel": "ingest.filter",
    "mask_pii": "ingest.pii",
    "score": "ingest.score",
    "split": "ingest.split",
    "take_pairs": "ingest.take",
    "samples": "ingest.models",
    "Config": "ingest.config",
    "IngestError": "ingest.errors",
}

__all__ = [
    "Config", "Encoder", "IngestError", "align", "dedupe", "detect", "export", "filter", "funnel",
    "identify", "label", "mask_pii", "pair_pages", "read", "run", "samples", "score", "segment",
    "split", "take_pairs", "translate",
]  # fmt: skip

if TYPE_CHECKING:
    from ingest.align.documents import pair_pages
    from ingest.align.encoder import Encoder
    from ingest.align.verbs import align
    from ingest.config import Config
    from ingest.dedupe import dedupe
    from ingest.detect import detect, identify
    from ingest.errors import IngestError
    from ingest.export import export
    from ingest.filter import filter, funnel
    from ingest.label import label
    from ingest.models import samples
    from ingest.pii import mask_pii
    from ingest.pipeline import run
    from ingest.read import read
    from ingest.score import score
    from ingest.segment import segment
    from ingest.split import split
    from ingest.take import take_pairs
    from ingest.translate.verbs import translate


class _Package(ModuleType):
    """Gives the verb where a module of the same name has been loaded, such as ingest.segment."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _HOME:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'ingest' has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted([*__all__, "__version__"])


sys.modules[__name__].__class__ = _Package

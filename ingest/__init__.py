"""Turn mixed Arabic–English scrapes into labelled Polars frames.

    documents = ingest.read("corpora/scrapes")
    segments = ingest.label(ingest.detect(ingest.segment(documents)))

Each verb is a pure function from frame to frame. `ingest.run` applies all of them and writes files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingest._version import __version__

# The module that defines each public name. Names load on first use, so `--help` needs no Polars.
_PUBLIC_NAMES = {
    "ingest.alignment": ("align", "align_lines"),
    "ingest.annotation": ("annotate",),
    "ingest.config": (
        "AlignConfig", "Config", "DedupeConfig", "DetectConfig", "FilterConfig", "LabelConfig",
        "ReadConfig", "RunConfig", "SegmentConfig", "SplitConfig", "TranslateConfig",
    ),
    "ingest.dedup": ("dedupe",),
    "ingest.detection": ("detect", "identify"),
    "ingest.encoder.model": ("Encoder",),
    "ingest.errors": (
        "AlignError", "ConfigError", "FrameError", "IngestError", "MissingExtraError",
        "ModelError", "OutputError", "SourceError", "WriteError",
    ),
    "ingest.filtering": ("filter", "funnel"),
    "ingest.jobs.dataset": ("make_dataset",),
    "ingest.jobs.export": ("export",),
    "ingest.jobs.export_texts": ("export_texts",),
    "ingest.jobs.run": ("run",),
    "ingest.labelling": ("label",),
    "ingest.pairing": ("pair_pages",),
    "ingest.pairing.sentences": ("align_pages",),
    "ingest.pairs": ("read_pairs",),
    "ingest.pii": ("mask_pii",),
    "ingest.readers": ("read",),
    "ingest.resources": ("samples",),
    "ingest.scoring": ("score",),
    "ingest.segmentation": ("segment",),
    "ingest.splitting": ("split",),
    "ingest.translation": ("translate",),
    "ingest.word_alignment": ("align_words",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _PUBLIC_NAMES.items() for name in names}

if TYPE_CHECKING:
    from ingest.alignment import align, align_lines
    from ingest.annotation import annotate
    from ingest.config import (
        AlignConfig,
        Config,
        DedupeConfig,
        DetectConfig,
        FilterConfig,
        LabelConfig,
        ReadConfig,
        RunConfig,
        SegmentConfig,
        SplitConfig,
        TranslateConfig,
    )
    from ingest.dedup import dedupe
    from ingest.detection import detect, identify
    from ingest.encoder.model import Encoder
    from ingest.errors import (
        AlignError,
        ConfigError,
        FrameError,
        IngestError,
        MissingExtraError,
        ModelError,
        OutputError,
        SourceError,
        WriteError,
    )
    from ingest.filtering import filter as filter
    from ingest.filtering import funnel
    from ingest.jobs.dataset import make_dataset
    from ingest.jobs.export import export
    from ingest.jobs.export_texts import export_texts
    from ingest.jobs.run import run
    from ingest.labelling import label
    from ingest.pairing import pair_pages
    from ingest.pairing.sentences import align_pages
    from ingest.pairs import read_pairs
    from ingest.pii import mask_pii
    from ingest.readers import read
    from ingest.resources import samples
    from ingest.scoring import score
    from ingest.segmentation import segment
    from ingest.splitting import split
    from ingest.translation import translate
    from ingest.word_alignment import align_words

# `filter` is public too, but a star import must not shadow the builtin.
__all__ = [
    "AlignConfig", "AlignError", "Config", "ConfigError", "DedupeConfig", "DetectConfig",
    "Encoder", "FilterConfig", "FrameError", "IngestError", "LabelConfig", "MissingExtraError",
    "ModelError", "OutputError", "ReadConfig", "RunConfig", "SegmentConfig", "SourceError",
    "SplitConfig",
    "TranslateConfig", "WriteError", "__version__", "align", "align_lines", "align_pages",
    "align_words", "annotate",
    "dedupe", "detect", "export", "export_texts", "funnel", "identify", "label",
    "make_dataset", "mask_pii",
    "pair_pages", "read", "read_pairs", "run", "samples", "score", "segment", "split", "translate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ingest' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_MODULE_OF, "__version__"])

"""Which sentences, and which pages, are translations of one another."""

from __future__ import annotations

from ingest.align.verbs import align, align_lines

__all__ = ["align", "align_lines"]

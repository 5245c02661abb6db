"""What speaks for and against each pair, as numbers; nothing is decided here."""

from __future__ import annotations

from ingest.score.verbs import score

__all__ = ["score"]

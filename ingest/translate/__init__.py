"""Translate segments with argos packages, each segment on its own."""

from __future__ import annotations

from ingest.translate.verbs import translate

__all__ = ["translate"]

"""Pairs that one has already, in whatever file or frame, as a frame of pairs."""

from ingest.take.verbs import take_pairs

__all__ = ["take_pairs"]

"""Pairs to train, dev and test, page by page."""

from ingest.split.verbs import split

__all__ = ["split"]

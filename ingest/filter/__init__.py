"""Which pairs are kept, and the first reason why another is not."""

from ingest.filter.verbs import filter, funnel

__all__ = ["filter", "funnel"]

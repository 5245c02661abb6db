"""Personal data in texts: found and counted, and masked if that is wanted."""

from ingest.pii.verbs import mask_pii, pii

__all__ = ["mask_pii", "pii"]

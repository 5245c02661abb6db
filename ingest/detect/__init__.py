"""Which language a segment is in: script first, then langdetect's model made exact, then the page.

`detect` names the language of each segment of a frame of pages, `identify` of texts by themselves.
"""

from ingest.detect.verbs import detect, identify

__all__ = ["detect", "identify"]

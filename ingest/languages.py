"""How long texts of one content are in different languages."""

from __future__ import annotations

from types import MappingProxyType

# Arabic was counted on FLORES devtest; the others are rough and need not be better, for
# what uses them allows texts to be twice as long.
DENSITY = MappingProxyType(
    {"zh": 0.33, "zt": 0.33, "ja": 0.45, "ko": 0.5, "he": 0.8, "ar": 0.88, "fa": 0.9}
)
"""Characters where English has one; a language that is not named is taken to be like English."""

"""Lines that say nothing by themselves: ornaments, lone numbers, links to edit a section."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.segmentation import EDIT_LINK

# Tatweel is a letter in Unicode, but a line of it is a rule: ــــــ.
_ORNAMENT = r"^(?:[^\p{L}\p{N}]|\x{640})*$"
# A number of a list, a counter, or a page: up to three digits, and no currency or percent sign.
_LONE_NUMBER = r"^[[\p{P}\p{Z}]--%٪]*\p{Nd}{1,3}[[\p{P}\p{Z}]--%٪]*$"
# In a heading or a table, a number alone has a meaning.
_HAS_MEANING = r"/(?:h[1-6]|td|th|dd|title)(?:\[\d+\])?(?:/|$)"


def find_bare(segments: pl.DataFrame) -> Bools:
    """Find ornaments, lone numbers and links to edit a section.

    Args:
        segments: the columns text, lang and block.

    >>> text = ["ــــــــ", "* * *", "20", "1984 was hot.", "[عدل | عدل المصدر]"]
    >>> frame = pl.DataFrame({"text": text, "lang": ["zxx", "zxx", "zxx", "en", "ar"],
    ...                       "block": [None] * 5}, schema_overrides={"block": pl.String})
    >>> find_bare(frame).tolist()
    [True, True, True, False, True]
    """
    text, block = pl.col("text"), pl.col("block").fill_null("")
    rows = segments.select("text", "block", "lang").with_row_index("row")
    without_language = rows.filter(pl.col("lang") == "zxx")
    number = text.str.contains(_LONE_NUMBER) & ~block.str.contains(_HAS_MEANING)
    found = [
        without_language.filter(text.str.contains(_ORNAMENT) | number),
        rows.filter(text.str.ends_with("]")).filter(text.str.contains(f"^(?:{EDIT_LINK})$")),
    ]
    bare = np.zeros(len(segments), bool)
    bare[pl.concat(found)["row"].to_numpy()] = True
    return bare

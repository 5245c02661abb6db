"""Find segments whose text is damaged, and cannot be put right."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.readers.visual_order import find_visual_order

_LOST = "\ufffd"
# Characters that were lost: this many in a segment, and this share of it. One or two in a paragraph
# leave it readable.
_MIN_LOST, _MIN_LOST_SHARE = 2, 0.02
# Letters apart from each other, like `ا ل ع ر ب ي ة`, make up a line or most of it.
_SPACED = r"(?:^|\s)\p{L}\p{M}*(?:\s{1,3}\p{L}\p{M}*){5,}(?:\s|$)"
_MIN_SPACED_SHARE = 0.5
# UTF-8 that was read as windows-1252, with bytes that nobody can restore.
_BROKEN = r"[\u00d8-\u00db][\u0080-\u00bf\u0152-\u02dc\u2013-\u2122\ufffd?]"
_MIN_BROKEN = 4
_MAY_BE_VISUAL = (" ة", " ى", " ء", "لا ")


def find_damaged(segments: pl.DataFrame) -> Bools:
    r"""Find segments with lost letters, letters apart, or letters in visual order.

    Args:
        segments: the columns text and script.

    Returns:
        bool [segments].

    >>> texts = ["ا ل ع ر ب ي ة", "a\ufffd\ufffd c", ".ةيلحملا ةيمنتلا قودنص نم ءاج", "سوق"]
    >>> find_damaged(pl.DataFrame({"text": texts, "script": "Arab"})).tolist()
    [True, True, True, False]
    """
    text = pl.col("text")
    lost = text.str.count_matches(_LOST, literal=True)
    spaced = text.str.extract_all(_SPACED).list.join("").str.len_chars()
    size = text.str.len_chars()
    masks = segments.select(
        lost=text.str.contains(_LOST, literal=True),
        spaced=text.str.contains(_SPACED),
        broken=text.str.contains(_BROKEN),
        visual=(pl.col("script") == "Arab") & text.str.contains_any(list(_MAY_BE_VISUAL)),
    )
    damaged = np.zeros(len(segments), bool)
    for name, is_damaged in (
        ("lost", (lost >= _MIN_LOST) & (lost >= _MIN_LOST_SHARE * size)),
        ("spaced", spaced >= _MIN_SPACED_SHARE * size),
        ("broken", text.str.count_matches(_BROKEN) >= _MIN_BROKEN),
    ):
        rows = masks[name].fill_null(value=False).arg_true()
        if len(rows):
            found = segments.select(text.gather(rows)).select(is_damaged).to_series()
            damaged[rows.to_numpy()] |= found.to_numpy()
    rows = masks["visual"].fill_null(value=False).arg_true()
    if len(rows):
        damaged[rows.to_numpy()] |= find_visual_order(segments["text"].gather(rows).to_list())
    return damaged

"""Equal numbers have equal keys, in any digits."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingest.numbers import ascii_digits, number_keys

NUMBERS = st.sampled_from(
    ["12", "1,500", "7:30", "1.1.1.1", "14/03/2021", "2021-03-14", "3.5", "a", "-"]
)


@given(st.lists(st.lists(NUMBERS, max_size=5).map(" ".join), max_size=6))
def test_the_digits_of_a_language_make_no_difference(texts):
    keys = number_keys(pl.Series(texts, dtype=pl.String)).to_list()
    assert len(keys) == len(texts)
    for first, system in ((0x660, "arabic"), (0x6F0, "persian"), (0xFF10, "wide")):
        turned = [text.translate({48 + n: first + n for n in range(10)}) for text in texts]
        assert number_keys(pl.Series(turned, dtype=pl.String)).to_list() == keys, system
        assert [ascii_digits(text) for text in turned] == texts
    assert keys == [number_keys(pl.Series([text]))[0].to_list() for text in texts]

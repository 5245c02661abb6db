"""Counts over arrays of characters agree with patterns over texts."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.detection.char_kinds import COMPATIBILITY_FORMS, CharKinds
from ingest.detection.informal import fold_informal, may_be_informal
from ingest.detection.rules import load_rules
from ingest.detection.script import detect_scripts

NAME = r"\p{Lu}[\p{L}\p{M}\d'’®-]*"
TEXTS = st.lists(
    st.text("aABéßẞ'’-®1۲ٱابـًُ\u200c\u0301ⅷ中あไภдДअि .ﬁﷺＡ😀\u0345ªʕ", max_size=25), max_size=5
)


def _word(script: str) -> str:
    return rf"[\p{{{script}}}&&\p{{L}}][\p{{{script}}}\p{{M}}'’\u{{200c}}\u{{200d}}]*"


@given(TEXTS)
def test_counts_agree_with_patterns(texts: list[str]):
    series = pl.Series(texts, dtype=pl.String)
    chars = CharKinds(series)
    words, names = chars.words(), chars.names()

    def count(pattern: str) -> list[int]:
        return series.str.count_matches(pattern).to_list()

    assert chars.letters.tolist() == count(r"\p{L}")
    assert chars.upper.tolist() == count(r"\p{Lu}")
    assert chars.lower.tolist() == count(r"\p{Ll}")
    assert chars.forms.tolist() == count(COMPATIBILITY_FORMS)
    assert names.number.tolist() == count(NAME)
    outside = series.str.replace_all(NAME, " ").str.count_matches(r"\p{L}").to_list()
    assert (chars.letters - names.letters).tolist() == outside
    for number, script in enumerate(load_rules()["scripts"], 1):
        if script["spaced"]:
            assert words[:, number].tolist() == count(_word(script["property"]))


@given(TEXTS)
def test_texts_that_are_not_informal_stay_as_they_are(texts: list[str]):
    series = pl.Series([*texts, "a b c d", "nooo"], dtype=pl.String)
    usual = ~may_be_informal(CharKinds(series))
    assert fold_informal(series).filter(pl.Series(usual)).equals(series.filter(pl.Series(usual)))
    assert not usual[-2:].any()


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["\u0301", "", "1"]])
def test_texts_without_letters(texts: list[str]):
    frame = detect_scripts(pl.Series(texts, dtype=pl.String))
    assert frame["script"].to_list() == ["Zyyy"] * len(texts)
    assert frame["lang"].to_list() == ["zxx"] * len(texts)

"""The transfer of public gold to segments, which the role model is trained on."""

from __future__ import annotations

import pytest

from lang_models.roles.web_gold import DROP, KEEP, UNKNOWN, letters, transfer

LONG = "The harbour opened again on Tuesday, after a long winter."
OTHER = "Boats will leave for the islands every morning, the company said."
GOLD = f"{LONG}\nIn the morning\n{OTHER}\nOne: bread"


def labels(*texts: str) -> list[int]:
    lines = {letters(line) for line in GOLD.split("\n")}
    return transfer(texts, letters(GOLD), lines).tolist()


def test_a_long_segment_is_content_if_its_letters_occur_in_the_gold():
    assert labels(LONG.upper(), "Subscribe to our newsletter today!") == [KEEP, DROP]


def test_punctuation_alone_says_nothing():
    assert labels("---") == [UNKNOWN]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([LONG, "In the morning", OTHER], [KEEP, KEEP, KEEP]),  # a line of the gold near content
        (["Share", "In the morning", "Print"], [DROP, DROP, DROP]),  # the same words in a menu
        ([LONG, "bread", OTHER], [KEEP, KEEP, KEEP]),  # part of a line, between content
        ([LONG, "bread"], [KEEP, DROP]),  # part of a line, at the edge of the content
    ],
)
def test_a_short_segment_is_decided_by_its_neighbours(texts, expected):
    assert labels(*texts) == expected

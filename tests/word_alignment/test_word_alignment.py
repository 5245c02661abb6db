"""Which words of a pair translate each other."""

from __future__ import annotations

import itertools
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ingest
from ingest.errors import FrameError
from ingest.frames import PAIRS, schema
from ingest.word_alignment import align_words, paths, swap_sides
from ingest.word_alignment.affixes import affix_bits
from ingest.word_alignment.paths import best_path
from ingest.word_alignment.similarity import PADDING
from ingest.word_alignment.symmetry import symmetrize
from ingest.word_alignment.tokens import MAX_TOKENS

SEPARATOR = re.compile("[\0-\x20\x7f-\x9f\u2028\u2029]+")
WORDS = [
    "the", "The", "book", "and", "his", "red", "house,", "(ping)", "3", "2,000", "&", "-", "«", "%s",
    "https://example.com/a", "London", "😀", "你好", "a\xa0b", "\u200f", "\ufffd", "،", "الكتاب", "والبيت،",
    "كتابه", "أحمر", "في", "لندن", "٣", "بِالْكِتَابِ", "ـ", "و", "<EMAIL_1>",
]  # fmt: skip
SPACES = [" ", " ", " ", "  ", "\t", "\n", "\r\n", "\u2028", "\0", "\x85", ""]
texts = st.lists(st.sampled_from(WORDS) | st.sampled_from(SPACES), max_size=14).map(" ".join) | st.text(
    max_size=12
).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))  # fmt: skip
rows = st.lists(st.tuples(texts, texts), max_size=6)


def frame(rows, source_lang="en", target_lang="ar") -> pl.DataFrame:
    usual = dict.fromkeys(schema(PAIRS)) | {"source_lang": source_lang, "target_lang": target_lang}
    records = [usual | {"source_text": s, "target_text": t} for s, t in rows]
    return pl.DataFrame(records, schema(PAIRS))


def links(*rows, **langs) -> list[str | None]:
    return align_words(frame(rows, **langs))["word_alignment"].to_list()


def parse(text: str) -> list[tuple[int, int]]:
    return [(int(i), int(j)) for i, j in (link.split("-") for link in text.split())]


def named(source: str, target: str, **langs) -> set[tuple[str, str]]:
    """The linked tokens themselves."""
    found = parse(links((source, target), **langs)[0])
    return {(source.split()[i], target.split()[j]) for i, j in found}


def test_words_are_linked_to_their_translations():
    assert named("The red house is in London", "البيت الأحمر في لندن") >= {
        ("red", "الأحمر"), ("house", "البيت"), ("in", "في"), ("London", "لندن"),
    }  # fmt: skip


def test_the_direction_only_turns_the_links():
    assert links(("البيت الأحمر", "the red house"), source_lang="ar", target_lang="en") == [
        "0-2 1-0 1-1"
    ]
    assert links(("the red house", "البيت الأحمر")) == ["0-1 1-1 2-0"]


def test_punctuation_and_marks_do_not_hide_a_word():
    assert named('"books", (doctors)!', "«كُتُبٌ»؛ (أطبّاء)!") == {
        ('"books",', "«كُتُبٌ»؛"), ("(doctors)!", "(أطبّاء)!"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("x , y", "س ، ص"), ("2020", "٢٠٢٠"), ("1,500", "١٬٥٠٠"), ("😀", "😀"), ("%d", "%d"),
        ("https://example.com/a?b=1", "https://example.com/a?b=1"), ("- !", "- !"), ("Docker", "Docker"),
    ],
)  # fmt: skip
def test_signs_numbers_and_names_that_are_equal(source, target):
    number = len(source.split()) // 2
    assert (number, number) in parse(links((source, target))[0])


def test_a_repeated_word_is_linked_to_the_one_in_the_same_place():
    source, target = "a book and a house and a book", "كتاب وبيت وكتاب"
    found = parse(links((source, target))[0])
    assert {(1, 0), (4, 1), (7, 2)} <= set(found)
    assert (1, 2) not in found


def test_function_words_belong_to_the_word_with_their_affix():
    found = named("and the house of his brother", "والبيت لأخيه")
    assert {("the", "والبيت"), ("house", "والبيت"), ("his", "لأخيه"), ("brother", "لأخيه")} <= found


def test_words_without_a_translation_have_no_link():
    found = named("the cat sleeps", "القطة تنام منذ البارحة هناك")
    assert not {target for _, target in found} & {"البارحة", "هناك"}


def test_pairs_without_links():
    assert links(("", "كتاب"), ("book", " \t"), ("", "")) == ["", "", ""]
    assert links(("book", None), (None, None)) == [None, None]
    assert align_words(frame([]))["word_alignment"].dtype == pl.String


def test_other_languages_have_no_alignment():
    for langs in (("en", "fr"), ("ar", "ar"), ("en", "en"), (None, "ar")):
        assert links(("book", "book"), source_lang=langs[0], target_lang=langs[1]) == [None]


def test_equal_words_in_a_row_are_linked_one_by_one():
    for source, target in (("house", "بيت"), ("book", "كتاب"), ("-", "-")):
        found = links((" ".join([source] * 9), " ".join([target] * 9)))
        assert found == [" ".join(f"{n}-{n}" for n in range(9))]


def test_texts_that_are_too_long():
    long = ["book"] * MAX_TOKENS
    found = links((" ".join(long), "كتاب"), (" ".join([*long, "book"]), "كتاب"), ("a", "b " * 2000))
    assert found[0].endswith("-0")
    assert found[1:] == [None, None]


def test_a_huge_token():
    assert links(("a" * 1_000_000 + " book", "كتاب"))[0] == "1-0"


def test_no_break_spaces_do_not_separate_tokens():
    assert links(("10\xa0km book", "كتاب")) == ["1-0"]


@example([("a\tbook", "كتاب")])
@given(rows)
def test_links_are_sorted_distinct_and_in_range(rows):
    for (source, target), text in zip(rows, links(*rows), strict=True):
        found = parse(text)
        sizes = [len([t for t in SEPARATOR.split(side) if t]) for side in (source, target)]
        assert found == sorted(set(found))
        assert all(i < sizes[0] and j < sizes[1] for i, j in found)
        assert text == " ".join(f"{i}-{j}" for i, j in found)


@settings(max_examples=settings.default.max_examples // 4)
@given(rows, st.randoms(use_true_random=False))
def test_links_do_not_depend_on_the_other_pairs(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    together = links(*rows)
    assert [links(row)[0] for row in rows] == together
    assert links(*(rows[n] for n in order)) == [together[n] for n in order]


@given(rows)
def test_swapped_sides_have_swapped_links(rows):
    swapped = links(*((t, s) for s, t in rows), source_lang="ar", target_lang="en")
    assert swap_sides(pl.Series(swapped, dtype=pl.String)).to_list() == links(*rows)


def test_batches_do_not_change_links(monkeypatch):
    rows = [(" ".join(WORDS[n % 9 : n % 9 + n]), " ".join(WORDS[-n:])) for n in range(1, 30)]
    expected = links(*rows)
    monkeypatch.setattr("ingest.word_alignment._CELLS", 1)
    monkeypatch.setattr("ingest.word_alignment._CHUNK", 4)
    assert links(*rows) == expected


def test_it_is_a_verb():
    pairs = frame([("book", "كتاب")]).with_columns(keep=True)
    got = ingest.align_words(pairs)
    assert got.drop("word_alignment").equals(pairs)
    assert ingest.align_words(got).equals(got)
    with pytest.raises(FrameError, match="align_words: column 'pair_id' is missing"):
        ingest.align_words(pl.DataFrame({"a": [1]}))


def test_affixes():
    needs, has = affix_bits(pl.Series(["THE", "&", "their", "لِلْكتاب،", "مدينة", "كتابها"]))
    assert needs[0] & has[3]
    assert has[3] & affix_bits(pl.Series(["for"]))[0][0]
    assert not affix_bits(pl.Series(["his"]))[0][0] & has[4]
    assert needs[2] & has[5]
    assert needs[1] == affix_bits(pl.Series(["and"]))[0][0]


def path_score(scores, path) -> int:
    """Score of a path of (column, whether linked), one per row."""
    total = -paths._JUMP * min(path[0][0], paths._MAX_JUMPS)
    for row, (column, is_linked) in enumerate(path):
        total += scores[row][column] if is_linked else paths._UNLINKED
        if row:
            step = column - path[row - 1][0]
            if not is_linked and step:
                return -(10**9)
            if is_linked:
                total -= paths._JUMP * min(max(step - 1, -step), paths._MAX_JUMPS)
                total -= paths._STAY * (step == 0)
    return total


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_the_best_path_is_the_best_of_all(rows, columns, data):
    cell = st.integers(-200, 1000)
    scores = data.draw(
        st.lists(st.lists(cell, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    states = list(itertools.product(range(columns), (True, False)))
    best = max(path_score(scores, path) for path in itertools.product(states, repeat=rows))
    padded = np.full((rows + 1, columns + 2, 2), PADDING, np.int32)
    padded[:rows, :columns, 1] = scores
    padded[:, :, 0] = 0  # a longer pair beside it
    links = best_path(padded)[..., 1]
    assert not links[rows:].any()
    assert not links[:, columns:].any()
    # the best of the paths with just these links
    choices = [
        [(int(row.argmax()), True)] if row.any() else [(c, False) for c in range(columns)]
        for row in links[:rows]
    ]
    assert max(path_score(scores, path) for path in itertools.product(*choices)) == best


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_joined_links_lie_between_both_and_either(rows, columns, data):
    cells = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)
    first, second = (np.array(data.draw(cells)).reshape(rows, columns, 1) for _ in range(2))
    joined = symmetrize(first, second)
    assert (joined >= (first & second)).all()
    assert (joined <= (first | second)).all()
    turned = symmetrize(second.transpose(1, 0, 2), first.transpose(1, 0, 2))
    assert (turned.transpose(1, 0, 2) == joined).all()

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.translation.chrf import chrf

WORDS = st.lists(st.sampled_from(["a", "cat", "قطة", "على", "mat.", "7", ""]), max_size=8)
TEXTS = st.lists(st.tuples(WORDS.map(" ".join), WORDS.map(" ".join)), min_size=1, max_size=6)


@given(TEXTS)
def test_each_pair_is_judged_by_itself(pairs):
    together = chrf([a for a, _ in pairs], [b for _, b in pairs])
    alone = [chrf([a], [b])[0] for a, b in pairs]
    assert together.tolist() == alone
    assert ((together >= 0) & (together <= 100 + 1e-9)).all()


@given(TEXTS)
def test_it_is_what_sacrebleu_says(pairs):
    sacrebleu = pytest.importorskip("sacrebleu")
    wanted = [sacrebleu.sentence_chrf(a, [b]).score for a, b in pairs]
    np.testing.assert_allclose(
        chrf([a for a, _ in pairs], [b for _, b in pairs]), wanted, atol=1e-9
    )


def test_values_by_hand():
    # runs of one character: 2 of 3 and 2 of 2; of two: 1 of 2 and 1 of 1
    found = chrf(["abc"], ["ab"])[0]
    p, r = (2 / 3 + 1 / 2) / 2, 1.0
    assert found == pytest.approx(100 * 5 * p * r / (4 * p + r))
    assert chrf([], []).tolist() == []
    assert chrf(["", " "], ["a", ""]).tolist() == [0.0, 0.0]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.translation.chrf import chrf

WORDS = st.lists(st.sampled_from(["a", "cat", "قطة", "على", "mat.", "7", ""]), max_size=8)
TEXTS = st.lists(st.tuples(WORDS.map(" ".join), WORDS.map(" ".join)), min_size=1, max_size=6)


@given(TEXTS)
def test_each_pair_is_scored_on_its_own(pairs):
    together = chrf([a for a, _ in pairs], [b for _, b in pairs])
    alone = [chrf([a], [b])[0] for a, b in pairs]
    assert together.tolist() == alone
    assert ((together >= 0) & (together <= 100 + 1e-9)).all()


@given(TEXTS)
def test_same_as_sacrebleu(pairs):
    sacrebleu = pytest.importorskip("sacrebleu")
    expected = [sacrebleu.sentence_chrf(a, [b]).score for a, b in pairs]
    scores = chrf([a for a, _ in pairs], [b for _, b in pairs])
    np.testing.assert_allclose(scores, expected, atol=1e-9)


def test_values_by_hand():
    # unigrams: precision 2 of 3, recall 2 of 2; bigrams: 1 of 2 and 1 of 1
    p, r = (2 / 3 + 1 / 2) / 2, 1.0
    assert chrf(["abc"], ["ab"])[0] == pytest.approx(100 * 5 * p * r / (4 * p + r))
    assert chrf([], []).tolist() == []
    assert chrf(["", " "], ["a", ""]).tolist() == [0.0, 0.0]

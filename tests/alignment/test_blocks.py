"""Long texts are aligned in blocks: the size of the blocks changes no bit of the result."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.alignment import align_lines, beads, coarse, decoding, evidence, lines, posteriors
from ingest.alignment.beads import NEVER, TYPES, Band, Bead, PathSearch, best_path
from ingest.alignment.spans import line_products, row_blocks
from ingest.errors import WriteError

PLACES = [("البيت", "house"), ("المدرسة", "school"), ("السوق", "market"), ("الجسر", "bridge")]
WHOLE = 1 << 40


def make_lines(seed: int, count: int) -> tuple[list[str], list[str]]:
    """Two texts; some lines, and a passage in the middle, are on one side only."""
    dice = random.Random(seed)
    ar, en = [], []
    passage = range(count // 2, count // 2 + dice.randrange(1, count // 3))
    for at in range(count):
        number, (arabic, english) = dice.randrange(10, 5000), dice.choice(PLACES)
        alone = dice.random() < 0.1 or at in passage
        side = seed % 2 if at in passage else dice.randrange(2)
        if not alone or side == 0:
            ar.append(f"اشترى الرجل {number} كتابا من {arabic}.")
        if not alone or side == 1:
            en.append(f"The man bought {number} books from the {english}.")
    return ar, en


def set_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Let every block have about this many lines, or all."""
    monkeypatch.setattr(decoding, "_LINES", size)
    monkeypatch.setattr(lines, "_CHUNK", size)
    monkeypatch.setattr(decoding, "_MAX_SCORES", 20 * size)
    monkeypatch.setattr(decoding, "MAX_IN_MEMORY", 200 * size)
    monkeypatch.setattr(coarse, "MAX_IN_MEMORY", 200 * size)
    monkeypatch.setattr(coarse, "_ROWS", min(2 * size, 1 << 20))
    monkeypatch.setattr(beads, "_CHUNK", min(size, 1 << 20))
    monkeypatch.setattr(evidence, "_CELLS", size)
    monkeypatch.setattr(evidence, "_DIAGONALS", min(size, 1 << 20))


@pytest.mark.parametrize(("seed", "count"), [(0, 30), (1, 90), (2, 500), (3, 250), (4, 45)])
def test_blocks_do_not_change_the_pairs(monkeypatch, seed, count):
    ar, en = make_lines(seed, count)
    set_blocks(monkeypatch, WHOLE)
    whole = align_lines(ar, en)
    assert len(whole) > count / 3
    for size in (7, 64):
        set_blocks(monkeypatch, size)
        assert align_lines(ar, en).equals(whole)


def test_few_lines_against_many_in_blocks(monkeypatch):
    ar, en = make_lines(5, 400)
    set_blocks(monkeypatch, WHOLE)
    whole = align_lines(ar[150:155], en)
    set_blocks(monkeypatch, 16)
    assert align_lines(ar[150:155], en).equals(whole)


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    ar, en = make_lines(6, 100)
    set_blocks(monkeypatch, 16)
    monkeypatch.setattr("ingest.io.scratch.tmpdir", lambda: tmp_path / "missing")
    with pytest.raises(WriteError, match="TMPDIR"):
        align_lines(ar, en)


@st.composite
def bands(draw: st.DrawFn) -> Band:
    """A band whose ends are inside; its middle may lie anywhere around a path."""
    n, m = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    if draw(st.booleans()):
        return Band.full(n, m)
    moves = draw(st.permutations([1] * n + [0] * m))
    return Band.around(n, m, np.cumsum([0, *moves]), draw(st.integers(4, 9)))


def slow_path(scores: np.ndarray, band: Band) -> list[Bead]:
    """The best path, cell by cell; of equal beads it takes the first type."""
    best = {(0, 0): (np.float32(0), -1)}
    for k in range(1, band.diagonals):
        for column in range(band.width):
            i = int(band.low[k]) + column
            for kind, (a, b) in enumerate(TYPES):
                before = best.get((i - a, k - i - b))
                score = scores[k, kind, column]
                if before is None or score < NEVER / 2:
                    continue
                total = np.float32(before[0] + score)
                if (i, k - i) not in best or total > best[i, k - i][0]:
                    best[i, k - i] = total, kind
    path = []
    i, j = band.n, band.m
    while i or j:
        kind = best[i, j][1]
        i, j = i - TYPES[kind][0], j - TYPES[kind][1]
        path.append(Bead(i, j, kind))
    return path[::-1]


@given(bands(), st.integers(0, 1000), st.integers(1, 30))
def test_the_best_path_in_pieces(band, seed, size):
    dice = np.random.default_rng(seed)
    scores = dice.integers(-3, 3, (band.diagonals, len(TYPES), band.width)).astype(np.float32)
    i, j = band.cells(0, band.diagonals)
    for kind, (a, b) in enumerate(TYPES):
        exists = (i >= a) & (j >= b) & (i <= band.n) & (j <= band.m)
        scores[:, kind] = np.where(exists, scores[:, kind], NEVER)
    search = PathSearch(band)
    for first in range(0, len(scores), size):
        search.advance(scores[first : first + size])
    assert search.path() == best_path(scores, band) == slow_path(scores, band)


def test_posteriors_of_a_path_are_those_of_all_beads():
    dice = np.random.default_rng(0)
    band = Band.around(500, 400, np.linspace(0, 500, 901).astype(np.int64), 20)
    scores = dice.normal(size=(band.diagonals, len(TYPES), band.width)).astype(np.float32)
    scores[~band.inside(0, band.diagonals)[:, None].repeat(len(TYPES), axis=1)] = NEVER
    path = [bead for bead in best_path(scores, band) if min(TYPES[bead.type])]
    of_path = posteriors.path_posteriors(path, lambda first, last: scores[first:last], band)
    of_all = posteriors.posteriors(scores, band)
    for bead, p in zip(path, of_path, strict=True):
        i, j = bead.i + TYPES[bead.type][0], bead.j + TYPES[bead.type][1]
        assert of_all[i + j, bead.type, i - band.low[i + j]] == p


@given(st.integers(0, 30_000))
def test_blocks_of_rows_are_never_small(rows):
    blocks = list(row_blocks(rows))
    assert [first for first, _ in blocks] == [0, *(last for _, last in blocks[:-1])]
    assert blocks[-1][1] == rows
    assert len(blocks) == 1 or all(last - first > 2000 for first, last in blocks)


@pytest.mark.parametrize("few", [1, 2, 40])
def test_products_in_blocks_are_those_of_whole_matrices(few):
    dice = np.random.default_rng(few)
    source, target = (dice.normal(size=(n, 64)).astype(np.float32) for n in (few, 10_001))
    band = Band.full(few, len(target))
    products = line_products(lambda a, b: source[a:b], lambda a, b: target[a:b], band)
    i, j = band.cells(0, band.diagonals)
    ok = (i > 0) & (j > 0) & (j <= band.m)
    assert np.array_equal(products[ok], (source @ target.T)[i[ok] - 1, j[ok] - 1])
    assert not products[~ok].any()

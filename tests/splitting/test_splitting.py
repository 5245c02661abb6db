"""Train, dev and test: what must stay together, and a search for leaks by brute force."""

from __future__ import annotations

import random
from itertools import combinations, pairwise, product

import numpy as np
import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ingest
from ingest.config import Config, SplitConfig
from ingest.errors import ConfigError, FrameError
from ingest.filtering import contamination
from ingest.filtering.contamination import ReferenceGrams, ReferenceTexts
from ingest.frames import PAIRS, schema
from ingest.io import buckets
from ingest.io.buckets import BucketStore
from ingest.minhash import components, similar_pairs, text_signatures
from ingest.splitting import drawing, exact, keys, similar
from ingest.splitting.keys import TEXTS

HALF = SplitConfig(dev=0.2, test=0.2)


def frame(rows) -> pl.DataFrame:
    usual = {"source_lang": "ar", "target_lang": "en", "method": "aligned", "score": 0.9}
    records = [{"pair_id": f"{n:04}", **usual, **row} for n, row in enumerate(rows)]
    keep = {"keep": pl.Boolean} if any("keep" in row for row in records) else {}
    return pl.DataFrame(records, {**schema(PAIRS), **keep})


def corpus(pages=60, seed=5) -> pl.DataFrame:
    """Pages of sentences, some of which stand on another page too: the same, in another form,
    nearly so, or translated by a machine."""
    rnd = random.Random(seed)
    words = {
        "en": ["".join(rnd.choices("abcdefghij", k=5)) for _ in range(3000)],
        "ar": ["".join(rnd.choices("ابتثجحخدذر", k=5)) for _ in range(3000)],
    }

    def sentence(lang):
        return rnd.choices(words[lang], k=rnd.randint(6, 14))

    rows = []
    for page in range(pages):
        for _ in range(rnd.randint(1, 6)):
            source, target = sentence("ar"), sentence("en")
            if rows and rnd.random() < 0.12:
                other = rnd.choice(rows)
                one, two = other["source_text"].split(), other["target_text"].split()
                kind = rnd.randrange(5)
                if kind == 0:
                    source = one
                elif kind == 1:
                    target = [word.upper() + "," for word in two]
                elif kind == 2:
                    target = [*two[:-1], "changed"]
                elif kind == 3:
                    source = ["أخرى", *one[1:]]
                else:
                    source, target = two, sentence("ar")
            row = {"source_text": " ".join(source), "target_text": " ".join(target)}
            row |= {"source_doc": f"a{page}", "target_doc": f"e{page}"}
            rows.append(row)
            if rnd.random() < 0.2:
                machine = {"target_text": " ".join(sentence("en")), "target_doc": None}
                rows.append({**row, **machine, "method": "translated"})
    return frame(rows)


def folded(text):
    return regex.findall(r"[\p{L}\p{M}\p{N}]+", text.lower().translate(str.maketrans("أإآ", "ااا")))


def similarity(one, other):
    """Return the share of word bigrams that both texts have."""
    if one == other:
        return 1.0
    a, b = ({*pairwise(words)} or {tuple(words)} for words in (one, other))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_leaks(seed):
    pairs = corpus(seed=seed)
    assigned = ingest.split(pairs, config=HALF)
    assert set(assigned["split"].drop_nulls()) == {"train", "dev", "test"}
    parts = {name: assigned.filter(split=name).to_dicts() for name in ("train", "dev", "test")}
    for one, other in combinations(parts, 2):
        texts = [
            [folded(row[side]) for row in parts[name] for side in ("source_text", "target_text")]
            for name in (one, other)
        ]
        assert max(similarity(a, b) for a, b in product(*texts)) < HALF.near
        docs = [
            {row[side] for row in parts[name] for side in ("source_doc", "target_doc")} - {None}
            for name in (one, other)
        ]
        assert not docs[0] & docs[1]


def matches(text, reference, similar=0.6, contained=0.9):
    """Whether a text and a reference match, each given as a list of words, by definition."""
    a, b = ({*pairwise(words)} or {tuple(words)} - {()} for words in (text, reference))
    common = len(a & b)
    return (
        text == reference
        or common >= max(similar * len(a | b), 1)
        or (len(b) >= 5 and common >= contained * len(b))
        or (len(a) >= 5 and common >= 0.9 * len(a))
    )


@given(st.randoms(use_true_random=False))
@settings(max_examples=settings.default.max_examples // 4)
def test_matches_are_those_of_the_definition(rnd):
    words = [f"w{n}" for n in range(rnd.choice([6, 30, 300]))]
    references = [rnd.choices(words, k=rnd.randint(0, 14)) for _ in range(30)]
    texts = []
    for _ in range(60):
        words_of_text = list(rnd.choice(references))
        kind = rnd.randrange(4)
        if kind == 0 and words_of_text:
            words_of_text[rnd.randrange(len(words_of_text))] = rnd.choice(words)
        elif kind == 1:
            words_of_text = [*rnd.choices(words, k=6), *words_of_text, rnd.choice(words)]
        elif kind == 2:
            words_of_text = words_of_text[2:]
        texts.append(words_of_text)
    groups = np.array([rnd.randrange(7) for _ in references])
    own = np.array([rnd.randrange(-1, 7) for _ in texts])
    index = ReferenceTexts(
        pl.Series([" ".join(words) for words in references], dtype=pl.String),
        min_similarity=0.6, min_contained=0.75, groups=groups,
    )  # fmt: skip
    wanted = {
        (t, g)
        for (t, text), (words, g) in product(
            enumerate(texts), zip(references, groups.tolist(), strict=True)
        )
        if (text or words) and matches(text, words, contained=0.75) and g != own[t]
    }
    series = pl.Series([" ".join(words) for words in texts], dtype=pl.String)
    found = index.find_matches(series, own).rows()
    # texts without words have only themselves in common
    assert sorted(wanted) == [(t, g) for t, g in found if texts[t]]


def test_the_size_of_batches_does_not_change_what_matches(monkeypatch):
    texts = corpus()["target_text"]
    texts = pl.concat([texts, texts[:50] + " " + texts[50:100]])
    references = ReferenceTexts(texts[100:], min_similarity=0.6)
    whole = references.find_matches(texts)
    words = [folded(text) for text in texts]
    assert whole.rows() == [
        (a, b)
        for a, b in product(range(len(words)), range(len(words) - 100))
        if matches(words[a], words[b + 100])
    ]
    monkeypatch.setattr(contamination, "_BATCH_CANDIDATES", 7)
    monkeypatch.setattr(contamination, "_BATCH_TEXTS", 11)
    assert references.find_matches(texts).equals(whole)


@pytest.fixture
def compared(monkeypatch):
    """How many texts and references were compared in each batch."""
    sizes = []
    count = ReferenceGrams._count_common

    def counted(self, text, line, keys):
        sizes.append(len(text))
        return count(self, text, line, keys)

    monkeypatch.setattr(ReferenceGrams, "_count_common", counted)
    return sizes


def test_lines_that_permute_a_few_words(compared, monkeypatch):
    """Each is compared with about as many others, whatever their number; equal ones are found."""
    monkeypatch.setattr(contamination, "_MAX_LOOKED_AT", 16)
    draw = random.Random(1)
    words = [f"word{n}" for n in range(12)]
    lines = pl.Series([" ".join(draw.sample(words, 12)) for _ in range(3000)])
    totals, found = [], []
    for size in (700, 1400):
        compared.clear()
        references = ReferenceTexts(lines[:size], min_similarity=0.6, groups=np.zeros(size, int))
        texts = pl.concat([lines[-size:], lines[:1]])
        found.append(references.find_matches(texts).rows()[-1])
        totals.append(sum(compared))
    assert totals[1] < 2.5 * totals[0]
    assert found == [(700, 0), (1400, 0)]


@pytest.mark.parametrize(
    "template",
    ["self.assertEqual(value, {})", "if value == {} return the value of the table", "x {}", "let it be {} now"],
)  # fmt: skip
@pytest.mark.parametrize("own", [-1, 0])
def test_lines_of_one_template_are_compared_a_few_times_each(template, own, compared):
    lines = pl.Series([template.format(n) for n in range(1500)])
    groups = np.zeros(500, np.int64)
    references = ReferenceTexts(lines[:500], min_similarity=0.6, groups=groups)
    references.find_matches(lines[500:], np.full(1000, own))
    assert sum(compared) <= 4 * len(lines)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_text_contains_a_text_of_another_split(seed):
    rnd = random.Random(4)
    words = ["".join(rnd.choices("abcdefghij", k=5)) for _ in range(2000)]
    rows = []
    for n in range(40):
        short = rnd.choices(words, k=8)
        long = [*rnd.choices(words, k=6), *short, *rnd.choices(words, k=6)]
        rows += [{"source_text": f"نص {n} {k}", "target_text": " ".join(t)}
                 for k, t in enumerate((short, long))]  # fmt: skip
    config = SplitConfig(by="text", dev=0.0, test=0.3, seed=seed)
    assigned = ingest.split(frame(rows), config=config)
    assert set(assigned["split"]) == {"train", "test"}
    for short, long in assigned["split"].reshape((40, 2)).to_list():
        assert short == long


def test_sizes_and_seeds():
    pairs = corpus().filter(method="aligned")
    assigned = ingest.split(pairs, config=HALF)
    sizes = dict(assigned["split"].value_counts().iter_rows())
    assert abs(sizes["dev"] - 0.2 * len(pairs)) <= 3
    assert abs(sizes["test"] - 0.2 * len(pairs)) <= 3
    other = ingest.split(pairs, config=SplitConfig(dev=0.2, test=0.2, seed=2))
    assert assigned["split"].to_list() != other["split"].to_list()
    counted = ingest.split(pairs, config=SplitConfig(dev=10, test=0))["split"]
    assert dict(counted.value_counts().iter_rows()) == {"train": len(pairs) - 10, "dev": 10}


@pytest.mark.parametrize("make", [corpus, lambda: with_originals(60)])
def test_what_is_on_disk_and_compared_in_chunks_changes_nothing(make, monkeypatch):
    pairs = make()
    config = SplitConfig(dev=0.2, test=0.2, by="text")
    usual = [ingest.split(pairs, config=each)["split"].to_list() for each in (HALF, config)]
    for module in (keys, similar, exact):
        monkeypatch.setattr(module, "_MAX_IN_MEMORY", 0)
    monkeypatch.setattr(keys, "BATCH_SIZE", 17)
    monkeypatch.setattr(similar, "_ROW_BATCH", 10)
    monkeypatch.setattr(exact, "_REFERENCES", (50, 4))
    monkeypatch.setattr(exact, "_TEXTS", (90, 9))
    monkeypatch.setattr(drawing, "_GROUPS_AT_ONCE", 3)
    monkeypatch.setattr(drawing, "_ROW_BATCH", 11)
    monkeypatch.setattr(buckets, "_READ_BYTES", 100)
    monkeypatch.setitem(BucketStore.__init__.__kwdefaults__, "max_in_memory", 0)
    again = [ingest.split(pairs, config=each)["split"].to_list() for each in (HALF, config)]
    assert again == usual


def test_machine_text_that_is_allowed_counts_as_any_other():
    rows = [
        {"source_text": f"نص {n} {n * 7}", "target_text": f"text {n // 3} of {n // 3 * 7}"}
        | {"method": "translated" if n % 2 else "aligned"}
        for n in range(90)
    ]
    assigned = ingest.split(frame(rows), config=SplitConfig(dev=12, test=12, machine=True))
    assert dict(assigned["split"].value_counts().rows()) == {"train": 66, "dev": 12, "test": 12}


def test_the_order_of_rows_does_not_matter():
    pairs = corpus()
    assigned = ingest.split(pairs, config=HALF)
    assert_frame_equal(ingest.split(pairs, config=HALF), assigned)
    mixed = ingest.split(pairs.sample(fraction=1, shuffle=True, seed=9), config=HALF)
    assert_frame_equal(mixed.sort("pair_id"), assigned.sort("pair_id"))


def test_machine_text_is_in_dev_and_test_only_if_asked_for():
    pairs = corpus()
    assigned = ingest.split(pairs, config=HALF).filter(method="translated")
    assert set(assigned["split"]) == {"train", None}
    asked = ingest.split(pairs, config=SplitConfig(dev=0.2, test=0.2, machine=True))
    assert asked["split"].null_count() == 0
    assert set(asked.filter(method="translated")["split"]) - {"train"}


def test_dropped_pairs_are_in_no_split():
    rows = [
        {
            "source_text": f"جملة {n}",
            "target_text": f"Sentence {n}",
            "source_doc": f"d{n}",
            "keep": keep,
        }
        for n, keep in enumerate([True, False, None, True])
    ]
    assigned = ingest.split(frame(rows), config=SplitConfig(dev=1, test=0))
    assert assigned["split"].is_null().to_list() == [False, True, True, False]
    assert sorted(assigned["split"].drop_nulls()) == ["dev", "train"]


def test_a_group_that_is_too_large_is_skipped():
    rows = [{"source_text": f"{n}", "target_text": f"x{n}", "source_doc": "one"} for n in range(20)]
    assert set(ingest.split(frame(rows), config=HALF)["split"]) == {"train"}
    by_text = SplitConfig(dev=0.2, test=0.2, by="text")
    sizes = ingest.split(frame(rows), config=by_text)["split"].value_counts()
    assert dict(sizes.iter_rows()) == {"train": 12, "dev": 4, "test": 4}


def test_the_smallest_group_is_taken_if_all_are_too_large():
    rows = [
        {"source_text": f"{n}", "target_text": f"x{n}", "source_doc": f"d{min(n // 3, 5)}"}
        for n in range(20)
    ]
    assigned = ingest.split(frame(rows), config=SplitConfig(dev=1, test=1))
    assert dict(assigned["split"].value_counts().iter_rows()) == {"train": 14, "dev": 3, "test": 3}


@pytest.mark.parametrize("where", ["segments", "column"])
def test_copies_of_an_article_go_together(where):
    rnd = random.Random(1)
    rows = [
        {
            "source_text": " ".join(rnd.choices("ابتثجحخدذرزسش", k=8)),
            "target_text": " ".join(rnd.choices("abcdefghijklm", k=8)),
            "source_doc": f"d{n}",
        }
        for n in range(40)
    ]
    cluster = [f"c{n // 2}:1" for n in range(40)]
    segments = pl.DataFrame({"doc_id": [f"d{n}" for n in range(40)], "cluster": cluster})
    pairs = frame(rows)
    if where == "segments":
        assigned = ingest.split(pairs, segments=segments, config=HALF)
    else:
        assigned = ingest.split(pairs.with_columns(cluster=pl.Series(cluster)), config=HALF)
    assert assigned["split"].n_unique() == 3
    assert assigned.group_by(pl.Series(cluster)).agg(pl.col("split").n_unique())["split"].max() == 1


def test_segments_without_clusters_are_ignored():
    pairs = corpus()
    assigned = ingest.split(pairs, config=HALF)
    segments = pl.DataFrame({"doc_id": ["a1", "a2"]})
    assert_frame_equal(ingest.split(pairs, segments=segments, config=HALF), assigned)
    with pytest.raises(FrameError, match="split: column 'doc_id' is missing"):
        ingest.split(pairs, segments=pl.DataFrame({"cluster": ["c"]}))


def test_ten_thousand_sources():
    pairs = frame(
        [
            {
                "source_text": f"نص {n} {n * 7}",
                "target_text": f"text {n} {n * 3}",
                "source_doc": f"{n}",
            }
            for n in range(10_000)
        ]
    )
    assigned = ingest.split(ingest.filter(pairs))
    assert len(assigned) == 10_000
    assert assigned.filter("keep")["split"].null_count() == 0


def test_no_pairs_and_invalid_frames():
    assert ingest.split(frame([])).schema["split"] == pl.String
    assert ingest.split(frame([{"source_text": "a", "keep": False}]))["split"].to_list() == [None]
    with pytest.raises(FrameError, match="split: column 'method' is missing"):
        ingest.split(frame([{}]).drop("method"))
    with pytest.raises(FrameError, match="pair_id is null in 1 pairs"):
        ingest.split(frame([{"pair_id": None}]))
    with pytest.raises(FrameError, match="column 'keep' has type String, must be Boolean"):
        ingest.split(frame([{}]).with_columns(keep=pl.lit("yes")))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"dev": -1}, "split.dev: -1.0 is neither a share"),
        ({"dev": 1.5}, "split.dev: 1.5 is neither a share"),
        ({"dev": 0.5, "test": 0.5}, "leave nothing for train"),
        ({"by": "site"}, "split.by: 'site' is unknown"),
        ({"near": 0.0}, "split.near: 0.0"),
    ],
)
def test_invalid_settings(table, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_dict({"split": table})


def test_dev_and_test_do_not_take_all():
    rows = [{"source_text": f"{n}", "target_text": f"x{n}", "source_doc": f"{n}"} for n in range(3)]
    with pytest.raises(ConfigError, match="1 and 1,000 of 3 pairs leave nothing for train"):
        ingest.split(frame(rows), config=SplitConfig(dev=1, test=1000))


def test_components_equal_those_of_a_graph_search():
    rnd = np.random.default_rng(4)
    for nodes in (1, 2, 30, 200):
        one, other = rnd.integers(0, nodes, (2, nodes // 2))
        label = list(range(nodes))
        for _ in range(nodes):
            for a, b in zip(one, other, strict=True):
                label[a] = label[b] = min(label[a], label[b])
        assert components(nodes, [(one, other)]).tolist() == label


def test_signatures_estimate_similarity():
    texts = pl.Series(["a b c d e f g h i j", "a b c d e f g h i k", "k l m n o p q", "", "…"])
    edges = list(similar_pairs(text_signatures(texts), 0.6))
    one, other = (np.concatenate(side) for side in zip(*edges, strict=True))
    assert {*zip(one.tolist(), other.tolist(), strict=True)} <= {(0, 1), (1, 0)}
    assert len(one)


# splits that pairs came with


def with_originals(pages=60):
    """A corpus of which some pages were dev or test; others have copies of their texts."""
    pairs = corpus(pages)
    page = pl.col("source_doc").str.slice(1).cast(pl.Int64)
    original = pl.when(page < 4).then(pl.lit("test")).when(page < 8).then(pl.lit("dev"))
    return pairs.with_columns(split=original.otherwise(pl.lit("train")))


def test_what_was_dev_or_test_stays_there_and_is_repeated_nowhere():
    pairs = with_originals()
    again = ingest.split(pairs, config=HALF)
    both = pairs.select("pair_id", before="split").hstack(again.select("split", *TEXTS, "method"))
    for name in ("dev", "test"):
        after = both.filter(split=name)
        assert len(after)
        assert set(after["before"]) == {name}
    assert set(both.filter(before="test", method="aligned")["split"]) == {"test"}
    tests = both.filter(before="test")
    train = both.filter(split="train")
    assert len(train) > len(pairs) / 2
    for text, one in product(TEXTS, train.rows(named=True)):
        for other in tests[text]:
            assert similarity(folded(one[text]), folded(other)) < 0.8


def test_the_order_of_rows_makes_no_difference_to_original_splits():
    pairs = with_originals()
    shuffled = ingest.split(pairs.sample(fraction=1, shuffle=True, seed=3), config=HALF)
    assert_frame_equal(shuffled.sort("pair_id"), ingest.split(pairs, config=HALF).sort("pair_id"))


def test_dev_is_drawn_if_only_a_test_existed():
    pairs = with_originals().with_columns(pl.col("split").replace("dev", "train"))
    again = ingest.split(pairs, config=HALF)["split"]
    assert set(again.drop_nulls()) == {"train", "dev", "test"}
    assert pairs.filter(again == "test")["split"].unique().to_list() == ["test"]


def test_a_copy_of_a_dropped_test_pair_is_not_in_train():
    text = {"source_text": "نص في مجموعة الاختبار الأصلية", "target_text": "A text of the old test"}
    rows = [{**text, "keep": False}, {**text, "keep": True}]
    rows += [
        {"source_text": f"جملة أخرى {n} {n * 7}", "target_text": f"other {n} {n * 7}", "keep": True}
        for n in range(20)
    ]
    pairs = frame(rows).with_columns(split=pl.Series(["test", *["train"] * 21]))
    assert ingest.split(pairs, config=HALF)["split"][:2].to_list() == [None, None]

"""The role model's network: tokens of markup, and independence of the batch."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import ingest
from ingest import labelling
from ingest.config import Config, LabelConfig
from ingest.errors import ConfigError
from ingest.labelling.decision import choose_roles
from ingest.labelling.features import compute_features
from ingest.labelling.markup import table_markup
from ingest.labelling.markup_tokens import build_token_table, markup_tokens, sum_token_vectors
from ingest.labelling.network import OUTPUTS, load_network, predict_roles
from ingest.roles import KEPT_ROLES


def test_tokens_tell_near_elements_from_far_ones():
    markup = "body div.comments ul li article.post section div p"
    (tokens,) = markup_tokens(table_markup(pl.Series([markup])))
    assert "3:comments" in tokens or "2:comments" in tokens
    assert "0<p" in tokens
    assert "0:comments" not in tokens


def test_token_vectors_are_summed_once_per_distinct_markup():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    table = table_markup(pl.Series(["p", None, "div p", "p"]))
    sums = sum_token_vectors(table, build_token_table(["0<p", "1<div"]), vectors)
    assert sums[table.row_of].tolist() == [[1, 0], [0, 0], [1, 1], [1, 0]]


def test_no_sum_of_a_layer_can_be_inexact():
    network = load_network()
    layers = [network.first, network.last, *network.pools.values()]
    for layer in [*layers, *(block.point for block in network.blocks)]:
        assert (layer.weight == np.rint(layer.weight)).all()
        largest = np.abs(layer.weight).sum(axis=1).max() * layer.limit * layer.steps
        assert 1 << 22 < largest <= 1 << 24


def test_a_page_has_the_same_roles_in_any_batch():
    pages = ingest.detect(ingest.segment(ingest.read(ingest.samples())))
    together = predict_roles(compute_features(pages))
    alone = [predict_roles(compute_features(page)) for page in pages.partition_by("doc_id")]
    one_line = pages.head(1)
    assert (together == np.concatenate(alone)).all()
    many = pl.concat([one_line, pages.slice(1).with_columns(doc_id=pl.lit("other"))])
    assert (
        predict_roles(compute_features(many))[0] == predict_roles(compute_features(one_line))
    ).all()


def test_content_is_chosen_by_the_sum_of_its_roles():
    probability = np.zeros((2, len(OUTPUTS)))
    probability[0, [OUTPUTS.index(r) for r in ("body", "subheading", "nav")]] = 0.3, 0.25, 0.45
    probability[1, [OUTPUTS.index(r) for r in ("body", "widget", "nav")]] = 0.4, 0.3, 0.3
    roles = [OUTPUTS[r] for r in choose_roles(probability)]
    assert roles[0] == "body"
    assert roles[1] not in KEPT_ROLES


def labelled(config=None):
    page = ingest.read(ingest.samples() / "ar_chrome_en_news_1.txt")
    return ingest.label(ingest.detect(ingest.segment(page)), config=config)


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: Config(label=c)])
def test_other_roles_can_be_kept(wrap):
    default = labelled()
    more = labelled(wrap(LabelConfig(keep=(*KEPT_ROLES, "nav"))))
    added = more.filter(pl.col("keep") & ~default["keep"])
    assert len(added) > 0
    assert set(added["role"]) == {"nav"}
    assert more.drop("keep").equals(default.drop("keep"))


def test_an_unknown_role_is_refused():
    with pytest.raises(ConfigError, match=r"label\.keep: 'menu' is not a role"):
        LabelConfig(keep=("menu",))


@pytest.mark.parametrize("case", ["title-and-h1.html", "dup_h1.html"])
def test_a_title_that_a_heading_repeats_is_not_kept(shared, case):
    documents = ingest.read(shared / "cases" / "reading" / case)
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    titles = segments.filter(pl.col("block").str.ends_with("/title"))
    assert titles["keep"].to_list() == [False, False]
    assert titles["role_by"].to_list() == ["model", "title"]
    heading = segments.filter(pl.col("segment") == titles["duplicate_of"][0])
    assert heading["keep"].to_list() == [True]


def test_equal_pieces_of_a_very_long_page_are_looked_at_once(monkeypatch):
    lines = ["Read more", "The ministers met on Tuesday."] * 400
    page = ingest.detect(ingest.segment(ingest.read(pl.DataFrame({"text": ["\n".join(lines)]}))))
    monkeypatch.setattr(labelling, "_LONGEST_PAGE", 100)
    seen = []

    def predict(features):
        seen.append(len(features.values))
        return predict_roles(features)

    monkeypatch.setattr(labelling, "predict_roles", predict)
    labelled = ingest.label(page)
    assert seen == [100]
    assert labelled["role"].slice(0, 100).to_list() == labelled["role"].slice(700, 100).to_list()

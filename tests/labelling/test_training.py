"""The network computes in NumPy what was trained in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import ingest
from ingest.labelling import network
from ingest.labelling.features import compute_features

torch = pytest.importorskip("torch", reason="PyTorch is needed to train the role model")


def test_the_saved_network_predicts_like_the_trained_one(tmp_path, monkeypatch):
    from lang_models.roles.recipe import Vocabulary, join_tokens, weights
    from lang_models.roles.training import Example, Model, Network
    from lang_models.roles.web_gold import WebPage

    html = ingest.samples().parent / "html" / "news-wordpress-ar-en.html"
    segments = ingest.detect(
        ingest.segment(ingest.read([html, html.with_name("docs-code-ar.html")]))
    )
    features = compute_features(segments)
    words = features.tokens.of_segments()
    none = np.zeros((0, 0))
    unknown = np.full((len(segments), 2), -1)
    page = WebPage("a", "", "a", segments, np.ones(len(segments), bool), words, none, none,
                   unknown[:, 0], unknown)  # fmt: skip
    monkeypatch.setattr("lang_models.roles.recipe._COMMON", 1)
    vocabulary = Vocabulary([page])
    torch.manual_seed(0)
    model = Model(
        Network(features.values.shape[1], len(vocabulary), 0.2),
        features.values.mean(axis=0),
        np.maximum(features.values.std(axis=0), 0.05),
    )
    with torch.no_grad():
        for values in model.network.parameters():
            values.add_(torch.randn_like(values) * 0.02)
        model.network.vectors.weight.copy_(model.network.vectors.weight.half().float())
    model.save(tmp_path / "roles.npz", features.names, vocabulary.tokens, vocabulary.words)
    monkeypatch.setattr(network, "model_dir", lambda _name: tmp_path)
    monkeypatch.setattr(network, "load_network", network.load_network.__wrapped__)
    found = network.predict_roles(features)

    tokens, ends = join_tokens(
        vocabulary.encode_markup(segments["markup"]), vocabulary.encode_words(*words)
    )
    start, expected = 0, []
    for first, last in zip(
        features.context.pages.first, features.context.pages.last + 1, strict=True
    ):
        low, high = int(ends[first - 1]) if first else 0, int(ends[last - 1])
        teacher = np.zeros((last - first, len(network.OUTPUTS)), np.float32)
        expected.append(
            Example(features.values[first:last], tokens[low:high], ends[first:last] - low,
                    unknown[first:last, 0], unknown[first:last],
                    weights(segments["text"][int(first):int(last)], "lines"), teacher)
        )  # fmt: skip
        start = last
    assert start == len(segments)
    # The package rounds weights and activations.
    np.testing.assert_allclose(found, np.concatenate(model.predict(expected)), atol=3e-3)

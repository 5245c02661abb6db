"""What the recipe trains is what the package says. Needs torch, which development does without."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the recipe alone needs it")
ctranslate2 = pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")

from lang_models.translate.convert import specification  # noqa: E402
from lang_models.translate.network import Shape, Translator  # noqa: E402
from lang_models.translate.train import BOS, EOS, PAD, orthogonal  # noqa: E402

PIECES = ["<unk>", "<s>", "</s>", "<pad>", *(f"▁{i}" for i in range(36))]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    shape = Shape(vocabulary=len(PIECES), width=32, inner=64, heads=4, encoder=2, decoder=2)
    return Translator(shape, PAD).eval()


def log_probabilities(network, source, target):
    given = torch.tensor([[*source, EOS]]), torch.tensor([[BOS, *target]])
    with torch.no_grad():
        logits = network(*given) @ network.table.T + network.bias
    at = torch.tensor([*target, EOS])
    return logits[0].log_softmax(-1)[torch.arange(len(at)), at].numpy()


def test_the_package_computes_what_was_trained(network, tmp_path):
    for name in ("first", "second"):  # converting leaves the network as it was
        spec = specification(network, PIECES)
        spec.optimize(quantization="int8")
        (tmp_path / name).mkdir()
        spec.save(str(tmp_path / name))
    spec = specification(network, PIECES)
    (tmp_path / "exact").mkdir()
    spec.optimize()
    spec.save(str(tmp_path / "exact"))
    source, target = [7, 9, 20, 31, 5], [12, 12, 38, 4]
    wanted = log_probabilities(network, source, target)
    for name, off in (("exact", 1e-4), ("first", 0.2), ("second", 0.2)):
        translator = ctranslate2.Translator(str(tmp_path / name), compute_type="default")
        scored = translator.score_batch(
            [[PIECES[i] for i in source]], [[PIECES[i] for i in target]]
        )[0]
        np.testing.assert_allclose(scored.log_probs, wanted, atol=off)


def test_padding_changes_nothing(network):
    alone = torch.tensor([[7, 9, EOS]]), torch.tensor([[BOS, 12]])
    padded = torch.tensor([[7, 9, EOS, PAD, PAD]]), torch.tensor([[BOS, 12]])
    with torch.no_grad():
        np.testing.assert_allclose(network(*alone), network(*padded), atol=1e-3)


def test_an_orthogonal_update():
    update = orthogonal(torch.randn(2, 16, 48, generator=torch.Generator().manual_seed(0))).float()
    values = torch.linalg.svdvals(update)
    assert values.min() > 0.5
    assert values.max() < 1.5

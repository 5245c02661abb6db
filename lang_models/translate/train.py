"""Training: first both directions in one network, then each direction on its own.

    python -m lang_models.translate.train WORK --device cuda

trains on what `lang_models.translate.recipe` has prepared in WORK, where only torch, NumPy and
sentencepiece are installed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lang_models.translate.corpus import PAD, Corpus, Epochs, Texts, encode_whole
from lang_models.translate.network import Shape, Translator

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int32]
    State = dict[str, Any]

SMOOTHING = 0.1  # label smoothing of "Attention Is All You Need" (2017)
LARGE = Shape(vocabulary=16000, width=384, inner=1536, heads=6, encoder=8, decoder=2)


@dataclass(frozen=True)
class Settings:
    """Length and learning rates of the training; `tokens` per batch include padding."""

    steps: int = 6000
    own_steps: int = 1200
    tokens: int = 6000
    rate: float = 0.02  # of the matrices, by Muon
    table_rate: float = 0.002  # of vectors and the table, by Adam
    warm: int = 200
    dropout: float = 0.2
    alpha: float = 0.4  # of drawing how a text is cut: 0 for always the same, less for more varied
    seed: int = 1


class Muon:
    """Orthogonalized momentum (Jordan et al. 2024) for matrices; those of one shape together."""

    def __init__(self, matrices: Sequence[Tensor]) -> None:
        self.groups: dict[tuple[int, ...], list[Tensor]] = {}
        for matrix in matrices:
            self.groups.setdefault(tuple(matrix.shape), []).append(matrix)
        self.momentum = {
            shape: torch.zeros(len(group), *shape) for shape, group in self.groups.items()
        }

    def step(self, rate: float, decay: float = 0.01) -> None:
        with torch.no_grad():
            self._step(rate, decay)

    def _step(self, rate: float, decay: float) -> None:
        for shape, group in self.groups.items():
            gradient = torch.stack([m.grad for m in group if m.grad is not None])
            momentum = self.momentum[shape].to(gradient.device)
            momentum.mul_(0.95).add_(gradient)
            self.momentum[shape] = momentum
            update = orthogonalize(gradient.add(momentum, alpha=0.95)).to(group[0].dtype)
            scale = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            torch._foreach_mul_(group, 1 - rate * decay)
            torch._foreach_add_(group, list(update.unbind()), alpha=-scale)


def orthogonalize(x: Tensor) -> Tensor:
    """Run Newton-Schulz steps with the coefficients of Jordan's Muon; [n, rows, columns]."""
    wide = x.shape[1] <= x.shape[2]
    y = (x if wide else x.mT).bfloat16()
    y = y / (y.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        a = y @ y.mT
        y = 3.4445 * y + (-4.7750 * a + 2.0315 * a @ a) @ y
    return y if wide else y.mT


@dataclass(frozen=True)
class Training:
    """A training run.

    `folder` has the texts, the pieces, the initial piece vectors ([vocabulary, width], float32) and
    the checkpoints.
    """

    shape: Shape
    settings: Settings
    folder: Path
    device: str = "cpu"

    def run(self, names: Sequence[str] = ("ar-en", "en-ar")) -> dict[str, Translator]:
        """Train the translators of these directions; resume from the last checkpoint.

        Without joint steps, each starts from scratch.
        """
        description = json.dumps(asdict(self.shape) | asdict(self.settings), indent=1)
        (self.folder / "settings.json").write_text(description)
        steps, both = self.settings.steps, None
        if steps:
            both = self._run_stage("both", (0, 1), steps, None)[1]
        sides = {"ar-en": (1,), "en-ar": (0,)}
        return {
            name: self._run_stage(name, sides[name], self.settings.own_steps, both)[0]
            for name in names
        }

    def _run_stage(
        self, name: str, sources: tuple[int, ...], steps: int, initial: State | None
    ) -> tuple[Translator, State]:
        """Run one stage. From scratch, the rate warms up; with one source, it decays to zero."""
        settings = self.settings
        torch.manual_seed(settings.seed)
        model = Translator(self.shape, PAD, settings.dropout)
        with torch.no_grad():
            model.table.copy_(torch.from_numpy(np.load(self.folder / "start.npy")))
        model.to(self.device)
        matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and n != "table"]
        others = [p for n, p in model.named_parameters() if p.ndim != 2 or n == "table"]
        muon = Muon(matrices)
        adam = torch.optim.Adam(others, lr=settings.table_rate, betas=(0.9, 0.98), eps=1e-9)
        path, first_step = self.folder / f"{name}.pt", 0
        state = initial
        if path.is_file():
            state = torch.load(path, map_location=self.device, weights_only=True)
            first_step = int(state["step"])
        if state is not None:
            model.load_state_dict(state["model"])
            adam.load_state_dict(state["adam"])
            muon.momentum = state["muon"]

        def make_checkpoint(step: int) -> State:
            return {
                "step": step, "model": model.state_dict(), "adam": adam.state_dict(),
                "muon": muon.momentum,
            }  # fmt: skip

        if first_step >= steps:
            return model, make_checkpoint(steps)
        dev = encode_whole(Texts.read(self.folder / "dev.tsv"), self._pieces, self.device)
        rng = np.random.default_rng([settings.seed, len(sources), sources[0], first_step])
        batches = self._draw_batches(rng)
        since, seen, total = time.time(), 0, torch.zeros((), device=self.device)
        for step in range(first_step, steps):
            share = min(1.0, (step + 1) / settings.warm) if initial is None else 1.0
            share *= 1.0 - step / steps if len(sources) == 1 else 1.0
            for group in adam.param_groups:
                group["lr"] = settings.table_rate * share
            side = sources[step % len(sources)]
            loss, n = self._loss(model, *next(batches), side, SMOOTHING)
            model.zero_grad(set_to_none=True)
            torch.autograd.backward(loss / n)
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            muon.step(settings.rate * share)
            adam.step()
            total, seen = total + loss.detach(), seen + n
            if (step + 1) % 50 == 0:
                mean = float(total) / seen
                speed = seen / (time.time() - since)
                print(f"{name} {step + 1}/{steps} {mean:.3f}, {speed:.0f}/s", flush=True)
                since, seen, total = time.time(), 0, torch.zeros((), device=self.device)
            if (step + 1) % 500 == 0 or step + 1 == steps:
                found = self._evaluate(model, dev, sources)
                print(f"{name} {step + 1} dev {found}", flush=True)
                torch.save(make_checkpoint(step + 1), path.with_suffix(".part"))
                path.with_suffix(".part").replace(path)
        batches.close()
        return model, make_checkpoint(steps)

    @property
    def _pieces(self) -> Path:
        return self.folder / "pieces.model"

    def _draw_batches(self, rng: np.random.Generator) -> Generator[tuple[Corpus, Ints]]:
        settings = self.settings
        epochs = Epochs(
            Texts.read(self.folder / "train.tsv"), self._pieces,
            alpha=settings.alpha, seed=int(rng.integers(2**31)), device=self.device,
        )  # fmt: skip
        try:
            for epoch in itertools.count():
                corpus = epochs.encode(epoch)
                for rows in corpus.draw_batches(settings.tokens, rng):
                    yield corpus, rows
        finally:
            epochs.close()

    def _loss(
        self, model: Translator, corpus: Corpus, rows: Ints, side: int, smoothing: float
    ) -> tuple[Tensor, int]:
        """Return the summed cross entropy of the target pieces in nats, and their number."""
        source, target = (corpus.pad(s, rows) for s in (side, 1 - side))
        with torch.autocast(self.device, torch.bfloat16):
            states = model(source[:, 1:], target[:, :-1])
            logits = functional.linear(states, model.table, model.bias)
        total = functional.cross_entropy(
            logits.flatten(0, 1).float(), target[:, 1:].flatten(),
            reduction="sum", label_smoothing=smoothing, ignore_index=PAD,
        )  # fmt: skip
        return total, corpus.count(1 - side, rows)

    def _evaluate(self, model: Translator, dev: Corpus, sources: tuple[int, ...]) -> str:
        """Describe the loss on held-out pairs for each direction, in nats per piece."""
        order = np.argsort(np.maximum(*dev.sizes), kind="stable").astype(np.int32)
        losses = []
        model.eval()
        for side in sources:
            total, count = 0.0, 0
            for rows in np.array_split(order, max(1, len(order) // 48)):
                with torch.no_grad():
                    loss, n = self._loss(model, dev, rows, side, 0.0)
                total, count = total + float(loss), count + n
            losses.append(f"{('en-ar', 'ar-en')[side]} {total / count:.3f}")
        model.train()
        return ", ".join(losses)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training."""
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--large", action="store_true")
    for field in fields(Settings):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)


def from_options(args: argparse.Namespace, work: Path) -> Training:
    """Return the training that the options describe."""
    settings = Settings(**{field.name: getattr(args, field.name) for field in fields(Settings)})
    return Training(LARGE if args.large else Shape(), settings, work, args.device)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("work", type=Path)
    add_options(options)
    arguments = options.parse_args()
    from_options(arguments, arguments.work).run()

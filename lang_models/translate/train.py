"""Training: first both directions in one network, then each direction on its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lang_models.translate.network import Shape, Translator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int32]
    State = dict[str, Any]

UNK, BOS, EOS, PAD = 0, 1, 2, 3
SMOOTHING = 0.1  # label smoothing of "Attention Is All You Need" (2017)


@dataclass(frozen=True)
class Settings:
    """Length and learning rates of the training; `tokens` per batch include padding."""

    steps: int = 6000
    own_steps: int = 1200
    tokens: int = 6000
    rate: float = 0.02  # of the matrices, by Muon
    table_rate: float = 0.002  # of vectors and the table, by Adam
    warm: int = 200
    seed: int = 1


@dataclass(frozen=True)
class Corpus:
    """Encoded pairs: `(ids, offsets)` of English and of Arabic, and passes per epoch."""

    sides: tuple[tuple[Ints, Ints], tuple[Ints, Ints]]
    passes: NDArray[np.float32]

    def lengths(self) -> Ints:
        return np.maximum(*(np.diff(starts) for _, starts in self.sides))

    def pad(self, side: int, rows: Ints) -> Tensor:
        """Return [rows, longest + 2]: BOS, pieces, EOS, padding."""
        ids, starts = self.sides[side]
        sizes = starts[rows + 1] - starts[rows]
        out = np.full((len(rows), int(sizes.max()) + 2), PAD, np.int64)
        out[:, 0] = BOS
        for i, (row, size) in enumerate(zip(rows, sizes, strict=True)):
            out[i, 1 : size + 1] = ids[starts[row] : starts[row] + size]
            out[i, size + 1] = EOS
        return torch.from_numpy(out)


def draw_batches(corpus: Corpus, tokens: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield batches of rows of similar length, forever; `passes` sets how often a pair occurs."""
    lengths = corpus.lengths()
    while True:
        times = np.floor(corpus.passes + rng.random(len(corpus.passes))).astype(int)
        rows = np.repeat(np.arange(len(times)), times)
        rows = rows[np.argsort(lengths[rows] + rng.random(len(rows)) * 3, kind="stable")]
        width = np.maximum.accumulate(lengths[rows] + 2)
        groups, begin = [], 0
        while begin < len(rows):
            end = begin + max(8, int(tokens // width[min(begin + 8, len(rows) - 1)]))
            groups.append(rows[begin:end])
            begin = end
        for i in rng.permutation(len(groups)):
            yield groups[i]


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
            update = orthogonalize(gradient.add(momentum, alpha=0.95))
            scale = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            for matrix, u in zip(group, update, strict=True):
                matrix.mul_(1 - rate * decay).add_(u.to(matrix.dtype), alpha=-scale)


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
    """A training run with its data and settings.

    `folder` has the checkpoints; `start` is the initial piece vectors, [vocabulary, width].
    """

    corpus: Corpus
    dev: Corpus
    shape: Shape
    settings: Settings
    folder: Path
    start: NDArray[np.float32]
    device: str = "cpu"

    def run(self) -> dict[str, Translator]:
        """Train the two translators, `ar-en` and `en-ar`; resume from the last checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        description = json.dumps(asdict(self.shape) | asdict(self.settings), indent=1)
        (self.folder / "settings.json").write_text(description)
        both = self._run_stage("both", (0, 1), self.settings.steps, None)[1]
        return {
            name: self._run_stage(name, (side,), self.settings.own_steps, both)[0]
            for side, name in ((1, "ar-en"), (0, "en-ar"))
        }

    def _run_stage(
        self, name: str, sources: tuple[int, ...], steps: int, initial: State | None
    ) -> tuple[Translator, State]:
        """Run one stage. From scratch, the rate warms up; from `initial`, it decays to zero."""
        settings = self.settings
        torch.manual_seed(settings.seed)
        model = Translator(self.shape, PAD)
        with torch.no_grad():
            model.table.copy_(torch.from_numpy(self.start))
        model.to(self.device)
        matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and n != "table"]
        others = [p for n, p in model.named_parameters() if p.ndim != 2 or n == "table"]
        muon = Muon(matrices)
        adam = torch.optim.Adam(others, lr=settings.table_rate, betas=(0.9, 0.98), eps=1e-9)
        path = self.folder / f"{name}.pt"
        state, first_step = initial, 0
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

        rng = np.random.default_rng([settings.seed, len(sources), sources[0], first_step])
        batches = draw_batches(self.corpus, settings.tokens, rng)
        since, seen, total = time.time(), 0, 0.0
        for step in range(first_step, steps):
            share = min(1.0, (step + 1) / settings.warm) if initial is None else 1.0 - step / steps
            for group in adam.param_groups:
                group["lr"] = settings.table_rate * share
            side = sources[step % len(sources)]
            loss, n = self._loss(model, self.corpus, side, next(batches), SMOOTHING)
            model.zero_grad(set_to_none=True)
            torch.autograd.backward(loss / n)
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            muon.step(settings.rate * share)
            adam.step()
            total, seen = total + float(loss.detach()), seen + n
            if (step + 1) % 50 == 0:
                speed = seen / (time.time() - since)
                print(f"{name} {step + 1}/{steps} {total / seen:.3f}, {speed:.0f}/s", flush=True)
                since, seen, total = time.time(), 0, 0.0
            if (step + 1) % 250 == 0 or step + 1 == steps:
                print(f"{name} {step + 1} dev {self._evaluate(model, sources)}", flush=True)
                torch.save(make_checkpoint(step + 1), path.with_suffix(".part"))
                path.with_suffix(".part").replace(path)
        return model, make_checkpoint(steps)

    def _loss(
        self, model: Translator, corpus: Corpus, side: int, rows: Ints, smoothing: float
    ) -> tuple[Tensor, int]:
        """Return the summed cross entropy of the target pieces in nats, and their number."""
        source, target = (corpus.pad(s, rows).to(self.device) for s in (side, 1 - side))
        with torch.autocast(self.device, torch.bfloat16):
            states = model(source[:, 1:], target[:, :-1])
            expected = target[:, 1:]
            real = expected != PAD
            logits = functional.linear(states[real], model.table, model.bias)
        total = functional.cross_entropy(
            logits.float(), expected[real], reduction="sum", label_smoothing=smoothing
        )
        return total, int(real.sum())

    def _evaluate(self, model: Translator, sources: tuple[int, ...]) -> str:
        """Describe the loss on held-out pairs for each direction, in nats per piece."""
        order = np.argsort(self.dev.lengths(), kind="stable").astype(np.int32)
        losses = []
        for side in sources:
            total, count = 0.0, 0
            for rows in np.array_split(order, max(1, len(order) // 48)):
                with torch.no_grad():
                    loss, n = self._loss(model, self.dev, side, rows, 0.0)
                total, count = total + float(loss), count + n
            losses.append(f"{('en-ar', 'ar-en')[side]} {total / count:.3f}")
        return ", ".join(losses)

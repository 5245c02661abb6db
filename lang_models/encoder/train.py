"""Contrastive training of a table of feature vectors; a sentence is the sum of its words' rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lang_models.encoder.data import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lang_models.encoder.data import Pairs, Side
    from lang_models.encoder.lexicon import Lexicon

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float32]
    Features = tuple[Ints, Ints, Floats]


@dataclass(frozen=True)
class Settings:
    """Settings of a training run."""

    dims: int = 512
    batch: int = 4096
    epochs: float = 5.0  # of the first descent; later ones have half as many
    rate: float = 8e-3  # learning rate of the first descent; later ones have five eighths of it
    descents: int = 3
    sharpness: float = 25.0  # factor of the cosine in the softmax
    margin: float = 0.1  # by which the right answer has to win
    drop_words: float = 0.1  # share of words dropped from a sentence
    drop_rows: float = 0.15  # share of words that lose their own row and keep only their subwords
    join: float = 0.15  # share of pairs joined with the next pair of the text
    alone: float = 0.6  # share of pairs in batches of one group, where wrong answers are harder
    seed: int = 1


def initial_table(lexicon: Lexicon, dims: int, seed: int) -> torch.Tensor:
    """Draw random rows; frequent features start short, as in smooth inverse frequency."""
    torch.manual_seed(seed)
    kinds = [name.lstrip("#")[0] for name in lexicon.names]
    share = torch.from_numpy(lexicon.seen / 10_000_000)
    size = (1 + share / 1e-4).rsqrt()
    size *= torch.tensor([{"g": 0.5, "k": 0.35, "p": 0.3}.get(kind, 1.0) for kind in kinds])
    table: torch.Tensor = torch.randn(len(kinds), dims)
    return table.mul_((size / dims**0.5)[:, None])


def batches(data: Pairs, settings: Settings, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield batches of pair numbers for one epoch; no batch repeats a sentence on either side."""
    times = np.floor(data.passes + rng.random(len(data.passes))).astype(np.int64)
    drawn = rng.permutation(np.repeat(np.arange(len(times)), times))
    apart = rng.random(len(drawn)) < settings.alone
    length = np.diff(data.english.starts)[drawn]
    pools = [drawn[~apart]]
    for group in range(len(GROUPS)):
        members = apart & (data.group[drawn] == group)
        # similar lengths, roughly: a long sentence is an easy wrong answer to a short one
        order = np.argsort(np.log(length[members] + 1.0) + rng.normal(0, 0.5, members.sum()))
        pools.append(drawn[members][order])
    chunks = []
    for pool in pools:
        count = max(1, round(len(pool) / settings.batch))
        chunks += [chunk for chunk in np.array_split(pool, count) if len(chunk)]
    for i in rng.permutation(len(chunks)):
        batch = chunks[i]
        for keys in data.keys:
            batch = batch[np.unique(keys[batch], return_index=True)[1]]
        yield batch


def gather(side: Side, rows: Ints, after: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the words of sentences `rows`, joined with the next one where `after`, and lengths."""
    lengths = side.starts[rows + 1 + after] - side.starts[rows]
    return side.words[_runs(side.starts[rows], lengths)], lengths


def gather_runs(values: NDArray[Any], starts: Ints, rows: Ints) -> tuple[NDArray[Any], Ints]:
    """Return a copy of runs of values, and their lengths."""
    lengths = starts[rows + 1] - starts[rows]
    return values[_runs(starts[rows], lengths)], lengths


def _runs(begins: Ints, lengths: Ints) -> Ints:
    """Indices of runs, one after another."""
    ends = lengths.cumsum()
    runs: Ints = np.repeat(begins - ends + lengths, lengths) + np.arange(lengths.sum())
    return runs


def _with_transpose(columns: Ints, lengths: Ints, values: Floats, width: int) -> tuple[Any, Any]:
    """Build the sparse matrix with these columns in its rows, and its transpose."""
    order = np.argsort(columns, kind="stable")
    rows = np.repeat(np.arange(len(lengths)), lengths)[order]
    return (
        _sparse(lengths, columns, values, width),
        _sparse(np.bincount(columns, minlength=width), rows, values[order], len(lengths)),
    )


def _sparse(lengths: Ints, columns: Ints, values: Floats, width: int) -> Any:
    starts = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
    return torch.sparse_csr_tensor(
        torch.from_numpy(starts), torch.from_numpy(columns.astype(np.int32)),
        torch.from_numpy(values), (len(lengths), width), check_invariants=False,
    )  # fmt: skip


def loss_and_gradient(unit: torch.Tensor, settings: Settings) -> tuple[float, torch.Tensor]:
    """Compute two-way InfoNCE of unit vectors in bfloat16, and its gradient.

    The first half of the rows is English, the second half is Arabic.
    """
    a, b = unit.bfloat16().chunk(2)
    # Logits are at most `sharpness`, so plain exponentials cannot overflow.
    odds = (a @ b.T).float()
    odds.diagonal().sub_(settings.margin)
    right = odds.diagonal() * settings.sharpness
    odds = odds.mul_(settings.sharpness).exp_()
    across, down = odds.sum(1), odds.sum(0)
    loss = float(((across.log() + down.log()) / 2 - right).mean())
    odds.mul_(across.reciprocal()[:, None] + down.reciprocal()[None, :])
    odds.diagonal().sub_(2.0)
    half = odds.bfloat16()
    gradient = torch.cat([half @ b, half.T @ a]).float()
    return loss, gradient.mul_(settings.sharpness / 2 / len(a))


def train(data: Pairs, lexicon: Lexicon, subwords: Features, settings: Settings) -> torch.Tensor:
    """Train a table: the mean over descents, each of which starts where the last one ended."""
    table = initial_table(lexicon, settings.dims, settings.seed)
    own = np.array([name.startswith("w:") for name in lexicon.names])
    mean = torch.zeros_like(table)
    for i in range(settings.descents):
        epochs, rate = (
            (settings.epochs / 2, settings.rate * 5 / 8) if i else (settings.epochs, settings.rate)
        )
        for line in descend(
            table,
            data,
            (*subwords, own),
            settings,
            epochs=epochs,
            rate=rate,
            seed=settings.seed + i,
        ):
            print(f"descent {i + 1} {line}", flush=True)
        mean.add_(table, alpha=1 / settings.descents)
    return mean


def descend(
    table: torch.Tensor,
    data: Pairs,
    subwords: tuple[Ints, Ints, Floats, NDArray[np.bool_]],
    settings: Settings,
    *,
    epochs: float,
    rate: float,
    seed: int,
) -> Iterator[str]:
    """Train the table in place while the rate falls from `rate` to 0; yield lines of progress."""
    rng = np.random.default_rng(seed)
    memory = torch.zeros(len(table), 2)
    total = epochs * float(data.passes.sum())
    seen, step, began = 0.0, 0, time.monotonic()
    while seen < total:
        for batch in batches(data, settings, rng):
            step += 1
            seen += len(batch)
            rows, compose, add = _draw(data, subwords, batch, settings, rng)
            sums = add[0] @ (compose[0] @ table[rows])
            size = sums.norm(dim=1, keepdim=True).clamp_(min=1e-4)
            unit = sums / size
            loss, gradient = loss_and_gradient(unit, settings)
            gradient -= unit * (unit * gradient).sum(1, keepdim=True)
            gradient = compose[1] @ (add[1] @ gradient.div_(size))
            schedule = min(1.0, step / 50) * max(0.0, 1 - seen / total)
            _step(table, memory, rows, gradient, rate * schedule)
            if step % 20 == 0:
                elapsed = time.monotonic() - began
                yield f"{seen / total:.0%} step {step} loss {loss:.3f} {elapsed:.0f} s"
            if seen >= total:
                break


def _draw(
    data: Pairs,
    subwords: tuple[Ints, Ints, Floats, NDArray[np.bool_]],
    batch: Ints,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, Any, Any]:
    """Return the rows of a batch, and the matrices rows→words and words→sentences.

    Each matrix comes with its transpose.
    """
    flat, starts, weights, own = subwords
    following = np.minimum(batch + 1, len(data.source) - 1)
    after = rng.random(len(batch)) < settings.join
    after &= (following > batch) & (data.source[following] == data.source[batch])
    sides = [gather(side, batch, after) for side in (data.english, data.arabic)]
    words = np.concatenate([side[0] for side in sides])
    lengths = np.concatenate([side[1] for side in sides])
    uniques, place = np.unique(words, return_inverse=True)
    features, spans = gather_runs(flat, starts, uniques)
    feature_weights, _ = gather_runs(weights, starts, uniques)
    rows, local = np.unique(features, return_inverse=True)
    lost = np.repeat(rng.random(len(uniques)) < settings.drop_rows, spans)
    feature_weights[lost & own[features]] = 0
    kept = (rng.random(len(words)) >= settings.drop_words).astype(np.float32)
    return (
        torch.from_numpy(rows),
        _with_transpose(local, spans, feature_weights, len(rows)),
        _with_transpose(place, lengths, kept, len(uniques)),
    )


def _step(
    table: torch.Tensor,
    memory: torch.Tensor,
    index: torch.Tensor,
    gradient: torch.Tensor,
    rate: float,
) -> None:
    """Update some rows with RMSprop.

    `memory` holds the mean square gradient of each row and the number of its updates.
    """
    keep = 0.99
    old = memory[index]
    power = torch.linalg.vector_norm(gradient, dim=1, keepdim=True).square_() / gradient.shape[1]
    second, age = old[:, :1] * keep + power * (1 - keep), old[:, 1:] + 1
    memory[index] = torch.cat([second, age], dim=1)
    size = (second / (1 - keep**age)).sqrt_().add_(1e-10)
    table.index_add_(0, index, gradient.div_(size), alpha=-rate)

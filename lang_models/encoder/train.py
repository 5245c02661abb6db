"""Contrastive training of a table of feature vectors: a sentence is the sum of its words' rows."""

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
    """What a training run can be told."""

    dims: int = 512
    batch: int = 4096
    epochs: float = 5.0  # of the first descent; later ones take half as many
    rate: float = 8e-3  # and five eighths of this
    descents: int = 3
    sharpness: float = 25.0  # the cosine's factor in the softmax
    margin: float = 0.1  # by how much the right answer has to win
    drop_words: float = 0.1  # share of words left out of a sentence
    drop_rows: float = 0.15  # share of words that lose their own row and must live on their parts
    join: float = 0.15  # share of pairs joined with the next one of the text
    alone: float = 0.6  # share of pairs in batches of one group: harder wrong answers
    seed: int = 1


def start(lexicon: Lexicon, dims: int, seed: int) -> torch.Tensor:
    """Random rows; what is often seen starts short, as in smooth inverse frequency."""
    torch.manual_seed(seed)
    kinds = [name.lstrip("#")[0] for name in lexicon.names]
    share = torch.from_numpy(lexicon.seen / 10_000_000)
    size = (1 + share / 1e-4).rsqrt()
    size *= torch.tensor([{"g": 0.5, "k": 0.35, "p": 0.3}.get(kind, 1.0) for kind in kinds])
    table: torch.Tensor = torch.randn(len(kinds), dims)
    return table.mul_((size / dims**0.5)[:, None])


def batches(data: Pairs, how: Settings, rng: np.random.Generator) -> Iterator[Ints]:
    """One epoch of pair numbers; no batch holds a sentence twice on either side."""
    times = np.floor(data.passes + rng.random(len(data.passes))).astype(np.int64)
    drawn = rng.permutation(np.repeat(np.arange(len(times)), times))
    apart = rng.random(len(drawn)) < how.alone
    length = np.diff(data.english.starts)[drawn]
    pools = [drawn[~apart]]
    for group in range(len(GROUPS)):
        mine = apart & (data.group[drawn] == group)
        # neighbours in length, roughly: a long sentence is no hard wrong answer to a short one
        order = np.argsort(np.log(length[mine] + 1.0) + rng.normal(0, 0.5, mine.sum()))
        pools.append(drawn[mine][order])
    made = []
    for pool in pools:
        parts = max(1, round(len(pool) / how.batch))
        made += [part for part in np.array_split(pool, parts) if len(part)]
    for i in rng.permutation(len(made)):
        batch = made[i]
        for keys in data.keys:
            batch = batch[np.unique(keys[batch], return_index=True)[1]]
        yield batch


def gather(side: Side, rows: Ints, after: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Words of those sentences, with the following sentence where told, and the lengths."""
    lengths = side.starts[rows + 1 + after] - side.starts[rows]
    return side.words[_runs(side.starts[rows], lengths)], lengths


def gather_runs(values: NDArray[Any], starts: Ints, rows: Ints) -> tuple[NDArray[Any], Ints]:
    """A copy of those runs of values, and their lengths."""
    lengths = starts[rows + 1] - starts[rows]
    return values[_runs(starts[rows], lengths)], lengths


def _runs(begins: Ints, lengths: Ints) -> Ints:
    """Indices of runs, one after another."""
    ends = lengths.cumsum()
    runs: Ints = np.repeat(begins - ends + lengths, lengths) + np.arange(lengths.sum())
    return runs


def _both(columns: Ints, lengths: Ints, values: Floats, width: int) -> tuple[Any, Any]:
    """The sparse matrix with those columns in its rows, and its transpose."""
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


def loss_and_slope(unit: torch.Tensor, how: Settings) -> tuple[float, torch.Tensor]:
    """Two-way InfoNCE in bfloat16 of unit vectors, English above Arabic, and its slope."""
    a, b = unit.bfloat16().chunk(2)
    # logits stay below `sharpness`, so plain exponentials cannot overflow
    odds = (a @ b.T).float()
    odds.diagonal().sub_(how.margin)
    right = odds.diagonal() * how.sharpness
    odds = odds.mul_(how.sharpness).exp_()
    across, down = odds.sum(1), odds.sum(0)
    loss = float(((across.log() + down.log()) / 2 - right).mean())
    odds.mul_(across.reciprocal()[:, None] + down.reciprocal()[None, :])
    odds.diagonal().sub_(2.0)
    half = odds.bfloat16()
    slope = torch.cat([half @ b, half.T @ a]).float()
    return loss, slope.mul_(how.sharpness / 2 / len(a))


def train(data: Pairs, lexicon: Lexicon, parts: Features, how: Settings) -> torch.Tensor:
    """The mean of the tables at the end of each descent, each starting where the last ended."""
    table = start(lexicon, how.dims, how.seed)
    own = np.array([name.startswith("w:") for name in lexicon.names])
    mean = torch.zeros_like(table)
    for i in range(how.descents):
        epochs, rate = (how.epochs / 2, how.rate * 5 / 8) if i else (how.epochs, how.rate)
        for line in descend(
            table, data, (*parts, own), how, epochs=epochs, rate=rate, seed=how.seed + i
        ):
            print(f"descent {i + 1} {line}", flush=True)
        mean.add_(table, alpha=1 / how.descents)
    return mean


def descend(
    table: torch.Tensor,
    data: Pairs,
    parts: tuple[Ints, Ints, Floats, NDArray[np.bool_]],
    how: Settings,
    *,
    epochs: float,
    rate: float,
    seed: int,
) -> Iterator[str]:
    """Train the table in place, from `rate` down to nothing; yields a line now and then."""
    rng = np.random.default_rng(seed)
    memory = torch.zeros(len(table), 2)
    total = epochs * float(data.passes.sum())
    seen, step, began = 0.0, 0, time.monotonic()
    while seen < total:
        for batch in batches(data, how, rng):
            step += 1
            seen += len(batch)
            rows, compose, add = _draw(data, parts, batch, how, rng)
            sums = add[0] @ (compose[0] @ table[rows])
            size = sums.norm(dim=1, keepdim=True).clamp_(min=1e-4)
            unit = sums / size
            loss, slope = loss_and_slope(unit, how)
            slope -= unit * (unit * slope).sum(1, keepdim=True)
            slope = compose[1] @ (add[1] @ slope.div_(size))
            fall = min(1.0, step / 50) * max(0.0, 1 - seen / total)
            _step(table, memory, rows, slope, rate * fall)
            if step % 20 == 0:
                took = time.monotonic() - began
                yield f"{seen / total:.0%} step {step} loss {loss:.3f} {took:.0f} s"
            if seen >= total:
                break


def _draw(
    data: Pairs,
    parts: tuple[Ints, Ints, Floats, NDArray[np.bool_]],
    batch: Ints,
    how: Settings,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, Any, Any]:
    """Rows a batch needs; rows to words and words to sentences, each with its transpose."""
    flat, starts, weights, own = parts
    following = np.minimum(batch + 1, len(data.source) - 1)
    after = rng.random(len(batch)) < how.join
    after &= (following > batch) & (data.source[following] == data.source[batch])
    sides = [gather(side, batch, after) for side in (data.english, data.arabic)]
    words = np.concatenate([side[0] for side in sides])
    lengths = np.concatenate([side[1] for side in sides])
    uniques, place = np.unique(words, return_inverse=True)
    features, spans = gather_runs(flat, starts, uniques)
    worth, _ = gather_runs(weights, starts, uniques)
    rows, local = np.unique(features, return_inverse=True)
    lost = np.repeat(rng.random(len(uniques)) < how.drop_rows, spans)
    worth[lost & own[features]] = 0
    kept = (rng.random(len(words)) >= how.drop_words).astype(np.float32)
    return (
        torch.from_numpy(rows),
        _both(local, spans, worth, len(rows)),
        _both(place, lengths, kept, len(uniques)),
    )


def _step(
    table: torch.Tensor, memory: torch.Tensor, index: torch.Tensor, slope: torch.Tensor, rate: float
) -> None:
    """RMSprop on some rows only; `memory` holds a row's mean square slope and its age."""
    keep = 0.99
    old = memory[index]
    power = torch.linalg.vector_norm(slope, dim=1, keepdim=True).square_() / slope.shape[1]
    second, age = old[:, :1] * keep + power * (1 - keep), old[:, 1:] + 1
    memory[index] = torch.cat([second, age], dim=1)
    size = (second / (1 - keep**age)).sqrt_().add_(1e-10)
    table.index_add_(0, index, slope.div_(size), alpha=-rate)

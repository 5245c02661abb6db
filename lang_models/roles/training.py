"""Train the network of `ingest.labelling.network` in PyTorch.

Where the role of a segment is known, the loss is the cross entropy of roles. Where only its being
content or not is known, it is that of the sum of the outputs for content, or of the others; a
teacher that was trained on pages with roles then says how the sum is shared out. A second training
also has what several networks of the first one think on average (`Example.soft`), as in knowledge
distillation (Hinton, Vinyals and Dean 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ingest._typing import I64, U64
from ingest.labelling.network import CONTENT, OUTPUTS

DILATIONS = (1, 2, 4, 8, 16, 1, 4, 16)
POOLS = (2, 5)  # blocks after which the page as a whole is added
WIDTH = 64
_LIMIT = 6.0  # deviations at which features are cut off
_TOGETHER = 4500  # segments of a batch, with padding
_ROLE_WEIGHT, _CONTENT_WEIGHT, _TEACHER_WEIGHT = 0.6, 0.7, 0.15
_FEATURE_DROP, _TOKEN_DROP, _START_DROP = 0.1, 0.25, 0.05
_AVERAGE = 0.003  # part of the new weights in the running average
_LAST_RATE = 0.1  # learning rate at the end, of that at the start
_SOFT_WEIGHT = 0.5  # of the loss of examples with `soft`


class Example(NamedTuple):
    """One page in one form.

    Attributes:
        features: float16 [segments, columns].
        tokens, ends: markup tokens and words of all segments one after the other, and where each
            one's end.
        content: 1, 0 or -1 (unknown) [segments].
        roles: role and second role, -1 if unknown [segments, 2].
        weight: of each segment in the loss.
        teacher: probability of each of OUTPUTS by the teacher; zeros if there is none.
        soft: probability of each of OUTPUTS by earlier networks; no rows if there are none.
    """

    features: np.ndarray
    tokens: np.ndarray
    ends: np.ndarray
    content: I64
    roles: I64
    weight: np.ndarray
    teacher: np.ndarray
    soft: np.ndarray = np.zeros((0, len(OUTPUTS)), np.float16)


class Block(nn.Module):
    """A gated depthwise separable convolution."""

    def __init__(self, width: int, dilation: int, drop: float) -> None:
        super().__init__()
        taps = 5 if dilation == 1 else 3
        self.norm = nn.LayerNorm(width)
        self.depth = nn.Conv1d(width, width, taps, padding=taps // 2 * dilation,
                               dilation=dilation, groups=width)  # fmt: skip
        self.point = nn.Linear(width, 2 * width)
        self.drop = nn.Dropout(drop)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Add to h [pages, segments, width] what its neighbours tell."""
        x = self.depth((self.norm(h) * mask).transpose(1, 2)).transpose(1, 2)
        value, gate = self.point(nn.functional.silu(x)).chunk(2, -1)
        added: Tensor = h + self.drop(torch.tanh(value) * torch.sigmoid(gate)) * mask
        return added


class Network(nn.Module):
    """Features and markup tokens to logits of OUTPUTS."""

    def __init__(self, columns: int, tokens: int, drop: float) -> None:
        super().__init__()
        self.first = nn.Linear(columns, WIDTH)
        self.vectors = nn.EmbeddingBag(tokens, WIDTH, mode="sum")
        nn.init.normal_(self.vectors.weight, std=0.05)
        self.blocks = nn.ModuleList(Block(WIDTH, dilation, drop) for dilation in DILATIONS)
        self.pools = nn.ModuleList(nn.Linear(2 * WIDTH, WIDTH) for _ in POOLS)
        self.last_norm = nn.LayerNorm(WIDTH)
        self.last = nn.Linear(WIDTH, len(OUTPUTS))
        self.start = nn.Dropout(_START_DROP)
        self.noise = nn.Dropout(_FEATURE_DROP)

    def forward(self, x: Tensor, mask: Tensor, tokens: Tensor, starts: Tensor) -> Tensor:
        """Compute logits [pages, segments, outputs]; `mask` [pages, segments, 1] marks segments."""
        if self.training:
            tokens, starts = _drop_tokens(tokens, starts)
        vectors = self.vectors(tokens, starts).view(*x.shape[:2], -1)
        h = self.start(torch.relu(self.first(self.noise(x)) + vectors)) * mask
        pools = iter(self.pools)
        for number, block in enumerate(self.blocks):
            h = block(h, mask)
            if number in POOLS:
                mean = (h * mask).sum(1) / mask.sum(1).clamp(min=1)
                most = (h + (mask - 1) * 9).max(1)[0]
                h = h + next(pools)(torch.cat([mean, most], -1))[:, None] * mask
        logits: Tensor = self.last(self.last_norm(h))
        return logits


@dataclass(frozen=True)
class Model:
    """A trained network, the scaling of its features, and the names that it was trained with."""

    network: Network
    mean: np.ndarray
    deviation: np.ndarray

    def predict(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Probability of each of OUTPUTS, float32 [segments, outputs], of each example."""
        self.network.eval()
        result: list[np.ndarray] = [np.empty(0)] * len(examples)
        with torch.no_grad():
            for batch in _batches(examples, None):
                chosen = [examples[i] for i in batch]
                spans = [(0, len(e.content)) for e in chosen]
                logits = self.network(*_inputs(self, chosen, spans))
                probability = torch.softmax(logits, -1).numpy()
                for i, example, row in zip(batch, chosen, probability, strict=True):
                    result[i] = row[: len(example.content)]
        return result

    def save(self, path: Path, names: Sequence[str], tokens: Sequence[str], words: U64) -> None:
        """Write the arrays that `ingest.labelling.network.load_network` reads."""
        state = {key: value.float().numpy() for key, value in self.network.state_dict().items()}
        vectors = state["vectors.weight"].astype(np.float16)
        arrays: dict[str, np.ndarray] = {
            "names": np.array(names),
            "tokens": np.array(tokens),
            "dilations": np.array(DILATIONS),
            "pools": np.array(POOLS),
            "mean": self.mean.astype(np.float32),
            "deviation": self.deviation.astype(np.float32),
            "words": words,
            "vectors": vectors[: len(tokens)],
            "word_vectors": vectors[len(tokens) :],
            "first": state["first.weight"].T,
            "first_bias": state["first.bias"],
            "last_scale": state["last_norm.weight"],
            "last_shift": state["last_norm.bias"],
            "last": state["last.weight"].T,
            "last_bias": state["last.bias"],
        }
        for b in range(len(DILATIONS)):
            at = f"blocks.{b}"
            arrays |= {
                f"{b}.scale": state[f"{at}.norm.weight"],
                f"{b}.shift": state[f"{at}.norm.bias"],
                f"{b}.kernel": state[f"{at}.depth.weight"][:, 0].T,
                f"{b}.kernel_bias": state[f"{at}.depth.bias"],
                f"{b}.point": state[f"{at}.point.weight"].T,
                f"{b}.point_bias": state[f"{at}.point.bias"],
            }
        for number, b in enumerate(POOLS):
            arrays[f"pool.{b}"] = state[f"pools.{number}.weight"].T
            arrays[f"pool.{b}_bias"] = state[f"pools.{number}.bias"]
        np.savez_compressed(path, allow_pickle=False, **arrays)


def scaling(examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the features of some examples."""
    rows = np.concatenate([example.features for example in examples]).astype(np.float32)
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), 0.05)


def train(
    groups: Sequence[Sequence[Example]],
    tokens: int,
    *,
    epochs: int,
    drop: float = 0.2,
    rate: float = 4e-3,
    seed: int = 0,
) -> Model:
    """Train a network.

    Args:
        groups: the forms of each page; in each epoch one form of each is used.
        tokens: size of the vocabulary of markup tokens.
        epochs: passes over the pages. The weights are averaged over the second half.
        drop: dropout of the blocks.
        rate: highest learning rate.
        seed: of the weights and the order.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sample = [groups[i][0] for i in rng.permutation(len(groups))[:400]]
    mean, deviation = scaling(sample)
    model = Model(Network(mean.size, tokens, drop), mean, deviation)
    network = model.network
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    steps = int(1.05 * epochs * len(_batches([group[0] for group in groups], rng))) + 50
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps,
                                                   pct_start=0.15,
                                                   final_div_factor=1 / _LAST_RATE)  # fmt: skip
    average: dict[str, Tensor] = {}
    for epoch in range(epochs):
        network.train()
        forms = [group[int(rng.integers(len(group)))] for group in groups]
        for batch in _batches(forms, rng):
            chosen = [forms[i] for i in batch]
            spans = [_crop(len(example.content), rng) for example in chosen]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = network(*_inputs(model, chosen, spans))
            log = torch.log_softmax(logits.float(), -1)
            loss = _loss(log, chosen, spans)
            if any(len(example.soft) for example in chosen):
                loss = (1 - _SOFT_WEIGHT) * loss + _SOFT_WEIGHT * _soft_loss(log, chosen, spans)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if 2 * (epoch + 1) > epochs:
                for key, value in network.state_dict().items():
                    if key in average:
                        average[key].lerp_(value, _AVERAGE)
                    else:
                        average[key] = value.detach().clone()
    network.load_state_dict(average)
    return model


def _drop_tokens(tokens: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Leave out some tokens at random, so that no single one decides."""
    kept = torch.rand(tokens.shape) >= _TOKEN_DROP
    before = torch.cat([torch.zeros(1, dtype=torch.long), kept.long().cumsum(0)])
    return tokens[kept], before[starts]


def _crop(size: int, rng: np.random.Generator) -> tuple[int, int]:
    """The whole page, or now and then a part of it."""
    if size < 30 or rng.random() < 0.8:
        return 0, size
    return int(rng.integers(0, size // 3)), size - int(rng.integers(0, size // 3))


def _batches(examples: Sequence[Example], rng: np.random.Generator | None) -> list[list[int]]:
    """Examples of about the same length together; in random order if there is a generator."""
    sizes = np.array([len(example.content) for example in examples], np.float64)
    order = np.argsort(sizes + (rng.random(len(sizes)) * 20 if rng else 0), kind="stable")
    batches: list[list[int]] = [[]] if len(examples) else []
    longest = 0
    for i in order.tolist():
        longest = max(longest, int(sizes[i]))
        if batches[-1] and (len(batches[-1]) + 1) * longest > _TOGETHER:
            batches.append([])
            longest = int(sizes[i])
        batches[-1].append(i)
    if rng:
        return [batches[i] for i in rng.permutation(len(batches))]
    return batches


def _inputs(
    model: Model, examples: Sequence[Example], spans: Sequence[tuple[int, int]]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features, mask, tokens and their starts, padded to one length."""
    length = max(end - start for start, end in spans)
    x = np.zeros((len(examples), length, model.mean.size), np.float32)
    mask = np.zeros((len(examples), length, 1), np.float32)
    tokens, starts, total = [np.empty(0, np.int64)], [], 0
    for row, (example, (start, end)) in enumerate(zip(examples, spans, strict=True)):
        scaled = (example.features[start:end].astype(np.float32) - model.mean) / model.deviation
        x[row, : end - start] = np.clip(scaled, -_LIMIT, _LIMIT)
        mask[row, : end - start] = 1
        bounds = np.r_[0, example.ends].astype(np.int64)
        part = example.tokens[bounds[start] : bounds[end]].astype(np.int64)
        at = np.full(length, total + len(part))
        at[: end - start] = total + bounds[start:end] - bounds[start]
        tokens.append(part)
        starts.append(at)
        total += len(part)
    return (
        torch.from_numpy(x),
        torch.from_numpy(mask),
        torch.from_numpy(np.concatenate(tokens)),
        torch.from_numpy(np.concatenate(starts)),
    )


def _loss(log: Tensor, examples: Sequence[Example], spans: Sequence[tuple[int, int]]) -> Tensor:
    """Mean loss of the labelled segments, from log probabilities [pages, segments, outputs]."""
    shape = log.shape
    target = np.zeros(shape, np.float32)
    teacher = np.zeros(shape, np.float32)
    content = np.full(shape[:2], -1)
    weight = np.zeros(shape[:2], np.float32)
    for row, (example, (start, end)) in enumerate(zip(examples, spans, strict=True)):
        roles, size = example.roles[start:end], end - start
        known = np.flatnonzero(roles[:, 0] >= 0)
        second = known[roles[known, 1] >= 0]
        target[row, known, roles[known, 0]] = 1
        target[row, second, roles[second, 0]] = 0.65
        target[row, second, roles[second, 1]] += 0.35
        content[row, :size] = example.content[start:end]
        weight[row, :size] = example.weight[start:end]
        teacher[row, :size] = example.teacher[start:end]
    t, w, c = torch.from_numpy(target), torch.from_numpy(weight), torch.from_numpy(content)
    is_content = torch.from_numpy(CONTENT)
    kept, dropped = (torch.logsumexp(log[..., mask], -1) for mask in (is_content, ~is_content))
    known_role, known_content = t.sum(-1) > 0, c >= 0
    of_content = -torch.where(c == 1, kept, dropped) * known_content
    of_role = -(t * log).sum(-1)
    loss = torch.where(
        known_role, _ROLE_WEIGHT * of_role + _CONTENT_WEIGHT * of_content, of_content
    )
    allowed = is_content == (c == 1)[..., None]
    share = torch.from_numpy(teacher) * allowed
    taught = ~known_role & known_content & (share.sum(-1) > 0.3)
    share = share / share.sum(-1, keepdim=True).clamp(min=1e-3)
    within = log - torch.where(allowed, torch.where(c == 1, kept, dropped)[..., None], log)
    loss = loss - _TEACHER_WEIGHT * (share * within).sum(-1) * taught
    labelled = w * (known_role | known_content)
    result: Tensor = (loss * labelled).sum() / labelled.sum().clamp(min=1)
    return result


def _soft_loss(
    log: Tensor, examples: Sequence[Example], spans: Sequence[tuple[int, int]]
) -> Tensor:
    """Mean cross entropy with the probabilities of earlier networks."""
    soft = np.zeros(log.shape, np.float32)
    weight = np.zeros(log.shape[:2], np.float32)
    for row, (example, (start, end)) in enumerate(zip(examples, spans, strict=True)):
        if len(example.soft):
            soft[row, : end - start] = example.soft[start:end]
            weight[row, : end - start] = example.weight[start:end]
    w = torch.from_numpy(weight)
    result: Tensor = -((torch.from_numpy(soft) * log).sum(-1) * w).sum() / w.sum().clamp(min=1)
    return result

"""The Transformer that is trained: pre-norm, deep encoder, shallow decoder, one embedding table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """Sizes of a network; `vocabulary` is a multiple of 8."""

    vocabulary: int = 8000
    width: int = 256
    inner: int = 1024
    heads: int = 4
    encoder: int = 4
    decoder: int = 2


class Attention(nn.Module):
    """Multi-head attention of queries over keys. `convert` fuses the projections."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query, self.key, self.value, self.out = (
            nn.Linear(shape.width, shape.width) for _ in range(4)
        )

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (
            layer(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, states in ((self.query, x), (self.key, memory), (self.value, memory))
        )
        if q.is_cuda:
            y = functional.scaled_dot_product_attention(q, k, v, mask.to(q.dtype))
        else:  # fused attention is slower here for sequences of the length of a sentence
            scores = (q * q.shape[-1] ** -0.5) @ k.mT + mask
            y = scores.softmax(-1, dtype=q.dtype) @ v
        return self.out(y.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """A layer of the encoder, or of the decoder if `crossed`."""

    def __init__(self, shape: Shape, crossed: bool, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm_own, self.own = nn.LayerNorm(shape.width), Attention(shape)
        if crossed:
            self.norm_cross, self.cross = nn.LayerNorm(shape.width), Attention(shape)
        self.norm_inner = nn.LayerNorm(shape.width)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)

    def forward(
        self, x: Tensor, mask: Tensor, memory: Tensor | None, memory_mask: Tensor | None
    ) -> Tensor:
        y = self.norm_own(x)
        x = x + self.drop(self.own(y, y, mask))
        if memory is not None and memory_mask is not None:
            x = x + self.drop(self.cross(self.norm_cross(x), memory, memory_mask))
        return x + self.drop(self.down(self.drop(functional.relu(self.up(self.norm_inner(x))))))

    def drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class Translator(nn.Module):
    """Encoder and decoder with one table of piece vectors, which is also the output layer."""

    def __init__(self, shape: Shape, pad: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape, self.pad, self.dropout = shape, pad, dropout
        self.table = nn.Parameter(torch.randn(shape.vocabulary, shape.width) / shape.width**0.5)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))
        self.encoder = nn.ModuleList(Layer(shape, False, dropout) for _ in range(shape.encoder))
        self.decoder = nn.ModuleList(Layer(shape, True, dropout) for _ in range(shape.decoder))
        self.norm_encoder, self.norm_decoder = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.places: Tensor
        self.register_buffer("places", encode_positions(512, shape.width), persistent=False)

    def embed(self, ids: Tensor) -> Tensor:
        x = functional.embedding(ids, self.table) * math.sqrt(self.shape.width)
        x = x + self.places[: ids.shape[1]]
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return decoder states, [sentences, length, width], to be multiplied by the table."""
        x = self.embed(source)
        source_mask = torch.zeros(source.shape, dtype=torch.bfloat16, device=source.device)
        source_mask = source_mask.masked_fill(source == self.pad, -1e4)[:, None, None, :]
        for layer in self.encoder:
            x = layer(x, source_mask, None, None)
        memory = self.norm_encoder(x)
        y = self.embed(target)
        causal_mask = torch.full(
            (y.shape[1],) * 2, -1e4, dtype=torch.bfloat16, device=y.device
        ).triu(1)
        for layer in self.decoder:
            y = layer(y, causal_mask, memory, source_mask)
        return self.norm_decoder(y)


def encode_positions(length: int, width: int) -> Tensor:
    """Sinusoids of "Attention Is All You Need" (2017), sines first, as in CTranslate2."""
    rate = torch.exp(torch.arange(width // 2) * -(math.log(10000) / (width // 2 - 1)))
    angle = torch.arange(1, length + 1)[:, None] * rate[None]
    return torch.cat([angle.sin(), angle.cos()], 1)

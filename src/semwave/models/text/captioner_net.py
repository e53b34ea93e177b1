"""The network of the own captioner: a small transformer from a 7 x 7 grid of frozen image features to words.

Beside the captions' decoder it has a linear map from each cell to things that may be there, trained from words of
whole pictures alone: where its scores are high is a rough place of the thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELLS = 49
SHARPNESS = 4.0  # of the soft maximum over cells


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; what the weights' metadata says."""

    words: int
    things: int
    width: int = 192
    heads: int = 6
    hidden: int = 512
    encoders: int = 1
    decoders: int = 2
    longest: int = 20
    features: int = 1280


class Attention(nn.Module):  # type: ignore[misc]
    """Multi-head attention; keys and values may be made once and used at every step."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.offer, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def memory(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [batch, heads, n, width / heads] of ``x`` [batch, n, width]."""
        keys, values = self.offer(x).chunk(2, dim=-1)
        return self._split(keys), self._split(values)

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor], allowed: Tensor | None, dropout: float) -> Tensor:
        """``allowed`` is bool, True where a query may look, broadcast to [batch, heads, queries, keys]."""
        found = F.scaled_dot_product_attention(self._split(self.ask(x)), *memory, attn_mask=allowed, dropout_p=dropout)
        out: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):  # type: ignore[misc]
    """Self-attention, attention to the picture where ``crossed``, and two linear maps, each after a norm."""

    def __init__(self, shape: Shape, crossed: bool, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.rate = dropout
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crossed else 2))
        self.own = Attention(width, shape.heads)
        self.cross: Any = Attention(width, shape.heads) if crossed else None
        self.up, self.down = nn.Linear(width, shape.hidden), nn.Linear(shape.hidden, width)

    def forward(self, x: Tensor, own: Tensor | None, picture: Any = None, seen: Tensor | None = None) -> Tensor:
        """``x`` [b, n, width]; in a crossed layer b is captions x pictures and ``picture`` has one entry a picture."""
        rate = self.rate if self.training else 0.0
        y = self.norms[0](x)
        x = x + self._drop(self.own(y, self.own.memory(y), own, rate))
        if self.cross is not None:
            x = x + self._drop(self.look(self.norms[1](x), picture, seen, rate))
        y = self.norms[-1](x)
        return x + self._drop(self.down(self._drop(F.gelu(self.up(y)))))

    def look(self, y: Tensor, picture: tuple[Tensor, Tensor], seen: Tensor | None, rate: float) -> Tensor:
        """Attention to the picture; captions of one picture share its keys and values."""
        pictures, count = picture[0].shape[0], y.shape[1]
        found = self.cross(y.reshape(pictures, -1, y.shape[-1]), picture, seen, rate)
        return found.reshape(-1, count, y.shape[-1])

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.rate, self.training)


class CaptionerNet(nn.Module):  # type: ignore[misc]
    """Words from grids of features. Word 0 pads, word 1 begins and ends."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.enter = nn.Linear(shape.features, width)
        self.places = nn.Parameter(torch.randn(CELLS, width) * 0.02)
        self.encoder = nn.ModuleList(Layer(shape, False, dropout) for _ in range(shape.encoders))
        self.memory_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(shape.words, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.positions = nn.Parameter(torch.randn(shape.longest, width) * 0.02)
        self.decoder = nn.ModuleList(Layer(shape, True, dropout) for _ in range(shape.decoders))
        self.last_norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(shape.words))
        self.things = nn.Linear(shape.features, shape.things)
        self.rate = dropout

    def encode(self, features: Tensor, seen: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values for each layer from ``features`` [b, 49, 1280]; ``seen`` bool [b, 49]: cells that count."""
        allowed = seen[:, None, None, :]
        x = F.dropout(self.enter(features), self.rate, self.training) + self.places
        for layer in self.encoder:
            x = layer(x, allowed)
        x = self.memory_norm(x)
        return [layer.cross.memory(x) for layer in self.decoder]

    def decode(self, words: Tensor, memory: list[tuple[Tensor, Tensor]], seen: Tensor) -> Tensor:
        """Scores [n, t, words] of what follows each of ``words`` [n, t]; n is a multiple of the memory's pictures."""
        count = words.shape[1]
        x = self.embedding(words) * self.shape.width**0.5 + self.positions[:count]
        x = F.dropout(x, self.rate, self.training)
        before = torch.ones(count, count, dtype=torch.bool, device=words.device).tril()
        for layer, picture in zip(self.decoder, memory, strict=True):
            x = layer(x, before, picture, seen[:, None, None, :])
        return F.linear(self.last_norm(x), self.embedding.weight, self.bias)

    def cell_scores(self, features: Tensor) -> Tensor:
        """Log odds [b, 49, things] that a thing is in a cell."""
        return self.things(features)

    @staticmethod
    def whole_scores(cells: Tensor, seen: Tensor) -> Tensor:
        """Log odds [b, things] that a thing is in the cells that count: their soft maximum."""
        cells = cells.masked_fill(~seen[..., None], -1e4)
        count = seen.sum(dim=1, keepdim=True).clamp(min=1)
        return (torch.logsumexp(SHARPNESS * cells, dim=1) - torch.log(count)) / SHARPNESS

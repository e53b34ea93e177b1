"""Convolutions whose weights are kept in 8 or 4 bits and spread out for the time of one call.

bitsandbytes has linear layers only; a U-Net is mostly convolutions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Conv2d

BLOCK = 64  # weights that share a scale in NF4 and FP4


class _SmallConv2d(Conv2d):  # type: ignore[misc]
    """A Conv2d without a weight parameter of its own; ``like`` gives geometry and bias."""

    def __new__(cls, *args: Any, **more: Any) -> Any:
        """A plain Conv2d for other arguments: peft makes those of an adapter with the type of the layer it adapts."""
        return super().__new__(cls) if args and isinstance(args[0], Conv2d) else Conv2d(*args, **more)

    def __init__(self, like: Conv2d) -> None:
        geometry: Any = (like.in_channels, like.out_channels, like.kernel_size, like.stride, like.padding)
        bias = like.bias is not None
        super().__init__(*geometry, like.dilation, like.groups, bias, like.padding_mode, device="meta")
        self.shape = like.weight.shape
        del self.weight
        self.bias = like.bias

    def spread(self, dtype: torch.dtype) -> Tensor:
        """The weights in ``dtype``."""
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """The convolution, in the input's precision."""
        bias = None if self.bias is None else self.bias.to(input.dtype)
        return self._conv_forward(input, self.spread(input.dtype), bias)


class Conv2d8bit(_SmallConv2d):
    """Weights as int8 with one scale an output channel: w = q s, q = round(w / s), s = max |w| / 127."""

    def __init__(self, like: Conv2d, weight: Tensor, scale: Tensor) -> None:
        """``weight`` int8 like the convolution's, ``scale`` float [out]."""
        super().__init__(like)
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    @classmethod
    def of(cls, conv: Conv2d) -> Conv2d8bit:
        """``conv`` quantised."""
        weight = conv.weight.detach().float()
        scale = (weight.flatten(1).abs().amax(1) / 127.0).clamp_min(1e-12)
        return cls(conv, torch.round(weight / scale[:, None, None, None]).to(torch.int8), scale)

    def spread(self, dtype: torch.dtype) -> Tensor:
        """The weights in ``dtype``."""
        return self.weight.to(dtype) * self.scale.to(dtype)[:, None, None, None]


class Conv2d4bit(_SmallConv2d):
    """Weights as bitsandbytes' NF4 or FP4 (QLoRA, Dettmers et al., 2023) in blocks of 64 with a 16-bit scale each."""

    def __init__(self, like: Conv2d, weight: Tensor, absmax: Tensor, kind: str) -> None:
        """``weight`` uint8 [bytes, 1, 1, 1] (peft counts the axes), two weights a byte; ``absmax`` float [blocks].

        ``kind`` is nf4 or fp4.
        """
        from bitsandbytes.functional import get_4bit_type

        super().__init__(like)
        self.kind = kind
        self.register_buffer("weight", weight)
        self.register_buffer("absmax", absmax)
        self.register_buffer("code", get_4bit_type(kind, device=weight.device), persistent=False)

    @classmethod
    def of(cls, conv: Conv2d, kind: str) -> Conv2d4bit:
        """``conv`` quantised."""
        from bitsandbytes.functional import quantize_4bit

        weight = conv.weight.detach().float().reshape(1, -1)
        packed, state = quantize_4bit(weight, blocksize=BLOCK, quant_type=kind, compress_statistics=False)
        return cls(conv, packed.reshape(-1, 1, 1, 1), state.absmax.half(), kind)

    def spread(self, dtype: torch.dtype) -> Tensor:
        """The weights in ``dtype``."""
        from bitsandbytes.functional import QuantState, dequantize_4bit

        flat = torch.Size((1, self.shape.numel()))  # kernels of an odd width have no fast way of their own
        state = QuantState(
            self.absmax.float(), shape=flat, code=self.code.float(), blocksize=BLOCK, quant_type=self.kind,
            dtype=dtype,
        )  # fmt: skip
        spread: Tensor = dequantize_4bit(self.weight.reshape(-1, 1), state)
        return spread.reshape(self.shape)

"""A network in 8 or 4 bits: linear layers by bitsandbytes, convolutions by ``layers``; on CPU and CUDA.

diffusers quantises on loading too, but linear layers only, and only where it finds a GPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import Conv2d, Linear, Module

from semwave.models.light.layers import BLOCK, Conv2d4bit, Conv2d8bit

BITS = (8, 4)
TYPES = ("nf4", "fp4")
KEPT = ("conv_in", "conv_out")  # about one weight in a hundred, and what the picture's colours go through
LEAST = 4096  # weights of the smallest layer that is worth it


def check(bits: int, kind: str = "nf4") -> None:
    """Raises ValueError for bits other than 8 and 4, types other than nf4 and fp4."""
    if bits not in BITS:
        raise ValueError(f"bits must be 8 or 4, not {bits}")
    if kind not in TYPES:
        raise ValueError(f"type must be {' or '.join(TYPES)}, not {kind!r}")


def quantise(network: Any, bits: int, kind: str = "nf4", device: str = "cpu", convolutions: bool = True) -> Any:
    """``network`` with its large layers in ``bits`` (4: as ``kind``), in place, moved to ``device``.

    The first and last convolution, layers below 4096 weights, and for 4 bits linear layers whose rows are no whole
    blocks of 64 stay as they are.
    """
    check(bits, kind)
    for parent_name, parent in list(network.named_modules()):
        for name, layer in list(parent.named_children()):
            if f"{parent_name}.{name}".lstrip(".") in KEPT:
                continue
            if (method := way(layer, bits)) is not None and (convolutions or method.startswith("linear")):
                setattr(parent, name, small(layer, method, kind, device).train(layer.training))
    return network.to(device)


def way(layer: Module, bits: int) -> str | None:
    """linear8, linear4, conv8, conv4, or None for a layer that stays as it is."""
    if type(layer) is Linear and layer.weight.numel() >= LEAST:
        return None if bits == 4 and layer.in_features % BLOCK else f"linear{bits}"
    if type(layer) is Conv2d and layer.weight.numel() >= LEAST and layer.weight.numel() % 2 == 0:
        return f"conv{bits}"
    return None


def small(layer: Any, method: str, kind: str, device: str) -> Any:
    """``layer`` quantised by ``method``."""
    import bitsandbytes as bnb

    if method == "conv8":
        return Conv2d8bit.of(layer).to(device)
    if method == "conv4":
        return Conv2d4bit.of(layer, kind).to(device)
    made = shell(layer, method, kind)
    data = layer.weight.data.contiguous()
    if method == "linear8":
        made.weight = bnb.nn.Int8Params(data, requires_grad=False, has_fp16_weights=False)
    else:
        made.weight = bnb.nn.Params4bit(data, requires_grad=False, quant_type=kind, module=made)
    return made.to(device)  # moving it is what quantises


def shell(layer: Linear, method: str, kind: str) -> Any:
    """The layer of bitsandbytes that takes the place of ``layer``, with its bias and no weights yet."""
    import bitsandbytes as bnb

    bias = layer.bias is not None
    with torch.device("meta"):
        if method == "linear8":
            made = bnb.nn.Linear8bitLt(layer.in_features, layer.out_features, bias, has_fp16_weights=False)
        else:
            made = bnb.nn.Linear4bit(layer.in_features, layer.out_features, bias, quant_type=kind)
            # else, on CPUs with AVX-512 BF16, the first call repacks the weights for kernels that may not be there, in
            # bfloat16, and refuses numbers of rows that 32 does not divide
            made.support_avx512bf16_for_cpu = False
    made.bias = layer.bias
    return made


def methods(network: Any) -> dict[str, str]:
    """Name and method of each quantised layer of ``network``."""
    import bitsandbytes as bnb

    kinds: dict[type[Any], str] = {
        bnb.nn.Linear8bitLt: "linear8",
        bnb.nn.Linear4bit: "linear4",
        Conv2d8bit: "conv8",
        Conv2d4bit: "conv4",
    }
    return {name: kinds[type(layer)] for name, layer in network.named_modules() if type(layer) in kinds}


def shares(network: Any) -> dict[str, float]:
    """Share of the weights in quantised linear layers and convolutions: {"linear", "conv", "all"}."""
    chosen = methods(network)
    seen = {"linear": 0, "conv": 0}
    for name, method in chosen.items():
        layer = network.get_submodule(name)
        many = layer.shape.numel() if method.startswith("conv") else layer.in_features * layer.out_features
        seen[method[:-1]] += many
    own = {f"{name}.weight" for name in chosen}
    rest = sum(p.numel() for name, p in network.named_parameters() if name not in own)
    total = max(rest + sum(seen.values()), 1)
    return {kind: many / total for kind, many in seen.items()} | {"all": sum(seen.values()) / total}

"""Files of a quantised network: config.json of diffusers, quantised.safetensors, quantization.json that says how.

quantization.json: format (semwave.light), version, bits, type, layers {name: linear8, linear4, conv8 or conv4}, shares
of the weights. In the safetensors file a layer ``x`` has x.weight (int8, or uint8 with two weights a byte), x.bias, and
x.scale [out] (8 bits) or x.absmax and the quantisation state as bitsandbytes packs it (4 bits); all else is float16.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from semwave.models.light import quantise as q
from semwave.models.light.layers import Conv2d4bit, Conv2d8bit

FORMAT, VERSION = "semwave.light", 1
WEIGHTS, HOW = "quantised.safetensors", "quantization.json"


def is_quantised(folder: Path) -> bool:
    """Whether ``folder`` holds a network that ``save`` wrote."""
    return (folder / HOW).is_file()


def save(network: Any, folder: Path, bits: int, kind: str = "nf4") -> None:
    """Write ``network``, quantised, to ``folder``."""
    from safetensors.torch import save_file

    layers = q.methods(network)
    kept: dict[str, Tensor] = {}
    for name, method in layers.items():
        layer = network.get_submodule(name)
        kept |= {f"{name}.{part}": tensor for part, tensor in _packed(layer, method).items()}
        if layer.bias is not None:
            kept[f"{name}.bias"] = layer.bias.half()
    done = tuple(f"{name}." for name in layers)
    for name, tensor in network.state_dict().items():
        if not name.startswith(done):
            kept[name] = tensor.half() if tensor.is_floating_point() else tensor
    folder.mkdir(parents=True, exist_ok=True)
    network.save_config(folder)
    save_file({n: t.detach().cpu().contiguous() for n, t in kept.items()}, folder / WEIGHTS)
    shares = {part: round(share, 4) for part, share in q.shares(network).items()}
    facts = {"format": FORMAT, "version": VERSION, "bits": bits, "type": kind if bits == 4 else "int8"}
    (folder / HOW).write_text(json.dumps(facts | {"shares": shares, "layers": layers}, indent=1) + "\n")


def _packed(layer: Any, method: str) -> dict[str, Tensor]:
    if method == "linear8":
        scale = layer.weight.SCB if getattr(layer.weight, "SCB", None) is not None else layer.state.SCB
        return {"weight": layer.weight.data, "scale": scale}
    if method == "linear4":
        return {"weight": layer.weight.data} | dict(layer.weight.quant_state.as_dict(packed=True))
    names = ("weight", "scale") if method == "conv8" else ("weight", "absmax")
    return {name: getattr(layer, name) for name in names}


def load(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """The network that ``save`` wrote; layers that are not quantised in ``dtype``.

    Raises ValueError where the folder's description is of something else or its tensors do not fit the network.
    """
    import diffusers
    from safetensors.torch import load_file

    how, config = json.loads((folder / HOW).read_text()), json.loads((folder / "config.json").read_text())
    if how.get("format") != FORMAT or how.get("version") != VERSION:
        raise ValueError(f"{folder / HOW} must say format {FORMAT}, version {VERSION}, not {how.get('format')!r}")
    made = getattr(diffusers, str(config.get("_class_name")), None)
    if not (isinstance(made, type) and issubclass(made, diffusers.ModelMixin)):
        raise ValueError(f"{folder / 'config.json'} must name a model of diffusers, not {config.get('_class_name')!r}")
    kept = load_file(folder / WEIGHTS)
    with torch.device("meta"):
        network: Any = made.from_config(config)  # type: ignore[attr-defined]
    for name, method in how["layers"].items():
        parts = {k.removeprefix(f"{name}."): kept.pop(k) for k in [k for k in kept if k.startswith(f"{name}.")]}
        parent, _, last = name.rpartition(".")
        try:
            layer = _unpacked(network.get_submodule(name), method, how["type"], parts, device, dtype)
        except (KeyError, AttributeError) as error:
            raise ValueError(f"{folder / WEIGHTS} does not fit its description at layer {name}: {error}") from error
        setattr(network.get_submodule(parent), last, layer)
    missing = [n for n, t in [*network.named_parameters(), *network.named_buffers()] if t.is_meta and n not in kept]
    if missing:
        raise ValueError(f"{folder / WEIGHTS} lacks {missing[0]} and {len(missing) - 1} more")
    rest = {n: t.to(dtype) if t.is_floating_point() else t for n, t in kept.items()}
    network.load_state_dict(rest, strict=False, assign=True)
    return network.requires_grad_(False).to(device).eval()


def _unpacked(layer: Any, method: str, kind: str, parts: dict[str, Tensor], device: str, dtype: torch.dtype) -> Any:
    import bitsandbytes as bnb

    weight, bias = parts.pop("weight").to(device), parts.pop("bias", None)
    layer.bias = None if bias is None else torch.nn.Parameter(bias.to(device, dtype), requires_grad=False)
    if method == "conv8":
        return Conv2d8bit(layer, weight, parts["scale"].to(device))
    if method == "conv4":
        return Conv2d4bit(layer, weight, parts["absmax"].to(device), kind)
    made = q.shell(layer, method, kind)
    if method == "linear8":
        made.weight = bnb.nn.Int8Params(
            weight, requires_grad=False, has_fp16_weights=False, CB=weight, SCB=parts["scale"].to(device)
        )
    else:
        made.weight = bnb.nn.Params4bit.from_prequantized(weight, parts, device=device, module=made)
    return made

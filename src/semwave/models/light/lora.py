"""Low-rank adapters (LoRA, Hu et al., 2022) by peft, on full-precision and on quantised networks alike (QLoRA).

An adapter is a folder of peft: adapter_config.json and adapter_model.safetensors. Adapters that diffusers wrote
(pytorch_lora_weights.safetensors, with or without the name of the network before each key) are read too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Conv2d, Linear

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIXES = ("base_model.model.", "unet.", "transformer.")
KEPT = ("conv_in", "conv_out")


def targets(network: Any, rank: int) -> list[str]:
    """Names of the linear layers and convolutions wide enough for an adapter of ``rank``."""
    found = []
    for name, layer in network.named_modules():
        if name in KEPT or not isinstance(layer, Linear | Conv2d):
            continue
        linear = isinstance(layer, Linear)
        sizes = (layer.in_features, layer.out_features) if linear else (layer.in_channels, layer.out_channels)
        if min(sizes) > rank:
            found.append(name)
    return found


def add(network: Any, rank: int, seed: int) -> int:
    """Freeze ``network``, put adapters of ``rank`` into it, in place; number of weights to train.

    They start at no effect (B = 0) and scale alpha / rank = 1. Raises ValueError where no layer is wide enough.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if rank < 1:
        raise ValueError(f"rank must be at least 1, not {rank}")
    if not (names := targets(network, rank)):
        raise ValueError(f"rank must be below the width of some layer, not {rank}")
    network.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=names), network)
    return sum(p.numel() for p in parameters(network).values())


def parameters(network: Any) -> dict[str, Any]:
    """The weights of the adapter in ``network`` by name."""
    return {name: p for name, p in network.named_parameters() if "lora_" in name}


def save(network: Any, folder: Path) -> None:
    """Write the adapter in ``network`` as a folder of peft."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    kept = {f"{PREFIXES[0]}{n}": t.detach().cpu().contiguous() for n, t in get_peft_model_state_dict(network).items()}
    partial = folder / f"{WEIGHTS}.tmp"
    save_file(kept, partial)
    partial.rename(folder / WEIGHTS)
    network.peft_config["default"].save_pretrained(folder)


def file_of(adapter: Path) -> Path:
    """The safetensors file of ``adapter``, itself or the one in its folder.

    Raises FileNotFoundError or ValueError naming it where there is none, or where there are several.
    """
    if not adapter.exists():
        raise FileNotFoundError(f"adapter {adapter} does not exist")
    files = [adapter] if adapter.is_file() else sorted(adapter.glob("*.safetensors"))
    if len(files) != 1 or files[0].suffix != ".safetensors":
        raise ValueError(f"adapter {adapter} must be a safetensors file or a folder with one in it")
    return files[0]


def apply(network: Any, adapter: Path) -> Any:
    """``network`` with the adapter in file or folder ``adapter``, in place; raises ValueError where they do not fit."""
    from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict

    file = file_of(adapter)
    kept, config = _read(file)
    modules = {name.rpartition(".lora_")[0] for name in kept}
    known = {name for name, _ in network.named_modules()}
    if not kept or "" in modules or not modules <= known:
        odd = next(iter(sorted(modules - known)), "nothing")
        raise ValueError(f"adapter {file} is for another network: it has {odd}, which this one has not")
    ranks = {n.rpartition(".lora_")[0]: int(t.shape[0]) for n, t in kept.items() if ".lora_A." in n}
    rank = int(config.get("r") or max(ranks.values()))
    made = LoraConfig(
        r=rank, lora_alpha=config.get("lora_alpha") or rank, target_modules=sorted(modules),
        rank_pattern={n: r for n, r in ranks.items() if r != rank},
        alpha_pattern=config.get("alpha_pattern") or {}, use_rslora=bool(config.get("use_rslora")),
    )  # fmt: skip
    try:
        inject_adapter_in_model(made, network)
        set_peft_model_state_dict(network, kept)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"adapter {file} does not fit the network: {str(error).splitlines()[0]}") from error
    return network.requires_grad_(False)


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    from safetensors import safe_open

    kept: dict[str, Tensor] = {}
    with safe_open(file, "pt") as opened:
        noted = (opened.metadata() or {}).get("lora_adapter_metadata")  # diffusers
        for name in opened.keys():  # noqa: SIM118 (not a mapping)
            prefix = next((p for p in PREFIXES if name.startswith(p)), "")
            kept[name.removeprefix(prefix)] = opened.get_tensor(name)
    beside = file.parent / CONFIG
    config = json.loads(beside.read_text()) if beside.is_file() else json.loads(noted or "{}")
    return kept, {str(k).removeprefix("unet.").removeprefix("transformer."): v for k, v in config.items()}


def merge(network: Any) -> Any:
    """``network`` with its adapter added to its weights and gone, in place: w + (alpha / rank) B A."""
    from peft.tuners.lora import LoraLayer

    for name, layer in list(network.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, layer.get_base_layer())
    if hasattr(network, "peft_config"):
        del network.peft_config
    return network

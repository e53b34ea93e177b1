"""Models as folders: what can be quantised and merged, and the folders that come of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from semwave.models.hubnet import cache_only
from semwave.models.light import lora, quantise, store

NETWORKS = ("unet", "transformer")


def find(model: str) -> Path:
    """The folder of ``model``: a shipped decoder (flow), a folder in diffusers format, or an id of the hub.

    Raises ValueError or, where the hub has not got it, OSError that says what to do.
    """
    from semwave.models.generate import WEIGHTS

    if model in ("flow", "decoder-flow"):
        return WEIGHTS
    name = model.removeprefix("hub:")
    folder = Path(name)
    if folder.is_dir():
        network_of(folder)
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ValueError(f"model must be flow, a folder or a hub id such as owner/model, not {model!r}")
    return _fetched(name)


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.txt", "*.safetensors"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=cache_only(name)))
    except Exception as error:  # many kinds, of several libraries
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OSError(
            f"cannot get {name} from the hub: {reason} On a machine with a connection run `hf download {name} "
            "--local-dir FOLDER`, copy the folder here and name it instead"
        ) from error


def network_of(folder: Path) -> Path:
    """The folder of the network inside model ``folder``; raises ValueError where there is none."""
    for name in NETWORKS:
        if (folder / name / "config.json").is_file():
            return folder / name
    raise ValueError(f"{folder} holds no model in diffusers format: expected {' or '.join(NETWORKS)} in it")


def load_network(folder: Path) -> Any:
    """The network in ``folder`` (with config.json) in full precision; raises ValueError where it is quantised."""
    import diffusers
    import torch

    if store.is_quantised(folder):
        raise ValueError(f"{folder} is quantised already: take the model that it was made from")
    config = json.loads((folder / "config.json").read_text())
    made = getattr(diffusers, str(config.get("_class_name")), None)
    if made is None:
        raise ValueError(f"{folder / 'config.json'} must name a model of diffusers, not {config.get('_class_name')!r}")
    more: dict[str, Any] = {"dtype": torch.float32, "use_safetensors": True, "local_files_only": True}
    if any(folder.glob("*.fp16.safetensors")) and not (folder / "diffusion_pytorch_model.safetensors").is_file():
        more["variant"] = "fp16"
    return made.from_pretrained(folder, **more)


def quantise_model(model: str, out: Path, bits: int, kind: str = "nf4") -> dict[str, Any]:
    """Write ``model`` with its network in ``bits`` to folder ``out``; what it took before and takes now.

    Keys: network, bits, type, shares of the weights quantised, bytes_before, bytes_after of the network's files.
    """
    quantise.check(bits, kind)
    source = find(model)
    inner = network_of(source)
    network = quantise.quantise(load_network(inner), bits, kind)
    _rest(source, out, inner.name)
    store.save(network, out / inner.name, bits, kind)
    return {
        "out": str(out), "network": inner.name, "bits": bits, "type": kind if bits == 4 else "int8",
        "shares": quantise.shares(network), "bytes_before": size(inner), "bytes_after": size(out / inner.name),
    }  # fmt: skip


def merge_model(model: str, adapter: Path, out: Path) -> dict[str, Any]:
    """Write ``model`` with ``adapter`` added to its weights to folder ``out``, 16-bit safetensors."""
    import torch

    source = find(model)
    inner = network_of(source)
    network = lora.merge(lora.apply(load_network(inner), adapter))
    _rest(source, out, inner.name)
    network.to(torch.float16).save_pretrained(out / inner.name, variant="fp16", safe_serialization=True)
    return {"out": str(out), "network": inner.name, "bytes": size(out / inner.name)}


def size(folder: Path) -> int:
    """Bytes of the weights in ``folder``."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _rest(source: Path, out: Path, network: str) -> None:
    # everything but the network, and nothing that would have to be unpickled
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} must be a folder that is empty or not there yet")
    pickles = shutil.ignore_patterns("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.msgpack", ".*")

    def ignored(folder: str, names: list[str]) -> set[str]:
        return pickles(folder, names) | ({network} if Path(folder) == source else set())

    shutil.copytree(source, out, ignore=ignored, dirs_exist_ok=True)

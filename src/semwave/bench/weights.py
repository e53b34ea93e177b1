"""Weights of the networks behind LPIPS (shipped) and DISTS (fetched once into a cache)."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from semwave.runtime.errors import UserError

Tensor = Any

FETCH = "semwave models fetch metrics"
VGG_FILE = "vgg16-dists.safetensors"
VGG_BYTES = 58_872_816  # a file of another size is half a file


def shipped(name: str) -> dict[str, Tensor]:
    """The tensors of models/weights/NAME/model.safetensors.

    Raises:
        UserError: the file is not there (a broken installation).
    """
    path = Path(str(files("semwave"))) / "models" / "weights" / name / "model.safetensors"
    if not path.is_file():
        raise UserError(f"{path} is missing: install semwave again")
    return load(path)


def fetched(name: str = VGG_FILE) -> dict[str, Tensor]:
    """The tensors of a file in the cache.

    Raises:
        UserError: it was not fetched yet, or not wholly; the message names the command.
    """
    need(name)
    return load(cache_folder() / name)


def need(name: str = VGG_FILE) -> None:
    """Raise the UserError of `fetched` before any work is done."""
    problem = missing(name)
    if problem:
        raise UserError(f"{problem}; '{FETCH}' gets it (64 MB, once)")


def missing(name: str = VGG_FILE) -> str | None:
    """Why a file cannot be read from the cache, or None."""
    path = cache_folder() / name
    if not path.is_file():
        return f"the weights {path} are not there"
    if path.stat().st_size != VGG_BYTES:
        return f"{path} has {path.stat().st_size} bytes, not {VGG_BYTES}"
    return None


def cache_folder() -> Path:
    """Where fetched weights lie: SEMWAVE_CACHE, else ~/.cache/semwave."""
    told = os.environ.get("SEMWAVE_CACHE")
    return Path(told).expanduser() if told else Path.home() / ".cache" / "semwave"


def load(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; ``NAME.scale`` beside an integer tensor NAME makes it float32."""
    from safetensors.torch import load_file

    kept = load_file(path)
    return {
        name: value.float() * kept[f"{name}.scale"] if f"{name}.scale" in kept else value
        for name, value in kept.items()
        if not name.endswith(".scale")
    }

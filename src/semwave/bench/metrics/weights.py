"""Weights of the networks behind LPIPS and DISTS: what ships with semwave."""

from importlib.resources import files
from pathlib import Path
from typing import Any

Tensor = Any


def shipped(name: str) -> dict[str, Tensor]:
    """The tensors of models/weights/NAME/model.safetensors; ``NAME.scale`` beside an integer tensor makes it float32.

    Raises:
        ValueError: the file is not there (a broken installation).
    """
    path = Path(str(files("semwave"))) / "models" / "weights" / name / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{path} is missing: install semwave again")
    return load(path)


def load(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, integers times their scales."""
    from safetensors.torch import load_file

    kept = load_file(path)
    return {
        name: value.float() * kept[f"{name}.scale"] if f"{name}.scale" in kept else value
        for name, value in kept.items()
        if not name.endswith(".scale")
    }

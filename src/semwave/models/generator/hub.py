"""Inpainting pipelines of diffusers, by hub id or folder, behind the same call as the shipped generator.

Stable Diffusion (inpainting and plain), SDXL and SDXL-Turbo, latent consistency models: whatever
AutoPipelineForInpainting loads. The pipeline gets the composite of key pixels and smooth fill as its picture, the rest
as its mask and the prompt in plain words; what it paints replaces the fill, key pixels stay.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import fill
from semwave.models.generator.conditions import told
from semwave.models.generator.network import apply_adapter
from semwave.models.generator.quantise import check_bits, quantise
from semwave.models.hubnet import cache_only
from semwave.models.prompt_grammar import Prompt

if TYPE_CHECKING:
    from semwave.models.generate import Known

Array = NDArray[Any]

PREFIX = "hub:"
MULTIPLE = 8  # sides of pictures that latent autoencoders take
STRENGTH = 0.75  # how much of the fill is painted over where a sketch came; all of it otherwise
TURBO = ("turbo", "lcm", "lightning", "hyper")  # families made for one to eight steps without guidance


class HubError(OSError):
    """A pipeline that could not be loaded; the message says what to do."""


class HubInventor:
    """Paints the rest with a pipeline of diffusers: an Inventor (see generate)."""

    def __init__(self, name: str, device: str = "cpu", bits: int | None = None, adapter: Path | None = None) -> None:
        self.pipeline = load_pipeline(name, device, bits)
        if adapter is not None:
            network = "unet" if hasattr(self.pipeline, "unet") else "transformer"
            apply_adapter(getattr(self.pipeline, network), adapter)
        self._fast = any(word in name.lower() for word in TURBO)
        self._side = _native_side(self.pipeline)

    def __call__(self, known: Known, seed: int, steps: int) -> Array:
        """What to add to the smooth guess, float32 [height, width, 3]; seeded by a torch Generator on the CPU."""
        import torch

        shape = known.mask.shape
        size = work_size(shape, self._side)
        picture = fill.resize(known.picture, size, Image.Resampling.LANCZOS).clip(0.0, 1.0)
        rest = fill.resize((~known.mask).astype(np.float32), size, Image.Resampling.BOX)
        strength = STRENGTH if known.sketch else 1.0
        with torch.inference_mode():
            made = self.pipeline(
                prompt=in_words(known.prompt),
                image=Image.fromarray(np.rint(255.0 * picture).astype(np.uint8)),
                mask_image=Image.fromarray(np.rint(255.0 * rest).astype(np.uint8)),
                height=size[0],
                width=size[1],
                strength=strength,
                num_inference_steps=int(np.ceil(steps / strength)),
                guidance_scale=0.0 if self._fast else 7.5,
                generator=torch.Generator("cpu").manual_seed(seed),
                output_type="np",
            ).images[0]
        painted = fill.resize(np.asarray(made, np.float32), shape, Image.Resampling.LANCZOS)
        return painted - known.picture


def load_pipeline(name: str, device: str = "cpu", bits: int | None = None) -> Any:
    """The inpainting pipeline of hub id or folder ``name``.

    Folders never touch the network; ids do unless HF_HUB_OFFLINE is set or no hub answers: then only the cache is
    looked at. Raises HubError that says what to do where the files cannot be had.
    """
    import torch

    from semwave.models.generator import network

    network._quiet()
    from diffusers import AutoPipelineForInpainting

    check_bits(bits)
    local = Path(name).is_dir()
    if not local and (name.startswith((".", "/", "~")) or name.count("/") != 1):
        raise HubError(f"{name} is neither a folder nor a hub id such as owner/model")
    half = torch.float16 if device.startswith("cuda") else torch.float32
    more: dict[str, Any] = {"dtype": half, "local_files_only": cache_only(name), "use_safetensors": True}
    if local:
        more |= _quantised(Path(name), device, half)
    try:
        pipeline: Any = AutoPipelineForInpainting.from_pretrained(name, **more)
    except (OSError, ValueError) as error:
        raise HubError(_advice(name, local, error)) from error
    pipeline.set_progress_bar_config(disable=True)
    if bits is not None:
        part = "unet" if hasattr(pipeline, "unet") else "transformer"
        setattr(pipeline, part, quantise(getattr(pipeline, part), bits, device))
    return pipeline.to(device)


def _quantised(folder: Path, device: str, dtype: Any) -> dict[str, Any]:
    # the network where `semwave models quantize` wrote it; diffusers cannot read that
    from semwave.models.light import store

    parts = [folder / part for part in ("unet", "transformer") if store.is_quantised(folder / part)]
    return {part.name: store.load(part, device, dtype) for part in parts}


def _advice(name: str, local: bool, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if local:
        return f"folder {name} holds no inpainting pipeline of diffusers with safetensors weights: {reason}"
    offline = " HF_HUB_OFFLINE is set, so only the cache was looked at." if os.environ.get("HF_HUB_OFFLINE") else ""
    return (
        f"cannot get the pipeline {name} from the hub: {reason}.{offline} On a machine with a connection run "
        f"`hf download {name} --local-dir FOLDER`, copy the folder here and use hub:FOLDER; or use the "
        "shipped decoder, model flow"
    )


def in_words(prompt: Prompt) -> str:
    """The structured prompt as a description: caption first, then scene, light, and what the cells are coloured."""
    parts = [told(prompt)] if told(prompt) else []
    if prompt.scene:
        parts.append(f"{prompt.scene} scene")
    if prompt.light:
        parts.append(f"{prompt.light[0]} {prompt.light[1]} light")
    for name, share in (("sky", prompt.sky), ("vegetation", prompt.vegetation)):
        if share:
            parts.append(name)
    for place in ("top", "middle", "bottom"):
        cells = [cell for cell in getattr(prompt, place) or () if cell is not None]
        if cells:
            parts.append(f"{' and '.join(dict.fromkeys(str(cell) for cell in cells))} at the {place}")
    return ", ".join(parts)


def work_size(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Height and width at which the pipeline works: about ``side`` squared pixels at most, multiples of 8."""
    height, width = shape[:2]
    scale = min(1.0, side / float(np.sqrt(height * width)))
    return tuple(max(MULTIPLE, round(n * scale / MULTIPLE) * MULTIPLE) for n in (height, width))  # type: ignore[return-value]


def _native_side(pipeline: Any) -> int:
    network = getattr(pipeline, "unet", None) or pipeline.transformer
    size = getattr(network.config, "sample_size", None) or 64
    return int(size) * int(getattr(pipeline, "vae_scale_factor", 8))

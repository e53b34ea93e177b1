"""The tiny generator: flow matching with a small U-Net on wavelet subbands of a picture of at most 192 pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import bands, fill, texture

if TYPE_CHECKING:
    from semwave.models.generate import Known

Array = NDArray[Any]

WEIGHTS = Path(__file__).parent / "weights" / "decoder-tiny"
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SIDE = 192  # long side at which the generator works


class TinyInventor:
    """Adds structure to a smooth fill, and texture where the prompt tells of more: an Inventor (see generate)."""

    def __init__(self, device: str = "cpu", folder: Path = WEIGHTS) -> None:
        import torch
        from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DModel

        self._device = torch.device(device)
        self._net = UNet2DModel.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32)
        self._net.to(self._device).eval()
        self._schedule: Any = FlowMatchEulerDiscreteScheduler.from_pretrained(folder)
        self._scales = np.array(json.loads((folder / "decoder.json").read_text())["scales"], np.float32)

    def __call__(self, known: Known, seed: int, steps: int) -> Array:
        picture, mask = shrink(known)
        height, width = mask.shape
        pad = ((0, -height % bands.MULTIPLE), (0, -width % bands.MULTIPLE))
        hints = bands.conditions(
            np.pad(picture, (*pad, (0, 0)), mode="edge"), np.pad(mask, pad), known.textures, known.edges,
            known.sketch, self._scales,
        )  # fmt: skip
        added = bands.synthesise(self._sample(hints, seed, steps))[0, :, :height, :width].numpy().transpose(1, 2, 0)
        added = np.where(mask[..., None], np.float32(0.0), added)
        added = fill.resize(added, known.mask.shape, Image.Resampling.BICUBIC)
        detail = texture.synthesise(known.mask.shape, known.textures, known.edges, seed, added @ _LUMA)
        return added + detail[..., None]

    def _sample(self, hints: Any, seed: int, steps: int) -> Any:
        """Residual subbands [1, 24, h, w]; the noise depends on the seed alone."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        state = torch.randn((1, bands.CHANNELS, *hints.shape[1:]), generator=generator).to(self._device)
        hints = hints[None].to(self._device)
        schedule = type(self._schedule).from_config(self._schedule.config)
        schedule.set_timesteps(sigmas=np.linspace(1.0, 1.0 / steps, steps), device=self._device)
        with torch.inference_mode():
            for time, sigma in zip(schedule.timesteps, schedule.sigmas, strict=False):
                picture = self._net(torch.cat([state, hints], dim=1), time).sample
                state = schedule.step((state - picture) / sigma, time, state).prev_sample
        return state.cpu() * torch.from_numpy(self._scales)[None, :, None, None]


def shrink(known: Known) -> tuple[Array, Array]:
    """Composite and mask at the generator's size: key pixels averaged, the rest filled anew at that size."""
    height, width = known.mask.shape
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1.0:
        return known.picture, known.mask
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    weight = known.mask.astype(np.float32)
    share = fill.resize(weight, shape, Image.Resampling.BOX)
    key = fill.resize(known.picture * weight[..., None], shape, Image.Resampling.BOX)
    mask = share >= 0.5
    key /= np.maximum(share, 0.5)[..., None]
    base = None if known.base is None else fill.resize(known.base, shape, Image.Resampling.BOX)
    return fill.membrane(key, mask, base, known.reach), mask

"""The tiny generator: flow matching with a small U-Net on wavelet subbands of a picture of at most 192 pixels.

Sampling does not start from pure noise but from the textured fill under a little of it (as SDEdit does, Meng et al.
2022): a network of this size is much better at correcting a plausible picture than at making one from nothing.
"""

from __future__ import annotations

import json
import logging
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
SIDE = 192  # long side at which the generator works
START = 0.2  # noise level at which it takes over from the texture of the prompt's words


class TinyInventor:
    """Adds texture to a smooth fill and corrects both: an Inventor (see generate)."""

    def __init__(self, device: str = "cpu", folder: Path = WEIGHTS) -> None:
        import torch

        # diffusers imports bitsandbytes, which tells every user of a CPU about an optional package
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DModel

        self._device = torch.device(device)
        self._net = UNet2DModel.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32)
        self._net.to(self._device).eval()
        self._schedule: Any = FlowMatchEulerDiscreteScheduler.from_pretrained(folder)
        self._scales = np.array(json.loads((folder / "decoder.json").read_text())["scales"], np.float32)

    def __call__(self, known: Known, seed: int, steps: int) -> Array:
        detail = texture.synthesise(known.mask.shape, known.textures, known.edges, seed)
        picture, mask = shrink(known)
        height, width = mask.shape
        pad = ((0, -height % bands.MULTIPLE), (0, -width % bands.MULTIPLE))
        hints = bands.conditions(
            np.pad(picture, (*pad, (0, 0)), mode="edge"), np.pad(mask, pad), known.textures, known.edges,
            known.sketch, self._scales,
        )  # fmt: skip
        first = np.where(mask, np.float32(0.0), fill.resize(detail, mask.shape, Image.Resampling.BOX))
        change = self._change(hints, np.pad(first, pad), seed, steps)[:height, :width]
        change = np.where(mask[..., None], np.float32(0.0), change)
        return detail[..., None] + fill.resize(change, known.mask.shape, Image.Resampling.BICUBIC)

    def _change(self, hints: Any, detail: Array, seed: int, steps: int) -> Array:
        """What the flow from noise level START makes of the luma ``detail`` [height, width]: [height, width, 3].

        The noise depends on the seed alone.
        """
        import torch

        scales = torch.from_numpy(self._scales)[None, :, None, None]
        grey = torch.from_numpy(np.ascontiguousarray(detail, np.float32))[None, None].expand(1, 3, -1, -1)
        first = bands.analyse(grey + 0.5) / scales
        noise = torch.randn(first.shape, generator=torch.Generator().manual_seed(seed))
        state = ((1.0 - START) * first + START * noise).to(self._device)
        schedule = type(self._schedule).from_config(self._schedule.config)
        schedule.set_timesteps(sigmas=np.linspace(START, START / steps, steps), device=self._device)
        hints = hints[None].to(self._device)
        with torch.inference_mode():
            for time, sigma in zip(schedule.timesteps, schedule.sigmas, strict=False):
                picture = self._net(torch.cat([state, hints], dim=1), time).sample
                state = schedule.step((state - picture) / sigma, time, state).prev_sample
        return bands.synthesise((state.cpu() - first) * scales)[0].numpy().transpose(1, 2, 0)


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

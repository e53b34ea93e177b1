"""The shipped generator: a flow from the textured fill to a picture, by a small U-Net on wavelet subbands.

A folder in diffusers format: ``unet`` (UNet2DConditionModel), ``scheduler`` (FlowMatchEulerDiscreteScheduler) and
decoder.json with the scale of each subband. The flow's source is not noise but the seeded texture of the prompt's
words laid over the smooth fill: a small network is much better at correcting a plausible picture than at making one
from nothing, and one step of it is a picture already.
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
from semwave.models.generator import conditions
from semwave.models.generator.quantise import check_bits, quantise

if TYPE_CHECKING:
    from semwave.models.generate import Known

Array = NDArray[Any]

SIDE = 768  # long side at which the network works at most; larger pictures get its corrections enlarged


class FlowInventor:
    """Adds texture to a smooth fill and corrects both: an Inventor (see generate)."""

    def __init__(self, folder: Path, device: str = "cpu", bits: int | None = None, adapter: Path | None = None) -> None:
        import torch

        _quiet()
        from diffusers import FlowMatchEulerDiscreteScheduler

        self._device = torch.device(device)
        self.unet = load_unet(folder, device, bits, adapter)
        self._schedule: Any = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler")
        facts = json.loads((folder / "decoder.json").read_text())
        self._scales = torch.tensor(facts["scales"], device=self._device)[None, :, None, None]
        self.told_detail = bool(facts.get("told_detail", False))

    def __call__(self, known: Known, seed: int, steps: int) -> Array:
        """What to add to the smooth guess, float32 [height, width, 3]; it depends on ``known`` and ``seed`` alone."""
        detail = texture.synthesise(known.mask.shape, known.textures, known.prompt.edges, seed, known.picture)
        picture, mask, error = shrink(known)
        same = mask.shape == known.mask.shape
        first = detail if same else fill.resize(detail, mask.shape, Image.Resampling.BOX)
        first = np.where(mask, np.float32(0.0), first)
        added = self._flow(known, picture, mask, error, first, seed, steps)
        if same:
            return added
        change = np.where(mask[..., None], np.float32(0.0), added - first[..., None])
        return detail[..., None] + fill.resize(change, known.mask.shape, Image.Resampling.BICUBIC)

    def _flow(
        self, known: Known, picture: Array, mask: Array, error: float, first: Array, seed: int, steps: int
    ) -> Array:
        import torch

        height, width = mask.shape
        pad = ((0, -height % bands.MULTIPLE), (0, -width % bands.MULTIPLE))
        composite = bands.analyse(self._planes(np.pad(picture, (*pad, (0, 0)), mode="edge")))
        region = self._planes(np.pad(mask, pad)[..., None])
        grey = self._planes(np.pad(first, pad)[..., None]).expand(-1, 3, -1, -1)
        source = bands.analyse(grey + 0.5) / self._scales
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(seed)).to(self._device)
        state = source
        level = float(known.sketch)
        if self.told_detail:
            level = conditions.sketch_level(known.sketch, known.still_bytes, mask.size)
        maps = conditions.hints(tuple(state.shape[-2:]), known.prompt, known.textures, level, error)
        maps = torch.from_numpy(maps)[None].to(self._device)
        words = torch.from_numpy(conditions.caption_tokens(conditions.told(known.prompt)))[None].to(self._device)
        schedule = type(self._schedule).from_config(self._schedule.config)
        schedule.set_timesteps(sigmas=np.linspace(1.0, 1.0 / steps, steps), device=self._device)
        with torch.inference_mode():
            for time in schedule.timesteps:
                told = conditions.inputs(state, composite, region, maps, self._scales)
                seen = self.unet(told.to(self.unet.dtype), time, words.to(self.unet.dtype)).sample
                velocity = conditions.velocity(seen.float(), source, noise)
                state = schedule.step(velocity, time, state).prev_sample
            made = bands.synthesise(state * self._scales)[0, :, :height, :width]
        out: Array = made.float().cpu().numpy().transpose(1, 2, 0)
        return out

    def _planes(self, picture: Array) -> Any:
        import torch

        planes = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
        return torch.from_numpy(planes)[None].to(self._device)


def load_unet(folder: Path, device: str = "cpu", bits: int | None = None, adapter: Path | None = None) -> Any:
    """The U-Net of ``folder``; ``bits`` 8 or 4 quantises it on loading, ``adapter`` is a LoRA folder or file.

    Raises ValueError for other bits, FileNotFoundError where folder or adapter are missing.
    """
    import torch

    _quiet()
    from diffusers import UNet2DConditionModel

    from semwave.models.light import store

    check_bits(bits)
    if not (folder / "unet" / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no decoder: expected unet/, scheduler/ and decoder.json in it")
    if store.is_quantised(folder / "unet"):
        unet: Any = store.load(folder / "unet", device)
        return (unet if adapter is None else apply_adapter(unet, adapter)).eval()
    more: dict[str, Any] = {"dtype": torch.float32}
    if any((folder / "unet").glob("*.fp16.safetensors")):
        more["variant"] = "fp16"
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", **more)
    unet = unet.to(device) if bits is None else quantise(unet, bits, device)
    return (unet if adapter is None else apply_adapter(unet, adapter)).eval()


def apply_adapter(unet: Any, adapter: Path) -> Any:
    """``unet`` with the LoRA weights of ``adapter``: a safetensors file, or a folder that holds one."""
    from semwave.models.light.lora import apply

    return apply(unet, adapter)


def shrink(known: Known) -> tuple[Array, Array, float]:
    """Composite, mask and key error at the network's size: key pixels averaged, the rest filled anew at that size."""
    height, width = known.mask.shape
    inside = np.broadcast_to(known.key_error, known.mask.shape)[known.mask]
    error = float(np.sqrt(np.mean(np.minimum(inside, 1.0) ** 2, dtype=np.float64))) if inside.size else 0.0
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1.0:
        return known.picture, known.mask, error
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    weight = known.mask.astype(np.float32)
    share = fill.resize(weight, shape, Image.Resampling.BOX)
    key = fill.resize(known.picture * weight[..., None], shape, Image.Resampling.BOX)
    mask = share >= 0.5
    key /= np.maximum(share, 0.5)[..., None]
    base = None if known.base is None else fill.resize(known.base, shape, Image.Resampling.BOX)
    return fill.membrane(key, mask, base, known.reach), mask, error


def _quiet() -> None:
    # diffusers imports bitsandbytes, which tells every user of a CPU about an optional package
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)

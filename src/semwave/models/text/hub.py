"""Captioners of the Hugging Face hub: the BLIP, GIT and Florence-2 families of transformers, by id or folder.

Only safetensors are loaded and no code of the repository is run. The key region is painted in the mean colour of the
rest, so that the caption is of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.hubnet import cache_only
from semwave.models.text.captioner import Said

Array = NDArray[Any]

FAMILIES = ("blip", "blip-2", "git", "florence2")
_TASK = "<CAPTION>"  # what Florence-2 is asked


class HubCaptioner:
    """A captioner of transformers. Raises OSError where it cannot be had, ValueError where it is of no known family."""

    def __init__(self, name: str, device: str = "cpu", most_words: int = 30) -> None:
        from transformers import AutoProcessor

        safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": cache_only(name)}
        try:
            self.family = str(_config(name, safe).model_type)
            if self.family not in FAMILIES:
                raise ValueError(f"caption must be of the families {', '.join(FAMILIES)}; {name} is {self.family!r}")
            self._processor = AutoProcessor.from_pretrained(name, **safe)
            model = _class_of(self.family).from_pretrained(name, use_safetensors=True, **safe)
        except OSError as error:
            raise OSError(_advice(name, error)) from error
        self._model, self._device, self._most = model.to(device).eval(), device, most_words

    def __call__(self, images: Sequence[Array], regions: Sequence[Array | None]) -> list[Said]:
        """Captions of what lies outside ``regions`` of uint8 pictures."""
        import torch

        out = []
        for image, region in zip(images, regions, strict=True):
            given = {"images": Image.fromarray(without(image, region)), "return_tensors": "pt"}
            if self.family == "florence2":
                given["text"] = _TASK
            inputs = {k: v.to(self._device) for k, v in self._processor(**given).items()}
            if self.family == "git":
                inputs = {"pixel_values": inputs["pixel_values"]}
            with torch.inference_mode():
                numbers = self._model.generate(**inputs, max_new_tokens=self._most, num_beams=3, do_sample=False)
            said = self._processor.batch_decode(numbers, skip_special_tokens=True)[0]
            out.append(Said(" ".join(said.split())))
        return out


def without(image: Array, region: Array | None) -> Array:
    """The picture with its key region in the mean colour of the rest."""
    if region is None or not region.any():
        return image
    out = image.copy()
    out[region] = 127 if region.all() else np.rint(image[~region].mean(axis=0)).astype(np.uint8)
    return out


def _config(name: str, safe: dict[str, Any]) -> Any:
    """What the model says of itself; transformers says by a ValueError that a folder holds no model."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(name, **safe)
    except ValueError as error:
        raise OSError(str(error)) from error


def _class_of(family: str) -> Any:
    import transformers

    names = {
        "blip": "BlipForConditionalGeneration",
        "blip-2": "Blip2ForConditionalGeneration",
        "git": "GitForCausalLM",
        "florence2": "Florence2ForConditionalGeneration",
    }
    return getattr(transformers, names[family])


def _advice(name: str, error: OSError) -> str:
    if Path(name).is_dir():
        return (
            f"the folder {name} does not hold a captioner with config.json, processor and safetensors: {_first(error)}"
        )
    return (
        f"the captioner {name} is neither a folder here nor in the hub's cache, and the hub could not be reached. "
        f"Where there is a network, `hf download {name}` fetches it; copy it here and set caption = "
        f'"hub:FOLDER", or use caption = "own", which needs none. ({_first(error)})'
    )


def _first(error: OSError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

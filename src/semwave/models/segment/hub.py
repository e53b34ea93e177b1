"""Segmentation models of the hub behind the interface of `Segmenter`: by id or folder, through transformers.

| family | auto | box, point | word |
|---|---|---|---|
| SAM | the default model's region, made exact | what the model makes of them | no |
| CLIPSeg | "a photo of the main subject" and the like | default | any |
| Mask2Former, MaskFormer, SegFormer | the segments that the default model likes | default | its labels |

Only safetensors are loaded, and no code that comes with a model. Pictures are brought to the model by our own few
lines, after the numbers in its ``preprocessor_config.json``, so that torchvision is not needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from semwave.models.hubnet import cache_only
from semwave.models.segment import backends
from semwave.models.segment.backends import Segmenter
from semwave.models.segment.references import resize
from semwave.models.segment.regions import Importance, Picture

if TYPE_CHECKING:
    from torch import Tensor

FAMILIES = {
    "sam": "SamModel",
    "clipseg": "CLIPSegForImageSegmentation",
    "mask2former": "Mask2FormerForUniversalSegmentation",
    "maskformer": "MaskFormerForInstanceSegmentation",
    "segformer": "SegformerForSemanticSegmentation",
}
SUBJECTS = ("a photo of the main subject", "a person", "an animal", "an object in the foreground")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SIDES = {"sam": 1024, "clipseg": 352, "segformer": 512}


@dataclass(frozen=True)
class Loaded:
    """A model with what its preprocessor file says."""

    name: str
    family: str
    source: str
    net: Any
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str

    def tensor(self, image: Picture, square: bool = True) -> Tensor:
        """uint8 [H, W, 3] -> normalised float32 [1, 3, side, side], or with the longer side ``side`` and its shape."""
        import torch

        scale = self.side / max(image.shape[:2])
        rows, columns = (max(1, round(n * scale)) for n in image.shape[:2])
        size = (self.side, self.side) if square else (columns, rows)
        x = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR), np.float32) / 255
        x = (x - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return torch.from_numpy(x).permute(2, 0, 1)[None].to(self.device)


def load(name: str, device: str = "cpu") -> Segmenter:
    """A model by ``hub:ID`` or ``hub:FOLDER``.

    Raises:
        ValueError: a model of a family that is not in `FAMILIES`, or no such device.
        OSError: it is not on this machine and the hub cannot be reached, or it has no safetensors.
    """
    model = _load(name, device)
    if model.family == "sam":
        return _sam(model)
    if model.family == "clipseg":
        return _clipseg(model)
    return _segments(model)


def _load(name: str, device: str) -> Loaded:
    import transformers

    source = name.removeprefix("hub:")
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": cache_only(source)}
    try:
        config = transformers.AutoConfig.from_pretrained(source, **safe)
    except (OSError, ValueError) as error:
        raise OSError(_unreachable(name, source, error)) from error
    if config.model_type not in FAMILIES:
        raise ValueError(f"{name} is of the family {config.model_type!r}; key regions come from {', '.join(FAMILIES)}")
    family = getattr(transformers, FAMILIES[config.model_type])
    try:
        net = family.from_pretrained(source, use_safetensors=True, **safe)
    except OSError as error:
        raise OSError(_unreachable(name, source, error)) from error
    try:
        net = net.float().eval().to(device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device must be one that torch has here, not {device!r}: {error}") from error
    facts = _preprocessor(source)
    side = _side(facts.get("size"), _SIDES.get(config.model_type, 640))
    if config.model_type == "sam":
        side = config.vision_config.image_size
    mean, std = tuple(facts.get("image_mean", _MEAN)), tuple(facts.get("image_std", _STD))
    return Loaded(name, config.model_type, source, net, side, mean, std, device)


def _unreachable(name: str, source: str, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if Path(source).is_dir():
        return f"{name}: the folder does not hold a model with config.json and safetensors: {reason}"
    return (
        f"{name}: {source} is not on this machine, and the hub cannot be reached or has no such model with safetensors "
        f"({reason}). Where there is a network: hf download {source}; then copy the folder here and give "
        f'model = "hub:FOLDER", or use model = "lite", which ships with the package'
    )


def _preprocessor(source: str) -> dict[str, Any]:
    """The numbers of preprocessor_config.json; none where the model has no such file."""
    from transformers.utils import cached_file

    try:
        found = cached_file(
            source,
            "preprocessor_config.json",
            local_files_only=cache_only(source),
            _raise_exceptions_for_missing_entries=False,
        )
    except OSError:
        return {}
    return json.loads(Path(found).read_text(encoding="utf-8")) if found else {}


def _side(size: Any, default: int) -> int:
    """One side of the many ways in which preprocessor files write sizes."""
    if isinstance(size, dict):
        size = size.get("longest_edge") or size.get("height") or size.get("shortest_edge")
    return int(size) if isinstance(size, (int, float)) else default


def _default(device: str) -> Callable[[Picture], Importance]:
    model = backends.load_segmenter("lite", device)
    return lambda image: model.importance([image])[0]


def _sam(model: Loaded) -> Segmenter:
    """Segment Anything (Kirillov et al., 2023): points and boxes as they are; auto by the default model's region."""
    import torch

    default = _default(model.device)

    def run(image: Picture, **prompt: Any) -> Importance:
        scale = model.side / max(image.shape[:2])
        x = model.tensor(image, square=False)
        rows, columns = x.shape[2:]
        x = torch.nn.functional.pad(x, (0, model.side - columns, 0, model.side - rows))
        given = {k: torch.tensor(v, dtype=torch.float32, device=model.device) * scale for k, v in prompt.items()}
        with torch.inference_mode():
            out = model.net(pixel_values=x, multimask_output="input_points" in prompt, **given)
            best = out.iou_scores[0, 0].argmax()
            logits = torch.nn.functional.interpolate(
                out.pred_masks[0, :, best][None], (model.side, model.side), mode="bilinear", align_corners=False
            )[0, 0, :rows, :columns]
        return resize(logits.sigmoid().cpu().numpy(), image.shape[:2])

    def box(image: Picture, corners: tuple[int, int, int, int]) -> Importance:
        return run(image, input_boxes=[[list(corners)]])

    def point(image: Picture, row: int, column: int) -> Importance:
        return run(image, input_points=[[[[column, row]]]])

    def auto(image: Picture) -> Importance:
        importance = default(image)
        chosen = importance >= 0.5 * max(float(importance.max()), 1e-6)
        rows, columns = np.flatnonzero(chosen.any(1)), np.flatnonzero(chosen.any(0))
        exact = box(image, (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
        return np.asarray(0.5 * (exact + importance), np.float32)

    return Segmenter(model.name, auto, point, box)


def _clipseg(model: Loaded) -> Segmenter:
    """CLIPSeg (Lüddecke and Ecker, CVPR 2022): whatever words say."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        model.source, trust_remote_code=False, local_files_only=cache_only(model.source)
    )

    def word(image: Picture, *texts: str) -> Importance:
        limit = model.net.config.text_config.max_position_embeddings
        tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt")
        tokens = tokens.to(model.device)
        x = model.tensor(image).expand(len(texts), -1, -1, -1)
        with torch.inference_mode():
            out = model.net(pixel_values=x, input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        logits = out.logits.reshape(len(texts), *out.logits.shape[-2:])
        return resize(logits.sigmoid().amax(0).cpu().numpy(), image.shape[:2])

    return Segmenter(model.name, lambda image: word(image, *SUBJECTS), _word=word)


def _segments(model: Loaded) -> Segmenter:
    """Models with a fixed list of labels: their segments, chosen by label or by the default model's importance."""
    import torch

    default = _default(model.device)
    names = {index: label.lower() for index, label in model.net.config.id2label.items()}

    def run(image: Picture) -> tuple[Any, Any]:
        """Masks [q, h, w] and the odds of their labels [q, labels]."""
        with torch.inference_mode():
            out = model.net(pixel_values=model.tensor(image))
            if model.family == "segformer":
                masks = out.logits[0].softmax(0)
                return masks.cpu().numpy(), np.eye(len(masks), dtype=np.float32)
            masks, odds = out.masks_queries_logits[0].sigmoid(), out.class_queries_logits[0].softmax(-1)
        return masks.cpu().numpy(), odds[:, :-1].cpu().numpy()  # the last label is: nothing

    def auto(image: Picture) -> Importance:
        masks, odds = run(image)
        coarse = resize(default(image), masks.shape[1:])
        inside = (masks * coarse).sum((1, 2)) / np.maximum(masks.sum((1, 2)), 1e-6)
        sure = odds.max(1)
        return resize((masks * (inside * sure)[:, None, None]).max(0).astype(np.float32), image.shape[:2])

    def word(image: Picture, text: str) -> Importance:
        wanted = text.strip().lower()
        chosen = [
            index for index, label in names.items() if wanted in label.replace(",", " ").split() or wanted == label
        ]
        if not chosen:
            raise ValueError(f"key word:{text}: {model.name} has the labels {', '.join(sorted(names.values()))}")
        masks, odds = run(image)
        sure = odds[:, chosen].sum(1)
        return resize((masks * sure[:, None, None]).max(0).astype(np.float32), image.shape[:2])

    return Segmenter(model.name, auto, _word=word)

"""Object detectors of the hub behind the interface of `semwave.bench.metrics.objects`: the DETR family and YOLOS.

Only safetensors are loaded, and no code that comes with a model. Pictures are brought to the model by a few lines of
our own, after the numbers in its ``preprocessor_config.json``, so that torchvision is not needed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.bench.metrics.objects import Seen
from semwave.models.hubnet import cache_only

Array = NDArray[Any]

FLOOR = 0.05  # less than this is not worth keeping
LEAST = 0.7
SOFTMAX = ("detr", "yolos", "table-transformer")  # the last class of these is "nothing"
SIGMOID = ("conditional_detr", "deformable_detr", "rt_detr", "rt_detr_v2", "d_fine")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class HubDetector:
    """A detector by ``hub:ID`` or ``hub:FOLDER``.

    Raises:
        ValueError: a model of another family.
        OSError: it is not on this machine and the hub cannot be reached, or it has no safetensors.
    """

    least = LEAST

    def __init__(self, name: str, device: str = "cpu") -> None:
        import transformers

        source = name.removeprefix("hub:")
        safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": cache_only(source)}
        try:
            config = _config(source, safe)
            if config.model_type not in SOFTMAX + SIGMOID:
                known = ", ".join(SOFTMAX + SIGMOID)
                raise ValueError(f"{name} is of the family {config.model_type!r}; objects come from {known}")
            net = transformers.AutoModelForObjectDetection.from_pretrained(
                source, config=config, use_safetensors=True, **safe
            )
        except OSError as error:
            reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            advice = "it takes config.json and safetensors"
            if not Path(source).is_dir():
                advice = f"where there is a network, hf download {source}, then give hub:FOLDER"
            raise OSError(f"{name} cannot be loaded: {reason}; {advice}") from error
        self.name, self._net, self._device = name, net.float().eval().to(device), device
        self._softmax = config.model_type in SOFTMAX
        self._labels = {int(key): str(text) for key, text in config.id2label.items()}
        self._facts = _preprocessor(source)

    def look(self, picture: Array) -> list[Seen]:
        """Candidates in uint8 [rows, columns, 3], surest first."""
        import torch

        with torch.inference_mode():
            out = self._net(pixel_values=self._tensor(picture))
        logits, boxes = out.logits[0].float().cpu(), out.pred_boxes[0].float().cpu()
        odds = logits.softmax(-1)[:, :-1] if self._softmax else logits.sigmoid()
        rows, columns = picture.shape[:2]
        half = boxes[:, 2:] / 2
        corners = torch.cat([boxes[:, :2] - half, boxes[:, :2] + half], 1).clamp(0, 1)
        corners = corners * torch.tensor([columns, rows, columns, rows])
        found = [
            Seen(self._labels[label], tuple(corners[query].tolist()), float(odds[query, label]))
            for query, label in (odds >= FLOOR).nonzero().tolist()
        ]
        return sorted(found, key=lambda s: -s.score)

    def _tensor(self, picture: Array) -> Any:
        import torch
        from PIL import Image

        size = _size(self._facts.get("size"), *picture.shape[:2])
        resized = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
        values = np.asarray(resized, np.float32) / 255
        if self._facts.get("do_normalize", True):
            mean, std = (np.array(self._facts.get(key, least), np.float32) for key, least in _NORM)
            values = (values - mean) / std
        return torch.from_numpy(values).permute(2, 0, 1)[None].to(self._device)


_NORM = (("image_mean", _MEAN), ("image_std", _STD))


def _config(source: str, safe: dict[str, Any]) -> Any:
    """What the model says of itself; transformers says by a ValueError that a folder holds no model."""
    import transformers

    try:
        return transformers.AutoConfig.from_pretrained(source, **safe)
    except ValueError as error:
        raise OSError(str(error)) from error


def _preprocessor(source: str) -> dict[str, Any]:
    """What the model says of its input; empty where it says nothing."""
    from transformers.utils import cached_file

    folder = Path(source) / "preprocessor_config.json"
    if Path(source).is_dir():
        return dict(json.loads(folder.read_text(encoding="utf-8"))) if folder.is_file() else {}
    near = cache_only(source)
    file = cached_file(
        source, "preprocessor_config.json", local_files_only=near, _raise_exceptions_for_missing_entries=False
    )
    return dict(json.loads(Path(file).read_text(encoding="utf-8"))) if file else {}


def _size(told: Any, rows: int, columns: int) -> tuple[int, int]:
    """(Width, height): what the model asks for, or 800 on the shorter side and at most 1333 on the longer one."""
    told = told if isinstance(told, dict) else {}
    if "height" in told and "width" in told:
        return int(told["width"]), int(told["height"])
    scale = min(
        told.get("shortest_edge", 800) / min(rows, columns), told.get("longest_edge", 1333) / max(rows, columns)
    )
    return max(32, round(columns * scale)), max(32, round(rows * scale))

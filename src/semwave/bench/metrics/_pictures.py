"""What every metric takes and gives, in one place: tensors in batches or alone, or NumPy pictures; a mask or none."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

Tensor = Any  # torch carries no types that mypy could follow here
Kernel = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Metric = Callable[..., Any]


def metric(*, exact: bool = True, colour: bool = False, least: int = 1) -> Callable[[Kernel], Metric]:
    """Make a public metric ``(x, y, mask=None)`` of a kernel ``(x_BCHW, y_BCHW, mask_B1HW or None) -> [B]``.

    One picture may have several masks, [M, 1, H, W] (NumPy: [M, rows, columns]): one value each for the price of one.

    ``exact``: NumPy pictures are scored in float64, not float32. ``colour``: grey pictures become three equal channels.
    ``least``: the shortest side in pixels.
    """

    def wrap(kernel: Kernel) -> Metric:
        @wraps(kernel)
        def scored(x: Any, y: Any, mask: Any = None) -> Any:
            plain = isinstance(x, np.ndarray)
            several = plain and mask is not None and np.ndim(mask) == 3
            if plain:
                x, y, mask = _from_numpy(x, y, mask, np.float64 if exact else np.float32)
            x, y, mask, alone = _checked(x, y, mask, least)
            if colour and x.shape[1] == 1:
                x, y = x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1)
            values = kernel(x, y, mask)
            if plain:
                return values.numpy() if several else float(values[0])
            return values[0] if alone and len(values) == 1 else values

        return scored

    return wrap


def weighted_mean(values_B1HW: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over the picture, or sum(mask * values) / sum(mask), the mask resized by area: [B, C, H, W] -> [B, C]."""
    if mask is None:
        return values_B1HW.mean((2, 3))
    weight = resized(mask, values_B1HW.shape[2:])
    return (values_B1HW * weight).sum((2, 3)) / weight.sum((2, 3))


def resized(mask: Tensor, size: Any) -> Tensor:
    """The mask at another size; each new pixel is the mean over the area that it covers."""
    return mask if mask.shape[2:] == tuple(size) else adaptive_avg_pool2d(mask, tuple(size))


def _from_numpy(x: Any, y: Any, mask: Any, dtype: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    if not isinstance(y, np.ndarray) or x.shape != y.shape:
        told = list(y.shape) if isinstance(y, np.ndarray) else type(y).__name__
        raise ValueError(f"ref and test must have one shape, not {list(x.shape)} and {told}")
    if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] != 3) or 0 in x.shape:
        raise ValueError(f"ref must be [rows, columns] or [rows, columns, 3], not {list(x.shape)}")
    if mask is not None and (np.shape(mask)[-2:] != x.shape[:2] or mask.ndim > 3 or mask.dtype != np.bool_):
        raise ValueError(f"mask must be bool {list(x.shape[:2])}, not {mask.dtype} {list(mask.shape)}")
    pair = []
    for picture in (x, y):
        planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
        pair.append(torch.from_numpy(np.ascontiguousarray(planes, dtype) / dtype(255))[None])
    planes = None if mask is None else torch.from_numpy(mask.astype(dtype).reshape(-1, 1, *x.shape[:2]))
    return pair[0], pair[1], planes


def _checked(x: Any, y: Any, mask: Any, least: int) -> tuple[Tensor, Tensor, Tensor | None, bool]:
    """Four axes each, floating point of at least 32 bits; and whether the picture came without a batch axis."""
    for name, picture in (("x", x), ("y", y)):
        if not isinstance(picture, torch.Tensor) or not picture.is_floating_point():
            told = str(picture.dtype) if isinstance(picture, torch.Tensor) else type(picture).__name__
            raise ValueError(f"{name} must be a floating-point tensor with values in [0, 1], not {told}")
    if x.shape != y.shape:
        raise ValueError(f"x and y must have one shape, not {list(x.shape)} and {list(y.shape)}")
    alone = x.ndim == 3
    if alone:
        x, y = x[None], y[None]
    if x.ndim != 4 or x.shape[1] not in (1, 3) or 0 in x.shape:
        raise ValueError(f"x must be [B, C, H, W] or [C, H, W] with 1 or 3 channels, not {list(x.shape)}")
    if min(x.shape[2:]) < least:
        raise ValueError(f"the sides must have at least {least} pixels for this metric, not {list(x.shape[2:])}")
    dtype = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    x, y = x.to(dtype), y.to(dtype)
    return x, y, None if mask is None else _mask(mask, x), alone


def _mask(mask: Any, x: Tensor) -> Tensor:
    wanted = f"[H, W], [B, H, W] or [B, 1, H, W] for pictures {list(x.shape)}"
    if not isinstance(mask, torch.Tensor):
        raise ValueError(f"mask must be a tensor, bool or weights of at least 0, not {type(mask).__name__}")
    given = list(mask.shape)
    weight = mask[None, None] if mask.ndim == 2 else mask[:, None] if mask.ndim == 3 else mask
    fits = weight.ndim == 4 and weight.shape[1:] == (1, *x.shape[2:])
    if not fits or (weight.shape[0] not in (1, x.shape[0]) and x.shape[0] != 1):
        raise ValueError(f"mask must be {wanted}, not {given}")
    weight = weight.to(x.device, x.dtype).expand(max(weight.shape[0], x.shape[0]), -1, -1, -1)
    total, low = weight.sum((1, 2, 3)).amin(), weight.amin()
    if not bool(low >= 0):
        raise ValueError("mask must hold weights of at least 0")
    if not bool(total > 0):
        raise ValueError("mask must hold at least one pixel")
    return weight

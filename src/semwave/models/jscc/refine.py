"""The decoder's network: takes the linear estimate and its expected error, gives a better picture and a better error.

A small U-Net of residual blocks at 1/2, 1/4 and 1/8 of the picture; torch inside functions. It starts as the
identity: what it adds is a multiple of the expected error, and that multiple starts at zero.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc.blocks import SIDE

Array = NDArray[Any]

FORMAT = "semwave-semantic-refine-1"
STRIDE = 8  # sides of its input must be multiples of this
FLOOR = 0.002  # of the expected error: below half a grey level nothing is worth doing

_WIDTHS = (48, 80, 128)
_BLOCKS = (2, 2, 2)  # on the way down, at each width; as many on the way up, but for the last


def build() -> Any:
    """Fresh random weights: a ``torch.nn.ModuleDict`` for `forward`."""
    from torch import nn

    def block(width: int) -> Any:
        return nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1))

    def stack(width: int, count: int) -> Any:
        return nn.ModuleList([block(width) for _ in range(count)])

    net = nn.ModuleDict({"stem": nn.Conv2d(4 * 5, _WIDTHS[0], 3, 1, 1)})
    for level, (width, count) in enumerate(zip(_WIDTHS, _BLOCKS, strict=True)):
        net[f"down{level}"] = stack(width, count)
        if level + 1 < len(_WIDTHS):
            net[f"shrink{level}"] = nn.Conv2d(width, _WIDTHS[level + 1], 2, 2)
            net[f"grow{level}"] = nn.Sequential(nn.Conv2d(_WIDTHS[level + 1], 4 * width, 1), nn.PixelShuffle(2))
            net[f"up{level}"] = stack(width, count)
    net["head"] = nn.Conv2d(_WIDTHS[0], 4 * 4, 3, 1, 1)
    nn.init.zeros_(net["head"].weight)
    nn.init.zeros_(net["head"].bias)
    for name, module in net.named_modules():
        if name.endswith(".2"):  # the last convolution of a residual block
            nn.init.zeros_(module.bias)
            module.weight.data.mul_(0.1)
    return net


def forward(net: Any, x_B3HW: Any, sigma_B1HW: Any) -> tuple[Any, Any]:
    """Linear estimate and its standard error -> refined estimate [B, 3, H, W] and log of its error [B, 1, H, W]."""
    import torch
    from torch.nn.functional import pixel_shuffle, pixel_unshuffle

    sigma = sigma_B1HW.clamp_min(FLOOR)
    log = sigma.log()
    flat = torch.cat([x_B3HW - 0.5, log * 0.25 + 1, sigma * 4], 1)
    h = net["stem"](pixel_unshuffle(flat, 2))
    skips = []
    last = len(_WIDTHS) - 1
    for level in range(last + 1):
        for part in net[f"down{level}"]:
            h = h + part(h)
        if level < last:
            skips.append(h)
            h = net[f"shrink{level}"](h)
    for level in reversed(range(last)):
        h = skips[level] + net[f"grow{level}"](h)
        for part in net[f"up{level}"]:
            h = h + part(h)
    out = pixel_shuffle(net["head"](h), 2)
    return x_B3HW + sigma * out[:, :3], log + out[:, 3:]


def load(path: Path) -> Any:
    """Read weights for inference.

    Raises:
        ValueError: a file of another format.
    """
    from safetensors import safe_open

    net = build()
    with safe_open(path, "pt") as file:
        found = (file.metadata() or {}).get("format")
        if found != FORMAT:
            raise ValueError(f"{path.name} must be of format {FORMAT}, not {found}")
        net.load_state_dict({k: file.get_tensor(k).float() for k in file.keys()})  # noqa: SIM118
    import torch

    return net.eval().to(memory_format=torch.channels_last)


def apply(net: Any, picture: Array, sigma: Array, cover: Array) -> tuple[Array, Array]:
    """Refine the bounding box of the covered blocks: [H, W, 3], [H, W], bool [H / 16, W / 16] -> picture and sigma."""
    import torch

    if not cover.any():
        return picture, sigma
    rows, columns = (np.flatnonzero(cover.any(axis)) * SIDE for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + SIDE), slice(columns[0], columns[-1] + SIDE))
    x_B3HW = torch.from_numpy(np.ascontiguousarray(picture[box]).astype(np.float32)).permute(2, 0, 1)[None]
    sigma_B1HW = torch.from_numpy(np.ascontiguousarray(sigma[box]).astype(np.float32))[None, None]
    with torch.inference_mode():
        out, log = forward(net, x_B3HW.clamp(-0.2, 1.2), sigma_B1HW)
    picture, sigma = picture.copy(), sigma.copy()
    inside = np.repeat(np.repeat(cover, SIDE, 0), SIDE, 1)[box]
    picture[box][inside] = out[0].permute(1, 2, 0).numpy()[inside]
    sigma[box][inside] = log[0, 0].exp().clamp(1e-4, 1).numpy()[inside]
    return picture, sigma

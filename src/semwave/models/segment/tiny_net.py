"""The tiny segmentation network: a U-Net of inverted residuals, about 220 k parameters, torch inside functions.

Its output is at a quarter of the input's resolution: a key mask on blocks of 16 pixels needs no more.
"""

from typing import Any

STRIDE = 32  # input sides must be multiples of this

_WIDTHS = (16, 24, 40, 64, 96)  # at 1/2, 1/4, 1/8, 1/16, 1/32
_DEPTHS = (0, 1, 1, 2, 1)  # residual blocks after each step down
_EXPAND = 3
_NECK = 48


def build() -> Any:
    """Make the network with fresh random weights: a ``torch.nn.ModuleDict`` for `forward`."""
    from torch import nn

    def unit(c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True) -> Any:
        conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(c_out), *([nn.ReLU6()] if act else []))

    def inverted(c_in: int, c_out: int, stride: int) -> Any:
        wide = c_in * _EXPAND
        layers = (unit(c_in, wide, 1), unit(wide, wide, 3, stride, wide), unit(wide, c_out, 1, act=False))
        return nn.Sequential(*layers)

    net = nn.ModuleDict({"stem": unit(3, _WIDTHS[0], 3, 2)})
    for level in range(1, len(_WIDTHS)):
        net[f"down{level}"] = inverted(_WIDTHS[level - 1], _WIDTHS[level], 2)
        same = [inverted(_WIDTHS[level], _WIDTHS[level], 1) for _ in range(_DEPTHS[level])]
        net[f"keep{level}"] = nn.ModuleList(same)
        net[f"skip{level}"] = unit(_WIDTHS[level], _NECK, 1, act=False)
        net[f"mix{level}"] = nn.Sequential(unit(_NECK, _NECK, 3, groups=_NECK), unit(_NECK, _NECK, 1))
    net["context"] = nn.Conv2d(_WIDTHS[-1], _NECK, 1)
    net["head"] = nn.Conv2d(_NECK, 1, 1)
    return net


def encode(net: Any, x_BCHW: Any) -> list[Any]:
    """Features at 1/4, 1/8, 1/16 and 1/32 of the input."""
    x = net["stem"](x_BCHW)
    features = []
    for level in range(1, len(_WIDTHS)):
        x = net[f"down{level}"](x)
        for block in net[f"keep{level}"]:
            x = x + block(x)
        features.append(x)
    return features


def forward(net: Any, x_BCHW: Any) -> Any:
    """RGB in [0, 1], sides multiples of `STRIDE`: [B, 3, H, W] -> logits [B, 1, H / 4, W / 4]."""
    from torch.nn.functional import interpolate, relu6

    features = encode(net, (x_BCHW - 0.45) / 0.225)
    x = net["context"](features[-1].mean((2, 3), keepdim=True))  # what the whole picture is about
    for level in range(len(_WIDTHS) - 1, 0, -1):
        skip = net[f"skip{level}"](features[level - 1])
        if level < len(_WIDTHS) - 1:
            x = interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
        x = net[f"mix{level}"](relu6(x + skip))
    return net["head"](x)

"""The decoder of the ``lite`` segmenter: a small feature pyramid on EfficientNet-Lite0, torch inside functions.

It takes the backbone's features at 1/4, 1/8 and 1/16 (stages 1, 2 and 4, as they are), continues with its own tuned
copy of the last two stages (1/32), and comes back up to 1/4 by sums and separable convolutions.
"""

from typing import Any

STRIDE = 32  # input sides must be multiples of this
TAPS = (1, 2, 4)  # of `EfficientNetLite0.stages`: 24, 40 and 112 channels at 1/4, 1/8 and 1/16
LATE = 11  # blocks of the backbone before the tuned ones

_TAP_WIDTHS = (24, 40, 112)
_LATE_SHAPES = ((112, 192, 5, 2), (192, 192, 5, 1), (192, 192, 5, 1), (192, 192, 5, 1), (192, 320, 3, 1))
_EXPAND = 6
_NECK = 64
_MIXES = (1, 1, 2, 2)  # separable convolutions at 1/4, 1/8, 1/16, 1/32
_WIDER = (1, 1, 2, 2)  # how much wider they are inside


def build() -> Any:
    """Make the network with fresh random weights: a ``torch.nn.ModuleDict`` for `forward`."""
    from torch import nn

    def late(c_in: int, c_out: int, kernel: int, stride: int) -> Any:
        wide = c_in * _EXPAND
        depthwise = nn.Conv2d(wide, wide, kernel, stride, groups=wide)
        return nn.ModuleList([nn.Conv2d(c_in, wide, 1), depthwise, nn.Conv2d(wide, c_out, 1)])

    def mix(level: int) -> Any:
        wide, kernel = _WIDER[level] * _NECK, 3 if level == 0 else 5
        depthwise = nn.Conv2d(_NECK, _NECK, kernel, padding=kernel // 2, groups=_NECK)
        return nn.Sequential(depthwise, nn.Conv2d(_NECK, wide, 1), nn.ReLU6(), nn.Conv2d(wide, _NECK, 1))

    widths = (*_TAP_WIDTHS, _LATE_SHAPES[-1][1])
    return nn.ModuleDict(
        {
            "late": nn.ModuleList([late(*shape) for shape in _LATE_SHAPES]),
            "skip": nn.ModuleList([nn.Conv2d(width, _NECK, 1) for width in widths]),
            "mix": nn.ModuleList([nn.ModuleList([mix(i) for _ in range(count)]) for i, count in enumerate(_MIXES)]),
            "context": nn.Conv2d(widths[-1], _NECK, 1),
            "head": nn.Conv2d(_NECK, 1, 1),
        }
    )


def deepest(net: Any, x_BCHW: Any) -> Any:
    """The tuned last stages: [B, 112, H / 16, W / 16] -> [B, 320, H / 32, W / 32]."""
    from torch.nn.functional import pad, relu6

    for block, (c_in, c_out, kernel, stride) in zip(net["late"], _LATE_SHAPES, strict=True):
        y = relu6(block[0](x_BCHW))
        low = (kernel - stride) // 2  # as TensorFlow's SAME on even sides: the odd pixel goes right and below
        y = relu6(block[1](pad(y, (low, kernel - stride - low) * 2)))
        y = block[2](y)
        x_BCHW = x_BCHW + y if c_in == c_out else y
    return x_BCHW


def pyramid(net: Any, taps: list[Any]) -> Any:
    """Features of the stages `TAPS` -> the decoder's own [B, 64, H / 4, W / 4]."""
    from torch.nn.functional import interpolate

    last = deepest(net, taps[-1])
    levels = [*taps, last]
    x = net["context"](last.mean((2, 3), keepdim=True))  # what the whole picture is about
    for level in range(len(levels) - 1, -1, -1):
        skip = net["skip"][level](levels[level])
        if level < len(levels) - 1:
            x = interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
        x = x + skip
        for mix in net["mix"][level]:
            x = x + mix(x)
    return x


def forward(net: Any, taps: list[Any]) -> Any:
    """Features of the stages `TAPS` -> logits [B, 1, H / 4, W / 4]."""
    return net["head"](pyramid(net, taps))

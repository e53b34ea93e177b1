"""Quantised convolutions against the formula and against bitsandbytes' own way of spreading the weights."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

from torch.nn import Conv2d  # noqa: E402
from torch.nn.functional import conv2d  # noqa: E402

from semwave.models.light.layers import Conv2d4bit, Conv2d8bit  # noqa: E402


def conv(out: int = 6, stride: int = 2) -> Conv2d:
    torch.manual_seed(1)
    return Conv2d(10, out, 3, stride=stride, padding=1)


def test_eight_bits_are_within_half_a_step_of_the_weights() -> None:
    full = conv()
    small = Conv2d8bit.of(full)
    step = full.weight.detach().flatten(1).abs().amax(1) / 127.0
    error = (small.spread(torch.float32) - full.weight).flatten(1).abs().amax(1)
    assert small.weight.dtype == torch.int8
    assert bool((error <= 0.5001 * step).all())


# levels of NF4 and FP4 (QLoRA, appendix E; FP4: sign, two bits of exponent, one of mantissa, over 12)
LEVELS = {
    "nf4": [
        -1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0,
        0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0,
    ],
    "fp4": [s * v / 12.0 for s in (1, -1) for v in (0.0, 0.0625, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_four_bits_are_the_nearest_levels(kind: str) -> None:
    full = conv()  # 540 weights: the last block of 64 is not whole
    small = Conv2d4bit.of(full, kind)
    flat = full.weight.detach().flatten().numpy().astype(np.float64)
    levels = np.array(LEVELS[kind])
    expected = np.empty_like(flat)
    for at in range(0, flat.size, 64):
        scale = np.abs(flat[at : at + 64]).max()
        nearest = np.abs(flat[at : at + 64, None] / scale - levels).argmin(1)
        expected[at : at + 64] = levels[nearest] * scale
    got = small.spread(torch.float32).flatten().numpy()
    assert got == pytest.approx(expected, abs=2e-3 * np.abs(flat).max())  # scales have 11 bits


@pytest.mark.parametrize("made", [Conv2d8bit.of, lambda c: Conv2d4bit.of(c, "nf4")])
def test_the_convolution_is_that_of_the_spread_weights_and_has_a_gradient(made) -> None:
    small = made(conv())
    x = torch.randn(2, 10, 9, 7, requires_grad=True)
    y = small(x)
    assert torch.allclose(y, conv2d(x, small.spread(x.dtype), small.bias, stride=2, padding=1))
    y.sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0
    assert not [name for name, p in small.named_parameters() if name != "bias"]

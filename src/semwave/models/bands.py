"""What the generator's network sees of a picture: its subbands, at a quarter of its size.

A picture is split by two levels of the CDF 9/7 wavelet (lifting form of ISO/IEC 15444-1, annex F); the finest
chroma details are dropped. The 24 subbands lie side by side as channels of one quarter-size grid: the network
stays small, and smooth basis functions leave no block borders.
"""

from __future__ import annotations

from typing import Any

CHANNELS = 24  # luma 1 + 3 + 12, each chroma 1 + 3
MULTIPLE = 16  # sides must be multiples: two wavelet levels and two of the network
_LIFT = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_GAIN = 1.230174104914001
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def analyse(rgb: Any) -> Any:
    """Subbands [batch, 24, height / 4, width / 4] of ``rgb`` [batch, 3, height, width] in [0, 1]."""
    import torch
    from torch.nn.functional import pixel_unshuffle

    ycc = torch.einsum("pc,bchw->bphw", torch.tensor(_TO_YCC, dtype=rgb.dtype, device=rgb.device), rgb - 0.5)
    low, *fine = _split2(ycc)
    lowest, *middle = _split2(low)
    luma = [pixel_unshuffle(band[:, :1], 2) for band in fine]
    return torch.cat([lowest, *middle, *luma], dim=1)


def synthesise(bands: Any) -> Any:
    """Picture *about grey* [batch, 3, height, width]: the inverse of analyse less 0.5, finest chroma left out."""
    import torch
    from torch.nn.functional import pad, pixel_shuffle

    low = _join2(*(bands[:, 3 * i : 3 * i + 3] for i in range(4)))
    fine = [pad(pixel_shuffle(bands[:, 12 + 4 * i : 16 + 4 * i], 2), (0, 0, 0, 0, 0, 2)) for i in range(3)]
    ycc = _join2(low, *fine)
    return torch.einsum("cp,bphw->bchw", torch.tensor(_TO_RGB, dtype=bands.dtype, device=bands.device), ycc)


def _neighbour(band: Any, dim: int, after: bool) -> Any:
    """Each sample's neighbour along ``dim``, the border sample repeated (whole-sample symmetry of the signal)."""
    import torch

    size = band.shape[dim]
    if after:
        return torch.cat([band.narrow(dim, 1, size - 1), band.narrow(dim, size - 1, 1)], dim)
    return torch.cat([band.narrow(dim, 0, 1), band.narrow(dim, 0, size - 1)], dim)


def _split(signal: Any, dim: int) -> tuple[Any, Any]:
    """Low and high halves along ``dim``, whose length is even."""
    pairs = signal.unflatten(dim, (-1, 2))
    even, odd = pairs.select(dim + 1, 0), pairs.select(dim + 1, 1)
    for step in (0, 2):
        odd = odd + _LIFT[step] * (even + _neighbour(even, dim, after=True))
        even = even + _LIFT[step + 1] * (odd + _neighbour(odd, dim, after=False))
    return even / _GAIN, odd * _GAIN / 2.0


def _join(low: Any, high: Any, dim: int) -> Any:
    import torch

    even, odd = low * _GAIN, high * 2.0 / _GAIN
    for step in (2, 0):
        even = even - _LIFT[step + 1] * (odd + _neighbour(odd, dim, after=False))
        odd = odd - _LIFT[step] * (even + _neighbour(even, dim, after=True))
    return torch.stack([even, odd], dim=dim + 1).flatten(dim, dim + 1)


def _split2(planes: Any) -> tuple[Any, Any, Any, Any]:
    low, high = _split(planes, 2)
    return *_split(low, 3), *_split(high, 3)


def _join2(ll: Any, lh: Any, hl: Any, hh: Any) -> Any:
    return _join(_join(ll, lh, 3), _join(hl, hh, 3), 2)

"""What the semantic decoder's network is trained for: squared error, the likelihood of it, and how like it looks."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semwave.bench.metrics import lpips
from semwave.models.jscc import refine
from semwave.training import features

Array = NDArray[Any]

LIKELIHOOD = 0.02  # weight of the negative log-likelihood of the error
PART = 64  # side of what VGG16 sees
TEXTURE = 0.3  # weight of the statistics of texture beside the LPIPS distances


class Judge:
    """Distances in the features of AlexNet (the whole crop) and VGG16 (a part of it), see `features`."""

    def __init__(self, folder: Path, weight: float, device: torch.device) -> None:
        features.prepare(folder)
        self.weight = weight
        self._alex = features.Features(folder / "lpips_alex.npz", "alex", device)
        self._vgg = features.Features(folder / "lpips_vgg.npz", "vgg", device)

    def loss(self, shown: Any, truth: Any, step: int) -> Any:
        """Weighted sum of the distances of pictures [B, 3, H, W] in [0, 1]."""
        side = min(PART, shown.shape[-1])
        top, left = np.random.default_rng((3, step)).integers(0, shown.shape[-1] - side + 1, 2)
        part = (..., slice(top, top + side), slice(left, left + side))
        with torch.no_grad():
            seen, real = self._alex(truth), self._vgg(truth[part])
        false = self._vgg(shown[part])
        distance = self._alex.distance(self._alex(shown), seen) + self._vgg.distance(false, real)
        return self.weight * (distance + TEXTURE * features.texture_distance(false, real))


def loss_of(
    net: Any, batch: list[Array], device: torch.device, judge: Judge | None = None, step: int = 0
) -> tuple[torch.Tensor, float]:
    """Squared error over the linear estimate's, likelihood of the error, judge; gain in dB."""
    truth, estimate, sigma, cover = _tensors(batch, device)
    with torch.autocast(device.type, torch.bfloat16):
        out, log = refine.forward(net, estimate, sigma)
    out, log = out.float(), log.float()
    weight = cover.expand_as(truth)
    total = weight.sum((1, 2, 3)).clamp_min(1)
    error = ((out - truth).square() * weight).sum((1, 2, 3)) / total
    before = ((estimate - truth).square() * weight).sum((1, 2, 3)) / total + 2e-5
    squared = (out - truth).square().mean(1, keepdim=True).detach()
    unlikely = ((0.5 * squared / (2 * log).exp().clamp_min(1e-6) + log) * cover).sum((1, 2, 3)) / total * 3
    covered = total > 500
    gain_db = float(10 * torch.log10(before / (error + 2e-5))[covered].detach().mean())
    loss = (error / before)[covered].mean() + LIKELIHOOD * unlikely[covered].mean()
    if judge is not None:
        loss = loss + judge.loss(_shown(out, truth, cover), truth, step)
    return loss, gain_db


def looks(net: Any, batch: list[Array], device: torch.device) -> float:
    """LPIPS of AlexNet between truth and what the network makes, mean over the batch."""
    truth, estimate, sigma, cover = _tensors(batch, device)
    return float(lpips(_shown(refine.forward(net, estimate, sigma)[0], truth, cover), truth).mean())


def _shown(out: Any, truth: Any, cover: Any) -> Any:
    return torch.where(cover > 0, out, truth).clamp(0, 1)


def _tensors(batch: list[Array], device: torch.device) -> list[torch.Tensor]:
    """Truth and estimate [B, 3, H, W], expected error and cover [B, 1, H, W], float32."""
    arrays = [np.ascontiguousarray(b).astype(np.float32) for b in batch]
    truth, estimate, sigma, cover = (torch.from_numpy(a).permute(0, 3, 1, 2).to(device) for a in arrays)
    return [truth / 255, estimate, sigma, cover]

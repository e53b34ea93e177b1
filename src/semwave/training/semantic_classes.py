"""Fit the classes of blocks behind the semantic encoder: hard expectation-maximisation over cosine coefficients.

    python -m semwave.training.semantic_classes --data DIR --out FILE [--classes 32] [--blocks 60000] [--seed 1]

A class is a zero-mean Gaussian with a full covariance over the low coefficients; blocks go to the class under which a
noisy block is most likely, with the noise that a received picture has. Minutes on one core.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from semwave.models.jscc import blocks, codebook, transform
from semwave.training import semantic_data as sd

Array = NDArray[Any]

NOISE = 1e-3
LUMA, CHROMA = 160, 40  # low coefficients: a basis of its own in each class
_BLUR = 50  # blocks that a class's covariance borrows from all others


def order() -> Array:
    """Block means, then the low coefficients of each colour by radial frequency, then the others: [768]."""
    v, h = np.mgrid[: blocks.SIDE, : blocks.SIDE]
    radial = np.argsort((v**2 + h**2).ravel(), kind="stable")
    area = blocks.SIDE**2
    means = np.arange(3) * area
    low = np.sort(np.concatenate([k * area + radial[1 : 1 + n] for k, n in enumerate((LUMA, CHROMA, CHROMA))]))
    return np.concatenate([means, low, np.setdiff1d(np.arange(blocks.LENGTH), np.concatenate([means, low]))])


def grids(data: Path, rng: np.random.Generator) -> Iterator[Array]:
    """Coefficients of each training picture at a random offset: [rows, columns, 768] in the codebook's order."""
    pictures, wanted = sd.Pictures(data), order()
    for i in range(len(pictures)):
        top, left = rng.integers(0, blocks.SIDE, 2)
        x = pictures[i][top:, left:].astype(np.float32) / 255
        rows, columns = x.shape[0] // blocks.SIDE, x.shape[1] // blocks.SIDE
        yield (transform.forward(x[: rows * blocks.SIDE, : columns * blocks.SIDE]) - transform.MEAN)[..., wanted]


def fit(low: Any, classes: int, rounds: int) -> tuple[Any, Any, Any, Any]:
    """Bases [K, d, d], variances [K, d], shares [K] and the class of each block, from low coefficients [n, d]."""
    member = _start(low, classes)
    everywhere = torch.cov(low.T)
    for _ in range(rounds):
        share = torch.bincount(member, minlength=classes).float() / len(low)
        bases, variances, costs = [], [], []
        for k in range(classes):
            own = low[member == k]
            level = own.square().mean() / low.square().mean() if len(own) else torch.tensor(1.0)
            covariance = (own.T @ own + _BLUR * everywhere * (level + 1e-3)) / (len(own) + _BLUR)
            values, vectors = torch.linalg.eigh(covariance.double())
            variance, basis = values.flip(0).clamp_min(1e-7).float(), vectors.flip(1).float()
            weight = 1 / (variance + NOISE)
            likely = (low @ (basis * weight.sqrt())).square().sum(1) + NOISE * weight.sum()
            costs.append(likely - weight.log().sum() - 2 * torch.log(share[k] + 1e-5))
            bases.append(basis)
            variances.append(variance)
        member = torch.stack(costs, 1).argmin(1)
    return torch.stack(bases), torch.stack(variances), share, member


def _start(low: Any, classes: int) -> Any:
    """K-means over the leading components of log energies."""
    energy = (low.square() + NOISE).log()
    energy = energy - energy.mean(0)
    points = energy @ torch.pca_lowrank(energy[:20000], q=12)[2]
    centres = points[torch.randperm(len(points))[:classes]]
    for _ in range(15):
        member = torch.cdist(points, centres).argmin(1)
        for k in range(classes):
            own = points[member == k]
            centres[k] = own.mean(0) if len(own) else points[torch.randint(len(points), (1,))][0]
    return member


def main(argv: Sequence[str] | None = None) -> int:
    """Read the options, fit, and write the codebook."""
    parser = argparse.ArgumentParser(prog="semwave.training.semantic_classes")
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/, or with pictures")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file")
    parser.add_argument("--classes", type=int, default=32)
    parser.add_argument("--blocks", type=int, default=60000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    kept = [g.astype(np.float16) for g in grids(args.data, rng)]
    rows = np.concatenate([g.reshape(-1, blocks.LENGTH) for g in kept])
    rows = rows[np.sort(rng.permutation(len(rows))[: args.blocks])].astype(np.float32)
    width = LUMA + 2 * CHROMA
    bases, variances, share, member = fit(torch.from_numpy(rows[:, 3 : 3 + width].copy()), args.classes, args.rounds)
    others = np.stack([_energy(rows[:, 3 + width :], member.numpy() == k) for k in range(args.classes)])
    parts = _beside(kept, bases.numpy(), variances.numpy(), share.numpy(), width)
    levels = np.concatenate([parts.pop("means"), variances.numpy(), others], 1)
    save_file(
        {
            "bases": bases.numpy().astype(np.float16),
            "levels": np.clip(np.round(4 * np.log2(np.maximum(levels, 1e-9))), -80, 60).astype(np.int16),
            "prior": share.numpy().astype(np.float32),
            "order": order().astype(np.int16),
            **parts,
        },
        args.out,
        {"format": codebook.FORMAT},
    )
    return 0


def _energy(rows: Array, own: Array) -> Array:
    return np.asarray((np.square(rows[own]).sum(0) + 10 * np.square(rows).mean(0)) / (own.sum() + 10))


def _beside(kept: list[Array], bases: Array, variances: Array, share: Array, width: int) -> dict[str, Array]:
    """How often classes lie side by side, and how well block means are predicted in each."""
    classes = len(bases)
    together, error, count = np.full((classes, classes), 0.3), np.zeros((classes, 3)), np.zeros(classes)
    for grid in kept:
        flat = grid.reshape(-1, blocks.LENGTH).astype(np.float32)
        costs = [
            (np.square(flat[:, 3 : 3 + width] @ (b / np.sqrt(v + NOISE))).sum(1) + np.log(v + NOISE).sum())
            - 2 * np.log(p + 1e-6)
            for b, v, p in zip(bases, variances, share, strict=True)
        ]
        member = np.stack(costs, 1).argmin(1).reshape(grid.shape[:2])
        for one, other in ((member[:, 1:], member[:, :-1]), (member[1:], member[:-1])):
            np.add.at(together, (one, other), 1)
            np.add.at(together, (other, one), 1)
        means = grid[..., :3].astype(np.float32)
        left, above = means[1:, :-1], means[:-1, 1:]
        edge = np.clip(left + above - means[:-1, :-1], np.minimum(left, above), np.maximum(left, above))
        wrong = np.abs(means[1:, 1:] - (2 * edge + left + above) / 4).reshape(-1, 3)
        np.add.at(error, member[1:, 1:].ravel(), wrong)
        np.add.at(count, member[1:, 1:].ravel(), 1)
    spread = 2 * np.square(error / np.maximum(count, 1)[:, None])  # of a Laplacian with this mean absolute value
    return {"beside": (together / together.sum(1, keepdims=True)).astype(np.float32), "means": spread}


if __name__ == "__main__":
    raise SystemExit(main())

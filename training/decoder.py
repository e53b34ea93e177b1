"""Train the tiny generative decoder: flow matching on wavelet subbands of what a smooth fill leaves out.

    python training/decoder.py --data DIR --steps 850 --out src/semwave/models/weights/decoder-tiny

Deterministic for a seed on one machine: the batch of step n depends on the seed and n alone, so a resumed run
sees what an unbroken one does. Checkpoints go to checkpoints/decoder, four files below 16 MiB.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from decoder_data import load
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from semwave.models import bands, describe, fill, sketch

Array = NDArray[Any]

BATCH, ECHO, RATE, EMA, CROP = 16, 8, 1.5e-3, 0.995, 32
# Importance of the subbands: luma and chroma means, middle details, fine luma details.
BAND_WEIGHTS = [3.0, 1.5, 1.5, *([2.0, 0.5, 0.5] * 3), *([0.5] * 12)]
CONFIG = {
    "sample_size": CROP,
    "in_channels": bands.CHANNELS + bands.CONDITIONS,
    "out_channels": bands.CHANNELS,
    "layers_per_block": 1,
    "block_out_channels": (32, 64, 96),
    "down_block_types": ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "norm_num_groups": 8,
    "attention_head_dim": 32,
}


def random_mask(rng: np.random.Generator, size: int) -> Array:
    """Key mask of blocks, a blob or a polygon over 10 to 50 % of the picture; now and then nothing at all."""
    if rng.random() < 0.05:
        return np.zeros((size, size), bool)
    share, block = rng.uniform(0.1, 0.5), int(rng.choice([6, 8, 12, 16]))
    if rng.random() < 0.4:
        centre = rng.uniform(0.2, 0.8, 2) * size
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 12))))
        radius = size * np.sqrt(share / np.pi) * rng.uniform(0.7, 1.4, len(angles))
        points = np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)], axis=1)
        drawn = Image.new("1", (size, size))
        ImageDraw.Draw(drawn).polygon([tuple(p) for p in points], fill=1)
        return np.asarray(drawn, bool)
    count = -(-size // block)
    field = rng.standard_normal((count, count))
    if rng.random() < 0.8:  # connected blobs rather than scattered blocks
        y, x = np.mgrid[0:count, 0:count] / count - rng.uniform(0.25, 0.75, 2)[:, None, None]
        field = 0.4 * field - 6.0 * (y**2 + x**2)
    key = field > np.quantile(field, 1.0 - share)
    return np.kron(key, np.ones((block, block), bool))[:size, :size]


def example(rng: np.random.Generator, image: Array, scales: Array) -> tuple[Any, Any, Any]:
    """Target residual subbands, conditions and weight of one picture, as at the receiver."""
    mask = random_mask(rng, image.shape[0])
    image = np.ascontiguousarray(image[:, ::-1] if rng.random() < 0.5 else image)
    prompt = describe.describe(image, mask) if rng.random() < 0.75 else None
    size = int(rng.choice([0, 0, 16, 32, 48, 64]))
    drawn = sketch.decode_sketch(sketch.encode_sketch(image, mask, size), image.shape)
    colours = textures = edges = None
    if prompt is not None:
        colours, textures = describe.cell_colours(prompt), describe.cell_textures(prompt)
        edges = prompt.edges
    base, reach = fill.base_picture(mask.shape, colours, drawn)
    real = image.astype(np.float32) / 255.0
    composite = fill.membrane(np.where(mask[..., None], real, np.float32(0.0)), mask, base, reach)
    known = bands.conditions(composite, mask, textures, edges, drawn is not None, scales)
    left = torch.from_numpy(np.ascontiguousarray((real - composite).transpose(2, 0, 1)))[None]
    target = bands.analyse(left + 0.5)[0] / torch.from_numpy(scales)[:, None, None]
    weight = 1.05 - torch.nn.functional.avg_pool2d(torch.from_numpy(mask.astype(np.float32))[None], 4)
    return target, known, weight


class Batches:
    """Batches of examples; each set of ECHO * BATCH draws is used ECHO times in new orders and with new noise."""

    def __init__(self, data: Path, cache: Path, seed: int, scales: Array) -> None:
        self._pictures = (load(data, cache, 192), load(data, cache, 128))
        self._seed, self._scales, self._held = seed, scales, (-1, None)

    def get(self, step: int) -> tuple[Any, Any, Any]:
        """Batch of ``step``, square crops in new places each time: depends on the seed and the step alone."""
        group = step // ECHO
        if self._held[0] != group:
            rng = np.random.default_rng([self._seed, group])
            pictures = self._pictures[int(rng.random() < 0.25)]
            chosen = rng.integers(0, len(pictures), BATCH)
            self._held = (group, [example(rng, pictures[i], self._scales) for i in chosen])
        rng = np.random.default_rng([self._seed, group, step])
        cropped = []
        for drawn in self._held[1]:
            top, left = rng.integers(0, drawn[0].shape[-1] - CROP + 1, 2)
            cropped.append([part[:, top : top + CROP, left : left + CROP] for part in drawn])
        target, known, weight = (torch.stack(column) for column in zip(*cropped, strict=True))
        return target, known, weight


def measure_scales(data: Path, cache: Path, seed: int) -> Array:
    """Root mean square of each residual subband over the rest, on 96 training pictures."""
    ones, total, mass = np.ones(bands.CHANNELS, np.float32), 0.0, 0.0
    rng, pictures = np.random.default_rng([seed, 1 << 30]), load(data, cache, 192)
    for index in rng.integers(0, len(pictures), 96):
        target, _, weight = example(rng, pictures[index], ones)
        total, mass = total + (target**2 * weight).sum(dim=(1, 2)), mass + weight.sum()
    return torch.sqrt(total / mass).numpy().astype(np.float32)


def loss_of(model: Any, batch: tuple[Any, Any, Any], generator: Any) -> Any:
    """Weighted squared error of the picture that the network sees in target + noise.

    The straight path from target to noise is followed by its velocity, (state - picture) / sigma: its error is that
    of the picture over sigma, hence the weight. A network of this size learns the picture sooner than the velocity,
    which has all of the noise in it.
    """
    target, known, weight = batch
    sigma = torch.sigmoid(torch.randn(len(target), generator=generator) + 0.5)
    noise = torch.randn(target.shape, generator=generator)
    s = sigma[:, None, None, None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen = model(torch.cat([(1 - s) * target + s * noise, known], dim=1), sigma * 1000).sample
    weight = weight * torch.tensor(BAND_WEIGHTS)[None, :, None, None] / s.clamp(min=0.4) ** 2
    return ((seen.float() - target) ** 2 * weight).sum() / weight.sum()


class Run:
    """Model, its running average, the optimiser and the step number; saved as four tensors files and a JSON."""

    def __init__(self, args: argparse.Namespace) -> None:
        from diffusers import UNet2DModel

        torch.manual_seed(args.seed)
        self.model, self.average = UNet2DModel(**CONFIG), UNet2DModel(**CONFIG)
        self.average.load_state_dict(self.model.state_dict())
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.99))
        self.step, self.seconds = 0, 0.0

    def train(self, batches: Batches, args: argparse.Namespace) -> None:
        """Steps until ``args.steps`` or ``args.minutes`` is reached."""
        begun, losses = time.monotonic(), []
        while self.step < args.steps and time.monotonic() - begun < 60 * args.minutes:
            generator = torch.Generator().manual_seed(args.seed * 1_000_003 + self.step)
            fall = 0.02 + 0.98 * np.cos(np.pi / 2 * self.step / args.steps) ** 2
            rate = RATE * min(1.0, (self.step + 1) / 100) * fall
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            loss = loss_of(self.model, batches.get(self.step), generator)
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            keep = min(EMA, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
            losses.append(float(loss.detach()))
            self.step += 1
            if self.step % 50 == 0:
                facts = {"step": self.step, "loss": round(float(np.mean(losses[-50:])), 4)}
                print(json.dumps(facts | {"seconds": round(time.monotonic() - begun)}), flush=True)
            if self.step % 500 == 0:
                self.save(args.checkpoints)
        self.seconds += time.monotonic() - begun

    def save(self, folder: Path) -> None:
        """Write the whole state to ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        names = [name for name, _ in self.model.named_parameters()]
        moments = [self.optimiser.state[p] for p in self.model.parameters()]
        save_file(dict(self.model.named_parameters()), folder / "model.safetensors")
        save_file(dict(self.average.named_parameters()), folder / "average.safetensors")
        for moment in ("exp_avg", "exp_avg_sq"):
            save_file({n: m[moment] for n, m in zip(names, moments, strict=True)}, folder / f"{moment}.safetensors")
        (folder / "state.json").write_text(json.dumps({"step": self.step, "seconds": self.seconds}))

    def resume(self, folder: Path) -> None:
        """Read the state back."""
        state = json.loads((folder / "state.json").read_text())
        self.step, self.seconds = state["step"], state["seconds"]
        self.model.load_state_dict(load_file(folder / "model.safetensors"))
        self.average.load_state_dict(load_file(folder / "average.safetensors"))
        moments = {m: load_file(folder / f"{m}.safetensors") for m in ("exp_avg", "exp_avg_sq")}
        for name, parameter in self.model.named_parameters():
            step = torch.tensor(float(self.step))
            self.optimiser.state[parameter] = {"step": step} | {m: moments[m][name] for m in moments}

    def export(self, out: Path, scales: Array) -> None:
        """Write the running average as a diffusers folder, 16-bit safetensors, with scheduler and scales."""
        from diffusers import FlowMatchEulerDiscreteScheduler

        self.average.to(torch.float16).save_pretrained(out, variant="fp16", safe_serialization=True)
        self.average.to(torch.float32)
        FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000).save_pretrained(out)
        facts = {"scales": [round(float(s), 6) for s in scales], "steps_trained": self.step}
        kept = out / "decoder.json"
        known = json.loads(kept.read_text()) if kept.is_file() else {}
        kept.write_text(json.dumps(known | facts, indent=1) + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the trained decoder")
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints/decoder"))
    parser.add_argument("--resume", type=Path, help="folder of a checkpoint")
    parser.add_argument("--steps", type=int, default=1700)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(1)
    scales = measure_scales(args.data, args.cache, args.seed)
    run = Run(args)
    if args.resume:
        run.resume(args.resume)
    run.train(Batches(args.data, args.cache, args.seed, scales), args)
    run.save(args.checkpoints)
    run.export(args.out, scales)


if __name__ == "__main__":
    main()

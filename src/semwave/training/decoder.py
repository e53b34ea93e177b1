"""Train the generative decoder: a conditional flow from the textured fill to the picture, judged by eye-like losses.

    semwave train decoder --data DIR --minutes 60
    semwave train decoder --resume checkpoints/decoder

The network sees a point on the straight path from the textured fill (noise level 1) to the picture (0) and predicts
the velocity; most often it is asked at level 1, so that one step is enough. The loss compares the picture that follows
with the true one in the activations of AlexNet and VGG16 (LPIPS), in structure and texture of VGG16's (DISTS), in
their statistics alone (texture) and in its low frequencies. Key pixels are pasted in first, as the receiver does, so
that seams count.

The batch of step n depends on the seed, n and the number of prepared examples alone. Checkpoints are safetensors
files below 16 MiB each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d

from semwave.bench.metrics import dists
from semwave.models import bands
from semwave.models.generator import conditions
from semwave.training import decoder_data, features, options

Array = NDArray[Any]

BATCH, RATE, EMA, CROP, PART, VGG_EVERY = 12, 8e-4, 0.995, 96, 48, 3
WEIGHTS = {"alex": 1.0, "vgg": 1.0, "texture": 0.3, "low": 1.0, "dists": 1.0}
DISTS_OF = 6  # pictures of a batch; on the step after VGG16's
CONFIG: dict[str, Any] = {
    "sample_size": 64,
    "in_channels": 2 * bands.CHANNELS + 4 + conditions.HINTS,
    "out_channels": 3 * bands.CHANNELS,
    "layers_per_block": 1,
    "block_out_channels": (48, 64, 128),
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "norm_num_groups": 16,
    "attention_head_dim": 4,
    "cross_attention_dim": conditions.WORDS,
}
LIMIT = 15_000_000  # bytes of one checkpoint file


class Batches:
    """Random crops of the prepared examples; batch n depends on the seed, n and their number alone."""

    def __init__(self, kept: dict[str, Array], seed: int, device: torch.device) -> None:
        self._kept, self._seed, self._device = kept, seed, device

    def __len__(self) -> int:
        return len(self._kept["mask"])

    def get(self, step: int) -> dict[str, torch.Tensor]:
        """Batch of ``step``: every example once in a round, in an order of the round's own."""
        places = np.arange(step * BATCH, (step + 1) * BATCH)
        rounds = places // len(self)
        orders = {r: np.random.default_rng([self._seed, 1, r]).permutation(len(self)) for r in set(rounds.tolist())}
        chosen = [orders[r][p % len(self)] for r, p in zip(rounds.tolist(), places.tolist(), strict=True)]
        rng = np.random.default_rng([self._seed, 2, step])
        corners = 4 * rng.integers(0, (decoder_data.WINDOW - CROP) // 4 + 1, (BATCH, 2))
        return self.crops(chosen, corners.tolist(), CROP)

    def crops(self, chosen: Sequence[int], corners: Sequence[Sequence[int]], size: int) -> dict[str, torch.Tensor]:
        """Examples ``chosen`` from (top, left) on: float32 channels-first tensors on the device."""
        cut: dict[str, list[Array]] = {name: [] for name in self._kept}
        for index, (top, left) in zip(chosen, corners, strict=True):
            for name, column in self._kept.items():
                part = column[index]
                if name in ("image", "composite"):
                    part = part[top : top + size, left : left + size].transpose(2, 0, 1) / np.float32(255.0)
                elif name in ("mask", "detail"):
                    part = part[None, top : top + size, left : left + size]
                elif name == "hints":
                    part = part[:, top // 4 : (top + size) // 4, left // 4 : (left + size) // 4]
                cut[name].append(np.asarray(part, np.float32))
        return {n: torch.from_numpy(np.stack(parts)).to(self._device) for n, parts in cut.items()}


def source_and_target(batch: dict[str, torch.Tensor], scales: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ends of the flow as subbands in units of ``scales``: the textured fill, the picture; less the smooth fill."""
    grey = (batch["detail"] * (1.0 - batch["mask"])).expand(-1, 3, -1, -1)
    return bands.analyse(grey + 0.5) / scales, bands.analyse(batch["image"] - batch["composite"] + 0.5) / scales


def rebuilt(
    net: Any, batch: dict[str, torch.Tensor], sigma: torch.Tensor, scales: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """The picture that ``net`` sees from noise levels ``sigma`` [batch], key pixels kept: [batch, 3, height, width]."""
    source, target = source_and_target(batch, scales)
    s = sigma[:, None, None, None]
    state = s * source + (1.0 - s) * target
    told = conditions.inputs(state, bands.analyse(batch["composite"]), batch["mask"], batch["hints"], scales)
    with torch.autocast(state.device.type, dtype=torch.bfloat16):
        seen = net(told, sigma * 1000, batch["tokens"]).sample
    velocity = conditions.velocity(seen.float(), source, noise)
    made = batch["composite"] + bands.synthesise((state - s * velocity) * scales)
    room = batch["key_error"][:, None, None, None]
    change = made - batch["composite"]
    kept = batch["composite"] + torch.maximum(torch.minimum(change, room), -room)
    return torch.where(batch["mask"] > 0, kept, made).clamp(0.0, 1.0)


def white(batch: dict[str, torch.Tensor], seed: int) -> torch.Tensor:
    """White noise of all subbands of ``batch``: [batch, 24, height / 4, width / 4]."""
    count, _, height, width = batch["image"].shape
    shape = (count, bands.CHANNELS, height // 4, width // 4)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(batch["image"].device)


class Judge:
    """The loss of a rebuilt picture."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._alex = features.Features(folder / "lpips_alex.npz", "alex", device)
        self._vgg = features.Features(folder / "lpips_vgg.npz", "vgg", device)

    def loss(self, made: torch.Tensor, image: torch.Tensor, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        """Weighted sum and its parts; VGG16 has its say, on a part of the picture, at every third step."""
        with torch.no_grad():
            seen = self._alex(image)
        parts = {
            "alex": self._alex.distance(self._alex(made), seen),
            "low": (avg_pool2d(made, 4) - avg_pool2d(image, 4)).abs().mean(),
        }
        if step % VGG_EVERY == 0:
            top, left = np.random.default_rng([3, step]).integers(0, made.shape[-1] - PART + 1, 2)
            window = (..., slice(top, top + PART), slice(left, left + PART))
            with torch.no_grad():
                real = self._vgg(image[window])
            false = self._vgg(made[window])
            parts |= {"vgg": self._vgg.distance(false, real), "texture": features.texture_distance(false, real)}
        if step % VGG_EVERY == 1:
            with torch.autocast(made.device.type, dtype=torch.bfloat16):
                parts["dists"] = dists(made[:DISTS_OF], image[:DISTS_OF]).float().mean()
        seldom = ("vgg", "texture", "dists")
        total = sum(WEIGHTS[n] * (VGG_EVERY if n in seldom else 1) * part for n, part in parts.items())
        return total, {name: float(part.detach()) for name, part in parts.items()}

    def lpips(self, made: torch.Tensor, image: torch.Tensor) -> float:
        """AlexNet's distance alone."""
        with torch.inference_mode():
            return float(self._alex.distance(self._alex(made), self._alex(image)))


class Run:
    """Model, its running average, the optimiser and the step number."""

    def __init__(self, seed: int, device: torch.device) -> None:
        from diffusers import UNet2DConditionModel

        torch.manual_seed(seed)
        self.model, self.average = UNet2DConditionModel(**CONFIG), UNet2DConditionModel(**CONFIG)
        for part in (self.model.conv_out.weight, self.model.conv_out.bias):
            torch.nn.init.zeros_(part)  # start from the textured fill itself
        self.average.load_state_dict(self.model.state_dict())
        layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self.model.to(device, memory_format=layout)
        self.average.to(device, memory_format=layout).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.99))
        self.step, self.seconds, self.device = 0, 0.0, device
        self.scales = torch.ones(1, bands.CHANNELS, 1, 1, device=device)

    def learn(self, batch: dict[str, torch.Tensor], judge: Judge, seed: int, progress: float) -> dict[str, float]:
        """One step; ``progress`` 0 ... 1 sets the learning rate."""
        rng = np.random.default_rng([seed, 4, self.step])
        levels = np.where(rng.random(BATCH) < 0.8, 1.0, rng.choice([0.25, 0.5, 0.75], BATCH))
        rate = RATE * min(1.0, (self.step + 1) / 50) * (0.03 + 0.97 * np.cos(np.pi / 2 * min(progress, 1.0)) ** 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sigma = torch.from_numpy(levels).float().to(self.device)
        made = rebuilt(self.model, batch, sigma, self.scales, white(batch, seed + self.step))
        total, parts = judge.loss(made, batch["image"], self.step)
        self.optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        keep = min(EMA, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
        self.step += 1
        return parts

    def save(self, folder: Path) -> None:
        """Write the whole state to ``folder``, in files below 16 MiB."""
        names = [name for name, _ in self.model.named_parameters()]
        moments = [self.optimiser.state[p] for p in self.model.parameters()]
        kept: dict[str, torch.Tensor] = {f"model/{n}": p for n, p in self.model.named_parameters()}
        kept |= {f"average/{n}": p for n, p in self.average.named_parameters()}
        for kind in ("exp_avg", "exp_avg_sq"):
            kept |= {f"{kind}/{n}": m[kind] for n, m in zip(names, moments, strict=True)}
        facts = {"step": self.step, "seconds": self.seconds, "scales": self.scales.flatten().tolist()}
        save_split(folder, {n: p.detach().cpu().contiguous() for n, p in kept.items()}, facts)

    def resume(self, folder: Path) -> None:
        """Read the state back."""
        kept, facts = load_split(folder)
        self.step, self.seconds = facts["step"], facts["seconds"]
        self.scales = torch.tensor(facts["scales"], device=self.device).reshape(1, -1, 1, 1)
        for net, part in ((self.model, "model"), (self.average, "average")):
            net.load_state_dict({n: kept[f"{part}/{n}"] for n, _ in net.named_parameters()})
        for name, parameter in self.model.named_parameters():
            moments = {m: kept[f"{m}/{name}"].to(self.device) for m in ("exp_avg", "exp_avg_sq")}
            self.optimiser.state[parameter] = {"step": torch.tensor(float(self.step))} | moments

    def export(self, out: Path) -> None:
        """Write the running average as a diffusers folder: 16-bit safetensors, scheduler, scales."""
        from diffusers import FlowMatchEulerDiscreteScheduler

        self.average.to(torch.float16).save_pretrained(out / "unet", variant="fp16", safe_serialization=True)
        self.average.to(torch.float32)
        FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000).save_pretrained(out / "scheduler")
        scales = [round(float(s), 6) for s in self.scales.flatten()]
        facts = {"scales": scales, "steps_trained": self.step, "told_detail": True}
        (out / "decoder.json").write_text(json.dumps(facts, indent=1) + "\n")


def save_split(folder: Path, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
    """``tensors`` as part-N.safetensors of at most LIMIT bytes each (one tensor more where it alone is larger)."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    groups: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        size += tensor.nbytes
        if size > LIMIT and groups[-1]:
            groups.append({})
            size = tensor.nbytes
        groups[-1][name] = tensor
    for number, group in enumerate(groups):
        save_file(group, folder / f"part-{number}.safetensors")
    (folder / "state.json").write_text(json.dumps(facts | {"parts": len(groups)}) + "\n")


def load_split(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What save_split wrote."""
    from safetensors.torch import load_file

    facts = json.loads((folder / "state.json").read_text())
    tensors: dict[str, torch.Tensor] = {}
    for number in range(facts["parts"]):
        tensors |= load_file(folder / f"part-{number}.safetensors")
    return tensors, facts


def measured_scales(batches: Batches) -> torch.Tensor:
    """Root mean square of each residual subband over the rest of 64 examples: [1, 24, 1, 1]."""
    batch = batches.crops(range(min(64, len(batches))), [(32, 32)] * min(64, len(batches)), CROP)
    rest = 1.0 - avg_pool2d(batch["mask"], 4)
    left = bands.analyse(batch["image"] - batch["composite"] + 0.5)
    return ((left.square() * rest).sum((0, 2, 3)) / rest.sum()).sqrt().reshape(1, -1, 1, 1)


def held_out(run: Run, judge: Judge, batches: Batches) -> dict[str, float]:
    """LPIPS (AlexNet) of the running average on 24 held-out windows at one step, and of the textured fill."""
    batch = batches.crops(range(min(24, len(batches))), [(0, 0)] * min(24, len(batches)), decoder_data.WINDOW)
    with torch.inference_mode():
        level = torch.ones(len(batch["mask"]), device=run.device)
        made = rebuilt(run.average.eval(), batch, level, run.scales, white(batch, 1))
    start = (batch["composite"] + batch["detail"] * (1.0 - batch["mask"])).clamp(0.0, 1.0)
    found = {"held": judge.lpips(made, batch["image"]), "held_texture": judge.lpips(start, batch["image"])}
    return {name: round(value, 4) for name, value in found.items()}


def train(run: Run, batches: Batches, held: Batches, judge: Judge, args: argparse.Namespace) -> bool:
    """Steps until ``args.steps`` or ``args.minutes`` is reached; True where Ctrl-C ended it."""
    begun, sums = time.monotonic(), dict.fromkeys(WEIGHTS, 0.0)
    seen = dict.fromkeys(WEIGHTS, 0)
    args.checkpoints.mkdir(parents=True, exist_ok=True)
    before = run.seconds
    try:
        while run.step < args.steps and time.monotonic() - begun < 60 * args.minutes:
            progress = max(run.step / args.steps, run.seconds / (before + 60 * args.minutes))
            for name, part in run.learn(batches.get(run.step), judge, args.seed, progress).items():
                sums[name], seen[name] = sums[name] + part, seen[name] + 1
            run.seconds = before + time.monotonic() - begun
            if run.step % args.log_every == 0:
                facts: dict[str, Any] = {"step": run.step, "seconds": round(run.seconds)}
                facts |= {n: round(sums[n] / max(seen[n], 1), 4) for n in sums} | held_out(run, judge, held)
                sums, seen = dict.fromkeys(WEIGHTS, 0.0), dict.fromkeys(WEIGHTS, 0)
                print(json.dumps(facts), flush=True)
                with (args.checkpoints / "log.jsonl").open("a") as log:
                    log.write(json.dumps(facts) + "\n")
                run.save(args.checkpoints)
    except KeyboardInterrupt:
        print(f"stopped at step {run.step}")
        return True
    return False


def curve(folder: Path) -> None:
    """log.jsonl as curve.png."""
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    figure = Figure(figsize=(7, 4), layout="tight")
    axes = figure.subplots()
    for name in ("alex", "vgg", "texture", "held", "held_texture"):
        axes.plot([r["step"] for r in rows], [r[name] for r in rows], label=name)
    axes.set_xlabel("step")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    figure.savefig(folder / "curve.png", dpi=100)


def parser() -> argparse.ArgumentParser:
    """Command line."""
    made = argparse.ArgumentParser(
        prog="semwave train decoder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--data", type=options.archives, help="folder with clean/ and research/; not needed once all examples are made"
    )
    made.add_argument("--out", type=Path, help="folder of the trained decoder (trained/ in that of --checkpoints)")
    made.add_argument("--minutes", type=options.minutes, default=60.0)
    made.add_argument("--resume", type=options.folder, help="folder of a checkpoint")
    made.add_argument("--seed", type=int, default=7)
    made.add_argument("--cache", type=Path, default=Path(".cache/decoder"), help="prepared examples")
    made.add_argument("--features", type=Path, default=Path(".cache/features"), help="networks of the loss")
    made.add_argument("--checkpoints", type=Path, default=Path("checkpoints/decoder"))
    made.add_argument("--examples", type=int, default=3000)
    made.add_argument("--steps", type=int, default=1_000_000)
    made.add_argument("--log-every", type=int, default=50)
    made.add_argument("--threads", type=int, default=1)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare examples, train, write the decoder."""
    args = parser().parse_args(argv)
    missing = any(
        decoder_data.missing(args.cache, n, args.seed, held) for n, held in ((args.examples, False), (24, True))
    )
    if args.data is None and missing:
        parser().error(f"--data is needed: {args.cache} does not have all of the {args.examples} examples yet")
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for count, part in ((args.examples, False), (24, True)):
        for shard in decoder_data.prepare(args.data, args.cache, count, args.seed, part):
            print(json.dumps({"prepared": shard, "held_out": part}), flush=True)
    batches = Batches(decoder_data.load(args.cache, args.seed, args.examples), args.seed, device)
    held = Batches(decoder_data.load(args.cache, args.seed, 24, held_out=True), args.seed, device)
    features.prepare(args.features)
    judge, run = Judge(args.features, device), Run(args.seed, device)
    if args.resume:
        run.resume(args.resume)
    else:
        run.scales = measured_scales(batches)
    stopped = train(run, batches, held, judge, args)
    run.save(args.checkpoints)
    if (args.checkpoints / "log.jsonl").is_file():
        curve(args.checkpoints)
    run.export(args.out or args.checkpoints / "trained")
    return options.INTERRUPTED if stopped else 0


if __name__ == "__main__":
    raise SystemExit(main())

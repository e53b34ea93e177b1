"""Train the network behind the semantic decoder's linear estimate.

    semwave train semantic --data DIR [--minutes 60] [--resume CKPT] [--out DIR] [--seed 1] [--perceptual W]

Step n draws from a generator of its own and examples are numbered, so a run that was cut and resumed ends with the
weights of an uncut one (same machine and threads). A GPU is used when there is one (bfloat16, channels last,
torch.compile); it can go on from a CPU's checkpoint. Needs torch, numpy, Pillow, safetensors, constriction.

With --perceptual a checkpoint of the squared error goes on for LPIPS distances as well (`semantic_loss`).
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from semwave.models.jscc import codebook, refine
from semwave.training import options
from semwave.training import semantic_data as sd
from semwave.training.semantic_loss import Judge, looks, loss_of

Array = NDArray[Any]

BOOK = Path(codebook.__file__).parents[1] / "weights/semantic-classes/model.safetensors"
EMA = 0.998
CROP = 112
FIRST, EVERY = 48, 5  # examples at the start; one more every so many steps
HELD = 16
PARTS = ("net", "average", "exp_avg", "exp_avg_sq")  # a file each, to stay small


class Run:
    """Network, running average and optimiser, and their checkpoint."""

    def __init__(self, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        self.seed, self.device, self.step = seed, device, 0
        self.begun, self.perceptual = 0, 0.0  # step at which the schedule began; weight of the judge's distances
        self.net = refine.build().to(device, memory_format=torch.channels_last)
        self.average = {k: v.detach().clone() for k, v in self.net.named_parameters()}
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=1e-3, betas=(0.9, 0.98))

    def learn(self, loss: torch.Tensor, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(EMA, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.net.named_parameters():
                self.average[key].lerp_(value, 1 - decay)

    def turn(self, perceptual: float) -> None:
        """Another loss from here on: averaged weights, a schedule of its own."""
        self.begun, self.perceptual = self.step, perceptual
        self.net.load_state_dict(self.average)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: self.optimiser.state.get(p, {}) for name, p in self.net.named_parameters()}
        parts = {"net": dict(self.net.named_parameters()), "average": self.average}
        parts |= {k: {n: s[k] for n, s in state.items() if k in s} for k in PARTS[2:]}
        for part, tensors in parts.items():
            kept = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
            temporary = folder / f"{part}.tmp"
            save_file(kept, temporary)
            temporary.replace(folder / f"{part}.safetensors")
        facts = {"step": self.step, "seed": self.seed, "begun": self.begun, "perceptual": self.perceptual}
        (folder / "state.json").write_text(json.dumps(facts) + "\n")

    def restore(self, folder: Path) -> None:
        facts = json.loads((folder / "state.json").read_text())
        parts = {part: load_file(folder / f"{part}.safetensors", str(self.device)) for part in PARTS}
        self.step, self.seed = int(facts["step"]), int(facts["seed"])
        self.begun, self.perceptual = int(facts.get("begun", 0)), float(facts.get("perceptual", 0))
        self.net.load_state_dict(parts["net"])
        self.average = parts["average"]
        for name, parameter in self.net.named_parameters():
            if name in parts["exp_avg"]:
                moments = {k: parts[k][name].contiguous(memory_format=_format(parameter)) for k in PARTS[2:]}
                self.optimiser.state[parameter] = {"step": torch.tensor(float(self.step)), **moments}


class Examples:
    """Numbered examples, made when first asked for and kept on disk."""

    def __init__(self, data: Path, cache: Path, seed: int) -> None:
        self._pictures = sd.Pictures(data)
        self._held = sd.Pictures(data, development=True)
        self._book, self._cache, self._seed = codebook.load(BOOK), cache, seed
        self._kept: dict[str, sd.Example] = {}
        cache.mkdir(parents=True, exist_ok=True)

    def get(self, number: int, held: bool = False) -> sd.Example:
        name = f"{'held' if held else 'train'}-{self._seed}-{number:06d}"
        if name not in self._kept:
            path = self._cache / f"{name}.npz"
            if not path.exists():
                rng = np.random.default_rng((self._seed, number, int(held)))
                made = sd.example(self._book, self._held if held else self._pictures, rng)
                np.savez(path.with_suffix(".tmp.npz"), **vars(made))
                path.with_suffix(".tmp.npz").replace(path)
            with np.load(path, allow_pickle=False) as kept:
                self._kept[name] = sd.Example(**kept)
        return self._kept[name]

    def batch(self, step: int, count: int, limit: int) -> list[Array]:
        """Crops for a step: truth, estimate, sigma, cover, each [count, CROP, CROP, ...]."""
        rng = np.random.default_rng((self._seed, step, 2))
        rows = []
        for number in rng.integers(0, min(FIRST + step // EVERY, limit), count):
            one = self.get(int(number))
            top, left = rng.integers(0, (sd.SIDE - CROP) // 2 + 1, 2) * 2
            turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
            fields = (one.truth, one.estimate, one.sigma[..., None], one.cover[..., None])
            cut = [np.rot90(f[top : top + CROP, left : left + CROP], turn) for f in fields]
            rows.append([c[:, ::-1] if mirror else c for c in cut])
        return [np.stack(column) for column in zip(*rows, strict=True)]


def train(run: Run, examples: Examples, args: argparse.Namespace, judge: Judge | None) -> bool:
    """Until the last step or until the time is up; True where Ctrl-C ended it, which keeps what there is."""
    begun = shown = saved = time.monotonic()
    first, gains, held, stopped = run.step, [], None, False
    net = torch.compile(run.net) if run.device.type == "cuda" else run.net
    try:
        while run.step < args.steps and time.monotonic() < begun + 60 * args.minutes:
            batch = examples.batch(run.step, args.batch, args.examples)
            loss, gain_db = loss_of(net, batch, run.device, judge, run.step)
            done = run.step - run.begun
            run.learn(loss, args.rate * rate_at(done / (args.steps - run.begun)) * min(1.0, (done + 1) / 50))
            gains.append(gain_db)
            if run.step % args.log_every == 0:
                line: dict[str, Any] = {"step": run.step, "gain_db": round(float(np.mean(gains)), 3)}
                line |= {"loss": round(float(loss.detach()), 4), "seconds": round(time.monotonic() - shown, 1)}
                if run.step % (args.log_every * 5) == 0:
                    held, distance = held_out(run, examples, judge is not None)
                    line |= {"held_gain_db": round(held, 3)} | ({"held_lpips": round(distance, 4)} if judge else {})
                show(0, 0, 0.0, 0.0, None)
                write_line(args.out, line)
                shown, gains = time.monotonic(), []
            if time.monotonic() - saved > 60 * args.save_minutes:
                run.save(args.out)
                saved = time.monotonic()
            show(run.step, args.steps, (run.step - first) / (time.monotonic() - begun), gain_db, held)
    except KeyboardInterrupt:
        stopped = True
        print("stopped; the checkpoint is kept")
    show(0, 0, 0.0, 0.0, None)
    run.save(args.out)
    export(run, args.out)
    curve(args.out)
    return stopped


def show(step: int, steps: int, rate: float, gain_db: float, held: float | None) -> None:
    """One line on a terminal, written over and over; ``steps`` 0 clears it."""
    if not sys.stderr.isatty():
        return
    line = f"step {step} of {steps}  {rate:.2f} a second  {(steps - step) / max(rate, 1e-9) / 60:.0f} min left"
    line += f"  gain {gain_db:.2f} dB" + ("" if held is None else f", held out {held:.2f} dB")
    print(
        "\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1] * bool(steps), end="", file=sys.stderr, flush=True
    )


def rate_at(share: float) -> float:
    """Learning rate: 1, then from 55 % of the steps on down a cosine to 0.02."""
    return 1.0 if share < 0.55 else 0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * (share - 0.55) / 0.45)))


def held_out(run: Run, examples: Examples, judged: bool) -> tuple[float, float]:
    """Mean gain in dB over the linear estimate and, where ``judged``, LPIPS, of averaged weights on other pictures."""
    kept = {k: v.detach().clone() for k, v in run.net.named_parameters()}
    run.net.load_state_dict(run.average)
    gains, distances = [], [0.0]
    with torch.inference_mode():
        for number in range(HELD):
            one = examples.get(number, held=True)
            batch = [one.truth[None], one.estimate[None], one.sigma[None, ..., None], one.cover[None, ..., None]]
            gains.append(loss_of(run.net, batch, run.device)[1])
            if judged:
                distances.append(looks(run.net, batch, run.device))
    run.net.load_state_dict(kept)
    return float(np.nanmean(gains)), float(np.sum(distances) / HELD)


def write_line(folder: Path, line: dict[str, Any]) -> None:
    text = json.dumps(line)
    print(text, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open("a") as file:
        file.write(text + "\n")


def export(run: Run, folder: Path) -> None:
    """The averaged weights in half precision, as the package ships them."""
    kept = {k: v.detach().cpu().half().contiguous() for k, v in run.average.items()}
    save_file(kept, folder / "model.safetensors", {"format": refine.FORMAT, "step": str(run.step)})


def curve(folder: Path) -> None:
    """Draw the log."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    if not (folder / "log.jsonl").exists():
        return
    rows = (json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines())
    lines = [line for _, line in sorted({line["step"]: line for line in rows}.items())]  # the last word on each step
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for key, label in (("gain_db", "training crops"), ("held_gain_db", "held-out pictures, averaged weights")):
        points = [(line["step"], line[key]) for line in lines if key in line]
        if points:
            axes.plot(*zip(*points, strict=True), label=label)
    axes.set(xlabel="step", ylabel="gain over the linear estimate, dB")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(folder / "curve.png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the options and train."""
    parser = argparse.ArgumentParser(prog="semwave train semantic", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=options.photographs, required=True, help="folder with clean/ and research/, or with pictures"
    )
    parser.add_argument("--minutes", type=options.minutes, default=60.0, help="stop after so long")
    parser.add_argument("--resume", type=options.folder, help="folder of a checkpoint")
    parser.add_argument(
        "--out", type=Path, default=Path("checkpoints/semantic"), help="checkpoint, log, curve, weights"
    )
    parser.add_argument("--cache", type=Path, default=Path(".cache/semantic"), help="prepared examples")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6000, help="length of the schedule")
    parser.add_argument("--examples", type=int, default=2000, help="how many are made at most")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--save-minutes", type=float, default=5.0, help="time between checkpoints")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate at its highest")
    parser.add_argument("--perceptual", type=float, metavar="W", help="weight of LPIPS distances beside squared error")
    parser.add_argument("--features", type=Path, default=Path(".cache/features"), help="networks of --perceptual")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    run = Run(args.seed, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    if args.resume:
        run.restore(args.resume)
    if args.perceptual is not None and args.perceptual != run.perceptual:
        run.turn(args.perceptual)
    if args.steps <= run.begun:
        parser.error(f"--steps must be above {run.begun}, where this part of the training began, not {args.steps}")
    judge = Judge(args.features, run.perceptual, run.device) if run.perceptual else None
    stopped = train(run, Examples(args.data, args.cache, run.seed), args, judge)
    print(f"step {run.step}; checkpoint, log and curve in {args.out}", file=sys.stderr)
    return options.INTERRUPTED if stopped else 0


def _format(parameter: torch.Tensor) -> torch.memory_format:
    return torch.channels_last if parameter.ndim == 4 else torch.contiguous_format


if __name__ == "__main__":
    raise SystemExit(main())

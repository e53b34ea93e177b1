"""What the trainings of the text models share: steps, running average, checkpoints in small files, log and curve."""

from __future__ import annotations

import argparse
import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from semwave.training import options

SHARD_BYTES = 15 << 20  # of one checkpoint file: below 16 MiB
Tensors = dict[str, torch.Tensor]


def arguments(name: str, description: str, out: str, minutes: float) -> argparse.ArgumentParser:
    """The command line that all trainings have."""
    parser = argparse.ArgumentParser(
        prog=f"semwave train {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=options.archives, required=True, help="folder with clean/ and research/")
    parser.add_argument("--minutes", type=options.minutes, default=minutes, help="stop after so long")
    parser.add_argument("--resume", type=options.folder, default=None, help="folder of a checkpoint")
    parser.add_argument("--out", type=Path, default=Path(out), help="folder for checkpoints, log, curve and weights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=None, help="length of the schedule")
    return parser


def chosen_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class TextRun:
    """Model, running average, AdamW with a cosine schedule, the step number; deterministic by seed and step."""

    def __init__(self, model: torch.nn.Module, args: argparse.Namespace, rate: float, decay: float = 0.998) -> None:
        self.model, self.args, self.rate, self.decay = model.to(chosen_device()), args, rate, decay
        self.average = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
        self.step, self.seconds, self.out, self.stopped = 0, 0.0, args.out, False
        self.rows: list[dict[str, Any]] = []
        if args.resume:
            self._resume(args.resume)

    def train(
        self, steps: int, loss_of: Callable[[int], dict[str, torch.Tensor]], every: int = 50, test: Any = None
    ) -> None:
        """Steps until ``steps``, ``--minutes``, Ctrl-C or SIGTERM; ``loss_of`` gives losses to be summed, by name."""
        begun = time.monotonic()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, for runs in the background
        sums: dict[str, float] = {}
        count = 0
        try:
            while self.step < steps and time.monotonic() - begun < 60 * self.args.minutes:
                torch.manual_seed(self.args.seed * 1_000_003 + self.step)
                losses = self._one(steps, loss_of)
                sums = {k: sums.get(k, 0.0) + float(v.detach()) for k, v in losses.items()}
                count += 1
                if self.step % every == 0 or self.step == steps:
                    facts = {k: round(v / count, 4) for k, v in sums.items()}
                    self.log({"step": self.step, "seconds": round(self.seconds + time.monotonic() - begun)} | facts)
                    sums, count = {}, 0
                if self.step % (10 * every) == 0 or self.step == steps:
                    if test is not None:
                        self.log({"step": self.step} | test())
                    self.save(begun)
        except KeyboardInterrupt:
            self.stopped = True
            self.log({"step": self.step, "stopped": "Ctrl-C"})
        self.save(begun)
        self.seconds += time.monotonic() - begun

    def _one(self, steps: int, loss_of: Callable[[int], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        fall = 0.02 + 0.98 * math.cos(math.pi / 2 * self.step / steps) ** 2
        rate = self.rate * min(1.0, (self.step + 1) / 200) * fall
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train()
        losses = loss_of(self.step)
        self.optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        keep = min(self.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self.average[name].lerp_(parameter, 1 - keep)
        self.step += 1
        return losses

    def averaged(self) -> torch.nn.Module:
        """The model with the running average in it, for testing; ``restored`` undoes it."""
        self._held = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self._fill(self.average)
        return self.model.eval()

    def restored(self) -> None:
        """Back to the weights that are trained."""
        self._fill(self._held)

    def _fill(self, values: Tensors) -> None:
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(values[name])

    def log(self, facts: dict[str, Any]) -> None:
        """One JSON line, on the terminal and in log.jsonl."""
        self.rows.append(facts)
        print(json.dumps(facts), flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(facts) + "\n")

    def save(self, begun: float) -> None:
        """The whole state in files of at most SHARD_BYTES, and the curve."""
        state = {f"model.{k}": v.detach() for k, v in self.model.named_parameters()}
        state |= {f"average.{k}": v for k, v in self.average.items()}
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                state[f"adam.{key}.{name}"] = value
        folder = self.out / "checkpoint"
        folder.mkdir(parents=True, exist_ok=True)
        for index, shard in enumerate(_shards(state)):
            part = folder / f"part{index}.tmp"
            save_file({k: v.cpu().contiguous() for k, v in shard.items()}, part)
            part.replace(folder / f"part{index}.safetensors")
        facts = {"step": self.step, "seconds": self.seconds + time.monotonic() - begun, "seed": self.args.seed}
        (folder / "state.json").write_text(json.dumps(facts))
        self._curve()

    def _resume(self, folder: Path) -> None:
        folder = folder / "checkpoint" if (folder / "checkpoint").is_dir() else folder
        facts = json.loads((folder / "state.json").read_text())
        self.step, self.seconds = facts["step"], facts["seconds"]
        log = self.out / "log.jsonl"
        self.rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        state: Tensors = {}
        for file in sorted(folder.glob("part*.safetensors")):
            state |= load_file(file, device=str(chosen_device()))
        self._fill({k[6:]: v for k, v in state.items() if k.startswith("model.")})
        self.average = {k[8:]: v for k, v in state.items() if k.startswith("average.")}
        for name, parameter in self.model.named_parameters():
            if f"adam.step.{name}" in state:
                keys = ("step", "exp_avg", "exp_avg_sq")
                self.optimiser.state[parameter] = {k: state[f"adam.{k}.{name}"] for k in keys}

    def _curve(self) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(7, 4))
        rows = [row for row in self.rows if "step" in row]
        for key in sorted({k for row in rows for k in row} - {"step", "seconds", "stopped"}):
            points = [(row["step"], row[key]) for row in rows if key in row]
            if points:
                axes.plot(*zip(*points, strict=True), label=key)
        axes.set_xlabel("step")
        axes.legend()
        figure.savefig(self.out / "curve.png", dpi=80)
        pyplot.close(figure)


def _shards(state: Tensors) -> Iterator[Tensors]:
    shard: Tensors = {}
    size = 0
    for name, value in state.items():
        bytes_ = value.numel() * value.element_size()
        if shard and size + bytes_ > SHARD_BYTES:
            yield shard
            shard, size = {}, 0
        shard[name] = value
        size += bytes_
    yield shard

"""Train the tiny segmenter: first on labels (categories, caption words), then on COCO object masks.

    python training/segmenter_tiny.py --data DIR [--minutes 25] [--resume CKPT] [--out DIR]

Deterministic by seed: step n of a stage draws from a generator of its own, so a run cut by --minutes and resumed
ends with the weights of an uncut run (same machine, same thread count). Needs torch, numpy, Pillow, safetensors.
"""

import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent))
import segmenter_data as sd

from semwave.models.segment import tiny_net as segment_net

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "src/semwave/models/weights/segmenter-tiny/model.safetensors"
SHAPES = ((256, 192), (192, 256), (224, 224), (256, 160), (160, 256))  # width, height
STAGES = ("labels", "masks")
EMA = 0.998


class Trainer:
    """Network, running average and optimiser of one stage, and their checkpoint."""

    def __init__(self, stage: str, net: Any, steps: int, rate: float) -> None:
        self.stage, self.net, self.steps, self.rate, self.step = stage, net, steps, rate, 0
        self.average = {k: v.clone() for k, v in net.state_dict().items() if v.is_floating_point()}
        self.optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)

    def learn(self, loss: Any) -> None:
        warm = min(1.0, (self.step + 1) / 100)
        cosine = 0.5 * (1 + np.cos(np.pi * self.step / self.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm * cosine
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        with torch.no_grad():
            decay = min(EMA, (self.step + 1) / (self.step + 10))
            state = self.net.state_dict()
            for key, value in self.average.items():
                value.lerp_(state[key], 1 - decay)

    def save(self, path: Path) -> None:
        tensors = {f"net.{k}": v.contiguous() for k, v in self.net.state_dict().items()}
        tensors |= {f"average.{k}": v.contiguous() for k, v in self.average.items()}
        for name, parameter in self.net.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                tensors[f"adam.{key}.{name}"] = value.contiguous()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        save_file(tensors, temporary, {"stage": self.stage, "step": str(self.step)})
        temporary.replace(path)

    def restore(self, tensors: dict[str, Any], step: int) -> None:
        self.step = step
        self.net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
        self.average = {k[8:]: v for k, v in tensors.items() if k.startswith("average.")}
        for name, parameter in self.net.named_parameters():
            if f"adam.step.{name}" in tensors:  # parameters that the stage does not train have no state
                keys = ("step", "exp_avg", "exp_avg_sq")
                self.optimiser.state[parameter] = {k: tensors[f"adam.{k}.{name}"] for k in keys}


def label_loss(net: Any, rng: np.random.Generator, items: list[sd.Labelled], archives: Any, args: Any) -> Any:
    """Categories by cross-entropy, caption words by binary cross-entropy, from the pooled deepest features."""
    chosen = [items[i] for i in rng.integers(0, len(items), args.batch * 2)]
    views = [sd.labelled_view(rng, archives[item.archive].read(item.file), 128) for item in chosen]
    features = segment_net.encode(net, (_images(views) - 0.45) / 0.225)
    outputs = net["labels"](features[-1].mean((2, 3)))
    categories = torch.tensor([item.category for item in chosen])
    count = outputs.shape[1] - sd.WORDS
    loss = F.cross_entropy(outputs[:, :count], categories, ignore_index=-1, reduction="sum")
    rows = [i for i, item in enumerate(chosen) if item.words]
    wanted = torch.zeros(len(rows), sd.WORDS)
    for row, i in enumerate(rows):
        wanted[row, list(chosen[i].words)] = 1
    words = F.binary_cross_entropy_with_logits(outputs[rows, count:], wanted, reduction="sum")
    return (loss + 0.1 * words) / len(chosen)


def mask_loss(net: Any, rng: np.random.Generator, examples: list[sd.Example], args: Any) -> Any:
    """Binary cross-entropy plus Dice, over the pixels whose truth is known."""
    size = SHAPES[int(rng.integers(len(SHAPES)))]
    chosen = [examples[i] for i in rng.integers(0, len(examples), args.batch)]
    views = [sd.augmented(rng, example, size) for example in chosen]
    logits = segment_net.forward(net, _images([v[0] for v in views]))[:, 0]
    mask, known = (torch.from_numpy(np.stack([v[k] for v in views]) / np.float32(255)) for k in (1, 2))
    bce = (F.binary_cross_entropy_with_logits(logits, mask, reduction="none") * known).mean()
    guess = logits.sigmoid() * known
    overlap = (guess * mask).sum((1, 2))
    dice = 1 - (2 * overlap + 50) / (guess.sum((1, 2)) + (mask * known).sum((1, 2)) + 50)
    return bce + dice.mean()


def _images(views: list[Any]) -> Any:
    x_BHWC = torch.from_numpy(np.stack(views).astype(np.float32) / 255)
    return x_BHWC.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def run_stage(trainer: Trainer, loss_of: Any, args: Any, deadline: float) -> bool:
    """Train to the stage's last step; False if the time is up first (the checkpoint is then written)."""
    shown, saved = 0.0, time.monotonic()
    trainer.net.train()
    while trainer.step < trainer.steps:
        rng = np.random.default_rng([args.seed, STAGES.index(trainer.stage), trainer.step])
        loss = loss_of(trainer.net, rng)
        trainer.learn(loss)
        shown = loss.item() if shown == 0.0 else 0.98 * shown + 0.02 * loss.item()
        out_of_time = time.monotonic() > deadline
        if out_of_time or time.monotonic() - saved > 120 or trainer.step == trainer.steps:
            trainer.save(args.checkpoint)
            saved = time.monotonic()
            line = {"stage": trainer.stage, "step": trainer.step, "of": trainer.steps, "loss": round(shown, 4)}
            print(json.dumps(line), flush=True)
        if out_of_time:
            break
    return bool(trainer.step == trainer.steps)


def export(average: dict[str, Any], path: Path) -> None:
    """Write the averaged weights as fp16, without what only training needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {k: v.half().contiguous() for k, v in average.items() if not k.startswith("labels.")}
    save_file(kept, path, {"format": "pt", "network": "segment_net"})


def parse() -> Any:
    parser = sd.parser(__doc__)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints/segmenter.safetensors")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the finished weights go")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--label-steps", type=int, default=2000)
    parser.add_argument("--mask-steps", type=int, default=2000)
    return parser.parse_args()


def main() -> None:
    args = parse()
    deadline = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    items, categories, words = sd.labelled_pictures(args.data)
    examples = sd.coco_examples(args.data, development=False)
    archives = {name: zipfile.ZipFile(args.data / name) for name in sd.CALTECH + sd.FLICKR}
    net = segment_net.build()
    net["labels"] = torch.nn.Linear(net["context"].in_channels, len(categories) + len(words))
    net = net.to(memory_format=torch.channels_last)
    losses = {
        "labels": lambda n, rng: label_loss(n, rng, items, archives, args),
        "masks": lambda n, rng: mask_loss(n, rng, examples, args),
    }
    steps, rates = {"labels": args.label_steps, "masks": args.mask_steps}, {"labels": 4e-3, "masks": 2e-3}
    start, tensors, done = "labels", None, 0
    if args.resume:
        with safe_open(args.resume, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            start, done = file.metadata()["stage"], int(file.metadata()["step"])
    for stage in STAGES[STAGES.index(start) :]:
        trainer = Trainer(stage, net, steps[stage], rates[stage])
        if tensors is not None:
            trainer.restore(tensors, done)
            tensors = None
        if not run_stage(trainer, losses[stage], args, deadline):
            print(f"time is up; go on with --resume {args.checkpoint}")
            return
        net.load_state_dict(trainer.average, strict=False)
    export(trainer.average, args.out)


if __name__ == "__main__":
    main()

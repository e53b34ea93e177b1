"""Train the ``lite`` segmenter on cached features of EfficientNet-Lite0; resumable, deterministic by seed.

    python training/segmenter.py --data DIR [--teacher FILE] [--boxes FILE] [--minutes 25] [--resume CKPT]

The first call caches backbone features of random views of the training pictures in ``--cache`` (see
`segmenter_cache.py`; about 340 kB a view). Step n draws its views from a generator of its own, so a run that is cut by
``--minutes`` or Ctrl-C and resumed ends as an uncut one would (same machine). Uses a GPU where there is one.
Needs torch, numpy, Pillow, safetensors and the backbone's package; teacher masks come from `segmenter_teacher.py`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent))
import segmenter_cache as cache
import segmenter_data as sd

from semwave.models import efficientnet
from semwave.models.segment import lite_net

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "src/semwave/models/weights/segmenter-lite/model.safetensors"
EMA = 0.998
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def begin(seed: int) -> Any:
    """The network with fresh weights, its late stages those of the backbone."""
    torch.manual_seed(seed)
    net = lite_net.build()
    for block, layers in zip(net["late"], efficientnet.load()._blocks[lite_net.LATE :], strict=True):
        for convolution, (weight, bias) in zip(block, layers, strict=True):
            with torch.no_grad():
                convolution.weight.copy_(weight)
                convolution.bias.copy_(bias)
    return net


class Trainer:
    """Network, running average, optimiser and their checkpoint."""

    def __init__(self, net: Any, args: Any) -> None:
        self.net, self.args, self.step = net, args, 0
        self.average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        late = list(net["late"].parameters())
        known = {id(p) for p in late}
        rest = [p for p in net.parameters() if id(p) not in known]
        groups = [{"params": rest, "peak": args.rate}, {"params": late, "peak": args.rate * args.late}]
        self.optimiser = torch.optim.AdamW(groups, lr=args.rate, weight_decay=0.03)

    def learn(self, loss: Any) -> None:
        warm = min(1.0, (self.step + 1) / 100)
        cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, self.step / self.args.steps)))
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * warm * cosine
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        decay = min(EMA, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.net.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)

    def save(self) -> None:
        """Weights, average and moments in a file each, all below 16 MiB."""
        self.args.checkpoint.mkdir(parents=True, exist_ok=True)
        moments = {key: {} for key in MOMENTS}
        for name, parameter in self.net.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                moments[key][name] = value
        for name, tensors in {"net": self.net.state_dict(), "average": self.average, **moments}.items():
            kept = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
            save_file(kept, self.args.checkpoint / f"{name}.part", {"step": str(self.step)})
        for path in sorted(self.args.checkpoint.glob("*.part")):
            path.replace(path.with_suffix(".safetensors"))

    def restore(self, folder: Path, device: str) -> None:
        parts, steps = {}, set()
        for name in ("net", "average", *MOMENTS):
            with safe_open(folder / f"{name}.safetensors", "pt", device=device) as file:
                parts[name] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
                steps.add(int(file.metadata()["step"]))
        if len(steps) > 1:
            raise ValueError(f"{folder} holds parts of different steps: {sorted(steps)}")
        self.step, self.average = steps.pop(), parts["average"]
        self.net.load_state_dict(parts["net"])
        for name, parameter in self.net.named_parameters():
            if name in parts["step"]:  # frozen parameters have no moments yet
                self.optimiser.state[parameter] = {key: parts[key][name] for key in MOMENTS}


def draw(rng: np.random.Generator, shards: list[tuple[cache.Shard, float]], batch: int) -> tuple[list[Any], Any, Any]:
    """Views from all shards, by their shares, half of them mirrored."""
    odds = np.array([share for _, share in shards])
    which = rng.choice(len(shards), batch, p=odds / odds.sum())
    rows: list[Any] = []
    for index in which:
        shard = shards[index][0]
        at = int(rng.integers(len(shard.truth)))
        row = [*(array[at] for array in shard.features), shard.truth[at], shard.weight[at]]
        rows.append([part[..., ::-1] for part in row] if rng.random() < 0.5 else row)
    tensors = [torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*rows, strict=True)]
    return tensors[:-2], tensors[-2] / 255, tensors[-1] / 255


def loss_of(logits: Any, truth: Any, weight: Any) -> Any:
    """Binary cross-entropy plus soft IoU, by what each pixel's truth is worth."""
    bce = (F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * weight).mean()
    guess = logits.sigmoid()
    both = (guess * truth * weight).sum((1, 2))
    either = ((guess + truth - guess * truth) * weight).sum((1, 2))
    return bce + (1 - (both + 20) / (either + 20)).mean()


def run(trainer: Trainer, shards: Any, args: Any, device: str, deadline: float) -> None:
    """Until the last step, the deadline or Ctrl-C; always leaves a checkpoint."""
    shown, saved, log = 0.0, time.monotonic(), args.checkpoint / "log.jsonl"
    args.checkpoint.mkdir(parents=True, exist_ok=True)
    trainer.net.train()
    try:
        while trainer.step < args.steps and time.monotonic() < deadline:
            trainer.net["late"].requires_grad_(trainer.step >= args.late_from * args.steps)
            taps, truth, weight = draw(np.random.default_rng([args.seed, trainer.step]), shards, args.batch)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                taps = [tap.to(device, memory_format=torch.channels_last) for tap in taps]
                logits = lite_net.forward(trainer.net, taps)[:, 0]
            loss = loss_of(logits.float(), truth.to(device), weight.to(device))
            trainer.learn(loss)
            shown = loss.item() if shown == 0.0 else 0.98 * shown + 0.02 * loss.item()
            if trainer.step % 50 == 0:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"step": trainer.step, "of": args.steps, "loss": round(shown, 4)}) + "\n")
            if time.monotonic() - saved > 120:
                trainer.save()
                saved = time.monotonic()
    except KeyboardInterrupt:
        print("stopped")
    trainer.save()


def curve(log: Path) -> None:
    """The loss so far as a picture beside the log."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    axes.plot([line["step"] for line in lines], [line["loss"] for line in lines])
    axes.set(xlabel="step", ylabel="loss (running mean)")
    figure.tight_layout()
    figure.savefig(log.with_suffix(".png"))
    pyplot.close(figure)


def export(average: dict[str, Any], path: Path) -> None:
    """Write the averaged weights as fp16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.cpu().half().contiguous() for k, v in average.items()}, path, {"network": "lite_net"})


def shards_of(args: Any) -> list[tuple[cache.Shard, float]]:
    """Open what is cached, make what is not; COCO counts ``--coco-share`` of the draws."""
    teacher_share = (1 - args.coco_share) if args.teacher else 0.0
    if not (args.cache / "coco").exists():
        cache.fill(args.cache / "coco", sd.coco_examples(args.data, development=False), args.coco_views, args.seed)
    shards = [(cache.open_shard(args.cache / "coco"), args.coco_share)]
    if args.teacher:
        if not (args.cache / "teacher").exists():
            boxes = json.loads(args.boxes.read_text(encoding="utf-8")) if args.boxes else {}
            examples = cache.teacher_examples(args.data, args.teacher, boxes)
            cache.fill(args.cache / "teacher", examples, args.teacher_views, args.seed + 1)
        shards.append((cache.open_shard(args.cache / "teacher"), teacher_share))
    return shards


def parse() -> Any:
    parser = sd.parser(__doc__)
    parser.add_argument("--teacher", type=Path, help="masks made by segmenter_teacher.py")
    parser.add_argument("--boxes", type=Path, help="boxes made by segmenter_boxes.py")
    parser.add_argument("--cache", type=Path, default=ROOT / "checkpoints/segmenter")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints/segmenter/lite")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the finished weights go")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--late", type=float, default=0.1, help="learning rate of the tuned backbone stages, relative")
    parser.add_argument("--late-from", type=float, default=0.6, help="share of the steps before they are tuned")
    parser.add_argument("--coco-share", type=float, default=0.6)
    parser.add_argument("--coco-views", type=int, default=6)
    parser.add_argument("--teacher-views", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    args = parse()
    deadline = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shards = shards_of(args)
    trainer = Trainer(begin(args.seed).to(device, memory_format=torch.channels_last), args)
    if args.resume:
        trainer.restore(args.resume, device)
    run(trainer, shards, args, device, deadline)
    curve(args.checkpoint / "log.jsonl")
    if trainer.step < args.steps:
        print(f"{trainer.step} of {args.steps} steps; go on with --resume {args.checkpoint}")
        return
    export(trainer.average, args.out)


if __name__ == "__main__":
    main()

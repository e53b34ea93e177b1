"""Train a LoRA adapter of the decoder on a folder of pictures; on a quantised base this is QLoRA.

The loss is that of the decoder's own training. The adapter's folder also holds the optimiser's state (training/), a log
(log.jsonl) and the examples made of the pictures (examples/), so that a later run goes on where this one ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semwave.models.generator import network
from semwave.models.light import examples, folders, lora, quantise
from semwave.training import decoder, decoder_data, features

CROP, SAVE_EVERY = 96, 20
Tell = Callable[[str, float, float], None]
"""(what is going on, how much is done, of how much)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the result, besides the pictures."""

    model: str = "flow"
    rank: int = 8
    steps: int = 300
    minutes: float = 60.0
    bits: int | None = None
    kind: str = "nf4"
    seed: int = 7
    batch: int = 4
    rate: float = 1e-3
    examples: int = 96
    captioner: str = "own"
    device: str = "cpu"


class Tuning:
    """The network with its adapter, the optimiser and how far they are."""

    def __init__(self, settings: Settings) -> None:
        folder = folders.find(settings.model)
        if not (folder / "decoder.json").is_file():
            raise ValueError(
                f"model must be a decoder like flow, with decoder.json, not {settings.model}: pipelines of diffusers "
                "have training scripts of their own, and decoder.adapter takes what those write"
            )
        self.settings, self.device = settings, torch.device(settings.device)
        self.unet = network.load_unet(folder, settings.device)
        if settings.bits is not None:
            self.unet = quantise.quantise(self.unet, settings.bits, settings.kind, settings.device)
        self.weights = lora.add(self.unet, settings.rank, settings.seed)
        self.unet.to(self.device)
        scales = json.loads((folder / "decoder.json").read_text())["scales"]
        self.scales = torch.tensor(scales, device=self.device).reshape(1, -1, 1, 1)
        self.optimiser = torch.optim.AdamW(lora.parameters(self.unet).values(), lr=settings.rate, weight_decay=0.0)
        self.step, self.seconds = 0, 0.0

    def learn(self, batches: decoder.Batches, judge: decoder.Judge) -> float:
        """One step; the loss."""
        s = self.settings
        rng = np.random.default_rng([s.seed, self.step])
        chosen = rng.integers(0, len(batches), s.batch).tolist()
        corners = (4 * rng.integers(0, (decoder_data.WINDOW - CROP) // 4 + 1, (s.batch, 2))).tolist()
        batch = batches.crops(chosen, corners, CROP)
        levels = np.where(rng.random(s.batch) < 0.8, 1.0, rng.choice([0.25, 0.5, 0.75], s.batch))
        share = min(1.0, self.step / max(s.steps, 1))
        for group in self.optimiser.param_groups:
            group["lr"] = s.rate * min(1.0, (self.step + 1) / 10) * (0.05 + 0.95 * np.cos(np.pi / 2 * share) ** 2)
        sigma = torch.from_numpy(levels).float().to(self.device)
        made = decoder.rebuilt(self.unet, batch, sigma, self.scales, decoder.white(batch, s.seed + self.step))
        total, _ = judge.loss(made, batch["image"], self.step)
        self.optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(lora.parameters(self.unet).values(), 1.0)
        self.optimiser.step()
        self.step += 1
        return float(total.detach())

    def lpips(self, batches: decoder.Batches, judge: decoder.Judge) -> float:
        """LPIPS (AlexNet) at one step on the examples of ``batches``."""
        found = []
        with torch.inference_mode():
            for n in range(len(batches)):
                batch = batches.crops([n], [(0, 0)], decoder_data.WINDOW)
                level = torch.ones(1, device=self.device)
                made = decoder.rebuilt(self.unet, batch, level, self.scales, decoder.white(batch, 1))
                found.append(judge.lpips(made, batch["image"]))
        return float(np.mean(found))

    def save(self, folder: Path) -> None:
        """Adapter, then the state of the training."""
        lora.save(self.unet, folder)
        kept = {}
        for name, parameter in lora.parameters(self.unet).items():
            kept[f"weight/{name}"] = parameter.detach().cpu().contiguous()
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in self.optimiser.state[parameter]:
                    kept[f"{moment}/{name}"] = self.optimiser.state[parameter][moment].cpu()
        facts = {"step": self.step, "seconds": round(self.seconds, 1), "settings": asdict(self.settings)}
        decoder.save_split(folder / "training", kept, facts)

    def resume(self, folder: Path) -> None:
        """Go on from what ``save`` wrote; raises ValueError where it was trained on another base or rank."""
        kept, facts = decoder.load_split(folder / "training")
        for name in ("model", "rank", "bits", "kind", "seed"):
            was, now = facts["settings"][name], getattr(self.settings, name)
            if was != now:
                raise ValueError(f"{name} must be {was}, as when the training began, not {now}")
        self.step, self.seconds = facts["step"], facts["seconds"]
        with torch.no_grad():
            for name, parameter in lora.parameters(self.unet).items():
                parameter.copy_(kept[f"weight/{name}"])
                moments = {m: kept.get(f"{m}/{name}") for m in ("exp_avg", "exp_avg_sq")}
                if moments["exp_avg"] is not None:
                    state = {m: t.to(self.device) for m, t in moments.items() if t is not None}
                    self.optimiser.state[parameter] = {"step": torch.tensor(float(self.step))} | state


def finetune(
    settings: Settings, data: Path, out: Path, resume: bool = False, tell: Tell | None = None,
    feature_folder: Path = Path(".cache/features"),
) -> dict[str, Any]:  # fmt: skip
    """Train an adapter on the pictures of ``data`` into ``out``; Ctrl-C keeps what was learnt.

    Gives steps, seconds, weights, LPIPS on held-out pictures of the folder before and after, and whether it was
    stopped. Raises ValueError where ``out`` holds another training and ``resume`` is not asked for.
    """
    tell = tell or (lambda *_: None)
    if (out / "training").is_dir() != resume:
        raise ValueError(
            f"{out} holds a training already: resume it or name another folder" if not resume
            else f"{out} holds no training to resume"
        )  # fmt: skip
    tell("loading", 0, 1)
    tuning = Tuning(settings)
    if resume:
        tuning.resume(out)
    held_out = _examples(settings, data, out / "examples", tell)
    features.prepare(feature_folder)
    judge = decoder.Judge(feature_folder, tuning.device)
    batches, held = (decoder.Batches(kept, settings.seed, tuning.device) for kept in held_out)
    before = _first(out) if resume else tuning.lpips(held, judge)
    if not resume:
        _log(out, {"step": 0, "held": round(before, 5)})
    stopped = _train(tuning, batches, judge, out, tell)
    tuning.save(out)
    after = tuning.lpips(held, judge)
    _log(out, {"step": tuning.step, "seconds": round(tuning.seconds), "held": round(after, 5)})
    return {
        "out": str(out), "steps": tuning.step, "seconds": round(tuning.seconds, 1), "weights": tuning.weights,
        "held_out": len(held), "lpips_before": before, "lpips_after": after, "stopped": stopped,
    }  # fmt: skip


def _train(tuning: Tuning, batches: decoder.Batches, judge: decoder.Judge, out: Path, tell: Tell) -> bool:
    settings, begun, before = tuning.settings, time.monotonic(), tuning.seconds
    losses: list[float] = []
    try:
        while tuning.step < settings.steps and time.monotonic() - begun < 60 * settings.minutes:
            losses.append(tuning.learn(batches, judge))
            tuning.seconds = before + time.monotonic() - begun
            tell(f"step {tuning.step}, loss {np.mean(losses[-10:]):.3f}", tuning.step, settings.steps)
            if tuning.step % SAVE_EVERY == 0:
                tuning.save(out)
                _log(out, {"step": tuning.step, "loss": round(float(np.mean(losses[-SAVE_EVERY:])), 4)})
    except KeyboardInterrupt:
        return True
    return False


def _examples(settings: Settings, data: Path, cache: Path, tell: Tell) -> list[dict[str, Any]]:
    chosen = None
    kept = []
    for part, count in (("train", settings.examples), ("held", max(4, settings.examples // 8))):
        wanted = [cache / f"{part}-{settings.seed}-{n:05d}.npz" for n in range(0, count, examples.SHARD)]
        if not all(path.is_file() for path in wanted):
            tell("reading pictures", 0, 1)
            chosen = chosen or examples.photos(data, settings.captioner)
            for done in examples.prepare(chosen[part == "held"], cache, count, settings.seed, part):
                tell("preparing pictures", done, count)
        kept.append(examples.load(cache, count, settings.seed, part))
    return kept


def _log(out: Path, row: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")


def _first(out: Path) -> float:
    return float(json.loads((out / "log.jsonl").read_text().splitlines()[0])["held"])

"""Train the captioner on Flickr8k's training list, COCO captions and Visual7W's answers.

    semwave train captioner --data DIR [--minutes 60] [--resume CKPT] [--out DIR] [--seed 1]

The image features are frozen and cached first (in OUT/features). Development and test pictures are never trained on.
At the end OUT/weights holds the running average as 16-bit safetensors with its words.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional as F

from semwave.models import efficientnet
from semwave.models.text.captioner_net import CELLS, CaptionerNet, Shape
from semwave.models.text.things import NAMES, things
from semwave.training import captioner_data as cd
from semwave.training import text_run
from semwave.training.options import INTERRUPTED

Array = NDArray[Any]
PICTURES, CAPTIONS = 48, 2  # of a batch, and of each picture in it
CUT = 15  # words of a caption that are learnt: most have fewer, and the rest costs time
PRECISION = 0.65
COMMON = 0.001  # mean chance above which a class of ImageNet counts as familiar
LEAST = 4  # times that a word must come
BEGIN, ANSWER = 1, 2  # first words: of a caption (and the end of all), of a short answer
SPECIAL = ("", "<caption>", "<answer>")
SMOOTHING, DROPOUT, RATE, EPOCHS = 0.1, 0.1, 1.5e-3, 12


def statements(question: str, answer: str) -> list[str]:
    """A question about a picture and its answer as the short text that they say together, where one can tell."""
    ask, said = question.lower().strip(" ?."), answer.lower().strip(" .")
    rules: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"where (?:is|are) (the .+)", lambda m: f"{m[1]} {said}"),
        (r"what colou?r (?:is|are) the (.+)", lambda m: f"{said} {m[1]}"),
        (r"what (?:is|are) (the .+?) doing", lambda m: f"{m[1]} {said}"),
        (r"who (?:is|are) (.+)", lambda m: f"{said} {m[1]}"),
        (r"what (?:is|are) ((?:on|in|behind|under|near|next to|above|beside) the .+)", lambda m: f"{said} {m[1]}"),
        (r"how many (.+?) (?:are|is) .*", lambda m: f"{said} {m[1]}"),
        (r"where was th(?:is|e) (?:photo|picture|image|photograph) taken", lambda m: said),
    )
    return [made(m) for rule, made in rules if (m := re.fullmatch(rule, ask))][:1]


class Corpus:
    """All training pictures with their captions as word numbers, and the things named."""

    def __init__(self, data: Path, folder: Path, sources: tuple[str, ...], mirrored: bool, log: Any) -> None:
        self.pictures: list[cd.Picture] = []
        self._grids: list[Array] = []
        self._mirrored: list[Array] = []
        for source in sources:
            listed, grids = cd.features(data, folder, source, log=log)
            turned = cd.features(data, folder, source, True, log=log)[1] if mirrored else grids
            kept = [i for i, p in enumerate(listed) if p.split == "train" and (p.captions or p.answers)]
            self.pictures += [listed[i] for i in kept]
            self._grids.append(np.asarray(grids[kept]))
            self._mirrored.append(np.asarray(turned[kept]))
        self.texts = [self._said(p) for p in self.pictures]
        counts = Counter(w for said in self.texts for text in said for w in text[1])
        self.words = [*SPECIAL, *sorted(w for w, n in counts.items() if n >= LEAST)]
        self.number = {word: index for index, word in enumerate(self.words)}
        self.grids, self.mirrored = np.concatenate(self._grids), np.concatenate(self._mirrored)
        self.labels = np.stack([self.labels_of(p) for p in self.pictures])

    @staticmethod
    def _said(picture: cd.Picture) -> list[tuple[int, list[str]]]:
        said = [(BEGIN, cd.words(text)) for text in picture.captions]
        said += [(ANSWER, cd.words(text)) for q, a in picture.answers for text in statements(q, a)]
        return said

    @staticmethod
    def labels_of(picture: cd.Picture) -> Array:
        """1 named, 0 not named, -1 unknown: what two of five people name is sure, what one names is likely."""
        named = Counter(name for text in picture.captions for name in things(cd.words(text)))
        named.update({name for q, a in picture.answers for name in things(cd.words(f"{q} {a}"))})
        out = np.zeros(len(NAMES), np.float32) if picture.captions else np.full(len(NAMES), -1.0, np.float32)
        for index, name in enumerate(NAMES):
            if named[name]:
                out[index] = 1.0 if named[name] > 1 or not picture.captions else 0.7
        return out

    def batch(self, seed: int, step: int, longest: int) -> tuple[torch.Tensor, ...]:
        """Grids [b, 49, 320], cells seen [b, 49], words [b * c, t + 1], labels [b, things]; fixed by seed and step."""
        rng = np.random.default_rng([seed, step])
        chosen = rng.integers(0, len(self.pictures), PICTURES)
        grids = np.stack([(self.mirrored if rng.random() < 0.5 else self.grids)[i] for i in chosen])
        words = np.zeros((PICTURES, CAPTIONS, longest + 1), np.int64)
        for row, i in enumerate(chosen):
            said = self.texts[i]
            for column, at in enumerate(rng.permutation(len(said))[:CAPTIONS]):
                begin, text = said[at]
                numbers = [begin, *(self.number.get(w, -1) for w in text), BEGIN][: longest + 1]
                words[row, column, : len(numbers)] = numbers
        seen = np.stack([_seen(rng) for _ in chosen])
        parts = (grids, seen, words.reshape(-1, longest + 1), self.labels[chosen])
        return tuple(torch.from_numpy(part).to(text_run.chosen_device()) for part in parts)


def _seen(rng: np.random.Generator) -> Array:
    """Cells that count: all of them, or all but a rectangle, as where a key region is left out."""
    seen = np.ones((7, 7), bool)
    if rng.random() < 0.35:
        height, width = rng.integers(2, 6, 2)
        top, left = rng.integers(0, 8 - height), rng.integers(0, 8 - width)
        seen[top : top + height, left : left + width] = False
    return seen.reshape(CELLS)


class Losses:
    """The losses of one step."""

    def __init__(self, net: CaptionerNet, corpus: Corpus, seed: int) -> None:
        self.net, self.corpus, self.seed = net, corpus, seed
        self.head = efficientnet.load(str(text_run.chosen_device()))

    def features(self, grids: torch.Tensor) -> torch.Tensor:
        """[b, 49, 320] -> [b, 49, 1280], by the frozen head."""
        with torch.no_grad():
            maps = grids.float().transpose(1, 2).unflatten(2, (7, 7))
            return self.head.head(maps).flatten(2).transpose(1, 2)

    def __call__(self, step: int) -> dict[str, torch.Tensor]:
        device = text_run.chosen_device().type
        grids, seen, words, labels = self.corpus.batch(self.seed, step, CUT)
        with torch.autocast(device, dtype=torch.bfloat16):
            features = self.features(grids)
            shown = words[:, : int((words != 0).sum(dim=1).max())]
            scores = self.net.decode(shown[:, :-1].clamp(min=0), self.net.encode(features, seen), seen)
            cells = self.net.cell_scores(features)
        wanted = shown[:, 1:].clone()
        wanted[wanted <= 0] = -100  # padding and words outside the list
        caption = F.cross_entropy(scores.float().flatten(0, 1), wanted.flatten(), label_smoothing=SMOOTHING)
        whole = CaptionerNet.whole_scores(cells.float(), torch.ones_like(seen))
        weight = torch.where(labels < 0, 0.05, 1.0)  # what was not asked for may still be there
        named = F.binary_cross_entropy_with_logits(whole, labels.clamp(min=0), weight, reduction="sum") / len(labels)
        return {"caption": caption, "things": 0.1 * named}


def threshold(run: text_run.TextRun, losses: Losses, data: Path, folder: Path) -> float:
    """The least log odds at which PRECISION of the things found in Flickr8k's development pictures are named by one
    of the five people.
    """
    listed, grids = cd.features(data, folder, "flickr8k")
    held = [i for i, p in enumerate(listed) if p.split == "dev"]
    net, scores = run.averaged(), []
    with torch.inference_mode():
        for start in range(0, len(held), PICTURES):
            part = torch.from_numpy(np.asarray(grids[held[start : start + PICTURES]])).to(text_run.chosen_device())
            cells = net.cell_scores(losses.features(part))
            seen = torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)
            scores.append(net.whole_scores(cells, seen).cpu().numpy())
    run.restored()
    named = np.stack([Corpus.labels_of(listed[i]) > 0 for i in held]).reshape(-1)
    found = np.concatenate(scores).reshape(-1)
    order = np.argsort(-found)
    right = np.cumsum(named[order]) / np.arange(1, len(order) + 1)
    good = np.nonzero(right >= PRECISION)[0]
    return float(found[order[good[-1]]]) if len(good) else float(found.max())


def familiar(losses: Losses, corpus: Corpus) -> list[int]:
    """Numbers of ImageNet's classes whose mean chance over the training pictures is above COMMON."""
    weight, bias = losses.head.classifier
    total = torch.zeros(len(bias), device=bias.device)
    with torch.inference_mode():
        for start in range(0, len(corpus.grids), PICTURES):
            grids = torch.from_numpy(corpus.grids[start : start + PICTURES]).to(bias.device)
            total += (losses.features(grids).mean(dim=1) @ weight.T + bias).softmax(dim=1).sum(dim=0)
    numbers: list[int] = torch.nonzero(total / len(corpus.grids) > COMMON).flatten().tolist()
    return numbers


def export(run: text_run.TextRun, shape: Shape, corpus: Corpus, least: float, known: list[int], out: Path) -> None:
    """Running average as 16-bit safetensors, and what its numbers mean."""
    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().cpu().contiguous() for k, v in run.average.items()}, out / "model.safetensors")
    facts = {
        "format": 1,
        "shape": vars(shape),
        "words": corpus.words,
        "things": list(NAMES),
        "thresholds": [round(least, 4)] * len(NAMES),
        "familiar": known,
    }
    (out / "captioner.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = text_run.arguments("captioner", __doc__ or "", "checkpoints/captioner", 60.0)
    parser.add_argument("--sources", default="flickr8k,coco", help="of flickr8k, coco, visual7w")
    parser.add_argument("--mirrored", action="store_true", help="mirrored pictures too (twice the time to cache)")
    return run_training(parser.parse_args(argv))


def run_training(args: argparse.Namespace) -> int:
    """One run with parsed arguments."""
    torch.manual_seed(args.seed)
    log = lambda facts: print(json.dumps(facts), flush=True)  # noqa: E731
    corpus = Corpus(args.data, args.out / "features", tuple(args.sources.split(",")), args.mirrored, log)
    shape = Shape(len(corpus.words), len(NAMES))
    net = CaptionerNet(shape, DROPOUT)
    run = text_run.TextRun(net, args, RATE)
    steps = args.steps or EPOCHS * len(corpus.pictures) // PICTURES
    run.log({"pictures": len(corpus.pictures), "words": len(corpus.words), "steps": steps, "things": len(NAMES),
             "parameters": sum(p.numel() for p in net.parameters())})  # fmt: skip
    losses = Losses(net, corpus, args.seed)
    run.train(steps, losses)
    least = threshold(run, losses, args.data, args.out / "features")
    run.log({"step": run.step, "threshold": round(least, 3)})
    export(run, shape, corpus, least, familiar(losses, corpus), args.out / "weights")
    return INTERRUPTED if run.stopped else 0


if __name__ == "__main__":
    raise SystemExit(main())

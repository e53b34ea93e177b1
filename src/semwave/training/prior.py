"""Train the language model of the prompt codec on training captions.

    semwave train prior --data DIR [--minutes 20] [--resume CKPT] [--out DIR] [--seed 1]

Text: Flickr8k's and COCO's training captions and Visual7W's training answers. The network is trained in floating point
and brought to whole numbers at the end (see semwave.models.text.language); OUT/weights holds the result.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from semwave.models.text import language, tokens
from semwave.training import captioner_data as cd
from semwave.training import text_run
from semwave.training.captioner import statements
from semwave.training.options import INTERRUPTED

Array = NDArray[Any]
BATCH, LONGEST, LEAST, EPOCHS = 96, 40, 3, 8
EMBEDDING, HIDDEN, DROPOUT, RATE = 128, 256, 0.25, 4e-3


def tidy(text: str) -> str:
    """A caption as people write it: no space before a mark, none around."""
    return re.sub(r"\s+([.,!?;:'])", r"\1", " ".join(text.split()))


def plain(text: str) -> str:
    """Without the full stop at the end and the capital at the beginning, which the codec tells apart."""
    text = text[:-1] if text.endswith(".") else text
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def texts(data: Path, split: str) -> dict[str, list[str]]:
    """Texts of a split by source."""
    out: dict[str, list[str]] = {}
    for source in ("flickr8k", "coco", "visual7w"):
        kept = [p for p in cd.pictures(data, source) if p.split == split]
        said = [tidy(text) for p in kept for text in p.captions]
        said += [text for p in kept for q, a in p.answers for text in statements(q, a)]
        out[source] = [text for text in said if text]
    return out


class GruModel(nn.Module):  # type: ignore[misc]
    """Gated recurrent network with one embedding for what goes in and what comes out."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, EMBEDDING)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.gru = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
        self.project = nn.Linear(HIDDEN, EMBEDDING, bias=False)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, numbers: Tensor) -> Tensor:
        """Log odds [b, t, size] of what follows each of ``numbers`` [b, t]."""
        x = F.dropout(self.embedding(numbers), DROPOUT, self.training)
        states, _ = self.gru(x)
        seen = self.project(F.dropout(states, DROPOUT, self.training))
        return F.linear(seen, self.embedding.weight, self.bias)


class Text:
    """Training texts as token numbers."""

    def __init__(self, data: Path) -> None:
        said = texts(data, "train")
        self.texts = [plain(text) for source in said.values() for text in source]
        counts = Counter(p.spelt for text in self.texts for p in tokens.pieces(text, {}) if p.spelt)
        self.words = sorted(w for w, n in counts.items() if n >= LEAST and (len(w) > 1 or w.isalnum()))
        self.numbers = {word: number for number, word in enumerate(self.words, tokens.FIRST_WORD)}
        self.rows = [self.row(text) for text in self.texts]
        self.letters = _letters([w for w in counts if w not in self.numbers], self.words)

    def row(self, text: str) -> list[int]:
        """Tokens of a text with the end before and behind it."""
        return [tokens.END, *(p.token for p in tokens.pieces(text, self.numbers)), tokens.END][: LONGEST + 1]

    def batch(self, seed: int, step: int) -> Tensor:
        """Rows [b, t + 1] of like length, padded with -1; fixed by seed and step."""
        rng = np.random.default_rng([seed, step])
        order = sorted(rng.integers(0, len(self.rows), 8 * BATCH), key=lambda i: len(self.rows[i]))
        start = int(rng.integers(8)) * BATCH
        return padded([self.rows[i] for i in order[start : start + BATCH]])


def padded(rows: list[list[int]]) -> Tensor:
    """Rows of numbers as one array, -1 behind the shorter ones."""
    out = np.full((len(rows), max(map(len, rows))), -1, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return torch.from_numpy(out).to(text_run.chosen_device())


def _letters(rare: list[str], known: list[str]) -> Array:
    """Frequencies [28, 28] of a letter after another: 0 begins and ends, 27 is any other character."""
    counts = np.full((28, 28), 0.3)
    for weight, words in ((3.0, rare), (1.0, known)):
        for word in words:
            codes = [0, *(ord(c) - 96 if "a" <= c <= "z" else 27 for c in word), 0]
            np.add.at(counts, (codes[:-1], codes[1:]), weight)
    out: Array = 4096.0 * counts / counts.sum(axis=1, keepdims=True)
    return out


def loss_of(model: nn.Module, rows: Tensor) -> Tensor:
    """Mean cross-entropy of the tokens, in nats."""
    scores = model(rows[:, :-1].clamp(min=0)).float()
    return F.cross_entropy(scores.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=-1)


def bits_a_text(model: nn.Module, text: Text, said: list[str]) -> float:
    """Mean bits of the tokens of texts, spelling not counted."""
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(said), BATCH):
            rows = padded([text.row(plain(t)) for t in said[start : start + BATCH]])
            total += float(loss_of(model, rows)) * int((rows[:, 1:] >= 0).sum()) / np.log(2.0)
    return total / len(said)


def floats(run: text_run.TextRun, letters: Array) -> dict[str, Array]:
    """The running average under the names of language.quantised."""
    a = {k: v.cpu().numpy().astype(np.float64) for k, v in run.average.items()}
    return {
        "embedding": a["embedding.weight"], "input": a["gru.weight_ih_l0"], "hidden": a["gru.weight_hh_l0"],
        "project": a["project.weight"], "input_bias": a["gru.bias_ih_l0"], "hidden_bias": a["gru.bias_hh_l0"],
        "score_bias": a["bias"], "letters": letters,
    }  # fmt: skip


def export(run: text_run.TextRun, text: Text, out: Path) -> None:
    """Whole-number weights and the list of words."""
    out.mkdir(parents=True, exist_ok=True)
    save_file(language.quantised(floats(run, text.letters)), out / "model.safetensors")
    facts = {"format": 1, "words": text.words}
    (out / "prompt-lm.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n", encoding="utf-8")


def run_training(args: argparse.Namespace) -> int:
    """One run with parsed arguments."""
    torch.manual_seed(args.seed)
    text = Text(args.data)
    held = texts(args.data, "dev")["flickr8k"][:1000]
    model = GruModel(tokens.FIRST_WORD + len(text.words))
    run = text_run.TextRun(model, args, RATE)
    steps = args.steps or EPOCHS * len(text.rows) // BATCH
    run.log({"texts": len(text.rows), "words": len(text.words), "steps": steps,
             "parameters": sum(p.numel() for p in model.parameters())})  # fmt: skip

    def step_loss(step: int) -> dict[str, Tensor]:
        with torch.autocast(text_run.chosen_device().type, dtype=torch.bfloat16):
            return {"nats": loss_of(model, text.batch(args.seed, step))}

    def test() -> dict[str, Any]:
        bits = bits_a_text(run.averaged(), text, held)
        run.restored()
        return {"bits": round(bits, 2)}

    run.train(steps, step_loss, test=test)
    export(run, text, args.out / "weights")
    return INTERRUPTED if run.stopped else 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_training(text_run.arguments("prior", __doc__ or "", "checkpoints/prompt-lm", 20.0).parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())

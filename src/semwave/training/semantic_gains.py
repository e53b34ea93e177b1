"""Train what the sender does, through the channel: corrections of the analogue gains, jointly with the network.

    python -m semwave.training.semantic_gains --data DIR --resume CKPT [--minutes 10] [--joint]

The gains of `semwave.models.jscc.allocation` are the best for linear estimates. Behind them is a network, which tells
some coefficients from their neighbours; the power spent on those may be worth more elsewhere. So the logarithm of each
gain gets a sum of three tables, by level and SNR, by place in the block and by class, all of them known at both ends.
The gradient runs from the refined picture back through network, inverse transform, estimate and channel (AWGN,
Rayleigh, TDL with estimated CSI) to the tables, under the constraint of power. The order of the symbols stays.
"""

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semwave.models.jscc import base, blocks, codebook, entropy, hybrid, pricing, refine, transform
from semwave.training import channels, options, semantic
from semwave.training import semantic_data as sd
from semwave.training.semantic_loss import LIKELIHOOD

Array = NDArray[Any]

LEVELS, SNRS = 24, 5  # of the first table: half octaves below the strongest symbol, and 3 dB each from 0 dB on
MOST = 1.0  # of a correction: a neper
HELD = 32


class Corrections(torch.nn.Module):  # type: ignore[misc]
    """Tables of log-gains, zero at first."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.level = torch.nn.Parameter(torch.zeros(SNRS, LEVELS))
        self.place = torch.nn.Parameter(torch.zeros(blocks.LENGTH))
        self.kind = torch.nn.Parameter(torch.zeros(classes))

    def forward(self, sent: dict[str, Any]) -> Any:
        """Of every symbol of a picture that `prepare` made: [n]."""
        row = min(max(round(float(sent["snr_db"]) / 3), 0), SNRS - 1)
        index, level = sent["index"], sent["level"]
        below = ((level.max() - level) // 2).clamp(0, LEVELS - 1)
        total = self.level[row][below] + self.place[index % blocks.LENGTH]
        return (total + self.kind[sent["classes"][index // blocks.LENGTH]]).clamp(-MOST, MOST)


def prepare(book: codebook.Codebook, pictures: sd.Pictures, rng: np.random.Generator) -> dict[str, Any]:
    """A crop as `hybrid.encode` leaves it, before power and channel: tensors."""
    truth = sd.crop(pictures[int(rng.integers(len(pictures)))], rng)
    cover = blocks.cover((sd.SIDE, sd.SIDE), None)
    snr_db, ratio = float(rng.uniform(-1, 14)), np.exp(rng.uniform(np.log(1 / 64), np.log(1 / 6)))
    job = hybrid.Job(int(cover.size * blocks.LENGTH * ratio), snr_db, pricing.bits_per_symbol(snr_db), whole=True)
    cosines = (transform.forward(truth.astype(np.float32) / 255) - transform.MEAN)[cover][:, book.order]
    classes, prices = hybrid.decide(book, cosines, job, snr_db)
    turned = book.turn(cosines, classes)
    made = hybrid.quantise(book, turned, classes, prices.floor)
    writer = entropy.Writer()
    base.write(writer, book, cover, made)
    count = max(job.symbols - int(np.ceil(8 * (len(writer.bytes()) + 3) / job.efficiency)), 1)
    means, levels = base.expectation(book, made)
    index, gain = hybrid.plan(levels, 2 * count, snr_db)
    arrays = {
        "truth": truth.copy(), "classes": classes.astype(np.int64), "means": means, "spread": codebook.variance(levels),
        "index": index.astype(np.int64), "level": levels.reshape(-1)[index].astype(np.int64), "gain": gain,
        "values": (turned - means).reshape(-1)[index],
    }  # fmt: skip
    found: dict[str, Any] = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}
    found |= {k: found[k].float() for k in ("spread", "gain", "values")}
    return found | {"snr_db": snr_db, "count": count, "channel": str(rng.choice(channels.NAMES, p=(0.7, 0.15, 0.15)))}


def send(sent: dict[str, Any], log: Any, generator: torch.Generator) -> tuple[Any, Any]:
    """Posterior means and variances [blocks * 768] of a picture's coefficients after a channel; ``log`` [n] or None."""
    gain = sent["gain"] if log is None else sent["gain"] * log.exp()
    values, count = gain * sent["values"], 2 * sent["count"]
    scale = (0.5 * count / values.square().sum().clamp_min(1e-9)).sqrt()
    reals = torch.nn.functional.pad(values * scale, (0, count - values.numel()))
    symbols = torch.view_as_complex(reals.view(-1, 2))
    received, noise = channels.pass_through(sent["channel"], symbols, sent["snr_db"], generator)
    got = torch.view_as_real(received).reshape(-1)[: values.numel()]
    half = (noise / 2).repeat_interleave(2)[: values.numel()]
    slope, before = gain * scale, sent["spread"].reshape(-1)[sent["index"]]
    weight = slope * before / (slope.square() * before + half)
    means = sent["means"].reshape(-1).index_add(0, sent["index"], weight * got)
    return means, sent["spread"].reshape(-1).index_add(0, sent["index"], -before * weight * slope)


class Picture:
    """From coefficients to pixels, differentiable: the inverse of bases and cosine transform."""

    def __init__(self, book: codebook.Codebook) -> None:
        self._bases, self._low = torch.from_numpy(book.bases), book.low
        self._back = torch.from_numpy(np.argsort(book.order.astype(np.int64)))
        self._cosine, self._colour = torch.from_numpy(transform.COSINE), torch.from_numpy(transform.COLOUR)
        self._mean = torch.from_numpy(transform.MEAN)

    def __call__(self, coefficients: Any, classes: Any, squared: bool = False) -> Any:
        """[blocks * 768] -> [1, 3, S, S]; ``squared`` for variances."""
        bases, cosine, colour = (x.square() if squared else x for x in (self._bases, self._cosine, self._colour))
        rows = coefficients.view(len(classes), blocks.LENGTH)
        low = torch.einsum("nj,nij->ni", rows[:, self._low], bases[classes])
        rows = torch.cat([rows[:, : self._low.start], low, rows[:, self._low.stop :]], 1)[:, self._back]
        rows = rows if squared else rows + self._mean
        n = sd.SIDE // blocks.SIDE
        split = cosine.T @ rows.view(n, n, 3, blocks.SIDE, blocks.SIDE) @ cosine
        joined = split.permute(2, 0, 3, 1, 4).reshape(3, sd.SIDE, sd.SIDE)
        return torch.einsum("chw,cd->dhw", joined, colour)[None]


def errors(net: Any, picture: Picture, sent: dict[str, Any], log: Any, seed: int) -> tuple[Any, Any, Any]:
    """Mean squared error of the refined and of the linear picture, and the error's negative log-likelihood."""
    means, spread = send(sent, log, torch.Generator().manual_seed(seed))
    estimate = picture(means, sent["classes"]).clamp(-0.2, 1.2)
    sigma = picture(spread, sent["classes"], squared=True).mean(1, keepdim=True).clamp_min(1e-8).sqrt()
    truth = sent["truth"].permute(2, 0, 1)[None].float() / 255
    with torch.autocast("cpu", torch.bfloat16):
        out, spoken = refine.forward(net, estimate, sigma)
    squared = (out.float() - truth).square()
    likely = 0.5 * squared.mean(1, keepdim=True).detach() / (2 * spoken.float()).exp().clamp_min(1e-6) + spoken.float()
    return squared.mean(), (estimate - truth).square().mean(), likely.mean()


def judge(net: Any, picture: Picture, held: list[dict[str, Any]], tables: Corrections | None) -> tuple[float, float]:
    """PSNR in dB of refined and linear pictures, mean over held-out ones, the same noise every time."""
    found = []
    with torch.inference_mode():
        for seed, sent in enumerate(held):
            log = None if tables is None else tables(sent)
            found.append([-10 * float(torch.log10(e)) for e in errors(net, picture, sent, log, seed)[:2]])
    refined, linear = np.mean(found, axis=0)
    return float(refined), float(linear)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=options.photographs, required=True)
    parser.add_argument("--resume", type=options.folder, required=True, help="checkpoint of the network")
    parser.add_argument("--minutes", type=options.minutes, default=10.0)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--joint", action="store_true", help="the network learns, too")
    parser.add_argument("--without", action="store_true", help="with --joint: the network alone, for comparison")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    book = codebook.load(semantic.BOOK)
    kept, held = sd.Pictures(args.data), sd.Pictures(args.data, development=True)
    tests = [prepare(book, held, np.random.default_rng((args.seed, n, 1))) for n in range(HELD)]
    examples = [prepare(book, kept, np.random.default_rng((args.seed, n, 0))) for n in range(args.examples)]
    run = semantic.Run(args.seed, torch.device("cpu"))
    run.restore(args.resume)
    run.net.load_state_dict(run.average)
    tables, picture = Corrections(book.classes), Picture(book)
    optimiser = torch.optim.Adam([{"params": tables.parameters(), "lr": 5e-3}])
    if args.joint:
        optimiser.add_param_group({"params": run.net.parameters(), "lr": 5e-5})
    begun, step = time.monotonic(), 0

    def report() -> None:
        refined, linear = judge(run.net, picture, tests, None if args.without else tables)
        print(json.dumps({"step": step, "psnr_db": round(refined, 4), "linear_psnr_db": round(linear, 4)}), flush=True)

    report()
    while time.monotonic() < begun + 60 * args.minutes:
        loss: Any = 0.0
        for k in np.random.default_rng((args.seed, step, 2)).integers(0, len(examples), args.batch):
            sent = examples[k]
            log = None if args.without else tables(sent)
            error, before, unlikely = errors(run.net, picture, sent, log, HELD + step * args.batch)
            loss = loss + (error / (before.detach() + 2e-5) + LIKELIHOOD * unlikely) / args.batch
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 50 == 0:
            report()
    report()
    print(
        json.dumps({k: np.round(v.detach().numpy(), 3).tolist() for k, v in tables.named_parameters() if k != "place"})
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""How good pictures are after the semantic encoder, a channel and the decoder, symbol for symbol.

    python benchmarks/semantic_awgn.py [--data DIR] [--weights default] [--part PART ...] [--pictures N] [--quick]
        [--curve PNG]

Pictures: those of recordings/images and, with ``--data``, BSDS500 test and the native-size COCO development pictures;
nothing was trained on any of them. CBR counts everything: symbols and side information, the latter at rates that the
modem's LDPC reaches, 0.87 bits a symbol at 1 dB, 2.73 at 10 dB (``semwave.models.jscc.bits_per_symbol``). Parts:

* grid: mean PSNR at five SNRs and five rates; peer: the linear scheme (cosine transform, variances per picture) with
  its side information for free. ``not_rising`` counts the neighbours in the grid where PSNR does not rise.
* parts: at CBR 1/16, what the class codebook alone gives; peer: with the network
* qam: at 10 dB on the points of a QAM; peer: free symbols. digital: bytes only; peer: free symbols
* blind: the encoder is not told the SNR; peer: told
* rayleigh: every symbol fades on its own, CSI estimated from a pilot 6 dB stronger; peer: known CSI
* lpips: LPIPS and DISTS at CBR 1/16 (need the metrics' weights); peer: the linear scheme
* calibration: root mean square error over the error expected, by expected error; writes ``--curve``
* seconds: 512x768, encoding and decoding; ``all_cores`` is processor time, for a machine that is busy otherwise
"""

import argparse
import io
import itertools
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _report import best_seconds, emit
from PIL import Image

from semwave.models.jscc import Jscc, bits_per_symbol

ROOT = Path(__file__).resolve().parents[1]
SNRS_DB = (1, 4, 7, 10, 13)
RATES = (48, 24, 16, 12, 8)  # CBR is one over this
SETS = {"bsds": ("research/bsds500_test40.zip", 1), "coco": ("clean/coco_cc.zip", 20)}


def pictures(data: Path | None, quick: bool, most: int) -> dict[str, list[Any]]:
    """Float pictures by set."""
    shipped = sorted((ROOT / "recordings/images").glob("*.jpg"))
    out = {"shipped": [_image(p) for p in shipped[: min(2, most) if quick else most]]}
    for name, (archive, every) in SETS.items() if data else ():
        with zipfile.ZipFile(data / archive) as file:  # type: ignore[operator]
            names = sorted(n for n in file.namelist() if n.endswith(".jpg") and "panoptic" not in n)[::every]
            out[name] = [_image(io.BytesIO(file.read(n))) for n in names[:: 10 if quick else 1][:most]]
    return out


def _image(source: Any) -> Any:
    with Image.open(source) as picture:
        rgb = picture.convert("RGB")
        if max(rgb.size) > 800:
            rgb.thumbnail((768, 768))
        return np.asarray(rgb, np.float32) / 255


def psnr(x: Any, y: Any) -> float:
    return float(-10 * np.log10(np.mean(np.square(np.round(x * 255) / 255 - y))))


def awgn(symbols: Any, snr_db: float, rng: np.random.Generator) -> tuple[Any, Any]:
    n0 = 10 ** (-snr_db / 10)
    return (symbols + np.sqrt(n0) * _normal(symbols.size, rng)), np.full(symbols.size, n0, np.float32)


def rayleigh(symbols: Any, snr_db: float, rng: np.random.Generator, known: bool) -> tuple[Any, Any]:
    """Every symbol with a gain of its own; zero forcing with the estimate."""
    n0 = 10 ** (-snr_db / 10)
    error = 0.0 if known else n0 / 4
    gain = _normal(symbols.size, rng)
    guess = gain + np.sqrt(error) * _normal(symbols.size, rng)
    power = np.maximum(np.square(np.abs(guess)), 1e-4)
    received = gain * symbols + np.sqrt(n0) * _normal(symbols.size, rng)
    return (received * guess.conj() / power).astype(np.complex64), ((n0 + error) / power).astype(np.float32)


def _normal(count: int, rng: np.random.Generator) -> Any:
    return rng.standard_normal((count, 2), np.float32).view(np.complex64)[:, 0] / np.float32(np.sqrt(2))


def through(
    codec: Jscc,
    x: Any,
    snr_db: float,
    rate: int,
    *,
    linear: bool = False,
    told: bool = True,
    order: int | None = None,
    channel: Callable[..., Any] = awgn,
    refined: bool = True,
) -> Any:
    """Send one picture; the same noise for every codec."""
    symbols, size = x.size // rate, x.shape[:2]
    efficiency = None if linear else bits_per_symbol(snr_db)
    sent = codec.encode(x, None, symbols, snr_db if told else None, constellation=order, side_efficiency=efficiency)
    received, noise_var = channel(sent.symbols, snr_db, np.random.default_rng(1))
    return codec.decode(sent.side, received, noise_var, size, None, constellation=order, refined=refined)


def grid(codec: Jscc, plain: Jscc, found: dict[str, list[Any]], quick: bool) -> None:
    snrs, rates = ((1, 10), (24, 8)) if quick else (SNRS_DB, RATES)
    for name, images in found.items():
        table = np.zeros((len(snrs), len(rates)))
        for i, snr_db in enumerate(snrs):
            for j, rate in enumerate(rates):
                table[i, j] = np.mean([psnr(through(codec, x, snr_db, rate).image, x) for x in images])
                peer = np.mean([psnr(through(plain, x, snr_db, rate, linear=True).image, x) for x in images])
                emit("semantic_awgn", f"{name}_{snr_db}dB_1/{rate}", table[i, j], "dB", "linear", float(peer))
        falls = (np.diff(table, axis=0) <= 0).sum() + (np.diff(table, axis=1) <= 0).sum()
        emit("semantic_awgn", f"{name}_not_rising", float(falls), "neighbours")


def variants(codec: Jscc, found: dict[str, list[Any]], part: str) -> None:
    for name, images in found.items():
        for case, snr_db, options in _cases(part):
            base = [psnr(through(codec, x, snr_db, 16, **_peer(options)).image, x) for x in images]
            if part == "digital":
                size = [int(x.size // 16 * bits_per_symbol(snr_db) / 8) for x in images]
                data = [codec.encode_digital(x, None, n) for x, n in zip(images, size, strict=True)]
                ours = [
                    psnr(codec.decode_digital(d, x.shape[:2], None).image, x) for d, x in zip(data, images, strict=True)
                ]
            else:
                ours = [psnr(through(codec, x, snr_db, 16, **options).image, x) for x in images]
            peer = {"parts": "with network", "rayleigh": "known CSI", "blind": "told"}.get(part, "free symbols")
            emit("semantic_awgn", f"{name}_{case}", float(np.mean(ours)), "dB", peer, float(np.mean(base)))


def _cases(part: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    if part == "qam":
        for order in (16, 64, 256):
            yield f"qam{order}_10dB", 10, {"order": order}
    elif part == "rayleigh":
        for snr_db in SNRS_DB:
            yield f"rayleigh_{snr_db}dB", snr_db, {"channel": lambda s, d, r: rayleigh(s, d, r, known=False)}
    else:
        options = {"parts": {"refined": False}, "blind": {"told": False}, "digital": {}}[part]
        for snr_db in (1, 10) if part == "digital" else SNRS_DB:
            yield f"{part}_{snr_db}dB", snr_db, options


def _peer(options: dict[str, Any]) -> dict[str, Any]:
    known = {"channel": lambda s, d, r: rayleigh(s, d, r, known=True)}
    return known if "channel" in options else {}


def perceived(codec: Jscc, plain: Jscc, found: dict[str, list[Any]]) -> None:
    import torch

    from semwave.bench.metrics import dists, lpips

    def distance(measure: Any, image: Any, x: Any) -> float:
        a, b = (torch.from_numpy(np.ascontiguousarray(i)).permute(2, 0, 1)[None] for i in (image, x))
        with torch.inference_mode():
            return float(measure(a, b)[0])

    for name, images in found.items():
        for snr_db in (1, 10):
            ours = [through(codec, x, snr_db, 16).image for x in images]
            peers = [through(plain, x, snr_db, 16, linear=True).image for x in images]
            for measure in (lpips, dists):
                value, peer = (
                    float(np.mean([distance(measure, y, x) for y, x in zip(made, images, strict=True)]))
                    for made in (ours, peers)
                )
                emit("semantic_awgn", f"{name}_{measure.__name__}_{snr_db}dB", value, "", "linear", peer)


def calibration(codec: Jscc, found: dict[str, list[Any]], curve: Path | None) -> None:
    expected, squared = [], []
    for image in [x for images in found.values() for x in images[:8]]:
        for snr_db, rate in ((1, 16), (10, 16), (4, 24), (13, 8)):
            got = through(codec, image, snr_db, rate)
            expected.append(got.sigma.ravel()[::7])
            squared.append(np.square(got.image - image).mean(2).ravel()[::7])
    sigma, error = np.concatenate(expected), np.concatenate(squared)
    edges = np.quantile(sigma, np.linspace(0, 1, 13))
    points = []
    for low, high in itertools.pairwise(edges):
        inside = (sigma >= low) & (sigma <= high)
        points.append((np.sqrt(np.square(sigma[inside]).mean()), np.sqrt(error[inside].mean())))
        emit("semantic_awgn", f"sigma_{points[-1][0]:.4f}", points[-1][1], "rms error", "expected", points[-1][0])
    if curve:
        _draw(points, curve)


def _draw(points: list[tuple[Any, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 4.5))
    x, y = zip(*points, strict=True)
    axes.loglog(x, y, "o-", label="measured")
    axes.loglog(x, x, "k--", lw=1, label="as expected")
    axes.set(xlabel="standard error expected per pixel", ylabel="root mean square error measured")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")


def seconds(codec: Jscc) -> None:
    import torch

    torch.set_num_threads(2)
    with Image.open(ROOT / "recordings/images/china.jpg") as picture:
        x = np.asarray(picture.convert("RGB").resize((768, 512)), np.float32) / 255
    efficiency = bits_per_symbol(10)
    sent = codec.encode(x, None, x.size // 16, 10, side_efficiency=efficiency)
    received, noise_var = awgn(sent.symbols, 10, np.random.default_rng(1))
    for case, work in (
        ("encode", lambda: codec.encode(x, None, x.size // 16, 10, side_efficiency=efficiency)),
        ("decode", lambda: codec.decode(sent.side, received, noise_var, (512, 768), None)),
        (
            "decode_without_network",
            lambda: codec.decode(sent.side, received, noise_var, (512, 768), None, refined=False),
        ),
    ):
        emit("semantic_awgn", f"{case}_512x768", best_seconds(work), "s")
        before = time.process_time()
        work()
        emit("semantic_awgn", f"{case}_512x768_all_cores", time.process_time() - before, "s")


PARTS = ("grid", "parts", "qam", "digital", "blind", "rayleigh", "lpips", "calibration", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with clean/ and research/")
    parser.add_argument("--weights", default="default", help="name or folder, as Jscc.load takes it")
    parser.add_argument("--part", nargs="+", choices=PARTS, help="only these")
    parser.add_argument("--pictures", type=int, default=1000, metavar="N", help="at most so many of each set")
    parser.add_argument("--curve", type=Path, help="where the calibration curve goes (PNG)")
    parser.add_argument("--quick", action="store_true", help="few pictures, a 2x2 grid")
    args = parser.parse_args()
    codec, plain = Jscc.load(args.weights), Jscc.load("linear")
    found = pictures(args.data, args.quick, args.pictures)
    for part in args.part or PARTS:
        if part == "grid":
            grid(codec, plain, found, args.quick)
        elif part == "lpips":
            try:
                perceived(codec, plain, found)
            except (OSError, ValueError) as error:
                print(f"lpips left out: {error}", file=sys.stderr)
        elif part == "calibration":
            calibration(codec, found, args.curve)
        elif part == "seconds":
            seconds(codec)
        else:
            variants(codec, found, part)


if __name__ == "__main__":
    main()

"""What the metrics cost, and how far they are from the published calibration table.

    python benchmarks/metrics.py [--data DIR] [--quick]

* processor seconds of one 512 x 768 picture on one thread, float32, the best of some calls, for each metric (not wall
  time, so that a busy machine does not count); the peer of SSIM is scikit-image, on luma
* lpips/train: forward and backward of a batch of eight 128 x 128 crops, as a training loss
* hallucination: both pictures looked at
* table/NAME: largest difference to the official figures over the five pairs (needs --data, the folder with
  research/iqa_calibration.zip); unit "last digits": 0.5 and below means equal to every digit that is given

DISTS is left out where its weights were not fetched (semwave models fetch metrics).
"""

import argparse
import csv
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit
from PIL import Image

HERE = Path(__file__).resolve().parents[1]
NAMES = ("psnr", "ssim", "ms_ssim", "vsi", "lpips", "dists")
PAIRS = ("I03", "I04", "I06", "I08", "I19")


def peer_ssim(ref: Any, test: Any) -> Callable[[], object] | None:
    """scikit-image's SSIM with the same window, where it is installed."""
    try:
        from skimage.metrics import structural_similarity
    except ImportError:
        return None
    a, b = (p @ np.array([0.299, 0.587, 0.114]) for p in (ref.astype(np.float32), test.astype(np.float32)))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255.0}
    return lambda: structural_similarity(a, b, **options)


def best_seconds(work: Callable[[], object], at_least_s: float) -> float:
    """Least processor time of the calls that fit in ``at_least_s``, after one to warm up."""
    work()
    best, spent = float("inf"), 0.0
    while best == float("inf") or spent < at_least_s:
        start = time.process_time()
        work()
        took = time.process_time() - start
        best, spent = min(best, took), spent + took
    return best


def speed(names: list[str], at_least_s: float) -> None:
    """Seconds a picture."""
    import torch

    from semwave.bench import metrics

    photo = Image.open(HERE / "recordings/images/coffee.jpg").convert("RGB").resize((768, 512))
    ref = np.asarray(photo)
    test = np.clip(ref + np.random.default_rng(1).normal(0, 8, ref.shape), 0, 255).astype(np.uint8)
    x, y = (torch.from_numpy(p.copy()).permute(2, 0, 1)[None].float() / 255 for p in (ref, test))
    for name in names:
        metric = getattr(metrics, name)
        ours = best_seconds(lambda metric=metric: metric(x, y), at_least_s)
        other = peer_ssim(ref, test) if name == "ssim" else None
        peer = best_seconds(other, at_least_s) if other else None
        emit("metrics", f"{name}/512x768", ours, "s", "scikit-image" if other else None, peer)
    emit("metrics", "hallucination/512x768", best_seconds(lambda: metrics.hallucination(ref, test), at_least_s), "s")
    crops = torch.rand(8, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    rebuilt = (crops + 0.05).requires_grad_()
    train = best_seconds(lambda: torch.autograd.grad(metrics.lpips(crops, rebuilt).sum(), rebuilt), at_least_s)
    emit("metrics", "lpips/train 8x128x128", train, "s")


def agreement(archive: Path, names: list[str]) -> None:
    """Differences to the published table."""
    from semwave.bench import metrics

    with zipfile.ZipFile(archive) as kept:
        rows = list(csv.reader(kept.read("iqa_calibration/results_official.csv").decode().splitlines()))
        table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}
        pairs = {n: [_read(kept, folder, n) for folder in ("ref_dir", "dist_dir")] for n in PAIRS}
    for name in names:
        worst, most = 0.0, 0.0
        for pair, pictures in pairs.items():
            printed = table[name][f"{pair}.bmp"]
            off = abs(getattr(metrics, name)(*pictures) - float(printed))
            worst, most = max(worst, off), max(most, off * 10 ** len(printed.partition(".")[2]))
        emit("metrics", f"table/{name} max abs difference", worst, "dB" if name == "psnr" else "1")
        emit("metrics", f"table/{name} in last digits", most, "last digits")


def _read(kept: zipfile.ZipFile, folder: str, name: str) -> Any:
    data = kept.read(f"iqa_calibration/{folder}/{name}.png")
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def main() -> None:
    """Run what can run."""
    import torch

    from semwave.bench.weights import missing

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the data folder (research/iqa_calibration.zip in it)")
    parser.add_argument("--quick", action="store_true", help="one timing each")
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = [name for name in NAMES if name != "dists" or missing() is None]
    speed(names, 0.0 if args.quick else 1.0)
    if args.data is not None:
        agreement(args.data / "research" / "iqa_calibration.zip", names)


if __name__ == "__main__":
    main()

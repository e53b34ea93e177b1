"""The digital baseline: LDPC and QAM beside capacity, and pictures by codec, LDPC and QAM over AWGN.

``python benchmarks/digital.py [--quick] [--part rates pictures] [--data DIR] [--codecs hevc ...] [--snr 8 10 13]
[--ways genie ...]``

``rates``: for each MCS the SNR at which a tenth of the layers of a picture of 512x768 at CBR 1/16 is lost, beside the
SNRs at which the capacities are the same efficiency. ``pictures``: the mean PSNR of photographs at 1/16 channel use a
sample (payload), by codec and SNR: at the highest MCS that gets through (``genie``) and at the one that the mean SNR
asks for (``adaptive``), beside the codec at Shannon's and at the QAM's capacity, at this SNR and 1.5 dB below it.
``DIR`` holds photographs, any size; default: those in ``recordings/images``.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit

from semwave.bench.air import Air, Channel
from semwave.bench.metrics import psnr
from semwave.bench.schemes import Picture
from semwave.bench.schemes.adaptive import (
    TABLE,
    CodecCapacity,
    ConventionalAdaptive,
    ConventionalGenie,
    capacity_snr_db,
    threshold_db,
)
from semwave.models.pictures import list_pictures, load_picture
from semwave.modulation import capacity, scene

HERE = Path(__file__).resolve().parent.parent
SYMBOLS = 3 * 512 * 768 // 16
ALLOWED_DB = 1.5
WAYS = ("genie", "adaptive", "shannon", "bicm", "shannon less", "bicm less")
PUBLISHED = {8.0: 31.97, 10.0: 33.3, 13.0: 35.5}  # dB PSNR; Kodak, CBR 1/16, AWGN, real operating points


def bicm_snr_db(efficiency: float, order: int) -> float:
    """SNR where the QAM's capacity is ``efficiency``, to a hundredth of a dB."""
    grid = capacity_snr_db(efficiency, order) + np.arange(0.0, 0.5, 0.01)
    return float(grid[int(np.searchsorted(capacity.bicm(order, grid), efficiency))])


def rates(quick: bool) -> None:
    """Two lines an MCS."""
    for row in TABLE[:: 6 if quick else 1]:
        size = 1000 if quick else scene.capacity(SYMBOLS, row.index)
        found = threshold_db(row, frames=10 if quick else 40, size=size, step_db=0.25 if quick else 0.05)
        efficiency = row.spectral_efficiency
        shannon = 10 * np.log10(2**efficiency - 1)
        case = f"MCS {row.index}, {row.order} points, rate {row.code_rate:.3f}: 10 % of layers lost at {found:.2f} dB"
        emit("digital", f"{case}, over BICM capacity", found - bicm_snr_db(efficiency, row.order), "dB")
        emit("digital", f"{case}, over Shannon", found - shannon, "dB")


def pictures(files: list[Path], codecs: list[str], snrs: list[float], ways: list[str]) -> None:
    """Some lines a codec and SNR, each with the codec at a capacity, or the published point, as the peer."""
    for codec in codecs:
        for snr_db in snrs:
            found = [_one(Picture(load_picture(f), f.name, f.name), codec, snr_db, ways) for f in files]
            means = {name: float(np.mean([f[name] for f in found])) for name in found[0]}
            peers = {f"{codec} at {name} capacity": means[name] for name in ("shannon", "bicm") if name in means}
            peers |= {f"{codec} at {name[:-5]} capacity, {ALLOWED_DB} dB less": means[name] for name in
                      ("shannon less", "bicm less") if name in means}  # fmt: skip
            if snr_db in PUBLISHED:
                peers["BPG + LDPC + QAM as published, Kodak"] = PUBLISHED[snr_db]
            case = f"{codec}, CBR 1/16, AWGN {snr_db:g} dB, {len(files)} pictures"
            for scheme in (name for name in ("genie", "adaptive") if name in means):
                for peer, value in peers.items():
                    emit("digital", f"{case}, {scheme}", means[scheme], "dB PSNR", peer, value)
                if not peers:
                    emit("digital", f"{case}, {scheme}", means[scheme], "dB PSNR")


def _one(picture: Picture, codec: str, snr_db: float, names: list[str]) -> dict[str, float]:
    """PSNR of one picture by the schemes that are asked for."""
    air = Air(Channel("awgn", snr_db, modem="symbols"), seed=5)
    less = air.at(snr_db=snr_db - ALLOWED_DB)
    known: dict[str, tuple[Any, Air]] = {
        "genie": (ConventionalGenie(codec=codec), air),
        "adaptive": (ConventionalAdaptive(codec=codec), air),
        **{bound: (CodecCapacity(codec=codec, bound=bound), air) for bound in ("shannon", "bicm")},
        **{f"{bound} less": (CodecCapacity(codec=codec, bound=bound), less) for bound in ("shannon", "bicm")},
    }
    ways = {name: known[name] for name in names}
    budget = picture.samples // 16
    sent = {n: s.transmit(picture, a, budget, np.random.default_rng(1)).image for n, (s, a) in ways.items()}
    return {name: float(psnr(picture.image, image)) for name, image in sent.items()}


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every sixth MCS, one picture, WebP, 7 dB")
    parser.add_argument("--part", nargs="+", choices=("rates", "pictures"), default=["rates", "pictures"])
    parser.add_argument("--data", type=Path, default=HERE / "recordings" / "images")
    parser.add_argument("--codecs", nargs="+", default=["hevc", "avif", "jpeg2000", "webp", "jpegxl", "jpeg"])
    parser.add_argument("--snr", type=float, nargs="+", default=[1, 4, 7, 8, 10, 13])
    parser.add_argument("--limit", type=int, default=None, help="pictures at most")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="some of them: quicker")
    options = parser.parse_args()
    if "rates" in options.part:
        rates(options.quick)
    if "pictures" in options.part:
        files = list(list_pictures(options.data).pictures)[: 1 if options.quick else options.limit]
        codecs, snrs = (["webp"], [7.0]) if options.quick else (options.codecs, options.snr)
        pictures(files, codecs, snrs, options.ways)


if __name__ == "__main__":
    main()

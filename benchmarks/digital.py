"""The digital baseline: LDPC and QAM beside capacity, and pictures by codec, LDPC and QAM over AWGN.

``python benchmarks/digital.py [--quick] [--data DIR] [--snr 1 4 7 10 13]``: one line an MCS with the SNR at which a
tenth of the layers is lost and the capacities' SNR for the same efficiency; then, for each codec and SNR, the mean PSNR
of photographs at 1/16 channel use a sample (payload), at the best MCS for that SNR, beside the codec at capacity.
``DIR`` holds photographs, any size; default: those in ``recordings/images``.
"""

import argparse
from pathlib import Path

import numpy as np
from _report import emit

from semwave.bench.air import Air, Channel
from semwave.bench.metrics import psnr
from semwave.bench.schemes import Picture
from semwave.bench.schemes.adaptive import TABLE, CodecCapacity, ConventionalAdaptive, capacity_snr_db, threshold_db
from semwave.models.pictures import list_pictures, load_picture

HERE = Path(__file__).resolve().parent.parent


def rates(quick: bool) -> None:
    """One line an MCS."""
    for row in TABLE[:: 6 if quick else 1]:
        found = threshold_db(row, frames=10 if quick else 40)
        efficiency = row.spectral_efficiency
        shannon = 10 * np.log10(2**efficiency - 1)
        case = f"MCS {row.index}, {row.order} points, rate {row.code_rate:.3f}: 10 % of layers lost"
        emit("digital", f"{case}, over BICM capacity", found - capacity_snr_db(efficiency, row.order), "dB")
        emit("digital", f"{case}, over Shannon", found - shannon, "dB")


def pictures(files: list[Path], codecs: list[str], snrs: list[float]) -> None:
    """One line a codec and SNR, the peer being the codec at Shannon capacity."""
    loaded = [Picture(load_picture(f), f.name, f.name) for f in files]
    for codec in codecs:
        for snr_db in snrs:
            air = Air(Channel("awgn", snr_db, modem="symbols"), seed=5)
            means = []
            for scheme in (ConventionalAdaptive(codec=codec), CodecCapacity(codec=codec)):
                rng = np.random.default_rng(1)
                got = [scheme.transmit(p, air, p.samples // 16, rng).image for p in loaded]
                means.append(float(np.mean([psnr(p.image, g) for p, g in zip(loaded, got, strict=True)])))
            case = f"{codec}, CBR 1/16, AWGN {snr_db:g} dB, {len(loaded)} pictures"
            emit("digital", case, means[0], "dB PSNR", f"{codec} at Shannon capacity", means[1])


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE / "recordings" / "images")
    parser.add_argument("--codecs", nargs="+", default=["hevc", "avif", "jpeg2000", "webp", "jpegxl", "jpeg"])
    parser.add_argument("--snr", type=float, nargs="+", default=[1, 4, 7, 8, 10, 13])
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args()
    files = list_pictures(options.data).files[: 1 if options.quick else options.limit]
    rates(options.quick)
    codecs, snrs = (["webp"], [7.0]) if options.quick else (options.codecs, options.snr)
    pictures(files, codecs, snrs)


if __name__ == "__main__":
    main()

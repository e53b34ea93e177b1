"""Waveforms through fading channels and impairments in M samples/s on one thread, next to Sionna's where installed.

python benchmarks/fading.py [--quick]
"""

import argparse
from typing import Any

import numpy as np
from _report import best_seconds, emit

from semwave.modulation import fading, impairments, noise

RATE = 15.36e6
CHUNK = 8192
CHANNELS: dict[str, dict[str, Any]] = {
    "rayleigh, 100 Hz": {"name": "rayleigh", "doppler_hz": 100.0},
    "TDL-A 100 ns, still": {"name": "TDL-A", "delay_spread_s": 100e-9, "doppler_hz": 0.0},
    "TDL-A 100 ns, 350 Hz": {"name": "TDL-A", "delay_spread_s": 100e-9, "doppler_hz": 350.0},
    "TDL-A 300 ns, 30 Hz": {"name": "TDL-A", "delay_spread_s": 300e-9, "doppler_hz": 30.0},
    "TDL-C 300 ns, 300 Hz": {"name": "TDL-C", "delay_spread_s": 300e-9, "doppler_hz": 300.0},
    "EVA 70 Hz": {"name": "EVA", "doppler_hz": 70.0},
    "ETU 300 Hz": {"name": "ETU", "doppler_hz": 300.0},
}


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def stages() -> dict[str, impairments.Impairment]:
    return {
        "carrier offset": impairments.CarrierOffset(sample_rate=RATE, cfo_hz=1234.0, drift_hz_per_s=10.0),
        "timing offset": impairments.TimingOffset(delay_samples=3.3),
        "sample clock 20 ppm": impairments.SampleClockOffset(ppm=20.0),
        "wiener phase noise": impairments.WienerPhaseNoise(sample_rate=RATE, linewidth_hz=10.0, rng=rng()),
        "PLL phase noise": impairments.PllPhaseNoise(sample_rate=RATE, rng=rng()),
        "IQ imbalance": impairments.IqImbalance(gain_db=0.5, phase_deg=2.0),
        "Rapp amplifier": impairments.RappAmplifier(),
        "quantizer": impairments.Quantizer(bits=8),
    }


def sionna_tdl_a(samples: int) -> float | None:
    """Seconds that Sionna's TDL-A 100 ns at 30 m/s and 3.5 GHz (350 Hz) takes for a waveform."""
    try:
        import torch
        from sionna.phy.channel import TimeChannel
        from sionna.phy.channel.tr38901 import TDL
    except ImportError:
        return None
    with torch.no_grad():
        tdl = TDL("A", 100e-9, 3.5e9, min_speed=30.0, device="cpu")
        channel = TimeChannel(tdl, RATE, samples, l_min=-6, l_max=30, device="cpu")
        x, n0 = torch.randn(1, 1, 1, samples, dtype=torch.complex64), torch.tensor(0.0)
        return best_seconds(lambda: channel(x, n0), 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, less time")
    quick = parser.parse_args().quick
    n, seconds = (1 << 15, 0.1) if quick else (1 << 19, 1.0)
    x = noise.complex_normal(rng(), n)
    speed = {}
    for case, parameters in CHANNELS.items():
        channel = fading.create(sample_rate=RATE, rng=rng(), **parameters)

        def stream(stage: Any = channel) -> None:
            for start in range(0, n, CHUNK):
                stage.process(x[start : start + CHUNK])

        speed[case] = n / best_seconds(stream, seconds) / 1e6
        emit("fading", f"{case}, chunks of {CHUNK}", speed[case], "Msamples/s")
    theirs = sionna_tdl_a(4096 if quick else 15360)
    if theirs is not None:
        peer = (4096 if quick else 15360) / theirs / 1e6
        emit("fading", "TDL-A 100 ns, 350 Hz", speed["TDL-A 100 ns, 350 Hz"], "Msamples/s", "sionna", peer)
    for case, stage in stages().items():
        emit("fading", case, n / best_seconds(lambda s=stage: s.process(x), seconds) / 1e6, "Msamples/s")
    generator = rng()
    emit("fading", "noise", n / best_seconds(lambda: noise.add_awgn(x, 0.1, generator), seconds) / 1e6, "Msamples/s")


if __name__ == "__main__":
    main()

"""Channel estimators side by side: mean squared error against the true channel, and the time that one takes.

    python benchmarks/estimators.py [--quick]

Bursts of 40 OFDM symbols of the default numerology over TDL-C, 300 ns and 100 Hz; pilots as sent, preamble included,
perfect timing. "peer" of ls and dft is the Wiener filter on the same bursts, so that the ratio is an error in linear
units over the Wiener filter's.
"""

import argparse
from dataclasses import replace

import numpy as np
from _report import best_seconds, emit

from semwave.modulation import fading
from semwave.modulation.ofdm import OfdmParams
from semwave.modulation.ofdm.acquire import power_profile
from semwave.modulation.ofdm.estimate import Pilots, Prior
from semwave.modulation.ofdm.estimators import NAMES, create

SYMBOLS, DOPPLER_HZ = 40, 100.0


def burst(rng, params, n0):
    """True channel [symbols, active] and the pilots that a receiver has of it."""
    channel = fading.create(
        "TDL-C", sample_rate=params.sample_rate, rng=rng, doppler_hz=DOPPLER_HZ, delay_spread_s=3e-7
    )
    middles = (np.arange(-1, SYMBOLS) * params.symbol_len + params.cp_len + params.fft_size // 2) + params.symbol_len
    h = channel.frequency_response(middles, params.carriers * params.carrier_spacing_hz)
    y = h + np.sqrt(n0 / 2) * (rng.standard_normal(h.shape) + 1j * rng.standard_normal(h.shape))
    pilots = [Pilots(np.array([-1]), np.arange(params.active), y[:1])]
    for phase, mask in enumerate(params.pilot_masks):
        at, on = np.arange(phase, SYMBOLS, params.pilot_period), np.flatnonzero(mask)
        pilots.append(Pilots(at, on, y[1:][np.ix_(at, on)]))
    return h[1:], pilots


def prior_of(params, n0, pilots):
    """As the receiver makes it: a flat look first, whose delay profile the second one takes."""
    flat = Prior(1.0, n0, -1.0, float(params.cp_len), 1.6 * DOPPLER_HZ * params.symbol_duration_s)
    look = create("wiener", params).estimate(pilots, 0, SYMBOLS, flat)
    return replace(flat, profile=power_profile(look.channel, float(look.error.mean()), flat, params))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    params, trials = OfdmParams(), 20 if quick else 200
    for snr_db in (0, 10, 20, 30):
        n0, rng, errors = 10 ** (-snr_db / 10), np.random.default_rng(1), {name: [] for name in NAMES}
        for _ in range(trials):
            h, pilots = burst(rng, params, n0)
            prior = prior_of(params, n0, pilots)
            for name in NAMES:
                found = create(name, params).estimate(pilots, 0, SYMBOLS, prior)
                errors[name].append(np.mean(np.abs(found.channel - h) ** 2))
        mean = {name: float(np.mean(errors[name])) for name in NAMES}
        for name in NAMES:
            peer = (None, None) if name == "wiener" else ("wiener", mean["wiener"])
            emit("estimators", f"{name}, {snr_db} dB, {10 * np.log10(mean[name]):.1f} dB", mean[name], "MSE", *peer)
    h, pilots = burst(np.random.default_rng(2), params, 0.01)
    prior = prior_of(params, 0.01, pilots)
    for name in NAMES:
        estimator = create(name, params)
        seconds = best_seconds(lambda e=estimator: e.estimate(pilots, 0, SYMBOLS, prior), 0.2 if quick else 1.0)
        emit("estimators", f"{name}, {SYMBOLS} symbols of {params.active} carriers", seconds * 1e3, "ms")


if __name__ == "__main__":
    main()

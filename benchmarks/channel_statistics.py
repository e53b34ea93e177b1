"""Do the channels have the statistics that they claim? Each line is a measurement beside theory.

    python benchmarks/channel_statistics.py [--quick]

Everything is measured on what ``process`` puts out, over independent realisations; the case names the 95 % interval of
the mean (Student's t over realisations). Exit status 1 if theory is more than 4.5 standard errors away anywhere.
"""

import argparse
import sys

import numpy as np
from _report import emit
from scipy import special, stats

from semwave.modulation import fading, fading_profiles

DOPPLER_HZ = 100.0
A_CYCLE = 128  # samples a Doppler period
RATE = DOPPLER_HZ * A_CYCLE
far_off: list[str] = []


def report(case: str, samples: np.ndarray, theory: float, unit: str) -> None:
    """One line: mean over realisations `[realisation]` beside theory."""
    mean, error = float(np.mean(samples)), float(stats.sem(samples))
    half = float(stats.t.ppf(0.975, samples.size - 1)) * error
    emit("channel_statistics", f"{case} (95 %: {mean - half:.4g} to {mean + half:.4g})", mean, unit, "theory", theory)
    if abs(mean - theory) > 4.5 * error + 1e-9:
        far_off.append(case)


def flat_gains(runs: int, cycles: int, **parameters: float) -> np.ndarray:
    """Gains of flat channels, `[runs, cycles * A_CYCLE]`, as seen by a constant input."""
    name = "rician" if "k_factor_db" in parameters else "rayleigh"
    ones = np.ones(cycles * A_CYCLE, np.complex64)
    rows = []
    for seed in range(runs):
        rng = np.random.default_rng([1, seed])
        channel = fading.create(name, sample_rate=RATE, rng=rng, doppler_hz=DOPPLER_HZ, **parameters)
        rows.append(channel.process(ones))
    return np.array(rows)


def power_and_envelope(gains: np.ndarray) -> None:
    power = np.abs(gains) ** 2
    report("rayleigh, mean power", power.mean(axis=1), 1.0, "")
    report("rayleigh, mean fourth moment", (power**2).mean(axis=1), 2.0 - 1 / 128, "")  # 2 - 1/N for N sinusoids
    for threshold in (0.1, 0.5, 1.0, 2.0):
        report(f"rayleigh, P(|g|^2 < {threshold})", (power < threshold).mean(axis=1), 1 - np.exp(-threshold), "")
    independent = np.abs(gains[:, 0])
    test = stats.kstest(independent, stats.rayleigh(scale=np.sqrt(0.5)).cdf)
    emit("channel_statistics", "rayleigh, KS test of one sample a realisation", float(test.pvalue), "p-value")
    if test.pvalue < 1e-5:
        far_off.append("rayleigh KS")


def doppler(gains: np.ndarray) -> None:
    for lag in (0.1, 0.25, 0.5, 1.0, 1.5):  # Doppler periods
        shift = round(lag * A_CYCLE)
        product = (gains[:, shift:] * np.conj(gains[:, :-shift])).mean(axis=1).real
        report(f"rayleigh, autocorrelation at {lag} Doppler periods", product, special.j0(2 * np.pi * lag), "")
    spectrum = np.abs(np.fft.fft(gains * np.hanning(gains.shape[1]), axis=1)) ** 2
    share = spectrum / spectrum.sum(axis=1).mean()  # not each by its own sum: ratios of noisy sums are biased
    freqs = np.abs(np.fft.fftfreq(gains.shape[1], 1 / RATE)) / DOPPLER_HZ
    for edge in (0.25, 0.5, 0.9):
        inside = np.where(np.isclose(freqs, edge), 0.5, freqs < edge)  # the bin at the edge counts half
        case = f"rayleigh, share of power below {edge} of the Doppler"
        report(case, share @ inside, 2 / np.pi * np.arcsin(edge), "")


def crossings(gains: np.ndarray) -> None:
    envelope, seconds = np.abs(gains), gains.shape[1] / RATE
    for level_db in (-10.0, -3.0, 0.0, 3.0):
        rho = 10 ** (level_db / 20)
        below = envelope < rho
        upward = (below[:, :-1] & ~below[:, 1:]).sum(axis=1)
        expected = np.sqrt(2 * np.pi) * DOPPLER_HZ * rho * np.exp(-(rho**2))
        report(f"rayleigh, level crossing rate at {level_db} dB", upward / seconds, expected, "1/s")
        # jackknife of the ratio: time below over number of fades
        time, fades = below.sum(axis=1) / RATE, upward
        ratios = (time.sum() - time) / (fades.sum() - fades)
        pseudo = time.size * time.sum() / fades.sum() - (time.size - 1) * ratios
        duration = (np.exp(rho**2) - 1) / (rho * DOPPLER_HZ * np.sqrt(2 * np.pi))
        report(f"rayleigh, average fade duration at {level_db} dB", pseudo, duration, "s")


def rician(runs: int, cycles: int) -> None:
    for k_db in (0.0, 6.0, 12.0):
        gains = flat_gains(runs, cycles, k_factor_db=k_db, los_angle_rad=0.8)
        report(f"rician K = {k_db} dB, mean power", (np.abs(gains) ** 2).mean(axis=1), 1.0, "")
        # undo the line of sight's Doppler: what stays is its amplitude
        n = np.arange(gains.shape[1])
        still = (gains * np.exp(-2j * np.pi * DOPPLER_HZ * np.cos(0.8) * n / RATE)).mean(axis=1)
        ratio = 10 ** (k_db / 10)
        report(f"rician K = {k_db} dB, power of the line of sight", np.abs(still) ** 2, ratio / (ratio + 1), "")


def profiles(runs: int) -> None:
    """Impulses at the rate of 15.36 MHz: power of every lag, and of the whole, for each profile."""
    rate, period = 15.36e6, 512
    impulses = np.zeros(period, np.complex64)
    impulses[0] = 1
    for name in (*fading_profiles.TDL_NAMES, *fading_profiles.LTE_NAMES):
        responses = []
        for seed in range(runs):
            channel = fading.create(name, sample_rate=rate, rng=np.random.default_rng([2, seed]), doppler_hz=300.0)
            responses.append(np.abs(channel.process(impulses)) ** 2)
        measured = np.array(responses)  # [run, lag]
        profile = channel.profile
        truth = np.sum(profile.powers[:, None] * _spread(channel, period) ** 2, axis=0)
        report(f"{name}, energy of the impulse response", measured.sum(axis=1), float(truth.sum()), "")
        mean_lag = measured @ np.arange(period) / truth.sum()
        report(f"{name}, power-weighted delay", mean_lag, float(truth @ np.arange(period) / truth.sum()), "samples")
        strong = truth > 1e-3
        z = (measured.mean(axis=0) - truth)[strong] / stats.sem(measured[:, strong])
        worst = float(np.abs(z).max())
        emit("channel_statistics", f"{name}, largest deviation of {strong.sum()} lags", worst, "standard errors")
        if worst > 5.5:
            far_off.append(f"{name} lags")


def _spread(channel: fading.MultipathChannel, period: int) -> np.ndarray:
    """Each path's interpolation filter by the formula of sinc times Kaiser, `[path, lag]`."""
    delays = channel.profile.delays_s * channel.sample_rate
    u = np.arange(period) - channel.delay - delays[:, None]
    window = np.i0(8.0 * np.sqrt(np.maximum(0, 1 - (u / 16) ** 2))) * (np.abs(u) <= 16)
    taps = np.sinc(u) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer realisations")
    quick = parser.parse_args().quick
    runs, cycles = (60, 50) if quick else (1000, 100)
    gains = flat_gains(runs, cycles)
    power_and_envelope(gains)
    doppler(gains)
    crossings(gains)
    rician(runs // 2, cycles)
    profiles(60 if quick else 1000)
    if far_off:
        sys.exit("theory is far off the measured interval: " + "; ".join(far_off))


if __name__ == "__main__":
    main()

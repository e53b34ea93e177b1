"""The compiled loops against the same in plain NumPy."""

import numpy as np
import pytest

from semwave.modulation.ieee80211 import TxFormat, channel, coding, params, sync, sync_kernels, sync_reference, transmit
from semwave.modulation.ieee80211 import demodulate_kernels as kernels
from semwave.modulation.ieee80211 import demodulate_reference as reference
from semwave.modulation.ieee80211.demodulate import Points, refine


@pytest.mark.parametrize("snr_db, cfo_hz, dc", [(30, 40e3, 0), (5, -232e3, 3 - 2j), (0, 0, 0.2j), (15, 100e3, 0)])
def test_search(air, snr_db, cfo_hz, dc):
    taps = air.taps(8, 2)
    x = air.send(transmit(air.mpdu(60), TxFormat(12)), snr_db, cfo_hz, taps, dc)

    def read(first, last):
        return x[first:last]

    best = sync_kernels.best_look(read(320, 600), 20)
    assert best == sync_reference.best_look(read(320, 600), 20)
    start = 320 + 8 * best
    window = read(start, start + 128)
    good, offset = sync_kernels.coarse(window, sync.LINES)
    expected = sync_reference.coarse(window)
    assert good
    assert expected == pytest.approx(offset, abs=1e-6)
    segment = read(start + sync.EARLY, start + sync.LATE + 128)
    turned = (segment - window.mean()) * np.exp(-1j * offset * np.arange(segment.size))
    limits = (sync.MATCH_THRESHOLD, sync.SPREAD_THRESHOLD), (sync.NEAR_PATH, sync.FAR_PATH)
    at = sync_kernels.timing(segment, complex(window.mean()), offset, sync._template(), *limits)
    assert at == sync_reference.timing(turned.astype(np.complex64))
    found = sync.locate(read, 320, 0)
    plain = sync_reference.estimate(read, found.ltf, offset)
    for name in ("ltf", "cfo", "dc", "n0", "match"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-3, abs=1e-5), name
    assert np.allclose(found.channel, plain.channel, atol=1e-4)


def test_tones_and_noise_are_refused_alike(air):
    t = np.arange(1000)
    for x in (np.exp(0.3j * t), np.exp(1j * np.pi / 8 * t) + 1):
        assert not sync_kernels.coarse(x[:128].astype(np.complex64), sync.LINES)[0]
        assert sync_reference.coarse(x[:128].astype(np.complex64)) is None
    noise = air.noise(sync.LATE - sync.EARLY + 128)
    limits = (sync.MATCH_THRESHOLD, sync.SPREAD_THRESHOLD), (sync.NEAR_PATH, sync.FAR_PATH)
    assert sync_kernels.timing(noise, 0j, 0.0, sync._template(), *limits) == -1
    assert sync_reference.timing(noise) is None


@pytest.mark.parametrize("n, n0, clock", [(1, 0.1, 0), (7, 0.01, 0), (40, 0.3, 2e-5), (900, 0.05, -4e-5)])
def test_pilot_tracking(air, n, n0, clock):
    h = air.noise(4)
    times = 190.0 + 80 * np.arange(n)
    phase = times[:, None] * 1e-4 - 2 * np.pi / 64 * np.outer(clock * times, params.PILOTS)
    seen = np.abs(h) ** 2 * np.exp(1j * phase) + (air.noise(4 * n, n0).reshape(n, 4) * np.conj(h))
    power = np.abs(h.astype(np.complex128)) ** 2
    found = kernels.drift(seen, power, n0, times, params.PILOT_TURN, 25e-6)
    assert found == pytest.approx(reference.drift(seen, power, n0, times, 25e-6), abs=1e-12)
    if n == 900:
        assert found == pytest.approx(clock, abs=3e-6)
    mean = float(power.mean())
    got = kernels.common(seen, mean, n0, times, 1e-4)
    assert np.allclose(got, reference.common(seen, mean, n0, times, 1e-4), atol=1e-9)


@pytest.mark.parametrize("mode", [params.legacy_mode(r) for r in (6, 12, 24, 54)] + [params.ht_mode(7)])
def test_soft_bits(air, mode):
    coded = air.rng.integers(0, 2, 9 * mode.coded_bits).astype(np.uint8)
    points = coding.map_symbols(coded, mode)
    n0 = air.rng.uniform(0.01, 0.3, points.shape).astype(np.float32)
    points += air.noise(points.size).reshape(points.shape) * np.sqrt(n0) * 1.3
    points[:, 5] += air.noise(9)  # a carrier with a neighbour on it
    out = np.empty(coded.size, np.float32)
    order, unit = coding.order(mode), coding.unit(mode)
    error = kernels.soft_bits(points, n0, order, mode.bits_per_carrier, np.float32(unit), out)
    llr, expected = reference.soft_bits(points, n0, order, mode.bits_per_carrier, unit)
    assert error == pytest.approx(expected, rel=1e-4)
    assert np.allclose(out, llr, rtol=2e-3, atol=2e-3)


def test_spectra_and_division(air):
    x, h = air.noise(400), air.noise(52)
    rows = np.empty((3, 64), np.complex64)
    starts = np.array([0, 81, 160])
    kernels.take(x, starts, 0.02, 7.0, 0.5 - 1j, rows)
    n = starts[:, None] + np.arange(64)
    assert np.allclose(rows, (x[n] - (0.5 - 1j)) * np.exp(-0.02j * (7 + n)), atol=1e-5)
    late = np.array([0.3, -0.2, 0.45])
    turned = rows.copy()
    kernels.unturn(turned, late)
    k = np.fft.fftfreq(64, 1 / 64)
    inside = np.abs(k) <= 28
    assert np.allclose(turned[:, inside], (rows * np.exp(2j * np.pi / 64 * np.outer(late, k)))[:, inside], atol=1e-5)
    gain = np.array([1, 0.9j, -1.1])
    points, noise = np.empty((3, 48), np.complex64), np.empty((3, 48), np.float32)
    where = params.LEGACY
    kernels.divide(rows, where.data_bins, h, where.data_places, gain, 0.1, points, noise)
    whole = gain[:, None] * h[where.data_places]
    assert np.allclose(points, rows[:, where.data % 64] / whole, rtol=1e-4)
    assert np.allclose(noise, 0.1 / np.abs(whole) ** 2, rtol=1e-4)
    seen = kernels.match(rows, params.PILOT_BINS, h[where.pilot_places], params.legacy_pilots(4, 3))
    pilots = params.legacy_pilots(4, 3) * h[where.pilot_places].conj()
    assert np.allclose(seen, pilots * rows[:, params.PILOTS % 64], atol=1e-4)


@pytest.mark.parametrize("whole_end", [True, False])
def test_refining_by_what_was_sent(air, whole_end):
    mode = params.legacy_mode(24)
    coded = air.rng.integers(0, 2, 30 * mode.coded_bits).astype(np.uint8)
    sent = coding.map_symbols(coded, mode)
    carrier = 1 + 0.3 * air.noise(48)
    symbol = np.exp(0.2j * np.sin(np.arange(30)))
    received = sent * carrier * symbol[:, None] + 0.01 * air.noise(sent.size).reshape(sent.shape)
    seen = Points(received.astype(np.complex64), np.full(sent.shape, 1e-4, np.float32))
    guess = sent.copy()
    if not whole_end:
        guess[-1] = air.noise(48)
    better = refine(seen, guess, whole_end)
    before, after = (np.abs(x.points - sent)[:-1] ** 2 for x in (seen, better))
    assert after.mean() < 0.15 * before.mean()
    assert np.allclose(better.n0, seen.n0 * np.abs(better.points / seen.points) ** 2, rtol=1e-3)


def test_smoothing_lowers_noise_and_spares_strong_channels(air):
    delays = np.arange(12)
    for carriers in (params.LEGACY.all, params.HT.all):
        h = np.exp(-2j * np.pi / 64 * np.outer(carriers, delays)) @ air.taps(12, 3)
        h = (h / np.sqrt(np.mean(np.abs(h) ** 2))).astype(np.complex64)
        gains = []
        for n0 in (1.0, 1e-4):
            noise = air.noise(h.size * 50, n0).reshape(50, -1)
            left = [channel.smooth(h + w, n0) - h for w in noise]
            gains.append(np.mean(np.abs(left) ** 2) / n0)
        assert gains[0] < 0.5
        assert gains[1] < 1.0

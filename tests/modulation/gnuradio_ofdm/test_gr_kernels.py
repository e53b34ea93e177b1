"""Kernels against plain NumPy: detection, channel, header, decisions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation.gnuradio_ofdm import (
    GnuradioOfdmFormat,
    Transmitter,
    channel,
    demodulate,
    detect,
    frame,
    header,
    reference,
    spectra,
)


def white(rng, n, power=1.0):
    return ((rng.standard_normal((n, 2)) @ [1, 1j]) * np.sqrt(power / 2)).astype(np.complex64)


def test_correlation_equals_the_formula(rng):
    x = np.concatenate([white(rng, 200), frame.preamble(), 3 * white(rng, 200), np.zeros(100), np.full(90, 5 - 2j)])
    x = (x + 0.1 * white(rng, x.size)).astype(np.complex64)
    np.testing.assert_allclose(detect.correlation(x), detect.correlation_reference(x), atol=1e-9)
    assert detect.correlation(x[:79]).size == 0


def test_correlation_peaks_at_word_one():
    x = np.concatenate([np.zeros(120), frame.preamble(), np.zeros(50)]).astype(np.complex64)
    found = detect.correlation(x)
    assert np.argmax(found) == 120
    assert found[120] > 0.9  # not 1: the mean over the prefix is taken off
    assert not detect.correlation(np.full(300, 2 + 1j, np.complex64)).any()


def test_noise_rarely_passes_the_first_threshold(rng):
    """P(|rho|^2 > t) = (1 - t)^47 for 48 independent products; neighbours are correlated, so blocks of 128 count."""
    x = white(rng, 128 * 2000)
    hits = (detect.correlation(x) > detect.FIRST_THRESHOLD)[::128].sum()
    expected = 2000 * (1 - detect.FIRST_THRESHOLD) ** 47  # 0.06: more than 3 has a chance below 1e-6
    assert hits <= expected + 3


@pytest.mark.parametrize(("cfo", "taps"), [(0.3, [1]), (-4.8, [1, 0, 0.6j]), (6.1, [0.2, 0, 0, 1, 0, 0.5])])
def test_match_equals_its_reference(rng, cfo, taps):
    x = np.convolve(np.concatenate([np.zeros(30), frame.preamble(), np.zeros(60)]), taps)[:223]
    x = (x * np.exp(2j * np.pi * cfo / 64 * np.arange(x.size)) + 3 * white(rng, x.size)).astype(np.complex64)
    rest = (cfo + 1) % 2 - 1
    offset = 2 * np.pi * (rest + 0.04) / 64
    got = detect._match(x, offset, *detect._templates())
    expected = reference.match(x, offset)
    assert got[1:4] == expected[1:4]
    np.testing.assert_allclose([got[0], got[4]], [expected[0], expected[4]], rtol=1e-4, atol=1e-5)
    found = offset + 2 * np.pi * detect.SHIFTS[got[1]] / 64 + got[4] / 80
    assert found * 64 / 2 / np.pi == pytest.approx(cfo, abs=0.02)


@pytest.mark.parametrize("snr_db", [3, 15, 40])
@pytest.mark.parametrize("taps", [[1], [0.8, 0, 0, 0.5j], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0.7]])
def test_channel_equals_its_covariances(rng, snr_db, taps):
    h = np.fft.fft(np.concatenate([np.zeros(channel.EARLY), taps]), 64)[frame.BINS]
    n0 = 10 ** (-snr_db / 10)
    y = (h * frame.sync_words() + white(rng, (104)).reshape(2, 52) * np.sqrt(n0)).astype(np.complex64)
    prior, got, sums, weights = channel.estimate(y, 0)
    expected, power, noise = reference.estimate(y, 0)
    np.testing.assert_allclose(got, expected, atol=2e-3 * np.abs(expected).max())
    assert prior.power == pytest.approx(power, rel=1e-3)
    assert prior.noise == pytest.approx(noise, rel=0.02)
    # 104 looks less those that the channel takes: chi-square of at least 120 degrees, 4 deviations
    assert prior.noise == pytest.approx(n0, rel=4 * np.sqrt(2 / 120))
    np.testing.assert_allclose(sums, (y * np.conj(frame.sync_words())).sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(weights, 1 + 2 * (frame.BINS % 2), rtol=1e-6)
    # far below the plain estimate's error of two thirds of the noise
    assert np.mean(np.abs(got - h) ** 2) < 0.35 * n0


@pytest.mark.parametrize(("count", "shift"), [(3, 0), (16, -16), (37, 12)])
def test_spectra_equal_the_formula(rng, count, shift):
    x, cfo, dc = white(rng, (count + 3) * 80), 0.07, 0.3 - 0.2j
    rows, turns = np.zeros((spectra.whole(count), 64), np.complex64), np.empty(64, np.complex64)
    spectra.turns_of(cfo, turns)
    room = np.empty(spectra.WORK, np.float32)
    spectra.spectra(x, 2, count, shift, cfo, turns, dc, spectra.tables(), room, rows)
    expected = spectra.spectra_reference(x, 2, count, shift, cfo, dc)
    np.testing.assert_allclose(rows[:count], expected, atol=2e-6)


@pytest.mark.parametrize("at", [30, 255, 256, 1700])
def test_search_is_the_same_from_block_to_block(rng, at):
    """One call over all blocks finds what calls of one block find, and where to go on."""
    x = (0.2 * white(rng, 3000)).astype(np.complex64)
    x[at : at + 160] += frame.preamble()

    def read(first, last):
        return np.concatenate([np.zeros(64, np.complex64), x, np.zeros(900, np.complex64)])[first + 64 : last + 64]

    whole, on = detect.search(read, 0, 2900, 2840)
    assert whole.start == at
    place, found = 0, None
    while found is None:
        found, place = detect.search(read, place, place, 2840)
    assert (found, place) == (whole, on)
    assert detect.search(read, at + 200, 2900, 2840)[0] is None
    assert detect.search(read, 0, 2900, at - 1)[0] is None


def test_smoothing_keeps_what_its_window_holds(rng):
    b = channel.basis(8.0, 12.0)
    h = (white(rng, b.values.size) * np.sqrt(b.values)) @ b.rows
    weights = np.full(52, 40, np.float32)
    got = np.zeros(52, np.complex64)
    channel.smooth((40 * h).astype(np.complex64), weights, b.rows, b.values, 1e-6, got)
    np.testing.assert_allclose(got, h, atol=2e-2)
    unequal = weights * np.where(np.arange(52) % 13, 1, 0.25).astype(np.float32)
    again = got.copy()
    channel.smooth((unequal * h).astype(np.complex64), unequal, b.rows, b.values, 1e-6, again)
    np.testing.assert_allclose(again, h, atol=3e-2)


@given(seed=st.integers(0, 999))
def test_cheapest_flips_equal_all_flips(seed):
    rng = np.random.default_rng(seed)
    columns = header.columns()[np.sort(rng.choice(32, 9, replace=False))]
    costs, syndrome = rng.exponential(size=9), int(rng.integers(256))
    expected = reference.cheapest(syndrome, columns, costs)
    flips = header._cheapest(syndrome, columns, costs)
    if flips < 0:
        assert expected == np.inf
        return
    chosen = [i for i in range(9) if flips >> i & 1]
    assert np.bitwise_xor.reduce([0, *columns[chosen]]) == syndrome
    assert costs[chosen].sum() == pytest.approx(expected)


@given(length=st.integers(5, 4095), number=st.integers(0, 4095), wrong=st.sets(st.integers(0, 31), max_size=1))
def test_header_comes_back(length, number, wrong):
    form = GnuradioOfdmFormat("bpsk", True)
    bits = form.header_bits(length, number)
    llr = (2.0 * bits - 1) * 5
    for i in wrong:
        llr[i] *= -0.1  # a doubtful bit on the wrong side
    found = header.decode(llr, form.header_scrambler)
    assert found is not None
    assert found[:2] == (length, number)
    np.testing.assert_array_equal(found[2], bits)


def test_no_header_in_nothing(rng):
    scrambler = GnuradioOfdmFormat().header_scrambler
    assert header.decode(np.zeros(48), scrambler) is None
    assert header.decode(np.ones(48), scrambler) is None  # the zero bits are not
    short = GnuradioOfdmFormat().header_bits(4, 7)
    assert header.decode(2.0 * short - 1, scrambler) is None  # a CRC with nothing before it
    found = sum(header.decode(rng.standard_normal(48), scrambler) is not None for _ in range(400))
    # 16 random signs weighed by their magnitudes exceed half of their sum in 3 % of the cases: 12 +- 3.5
    assert found < 30


@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "8psk"])
def test_decisions_are_nearest_points(rng, through, modulation):
    """Without an offset of clock or carrier, following it must change nothing: same symbols at a high SNR."""
    form = GnuradioOfdmFormat(modulation)
    x = through(Transmitter(form).frame(rng.bytes(203)), taps=[1, 0.3j], snr_db=30)
    found = detect.Detection(0, 0, 0.0, 1.0)

    def read(first, last):
        return np.concatenate([x, np.zeros(64, np.complex64)])[first:last]

    demodulator = demodulate.Demodulator(form)
    look = demodulator.look(read, found)
    rows = spectra.spectra_reference(x, 3, form.payload_symbols(207), 0, 0.0, 0j)
    h = np.fft.fft(np.concatenate([np.zeros(channel.EARLY), [1, 0.3j]]), 64)[frame.BINS]
    symbols = reference.decide(rows, h, form.points, -(-8 * 207 // form.bits_per_symbol))
    bits = (symbols[:, None] >> np.arange(form.bits_per_symbol)) & 1
    expected = np.packbits(bits.reshape(-1)[: 8 * 207].astype(np.uint8), bitorder="little")
    for way in demodulator.payload(read, look):
        np.testing.assert_array_equal(way.data, expected)

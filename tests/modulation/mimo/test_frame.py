"""MIMO channel and OFDM frames: correlation, cuts, pilots, estimated channels, what a frame carries."""

import numpy as np
import pytest

from semwave.modulation import noise, qam
from semwave.modulation.mimo import MimoChannel, MimoFrame
from semwave.modulation.ofdm import OfdmParams, demodulate

PARAMS = OfdmParams(pilot_spacing_t=2)


def test_links_are_correlated_as_kronecker_says():
    """Second moments of H over static draws: E h_ij h_kl* = R_rx[i, k] R_tx[j, l]."""
    rng, draws, rho_tx, rho_rx = np.random.default_rng(3), 1500, 0.7, 0.4
    h = np.empty((draws, 4), complex)
    for row in h:
        channel = MimoChannel("rayleigh", sample_rate=1e6, rng=rng, correlation_tx=rho_tx, correlation_rx=rho_rx)
        row[:] = channel.frequency_response(0, np.zeros(1))[0].ravel()
    products = h[:, :, None] * h[:, None, :].conj()
    mean, band = products.mean(axis=0), 4.5 * products.std(axis=0) / np.sqrt(draws)
    want = np.kron([[1, rho_rx], [rho_rx, 1]], [[1, rho_tx], [rho_tx, 1]])
    assert np.all(np.abs(mean - want) < band)


@pytest.mark.parametrize("profile", ["rayleigh", "TDL-A"])
def test_any_cut_gives_the_same_samples(profile):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((2, 3000)) + 1j * rng.standard_normal((2, 3000))

    def channel():
        given = np.random.default_rng(5)
        return MimoChannel(profile, sample_rate=1e6, rng=given, doppler_hz=300.0, correlation_tx=0.5)

    whole, pieces = channel().process(x), channel()
    cut = np.concatenate([pieces.process(part) for part in np.split(x, [1, 2, 700, 701, 2999], axis=1)], axis=1)
    np.testing.assert_array_equal(cut, whole)


def test_response_is_what_samples_go_through():
    channel = MimoChannel("TDL-B", sample_rate=3.84e6, rng=np.random.default_rng(6), correlation_rx=0.6)
    n, k = 4096, 300
    tone = np.exp(2j * np.pi * k / 4096 * np.arange(n))
    heard = channel.process(np.stack([tone, 0 * tone]))[:, 1000:3000]
    want = channel.frequency_response(0, np.array([k / 4096 * 3.84e6]))[0, :, 0]
    delay = np.exp(-2j * np.pi * k / 4096 * channel.delay)
    np.testing.assert_allclose(
        heard / tone[1000:3000], np.broadcast_to((want * delay)[:, None], heard.shape), atol=2e-3
    )


@pytest.mark.parametrize("scheme", ["alamouti", "multiplexing"])
@pytest.mark.parametrize("pattern", ["scattered", "comb", "block"])
def test_antennas_share_the_energy_and_take_turns_with_pilots(scheme, pattern):
    params = OfdmParams(pilot_pattern=pattern, pilot_spacing_t=2)
    frame, rng = MimoFrame(params, scheme), np.random.default_rng(7)
    data = qam.map_bits(rng.integers(0, 2, 2 * frame.data).astype(np.uint8), 4)
    samples = frame.modulate(data)
    assert samples.shape == (2, frame.samples)
    grids = np.stack([demodulate(row, params)[:, params.columns] for row in samples])
    power, pilots = np.abs(grids) ** 2, params.pilot_mask(frame.symbols)
    used = power.sum(axis=0) > 1e-6
    np.testing.assert_allclose(power.sum(axis=0)[used], 1, atol=1e-4)
    assert np.sum(~used) <= frame.symbols  # at most one carrier of an OFDM symbol finds no partner
    assert used[pilots].all()
    assert np.all(power.min(axis=0)[pilots] < 1e-6)
    for antenna in power:
        assert np.all((antenna[pilots] > 0.5).sum() >= pilots.sum() // 2 - frame.symbols)


@pytest.mark.parametrize(("scheme", "rx"), [("alamouti", 1), ("alamouti", 2), ("multiplexing", 2), ("multiplexing", 3)])
def test_a_frame_comes_through_tdl_with_an_estimated_channel(scheme, rx):
    frame, rng, n0 = MimoFrame(PARAMS, scheme), np.random.default_rng(8), 1e-3
    errors, said, mse = [], [], []
    for _ in range(8):
        channel = MimoChannel("TDL-C", sample_rate=3.84e6, rng=rng, rx=rx, delay_spread_s=3e-7, doppler_hz=50.0)
        data = qam.map_bits(rng.integers(0, 2, 2 * frame.data).astype(np.uint8), 4)
        sent = np.pad(frame.modulate(data), ((0, 0), (0, channel.delay)))
        got = frame.demodulate(noise.add_awgn(channel.process(sent)[:, channel.delay :], n0, rng))
        errors.append(np.mean(np.abs(got.symbols - data) ** 2 / got.noise_variance))
        said.append(got.n0)
        middle = 7 * PARAMS.symbol_len + PARAMS.cp_len + 128 + channel.delay
        truth = channel.frequency_response(middle, PARAMS.carriers * PARAMS.carrier_spacing_hz)
        early = np.exp(-2j * np.pi * PARAMS.carriers * 4 / 256)  # windows start 4 samples early
        mse.append(np.mean(np.abs(got.channel[7] - truth * early[:, None, None]) ** 2))
    assert abs(np.mean(errors) - 1) < 0.15, "the variance handed on is the one there is"
    assert 0.8 < np.mean(said) / n0 < 1.3
    assert np.mean(mse) < 0.3 * n0


def test_alamouti_beats_multiplexing_for_the_same_bits():
    """4-QAM over two streams and 16-QAM in Alamouti's code: one rate, four times the diversity."""
    rng, wrong = np.random.default_rng(9), {}
    for scheme, order in (("multiplexing", 4), ("alamouti", 16)):
        frame, count = MimoFrame(PARAMS, scheme), 0
        for _ in range(12):
            channel = MimoChannel("rayleigh", sample_rate=3.84e6, rng=rng)
            bits = rng.integers(0, 2, frame.data * qam.bits_per_symbol(order)).astype(np.uint8)
            got = frame.demodulate(
                noise.add_awgn(channel.process(frame.modulate(qam.map_bits(bits, order))), 3e-3, rng)
            )
            count += int(np.sum(qam.demap_hard(got.symbols, order) != bits))
        wrong[scheme] = count
    assert wrong["alamouti"] < wrong["multiplexing"] / 2


def test_silence_and_nan_do_no_harm():
    frame = MimoFrame(PARAMS)
    for samples in (np.zeros((2, frame.samples)), np.full((2, frame.samples), np.nan)):
        got = frame.demodulate(samples)
        assert np.isfinite(got.symbols).all()
        assert np.all(got.noise_variance > 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MimoFrame(PARAMS, "beamforming"), "scheme must be one of alamouti, multiplexing, not 'beamforming'"),
        (lambda: MimoFrame(PARAMS, symbols=3), "symbols must be at least 4, two periods of pilots, not 3"),
        (lambda: MimoFrame(OfdmParams(dft_spread=True)), "dft_spread, window_len and first_cp_len must be left"),
        (lambda: MimoFrame(PARAMS).modulate(np.ones(5)), r"data must be \[4592\], not \[5\]"),
        (lambda: MimoFrame(PARAMS).demodulate(np.ones((2, 5))), r"received must be \[rx, 3864\], not \[2, 5\]"),
        (lambda: MimoFrame(PARAMS).demodulate(np.ones((1, 3864))), "received must have 2 antennas or more"),
        (
            lambda: MimoChannel("rayleigh", sample_rate=1.0, rng=np.random.default_rng(1)).process(np.ones((1, 3))),
            r"x must be \[tx = 2, n\], not \[1, 3\]",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()

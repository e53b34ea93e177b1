import dataclasses
import doctest

import numpy as np
import pytest
from scipy.stats import chi2

from semwave.modulation.fading import TdlChannel
from semwave.modulation.ofdm import BurstReceiver, BurstTransmitter, OfdmParams
from semwave.modulation.ofdm import receive as receive_module

HEADER = 144
PARAMS = OfdmParams()
OTHERS = {
    "64": OfdmParams(fft_size=64, cp_len=16, active=52, pilot_spacing_f=4, pilot_spacing_t=2),
    "1024": OfdmParams(fft_size=1024, cp_len=72, active=600, sample_rate=15.36e6),
    "not a power of two": OfdmParams(fft_size=100, cp_len=12, active=70),
    "comb": OfdmParams(pilot_pattern="comb"),
    "block": OfdmParams(pilot_pattern="block"),
    "spread": OfdmParams(dft_spread=True),
    "window": OfdmParams(window_len=8),
    "first prefix longer": OfdmParams(first_cp_len=32),
    "no prefix": OfdmParams(cp_len=0),
    "all carriers": OfdmParams(active=254),
}


def stream(signals, params, lengths, gaps):
    """Bursts with ``gaps[i]`` zeros before burst i; payloads, headers, true starts."""
    transmitter = BurstTransmitter(params, HEADER)
    parts, sent, starts, at = [], [], [], 0
    for n, gap in zip(lengths, gaps, strict=True):
        header, payload = signals.header(HEADER, n), signals.qpsk(n)
        samples = transmitter.burst(header, payload)
        parts += [np.zeros(gap, np.complex64), samples]
        starts.append(at + gap)
        sent.append((header, payload))
        at += gap + samples.size
    return np.concatenate(parts), sent, starts


def receive(signals, params, samples, **options):
    receiver = BurstReceiver(params, HEADER, signals.read_header, **options)
    return receiver.push(samples) + receiver.finish()


def assert_all(bursts, sent, starts, wrong, cp_len=20):
    assert [b.status for b in bursts] == ["ok"] * len(sent)
    for burst, (header, payload), start in zip(bursts, sent, starts, strict=True):
        assert abs(burst.start - start) <= max(cp_len // 2, 1)
        assert wrong(burst.header, header).errors == 0
        assert wrong(burst.payload, payload).errors == 0


@pytest.mark.parametrize("gaps", ["back to back", "short", "random"])
def test_nothing_is_lost_at_high_snr(signals, wrong, gaps):
    """Every length modulo a symbol's 172 or 173 data elements, in one stream without a single miss."""
    lengths = [0, 1, 2, 171, 172, 173, 5000, *signals.rng.integers(1, 1200, 45).tolist()]
    between = {"back to back": [0] * 52, "short": (np.arange(52) % 25).tolist()}
    gap = between.get(gaps) or signals.rng.integers(0, 500, 52).tolist()
    samples, sent, starts = stream(signals, PARAMS, lengths, gap)
    samples = signals.channel(samples, PARAMS, taps=(1, 0, 0.3j, 0.1), cfo=1.7, snr_db=30)
    assert_all(receive(signals, PARAMS, samples), sent, starts, wrong)


@pytest.mark.parametrize("cfo", [-3.75, -2.5, -0.5, 0.0, 0.49, 1.0, 3.75])
def test_carrier_offsets(signals, wrong, cfo):
    samples, sent, starts = stream(signals, PARAMS, [700, 300], [37, 0])
    samples = signals.channel(samples, PARAMS, cfo=cfo, snr_db=25)
    bursts = receive(signals, PARAMS, samples)
    assert_all(bursts, sent, starts, wrong)
    for burst in bursts:
        # preamble alone: 1.3 times the Cramer-Rao bound at 25 dB is 10 Hz
        assert abs(burst.report.cfo_hz - cfo * 15e3) < 4.5 * 10


@pytest.mark.parametrize("name", OTHERS)
def test_other_numerologies(signals, wrong, name):
    params = OTHERS[name]
    samples, sent, starts = stream(signals, params, [1, 0, 400, 1500], [50, 0, 333, 1])
    taps = (1, 0.2j) if params.cp_len else (1,)
    samples = signals.channel(samples, params, taps, cfo=-0.8, snr_db=28)
    assert_all(receive(signals, params, samples), sent, starts, wrong, params.cp_len)


@pytest.mark.parametrize("name", OTHERS)
def test_no_error_floor_at_40_db(signals, wrong, name):
    params = OTHERS[name]
    samples, sent, _ = stream(signals, params, [1000], [77])
    (burst,) = receive(signals, params, signals.channel(samples, params, cfo=0.2, snr_db=40))
    assert wrong(burst.payload, sent[0][1]).mse_db < -37.5
    assert wrong(burst.header, sent[0][0]).mse_db < -37


def test_any_cut_gives_the_same_bits(signals):
    samples, _, _ = stream(signals, PARAMS, [300, 0, 1000, 20], [120, 0, 5, 300])
    samples = signals.channel(samples, PARAMS, taps=(1, 0.4, 0.2j), cfo=-1.3, snr_db=8)[:-400]  # the last is cut short
    whole = receive(signals, PARAMS, samples)
    assert [b.status for b in whole] == ["ok", "ok", "ok", "truncated"]
    for pieces in (2, 9, 400, samples.size // 7):
        cuts = np.sort(signals.rng.integers(0, samples.size, pieces))
        receiver = BurstReceiver(PARAMS, HEADER, signals.read_header)
        bursts = [b for part in np.split(samples, cuts) for b in receiver.push(part)] + receiver.finish()
        assert len(bursts) == len(whole)
        for a, b in zip(bursts, whole, strict=True):
            assert_same(a, b)


def assert_same(a, b):
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if dataclasses.is_dataclass(x):
            assert_same(x, y)
        else:
            np.testing.assert_array_equal(x, y, err_msg=field.name)


def test_snr_noise_and_error_are_reported_right(signals, wrong):
    """Errors over said noise variance are chi-square; so are the pilots behind ``noise_variance``."""
    for snr_db in (0.0, 10.0, 25.0):
        samples, sent, _ = stream(signals, PARAMS, [4000], [400])
        receiver = BurstReceiver(PARAMS, HEADER, lambda *_: 4000)
        (burst,) = receiver.push(signals.channel(samples, PARAMS, (1, 0.5j), 0.7, snr_db)) + receiver.finish()
        payload = sent[0][1]
        ratio = np.mean(np.abs(burst.payload - payload) ** 2 / burst.noise_variance)
        # 2 * 4000 degrees; 5 % more for the estimated noise level, common to all symbols
        low, high = chi2.ppf([1e-4, 1 - 1e-4], 8000) / 8000
        assert 0.85 * low < ratio < 1.15 * high
        n0 = 10 ** (-snr_db / 10)
        low, high = chi2.ppf([1e-4, 1 - 1e-4], 2 * 300) / 600  # some 155 of the preamble, 190 pilots less unknowns
        assert low < burst.report.noise_variance / n0 < high
        assert abs(burst.report.snr_db - snr_db) < 1.5
        assert burst.report.evm_db < -snr_db + 1.5


def test_report_of_a_known_channel(signals):
    samples, _, _ = stream(signals, PARAMS, [3000], [500])
    taps = np.zeros(9)
    taps[[0, 8]] = 1
    (burst,) = receive(signals, PARAMS, signals.channel(samples, PARAMS, taps, 0.3, 30))
    report = burst.report
    np.testing.assert_allclose(
        report.delay_spread_s, 4 / PARAMS.sample_rate, rtol=0.1
    )  # two equal paths, 8 samples apart
    assert report.sampling_offset_ppm == 0
    expected = np.sqrt(0.5) * np.abs(1 + np.exp(-2j * np.pi * 8 * PARAMS.carriers / 256))
    assert np.mean((np.abs(report.channel) - expected) ** 2) < 0.5 * 1e-3  # pilots and preamble beat one pilot's noise
    assert 0 < report.metric <= 1
    assert abs(burst.start - 500) <= 2


def test_fractional_timing(signals):
    samples, _, _ = stream(signals, PARAMS, [100], [300])
    spectrum = np.fft.fft(samples)
    f = np.fft.fftfreq(samples.size)
    for delay in (0.0, 0.25, 0.5):
        moved = np.fft.ifft(spectrum * np.exp(-2j * np.pi * f * delay))
        (burst,) = receive(signals, PARAMS, signals.channel(moved, PARAMS, snr_db=25))
        assert abs(burst.report.timing - 300 - delay) < 0.1


def test_constant_offset_of_the_receiver(signals, wrong):
    for cfo in (0.0, -0.4, 2.0):
        samples, sent, starts = stream(signals, PARAMS, [800, 100], [300, 0])
        samples = signals.channel(samples, PARAMS, cfo=cfo, snr_db=25, dc=2 - 3j)  # 12 dB above the signal
        assert_all(receive(signals, PARAMS, samples), sent, starts, wrong)


def test_silence_and_bad_samples(signals, wrong):
    samples, sent, starts = stream(signals, PARAMS, [800, 100], [3000, 500])
    samples = signals.channel(samples, PARAMS, snr_db=25)
    samples[:2000] = 0
    samples[100:140] = np.nan
    samples[2500] = complex(np.inf, 0)
    samples[starts[1] - 200] = complex(0, -np.inf)
    receiver = BurstReceiver(PARAMS, HEADER, signals.read_header)
    bursts = receiver.push(samples) + receiver.finish()
    assert_all(bursts, sent, starts, wrong)
    assert receiver.bad_samples == 42


def test_truncated_burst_is_reported_with_what_came(signals):
    samples, sent, _ = stream(signals, PARAMS, [1500], [100])
    cut = 100 + 276 * 7 + 5  # preamble, header, four symbols of payload
    (burst,) = receive(signals, PARAMS, signals.channel(samples, PARAMS, snr_db=25)[:cut])
    assert burst.status == "truncated"
    there = np.isfinite(burst.noise_variance)
    assert there.sum() == PARAMS.data_count(5) - PARAMS.data_count(1)
    assert (np.sign(burst.payload.real) == np.sign(sent[0][1].real))[there].all()
    assert not burst.payload[~there].any()
    (burst,) = receive(signals, PARAMS, signals.channel(samples, PARAMS, snr_db=25)[: 100 + 600])
    assert (burst.status, burst.header.size, burst.payload.size) == ("truncated", 0, 0)


def test_header_that_does_not_decode_costs_no_other_burst(signals, wrong):
    samples, sent, _ = stream(signals, PARAMS, [300, 200, 100], [0, 0, 0])
    answers = iter([None, 200, 100])
    receiver = BurstReceiver(PARAMS, HEADER, lambda header, noise_variance: next(answers))
    samples = signals.channel(samples, PARAMS, snr_db=25)
    bursts = receiver.push(samples) + receiver.finish()
    assert [b.status for b in bursts] == ["header", "ok", "ok"]
    assert wrong(bursts[0].header, sent[0][0]).errors == 0
    assert wrong(bursts[2].payload, sent[2][1]).errors == 0


def test_lying_header_neither_waits_nor_allocates_without_bound(signals, wrong):
    samples, sent, _ = stream(signals, PARAMS, [300, 200, 100], [0, 50, 50])
    samples = signals.channel(samples, PARAMS, snr_db=25)
    for lie in (10**15, 20_001, -1):  # more than max_payload: not believed, nothing lost
        answers = [lie, 200, 100][::-1]
        receiver = BurstReceiver(PARAMS, HEADER, lambda *_, left=answers: left.pop(), max_payload=20_000)
        assert [b.status for b in receiver.push(samples) + receiver.finish()] == ["header", "ok", "ok"]
    answers = iter([20_000, 200, 100])  # believed: waited for as long as 20 000 symbols take, and no longer
    receiver = BurstReceiver(PARAMS, HEADER, lambda *_: next(answers, None), max_payload=20_000)
    bursts = receiver.push(samples) + receiver.finish()
    assert [b.status for b in bursts] == ["truncated", "ok", "ok"]
    assert wrong(bursts[2].payload, sent[2][1]).errors == 0


def test_memory_is_bounded_in_noise(signals):
    receiver = BurstReceiver(PARAMS, HEADER, signals.read_header)
    for _ in range(30):
        receiver.push(signals.noise(20_000))
    assert receiver._buffer._data.size < 120_000
    assert receiver._metric.size < 3000


@pytest.mark.parametrize("ppm", [-60, 60])
def test_sampling_clock_offset(signals, wrong, ppm):
    samples, sent, _ = stream(signals, PARAMS, [20_000, 500], [200, 0])
    samples = np.append(samples, np.zeros(300))
    positions = np.arange(int(samples.size * (1 + ppm * 1e-6)) - 40) / (1 + ppm * 1e-6)
    base, fraction = np.divmod(positions, 1)
    padded = np.concatenate([np.zeros(16), samples, np.zeros(18)])
    moved = sum(
        padded[base.astype(int) + 16 + k] * np.sinc(fraction - k) * np.cos(np.pi * (fraction - k) / 34) ** 2
        for k in range(-15, 17)
    )
    bursts = receive(signals, PARAMS, signals.channel(moved, PARAMS, cfo=0.4, snr_db=25))
    assert [b.status for b in bursts] == ["ok", "ok"]
    for burst, (_, payload) in zip(bursts, sent, strict=True):
        assert wrong(burst.payload, payload).errors == 0
    assert abs(bursts[0].report.sampling_offset_ppm - ppm) < 3


def test_errors(signals):
    with pytest.raises(ValueError, match="max_payload must be at least 0, not -1"):
        BurstReceiver(PARAMS, HEADER, signals.read_header, max_payload=-1)
    with pytest.raises(ValueError, match=r"samples must be \[n\], not \[2, 3\]"):
        BurstReceiver(PARAMS, HEADER, signals.read_header).push(np.zeros((2, 3)))


@pytest.mark.parametrize(("snr_db", "doppler_hz"), [(6.0, 200.0), (20.0, 30.0)])
def test_fading(signals, snr_db, doppler_hz):
    """TDL-C, 300 ns: none lost, and errors as large as the receiver says."""
    transmitter, ratios, headers = BurstTransmitter(PARAMS, HEADER), [], []
    for _ in range(20):
        header, payload = signals.qpsk(HEADER), signals.qpsk(2000)
        channel = TdlChannel("TDL-C", sample_rate=PARAMS.sample_rate, doppler_hz=doppler_hz, rng=signals.rng)
        samples = channel.process(np.pad(transmitter.burst(header, payload), 400))
        receiver = BurstReceiver(PARAMS, HEADER, lambda *_: 2000)
        samples = signals.channel(samples, PARAMS, cfo=1.1, snr_db=snr_db)
        (burst,) = receiver.push(samples) + receiver.finish()
        assert burst.status == "ok"
        assert -2 <= burst.start - 400 - channel.delay <= PARAMS.cp_len // 2
        ratios.append(np.mean(np.abs(burst.payload - payload) ** 2 / burst.noise_variance))
        headers.append(np.mean(np.abs(burst.header - header) ** 2 / burst.header_noise_variance))
    assert 0.93 < np.mean(ratios) < 1.07 + 4 * np.std(ratios) / np.sqrt(20)
    assert 0.85 < np.median(headers) < 1.15


def test_example():
    scope = {"BurstTransmitter": BurstTransmitter}
    assert doctest.testmod(receive_module, extraglobs=scope) == (0, 5)

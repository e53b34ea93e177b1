import numpy as np
import pytest
from scipy.stats import beta

from semwave.modulation.ofdm import BurstReceiver, OfdmParams, PreambleSearch, preamble

START, LENGTH = 700, 1800


def one(signals, search, params, snr_db, cfo, taps=(1,)):
    """Detection of one preamble at START, followed by data, as a receiver would look for it."""
    x = np.zeros(LENGTH, np.complex64)
    known = preamble.template(params)
    x[START : START + known.size] = known
    rest = LENGTH - START - known.size
    x[START + known.size :] = signals.noise(rest, params.active / params.fft_size)
    x = signals.channel(x, params, taps, cfo, snr_db)
    metric = search.metric(x)
    hop = int(metric.argmax())
    if metric[hop] <= search.first_threshold:
        return None
    return search.locate(lambda a, b: x[a:b], hop * search.hop, 0)


def lower_bound(hits, trials):
    """Clopper-Pearson, one-sided 95 %."""
    return beta.ppf(0.05, hits, trials - hits + 1)


@pytest.mark.parametrize("taps", [(1,), (0.6, 0, 0.5j, 0.4, 0, 0, 0.3)])
def test_detection_and_timing_at_0_db(signals, taps):
    params = OfdmParams()
    search, trials, hits = PreambleSearch(params), 300, 0
    for _ in range(trials):
        found = one(signals, search, params, 0.0, signals.rng.uniform(-3.75, 3.75), taps)
        hits += found is not None and 0 <= found.start - START < params.cp_len
    assert lower_bound(hits, trials) > 0.98


def test_carrier_offset_is_near_the_cramer_rao_bound(signals):
    """For a known tone in n samples of SNR g: var(omega) >= 6 / (g n^3) (Rife and Boorstyn, 1974).

    The turn from A's to B's middle alone, instead of all samples, costs a factor of about 1.25 in deviation.
    """
    params = OfdmParams()
    search, trials = PreambleSearch(params), 300
    for snr_db in (0.0, 15.0):
        errors = []
        for _ in range(trials):
            cfo = signals.rng.uniform(-3.75, 3.75)
            errors.append(one(signals, search, params, snr_db, cfo).cfo - 2 * np.pi * cfo / 256)
        bound = np.sqrt(6 / (180 / 256 * 10 ** (snr_db / 10) * preamble.length(params) ** 3))
        # a mean square of 300 has a relative deviation of sqrt(2 / 300)
        assert np.mean(np.square(errors)) < (1.3 * bound) ** 2 * (1 + 3 * np.sqrt(2 / trials))
        assert abs(np.mean(errors)) < 4 * 1.3 * bound / np.sqrt(trials)


def test_no_false_alarm_in_noise(signals):
    """0 in n samples: the rate is below 3 / n with 95 % confidence; benchmarks/ofdm_sync.py counts longer."""
    for params in (OfdmParams(), OfdmParams(fft_size=64, cp_len=16, active=52, pilot_spacing_f=4)):
        receiver = BurstReceiver(params, 50, lambda header, noise_variance: None)
        for _ in range(10):
            assert receiver.push(signals.noise(100_000)) == []
        assert receiver.finish() == []


def test_no_false_alarm_from_other_signals(signals):
    params = OfdmParams()
    n = np.arange(30_000)
    tone = np.exp(2j * np.pi * 0.0123 * n)
    comb = np.tile(signals.noise(32), 1000)[:30_000]  # periodic as part A, but not part A
    for x in (tone, comb, np.full(30_000, 5 + 0j), np.sign(np.sin(n / 40)) + 0j):
        receiver = BurstReceiver(params, 50, lambda header, noise_variance: None)
        x = (x + signals.noise(n.size, 0.01)).astype(np.complex64)
        assert receiver.push(x) + receiver.finish() == []


def test_earliest_is_respected(signals):
    params = OfdmParams()
    search = PreambleSearch(params)
    x = np.concatenate([np.zeros(START), preamble.template(params), np.zeros(600)]).astype(np.complex64)
    x += signals.noise(x.size, 1e-3)
    hop = int(search.metric(x).argmax()) * search.hop
    assert search.locate(lambda a, b: x[a:b], hop, START).start == START
    assert search.locate(lambda a, b: x[a:b], hop, START + 1) is None

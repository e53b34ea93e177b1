"""Loopback: every rate, offsets, clocks, echoes, noise, any cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation.ieee80211 import Receiver, TxFormat, aggregate, params, transmit

# Es/N0 at which frames of 1000 octets come through, about 3 dB above the knee of each rate
ENOUGH = {6: 6, 9: 9, 12: 9, 18: 12, 24: 15, 36: 19, 48: 24, 54: 26}
HT_ENOUGH = (6, 9, 12, 15, 19, 24, 26, 28)


def the_one(found, psdu):
    assert [p.status for p in found] == ["ok"]
    assert found[0].psdu == psdu
    return found[0]


@pytest.mark.parametrize("rate", sorted(params.RATE_BITS))
@pytest.mark.parametrize("length", [5, 14, 101, 1536, 4095])
def test_legacy(air, rate, length):
    psdu, seed = air.mpdu(length), int(air.rng.integers(1, 128))
    cfo = air.rng.uniform(-100e3, 100e3)
    x = transmit(psdu, TxFormat(rate, seed=seed, window=length % 3))
    got = the_one(air.receive(air.send(x, ENOUGH[rate], cfo)), psdu)
    assert (got.format, got.rate_mbps, got.mcs, got.length, got.seed) == ("11a/g", rate, None, length, seed)
    assert -6 <= got.start - 400 <= 1  # noise may pass for an early path: nothing is lost in the guard
    assert got.ltf == got.start + 192
    assert got.end == got.start + 80 * (x.size // 80)
    # two symbols of 64 samples: deviation sqrt(1 / (64 SNR)) / (2 pi 64) of the sample rate
    deviation = 20e6 / (2 * np.pi * 64) / np.sqrt(64 * 10 ** (ENOUGH[rate] / 10))
    assert abs(got.cfo_hz - cfo) < 4.5 * deviation
    # 52 carriers: deviation of about 0.6 dB; the EVM shows the same noise and that of the estimates
    assert got.snr_db == pytest.approx(ENOUGH[rate], abs=3)
    if length > 100:
        assert got.evm_db < -ENOUGH[rate] + 3
    assert got.channel.shape == (52,)
    assert [m.fcs_ok for m in got.mpdus] == [True]


@pytest.mark.parametrize("mcs", range(8))
@pytest.mark.parametrize("ldpc", [False, True])
@pytest.mark.parametrize("short_gi", [False, True])
def test_ht(air, mcs, ldpc, short_gi):
    for length, aggregation in ((33, False), (700, True), (1700, False)):
        mpdus = [air.mpdu(length // 3 + i) for i in range(3)] if aggregation else [air.mpdu(length)]
        psdu = aggregate(mpdus) if aggregation else mpdus[0]
        form = TxFormat(mcs=mcs, ldpc=ldpc, short_gi=short_gi, aggregation=aggregation)
        x = air.send(transmit(psdu, form), HT_ENOUGH[mcs], air.rng.uniform(-100e3, 100e3))
        got = the_one(air.receive(x), psdu)
        assert (got.format, got.mcs, got.short_gi, got.ldpc, got.aggregation) == (
            "11n", mcs, short_gi, ldpc, aggregation,
        )  # fmt: skip
        assert [m.data for m in got.mpdus] == mpdus
        assert got.channel.shape == (56,)


@pytest.mark.parametrize("rate", [6, 24, 54])
@pytest.mark.parametrize("cfo_hz", [-232e3, 0, 232e3])  # 40 ppm at 5.8 GHz
@pytest.mark.parametrize("clock", [-40e-6, 0, 40e-6])
def test_oscillators_far_apart(air, rate, cfo_hz, clock):
    psdu = air.mpdu(4000)  # up to 5.4 ms: the clock slips by 4 samples
    x = air.send(transmit(psdu, TxFormat(rate)), ENOUGH[rate] + 2, cfo_hz, clock=clock)
    the_one(air.receive(x), psdu)


@pytest.mark.parametrize("rate", [6, 12, 24, 54])
def test_echoes(air, rate):
    # twenty channels of ten paths that fall by e every 3 samples; fades cost some of them their rate
    good = 0
    for _ in range(20):
        psdu = air.mpdu(300)
        x = air.send(transmit(psdu, TxFormat(rate)), ENOUGH[rate] + 9, 30e3, air.taps(10, 3))
        found = air.receive(x)
        assert [p.length for p in found] == [300]
        good += found[0].ok
    assert good >= 18


@pytest.mark.parametrize("rate, snr_db", [(6, 2), (24, 10), (54, 19)])
def test_sensitivity(air, rate, snr_db):
    # at a true packet error rate of 2 %, more than 4 errors in 40 frames have probability 0.1 %
    errors = 0
    for _ in range(40):
        psdu = air.mpdu(500)
        found = air.receive(air.send(transmit(psdu, TxFormat(rate)), snr_db, air.rng.uniform(-100e3, 100e3)))
        errors += [p.psdu for p in found if p.ok] != [psdu]
    assert errors <= 4


@pytest.mark.parametrize("dc_db", [-10, 4, 11])
@pytest.mark.parametrize("cfo_hz", [-40e3, 0, 90e3])
def test_dc_offset(air, dc_db, cfo_hz):
    dc = np.sqrt(52 / 64) * 10 ** (dc_db / 20) * np.exp(0.7j)
    psdu = air.mpdu(364)
    x = air.send(transmit(psdu, TxFormat(6)), 25, cfo_hz, dc=dc, before=3000)
    the_one(air.receive(x), psdu)


def test_dc_that_dies_away(air):
    psdus = [air.mpdu(300) for _ in range(10)]
    for psdu in psdus:
        x = air.send(transmit(psdu, TxFormat(24)), 30, 40e3, before=1500)
        x += (3 * np.exp(-np.arange(x.size) / 3000)).astype(np.complex64)
        the_one(air.receive(x), psdu)


@pytest.mark.parametrize("gap, level", [(4, 0.5), (7, 0.35), (9, 0.3)])
def test_a_weak_path_before_the_strongest(air, gap, level):
    psdu = air.mpdu(300)
    x = air.send(transmit(psdu, TxFormat(54)), 35, 40e3, [level, *[0] * (gap - 1), 1])
    got = the_one(air.receive(x), psdu)
    assert abs(got.start - 400) <= 1


def test_two_transmitters_back_to_back_at_other_levels(air):
    # no gap at all, another carrier offset and level each time, rates mixed
    psdus, parts = [], []
    forms = [TxFormat(54), TxFormat(6), TxFormat(mcs=5), TxFormat(mcs=2, short_gi=True), TxFormat(24)]
    for i, form in enumerate(forms):
        psdus.append(air.mpdu(90 + 31 * i))
        x = transmit(psdus[-1], form)
        offset = (-34e3, -16e3)[i % 2]
        parts.append(x * np.exp(2j * np.pi * offset / 20e6 * np.arange(x.size)) * (1, 0.1, 0.7, 1.5, 0.2)[i])
    x = air.send(np.concatenate(parts), 50)
    found = air.receive(x)
    assert [p.psdu for p in found] == psdus
    assert [round(p.cfo_hz / 2e3) * 2 for p in found] == [-34, -16, -34, -16, -34]


@pytest.fixture(scope="module")
def busy():
    """A stream with all that may happen, and what is received of it whole."""
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((42000, 2)).astype(np.float32).view(np.complex64)[:, 0] * np.float32(0.05)
    at = 700
    forms = [TxFormat(6), TxFormat(54), TxFormat(mcs=7, ldpc=True), TxFormat(mcs=1), TxFormat(12)]
    for i, form in enumerate(forms * 2):
        x = transmit(rng.bytes(60 + 37 * i), form)  # no FCS: the receiver also searches inside
        noise[at : at + x.size] += x * np.exp(0.01j * np.arange(x.size))
        at += x.size + (0, 5, 333)[i % 3]
    noise[at + 500 : at + 520] = np.nan
    last = transmit(rng.bytes(2000), TxFormat(6))
    noise[40000:] += last[:2000]
    assert at < 39000
    receiver = Receiver()
    return noise, receiver.push(noise) + receiver.finish()


def facts(found):
    return [
        (p.start, p.status, p.format, p.length, p.psdu, p.cfo_hz, p.snr_db, repr(p.evm_db), p.channel.tobytes(), p.seed)
        for p in found
    ]


def test_the_busy_stream(busy):
    found = busy[1]
    assert [p.length for p in found] == [60 + 37 * i for i in range(10)] + [2000]
    assert [p.status for p in found] == ["bad FCS"] * 10 + ["truncated"]


@settings(max_examples=12)
@given(st.lists(st.integers(0, 42000), max_size=40))
def test_any_cut_gives_the_same_to_the_bit(busy, cuts):
    samples, whole = busy
    receiver, found = Receiver(), []
    for piece in np.split(samples, sorted(cuts)):
        found += receiver.push(piece)
    assert facts(found + receiver.finish()) == facts(whole)


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_equal_pieces_give_the_same_to_the_bit(busy, size):
    samples, whole = busy
    samples = samples[:6000] if size == 1 else samples
    receiver, reference = Receiver(), Receiver()
    found = [p for at in range(0, samples.size, size) for p in receiver.push(samples[at : at + size])]
    if size == 1:
        whole = reference.push(samples) + reference.finish()
    assert facts(found + receiver.finish()) == facts(whole)


def test_frames_come_out_as_soon_as_they_are_complete(air):
    x = air.send(transmit(air.mpdu(200), TxFormat(24)), after=1000)
    receiver = Receiver()
    assert receiver.push(x[:1300]) == []
    assert [p.status for p in receiver.push(x[1300:])] == ["ok"]


def test_cut_off_frames_are_reported_as_truncated(air):
    x = air.send(transmit(air.mpdu(200), TxFormat(6)), after=0)
    for left, length in ((760, 0), (1000, 200), (x.size - 80, 200)):
        assert [(p.status, p.length) for p in air.receive(x[:left])] == [("truncated", length)]
    assert air.receive(x[:600]) == []  # nothing to be sure of


def test_memory_is_bounded(air):
    receiver = Receiver()
    for _ in range(60):
        receiver.push(air.noise(1 << 15))
    assert receiver._buffer._data.size <= 1 << 17


def test_wrong_values():
    with pytest.raises(ValueError, match=r"sample_rate must be 20e6 samples/s .* not 2.5e\+07"):
        Receiver(25e6)
    with pytest.raises(ValueError, match=r"samples must have one axis, not shape \(2, 3\)"):
        Receiver().push(np.zeros((2, 3)))

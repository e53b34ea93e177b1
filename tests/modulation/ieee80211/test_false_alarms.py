"""What is no Wi-Fi must give nothing, and frames of other kinds a word and nothing lost."""

import numpy as np
import pytest

from semwave.modulation.ieee80211 import Receiver, TxFormat, coding, fields, params, transmit

N = 120_000


def test_noise(air):
    # 4 million samples are half a million looks at 8 samples: with none in them, fewer than 6e-6 a look (95 %)
    receiver = Receiver()
    for _ in range(16):
        assert receiver.push(air.noise(1 << 18)) == []
    assert receiver.finish() == []


def others(air):
    t = np.arange(N)
    hiss = 0.01 * air.noise(N)
    yield "silence", np.zeros(N)
    yield "DC", np.full(N, 300 + 400j)
    yield "DC step and noise", np.where(t < N // 2, 1, -3) + hiss
    yield "tone", np.exp(0.3j * t)
    yield "tone on a short-field line", np.exp(2j * np.pi / 16 * t) + hiss
    yield "three tones", np.exp(0.3j * t) + np.exp(1.3j * t) + np.exp(-2j * t) + hiss
    yield "period of 16", np.resize(air.noise(16), N) + hiss
    yield "period of 64", np.resize(air.noise(64), N) + hiss
    yield "short field for ever", np.resize(params.short_period(), N) + hiss
    yield "long symbols for ever", np.resize(params.long_symbol(), N) + hiss
    yield "chirp", np.exp(2e-5j * t**2)
    yield "bursts of noise", air.noise(N) * (t % 4000 < 700)
    yield "NaN and infinity", np.where(t % 1000 < 3, np.nan, np.where(t % 777 == 0, np.inf, hiss))


def test_other_signals(air):
    for name, samples in others(air):
        assert air.receive(samples) == [], name


def test_not_a_number_inside_a_frame_spoils_that_frame_only(air):
    psdu = air.mpdu(300)
    x = transmit(psdu, TxFormat(24))
    x = air.send(np.concatenate([x, np.zeros(50), x]))
    x[1000:1200] = np.nan
    receiver = Receiver()
    found = receiver.push(x) + receiver.finish()
    assert [p.status for p in found] == ["bad FCS", "ok"]
    assert receiver.bad_samples == 200


def ht_frame(air, sig, symbols, long_fields=1):
    """An HT mixed-format frame with data that nobody can decode."""
    after = 160 + 80 + 80 * long_fields + 80 * symbols
    x = [air.start_of(3 * (after // 80) - 3), air.signal_symbols(sig.bits(), [True, True])]
    x += [np.tile(params.short_period(), 5), air.noise(80 * (long_fields + symbols), 0.8)]
    return np.concatenate(x)


UNSUPPORTED = {
    "MCS 14, 2 spatial streams": (fields.HtSig(14, 1000), 20, 2),
    "MCS 31, 4 spatial streams": (fields.HtSig(31, 500), 5, 4),
    "40 MHz": (fields.HtSig(3, 400, bandwidth_40=True), 20, 1),
    "space-time block coding": (fields.HtSig(3, 400, stbc=1), 20, 2),
    "null data packet": (fields.HtSig(0, 0), 0, 1),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_ht_that_one_antenna_cannot_take(air, what):
    sig, symbols, long_fields = UNSUPPORTED[what]
    psdu = air.mpdu(120)
    x = ht_frame(air, sig, symbols, long_fields)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))]), 28, 50e3))
    assert len(found) == 2
    assert found[0].status.startswith("unsupported: ")
    assert what in found[0].status
    assert (found[0].format, found[0].mcs, found[0].length) == ("11n", sig.mcs, sig.length)
    assert found[0].end == found[0].start + x.size
    assert found[1].psdu == psdu


def test_ht_greenfield(air):
    sig = fields.HtSig(8 + 3, 400)
    signal = air.signal_symbols(sig.bits(), [True, True], first=0)
    symbols = -(-(16 + 3200 + 6) // 208) + 1
    x = np.concatenate([transmit(b"x", TxFormat(6))[:320], signal, air.noise(80 * symbols, 0.8)])
    psdu = air.mpdu(120)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))])))
    assert [(p.status, p.mcs) for p in found] == [("unsupported: HT greenfield, MCS 11", 11), ("ok", None)]
    assert found[0].end == found[0].start + x.size


def test_vht(air):
    from semwave.modulation import crc

    # single user, 80 MHz, two space-time streams, MCS 9 (tables 21-11 and 21-12)
    one = [0, 1, 1, 0, *[0] * 6, *[1, 0, 0], *[0] * 9, 0, 1]
    two = [1, 0, 1, 0, *[1, 0, 0, 1], 0, 1]
    bits = crc.append(np.array(one + two, np.uint8), "ht-sig")
    signal = air.signal_symbols(bits, [False, True])
    x = np.concatenate([air.start_of(3 * 22 - 3), signal, air.noise(20 * 80, 0.8)])
    psdu = air.mpdu(120)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))])))
    assert [p.status for p in found] == ["unsupported: VHT MCS 9, 2 space-time streams, 80 MHz", "ok"]
    assert found[0].format == "11ac"
    assert found[0].end == found[0].start + x.size


def test_repeated_l_sig(air):
    start = air.start_of(3 * 22 - 5)  # 61: a length that no VHT PPDU has
    again = coding.map_symbols(fields.encode(fields.LSig(6, 61).bits()), params.legacy_mode(6))
    repeated = air.ofdm(again, params.LEGACY, params.legacy_pilots(1, 1))
    x = np.concatenate([start, repeated, air.noise(21 * 80, 0.8)])
    psdu = air.mpdu(120)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))])))
    assert [p.status for p in found] == ["unsupported: HE or later (repeated L-SIG)", "ok"]
    assert found[0].format == "11ax"


def test_a_wrong_signal_field_and_the_frame_after_it(air):
    x = transmit(air.mpdu(200), TxFormat(12))
    x[320:400] = air.ofdm(air.rng.choice([-1.0, 1.0], (1, 48)), params.LEGACY, params.legacy_pilots(0, 1))
    psdu = air.mpdu(120)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))])))
    assert [p.status for p in found] == ["bad signal field", "ok"]
    assert found[1].psdu == psdu


def test_a_wrong_ht_sig_and_the_frame_after_it(air):
    bits = fields.HtSig(4, 300).bits()
    bits[3] ^= 1
    start = air.start_of(60)
    x = np.concatenate([start, air.signal_symbols(bits, [True, True]), np.tile(params.short_period(), 5)])
    x = np.concatenate([x, air.noise(18 * 80, 0.8)])
    psdu = air.mpdu(120)
    found = air.receive(air.send(np.concatenate([x, transmit(psdu, TxFormat(36))])))
    assert [(p.status, p.format) for p in found] == [("bad signal field", "11n"), ("ok", "11a/g")]


def test_a_stronger_frame_over_a_weak_one_is_received(air):
    weak, psdu = transmit(air.mpdu(1500), TxFormat(6)), air.mpdu(200)
    strong = transmit(psdu, TxFormat(24))
    x = 0.1 * weak
    x[5000 : 5000 + strong.size] += strong
    found = air.receive(air.send(x, 40))
    assert [p.status for p in found] == ["bad FCS", "ok"]
    assert found[1].psdu == psdu

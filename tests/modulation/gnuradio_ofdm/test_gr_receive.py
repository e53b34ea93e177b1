import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Receiver, Transmitter
from semwave.modulation.gnuradio_ofdm.frame import PILOTS

MODULATIONS = ("bpsk", "qpsk", "8psk")


def good(packets):
    return [p.payload.tobytes() for p in packets if p.status == "ok"]


def same(a, b):
    return [(p.start, p.status, p.number, p.payload.tobytes(), p.cfo, p.snr_db, p.evm_db) for p in a] == [
        (p.start, p.status, p.number, p.payload.tobytes(), p.cfo, p.snr_db, p.evm_db) for p in b
    ]


@pytest.mark.parametrize("modulation", MODULATIONS)
@pytest.mark.parametrize("scramble", [False, True])
def test_receives_recorded_gnuradio(recorded, receive, modulation, scramble):
    form, payloads, samples = recorded[modulation, scramble]
    packets = receive(samples, form)
    assert good(packets) == payloads
    assert [p.number for p in packets] == [0, 1, 2]
    assert [p.status for p in packets] == ["ok"] * 3


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_every_length_back_to_back(rng, receive, through, modulation):
    """All of them, where GNU Radio's receiver loses packets back to back and every second of some lengths of 8PSK."""
    form = GnuradioOfdmFormat(modulation, True)
    payloads = [rng.bytes(n) for n in [*range(1, 1002, 3), 1001]]
    packets = receive(through(Transmitter(form).frames(payloads), cfo=0.2), form)
    assert good(packets) == payloads
    assert len(packets) == len(payloads)


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_longest_packets(rng, receive, through, modulation):
    form = GnuradioOfdmFormat(modulation)
    payloads = [rng.bytes(4091), rng.bytes(4000)]
    assert good(receive(through(Transmitter(form).frames(payloads)), form)) == payloads


@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    gaps=st.lists(st.integers(0, 400), min_size=6, max_size=6),
    modulation=st.sampled_from(MODULATIONS),
    noisy=st.booleans(),
)
@settings(max_examples=40)
def test_any_gap_any_length(sizes, gaps, modulation, noisy):
    rng = np.random.default_rng(len(sizes) + gaps[0])
    form = GnuradioOfdmFormat(modulation, True)
    transmitter, payloads = Transmitter(form), [rng.bytes(n) for n in sizes]
    parts = [np.concatenate([np.zeros(g), transmitter.frame(p)]) for g, p in zip(gaps, payloads, strict=False)]
    x = np.concatenate(parts) + noisy * 0.2 * (rng.standard_normal((sum(map(len, parts)), 2)) @ [1, 1j])
    receiver = Receiver(form)
    assert good(receiver.push(x) + receiver.finish()) == payloads


@pytest.mark.parametrize("cfo", [-6.7, -3.3, -1.0, 0.0, 1.0, 2.3, 5.0, 6.7])
def test_carrier_offset(rng, receive, through, cfo):
    form = GnuradioOfdmFormat("qpsk", True)
    payloads = [rng.bytes(60) for _ in range(8)]
    packets = receive(through(Transmitter(form).frames(payloads, 70), cfo=cfo, snr_db=25), form)
    assert good(packets) == payloads
    np.testing.assert_allclose([p.cfo for p in packets], cfo, atol=0.01)


def stretch(x, ppm):
    """Samples by a clock that runs slow by so many parts in a million: windowed sinc."""
    at = 32 + np.arange(int((x.size - 64) / (1 + ppm * 1e-6))) * (1 + ppm * 1e-6)
    whole = np.floor(at).astype(int)
    taps = np.arange(-24, 25)
    d = (at - whole)[:, None] - taps
    return np.sum(np.sinc(d) * np.cos(np.pi * d / 52) ** 2 * x[whole[:, None] + taps], axis=1)


@pytest.mark.parametrize("modulation", MODULATIONS)
@pytest.mark.parametrize("ppm", [-200, 200])
def test_sampling_clocks_apart(rng, receive, through, modulation, ppm):
    form = GnuradioOfdmFormat(modulation, True)
    payloads = [rng.bytes(1001) for _ in range(2)]
    x = np.concatenate([np.zeros(100), Transmitter(form).frames(payloads, 100)])
    packets = receive(through(stretch(x, ppm), cfo=0.3, snr_db=25), form)
    assert good(packets) == payloads
    np.testing.assert_allclose([p.sampling_offset_ppm for p in packets], -ppm, atol=8)


@pytest.mark.parametrize("taps", [[1, 0, 0, 0.7j], [0.1, 0, 0, 0, 0, 0, 0, 1], [0.4, 1, 0.5j, 0, 0, 0, 0, 0, 0.3]])
def test_echoes_within_the_prefix(rng, receive, through, taps):
    form = GnuradioOfdmFormat("8psk", True)
    payloads = [rng.bytes(90) for _ in range(12)]
    assert good(receive(through(Transmitter(form).frames(payloads, 20), taps, 1.7, 35), form)) == payloads


@pytest.mark.parametrize("dc", [0.5, 2, 40 - 20j])
def test_dc_offset(rng, receive, through, dc):
    form = GnuradioOfdmFormat("8psk", True)
    payloads = [rng.bytes(120) for _ in range(6)]
    x = np.concatenate([np.zeros(300), Transmitter(form).frames(payloads, 200)])
    packets = receive(through(x, cfo=0.3, dc=dc), form)
    assert good(packets) == payloads
    assert len(packets) == 6


@given(seed=st.integers(0, 99), most=st.sampled_from([1, 7, 100, 3000]))
@settings(max_examples=12)
def test_any_cut_gives_the_same(seed, most):
    rng = np.random.default_rng(seed)
    form = GnuradioOfdmFormat("bpsk", True)
    x = Transmitter(form).frames([rng.bytes(n) for n in (5, 60, 17)], 90)
    x = (x + 3 * (rng.standard_normal((x.size, 2)) @ [1, 1j])).astype(np.complex64)
    whole = Receiver(form)
    expected = whole.push(x) + whole.finish()
    pieces, got, at = Receiver(form), [], 0
    while at < x.size:
        n = int(rng.integers(1, most + 1))
        got += pieces.push(x[at : at + n])
        at += n
    assert same(got + pieces.finish(), expected)


def test_bad_crc_is_reported_and_hides_nothing(rng, through):
    form = GnuradioOfdmFormat("bpsk")
    payloads = [rng.bytes(50), rng.bytes(50)]
    x = Transmitter(form).frames(payloads)
    x[5 * 80 : 6 * 80] = x[9 * 80 : 10 * 80]  # a symbol of the first packet, overwritten by another
    receiver = Receiver(form)
    packets = receiver.push(through(x)) + receiver.finish()
    assert [p.status for p in packets] == ["crc", "ok"]
    assert receiver.counts == {"ok": 1, "crc": 1, "header": 0, "truncated": 0}
    assert packets[0].payload.size == 50
    assert packets[0].number == 0
    assert np.mean(packets[0].payload == np.frombuffer(payloads[0], np.uint8)) > 0.7


@pytest.mark.parametrize(("tail", "status"), [(9000, "truncated"), (30_000, "crc")])
def test_a_lying_header_hides_nothing(rng, through, tail, status):
    """A preamble and a header that promise 4091 bytes; the packets in what should be its payload come all the same."""
    form = GnuradioOfdmFormat("bpsk")
    liar = Transmitter(form).frame(rng.bytes(4091))[:240]
    payloads = [rng.bytes(200) for _ in range(14)]
    rest = Transmitter(form).frames(payloads, 100)
    receiver = Receiver(form)
    x = through(np.concatenate([liar, rest, np.zeros(tail)]))
    packets = []
    for at in range(0, x.size, 1000):
        packets += receiver.push(x[at : at + 1000])
        assert receiver._buffer._data.size < 300_000
    packets += receiver.finish()
    assert good(packets) == payloads
    assert [p.status for p in packets] == [status] + ["ok"] * 14


def test_truncated_packet(rng, receive, through):
    form = GnuradioOfdmFormat("qpsk")
    x = through(Transmitter(form, number=9).frame(rng.bytes(500)))
    (packet,) = receive(x[:2000], form)
    assert (packet.status, packet.number, packet.payload.size) == ("truncated", 9, 0)


def test_broken_header_is_reported(rng, receive, through):
    form = GnuradioOfdmFormat("bpsk")
    x = Transmitter(form).frames([rng.bytes(30)] * 2, 100)
    noise = rng.standard_normal((80, 2)) @ [1, 1j]
    x[160:240] = 5 * noise
    packets = receive(through(x), form)
    assert [p.status for p in packets] in (["header", "ok"], ["crc", "ok"])  # noise may pass for a header
    assert packets[0].start == 0


def test_silence_noise_and_nonsense(rng, receive):
    form = GnuradioOfdmFormat("8psk")
    assert receive(np.zeros(20_000, np.complex64), form) == []
    assert receive(np.empty(0, np.complex64), form) == []
    noise = (rng.standard_normal((300_000, 2)) @ [1, 1j]).astype(np.complex64)
    assert receive(noise, form) == []
    tone = np.exp(0.2j * np.arange(20_000))
    assert receive((100 * tone).astype(np.complex64), form) == []


def test_nan_and_infinity_are_silence(rng, through):
    form = GnuradioOfdmFormat("bpsk")
    payload = rng.bytes(40)
    x = through(np.concatenate([np.zeros(300), Transmitter(form).frame(payload), np.zeros(300)]))
    x[10], x[200], x[-5] = np.nan, complex(np.inf, 0), 1e35
    receiver = Receiver(form)
    assert good(receiver.push(x) + receiver.finish()) == [payload]
    assert receiver.bad_samples == 3


def test_any_level(rng, receive, through):
    form = GnuradioOfdmFormat("8psk", True)
    payload = rng.bytes(77)
    x = through(Transmitter(form).frame(payload))
    for level in (1e-9, 1e-3, 1e6):
        assert good(receive((level * x).astype(np.complex64), form)) == [payload]


def test_unit_power_qpsk(rng, receive, through):
    form = GnuradioOfdmFormat("qpsk", unit_power=True)
    payload = rng.bytes(300)
    (packet,) = receive(through(Transmitter(form).frame(payload), snr_db=20), form)
    assert packet.payload.tobytes() == payload
    # 52 of 64 carriers hold the power; 104 looks at the noise have a deviation of 0.4 dB
    assert packet.snr_db == pytest.approx(20 + 10 * np.log10(64 / 52), abs=1.7)


@pytest.mark.parametrize(("modulation", "snr_db"), [("bpsk", 7.5), ("qpsk", 9.5), ("8psk", 15.6)])
def test_packet_error_rate(rng, receive, modulation, snr_db):
    """Fewer than 10 % of 95-byte packets lost where liquid-dsp (7.5, 10.8, 16.1 dB) does not do it earlier."""
    form, count = GnuradioOfdmFormat(modulation, True), 150
    payloads = [rng.bytes(95) for _ in range(count)]
    x = Transmitter(form).frames(payloads, 160)
    power = np.mean(np.abs(x.reshape(count, -1)[:, :-160]) ** 2)
    x = x * np.exp(2j * np.pi * 0.3 / 64 * np.arange(x.size))
    x = x + np.sqrt(power / 2 * 10 ** (-snr_db / 10)) * (rng.standard_normal((x.size, 2)) @ [1, 1j])
    lost = count - len(set(good(receive(x.astype(np.complex64), form))) & set(payloads))
    assert lost <= binom.ppf(0.9999, count, 0.1)


def test_pilots_are_used(rng, receive, through):
    """Turning the phase by a symbol's pilots: a phase step between symbols, as of a bad oscillator, is followed."""
    form = GnuradioOfdmFormat("qpsk", True)
    payload = rng.bytes(400)
    x = Transmitter(form).frame(payload)
    walk = np.cumsum(rng.choice([-0.12, 0.12], x.size // 80))
    assert PILOTS.size == 4
    assert good(receive(through(x * np.exp(1j * np.repeat(walk, 80)), snr_db=25), form)) == [payload]


def test_refuses_what_is_no_stream():
    receiver = Receiver()
    with pytest.raises(ValueError, match=r"samples must be \[n\], not of shape \(2, 3\)"):
        receiver.push(np.zeros((2, 3)))
    receiver.finish()
    with pytest.raises(ValueError, match=r"samples must not come after finish\(\)"):
        receiver.push(np.zeros(3))

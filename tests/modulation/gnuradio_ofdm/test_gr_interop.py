"""The real GNU Radio, in a process of its own, at the other end."""

import sys
from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Transmitter

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "gnuradio"))
import ofdm_peer

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(ofdm_peer.version() is None, reason=ofdm_peer.MISSING),
]
BITS = {"bpsk": 1, "qpsk": 2, "8psk": 3}
LENGTHS = (1, 2, 3, 20, 95, 96, 100, 333, 1000, 1001)


def good(packets):
    return [p.payload.tobytes() for p in packets if p.status == "ok"]


@pytest.mark.parametrize("modulation", BITS)
@pytest.mark.parametrize("scramble", [False, True])
def test_we_receive_stock_frames(rng, receive, through, tmp_path, modulation, scramble):
    form, payloads = GnuradioOfdmFormat(modulation, scramble), [rng.bytes(n) for n in LENGTHS]
    samples = ofdm_peer.transmit(tmp_path, payloads, BITS[modulation], scramble)
    np.testing.assert_allclose(Transmitter(form).frames(payloads), samples, atol=2e-5)
    assert good(receive(through(samples, taps=[1, 0.3j], cfo=1.3), form)) == payloads


@pytest.mark.parametrize("modulation", BITS)
@pytest.mark.parametrize("scramble", [False, True])
def test_stock_receiver_takes_our_frames(rng, through, tmp_path, modulation, scramble):
    """All lengths that it can take: 8PSK packets of a number of bits that three does not divide spoil its next one."""
    lengths = [n for n in LENGTHS if modulation != "8psk" or 8 * (n + 4) % 3 == 0]
    payloads = [rng.bytes(n) for n in lengths]
    x = Transmitter(GnuradioOfdmFormat(modulation, scramble)).frames(payloads, 200)
    x = through(np.concatenate([np.zeros(500), x, np.zeros(2000)]), cfo=0.2, snr_db=40)
    assert ofdm_peer.receive(tmp_path, x, BITS[modulation], scramble) == payloads


def test_what_the_stock_receiver_loses(rng, receive, through, tmp_path):
    """Every second 8PSK packet of 95 bytes (792 bits are divisible by three, 96 bytes' 800 are not)."""
    form, payloads = GnuradioOfdmFormat("8psk", True), [rng.bytes(96) for _ in range(6)]
    x = Transmitter(form).frames(payloads, 200)
    x = through(np.concatenate([np.zeros(500), x, np.zeros(2000)]), snr_db=40)
    assert good(receive(x, form)) == payloads
    assert len(ofdm_peer.receive(tmp_path, x, 3, True)) < 6

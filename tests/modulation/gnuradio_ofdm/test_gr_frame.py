import numpy as np
import pytest

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, frame


def crc8(data):
    """CRC-8 bit by bit: x^8 + x^2 + x + 1 from 0xFF."""
    register = 0xFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register << 1 ^ (0x107 if register & 0x80 else 0)
    return register


def lfsr(seed, n):
    """The scrambler as GNU Radio's users know it: out goes bit 0, in comes the parity under 0x8A."""
    out = []
    for _ in range(n):
        out.append(seed & 1)
        seed = seed >> 1 | ((seed & 0x8A).bit_count() & 1) << 7
    return out


def test_carriers_are_those_of_80211a():
    assert frame.ACTIVE.tolist() == [*range(-26, 0), *range(1, 27)]
    assert frame.ACTIVE[frame.PILOTS].tolist() == [-21, -7, 7, 21]
    data = [*range(-26, -21), *range(-20, -7), *range(-6, 0), *range(1, 7), *range(8, 21), *range(22, 27)]
    assert frame.ACTIVE[frame.DATA].tolist() == data


def test_sync_words():
    one, two = frame.sync_words()
    odd = frame.BINS % 2 == 1
    np.testing.assert_allclose(np.abs(one), np.where(odd, np.sqrt(2), 0), rtol=1e-6)
    np.testing.assert_array_equal(np.abs(two), 1)
    legacy = np.random.RandomState(42).randint(2, size=52)  # one draw a carrier over bins 1..26, 38..63
    order = np.argsort(frame.BINS)
    np.testing.assert_array_equal(two[order], 1 - 2 * legacy)
    halves = frame.preamble()[16:80].reshape(2, 32)
    np.testing.assert_allclose(halves[0], -halves[1], atol=1e-5)


@pytest.mark.parametrize("scramble", [False, True])
def test_header_bits(scramble):
    n, number = 1005, 2731
    bits = GnuradioOfdmFormat("qpsk", scramble).header_bits(n, number).tolist()
    if scramble:
        bits = [b ^ s for b, s in zip(bits, lfsr(0x6F, 48), strict=True)]
    value = sum(b << i for i, b in enumerate(bits))
    assert value & 0xFFF == n
    assert value >> 12 & 0xFFF == number
    assert value >> 24 & 0xFF == crc8([n & 255, n >> 8, number & 255, number >> 8])
    assert value >> 32 == 0


def test_payload_scrambler():
    bits = np.unpackbits(GnuradioOfdmFormat("bpsk", True).payload_scrambler[:40], bitorder="little")
    assert bits.tolist() == lfsr(0x7F, 320)
    assert not GnuradioOfdmFormat("bpsk").payload_scrambler.any()


@pytest.mark.parametrize(("modulation", "power"), [("bpsk", 1), ("qpsk", 4), ("8psk", 1)])
def test_power_of_the_payload(modulation, power):
    points = GnuradioOfdmFormat(modulation).points
    np.testing.assert_allclose(np.abs(points) ** 2, power, rtol=1e-6)
    np.testing.assert_allclose(np.abs(GnuradioOfdmFormat(modulation, unit_power=True).points), 1, rtol=1e-6)


@pytest.mark.parametrize(("modulation", "payload", "symbols"), [("bpsk", 20, 4), ("qpsk", 1001, 84), ("8psk", 2, 1)])
def test_length(modulation, payload, symbols):
    assert GnuradioOfdmFormat(modulation).samples(payload) == (3 + symbols) * 80


def test_unknown_modulation():
    with pytest.raises(ValueError, match="modulation must be one of bpsk, qpsk, 8psk, not '16qam'"):
        GnuradioOfdmFormat("16qam")

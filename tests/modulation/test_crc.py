"""The checks against long division typed out, zlib, published check values and the standard's example."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import crc

EXPONENTS = {  # TS 38.212, 5.1, as printed
    "24A": (24, 23, 18, 17, 14, 11, 10, 7, 6, 5, 4, 3, 1, 0),
    "24B": (24, 23, 6, 5, 1, 0),
    "24C": (24, 23, 21, 20, 17, 15, 13, 12, 8, 4, 2, 1, 0),
    "16": (16, 12, 5, 0),
    "11": (11, 10, 9, 5, 0),
    "6": (6, 5, 0),
}


def long_division(bits, exponents):
    """Remainder of D^L a(D) over GF(2), by hand."""
    length = max(exponents)
    work = [int(b) for b in bits] + [0] * length
    for i in range(len(bits)):
        if work[i]:
            for e in exponents:
                work[i + length - e] ^= 1
    return work[len(bits) :]


@pytest.mark.parametrize("name", EXPONENTS)
@pytest.mark.parametrize("n", [0, 1, 5, 7, 8, 9, 63, 64, 65, 200])
def test_5g_checks_are_the_remainder_of_long_division(name, n):
    bits = np.random.default_rng(n).integers(0, 2, (3, n))
    expected = [long_division(row, EXPONENTS[name]) for row in bits]
    np.testing.assert_array_equal(crc.compute(bits, name), np.array(expected).reshape(3, -1))


@pytest.mark.parametrize(
    "name, value",
    # Published check values of b"123456789" (CRC-24/LTE-A, CRC-24/LTE-B, XMODEM, CRC-32/ISO-HDLC).
    [("24A", 0xCDE703), ("24B", 0x23EF52), ("16", 0x31C3), ("32", 0xCBF43926), ("fcs", 0xCBF43926)],
)
def test_published_check_values(name, value):
    assert crc.compute_bytes(b"123456789", name) == value


@settings(deadline=None)  # the first call compiles
@given(st.binary(max_size=200))
def test_crc32_is_zlib(data):
    assert crc.compute_bytes(data, "gr-32") == zlib.crc32(data)
    assert crc.append_bytes(data, "32") == data + zlib.crc32(data).to_bytes(4, "little")
    sent = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    appended = np.packbits(crc.append(sent, "fcs"), bitorder="little").tobytes()
    assert appended == crc.append_bytes(data, "fcs")  # bits in order of transmission agree with bytes


def test_ht_sig_example_of_the_standard():
    bits = [int(c) for c in "1111000100100110000000001110000000"]  # IEEE 802.11-2020, 19.3.9.4.4
    assert "".join(map(str, crc.compute(bits, "ht-sig"))) == "10101000"


def test_crc8_starts_from_ones():
    def by_hand(data):
        reg = 0xFF
        for byte in data:
            reg ^= byte
            for _ in range(8):
                reg = ((reg << 1) ^ 0x07) & 0xFF if reg & 0x80 else reg << 1
        return reg

    for data in (b"", b"\x00", b"\x12\x0a\x03\x00", bytes(range(100))):
        assert crc.compute_bytes(data, "gr-8") == by_hand(data)


@settings(deadline=None)  # the first call compiles
@given(st.sampled_from(crc.names()), st.integers(0, 150), st.integers(0, 2**32 - 1), st.data())
def test_append_passes_and_any_short_burst_fails(name, n, seed, data):
    bits = np.random.default_rng(seed).integers(0, 2, n, dtype=np.uint8)
    sent = crc.append(bits, name)
    assert crc.check(sent, name) is True
    assert sent.dtype == np.uint8
    start = data.draw(st.integers(0, sent.size - 1))
    length = data.draw(st.integers(1, min(crc.width(name), sent.size - start)))
    burst = np.random.default_rng(seed).integers(0, 2, length, dtype=np.uint8)
    burst[0] = 1
    sent[start : start + length] ^= burst
    assert crc.check(sent, name) is False


def test_batches_equal_rows_and_inputs_stay():
    bits = np.random.default_rng(3).integers(0, 2, (2, 3, 77), dtype=np.uint8)
    before = bits.copy()
    sent = crc.append(bits, "24A")
    assert sent.shape == (2, 3, 101)
    np.testing.assert_array_equal(bits, before)
    for i in range(2):
        for j in range(3):
            np.testing.assert_array_equal(sent[i, j], crc.append(bits[i, j], "24A"))
    sent[1, 2, 0] ^= 1
    np.testing.assert_array_equal(crc.check(sent, "24A"), [[True, True, True], [True, True, False]])
    np.testing.assert_array_equal(crc.compute(bits[:, ::2, ::-1], "11"), crc.compute(bits[:, ::2, ::-1].copy(), "11"))
    assert crc.compute(bits[:0], "6").shape == (0, 3, 6)


@settings(deadline=None)  # the first call compiles
@given(st.binary(max_size=50), st.sampled_from(["24A", "24C", "16", "32", "8"]))
def test_byte_forms_round_trip(data, name):
    sent = crc.append_bytes(data, name)
    assert crc.check_bytes(sent, name)
    broken = bytearray(sent)
    broken[-1] ^= 0x10
    assert not crc.check_bytes(broken, name)


def test_messages_name_what_was_expected():
    with pytest.raises(ValueError, match=r"name must be one of 24A, .*not '24D'"):
        crc.compute([1, 0], "24D")
    with pytest.raises(ValueError, match="at least 24 bits for check '24A', not 3"):
        crc.check([1, 0, 1], "24A")
    with pytest.raises(ValueError, match="whole bytes, not '11'"):
        crc.append_bytes(b"a", "11")
    with pytest.raises(ValueError, match="at least 4 bytes for check '32', not 1"):
        crc.check_bytes(b"a", "32")
    with pytest.raises(ValueError, match="at least one axis"):
        crc.compute(1, "16")

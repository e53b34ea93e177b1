"""The example of IEEE 802.11-2020, annex I.1: 36 Mbit/s, 100 octets. Its numbers were typed in as printed there."""

import zlib

import numpy as np

from semwave.modulation import interleave
from semwave.modulation.ieee80211 import Receiver, TxFormat, append_fcs, coding, fields, params, transmit

HEADER = bytes.fromhex("04 02 00 2e 00 60 08 cd 37 a6 00 20 d6 01 3c f1 00 60 08 ad 3b af 00 00")
TEXT = b"Joy, bright spark of divinity,\nDaughter of Elysium,\nFire-insired we trea"
FCS = bytes.fromhex("67 33 21 b6")  # table I-1, octets 97 to 100
PSDU = HEADER + TEXT + FCS
SEED = 0b1011101

SIGNAL = "101100010011000000000000"  # table I-7
SIGNAL_CODED = "110100011010000100000010001111100111000000000000"  # table I-8
SIGNAL_INTERLEAVED = "100101001101000000010100100000110010010010010100"  # table I-9
SCRAMBLER = "01101100 00011001 10101001 11001111 01101000 01010101 11110100 10100011"  # table I-14, the beginning


def bits(text):
    return np.array([int(c) for c in text if c in "01"], np.uint8)


def near(found, printed):
    """Tables I-4 to I-25 print three decimals of a transform scaled by 1/64."""
    away = found - np.array(printed)
    assert max(np.abs(away.real).max(), np.abs(away.imag).max()) < 5.1e-4


def test_fcs_of_the_message():
    assert append_fcs(HEADER + TEXT) == PSDU
    assert zlib.crc32(HEADER + TEXT).to_bytes(4, "little") == FCS
    assert len(PSDU) == 100


def test_short_training_symbol():
    # table I-4, samples 0 to 15 (real, imaginary)
    printed = [
        0.046 + 0.046j, -0.132 + 0.002j, -0.013 - 0.079j, 0.143 - 0.013j, 0.092 + 0j, 0.143 - 0.013j, -0.013 - 0.079j,
        -0.132 + 0.002j, 0.046 + 0.046j, 0.002 - 0.132j, -0.079 - 0.013j, -0.013 + 0.143j, 0 + 0.092j,
        -0.013 + 0.143j, -0.079 - 0.013j, 0.002 - 0.132j,
    ]  # fmt: skip
    near(params.short_period() / 8, printed)


def test_long_training_symbol():
    # table I-6: the guard begins with the last 32 samples of the symbol
    near(params.long_symbol()[32:36] / 8, [-0.156, 0.012 - 0.098j, 0.092 - 0.106j, -0.092 - 0.115j])
    near(params.long_symbol()[:4] / 8, [0.156, -0.005 - 0.120j, 0.040 - 0.111j, 0.097 + 0.083j])


def test_signal_field():
    sig = fields.LSig(36, 100)
    assert np.array_equal(sig.bits(), bits(SIGNAL)[:18])
    coded = fields.encode(sig.bits())
    assert np.array_equal(coded, bits(SIGNAL_CODED))
    assert np.array_equal(interleave.wifi(1).interleave(coded), bits(SIGNAL_INTERLEAVED))
    assert np.array_equal(coding.map_symbols(coded, params.legacy_mode(6))[0], 2.0 * bits(SIGNAL_INTERLEAVED) - 1)
    assert fields.LSig.parse(bits(SIGNAL)[:18]) == sig


def test_signal_symbol_in_time():
    # table I-12: from the first sample of the guard on
    x = transmit(PSDU, TxFormat(36, seed=SEED)) / 8
    near(x[320:324], [0.062 + 0j, 0.033 - 0.044j, -0.002 - 0.038j, -0.081 + 0.084j])


def test_scrambled_and_coded_data():
    # tables I-15 and I-16: the first scrambled bits; SERVICE is zeros, so they are the scrambler's own
    mode = params.legacy_mode(36)
    coded = coding.encode(PSDU, mode, SEED)
    assert coded.size == 6 * 192  # 864 data bits in six symbols, 42 of them padding
    found = coding.decode(8.0 * coded.astype(np.float32) - 4, 100, mode)
    assert np.array_equal(found[:16], bits(SCRAMBLER)[:16])
    plain = np.concatenate([np.zeros(16, np.uint8), np.unpackbits(np.frombuffer(PSDU, np.uint8), bitorder="little")])
    sequence = np.resize(bits(SCRAMBLER), 64)
    assert np.array_equal(found[:64] ^ sequence, plain[:64])


def test_the_frame_is_received():
    samples = np.concatenate([np.zeros(100), transmit(PSDU, TxFormat(36, seed=SEED)), np.zeros(100)])
    receiver = Receiver()
    found = receiver.push(samples) + receiver.finish()
    assert [(p.status, p.psdu, p.rate_mbps, p.seed, p.start, p.ltf, p.end) for p in found] == [
        ("ok", PSDU, 36, SEED, 100, 292, 980)
    ]

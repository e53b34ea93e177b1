import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Transmitter, frame, transmit

MODULATIONS = ("bpsk", "qpsk", "8psk")
SHARED = Path(__file__).resolve().parents[4] / "shared" / "gnuradio" / "vectors" / "ofdm_tx.json"


@pytest.mark.parametrize("modulation", MODULATIONS)
@pytest.mark.parametrize("scramble", [False, True])
def test_equals_recorded_gnuradio(recorded, modulation, scramble):
    form, payloads, samples = recorded[modulation, scramble]
    np.testing.assert_allclose(Transmitter(form).frames(payloads), samples, atol=2e-5)  # of amplitudes up to 30


def test_equals_more_of_gnuradio():
    if not SHARED.exists():
        pytest.skip("the folder of shared test vectors is not here")
    for name, case in json.loads(SHARED.read_text()).items():
        form = GnuradioOfdmFormat(MODULATIONS[int(name.split("bps")[1][0]) - 1], "scr1" in name)
        data, count = bytes.fromhex(case["payload_hex"]), case["packets"]
        size = len(data) // count
        got = Transmitter(form).frames([data[i * size : (i + 1) * size] for i in range(count)])
        expected = np.array(case["samples_re"]) + 1j * np.array(case["samples_im"])
        np.testing.assert_allclose(got, expected, atol=2e-5)


@given(size=st.integers(1, 400), modulation=st.sampled_from(MODULATIONS), seed=st.integers(0, 99))
def test_fill_equals_its_reference(size, modulation, seed):
    form = GnuradioOfdmFormat(modulation)
    data = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
    pilots, bins = transmit._pilot_rows(), frame.BINS[frame.DATA]
    grids = np.zeros((2, 1 + form.payload_symbols(size), 64), np.complex64)
    transmit.fill(data, pilots, bins, form.points, grids[0])
    transmit.fill_reference(data, pilots, bins, form.points, grids[1])
    np.testing.assert_array_equal(grids[0], grids[1])


def test_frames_in_a_row_are_single_frames(rng):
    form = GnuradioOfdmFormat("8psk", True)
    payloads = [rng.bytes(n) for n in (1, 77, 30)]
    one_by_one = Transmitter(form, number=4094)
    parts = [np.concatenate([one_by_one.frame(p), np.zeros(33)]) for p in payloads]
    together = Transmitter(form, number=4094)
    np.testing.assert_allclose(together.frames(payloads, gap=33), np.concatenate(parts), atol=1e-5)
    assert together.number == 1  # 4094, 4095, 0


@pytest.mark.parametrize("scramble", [False, True])
def test_many_frames_are_single_frames_too(rng, scramble):
    """More symbols than are made at once, and a frame alone that is more than half of that."""
    form = GnuradioOfdmFormat("bpsk", scramble)
    payloads = [rng.bytes(n) for n in (4091, 1, 1000, 4091, 3000, 500, 500, 2000)]
    assert sum(form.payload_symbols(len(p) + 4) for p in payloads) > 2 * transmit.SYMBOLS_AT_ONCE
    one_by_one, together = Transmitter(form, number=7), Transmitter(form, number=7)
    parts = [one_by_one.frame(p) for p in payloads]
    np.testing.assert_allclose(together.frames(payloads), np.concatenate(parts), atol=1e-5)


@given(length=st.integers(5, 4095), number=st.integers(0, 4095))
def test_header_word_is_the_header(length, number):
    word = transmit.header_word(length, number)
    assert [word >> i & 1 for i in range(48)] == GnuradioOfdmFormat().header_bits(length, number).tolist()


def test_amplitude_and_power(rng):
    x = Transmitter(GnuradioOfdmFormat("bpsk", True), amplitude=0.05).frames([rng.bytes(180)] * 20)
    payload = x.reshape(20, -1, 80)[:, 3:-1]
    # mean power of 52 unit carriers; the prefix repeats a quarter, so a symbol's own power scatters a little
    assert np.mean(np.abs(payload) ** 2) == pytest.approx(0.05**2 * 52, rel=0.02)


def test_takes_arrays_and_buffers(rng):
    data = rng.bytes(9)
    frames = [Transmitter().frame(x) for x in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8))]
    for x in frames[1:]:
        np.testing.assert_array_equal(x, frames[0])
    assert Transmitter().frames([]).size == 0


@pytest.mark.parametrize("size", [0, 4092])
def test_refuses_lengths_that_the_header_cannot_say(size):
    with pytest.raises(ValueError, match=f"payload must have 1 to 4091 bytes, not {size}"):
        Transmitter().frame(bytes(size))


def test_refuses_nonsense():
    with pytest.raises(ValueError, match=r"payload must be \[n\] uint8, not float64"):
        Transmitter().frame(np.zeros(3))
    with pytest.raises(ValueError, match="number must be 0 to 4095, not 4096"):
        Transmitter(number=4096)
    with pytest.raises(ValueError, match="amplitude must be positive, not 0"):
        Transmitter(amplitude=0)
    with pytest.raises(ValueError, match="gap must be at least 0, not -1"):
        Transmitter().frames([b"x"], gap=-1)

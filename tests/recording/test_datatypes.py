"""All 28 sample types against their definition in Python's own numbers."""

import struct
from typing import Any

import numpy as np
import pytest

from semwave.recording import RecordingError, open_recording
from semwave.recording.datatypes import DATATYPES, from_complex64, parse_datatype

CODES = {"f32": "f", "f64": "d", "i32": "i", "i16": "h", "i8": "b", "u32": "I", "u16": "H", "u8": "B"}


def test_there_are_28_of_them() -> None:
    assert len(set(DATATYPES)) == 28


@pytest.mark.parametrize("name", DATATYPES)
def test_reads_each_type_as_its_definition_says(name: str, make: Any) -> None:
    rng = np.random.default_rng(1)
    kind, _, order = name[1:].partition("_")
    parts, bits = (2 if name[0] == "c" else 1), int(kind[1:])
    if kind[0] == "f":
        values = rng.normal(size=41 * parts).tolist()
        expected = np.array(values)
    else:
        low, high = (0, 2**bits) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        values = [low, high - 1, *rng.integers(low, high, 41 * parts - 2).tolist()]
        middle = 2 ** (bits - 1) if kind[0] == "u" else 0
        expected = np.array([(v - middle) / 2 ** (bits - 1) for v in values])
    raw = struct.pack((">" if order == "be" else "<") + CODES[kind] * len(values), *values)
    rows = expected.reshape(-1, parts)
    wanted = rows[:, 0] + 1j * (rows[:, 1] if parts == 2 else 0)
    found = open_recording(make(raw, name)).read()
    assert found.dtype == np.complex64
    np.testing.assert_allclose(found, wanted, rtol=2e-7, atol=2e-9)
    if bits <= 16:
        assert np.array_equal(found, wanted.astype(np.complex64))


@pytest.mark.parametrize("name", DATATYPES)
def test_takes_channels_apart(name: str, make: Any) -> None:
    kind = parse_datatype(name)
    rng = np.random.default_rng(2)
    raw = rng.integers(1, 100, (17, 3, kind.components)).astype(kind.dtype)
    recording = open_recording(make(raw, name, num_channels=3))
    assert recording.sample_count == 17
    for channel in range(3):
        alone = open_recording(make(np.ascontiguousarray(raw[:, channel]), name, name="alone")).read()
        assert np.array_equal(recording.read(channel=channel), alone)
    with pytest.raises(RecordingError, match="channel must be 0 to 2, not 3"):
        recording.read(channel=3)


@pytest.mark.parametrize(
    ("spelled", "proper"),
    [("cf32", "cf32_le"), ("ci8_le", "ci8"), ("cu8_be", "cu8"), ("ri16", "ri16_le"), ("cf64_be", "cf64_be")],
)
def test_common_misspellings_are_understood(spelled: str, proper: str) -> None:
    assert parse_datatype(spelled).name == proper


@pytest.mark.parametrize("bad", ["cf16_le", "ci24_le", "ci4", "f32_le", "cf8", "ci64_le", "cf32_lee", "", "cf32_le\n"])
def test_other_types_are_refused_by_name(bad: str, make: Any) -> None:
    with pytest.raises(RecordingError, match=r"x\.sigmf-meta: core:datatype must be c or r.*not"):
        open_recording(make(b"", bad))


@pytest.mark.parametrize("name", DATATYPES)
def test_what_is_stored_is_read_back(name: str, noise: Any, make: Any) -> None:
    kind = parse_datatype(name)
    data, clipped = from_complex64(noise, kind, scale=0.5)
    back = open_recording(make(data, name)).read() * 2
    wanted = noise if kind.is_complex else noise.real
    step = 2 / kind.full_scale if kind.is_integer else 0
    assert clipped == 0
    assert np.abs(back.real - wanted.real).max() <= step / 2 + 1e-7
    assert np.abs(back.imag - wanted.imag).max() <= step / 2 + 1e-7


@pytest.mark.parametrize(("name", "low", "high"), [("ci16_le", -32768, 32767), ("ci8", -128, 127), ("cu8", 0, 255)])
def test_what_does_not_fit_saturates_and_is_counted(name: str, low: int, high: int) -> None:
    samples = np.array([2 - 2j, complex(np.inf, -np.inf), 0.5 + 0j, np.nan], np.complex64)
    kind = parse_datatype(name)
    data, clipped = from_complex64(samples, kind)
    found = np.frombuffer(data, kind.dtype)
    assert found[:4].tolist() == [high, low, high, low]
    assert clipped == 4


@pytest.mark.parametrize(("scale", "gain"), [("none", 1.0), ("full", 1 / 32768), ("acq", 0.25)])
def test_scales(scale: str, gain: float, make: Any) -> None:
    raw = np.array([[100, -200], [3, 4], [5, 6]], "<i2")
    captures = [
        {"core:sample_start": 0, "capture_details:acq_scale_factor": 0.25},
        {"core:sample_start": 2, "capture_details:acq_scale_factor": 4.0},
    ]
    found = open_recording(make(raw, "ci16_le", captures=captures)).read(scale=scale)
    assert found[0] == np.complex64((100 - 200j) * gain)
    assert found[2] == np.complex64((5 + 6j) * (4.0 if scale == "acq" else gain))


def test_the_scale_must_be_known(make: Any) -> None:
    with pytest.raises(RecordingError, match="scale must be 'full', 'acq' or 'none', not 'dBm'"):
        open_recording(make(bytes(8))).read(scale="dBm")

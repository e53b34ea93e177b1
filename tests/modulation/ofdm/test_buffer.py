import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation.ofdm.buffer import SampleBuffer, take


@given(cuts=st.lists(st.integers(0, 9000), max_size=12), drops=st.lists(st.integers(0, 40_000), max_size=12))
@settings(max_examples=60, deadline=None)
def test_reads_by_absolute_index(cuts, drops):
    stream = np.arange(1, sum(cuts) + 1).astype(np.complex64)
    buffer, at = SampleBuffer(), 0
    for cut, drop in zip(cuts, [*drops, *[0] * len(cuts)], strict=False):
        buffer.append(stream[at : at + cut])
        at += cut
        buffer.drop(drop)
        assert buffer.end == at
        assert buffer.base <= at
        first = buffer.base
        np.testing.assert_array_equal(buffer.read(first, at), stream[first:at])
        padded = buffer.read(first - 3, at + 2)
        assert not padded[:3].any()
        assert not padded[-2:].any()
        np.testing.assert_array_equal(padded[3:-2], stream[first:at])


def test_bad_samples_are_silence():
    buffer = SampleBuffer()
    buffer.append(np.array([1, np.nan, 2, complex(0, np.inf), 1e30, 3], np.complex64))
    np.testing.assert_array_equal(buffer.read(0, 6), [1, 0, 2, 0, 0, 3])
    assert buffer.bad_samples == 3


def test_memory_does_not_grow_with_the_stream():
    buffer = SampleBuffer()
    for i in range(300):
        buffer.append(np.ones(10_000, np.complex64))
        buffer.drop((i + 1) * 10_000 - 500)
    assert buffer._data.size < 100_000


@settings(deadline=None)
@given(values=st.lists(st.floats(width=32), max_size=80))
def test_take_copies_and_tells_the_largest_magnitude(values):
    source = np.array(values, np.float32)
    target = np.full(source.size, 7, np.float32)
    largest = np.int32(take(source.view(np.int32), target.view(np.int32))).view(np.float32)
    np.testing.assert_array_equal(target.view(np.int32), source.view(np.int32))
    if np.isnan(source).any():
        assert np.isnan(largest)
    else:
        assert largest == np.abs(source).max(initial=0)


def test_other_kinds_of_numbers_are_taken():
    buffer, samples = SampleBuffer(), np.arange(12) - 3j
    frozen = samples.astype(np.complex64)
    frozen.setflags(write=False)
    for piece in (samples, samples.real.astype(np.int64), frozen, frozen[::2]):
        buffer.append(piece)
    want = np.concatenate([samples, samples.real, samples, samples[::2]])
    np.testing.assert_array_equal(buffer.read(0, want.size), want.astype(np.complex64))

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation.ofdm.buffer import SampleBuffer


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

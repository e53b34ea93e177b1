"""Resampling and shifting streams: exactness over cuts, tones, stop band, length, against SciPy and the definition."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import resample_kernels as kernels
from semwave.modulation.resample import Resampler, resample

RATES = [
    (25e6, 20e6), (20e6, 25e6), (8.0, 1.0), (1.0, 8.0), (20e6, 3.84e6), (48e3, 44.1e3), (1e6, 1e6 / 3), (1.0, 1.0),
    (20e6, 19_999_999.7), (1e6, 1_000_003.3), (1e6, 44_100.1),
]  # fmt: skip


def tone(frequency: float, rate: float, count: int) -> Any:
    """e^(j 2 pi f n / rate), [count] complex128."""
    return np.exp(2j * np.pi * ((frequency / rate * np.arange(count)) % 1))


def noise(count: int, seed: int = 0) -> Any:
    """Complex noise, [count] complex64."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2), np.float32).view(np.complex64)[:, 0]


@pytest.mark.parametrize(("in_rate", "out_rate"), RATES)
@pytest.mark.parametrize("shift", [0.0, 0.083])
def test_a_tone_keeps_its_level_and_phase(in_rate: float, out_rate: float, shift: float) -> None:
    low = min(in_rate, out_rate)
    for frequency in (-0.45 * low, 0.0, 0.123 * low, 0.36 * low):
        y = resample(tone(frequency, in_rate, 60_000), in_rate, out_rate, shift_hz=shift * low)
        assert y.dtype == np.complex64
        assert y.size == -(-60_000 * Resampler(in_rate=in_rate, out_rate=out_rate).ratio // 1)
        middle = slice(y.size // 4, -y.size // 4)
        wanted = tone(frequency + shift * low, out_rate, y.size)
        assert np.abs(y - wanted)[middle].max() < 1e-4  # -80 dB


@pytest.mark.parametrize(("in_rate", "out_rate"), [r for r in RATES if r[1] < 0.95 * r[0]])
def test_what_the_new_rate_cannot_hold_is_gone(in_rate: float, out_rate: float) -> None:
    for share in (0.501, 0.53, 0.62):
        if share * out_rate < in_rate / 2:
            y = resample(tone(share * out_rate, in_rate, 60_000), in_rate, out_rate)
            assert np.abs(y[y.size // 4 : -y.size // 4]).max() < 1e-4  # -80 dB


def test_no_images_of_a_signal_that_goes_to_a_higher_rate() -> None:
    y = resample(tone(0.4, 1.0, 20_000), 1.0, 8.0)[30_000:130_000]
    line = np.abs(np.fft.fft(y * np.blackman(y.size)))
    at = round(0.05 * y.size)  # the tone, in cycles per new sample
    line[at - 5 : at + 6] = 0
    assert 20 * np.log10(line.max() / (0.42 * y.size)) < -80


@given(st.data(), st.sampled_from(RATES), st.sampled_from([0.0, -0.07]))
@settings(max_examples=25)
def test_does_not_depend_on_the_cut(data: Any, rates: tuple[float, float], shift: float) -> None:
    """Bit for bit."""
    x = noise(30_000)
    options: Any = {"in_rate": rates[0], "out_rate": rates[1], "shift_hz": shift * min(rates)}
    resampler = Resampler(**options)
    whole = np.concatenate([resampler.process(x), resampler.flush()])
    cuts = sorted(data.draw(st.lists(st.integers(0, x.size), max_size=6)))
    parts = [resampler.process(piece) for piece in np.split(x, cuts)]  # the same object starts anew after flush
    assert np.array_equal(np.concatenate([*parts, resampler.flush()]), whole)


@given(st.integers(0, 40), st.sampled_from(RATES))
@settings(max_examples=30)
def test_short_streams_have_the_right_length(count: int, rates: tuple[float, float]) -> None:
    y = resample(np.ones(count, np.complex64), *rates)
    assert y.size == -(-count * Resampler(in_rate=rates[0], out_rate=rates[1]).ratio // 1)
    assert np.isfinite(y).all()


def test_agrees_with_scipy_on_a_signal_inside_the_band() -> None:
    from scipy import signal

    band = signal.firwin(201, 0.6)
    x = np.convolve(noise(20_000), band, "same").astype(np.complex64)
    wanted = signal.resample_poly(x.astype(np.complex128), 4, 5, window=("kaiser", 12.0))
    # firwin leaves -53 dB (2e-3) outside the band, where the two filters may differ
    assert np.abs(resample(x, 5.0, 4.0) - wanted)[500:-500].max() < 2e-3 * np.abs(x).max()


@pytest.mark.parametrize("frequency", [0.1, -0.31, 1e-7])
def test_a_shift_alone_is_a_product(frequency: float) -> None:
    x = noise(50_000)
    wanted = x * tone(frequency, 1.0, x.size)
    np.testing.assert_allclose(resample(x, 1.0, 1.0, shift_hz=frequency), wanted, atol=3e-6)


def test_nothing_to_do_is_a_copy() -> None:
    x = noise(100)
    y = resample(x, 7.0, 7.0)
    assert np.array_equal(x, y)
    assert not np.shares_memory(x, y)


def test_memory_stays_flat() -> None:
    resampler = Resampler(in_rate=5.0, out_rate=4.0)
    held = []
    for _ in range(40):
        resampler.process(noise(50_000))
        held.append(sum(stage._queue.size for stage in resampler._stages))
    assert max(held) < 1 << 17


def test_tags_go_to_the_next_output() -> None:
    resampler = Resampler(in_rate=5.0, out_rate=4.0)
    assert [resampler.index(at) for at in (0, 1, 4, 5, 6)] == [0, 1, 4, 4, 5]
    assert resampler.ratio == Fraction(4, 5)


def test_a_rounded_rate_is_the_fraction_that_it_stands_for() -> None:
    assert Resampler(in_rate=1e6, out_rate=1e6 / 3).ratio == Fraction(1, 3)


def test_the_compiled_interpolation_is_that_of_the_reference() -> None:
    rng = np.random.default_rng(5)
    line, table = noise(400), rng.normal(size=(17, 9)).astype(np.float32)
    wanted = kernels.interpolate_reference(line, 0.3, 1.37, table)
    found = np.empty(wanted.size, np.complex64)
    kernels.interpolate(line.view(np.float32), 0.3, 1.37, table, found)
    assert wanted.size > 250
    np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"in_rate": 0.0}, "in_rate must be above 0 Hz, not 0"),
        ({"out_rate": float("inf")}, "out_rate must be above 0 Hz, not inf"),
        ({"out_rate": 1e-5}, "out_rate must be within 4096 times in_rate = 1 Hz, not 1e-05"),
        ({"shift_hz": float("nan")}, "shift_hz must be finite, not nan"),
        ({"passband": 1.0}, "passband must be 0.1 to 0.99, not 1"),
        ({"stopband_db": 10.0}, "stopband_db must be 20 to 140, not 10"),
    ],
)
def test_refuses_what_it_cannot_do(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Resampler(**{"in_rate": 1.0, "out_rate": 1.0, **options})
    with pytest.raises(ValueError, match=r"x must have one axis, not shape \[2, 2\]"):
        Resampler(in_rate=1.0, out_rate=2.0).process(np.zeros((2, 2)))

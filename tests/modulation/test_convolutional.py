"""The encoder against a shift register, the decoder against a plain Viterbi and published error rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from semwave.modulation import convolutional, convolutional_reference
from semwave.modulation.convolutional import ConvCode

CODES = [
    (0o133, 0o171),  # 64 states, the vector kernel
    (0o7, 0o5),
    (0o23, 0o35),
    (0o561, 0o753),
    (0o133, 0o171, 0o165),  # LTE
    (0o6, 0o7),  # no tap on the oldest bit: the kernel must not assume symmetry
]


def noisy(rng, coded, ebn0_db, rate):
    """Exact LLRs of BPSK over AWGN, positive for 1."""
    n0 = 10 ** (-ebn0_db / 10) / rate
    return 4 / n0 * (2.0 * coded - 1 + np.sqrt(n0 / 2) * rng.standard_normal(coded.shape))


@pytest.mark.parametrize("generators", CODES)
@pytest.mark.parametrize("ending", convolutional.ENDINGS)
def test_encoder_is_a_shift_register(generators, ending):
    code = ConvCode(generators, ending=ending)
    bits = np.random.default_rng(0).integers(0, 2, (3, 40), dtype=np.uint8)
    tail = [0] * code.memory if ending == "terminated" else []
    for row, got in zip(bits, code.encode(bits), strict=True):
        start = 0
        if ending == "tail_biting":
            start = int("".join(map(str, row[: -code.memory - 1 : -1])), 2)
        expected = convolutional_reference.encode([*row, *tail], generators, code.memory, start)
        np.testing.assert_array_equal(got, expected)


def test_80211_encoder_impulse_response():
    coded = ConvCode().encode(np.array([1], np.uint8)).reshape(-1, 2)
    assert "".join(map(str, coded[:, 0])) == "1011011"  # 133 octal
    assert "".join(map(str, coded[:, 1])) == "1111001"  # 171 octal


def test_80211_puncturing_order():
    mother = ConvCode().encode(np.arange(20) % 3 % 2)
    a, b = mother[0::2], mother[1::2]
    sent = {  # IEEE 802.11-2020, figure 17-9
        "2/3": [a[0], b[0], a[1]],
        "3/4": [a[0], b[0], a[1], b[2]],
        "5/6": [a[0], b[0], a[1], b[2], a[3], b[4]],
    }
    for rate, first in sent.items():
        got = ConvCode(rate=rate).encode(np.arange(20) % 3 % 2)
        np.testing.assert_array_equal(got[: len(first)], first)


@pytest.mark.parametrize("rate, expected", [("1/2", 2.0), ("2/3", 1.5), ("3/4", 4 / 3), ("5/6", 1.2)])
def test_lengths_there_and_back(rate, expected):
    for ending in convolutional.ENDINGS:
        code = ConvCode(rate=rate, ending=ending)
        for k in [*range(6, 60), 1000, 100_000]:
            assert code.info_length(code.coded_length(k)) == k
        assert code.coded_length(60_000) / 60_000 == pytest.approx(expected, rel=3e-4)


def quantised(row, code):
    """The kernel's own rounding, so that ties and rounding are the same on both sides."""
    n = len(code.generators)
    limit = min(511, 32000 // ((16 + 2 * code.memory) * n))
    level = np.float32(min(np.abs(row).max(), np.float32(16) * np.abs(row).mean(dtype=np.float64)))
    return np.clip(np.rint(row * np.float32(limit / level)), -limit, limit)


@pytest.mark.parametrize("generators", CODES)
@pytest.mark.parametrize("ending", ["terminated", "truncated"])
@pytest.mark.parametrize("k", [1, 9, 10, 15, 26, 83])
def test_decoder_equals_plain_viterbi(generators, ending, k):
    rng = np.random.default_rng(k)
    for rate in ["", *convolutional.PUNCTURING] if len(generators) == 2 else [""]:
        code = ConvCode(generators, rate, ending)
        llr = rng.integers(-9, 10, (6, code.coded_length(k))).astype(np.float32)  # noise only, and many ties
        llr[:, 0] = 9
        steps = k + code.memory * (ending == "terminated")
        for row, got in zip(llr, code.decode(llr), strict=True):
            full = np.zeros(steps * len(generators))
            full[code._mask(steps)] = quantised(row, code)
            end_known = ending == "terminated"
            expected = convolutional_reference.viterbi(full, generators, code.memory, True, end_known)
            np.testing.assert_array_equal(got, expected[:k])


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(CODES),
    st.sampled_from(convolutional.ENDINGS),
    st.sampled_from(["", "2/3", "3/4"]),
    st.integers(20, 200),
    st.integers(1, 6),
    st.floats(1e-6, 1e6),
)
def test_decoder_inverts_encoder_at_any_scale(generators, ending, rate, k, rows, scale):
    code = ConvCode(generators, rate if len(generators) == 2 else "", ending)
    bits = np.random.default_rng(k).integers(0, 2, (rows, k), dtype=np.uint8)
    coded = code.encode(bits)
    np.testing.assert_array_equal(code.decode(scale * (2.0 * coded - 1)), bits)
    np.testing.assert_array_equal(code.decode_hard(coded), bits)


def test_any_pattern_of_four_errors_is_corrected():
    code = ConvCode()  # free distance 10
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 2, (200, 50), dtype=np.uint8)
    coded = code.encode(bits)
    for row in coded:
        row[rng.choice(row.size, 4, replace=False)] ^= 1
    np.testing.assert_array_equal(code.decode_hard(coded), bits)


def test_infinite_llrs_are_known_bits_and_do_not_spoil_the_rest():
    code = ConvCode()
    rng = np.random.default_rng(8)
    bits = rng.integers(0, 2, (50, 300), dtype=np.uint8)
    coded = code.encode(bits)
    llr = noisy(rng, coded, 4.0, 0.5)
    llr[:, ::10] = np.where(coded[:, ::10], np.inf, -np.inf)
    np.testing.assert_array_equal(code.decode(llr), bits)


def test_zeros_and_empty_batches():
    code = ConvCode()
    assert code.decode(np.zeros((2, 100))).shape == (2, 44)
    assert code.decode(np.zeros((0, 100))).shape == (0, 44)
    assert code.decode(np.zeros((2, 3, 100))).shape == (2, 3, 44)
    assert code.decode(np.full(100, -np.inf)).sum() == 0


def test_inputs_stay():
    llr = np.random.default_rng(0).standard_normal((5, 100)).astype(np.float32)
    before = llr.copy()
    ConvCode().decode(llr)
    np.testing.assert_array_equal(llr, before)


def in_interval(errors, trials, published, correlation):
    """Is a published rate within the 99.9 % interval of a count whose errors come in bursts?"""
    interval = binomtest(round(errors / correlation), round(trials / correlation)).proportion_ci(0.999)
    return interval.low <= published <= interval.high


@pytest.mark.parametrize("ebn0_db, published, hard", [(3.0, 3.5e-4, False), (5.0, 5.9e-4, True)])
def test_error_rate_is_the_published_one(ebn0_db, published, hard):
    code, rng = ConvCode(), np.random.default_rng(11)
    errors, trials = 0, 0
    for _ in range(4):
        bits = rng.integers(0, 2, (500, 1024), dtype=np.uint8)
        llr = noisy(rng, code.encode(bits), ebn0_db, 0.5)
        got = code.decode_hard(llr > 0) if hard else code.decode(llr)
        errors += int((got != bits).sum())
        trials += bits.size
    # errors come in events: the count's variance is about 8 times its mean
    assert in_interval(errors, trials, published, correlation=8)


@pytest.mark.parametrize("generators", [(0o133, 0o171), (0o133, 0o171, 0o165), (0o7, 0o5)])
def test_tail_biting_is_as_good_as_maximum_likelihood(generators):
    code, k, rng = ConvCode(generators, ending="tail_biting"), 10, np.random.default_rng(3)
    messages = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1
    words = 2.0 * code.encode(messages) - 1
    bits = rng.integers(0, 2, (2000, k), dtype=np.uint8)
    llr = noisy(rng, code.encode(bits), 2.0, 1 / len(generators))
    best = messages[np.argmax(llr @ words.T, axis=1)]
    optimal, ours = (int((got != bits).any(axis=1).sum()) for got in (best, code.decode(llr)))
    assert optimal > 50
    assert binomtest(ours, len(bits), optimal / len(bits)).pvalue > 1e-3


def test_long_stream_does_not_decay():
    rng = np.random.default_rng(4)
    code, k = ConvCode(), 4_000_000
    bits = rng.integers(0, 2, k, dtype=np.uint8)
    llr = (2.0 * code.encode(bits) - 1).astype(np.float32)
    llr += 0.7 * rng.standard_normal(llr.size, np.float32)  # 3.1 dB
    wrong = code.decode(llr) != bits
    first, last = int(wrong[: k // 4].sum()), int(wrong[-(k // 4) :].sum())
    assert first > 100
    assert binomtest(last // 8, (first + last) // 8, 0.5).pvalue > 1e-3  # errors come in events of about 8


def test_windows_lose_nothing_measurable():
    rng = np.random.default_rng(6)
    for ending in ("terminated", "truncated"):
        for rate in ("1/2", "3/4"):
            code, k = ConvCode(rate=rate, ending=ending), 300_000
            bits = rng.integers(0, 2, k, dtype=np.uint8)
            llr = noisy(rng, code.encode(bits), 3.0 if rate == "1/2" else 4.0, eval(rate))
            exact, pieces = code.decode(llr), code.decode(llr, window=2000)
            whole, cut = int((exact != bits).sum()), int((pieces != bits).sum())
            assert whole > 50
            assert binomtest(cut // 8, (whole + cut) // 8, 0.5).pvalue > 1e-3
            assert (exact != pieces).mean() < 1e-4


def test_messages():
    with pytest.raises(ValueError, match="rate must be one of 1/2, 2/3, 3/4, 5/6, not '7/8'"):
        ConvCode(rate="7/8")
    with pytest.raises(ValueError, match="rate must be one of 1/3, not '1/2'"):
        ConvCode((1, 3, 7), rate="1/2")
    with pytest.raises(ValueError, match="ending must be one of terminated, truncated, tail_biting, not 'zero'"):
        ConvCode(ending="zero")
    with pytest.raises(ValueError, match=r"two or more numbers of 3 to 14 bits, not \('0o7',\)"):
        ConvCode((7,))
    with pytest.raises(ValueError, match=r"n must be a length that a rate 1/2 terminated frame can have, not 101"):
        ConvCode().decode(np.zeros(101))
    with pytest.raises(ValueError, match="k must be 6 or more, not 5"):
        ConvCode(ending="tail_biting").encode(np.zeros(5))
    with pytest.raises(ValueError, match="llr must not hold NaN"):
        ConvCode().decode(np.full(100, np.nan))
    with pytest.raises(ValueError, match="window must be 1 or more and not for tail-biting frames, not 0"):
        ConvCode().decode(np.zeros(100), window=0)

"""Decoder kernels against the plain reference, and the rules for odd input."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semwave.modulation import ldpc
from semwave.modulation.ldpc import decoder, layered, reference

CODES = {
    "802.11n 1944 1/2": (ldpc.WifiCode(1944, "1/2"), -1.6),
    "802.11n 648 5/6": (ldpc.WifiCode(648, "5/6"), 3.5),
    "BG1 Z=384": (ldpc.NrCode(8448, 13000), -1.0),
    "BG1 repeated, interleaved": (ldpc.NrCode(400, 2400, base_graph=1, order=16), -6.0),
    "BG2 Z=52, fillers": (ldpc.NrCode(500, 1200), -1.0),
    "BG2 Z=2": (ldpc.NrCode(12, 40), -2.0),
}
FORMATS = [("nms", "int16"), ("nms", "int8"), ("nms", "float32"), ("oms", "int16"), ("oms", "int8"), ("oms", "float32")]


def transmit(
    code: ldpc.LdpcCode, frames: int, snr_db: float, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """BPSK over AWGN of Es/N0 ``snr_db``: bits and LLRs ln P(1)/P(0)."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (frames, code.k), dtype=np.uint8)
    n0 = 10 ** (-snr_db / 10)
    received = 2.0 * code.encode(bits) - 1 + rng.normal(size=(frames, code.n)) * np.sqrt(n0 / 2)
    return bits, (4 * received / n0).astype(np.float32)


def plain(code: ldpc.LdpcCode, llr: NDArray[np.float32], **chosen: object) -> ldpc.DecodeResult:
    """The same decoding by the NumPy reference."""
    settings_: dict[str, object] = {"iterations": 20, "algorithm": "nms", "factor": None, "precision": None}
    settings_ |= {"early_stop": True, "default_factor": code.factor} | chosen
    options = decoder.check_options(**settings_)  # type: ignore[arg-type]
    order = code._bits_per_symbol
    return decoder.decode_reference(
        code._plan, llr.reshape(len(llr), -1, order).swapaxes(1, 2).reshape(llr.shape), options
    )


@pytest.mark.parametrize(("algorithm", "precision"), FORMATS)
@pytest.mark.parametrize("name", CODES)
def test_kernels_equal_the_reference(name: str, algorithm: str, precision: str) -> None:
    code, snr_db = CODES[name]
    _, llr = transmit(code, 19 if code.n < 2500 else 2, snr_db)
    for early_stop in (True, False):
        got = code.decode(llr, algorithm=algorithm, precision=precision, early_stop=early_stop, iterations=9)
        want = plain(code, llr, algorithm=algorithm, precision=precision, early_stop=early_stop, iterations=9)
        assert (got.bits == want.bits).all()
        assert (got.llr == want.llr).all(), "bit exact, posteriors too"
        assert (got.ok == want.ok).all()
        assert (got.iterations == want.iterations).all()


@pytest.mark.parametrize("name", CODES)
def test_sum_product_is_near_the_exact_one(name: str) -> None:
    """float32 against float64: one iteration is a few hundred roundings of 2**-24 in a row; then what is decided."""
    code, snr_db = CODES[name]
    _, llr = transmit(code, 10 if code.n < 2500 else 2, min(snr_db, 0.0))  # no message reaches 87
    got = code.decode(llr, algorithm="spa", early_stop=False, iterations=1)
    want = plain(code, llr, algorithm="spa", precision="float64", early_stop=False, iterations=1)
    assert np.allclose(got.llr, want.llr, rtol=500 * 2**-24, atol=500 * 2**-24)
    exact = code.decode(llr, algorithm="spa", precision="float64", early_stop=False, iterations=1)
    assert (exact.llr == want.llr).all()
    _, llr = transmit(code, 10 if code.n < 2500 else 2, snr_db + 1.0)
    got, exact = code.decode(llr, algorithm="spa"), code.decode(llr, algorithm="spa", precision="float64")
    assert exact.ok.any()
    assert (got.ok == exact.ok).all()
    assert (got.bits == exact.bits)[exact.ok].all()


@given(a=st.floats(-30, 30), b=st.floats(-30, 30))
def test_boxplus_is_its_definition(a: float, b: float) -> None:
    want = 2 * np.arctanh(np.clip(np.tanh(a / 2) * np.tanh(b / 2), -1 + 1e-16, 1 - 1e-16))
    assert np.isclose(reference.boxplus(np.array(a), np.array(b)), want, rtol=1e-3, atol=1e-9) or abs(want) > 18


@pytest.mark.parametrize("algorithm", ["nms", "oms", "spa"])
def test_sum_product_and_its_relatives_agree_with_marginals_by_enumeration(algorithm: str) -> None:
    """Without cycles sum-product is exact: one check over three bits."""
    t = np.array([1.2, -0.7, 2.5]).reshape(3, 1, 1)
    rules = {"nms": reference.min_sum(1.0, 0.0), "oms": reference.min_sum(1.0, 0.1), "spa": reference.sum_product}
    out = rules[algorithm](t)[:, 0, 0]
    p1 = 1 / (1 + np.exp(t[:, 0, 0]))  # u = ln P(0)/P(1)
    for j in range(3):
        x, y = np.delete(p1, j)
        odd = x * (1 - y) + y * (1 - x)
        exact = np.log((1 - odd) / odd)
        assert np.sign(out[j]) == np.sign(exact)
        if algorithm == "spa":
            assert np.isclose(out[j], exact, rtol=1e-12)
        else:
            least = np.sort(np.abs(np.delete(t[:, 0, 0], j)))[0]
            assert np.isclose(abs(out[j]), least - (0.1 if algorithm == "oms" else 0.0))


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, 29), seed=st.integers(0, 5))
def test_results_do_not_depend_on_batching(cut: int, seed: int) -> None:
    code = CODES["BG2 Z=2"][0] if seed % 2 else ldpc.NrCode(60, 150)
    _, llr = transmit(code, 30, -1.0, seed)
    whole = code.decode(llr)
    for part, rows in ((code.decode(llr[:cut]), slice(0, cut)), (code.decode(llr[cut:]), slice(cut, 30))):
        assert (part.llr == whole.llr[rows]).all()
        assert (part.ok == whole.ok[rows]).all()
        assert (part.iterations == whole.iterations[rows]).all()
    single = code.decode(llr[cut])
    assert (single.llr == whole.llr[cut]).all()
    assert single.bits.shape == (code.k,)
    assert single.ok.shape == single.iterations.shape == ()


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    code, snr_db = CODES["802.11n 1944 1/2"]
    _, llr = transmit(code, 40, snr_db)
    alone = code.decode(llr)
    monkeypatch.setattr(numba, "get_num_threads", lambda: 3)
    monkeypatch.setattr(layered, "_WORK_PER_THREAD", 1)
    shared = code.decode(llr)
    assert (shared.llr == alone.llr).all()
    assert (shared.iterations == alone.iterations).all()


@pytest.mark.parametrize("algorithm", ["nms", "spa"])
def test_a_decoding_leaves_nothing_behind_for_the_next(algorithm: str) -> None:
    """Work space is kept between calls."""
    code = CODES["802.11n 648 5/6"][0]
    clean, noisy = transmit(code, 20, 6.0)[1], transmit(code, 20, -3.0, seed=1)[1]
    first = code.decode(clean, iterations=3, algorithm=algorithm)
    code.decode(noisy, iterations=3, algorithm=algorithm)
    again = code.decode(clean, iterations=3, algorithm=algorithm)
    np.testing.assert_array_equal(again.llr, first.llr)
    assert first.ok.all()


def test_lanes_fill_vectors() -> None:
    assert layered.lanes_for(384, 32, 100) == 1
    assert layered.lanes_for(2, 32, 1) == 16, "a circulant must fill a vector at least once"
    assert layered.lanes_for(27, 32, 50) >= 2
    assert layered.lanes_for(81, 32, 100, 86) == 1, "so that a frame stops as soon as it may"
    assert layered.lanes_for(81, 32, 100, 86, early_stop=False) == 16
    assert layered.lanes_for(384, 32, 100, 210, early_stop=False) == 1, "the messages of more do not fit the cache"
    for z in (2, 27, 52, 81, 384):
        assert z * layered.lanes_for(z, 32, 64) >= 32


def test_stops_early_and_counts() -> None:
    code, _ = CODES["802.11n 1944 1/2"]
    bits, llr = transmit(code, 12, 3.0)
    found = code.decode(llr, iterations=50)
    assert found.ok.all()
    assert (found.bits == bits).all()
    assert (found.iterations < 10).all()
    assert (code.decode(llr, iterations=50, early_stop=False).iterations == 50).all()
    lost = code.decode(-llr * 0.01, iterations=7)
    assert not lost.ok.any()
    assert (lost.iterations == 7).all()
    again = code.encode(found.bits)
    assert ((llr > 0) == again).mean() > 0.9
    assert ((found.llr > 0) == found.bits).all()


@pytest.mark.parametrize("precision", ["int16", "int8", "float32", "float64"])
@pytest.mark.parametrize("name", ["802.11n 648 5/6", "BG2 Z=52, fillers", "BG2 Z=2"])
def test_all_zero_llrs_are_not_ok(name: str, precision: str) -> None:
    code, _ = CODES[name]
    found = code.decode(np.zeros((3, code.n)), precision=precision, iterations=5)
    assert not found.ok.any()
    assert not found.bits.any()
    assert not found.llr.any()
    negative = code.decode(np.full((3, code.n), -0.0), precision=precision, iterations=5)
    assert not negative.bits.any(), "minus zero is zero"
    spa = code.decode(np.zeros((3, code.n)), algorithm="spa", iterations=5)
    assert not spa.ok.any()
    assert not spa.llr.any()


@pytest.mark.parametrize("algorithm", ["nms", "oms", "spa"])
def test_erasures_are_filled_in(algorithm: str) -> None:
    code, _ = CODES["802.11n 1944 1/2"]
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 2, (4, code.k), dtype=np.uint8)
    llr = (8.0 * code.encode(bits) - 4) * (rng.random((4, code.n)) > 0.35)
    found = code.decode(llr, algorithm=algorithm, iterations=50)
    assert found.ok.all()
    assert (found.bits == bits).all()


@pytest.mark.parametrize("precision", ["int16", "int8", "float32"])
def test_infinities_count_as_the_largest_value(precision: str) -> None:
    code, _ = CODES["BG1 repeated, interleaved"]
    bits, llr = transmit(code, 4, 0.0)
    llr[:, ::7] = np.copysign(np.inf, llr[:, ::7])
    limited = np.clip(llr, -decoder.FLOAT_LIMIT, decoder.FLOAT_LIMIT)
    with np.errstate(invalid="raise"):
        got, want = code.decode(llr, precision=precision), code.decode(limited, precision=precision)
    assert (got.llr == want.llr).all()
    assert np.isfinite(got.llr).all()
    sure = np.where(code.encode(bits) == 1, np.inf, -np.inf)
    assert (code.decode(sure, precision=precision).bits == bits).all()
    assert code.decode(sure, algorithm="spa").ok.all()


@pytest.mark.parametrize("precision", ["int16", "int8"])
@pytest.mark.parametrize("name", ["802.11n 1944 1/2", "BG1 Z=384", "BG2 Z=52, fillers"])
def test_saturation_does_not_break_decoding(name: str, precision: str) -> None:
    """LLRs a thousand times too large all sit at the limit of the format, and one sign in a hundred is wrong."""
    code, _ = CODES[name]
    rng = np.random.default_rng(8)
    bits = rng.integers(0, 2, (6, code.k), dtype=np.uint8)
    llr = 1e6 * (2.0 * code.encode(bits) - 1)
    llr[rng.random(llr.shape) < 0.01] *= -1
    found = code.decode(llr, precision=precision, iterations=50)
    assert (found.bits == bits).all()
    assert found.ok.all()


def test_min_sum_is_indifferent_to_scale_within_the_format() -> None:
    code, snr_db = CODES["BG2 Z=52, fillers"]
    _, llr = transmit(code, 20, snr_db)
    steps = np.rint(llr * 4) / 4
    one = code.decode(steps, precision="float32", factor=0.75)
    four = code.decode(steps * 4, precision="float32", factor=0.75)
    assert (four.llr == 4 * one.llr).all()


def test_quantiser_rounds_half_to_even_and_limits() -> None:
    code, _ = CODES["BG1 repeated, interleaved"]
    options = decoder.check_options(20, "nms", None, "int8", True, 0.75)
    high = decoder.scaling_of(CODES["802.11n 648 5/6"][0]._plan, options)
    assert high is not None
    llr = np.array([0.0, 0.125, 0.375, -0.125, -0.374, 15.75, 99.0, -np.inf], np.float32)
    assert decoder.quantise(llr, high).tolist() == [0, 0, -2, 0, 1, -31, -31, 31]
    half = decoder.scaling_of(CODES["802.11n 1944 1/2"][0]._plan, options)  # 5 steps to an LLR
    low = decoder.scaling_of(code._plan, options)  # rate 1/6: 6.5
    assert half is not None
    assert low is not None
    some = np.array([-2.0, 6.1, 7.0], np.float32)
    assert decoder.quantise(some, half).tolist() == [10, -30, -31]
    assert decoder.quantise(some / 2, low).tolist() == [6, -20, -23]
    wide = decoder.quantise(np.array([1.0, -200.0], np.float32), decoder.FIXED["int16"])
    assert wide.tolist() == [-64, 8191]


def test_refusals() -> None:
    code, _ = CODES["802.11n 648 5/6"]
    with pytest.raises(ValueError, match=r"llr must have shape \[648\] or \[frames, 648\], not \[3, 647\]"):
        code.decode(np.zeros((3, 647)))
    bad = np.zeros((3, 648))
    bad[1, 5] = np.nan
    with pytest.raises(ValueError, match="llr must not hold NaN"):
        code.decode(bad)
    good = np.ones(648)
    with pytest.raises(ValueError, match="iterations must be 1 or more, not 0"):
        code.decode(good, iterations=0)
    with pytest.raises(ValueError, match="algorithm must be 'nms', 'oms' or 'spa', not 'bp'"):
        code.decode(good, algorithm="bp")
    with pytest.raises(ValueError, match=r"precision must be 'int8', .* not 'int4'"):
        code.decode(good, precision="int4")
    with pytest.raises(ValueError, match="algorithm 'spa' needs precision 'float32' or 'float64', not 'int16'"):
        code.decode(good, algorithm="spa", precision="int16")
    with pytest.raises(ValueError, match="factor must be above 0 and at most 1 for 'nms', not 2"):
        code.decode(good, factor=2)
    with pytest.raises(ValueError, match=r"factor is the offset in LLR units .* not -1"):
        code.decode(good, algorithm="oms", factor=-1.0)
    assert code.decode(np.zeros((0, 648))).bits.shape == (0, 540)


def test_importing_compiles_nothing() -> None:
    """numba itself stays out until something is encoded or decoded."""
    program = "import sys, semwave.modulation.ldpc; sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

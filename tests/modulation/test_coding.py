"""Every code behind the one door: lengths, round trips, verdicts, messages."""

import subprocess
import sys

import numpy as np
import pytest

from semwave.modulation import coding

CASES = [
    ("none", {"k": 50}, 50, 50),
    ("repetition", {"k": 10, "n": 34}, 10, 34),
    ("conv_k7", {"k": 100}, 100, 212),
    ("conv_k7", {"k": 96, "rate": "3/4", "ending": "tail_biting"}, 96, 128),
    ("conv_k7", {"k": 100, "rate": "5/6", "ending": "truncated"}, 100, 120),
    ("polar_5g", {"k": 64, "n": 128}, 64, 128),
    ("polar_5g", {"k": 40, "n": 300, "link": "downlink", "list_size": 4}, 40, 300),
    ("ldpc_5g", {"k": 100, "n": 250}, 100, 250),
    ("ldpc_80211n", {"n": 648, "rate": "3/4"}, 486, 648),
    ("bch", {"m": 5, "t": 3}, 16, 31),
    ("rs", {"m": 4, "symbols": 9}, 36, 60),
    ("turbo", {"k": 40}, 40, 120),
]


def test_names_are_all_tried():
    assert {name for name, *_ in CASES} == set(coding.names())


@pytest.mark.parametrize("name, params, k, n", CASES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_round_trip(name, params, k, n, shape):
    code = coding.code(name, **params)
    assert (code.k, code.n) == (k, n)
    bits = np.random.default_rng(k).integers(0, 2, (*shape, k), dtype=np.uint8)
    coded = code.encode(bits)
    assert coded.shape == (*shape, n)
    assert coded.dtype == np.uint8
    got = code.decode(5.0 * (2.0 * coded - 1))
    assert got.bits.dtype == np.uint8
    np.testing.assert_array_equal(got.bits, bits)
    if name in ("polar_5g", "ldpc_5g", "ldpc_80211n", "bch", "rs"):
        assert np.shape(got.ok) == shape
        assert np.all(got.ok)
    else:
        assert got.ok is None


@pytest.mark.parametrize("name, params", [(c[0], c[1]) for c in CASES if "polar" in c[0] or "ldpc" in c[0]])
def test_noise_alone_is_not_ok(name, params):
    code = coding.code(name, **params)
    llr = np.random.default_rng(1).standard_normal((20, code.n)).astype(np.float32)
    assert np.mean(code.decode(llr).ok) < 0.2


def test_repetition_adds_up():
    code = coding.code("repetition", k=2, n=5)
    np.testing.assert_array_equal(code.encode([1, 0]), [1, 0, 1, 0, 1])
    np.testing.assert_array_equal(code.decode([-3.0, -1.0, 2.0, 2.0, 2.0]).bits, [1, 1])


def test_reed_solomon_corrects_its_symbols():
    """(15, 9) over GF(16) corrects 3 symbols, however many of their bits are wrong."""
    code, rng = coding.code("rs", m=4, symbols=9), np.random.default_rng(2)
    bits = rng.integers(0, 2, (20, 36), dtype=np.uint8)
    llr = 2.0 * code.encode(bits).reshape(20, 15, 4) - 1
    for row in llr:
        row[rng.permutation(15)[:3]] *= rng.choice([-1.0, 1.0], (3, 4))
    got = code.decode(llr.reshape(20, 60))
    np.testing.assert_array_equal(got.bits, bits)
    assert got.ok.all()
    with pytest.raises(ValueError, match=r"m must be 2 to 12 and symbols 1 to 2\^m - 2, not 4 and 15"):
        coding.code("rs", m=4, symbols=15)


def test_making_no_code_imports_no_code():
    program = (
        "import sys, semwave.modulation.coding\n"
        "heavy = ['numba', *(f'semwave.modulation.{m}' for m in ('convolutional', 'polar', 'ldpc', 'crc'))]\n"
        "found = [m for m in heavy if m in sys.modules]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_messages():
    with pytest.raises(ValueError, match=r"name must be one of none, repetition, conv_k7, .*not 'turbi'"):
        coding.code("turbi", k=5)
    with pytest.raises(ValueError, match=r"conv_k7 takes \(k: int, rate: str = '1/2', .*missing a required"):
        coding.code("conv_k7")
    with pytest.raises(ValueError, match=r"none takes \(k: int\): .*unexpected keyword argument 'n'"):
        coding.code("none", k=3, n=4)
    with pytest.raises(ValueError, match="rate must be one of 1/2, 2/3, 3/4, 5/6, not '7/8'"):
        coding.code("conv_k7", k=3, rate="7/8")
    with pytest.raises(ValueError, match="k must be 1 to n = 3, not 4"):
        coding.code("repetition", k=4, n=3)
    with pytest.raises(ValueError, match="k must be 1 or more, not 0"):
        coding.code("none", k=0)
    with pytest.raises(ValueError, match=r"bits must have 50 in the last axis, not shape \(49,\)"):
        coding.code("none", k=50).encode(np.zeros(49))
    with pytest.raises(ValueError, match=r"llr must have 50 in the last axis, not shape \(49,\)"):
        coding.code("none", k=50).decode(np.zeros(49))

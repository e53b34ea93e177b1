"""The commpy adapter: which distribution it takes, its codes, and commpy as a second opinion on ours."""

from importlib import metadata

import numpy as np
import pytest

from semwave.modulation import commpy_adapter, crc
from semwave.modulation.convolutional import ConvCode


def pretend(monkeypatch, **versions):
    """Let importlib.metadata know just these distributions."""

    def version(name):
        found = versions.get(name.replace("-", "_"))
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(commpy_adapter.metadata, "version", version)


def test_right_distribution_is_taken(monkeypatch):
    for version in ("1.2", "1.2.0", "1.10.3", "2.0rc1"):
        pretend(monkeypatch, commpy=version)
        commpy_adapter.check_distribution()


@pytest.mark.parametrize(
    "versions, message",
    [
        (
            {"scikit_commpy": "0.8.0"},
            r"needs the distribution commpy >= 1\.2; found scikit-commpy 0\.8\.0, which installs a different "
            r"package of the same name: pip uninstall scikit-commpy commpy, then pip install 'commpy>=1\.2'",
        ),
        ({"scikit_commpy": "0.8.0", "commpy": "1.2.0"}, r"found scikit-commpy 0\.8\.0 beside commpy 1\.2\.0"),
        ({"commpy": "1.1.4"}, r"found commpy 1\.1\.4: pip install 'commpy>=1\.2'"),
        ({}, r"none is installed: pip install 'commpy>=1\.2'"),
    ],
)
def test_wrong_distribution_is_named(monkeypatch, versions, message):
    pretend(monkeypatch, **versions)
    with pytest.raises(ImportError, match=message):
        commpy_adapter.load()


def installed():
    try:
        commpy_adapter.check_distribution()
    except ImportError as absent:
        return str(absent)
    return ""


peer = pytest.mark.skipif(bool(installed()), reason=installed() or "commpy is here")


@peer
def test_bch_corrects_up_to_t_errors():
    n, k = commpy_adapter.bch_lengths(5, 3)
    assert (n, k) == (31, 16)  # the (31, 16) code of the textbooks
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (2, 3, k), dtype=np.uint8)
    sent = commpy_adapter.bch_encode(bits, 5, 3)
    assert sent.shape == (2, 3, n)
    for row in sent.reshape(-1, n):
        row[rng.choice(n, 3, replace=False)] ^= 1
    got, ok = commpy_adapter.bch_decode(sent, 5, 3)
    np.testing.assert_array_equal(got, bits)
    assert ok.shape == (2, 3)
    assert ok.all()


@peer
def test_reed_solomon_corrects_and_notices():
    rng = np.random.default_rng(1)
    data = rng.integers(0, 256, (4, 239))
    sent = commpy_adapter.rs_encode(data, 8, 239)
    assert sent.shape == (4, 255)
    for row in sent:
        row[rng.choice(255, 8, replace=False)] ^= 0x5A
    got, ok = commpy_adapter.rs_decode(sent, 8, 239)
    np.testing.assert_array_equal(got, data)
    assert ok.all()
    sent[0] = rng.integers(0, 256, 255)
    _, ok = commpy_adapter.rs_decode(sent, 8, 239)
    assert ok.tolist() == [False, True, True, True]


@peer
def test_turbo_takes_our_sign_of_llr():
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2, (2, 60), dtype=np.uint8)
    coded = commpy_adapter.turbo_encode(bits, seed=5)
    n0 = 10**-0.3 * 3  # 3 dB at rate 1/3
    llr = 4 / n0 * (2.0 * coded - 1 + np.sqrt(n0 / 2) * rng.standard_normal(coded.shape))
    assert ((llr > 0) != coded).sum() > 10
    np.testing.assert_array_equal(commpy_adapter.turbo_decode(llr, seed=5), bits)


@peer
def test_messages():
    with pytest.raises(ValueError, match=r"bits must have 16 in the last axis, not shape \(15,\)"):
        commpy_adapter.bch_encode(np.zeros(15, int), 5, 3)
    with pytest.raises(ValueError, match=r"llr must have a multiple of 3 in the last axis, not shape \(10,\)"):
        commpy_adapter.turbo_decode(np.zeros(10))
    with pytest.raises(ValueError, match=r"bits must hold at least one word, not shape \(0, 16\)"):
        commpy_adapter.bch_encode(np.zeros((0, 16), int), 5, 3)


@peer
def test_our_crcs_are_theirs():
    commpy = commpy_adapter.load()
    for name in ("24A", "24B", "24C", "16", "32", "8", "ht-sig"):
        s = crc.spec(name)
        theirs = commpy.CRC(commpy.CRCConfig(s.width, s.poly, s.init, s.xorout, s.reflected, s.reflected))
        for data in (b"", b"\x00", b"123456789", bytes(range(256))):
            assert crc.compute_bytes(data, name) == theirs.compute(data)


@peer
def test_our_convolutional_code_is_theirs():
    commpy = commpy_adapter.load()
    trellis = commpy.Trellis(constraint_length=7, generators=(0o133, 0o171))
    bits = np.random.default_rng(3).integers(0, 2, 150, dtype=np.uint8)
    theirs, _ = commpy.ConvolutionalEncoder(trellis).encode(bits, terminate=True)
    np.testing.assert_array_equal(ConvCode().encode(bits), theirs)
    llr = 2.0 * theirs - 1 + 0.8 * np.random.default_rng(4).standard_normal(theirs.size)
    np.testing.assert_array_equal(ConvCode().decode(llr), commpy.viterbi_decode(trellis, -llr, mode="soft"))

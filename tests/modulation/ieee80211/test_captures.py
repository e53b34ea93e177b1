"""Recorded frames with known contents; the recordings are not part of the project."""

import json
from pathlib import Path

import numpy as np
import pytest

WIFI = Path(__file__).resolve().parents[4] / "shared" / "captures" / "wifi"
NAMES = sorted(f.name.removesuffix(".sigmf-data") for f in WIFI.glob("*.sigmf-data")) or ["11a-24M-conducted"]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_and_no_other(capture, air, name):
    samples, truth = capture(name)
    found = air.receive(samples)
    good = [t for t in truth["frames"] if t["fcs_ok"]]
    assert [p.sha256 for p in found if p.ok] == [t["psdu_sha256"] for t in good]
    assert len(found) == len(truth["frames"])
    for p, t in zip(found, truth["frames"], strict=True):
        assert -16 <= p.ltf - t["ltf_sample"] <= 0  # in the cyclic prefix
        assert abs(p.cfo_hz - t["cfo_hz"]) < 1000
        assert p.rate_mbps == t["lsig_rate_mbps"]
        assert not t["fcs_ok"] or p.evm_db < t["evm_db"] + 4
        if t["format"] == "HT":
            assert (p.format, p.mcs, p.length, p.short_gi) == ("11n", t["mcs"], t["ht_length"], t["short_gi"])
            assert p.ok or p.status.startswith("unsupported: ")
        else:
            assert (p.format, p.length) == ("11a/g", t["lsig_length"])


def test_any_cut_of_a_capture_gives_the_same(capture, air):
    samples, _ = capture("11n-65M-conducted")
    whole = air.receive(samples)
    cuts = np.sort(air.rng.integers(0, samples.size, 300))
    for a, b in zip(air.receive(samples, cuts), whole, strict=True):
        assert (a.start, a.psdu, a.cfo_hz, a.evm_db) == (b.start, b.psdu, b.cfo_hz, b.evm_db)
        assert np.array_equal(a.channel, b.channel)


def test_at_low_level_and_with_little_noise_added(capture, air):
    samples, truth = capture("11a-24M-conducted")
    level = np.float32(np.sqrt(np.mean(np.abs(samples) ** 2)))
    x = samples / level * np.float32(1e-6) + air.noise(samples.size, 1e-12 * 10**-2.2)
    assert [p.sha256 for p in air.receive(x) if p.ok] == [t["psdu_sha256"] for t in truth["frames"]]


FORMATS = {
    "cf32_le": "<c8", "cf32_be": ">c8", "cf64_le": "<c16", "ci16_be": ">i2", "ci32_le": "<i4", "ci8": "i1",
    "cu8": "u1", "cu16_le": "<u2",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_one_capture_in_many_data_types(capture, air, kind, request):
    _, truth = capture("11a-24M-conducted")
    folder = request.path.parents[4] / "shared" / "captures" / "formats"
    files = [f for f in sorted(folder.glob("*.sigmf-meta")) if _plain(f, kind)]
    if not files:
        pytest.skip(f"no {kind} recording in shared/captures/formats")
    raw = np.fromfile(files[0].with_suffix(".sigmf-data"), FORMATS[kind])
    if raw.dtype.kind != "c":
        middle = 1 << (8 * raw.itemsize - 1) if raw.dtype.kind == "u" else 0
        raw = (raw.astype(np.float32) - middle).view(np.complex64)
    assert [p.sha256 for p in air.receive(raw) if p.ok] == [t["psdu_sha256"] for t in truth["frames"]]


def _plain(file, kind):
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    said = meta["global"]
    return (
        said["core:datatype"] == kind
        and said.get("core:sample_rate") == 20e6
        and said.get("core:num_channels", 1) == 1
        and len(meta["captures"]) < 2
        and not {"core:offset", "core:dataset", "core:metadata_only", "core:trailing_bytes"} & set(said)
        and "broken" not in file.name
        and file.with_suffix(".sigmf-data").exists()
    )

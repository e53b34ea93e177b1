"""Captures inside a link: the stated C/I is there, the facts say what was used, errors say what to do."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from semwave.blocks.basic import VectorSink, VectorSource
from semwave.blocks.capture import CaptureInterferer, MeasuredChannel
from semwave.modulation.interference import band_power
from semwave.recording import Writer
from semwave.runtime import BlockError, ConnectError, Flowgraph
from semwave.runtime.graphfile import load

ROOT = Path(__file__).resolve().parents[2]
WIFI = ROOT / "recordings" / "wifi-tdl-b"
CHANNELS = ROOT.parent / "shared" / "captures" / "channels"


def run(block, count=60_000, value=0.0, seed=1):
    graph = Flowgraph(seed=seed).add(
        source=VectorSource(values=(value,), repeat=count, dtype="complex64"), block=block, sink=VectorSink()
    )
    result = graph.connect("source > block > sink").run(timeout_s=60)
    facts = next(b.facts for b in result.blocks if b.name == "block")
    return graph.blocks["sink"].data, facts, result.warnings


@pytest.fixture(scope="module")
def bursts(tmp_path_factory):
    """Half of the time on the air, twice as strong in its upper half of the band."""
    rng = np.random.default_rng(3)
    x = (rng.normal(size=40_000) + 1j * rng.normal(size=40_000)).astype(np.complex64)
    x = 0.05 * (x + x * np.exp(1j * np.pi / 2 * np.arange(x.size)))
    x[10_000:30_000] *= 1e-3
    base = tmp_path_factory.mktemp("capture") / "bursts"
    with Writer(base, 2e6, sync=False) as writer:
        writer.write(x)
        writer.annotate(0, 10_000, label="a")
        writer.annotate(30_000, 10_000, label="b")
    return base


@pytest.mark.parametrize("how", ["annotations", "energy"])
@pytest.mark.parametrize(("ci_db", "band_hz"), [(10.0, 3e5), (0.0, None), (-7.0, 5e5)])
def test_the_stated_ci_is_there(bursts, how, ci_db, band_hz):
    got, facts, _ = run(CaptureInterferer(path=str(bursts), ci_db=ci_db, band_hz=band_hz, active=how, sample_rate=1e6))
    band = band_hz or 1e6
    active = np.convolve(np.abs(got) ** 2, np.ones(64) / 64, mode="same") > 0.01 * np.abs(got).max() ** 2
    power = band_power(got, active, 1e6, -band / 2, band / 2)
    assert 10 * np.log10(band / 1e6 / power) == pytest.approx(ci_db, abs=0.3)
    assert facts["active"] == how
    assert facts["active_share"] == pytest.approx(0.5, abs=0.02)


def test_wraps_without_a_seam_and_starts_by_the_seed(bursts):
    make = lambda **more: CaptureInterferer(path=str(bursts), sample_rate=2e6, **more)  # noqa: E731
    a, facts, _ = run(make(), 100_000)
    assert np.array_equal(a[:20_000], a[40_000:60_000])
    assert np.array_equal(a, run(make(), 100_000)[0])
    b, other, _ = run(make(), 100_000, seed=2)
    assert facts["begins_at"] != other["begins_at"]
    assert np.array_equal(np.roll(a[:40_000], facts["begins_at"]), np.roll(b[:40_000], other["begins_at"]))


def test_facts_say_what_was_used(bursts):
    _, facts, _ = run(CaptureInterferer(path=str(bursts), sample_rate=2e6, begin_s=0.001, longest_s=0.002), 100)
    assert facts["span"] == [2000, 6000]
    data = Path(f"{bursts}.sigmf-data").read_bytes()
    assert facts["sha512"] == hashlib.sha512(data).hexdigest()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"path": "/nowhere"}, BlockError, "there is no recording"),
        ({"begin_s": 9.0}, BlockError, "has no samples from 9 s on"),
        ({"sample_rate": None}, ConnectError, "set sample_rate"),
    ],
)
def test_interferer_says_what_is_wrong(bursts, change, error, message):
    with pytest.raises(error, match=message):
        run(CaptureInterferer(**{"path": str(bursts), "sample_rate": 2e6, **change}), 10)


def test_a_channel_decoded_from_frames_has_unit_power():
    rng = np.random.default_rng(1)
    got, facts, warnings = run(MeasuredChannel(path=str(WIFI), sample_rate=3.84e6), 1000, value=1.0)
    assert facts["snapshots"] == 6
    assert facts["transmitter"].startswith("02:00:00:00:00:0")
    assert facts["doppler_limit_hz"] > 100
    assert not warnings
    assert got.size == 1000
    block = MeasuredChannel(path=str(WIFI), sample_rate=3.84e6, transmitter="02:00:00:00:00:02")
    graph = Flowgraph(seed=1).add(
        s=VectorSource(values=(0.0,), dtype="complex64"), block=block, k=VectorSink()
    ).connect("s > block > k")  # fmt: skip
    graph.run(timeout_s=60)
    taps = block._fading.responses.taps
    assert np.mean(np.sum(np.abs(taps) ** 2, axis=1)) == pytest.approx(1, rel=1e-4)
    x = (rng.normal(size=1000) + 1j * rng.normal(size=1000)).astype(np.complex64)
    assert np.isfinite(block._fading.process(x)).all()


def test_channel_says_what_is_wrong(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(BlockError, match="must hold H and subcarrier, or h and fs, not x"):
        run(MeasuredChannel(path=str(tmp_path / "other.npz"), sample_rate=1e6), 10)
    with pytest.raises(BlockError, match=r"no good 802\.11 frame of 02:00:00:00:00:09"):
        run(MeasuredChannel(path=str(WIFI), sample_rate=1e6, transmitter="02:00:00:00:00:09"), 10)


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "bad.npz", H=np.array([{}], dtype=object), subcarrier=np.arange(3), spacing_hz=1.0)
    with pytest.raises(BlockError, match="allow_pickle"):
        run(MeasuredChannel(path=str(tmp_path / "bad.npz"), sample_rate=1e6), 10)


@pytest.mark.skipif(not CHANNELS.is_dir(), reason="the shared captures are not here")
@pytest.mark.parametrize("name", ["wifi-csi-esp32-100hz", "surf2surf_bone_80", "charac_water_20"])
def test_published_measurements_can_be_used(name):
    got, facts, _ = run(MeasuredChannel(path=str(CHANNELS / f"{name}.npz"), sample_rate=3.84e6, stretch=1.0), 500, 1.0)
    assert np.isfinite(got).all()
    assert facts["snapshots"] >= 10


@pytest.mark.parametrize("name", ["image_link_interference", "image_link_measured"])
def test_shipped_examples_fit_together(name):
    assert load(ROOT / "flowgraphs" / f"{name}.toml").plan().edges

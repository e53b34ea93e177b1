"""The air as one call: every use counted, the same realisation for whatever is sent."""

from typing import Any

import numpy as np
import pytest

from semwave.bench.air import Air, Channel
from semwave.modulation import scene
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.transmit import BurstTransmitter

DATA = {"mask": b"geometry", "prompt": b"a cat on a mat", "key": bytes(range(200))}
RAW = np.exp(2j * np.pi * np.arange(600) / 600).astype(np.complex64)


def header(raw: int = 0) -> scene.SceneHeader:
    entries = {n: scene.LayerEntry(1, 1, len(d)) for n, d in DATA.items()}
    if raw:
        entries["key"] = scene.LayerEntry(scene.KEY_JSCC["free"], 1, len(DATA["key"]), raw)
    return scene.SceneHeader(3, 48, 64, 9, **entries)


@pytest.mark.parametrize("modem", ["ofdm", "symbols"])
def test_all_arrives_at_high_snr_and_is_counted(modem: str) -> None:
    head = header(RAW.size)
    arrival = Air(Channel(snr_db=30, modem=modem), 1).send(head, DATA, RAW)
    assert arrival.status == "ok"
    assert arrival.header == head
    assert arrival.layers == DATA
    assert np.mean(np.abs(arrival.raw - RAW) ** 2) < 2e-3
    assert np.median(arrival.raw_noise) == pytest.approx(1e-3, rel=0.5)
    assert arrival.payload == scene.payload_symbols(head)
    if modem == "symbols":
        assert arrival.total == arrival.payload + scene.HEADER_SYMBOLS
    else:
        params = OfdmParams()
        samples = BurstTransmitter(params, scene.HEADER_SYMBOLS).length(arrival.payload)
        assert arrival.total == round(samples * params.active / params.fft_size)


@pytest.mark.parametrize("modem", ["ofdm", "symbols"])
def test_nothing_arrives_below_the_noise(modem: str) -> None:
    arrival = Air(Channel(snr_db=-15, modem=modem), 1).send(header(), DATA)
    assert arrival.status == "lost"
    assert arrival.layer("key") is None
    assert arrival.payload == scene.payload_symbols(header())


def test_one_seed_is_one_realisation() -> None:
    channel = Channel("rayleigh", snr_db=20, modem="symbols")
    first, again, other = (Air(channel, seed).send(header(RAW.size), DATA, RAW) for seed in (4, 4, 5))
    assert np.array_equal(first.raw, again.raw)
    assert not np.array_equal(first.raw_noise, other.raw_noise)
    quiet = Air(channel, 4).at(snr_db=40).send(header(RAW.size), DATA, RAW)
    assert quiet.raw_noise == pytest.approx(first.raw_noise / 100, rel=1e-3)  # the same fading, less noise


@pytest.mark.parametrize(("profile", "mean"), [("rayleigh", 1.0), ("rician", 1.0)])
def test_gains_have_unit_mean_power_and_block_length(profile: str, mean: float) -> None:
    gains: Any = Air(Channel(profile, modem="symbols", block=50, k_factor_db=3), 2)._gains(200_000)
    blocks = gains.reshape(-1, 50)
    assert np.all(blocks == blocks[:, :1])
    power = np.abs(blocks[:, 0]) ** 2
    assert abs(power.mean() - mean) < 4 * power.std() / np.sqrt(power.size)
    whole = Air(Channel(profile, modem="symbols", block=0), 2)._gains(1000)
    assert np.all(whole == whole[0])


def test_every_profile_can_be_sent_over() -> None:
    for profile in ("rayleigh", "rician", "TDL-A", "TDL-E", "EVA"):
        arrival = Air(Channel(profile, snr_db=35, doppler_hz=5, cfo_hz=500), 3).send(header(), DATA)
        assert arrival.layers == DATA, profile
        assert abs(arrival.report["cfo_hz"] - 500) < 60


def test_a_recording_interferes() -> None:
    from pathlib import Path

    recording = str(Path(__file__).resolve().parents[2] / "recordings" / "wifi-tdl-b")
    clear = Air(Channel(snr_db=30, interference=recording, ci_db=60), 1).send(header(RAW.size), DATA, RAW)
    loud = Air(Channel(snr_db=30, interference=recording, ci_db=-30), 1).send(header(RAW.size), DATA, RAW)
    assert clear.layers == DATA
    assert loud.layers != DATA


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"modem": "semaphore"}, "modem must be one of ofdm, symbols, not 'semaphore'"),
        ({"profile": "TDL-C", "modem": "symbols"}, 'TDL-C needs "ofdm"'),
        ({"interference": "x", "modem": "symbols"}, 'interference needs "ofdm"'),
        ({"profile": "measured"}, "path goes with profile"),
        ({"block": -1}, "block must be 0 or more symbols, not -1"),
    ],
)
def test_channels_that_cannot_be(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Channel(**values)


def test_raw_symbols_must_be_as_many_as_the_header_says() -> None:
    with pytest.raises(ValueError, match="raw must be 600 symbols"):
        Air(Channel(), 1).send(header(RAW.size), DATA, RAW[:-1])


def test_labels() -> None:
    assert Channel("TDL-C", doppler_hz=30).label() == "TDL-C 300 ns 30 Hz"
    assert Channel("awgn", modem="symbols").label() == "AWGN, symbols"
    assert Channel("awgn", interference="x", ci_db=3).label() == "AWGN C/I 3 dB"

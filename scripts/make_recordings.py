"""Make the recordings in ``recordings/``: a small picture over the image link, 802.11 frames, GNU Radio packets.

    python scripts/make_recordings.py [FOLDER]

Each is what a receiver's antenna got from our own transmitters. The same seeds give the same bytes.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from semwave.blocks.basic import VectorSink
from semwave.models.pictures import load_picture, save_png
from semwave.recording import Writer
from semwave.runtime.graphfile import load

ROOT = Path(__file__).resolve().parents[1]
RATE, FREQUENCY = 3.84e6, 2.45e9
SIDE = 256  # pixels of the longer side
CASES: dict[str, dict[str, Any]] = {
    "awgn-20dB": {"profile": "awgn", "snr_db": 20.0, "datatype": "ci16_le"},
    "awgn-08dB": {"profile": "awgn", "snr_db": 8.0, "datatype": "ci16_le"},
    "awgn-minus2dB": {"profile": "awgn", "snr_db": -2.0, "datatype": "ci8"},
    "tdl-c-12dB": {"profile": "TDL-C", "snr_db": 12.0, "datatype": "ci8"},
}
SCALE = {"ci16_le": 1 / 16, "ci8": 1 / 6}  # of the samples, so that their peaks stay within full scale


def received(picture: Path, case: dict[str, Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    """Samples after the channel, burst tags, and what the picture's row said."""
    with TemporaryDirectory() as out:
        overrides = [
            f"source.path={picture}", f"sink.path={out}", f"profile={case['profile']}", f"snr_db={case['snr_db']}",
            "semantic_encoder.cbr=0.04", "recording.path=" + out,
        ]  # fmt: skip
        graph = load(ROOT / "flowgraphs" / "image_link.toml", overrides, seed=11)
        graph.add(taken=VectorSink()).connect("channel > taken")
        graph.run(timeout_s=300)
        rows: list[dict[str, Any]] = json.loads((Path(out) / "report.json").read_text())["pictures"]
    sink: Any = graph.blocks["taken"]
    tags = [t for p in sink.packets for t in p.tags if t.key == "burst"]
    return sink.data, tags, rows[0]


def main(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    wifi(folder)
    stock(folder)
    with TemporaryDirectory() as scratch:
        picture = Path(scratch) / "chelsea.png"
        save_png(picture, small(load_picture(ROOT / "recordings" / "images" / "chelsea.jpg")))
        for name, case in CASES.items():
            samples, tags, row = received(picture, case)
            kind = case["datatype"]
            about = f"one picture of semwave's image link, as received: {case['profile']}, {case['snr_db']:g} dB"
            with Writer(
                folder / name, RATE, datatype=kind, frequency=FREQUENCY, scale=SCALE[kind], description=about,
                license="https://www.apache.org/licenses/LICENSE-2.0", force=True, sync=False,
            ) as writer:  # fmt: skip
                writer.write(samples.astype(np.complex64))
                for tag in tags:
                    writer.annotate(tag.at, int(tag.value), label="burst")
            print(f"{name}: {samples.size} samples, {row['result']}, PSNR {row['psnr']:.2f} dB")


def noisy(samples: Any, snr_db: float, rng: np.random.Generator) -> Any:
    """With white noise for carriers of unit energy."""
    noise = rng.standard_normal((samples.size, 2)).astype(np.float32).view(np.complex64)[:, 0]
    return (samples + noise * np.float32(np.sqrt(10 ** (-snr_db / 10) / 2))).astype(np.complex64)


def wifi(folder: Path) -> None:
    """Beacons and data of two stations at many rates over TDL-B, each with its own carrier offset."""
    from semwave.modulation import fading
    from semwave.modulation.ieee80211 import TxFormat, append_fcs, transmit

    rng = np.random.default_rng(5)
    ap, client = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
    forms = [TxFormat(rate_mbps=r) for r in (6, 9, 12, 18, 24, 36)] + [TxFormat(mcs=m) for m in (0, 1, 2, 3)]
    forms += [TxFormat(mcs=2, ldpc=True), TxFormat(mcs=1, short_gi=True)]
    gaps = [np.zeros(900, np.complex64)]
    air = [fading.create("TDL-B", sample_rate=20e6, rng=rng, doppler_hz=200.0, delay_spread_s=50e-9) for _ in range(2)]
    for i, form in enumerate(forms):
        a, b = (ap, client) if i % 2 == 0 else (client, ap)
        head = b"\x08\x01\x00\x00" + a + b + ap + (i << 4).to_bytes(2, "little")
        frame = transmit(append_fcs(head + f"frame {i} of the shipped recording".encode()), form)
        cfo_hz = -21_500.0 if i % 2 == 0 else 9_800.0
        line = np.concatenate([frame, gaps[0]])
        sent = [np.zeros_like(line), np.zeros_like(line)]
        sent[i % 2] = line
        faded = sum(channel.process(x) for channel, x in zip(air, sent, strict=True))
        gaps.append(faded * np.exp(2j * np.pi * cfo_hz / 20e6 * np.arange(faded.size)))
    samples = noisy(np.concatenate(gaps), 28.0, rng)
    about = "12 frames of two 802.11 stations (addresses made up) over TDL-B, 28 dB: rates 6 to 36 Mbit/s, MCS 0 to 3"
    save(folder / "wifi-tdl-b", samples, 20e6, "ci8", 1 / 8, 5.18e9, about)


def stock(folder: Path) -> None:
    """Three packets of GNU Radio's stock OFDM transmitter."""
    from semwave.modulation.gnuradio_ofdm import Transmitter

    sender = Transmitter(amplitude=1 / np.sqrt(52))
    payloads = [f"packet {i} of the shipped recording".encode() for i in range(3)]
    samples = np.concatenate([np.zeros(500, np.complex64), sender.frames(payloads, gap=300)])
    turned = samples * np.exp(2j * np.pi * 0.002 * np.arange(samples.size))
    about = "three packets as digital.ofdm_tx sends them, 15 dB"
    save(folder / "gr-ofdm", noisy(turned, 15.0, np.random.default_rng(6)), 1e6, "ci8", 1 / 8, 433.92e6, about)


def save(file: Path, samples: Any, rate: float, kind: str, scale: float, frequency: float, about: str) -> None:
    """Write one without annotations."""
    licence = "https://www.apache.org/licenses/LICENSE-2.0"
    with Writer(
        file, rate, datatype=kind, frequency=frequency, scale=scale, description=about, license=licence, force=True,
        sync=False,
    ) as writer:  # fmt: skip
        writer.write(samples)
        print(f"{file.name}: {samples.size} samples, {writer.clipped} clipped")


def small(image: Any) -> Any:
    """The picture at ``SIDE`` pixels."""
    from PIL import Image

    scale = SIDE / max(image.shape[:2])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "recordings")

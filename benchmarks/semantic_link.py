"""Joint source-channel coded symbols through the complete OFDM modem, beside an image codec behind LDPC.

    python benchmarks/semantic_link.py [--quick] [--pictures DIR] [--model NAME] [--case csi|projection|key]

* csi: whole picture, CBR 1/16, TDL-C (300 ns, 30 Hz): PSNR with the receiver's own detection, timing and channel
  estimate; the peer is a receiver that knows the channel on each carrier, on the same fading and noise. dB.
* projection: whole picture, CBR 1/16, AWGN: symbols on a QAM constellation; the peer are free symbols. dB.
* key: the key region alone in the same number of payload symbols, through the same modem and air, side information and
  CRC counted. The peer is the best of AVIF, WebP and JPEG for each picture at the MCS that is best on average at this
  SNR (chosen in hindsight); a lost layer shows the key region's mean colour. PSNR and LPIPS inside the key region.

Pictures are the shipped photographs unless DIR says otherwise; none was trained on.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit

from semwave.bench.metrics import lpips, psnr
from semwave.blocks.basic import VectorSink
from semwave.blocks.conventional import OfdmLink
from semwave.blocks.framing import layer_bytes
from semwave.models.jscc import Jscc
from semwave.models.jscckey import decode_jscc_key, encode_jscc_key
from semwave.models.keylayer import decode_key_layer, encode_key_layer
from semwave.models.maskcode import block_size
from semwave.models.pictures import load_picture
from semwave.models.segment import expand, key_mask, load_segmenter
from semwave.modulation import fading, projection, scene
from semwave.modulation.adaptation import choose_mcs
from semwave.modulation.noise import add_awgn, n0_from_snr_db
from semwave.modulation.ofdm import BurstReceiver, BurstTransmitter, OfdmParams, preamble
from semwave.modulation.ofdm.sequences import burst_permutation
from semwave.runtime import Array, Flowgraph, Frames, Out, Packet, Source

PHOTOGRAPHS = Path(__file__).resolve().parents[1] / "recordings" / "images"
CBR = 1 / 16
KEY_SHARE, KEY_CBR = 0.35, 1 / 48
SIDE_MARGIN_DB = 2.65  # of the bytes beside the symbols, below the average SNR: what the best image code had
PEER_MCS = (0, 1, 3, 5, 7)
HEADER, GAP, EARLY = 100, 400, 4


@dataclass
class Picture:
    """A photograph and its key region."""

    image: Array
    grid: Array
    mask: Array


def main() -> None:
    """All cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pictures", type=Path, default=PHOTOGRAPHS)
    parser.add_argument("--model", default="default")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--most", type=int, default=40, help="pictures at most")
    parser.add_argument("--snr", type=int, nargs="+", help="average SNR in dB, instead of the usual")
    parser.add_argument("--case", choices=("csi", "projection", "key"), action="append")
    args = parser.parse_args()
    found = pictures(args.pictures, 2 if args.quick else args.most)
    seeds = args.seeds or (1 if args.quick else 4)
    codec = Jscc.load(args.model)
    cases = args.case or ["csi", "projection", "key"]
    if "csi" in cases:
        csi(codec, found, args.snr or ((1, 10) if args.quick else (1, 4, 7, 10)), seeds)
    if "projection" in cases:
        projected(codec, found)
    if "key" in cases:
        key(codec, found, args.snr or ((0, 6) if args.quick else (-2, 0, 2, 4, 6, 10)), seeds)


def pictures(folder: Path, most: int) -> list[Picture]:
    """Photographs of a folder with their key regions, by the shipped segmenter."""
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))[:most]
    images = [load_picture(f) for f in files]
    model, out = load_segmenter(), []
    for image, importance in zip(images, model.importance(images), strict=True):
        block = block_size(*image.shape[:2])
        grid = key_mask(importance, KEY_SHARE, block)
        out.append(Picture(image, grid, expand(grid, block, image.shape[:2])))
    return out


def mean_psnr(values: list[float]) -> float:
    """Mean over pictures of PSNR in dB."""
    return float(np.mean(values))


# ---- csi -------------------------------------------------------------------------------------------------------------


def csi(codec: Any, found: list[Picture], snrs: Sequence[int], seeds: int) -> None:
    """The receiver's own channel estimate against the true channel."""
    for snr_db in snrs:
        scores: dict[str, list[float]] = {"estimated": [], "known": [], "awgn": []}
        for i, picture in enumerate(found):
            image = picture.image.astype(np.float32) / 255
            sent = codec.encode(image, None, int(CBR * image.size), float(snr_db))
            for seed in range(seeds):
                for name, (symbols, noise) in received(sent.symbols, snr_db, [seed, i]).items():
                    got = codec.decode(sent.side, symbols, noise, image.shape[:2], None)
                    scores[name].append(psnr(picture.image, to_uint8(got.image)))
        case = f"csi/TDL-C/{snr_db} dB/"
        known = mean_psnr(scores["known"])
        emit("semantic_link", case + "PSNR, estimated", mean_psnr(scores["estimated"]), "dB", "true channel", known)
        emit("semantic_link", case + "loss against the true channel", known - mean_psnr(scores["estimated"]), "dB")
        emit("semantic_link", case + "loss of fading, true channel", mean_psnr(scores["awgn"]) - known, "dB")


def received(symbols: Array, snr_db: float, seed: list[int]) -> dict[str, tuple[Array, Array]]:
    """Equalised symbols and noise variances: by the modem's receiver, with the true channel, and without fading."""
    params = OfdmParams()
    transmitter = BurstTransmitter(params, HEADER)
    header = np.ones(HEADER, np.complex64)
    burst = transmitter.burst(header, symbols)
    n0 = n0_from_snr_db(snr_db)
    noisy = add_awgn(faded(params, burst, seed), n0, np.random.default_rng([*seed, 1]))
    probe = transmitter.burst(header, np.ones_like(symbols))
    receiver = BurstReceiver(params, HEADER, lambda *_: symbols.size)
    bursts = [b for b in receiver.push(noisy) + receiver.finish() if b.status != "header"]
    lost = np.zeros_like(symbols), np.full(symbols.size, np.inf, np.float32)
    estimated = (bursts[0].payload, bursts[0].noise_variance) if bursts else lost
    flat = add_awgn(symbols, n0, np.random.default_rng(seed)), np.full(symbols.size, n0, np.float32)
    known = genie(transmitter, symbols.size, faded(params, probe, seed), noisy, n0)
    return {"estimated": estimated, "known": known, "awgn": flat}


def faded(params: OfdmParams, burst: Array, seed: list[int]) -> Array:
    """A burst after the channel that ``seed`` draws, without the delay of the channel model's own filters."""
    rng = np.random.default_rng(seed)
    air = fading.create("TDL-C", sample_rate=params.sample_rate, rng=rng, doppler_hz=30.0, delay_spread_s=300e-9)
    return np.asarray(air.process(np.pad(burst, (GAP, GAP)))[air.delay :])


def genie(transmitter: BurstTransmitter, n: int, probe: Array, noisy: Array, n0: float) -> tuple[Array, Array]:
    """One-tap equalisation with what the channel does to each carrier of a burst of ones without noise."""
    params, layout = transmitter.params, transmitter.layout
    grid = layout.fill(np.ones(HEADER, np.complex64), np.ones(n, np.complex64))
    starts = GAP + preamble.length(params) + params.symbol_starts(grid.shape[0]) - EARLY

    def carriers(samples: Array) -> Array:
        windows = np.stack([samples[at : at + params.fft_size] for at in starts])
        return np.fft.fft(windows, axis=1, norm="ortho")[:, params.carriers]

    true = carriers(probe) / grid
    points, noise = carriers(noisy) / true, n0 / np.abs(true) ** 2
    cells, order = layout.payload_cells(n)[:n], burst_permutation(n)
    out, variance = np.zeros(n, np.complex64), np.zeros(n, np.float32)
    out[order], variance[order] = points.reshape(-1)[cells], noise.reshape(-1)[cells]
    return out, variance


# ---- projection ------------------------------------------------------------------------------------------------------


def projected(codec: Any, found: list[Picture], snr_db: float = 10.0) -> None:
    """Symbols on constellations against free ones, without fading."""
    n0 = n0_from_snr_db(snr_db)
    scores: dict[Any, list[float]] = {"free": [], 16: [], 64: [], 256: [], 1024: []}
    for i, picture in enumerate(found):
        image = picture.image.astype(np.float32) / 255
        sent = codec.encode(image, None, int(CBR * image.size), snr_db)
        for order, kept in scores.items():
            points = sent.symbols if order == "free" else projection.project(sent.symbols, order)
            got, noise = add_awgn(points, n0, np.random.default_rng(i)), np.full(points.size, n0, np.float32)
            if order != "free":
                got, noise = projection.unproject(got, n0, order)
            made = codec.decode(sent.side, got, noise, image.shape[:2], None)
            kept.append(psnr(picture.image, to_uint8(made.image)))
    free = mean_psnr(scores.pop("free"))
    for order, kept in scores.items():
        case = f"projection/AWGN/{snr_db:g} dB/{order}-QAM/PSNR"
        emit("semantic_link", case, mean_psnr(kept), "dB", "free symbols", free)


# ---- key -------------------------------------------------------------------------------------------------------------


class Layers(Source):
    """One key layer."""

    layer = Out(Frames(np.uint8, ("byte",)))

    def packets(self) -> Iterator[Packet]:
        """Once."""
        yield self.packet


def through(data: bytes, meta: dict[str, Any], mcs: int, snr_db: float, seed: int) -> Packet | None:
    """A key layer over the complete link; None where its header was lost."""
    source, sink = Layers(), VectorSink()
    source.packet = Packet(np.frombuffer(data, np.uint8), meta={**meta, "number": 0})
    graph = Flowgraph(seed=seed).add(
        source=source, link=OfdmLink(key_mcs=mcs, snr_db=float(snr_db), realization="air"), sink=sink
    )
    graph.connect("source > link.scene > sink").run(timeout_s=300)
    scenes = [p for p in sink.packets if p.meta["status"] != "header"]
    return scenes[0] if scenes else None


def key(codec: Any, found: list[Picture], snrs: Sequence[int], seeds: int) -> None:
    """The key region in symbols against an image codec behind LDPC and QAM."""
    coded = {(i, mcs): digital(p, mcs) for i, p in enumerate(found) for mcs in PEER_MCS}
    for snr_db in snrs:
        ours: dict[str, list[float]] = {"psnr": [], "lpips": []}
        theirs: dict[int, dict[str, list[float]]] = {mcs: {"psnr": [], "lpips": []} for mcs in PEER_MCS}
        for i, picture in enumerate(found):
            symbols = analogue(codec, picture, snr_db)
            for seed in range(seeds):
                score(ours, picture, by_symbols(codec, picture, symbols, snr_db, seed))
                for mcs in PEER_MCS:
                    score(theirs[mcs], picture, by_bits(picture, coded[i, mcs], mcs, snr_db, seed))
        for measure, sign in (("psnr", 1), ("lpips", -1)):
            best = max(PEER_MCS, key=lambda m: sign * np.mean(theirs[m][measure]))
            name = f"best of AVIF, WebP, JPEG at MCS {best}"
            case = f"key/TDL-C/{snr_db} dB/{measure.upper()}"
            unit = "dB" if measure == "psnr" else "LPIPS"
            emit(
                "semantic_link", case, float(np.mean(ours[measure])), unit, name, float(np.mean(theirs[best][measure]))
            )
            wins = sign * (np.array(ours[measure]) - np.array(theirs[best][measure])) > 0
            emit("semantic_link", f"{case}, share of cases in which ours is better", float(wins.mean()), "")
            worst = [sign * float(np.min(sign * np.array(x[measure]))) for x in (ours, theirs[best])]
            emit("semantic_link", f"{case}, worst case", worst[0], unit, name, worst[1])


def budget(picture: Picture) -> int:
    """Channel uses of the key layer."""
    return int(KEY_CBR * picture.image.size)


def analogue(codec: Any, picture: Picture, snr_db: float) -> tuple[int, Any]:
    """MCS of the bytes, bytes and symbols; the encoder knows the average SNR."""
    mcs = choose_mcs(dict.fromkeys((4, 16, 64, 256), float(snr_db)), SIDE_MARGIN_DB)
    return mcs, encode_jscc_key(codec, picture.image, picture.grid, budget(picture), mcs, float(snr_db), "free")


def by_symbols(codec: Any, picture: Picture, coded: tuple[int, Any], snr_db: float, seed: int) -> Array:
    """Sent as symbols."""
    mcs, sent = coded
    if sent is None:
        return mean_colour(picture)
    shape = picture.image.shape[:2]
    meta = {"height": shape[0], "width": shape[1], "codec": scene.KEY_JSCC["free"], "raw": sent[1]}
    packet = through(sent[0], meta, mcs, snr_db, seed)
    if packet is None:
        return mean_colour(picture)
    made = decode_jscc_key(codec, layer_bytes(packet, "key"), packet.meta["raw"]["key"], 2, picture.mask, shape)
    return np.where(made.usable[..., None], made.picture, mean_colour(picture))


def digital(picture: Picture, mcs: int) -> bytes:
    """The best code of the key region that fits at an MCS; nothing where none does."""
    size, best, least = scene.capacity(budget(picture), mcs), b"", np.inf
    for name in ("avif", "webp", "jpeg"):
        code = encode_key_layer(picture.image, picture.grid, size, name)
        if code:
            made, _ = decode_key_layer(code, picture.mask, picture.image.shape[:2])
            error = float(np.mean((made[picture.mask].astype(float) - picture.image[picture.mask]) ** 2))
            best, least = (code, error) if error < least else (best, least)
    return best


def by_bits(picture: Picture, code: bytes, mcs: int, snr_db: float, seed: int) -> Array:
    """Sent as bits."""
    meta = {"height": picture.image.shape[0], "width": picture.image.shape[1], "codec": scene.KEY_IMAGE}
    packet = through(code, meta, mcs, snr_db, seed) if code else None
    data = layer_bytes(packet, "key") if packet else None
    if not data:
        return mean_colour(picture)
    return decode_key_layer(data, picture.mask, picture.image.shape[:2])[0]


def mean_colour(picture: Picture) -> Array:
    """What is shown of a lost key region; the true mean, free of charge."""
    mean = picture.image[picture.mask].mean(axis=0)
    return np.broadcast_to(np.rint(mean).astype(np.uint8), picture.image.shape)


def score(into: dict[str, list[float]], picture: Picture, made: Array) -> None:
    """PSNR and LPIPS in the key region, the rest as sent."""
    whole = np.where(picture.mask[..., None], made, picture.image)
    into["psnr"].append(psnr(picture.image, whole, picture.mask))
    into["lpips"].append(lpips(picture.image, whole, picture.mask))


def to_uint8(image: Array) -> Array:
    """Rounded."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()

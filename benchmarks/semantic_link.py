"""Joint source-channel coded symbols through the complete OFDM modem, beside an image codec behind LDPC.

    python benchmarks/semantic_link.py [--quick] [--pictures DIR] [--model NAME] [--case csi|projection|key] [--coarse]

* csi: whole picture, CBR 1/16, TDL-C (300 ns, 30 Hz): PSNR with the receiver's own detection, timing and channel
  estimate; the peer is a receiver that knows the channel on each carrier, on the same fading and noise. dB.
* projection: whole picture, CBR 1/16, AWGN: symbols on a QAM constellation; the peer are free symbols. dB.
* key: the key region alone in the same number of payload symbols, through the same modem and air, side information and
  CRC counted. The peer is the best of AVIF, WebP and JPEG for each picture at the MCS that is best on average at this
  SNR (chosen in hindsight); where nothing came, the key region's true mean colour is shown, for both. PSNR and LPIPS
  inside the key region, and the share of our headers and of our side information that was lost.

Pictures are the shipped photographs unless DIR says otherwise; none was trained on.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit

from semwave.bench.air import Air, Arrival, Channel
from semwave.bench.metrics import lpips, psnr
from semwave.models.jscc import Jscc
from semwave.models.jscckey import decode_jscc_key, encode_jscc_key, side_mcs
from semwave.models.keylayer import decode_key_layer, encode_key_layer
from semwave.models.maskcode import block_size
from semwave.models.pictures import load_picture
from semwave.models.segment import expand, key_mask, load_segmenter
from semwave.modulation import fading, projection, scene
from semwave.modulation.noise import add_awgn, n0_from_snr_db
from semwave.modulation.ofdm import BurstReceiver, BurstTransmitter, OfdmParams, preamble
from semwave.modulation.ofdm.sequences import burst_permutation
from semwave.runtime import Array

PHOTOGRAPHS = Path(__file__).resolve().parents[1] / "recordings" / "images"
CBR = 1 / 16
KEY_SHARE, KEY_CBR = 0.35, 1 / 48
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
    parser.add_argument("--coarse", action="store_true", help="key: with the fallback that needs no side information")
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
        key(codec, found, args.snr or ((0, 6) if args.quick else (-6, -3, 0, 3, 6, 9, 12)), seeds, args.coarse)


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


def key(codec: Any, found: list[Picture], snrs: Sequence[int], seeds: int, coarse: bool) -> None:
    """The key region in symbols against an image codec behind LDPC and QAM."""
    coded = {(i, mcs): digital(p, mcs) for i, p in enumerate(found) for mcs in PEER_MCS}
    blank = [score(picture, mean_colour(picture)) for picture in found]
    for snr_db in snrs:
        ours: list[list[float]] = []
        theirs: dict[int, list[list[float]]] = {mcs: [] for mcs in PEER_MCS}
        lost = {"header": 0, "side information": 0}
        for i, picture in enumerate(found):
            sent, nothing = analogue(codec, picture, snr_db, coarse), blank[i]
            for seed in range(seeds):
                air = Air(Channel("TDL-C", float(snr_db), doppler_hz=30.0, delay_spread_s=300e-9), 1000 * i + seed)
                made, what = by_symbols(codec, picture, sent, air)
                ours.append(nothing if made is None else score(picture, made))
                for name in what:
                    lost[name] += 1
                for mcs in PEER_MCS:
                    code, scores = coded[i, mcs]
                    theirs[mcs].append(scores if code and by_bits(picture, code, mcs, air) else nothing)
        report(snr_db, np.array(ours), {mcs: np.array(rows) for mcs, rows in theirs.items()})
        for name, count in lost.items():
            emit("semantic_link", f"key/TDL-C/{snr_db} dB/{name} lost", count / len(ours), "share")


def report(snr_db: int, ours: Array, theirs: dict[int, Array]) -> None:
    """PSNR and LPIPS, [case, 2], against the MCS that turned out best by each."""
    for column, (measure, unit, sign) in enumerate((("PSNR", "dB", 1), ("LPIPS", "LPIPS", -1))):
        best = max(theirs, key=lambda m: sign * np.mean(theirs[m][:, column]))
        mine, peer = ours[:, column], theirs[best][:, column]
        name, case = f"best of AVIF, WebP, JPEG at MCS {best}", f"key/TDL-C/{snr_db} dB/{measure}"
        emit("semantic_link", case, float(mine.mean()), unit, name, float(peer.mean()))
        emit("semantic_link", f"{case}, standard error of the difference", standard_error(mine - peer), unit)
        emit(
            "semantic_link",
            f"{case}, share of cases in which ours is better",
            float((sign * (mine - peer) > 0).mean()),
            "",
        )
        worst = [sign * float(np.quantile(sign * x, 0.1)) for x in (mine, peer)]
        emit("semantic_link", f"{case}, worst tenth begins at", worst[0], unit, name, worst[1])


def standard_error(values: Array) -> float:
    """Of the mean."""
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")


def budget(picture: Picture) -> int:
    """Channel uses of the key layer."""
    return int(KEY_CBR * picture.image.size)


def analogue(codec: Any, picture: Picture, snr_db: float, coarse: bool) -> tuple[int, int, Any]:
    """MCS of the bytes, number of the codec, bytes and symbols; the encoder knows the average SNR."""
    mcs, uses, known = side_mcs(snr_db), budget(picture), float(snr_db)
    sent = encode_jscc_key(codec, picture.image, picture.grid, uses, mcs, known, "free", coarse=coarse)
    return mcs, scene.jscc_codec("free", coarse), sent


def send(picture: Picture, air: Air, entry: scene.LayerEntry, data: bytes, raw: Array | None = None) -> Arrival:
    """A key layer through modem and air."""
    header = scene.SceneHeader(0, *picture.image.shape[:2], 0, key=entry)
    return air.send(header, {"key": data}, raw)


def by_symbols(codec: Any, picture: Picture, coded: tuple[int, int, Any], air: Air) -> tuple[Array | None, list[str]]:
    """Sent as symbols: the picture, None where nothing came, and what was lost."""
    mcs, number, sent = coded
    if sent is None:
        return None, []
    got = send(picture, air, scene.LayerEntry(number, mcs, len(sent[0]), sent[1].size), *sent)
    if got.header is None:
        return None, ["header"]
    side, raw = got.layer("key"), {"symbols": got.raw, "noise_variance": got.raw_noise}
    made = decode_jscc_key(codec, side, raw, number, picture.mask, picture.image.shape[:2])
    shown = np.where(made.usable[..., None], made.picture, mean_colour(picture))
    return shown, [] if side is not None else ["side information"]


def digital(picture: Picture, mcs: int) -> tuple[bytes, list[float]]:
    """The best code of the key region that fits at an MCS, nothing where none does, and what it is worth."""
    size, best, least, shown = scene.capacity(budget(picture), mcs), b"", np.inf, mean_colour(picture)
    for name in ("avif", "webp", "jpeg"):
        code = encode_key_layer(picture.image, picture.grid, size, name)
        if code:
            made, _ = decode_key_layer(code, picture.mask, picture.image.shape[:2])
            error = float(np.mean((made[picture.mask].astype(float) - picture.image[picture.mask]) ** 2))
            best, least, shown = (code, error, made) if error < least else (best, least, shown)
    return best, score(picture, shown)


def by_bits(picture: Picture, code: bytes, mcs: int, air: Air) -> bool:
    """Sent as bits: whether they came."""
    return send(picture, air, scene.LayerEntry(scene.KEY_IMAGE, mcs, len(code)), code).layer("key") is not None


def mean_colour(picture: Picture) -> Array:
    """What is shown of a lost key region; the true mean, free of charge."""
    mean = picture.image[picture.mask].mean(axis=0)
    return np.broadcast_to(np.rint(mean).astype(np.uint8), picture.image.shape)


def score(picture: Picture, made: Array) -> list[float]:
    """PSNR and LPIPS in the key region, the rest as sent."""
    whole = np.where(picture.mask[..., None], made, picture.image)
    return [psnr(picture.image, whole, picture.mask), lpips(picture.image, whole, picture.mask)]


def to_uint8(image: Array) -> Array:
    """Rounded."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()

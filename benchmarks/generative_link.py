"""Generative against conventional pictures over a fading channel, all channel uses counted.

    python benchmarks/generative_link.py --data DIR [--pictures 20] [--seeds 6] [--snr 0 3 6 12] [--cbr 96 48 24]
                                         [--codec best|all|avif] [--scheme semwave-sketch] [--model DIR] [--store FILE]
                                         [--shard I/N] [--quick]

Pictures: the first of BSDS500 test (``research/bsds500_test40.zip`` of DIR, 481 x 321), never trained on; with
``--data shipped`` the photographs of recordings/images. Channel: TDL-C, 300 ns, 30 Hz, through the complete modem,
channel estimated. ``cbr`` is total: preamble, header, pilots, cyclic prefix and padding are in it.

Ours: one MCS for each mean SNR, fixed beforehand by what other realisations let through (`OURS`). Conventional: the
whole picture by the codec of highest PSNR at each MCS of ``CONVENTIONAL``; for every measure the MCS is taken that
turns out best on average over all pictures and realisations, at that SNR and CBR (cases .../lpips and so on), so
hindsight is on its side. AV1's encoder takes its slow search on both sides. ``genie`` is stricter: the best MCS for
each picture and realisation, by the measure itself.

A picture counts as better where its mean over the realisations is. Lost pictures are mid-grey, for both. Results go to
``--store`` line by line, and what is there is not computed again; several processes may share one, each with a
``--shard`` of the pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit
from PIL import Image

from semwave.bench.air import Air, Channel
from semwave.bench.metrics import dists, lpips, psnr, ssim, vsi
from semwave.bench.schemes import Delivery, Picture, make
from semwave.bench.schemes.conventional import Conventional
from semwave.bench.schemes.semwave import Sketched, key_grid
from semwave.models.maskcode import block_size
from semwave.models.segment import expand
from semwave.modulation import scene
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.transmit import BurstTransmitter

OURS = {0.0: 1, 3.0: 1, 6.0: 2, 12.0: 5, 15.0: 7}  # MCS by mean SNR in dB
CONVENTIONAL = {0.0: (1, 2), 3.0: (1, 2, 3), 6.0: (2, 3), 12.0: (3, 5), 15.0: (5, 7)}  # others lose more at each
LESS_IS_BETTER = {"lpips": True, "dists": True, "psnr_key": False, "ssim_key": False, "vsi_key": False, "psnr": False}
SHARE = 0.35  # of the picture that is key


@dataclass(frozen=True)
class Remembering(Sketched):
    """Ours, rebuilding each set of arrived layers once: what is shown depends on nothing else."""

    name = "semwave-sketch-remembering"

    def _rebuilt(self, arrival: Any, extras: dict[str, Any]) -> Delivery:
        layers = tuple(sorted(arrival.layers.items()))
        if layers not in _built:
            _built[layers] = super()._rebuilt(arrival, extras)
        return _built[layers]


_built: dict[Any, Delivery] = {}


class Scores:
    """Measures of one picture, each image scored once."""

    def __init__(self, picture: Picture) -> None:
        self._image, self._known = picture.image, dict[str, dict[str, float]]()
        height, width = picture.image.shape[:2]
        self._key = expand(key_grid(picture, share=SHARE), block_size(height, width), (height, width))

    def of(self, shown: Any) -> dict[str, float]:
        """All measures."""
        digest = hashlib.sha256(np.ascontiguousarray(shown)).hexdigest()
        if digest not in self._known:
            whole = {f.__name__: float(f(self._image, shown)) for f in (lpips, dists, psnr)}
            key = {f"{f.__name__}_key": float(f(self._image, shown, self._key)) for f in (psnr, ssim, vsi)}
            self._known[digest] = whole | key
        return self._known[digest]


def pictures(data: str, count: int) -> list[Picture]:
    """BSDS500 test, or the shipped photographs at 512 pixels."""
    found = []
    if data == "shipped":
        for file in sorted((Path(__file__).parents[1] / "recordings" / "images").glob("*.jpg")):
            image = Image.open(file).convert("RGB")
            image.thumbnail((512, 512), Image.Resampling.LANCZOS)
            found.append((file.name, np.asarray(image)))
    else:
        with zipfile.ZipFile(Path(data) / "research" / "bsds500_test40.zip") as kept:
            names = sorted(n for n in kept.namelist() if n.endswith(".jpg"))[:count]
            found += [(name, np.asarray(Image.open(io.BytesIO(kept.read(name))).convert("RGB"))) for name in names]
    return [Picture(image, Path(name).stem, hashlib.sha256(image).hexdigest()) for name, image in found[:count]]


def payload(total: int) -> int:
    """The most payload symbols whose burst takes at most ``total`` channel uses, everything counted."""
    params = OfdmParams()
    transmitter = BurstTransmitter(params, scene.HEADER_SYMBOLS)

    def uses(symbols: int) -> int:
        return round(transmitter.symbols_used(symbols)["samples"] * params.active / params.fft_size)

    low, high = 0, total
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if uses(middle) <= total else (low, middle)
    return low


def ours(args: argparse.Namespace, mcs: int) -> Any:
    """The scheme at one MCS for all layers."""
    options = {"mask_mcs": mcs, "prompt_mcs": mcs, "sketch_mcs": mcs, "generator": args.model, "slow": True}
    return Remembering(**options) if args.scheme == "semwave-sketch" else make(args.scheme, options)


def measure(picture: Picture, args: argparse.Namespace, done: set[Any], store: Any) -> None:
    """Every case of one picture, written to the store."""
    scores = Scores(picture)
    _built.clear()
    for cbr in args.cbr:
        budget = payload(picture.samples // cbr)
        for snr_db in args.snr:
            schemes = [("ours", OURS[snr_db], ours(args, OURS[snr_db]))]
            schemes += [("conventional", m, Conventional(codec=args.codec, mcs=m)) for m in CONVENTIONAL[snr_db]]
            for kind, mcs, scheme in schemes:
                for seed in range(args.seeds):
                    place = (picture.name, cbr, snr_db, kind, mcs, seed)
                    if place in done:
                        continue
                    number = int(picture.sha256[:8], 16) + seed
                    air = Air(Channel("TDL-C", snr_db, doppler_hz=30.0, cfo_hz=1000.0), number)
                    got = scheme.transmit(picture, air, budget, np.random.default_rng(7))
                    row = dict(zip(PLACE, place, strict=True)) | {"status": got.status, "total": got.total}
                    store.write(json.dumps(row | scores.of(got.image)) + "\n")
                    store.flush()


PLACE = ("picture", "cbr", "snr_db", "kind", "mcs", "seed")


def report(rows: list[dict[str, Any]]) -> None:
    """Shares and means of every case."""
    cases = defaultdict(list)
    for row in rows:
        cases[row["cbr"], row["snr_db"]].append(row)
    for (cbr, snr_db), found in sorted(cases.items(), key=lambda item: (-item[0][0], item[0][1])):
        where = f"{snr_db:g} dB/1:{cbr}"
        mine = _by_picture([r for r in found if r["kind"] == "ours"])
        peers = {
            m: _by_picture([r for r in found if r["kind"] != "ours" and r["mcs"] == m])
            for m in sorted({r["mcs"] for r in found if r["kind"] != "ours"})
        }
        seeds = max(len(values) for values in mine.values()) if mine else 0
        sides = (mine, *peers.values())
        whole = sorted(p for p in set(mine).intersection(*sides) if all(len(side[p]) == seeds for side in sides))
        if not whole:
            continue
        emit("generative_link", f"{where}/pictures", len(whole), "1")
        lost = [float(np.mean([r["status"] == "lost" for r in found if r["kind"] == k])) for k in KINDS]
        emit("generative_link", f"{where}/lost", lost[0], "1", "conventional, all MCS", lost[1])
        for name, less in LESS_IS_BETTER.items():
            _compare(where, name, less, {p: mine[p] for p in whole}, peers)


KINDS = ("ours", "conventional")


def _by_picture(rows: list[dict[str, Any]]) -> dict[str, dict[int, dict[str, Any]]]:
    out: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        out[row["picture"]][row["seed"]] = row
    return dict(out)


def _compare(where: str, name: str, less: bool, mine: Any, peers: dict[int, Any]) -> None:
    """One measure: means, share of pictures better than the best fixed MCS, and than the genie."""
    sign = 1.0 if less else -1.0
    own = np.array([[mine[p][s][name] for s in sorted(mine[p])] for p in mine])
    other = np.array([[[peers[m][p][s][name] for s in sorted(mine[p])] for p in mine] for m in peers])
    best = int(np.argmin(sign * other.mean(axis=(1, 2))))
    fixed, genie = other[best], sign * (sign * other).min(axis=0)
    unit = "dB" if name.startswith("psnr") else "1"
    emit("generative_link", f"{where}/{name}", own.mean(), unit, f"best fixed, MCS {list(peers)[best]}", fixed.mean())
    for peer, values in (("best fixed", fixed), ("genie", genie)):
        better = float(np.mean(sign * own.mean(axis=1) < sign * values.mean(axis=1)))
        emit("generative_link", f"{where}/{name}/better on", better, "1", peer)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="shipped", help="folder with research/, or shipped")
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=6, help="realisations of the channel")
    parser.add_argument("--snr", type=float, nargs="+", default=[0.0, 3.0, 6.0, 12.0], choices=OURS)
    parser.add_argument("--cbr", type=int, nargs="+", default=[96, 48, 24], help="samples a channel use")
    parser.add_argument("--codec", default="best", help="of the conventional picture: best, all, or one by name")
    parser.add_argument("--scheme", default="semwave-sketch", help="ours")
    parser.add_argument("--model", default="", help="folder of a decoder; the shipped one by default")
    parser.add_argument("--store", type=Path, default=Path("out/generative_link.jsonl"))
    parser.add_argument("--shard", default="0/1", help="I/N: pictures I, I + N, ...")
    parser.add_argument("--quick", action="store_true", help="two pictures, 3 dB, 1/48, two realisations")
    args = parser.parse_args()
    if args.quick:
        args.pictures, args.snr, args.cbr, args.seeds = 2, [3.0], [48], 2
        args.store = args.store.with_name(f"quick_{args.store.name}")
    args.store.parent.mkdir(parents=True, exist_ok=True)
    done = {tuple(r[k] for k in PLACE) for r in _rows(args.store)}
    first, step = map(int, args.shard.split("/"))
    with args.store.open("a", encoding="utf-8") as store:
        for picture in pictures(args.data, args.pictures)[first::step]:
            measure(picture, args, done, store)
    report(_rows(args.store))


def _rows(store: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read_text().splitlines()] if store.is_file() else []


if __name__ == "__main__":
    main()

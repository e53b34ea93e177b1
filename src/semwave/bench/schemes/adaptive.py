"""The whole picture by an image codec at a rate that follows the channel: genie, mean SNR; capacity as the bound."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from semwave.bench.air import Air
from semwave.bench.schemes import Delivery, Picture, Scheme, _options, lost, remembered
from semwave.bench.schemes.conventional import Conventional
from semwave.modulation import capacity, mcs, scene

TABLE = mcs.table("256qam")
THRESHOLDS_DB = (
    -6.25, -4.0, -1.5, 0.25, 2.0,
    4.0, 5.0, 6.0, 7.0, 7.75, 8.25,
    9.5, 10.5, 11.5, 12.25, 13.25, 14.25, 15.25, 16.25, 17.25,
    18.25, 18.75, 19.75, 20.75, 21.75, 23.0, 23.75, 24.75,
)  # fmt: skip
"""SNR on AWGN at which at most a tenth of layers of 1,000 bytes is lost, by MCS; ``benchmarks/digital.py`` measures."""


@dataclass(frozen=True)
class ConventionalGenie(Scheme):
    """The highest MCS that this very realisation of the channel lets through, known before sending: a bound of all
    link adaptation, and with ``codec`` "all" of every codec there is here.
    """

    name: ClassVar[str] = "conventional-genie"
    version: ClassVar[str] = "2"
    codec: str = "best"

    def __post_init__(self) -> None:
        _options.still_codec("codec", self.codec, "all")

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Probe with random bytes from the highest MCS down, then send the picture; lost where none gets through."""
        height, width = picture.image.shape[:2]
        for row in reversed(TABLE):
            if row.spectral_efficiency > _most(air.channel.snr_db):
                continue
            room = scene.capacity(budget, row.index)
            if room < 1:
                continue
            entry = scene.LayerEntry(scene.KEY_WHOLE, row.index, room)
            header = scene.SceneHeader(0, height, width, 0, key=entry)
            if air.send(header, {"key": rng.bytes(room)}).layer("key") is not None:
                found = Conventional(codec=self.codec, mcs=row.index).transmit(picture, air, budget, rng)
                if found.status == "ok":
                    return found
        return Conventional(codec=self.codec, mcs=0).transmit(picture, air, budget, rng)


def _most(snr_db: float) -> float:
    """An efficiency that is out of reach even where fading adds 9 dB."""
    return float(np.log2(1 + 10 ** ((snr_db + 9) / 10)))


@dataclass(frozen=True)
class ConventionalAdaptive(Scheme):
    """The MCS for the mean SNR, which the transmitter knows, less ``margin_db``: link adaptation to the long term.

    Thresholds are those of AWGN (`THRESHOLDS_DB`); with fading, ``margin_db`` buys fewer losses with a lower rate.
    """

    name: ClassVar[str] = "conventional-adaptive"
    version: ClassVar[str] = "2"
    codec: str = "best"
    margin_db: float = 0.0

    def __post_init__(self) -> None:
        _options.still_codec("codec", self.codec, "all")
        _options.number("margin_db", self.margin_db, -60, 60)

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Choose, then as :class:`~semwave.bench.schemes.conventional.Conventional`."""
        known_db = air.channel.snr_db - self.margin_db
        index = max((i for i, t in enumerate(THRESHOLDS_DB) if t <= known_db), default=0)
        return Conventional(codec=self.codec, mcs=index).transmit(picture, air, budget, rng)


@dataclass(frozen=True)
class CodecCapacity(Scheme):
    """The codec at the channel's capacity, nothing lost: what no separation of source and channel code can beat.

    ``bound``: "shannon", log2(1 + SNR), or "bicm", the most that QAM of TS 38.211 with bitwise decisions carries.
    On Rayleigh channels the ergodic capacity; on any other the capacity of AWGN at the mean SNR, which is above it.
    """

    name: ClassVar[str] = "codec-capacity"
    version: ClassVar[str] = "2"
    codec: str = "best"
    bound: str = "shannon"
    orders: tuple[int, ...] = field(default=(4, 16, 64, 256))

    def __post_init__(self) -> None:
        _options.still_codec("codec", self.codec, "all")
        _options.one_of("bound", self.bound, ("shannon", "bicm"))
        if not self.orders:
            raise ValueError("orders must have at least one constellation, not ()")
        for order in self.orders:
            _options.one_of("orders", order, (2, 4, 16, 64, 256, 1024))

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """No air at all: as many bytes as ``budget`` symbols could carry."""
        from semwave.models.keycodec import decode_whole, encode_whole

        room = int(budget * self.bits(air) / 8)
        coded = remembered(
            ("capacity", picture.sha256, room, self.codec), lambda: encode_whole(picture.image, room, codec=self.codec)
        )
        if coded is None:
            return Delivery(lost(picture), "does not fit", 0, 0, {"codec": "none"})
        image = decode_whole(coded[0], picture.image.shape)
        return Delivery(image, "ok", budget, budget, {"codec": coded[1], "bytes": len(coded[0])})

    def bits(self, air: Air) -> float:
        """Bits a symbol."""
        snr_db = air.channel.snr_db
        if self.bound == "bicm":
            return max(float(capacity.bicm(order, snr_db)) for order in self.orders)
        flat = capacity.shannon_rayleigh if air.channel.profile == "rayleigh" else capacity.shannon
        return float(flat(snr_db))


def threshold_db(
    row: mcs.Scheme, target: float = 0.1, seed: int = 1, frames: int = 20, size: int = 1000, step_db: float = 0.25
) -> float:
    """SNR in dB at which layers of ``size`` bytes are lost in at most ``target`` of ``frames`` cases on AWGN.

    By simulation with the modem's own code, in steps of ``step_db`` from the capacity of the QAM up.
    """
    rng = np.random.default_rng((seed, row.index))
    snr_db = capacity_snr_db(row.spectral_efficiency, row.order)
    while _loss(row, snr_db, rng, frames, size) > target:
        snr_db += step_db
    return snr_db


def capacity_snr_db(efficiency: float, order: int) -> float:
    """SNR where BICM capacity is ``efficiency``, rounded down to a quarter dB."""
    grid = np.arange(-12.0, 40.0, 0.25)
    return float(grid[max(0, int(np.searchsorted(capacity.bicm(order, grid), efficiency)) - 1)])


def _loss(row: mcs.Scheme, snr_db: float, rng: np.random.Generator, frames: int, size: int) -> float:
    from semwave.modulation import qam
    from semwave.modulation.noise import complex_normal

    n0, lost_frames = 10 ** (-snr_db / 10), 0
    for _ in range(frames):
        data = rng.bytes(size)
        sent = qam.map_bits(scene.encode_layer(data, row.index), row.order)
        received = (sent + complex_normal(rng, sent.size, n0)).astype(np.complex64)
        llr = qam.demap_llr(received, row.order, np.full(sent.size, n0, np.float32))
        lost_frames += scene.decode_layer(llr, size, row.index) != data
    return lost_frames / frames

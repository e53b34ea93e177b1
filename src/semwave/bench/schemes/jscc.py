"""Learned joint source-channel coding of the whole picture: symbols on the air as they are, side information coded."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from semwave.bench.air import Air
from semwave.bench.schemes import Delivery, Picture, Scheme, _options, lost, remembered
from semwave.modulation import scene


@dataclass(frozen=True)
class JsccFidelity(Scheme):
    """Everything is key; the side information travels in a coded layer at MCS ``side_mcs``.

    ``constellation``: "free" symbols, or each on the nearest point of a QAM of 16, 64, 256 or 1024. With ``told`` the
    encoder knows the mean SNR (not the realisation). ``coarse`` adds what survives the loss of the side information.
    """

    name: ClassVar[str] = "jscc"
    version: ClassVar[str] = "1"
    model: str = "default"
    constellation: str | int = "free"
    side_mcs: int = 1
    told: bool = True
    coarse: bool = False

    def __post_init__(self) -> None:
        _options.one_of("constellation", self.constellation, scene.KEY_JSCC)
        _options.mcs_index("side_mcs", self.side_mcs)
        _options.one_of("told", self.told, (True, False))

    @cached_property
    def _codec(self) -> Any:
        from semwave.models.jscc import Jscc

        return Jscc.load(self.model)

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Encode, send, decode from whatever came."""
        from semwave.models.jscckey import decode_jscc_key, encode_jscc_key

        snr_db = air.channel.snr_db if self.told else None
        height, width = picture.image.shape[:2]
        whole = np.ones((1, 1), np.bool_)
        encoded = remembered(
            (self, picture.sha256, budget, snr_db),
            lambda: encode_jscc_key(
                self._codec, picture.image, whole, budget, self.side_mcs, snr_db, self.constellation, self.coarse
            ),
        )
        if encoded is None:
            return Delivery(lost(picture), "does not fit", 0, 0)
        side, symbols = encoded
        number = scene.jscc_codec(self.constellation, self.coarse)
        entry = scene.LayerEntry(number, self.side_mcs, len(side), symbols.size)
        header = scene.SceneHeader(0, height, width, int(rng.integers(1 << 16)), key=entry)
        arrival = air.send(header, {"key": side}, symbols)
        extras = {"side_bytes": len(side), **{f"received_{k}": v for k, v in arrival.report.items()}}
        if arrival.header is None:
            return Delivery(lost(picture), "lost", arrival.payload, arrival.total, extras)
        got = arrival.layer("key")
        raw = {"symbols": arrival.raw, "noise_variance": arrival.raw_noise}
        decoded = decode_jscc_key(self._codec, got, raw, number, None, (height, width))
        status = "ok" if got is not None else "side lost"
        extras["expected_rmse"] = float(np.sqrt(np.mean(np.square(decoded.sigma))))
        return Delivery(decoded.picture, status, arrival.payload, arrival.total, extras)

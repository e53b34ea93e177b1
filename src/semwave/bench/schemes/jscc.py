"""Learned joint source-channel coding of the whole picture: symbols on the air as they are, side information coded."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from semwave.bench.air import Air
from semwave.bench.schemes import Delivery, Picture, Scheme, lost, remembered
from semwave.modulation import scene

CODEC = 2  # the key layer's codec number for joint coding


@dataclass(frozen=True)
class JsccFidelity(Scheme):
    """Everything is key; the side information travels in a coded layer at MCS ``side_mcs``, the rest as raw symbols.

    With ``told`` the encoder knows the mean SNR (not the realisation).
    """

    name: ClassVar[str] = "jscc"
    version: ClassVar[str] = "1"
    model: str = "default"
    side_mcs: int = 1
    told: bool = True

    @cached_property
    def _codec(self) -> Any:
        from semwave.models.jscc import Jscc

        return Jscc.load(self.model)

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Encode, send, decode from whatever came."""
        encoded, side = self._encoded(picture, budget, air.channel.snr_db if self.told else None)
        if encoded is None:
            return Delivery(lost(picture), "does not fit", 0, 0, {"side_bytes": side})
        height, width = picture.image.shape[:2]
        entry = scene.LayerEntry(CODEC, self.side_mcs, len(encoded.side), encoded.symbols.size)
        header = scene.SceneHeader(0, height, width, int(rng.integers(1 << 16)), key=entry)
        arrival = air.send(header, {"key": encoded.side}, encoded.symbols)
        extras = {"side_bytes": side, **{f"received_{k}": v for k, v in arrival.report.items()}}
        if arrival.header is None:
            return Delivery(lost(picture), "lost", arrival.payload, arrival.total, extras)
        got = arrival.layer("key")
        decoded = self._codec.decode(got, arrival.raw, arrival.raw_noise, (height, width), None)
        image = np.rint(np.clip(decoded.image, 0, 1) * 255).astype(np.uint8)
        status = "ok" if got is not None else "side lost"
        return Delivery(image, status, arrival.payload, arrival.total, extras)

    def _encoded(self, picture: Picture, budget: int, snr_db: float | None) -> tuple[Any, int]:
        """As many raw symbols as the side information leaves; its length is known only after encoding, so twice."""

        def build() -> tuple[Any, int]:
            image = picture.image.astype(np.float32) / 255
            side, symbols = 0, budget
            for _ in range(3):
                if symbols < 1:
                    return None, side
                encoded = self._codec.encode(image, None, symbols=symbols, snr_db=snr_db)
                side = len(encoded.side)
                used = scene.payload_symbols(
                    scene.SceneHeader(0, 1, 1, 0, key=scene.LayerEntry(CODEC, self.side_mcs, side, symbols))
                )
                if used <= budget:
                    return encoded, side
                symbols -= used - budget
            return None, side

        key = ("jscc", self.model, self.side_mcs, picture.sha256, budget, snr_db)
        found: tuple[Any, int] = remembered(key, build)
        return found

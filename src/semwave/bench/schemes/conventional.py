"""The whole picture by an image codec, LDPC and one fixed modulation and rate."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semwave.bench.air import Air
from semwave.bench.schemes import Delivery, Picture, Scheme, _options, lost, remembered
from semwave.modulation import scene


@dataclass(frozen=True)
class Conventional(Scheme):
    """The best of AVIF, WebP, JPEG and JPEG 2000 (by PSNR) that fits, at MCS ``mcs`` of TS 38.214, table 5.1.3.1-2."""

    name: ClassVar[str] = "conventional"
    version: ClassVar[str] = "2"
    codec: str = "best"
    mcs: int = 3

    def __post_init__(self) -> None:
        _options.still_codec("codec", self.codec, "all")
        _options.mcs_index("mcs", self.mcs)

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Encode, send, decode; a picture that is lost is mid-grey."""
        from semwave.models.keycodec import decode_whole, encode_whole

        room = scene.capacity(budget, self.mcs)
        key = ("conventional", picture.sha256, room, self.codec)
        coded = remembered(key, lambda: encode_whole(picture.image, room, codec=self.codec))
        if coded is None:
            return Delivery(lost(picture), "does not fit", 0, 0, {"codec": "none"})
        data, codec = coded
        height, width = picture.image.shape[:2]
        entry = scene.LayerEntry(scene.KEY_WHOLE, self.mcs, len(data))
        header = scene.SceneHeader(0, height, width, int(rng.integers(1 << 16)), key=entry)
        arrival = air.send(header, {"key": data})
        got = arrival.layer("key")
        image = lost(picture) if got is None else decode_whole(got, picture.image.shape)
        extras = {"codec": codec, "bytes": len(data), "mcs": self.mcs, **_reported(arrival.report)}
        return Delivery(image, "lost" if got is None else "ok", arrival.payload, arrival.total, extras)


def _reported(report: object) -> dict[str, float]:
    """What the receiver said of the channel."""
    return {f"received_{k}": v for k, v in dict(report).items()}  # type: ignore[call-overload]

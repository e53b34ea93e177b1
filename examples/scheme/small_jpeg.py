"""A scheme of one's own: the whole picture as a small JPEG, protected by one MCS."""

import io

import numpy as np
from PIL import Image

from semwave.bench.schemes import Delivery, Scheme, lost
from semwave.modulation import scene


class SmallJpeg(Scheme):
    name, version = "small-jpeg", "1"

    def __init__(self, mcs=3):
        if mcs not in range(28):
            raise ValueError(f"mcs must be 0 to 27, not {mcs}")
        self.mcs = mcs

    def transmit(self, picture, air, budget, rng):
        data = self.encode(picture.image, scene.capacity(budget, self.mcs))
        if data is None:
            return Delivery(lost(picture), "does not fit", payload=0, total=0)
        height, width = picture.image.shape[:2]
        header = scene.SceneHeader(0, height, width, 0, key=scene.LayerEntry(15, self.mcs, len(data)))
        arrival = air.send(header, {"key": data})
        got = arrival.layer("key")  # None where its check failed
        if got is None:
            return Delivery(lost(picture), "lost", arrival.payload, arrival.total)
        with Image.open(io.BytesIO(got)) as small:
            image = np.asarray(small.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
        return Delivery(image, "ok", arrival.payload, arrival.total, {"bytes": len(data)})

    def encode(self, image, room):
        """The largest of some sizes that fits into ``room`` bytes; None where none does."""
        for shrink in (2, 4, 8, 16):
            size = (max(1, image.shape[1] // shrink), max(1, image.shape[0] // shrink))
            file = io.BytesIO()
            Image.fromarray(image).resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=30, optimize=True)
            if file.tell() <= room:
                return file.getvalue()
        return None

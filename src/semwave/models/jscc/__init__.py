"""Joint source-channel coding of pictures: a picture becomes complex symbols, ordered so that any prefix decodes.

    codec = Jscc.load()
    encoded = codec.encode(image, None, symbols=24_576, snr_db=10)
    decoded = codec.decode(encoded.side, received, noise_var, image.shape[:2], None)

``encoded.side`` travels in a coded layer with a checksum; ``encoded.symbols`` go on the air as they are.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import blocks, linear

Array = NDArray[Any]


@dataclass(frozen=True)
class Encoded:
    """Side information for a coded layer, and complex64 symbols [n] of unit mean power, the most important first."""

    side: bytes
    symbols: Array


@dataclass(frozen=True)
class Decoded:
    """The picture float32 [H, W, 3] in [0, 1] and the standard error expected at each pixel, float32 [H, W]."""

    image: Array
    sigma: Array


class Jscc:
    """Encoder and decoder of one set of weights."""

    @classmethod
    def load(cls, path_or_name: str = "default") -> Self:
        """Load a codec: ``default`` or ``linear`` (nothing learned)."""
        if path_or_name not in ("default", "linear"):
            raise ValueError(f"path_or_name must be default or linear, not {path_or_name!r}")
        return cls()

    def encode(self, image: Array, mask: Array | None, symbols: int, snr_db: float | None) -> Encoded:
        """Picture float32 [H, W, 3] in [0, 1], the part that counts bool [H, W], how many symbols, the SNR (or None).

        Raises:
            ValueError: an image or mask of another type or shape, or fewer than one symbol.
        """
        if image.dtype != np.float32 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(f"image must be float32 [height, width, 3], not {image.dtype} {list(image.shape)}")
        if symbols < 1:
            raise ValueError(f"symbols must be at least 1, not {symbols}")
        cover = blocks.cover(image.shape[:2], mask)
        side, sent = linear.encode(blocks.pad(image), cover, symbols, snr_db)
        return Encoded(side, sent)

    def decode(
        self, side: bytes | None, symbols: Array, noise_var: Array, size: tuple[int, int], mask: Array | None
    ) -> Decoded:
        """Equalised symbols [n] with their noise variances [n] (inf: lost), picture size (H, W), the encoder's mask.

        Raises:
            ValueError: a noise variance a symbol is needed; side information that does not fit.
        """
        if np.shape(noise_var) != np.shape(symbols):
            found = f"{list(np.shape(noise_var))} for {list(np.shape(symbols))} symbols"
            raise ValueError(f"noise_var must have one value a symbol, not {found}")
        height, width = size
        if side is None:
            return Decoded(np.full((height, width, 3), 0.45, np.float32), np.full((height, width), 0.25, np.float32))
        picture, variance = linear.decode(side, symbols, noise_var, blocks.cover(size, mask))
        image = np.clip(picture[:height, :width], 0, 1).astype(np.float32)
        return Decoded(image, np.sqrt(variance[:height, :width]).astype(np.float32))

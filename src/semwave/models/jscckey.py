"""The key region as joint source-channel coded symbols: what is sent of it, and what the receiver makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models import trust
from semwave.models.jscc import blocks
from semwave.models.jscc.fallback import symbols as coarse_symbols
from semwave.models.maskcode import block_size
from semwave.models.segment import expand
from semwave.modulation import projection, scene
from semwave.modulation.adaptation import ORDERS, choose_mcs
from semwave.modulation.mcs import table

Array = NDArray[Any]
SIDE_MARGIN_DB, LEAST_SIDE_MCS = 7.75, 1
"""What `side_mcs` keeps in hand, and where it stops: best on average over TDL-C on 20 pictures at -3 to 6 dB."""
COARSE_SHARE = 8
TRIES = 4  # rounds to make side information and symbols fill the budget together
USABLE = 0.2
"""Standard error above which a pixel counts as not received: what grey would miss a photograph by is about 0.25."""
SURE = 0.1
"""Standard error, and root mean square error of a good pixel, above which a pixel counts as inferred."""


@dataclass(frozen=True, slots=True)
class JsccKey:
    """The key region as received."""

    picture: Array
    """uint8 [height, width, 3]."""
    usable: Array
    """bool [height, width]: in the key region, and something of it came."""
    sigma: Array
    """float32 [height, width]: standard error expected."""


def side_mcs(snr_db: float) -> int:
    """MCS of the side information on a fading channel of this average SNR: lost, it takes all but a coarse picture."""
    return max(choose_mcs(dict.fromkeys(ORDERS, snr_db), SIDE_MARGIN_DB), LEAST_SIDE_MCS)


def affords_coarse(grid: Array, shape: tuple[int, int], budget: int) -> bool:
    """Whether the coarse picture of these blocks takes at most an eighth of the channel uses."""
    return COARSE_SHARE * coarse_symbols(blocks.cover(shape, _mask(grid, shape))) <= budget


def encode_jscc_key(
    codec: Any,
    image: Array,
    grid: Array,
    budget: int,
    mcs: int,
    snr_db: float | None,
    constellation: str | int,
    coarse: bool = False,
) -> tuple[bytes, Array] | None:
    """Side information and complex64 symbols of the blocks ``grid`` bool [rows, columns] of a uint8 picture.

    ``codec`` is a :class:`semwave.models.jscc.Jscc`. Both together take at most ``budget`` channel uses, the side
    information being coded at ``mcs``. With ``coarse`` some hold a coarse picture for when the side information is
    lost. None where nothing is key or not even one symbol fits.
    """
    if not grid.any():
        return None
    mask = _mask(grid, image.shape[:2])
    least = coarse_symbols(blocks.cover(image.shape[:2], mask)) + 1 if coarse else 1
    picture = image.astype(np.float32) / np.float32(255.0)
    efficiency = table("256qam")[mcs].spectral_efficiency
    wanted, best = budget, None
    for _ in range(TRIES):
        if wanted < least:
            break
        made = codec.encode(picture, mask, wanted, snr_db, side_efficiency=efficiency, coarse=coarse)
        left = budget - made.symbols.size - scene.coded_symbols(len(made.side), mcs)
        if left >= 0 and (best is None or made.symbols.size > best.symbols.size):
            best = made
        if 0 <= left <= budget // 100:
            break
        wanted += left
    if best is None:
        return None
    symbols = np.ascontiguousarray(best.symbols, np.complex64)
    return best.side, symbols if constellation == "free" else projection.project(symbols, int(constellation))


def _mask(grid: Array, shape: tuple[int, ...]) -> Array | None:
    height, width = shape[:2]
    return None if grid.all() else expand(grid, block_size(height, width), (height, width))


def decode_jscc_key(
    codec: Any, side: bytes | None, raw: Any, key_codec: int, mask: Array | None, shape: tuple[int, int]
) -> JsccKey:
    """What came of the key region; ``raw`` holds ``symbols`` complex64 [n] and their ``noise_variance`` float32 [n].

    ``side`` is None where it was lost, ``mask`` bool [height, width] the encoder's, None where everything is key.
    Raises ValueError on side information that no encoder writes, and on a codec of another kind.
    """
    constellation = scene.jscc_constellation(key_codec)
    if constellation is None:
        raise ValueError(f"key codec {key_codec} has no raw symbols; those of {sorted(scene.KEY_JSCC.values())} do")
    symbols, noise = raw["symbols"], raw["noise_variance"]
    if constellation != "free":
        symbols, noise = projection.unproject(symbols, noise, int(constellation))
    found = codec.decode(side, symbols, noise, shape, mask, coarse=scene.jscc_coarse(key_codec))
    picture = np.rint(np.clip(found.image, 0.0, 1.0) * 255.0).astype(np.uint8)
    usable = (found.sigma < USABLE) & (np.isfinite(noise).any() if noise.size else False)
    return JsccKey(picture, usable if mask is None else usable & mask, np.asarray(found.sigma, np.float32))


def judge(key: JsccKey, provenance: Array, confidence: Array) -> tuple[Array, Array]:
    """Provenance uint8 and confidence float32, both [height, width], with the key region's by its expected error."""
    trusted = np.where(key.usable, sure(key.sigma), confidence).astype(np.float32)
    doubtful = key.usable & (key.sigma > SURE)
    return np.where(doubtful, np.uint8(trust.INFERRED), provenance).astype(np.uint8), trusted


def sure(sigma: Array) -> Array:
    """Probability that a pixel's root mean square error over RGB is below 0.1, from its standard error; float32.

    Errors of the three channels are taken as one Gaussian: in photographs, they go together.
    """
    from scipy.special import erf

    return np.asarray(erf(SURE / (np.sqrt(2.0) * np.maximum(sigma, 1e-6))), np.float32)

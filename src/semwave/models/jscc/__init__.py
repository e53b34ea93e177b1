"""Joint source-channel coding of pictures: a picture becomes complex symbols, ordered so that any prefix decodes.

    codec = Jscc.load()
    encoded = codec.encode(image, None, symbols=24_576, snr_db=10)
    decoded = codec.decode(encoded.side, received, noise_var, image.shape[:2], None)

``encoded.side`` travels in a coded layer with a checksum; ``encoded.symbols`` go on the air as they are, or, with
``constellation=64``, are points of 64-QAM (`semwave.modulation.projection`). ``encode_digital`` makes bytes
only. See ``docs/semantic.md``.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import blocks, codebook, digital, fallback, hybrid, linear, refine, transform
from semwave.models.jscc.pricing import bits_per_symbol
from semwave.modulation import projection

Array = NDArray[Any]

__all__ = ["Decoded", "Encoded", "Jscc", "bits_per_symbol"]

WEIGHTS = Path(__file__).parents[1] / "weights"
NETWORKS = {"default": "semantic-refine", "perceptual": "semantic-refine-perceptual", "classes": None}
NAMES = (*NETWORKS, "linear")
UNKNOWN = 0.25  # standard error where nothing was received


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
    """Encoder and decoder of one set of weights; without a codebook the linear scheme, which needs none."""

    def __init__(self, book: codebook.Codebook | None = None, net: Any = None) -> None:
        self._book, self._net = book, net

    @classmethod
    def load(cls, path_or_name: str | Path = "default") -> Self:
        """``default``, ``perceptual``, ``classes`` (no network), ``linear`` (nothing learned), or a folder.

        ``default`` has a network for the least squared error, ``perceptual`` one that looks more like the original at
        some cost of that. They differ at the receiver alone: what one of the first three encodes all of them
        decode. A folder holds ``classes.safetensors`` and, if the network is wanted, ``refine.safetensors``.

        Raises:
            ValueError: no such name or folder, or weights of another format.
        """
        if path_or_name == "linear":
            return cls()
        if path_or_name in NETWORKS:
            book, network = WEIGHTS / "semantic-classes" / "model.safetensors", NETWORKS[str(path_or_name)]
            net = WEIGHTS / network / "model.safetensors" if network else None
        else:
            folder = Path(path_or_name)
            if not folder.is_dir():
                raise ValueError(f"path_or_name must be {', '.join(NAMES)} or a folder, not {str(path_or_name)!r}")
            book, net = folder / "classes.safetensors", folder / "refine.safetensors"
            net = net if net.exists() else None
        return cls(codebook.load(book), refine.load(net) if net else None)

    def encode(
        self,
        image: Array,
        mask: Array | None,
        symbols: int,
        snr_db: float | None,
        *,
        constellation: int | None = None,
        side_efficiency: float | None = None,
        coarse: bool = False,
    ) -> Encoded:
        """Picture float32 [H, W, 3] in [0, 1], the part that counts bool [H, W], how many symbols, the SNR (or None).

        With ``side_efficiency``, the bits that a symbol of the side's layer carries, ``symbols`` pays for both and
        fewer come out. With ``constellation`` the symbols are points of that square QAM, mixed by a
        unitary matrix, so that none is more important than others: a prefix of them tells nothing.
        With ``coarse`` the first of the symbols hold a coarse picture that needs no side information.

        Raises:
            ValueError: an image or mask of another type or shape, fewer than one symbol, no such constellation, or
                ``coarse`` with the linear scheme or in too few symbols.
        """
        cover = _checked(image, mask)
        if symbols < 1:
            raise ValueError(f"symbols must be at least 1, not {symbols}")
        if side_efficiency is not None and not side_efficiency > 0:
            raise ValueError(f"side_efficiency must be above 0 bits a symbol, not {side_efficiency}")
        encoded = self._encode(blocks.pad(image), cover, symbols, snr_db, side_efficiency, coarse)
        if constellation is None:
            return encoded
        return Encoded(encoded.side, projection.project(encoded.symbols, constellation))

    def _encode(
        self, image: Array, cover: Array, symbols: int, snr_db: float | None, efficiency: float | None, coarse: bool
    ) -> Encoded:
        if self._book is None:
            if coarse:
                raise ValueError("coarse must be False with the linear scheme")
            return Encoded(*linear.encode(image, cover, symbols, snr_db))
        design_db = hybrid.DEFAULT_SNR_DB if snr_db is None else snr_db
        job = hybrid.Job(symbols, design_db, efficiency or bits_per_symbol(design_db), efficiency is not None)
        if not coarse:
            return Encoded(*hybrid.encode(self._book, image, cover, job))
        first = fallback.encode(image, cover)
        if first.size >= symbols:
            raise ValueError(f"symbols must be above {first.size}, which the coarse picture takes, not {symbols}")
        job = replace(job, symbols=symbols - first.size, before=float(np.sum(np.square(np.abs(first)))) - first.size)
        side, rest = hybrid.encode(self._book, image, cover, job)
        return Encoded(side, np.concatenate([first, rest]))

    def decode(
        self,
        side: bytes | None,
        symbols: Array,
        noise_var: Array,
        size: tuple[int, int],
        mask: Array | None,
        *,
        constellation: int | None = None,
        refined: bool = True,
        coarse: bool = False,
    ) -> Decoded:
        """Equalised symbols [n] with their noise variances [n] (inf: lost), picture size (H, W), the encoder's mask.

        Without side information there is the ``coarse`` picture, if the encoder sent one, else all is grey and unknown.
        ``refined=False`` leaves the network out.

        Raises:
            ValueError: a noise variance a symbol is needed; side information that does not fit.
        """
        if np.shape(noise_var) != np.shape(symbols):
            found = f"{list(np.shape(noise_var))} for {list(np.shape(symbols))} symbols"
            raise ValueError(f"noise_var must have one value a symbol, not {found}")
        cover = blocks.cover(size, mask)
        if constellation is not None:
            symbols, noise_var = projection.unproject(symbols, noise_var, constellation)
        first = fallback.symbols(cover) if coarse else 0
        if side is None:
            if not first or self._book is None or len(symbols) < first:
                return _nothing(size)
            cosines, variances = fallback.decode(self._book, symbols[:first], noise_var[:first], cover)
            return self._finish(cosines, variances, size, cover, refined)
        symbols, noise_var = symbols[first:], noise_var[first:]
        if self._book is None:
            picture, variance = linear.decode(side, symbols, noise_var, cover)
            return _cut(picture, np.sqrt(variance), size)
        received = hybrid.Received(np.asarray(symbols), np.asarray(noise_var))
        return self._finish(*hybrid.decode(self._book, side, received, cover), size, cover, refined)

    def encode_digital(self, image: Array, mask: Array | None, size: int) -> bytes:
        """At most ``size`` bytes: class map and quantised coefficients; any prefix that holds the class map decodes.

        Raises:
            ValueError: an image or mask of another type or shape, too few bytes, or the linear scheme.
        """
        cover = _checked(image, mask)
        return digital.encode(self._needed(), blocks.pad(image), cover, size)

    def decode_digital(
        self, data: bytes, size: tuple[int, int], mask: Array | None, *, refined: bool = True
    ) -> Decoded:
        """The picture of a prefix of what `encode_digital` made, of size (H, W).

        Raises:
            ValueError: too few bytes for the class map, or the linear scheme.
        """
        cover = blocks.cover(size, mask)
        return self._finish(*digital.decode(self._needed(), data, cover), size, cover, refined)

    def _needed(self) -> codebook.Codebook:
        if self._book is None:
            raise ValueError("the linear scheme has no digital output: load 'default' or 'classes'")
        return self._book

    def _finish(self, cosines: Array, variances: Array, size: tuple[int, int], cover: Array, refined: bool) -> Decoded:
        picture = transform.backward(cosines)
        sigma = np.sqrt(np.maximum(transform.backward_variance(variances).mean(2), 0))
        if self._net is not None and refined:
            picture, sigma = refine.apply(self._net, picture, sigma, cover)
        pixels = np.repeat(np.repeat(cover, blocks.SIDE, 0), blocks.SIDE, 1)
        return _cut(picture, np.where(pixels, sigma, UNKNOWN), size)


def _checked(image: Array, mask: Array | None) -> Array:
    if image.dtype != np.float32 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"image must be float32 [height, width, 3], not {image.dtype} {list(image.shape)}")
    cover = blocks.cover((image.shape[0], image.shape[1]), mask)
    if not cover.any():
        raise ValueError("mask must cover at least one pixel")
    return cover


def _cut(picture: Array, sigma: Array, size: tuple[int, int]) -> Decoded:
    height, width = size
    image = np.clip(picture[:height, :width], 0, 1).astype(np.float32)
    return Decoded(image, sigma[:height, :width].astype(np.float32))


def _nothing(size: tuple[int, int]) -> Decoded:
    return Decoded(np.full((*size, 3), transform.GREY, np.float32), np.full(size, UNKNOWN, np.float32))

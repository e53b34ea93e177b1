"""The scene header: 161 bits with a CRC, LDPC coded at rate 0.13, QPSK: what a receiver needs most is protected best.

=========  ====  ==========================================================
field      bits  meaning
=========  ====  ==========================================================
version       4  of this format, 1
number       16  of the picture, counted by the transmitter, modulo 65536
height       13  rows of the picture, 1 to 8191
width        13  columns
seed         16  of the receiver's generator
layers      4 x  mask, prompt, sketch, key, in this order:
codec         4  how the layer is written (a number of the layer's own list)
mcs           5  index in TS 38.214, table 5.1.3.1-2
length    12-20  bytes of the layer; 0: not sent
CRC          16  gCRC16 of TS 38.212, 5.1
=========  ====  ==========================================================
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.modulation import bits as bit
from semwave.modulation import crc, qam
from semwave.modulation.ldpc import NrCode

Array = NDArray[Any]
VERSION = 1
LAYERS = ("mask", "prompt", "sketch", "key")
LENGTH_BITS = {"mask": 12, "prompt": 12, "sketch": 8, "key": 20}
_HEAD = (("version", 4), ("number", 16), ("height", 13), ("width", 13), ("seed", 16))
_ENTRY_BITS = 4 + 5
HEADER_BITS = sum(w for _, w in _HEAD) + sum(_ENTRY_BITS + LENGTH_BITS[name] for name in LAYERS) + 16
HEADER_SYMBOLS = 600
"""QPSK symbols of a coded header: the data elements of four OFDM symbols of the default numerology."""


@dataclass(frozen=True)
class LayerEntry:
    """One layer as the header announces it; ``length`` 0 means that it is not sent."""

    codec: int = 0
    mcs: int = 0
    length: int = 0


@dataclass(frozen=True)
class SceneHeader:
    """What a receiver must know before anything else of a scene."""

    number: int
    height: int
    width: int
    seed: int
    mask: LayerEntry = LayerEntry()
    prompt: LayerEntry = LayerEntry()
    sketch: LayerEntry = LayerEntry()
    key: LayerEntry = LayerEntry()

    def layer(self, name: str) -> LayerEntry:
        """The entry of one of LAYERS."""
        entry: LayerEntry = getattr(self, name)
        return entry


def pack_header(header: SceneHeader) -> Array:
    """The header as bits with its CRC: uint8 [HEADER_BITS]. Raises ValueError naming a field that does not fit."""
    values = [("version", VERSION, 4)]
    values += [(name, getattr(header, name), width) for name, width in _HEAD[1:]]
    for name in LAYERS:
        entry = header.layer(name)
        values += [(f"{name}.codec", entry.codec, 4), (f"{name}.mcs", entry.mcs, 5)]
        values += [(f"{name}.length", entry.length, LENGTH_BITS[name])]
    for name, value, width in values:
        if not 0 <= value < 1 << width:
            raise ValueError(f"{name} must be 0 to {(1 << width) - 1}, not {value}")
    return crc.append(np.concatenate([bit.from_int(value, width) for _, value, width in values]), "16")


def unpack_header(bits: Array) -> SceneHeader:
    """The header in ``bits`` uint8 [HEADER_BITS]. Raises ValueError when the CRC or a field is wrong."""
    if not crc.check(bits, "16"):
        raise ValueError("the header's CRC is wrong")
    at = 0

    def field(width: int) -> int:
        nonlocal at
        at += width
        return int(bit.to_int(bits[at - width : at]))

    head = {name: field(width) for name, width in _HEAD}
    if head["version"] != VERSION:
        raise ValueError(f"the header is of another version than {VERSION}")
    layers = {name: LayerEntry(field(4), field(5), field(LENGTH_BITS[name])) for name in LAYERS}
    if not head["height"] or not head["width"]:
        raise ValueError("the header gives a picture without pixels")
    return SceneHeader(head["number"], head["height"], head["width"], head["seed"], **layers)


@lru_cache(maxsize=8)
def _code(symbols: int) -> NrCode:
    return NrCode(HEADER_BITS, 2 * symbols)


def encode_header(header: SceneHeader, symbols: int = HEADER_SYMBOLS) -> Array:
    """The header as coded bits, uint8 [2 * symbols]: two a QPSK symbol."""
    return _code(symbols).encode(pack_header(header))


def decode_header(received: Array, noise_variance: Array | float) -> SceneHeader | None:
    """The header in equalised QPSK symbols, complex64 [symbols]; None when it does not decode."""
    llr = qam.demap_llr(received, 4, noise_variance)
    found = _code(len(received)).decode(llr, iterations=40, algorithm="spa")
    try:
        return unpack_header(found.bits)
    except ValueError:
        return None

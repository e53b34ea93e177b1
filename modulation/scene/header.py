"""The scene header: 161 bits with a CRC, LDPC coded at rate 0.13, QPSK: what a receiver needs most is protected best.

=========  ====  ==========================================================
field      bits  meaning
=========  ====  ==========================================================
version       4  of this format: 1; 2 where the key layer has raw symbols; 3 where the sketch is longer than 255 bytes
number       16  of the picture, counted by the transmitter, modulo 65536
height       13  rows of the picture, 1 to 8191
width        13  columns
seed         16  of the receiver's generator
layers      4 x  mask, prompt, sketch, key, in this order:
codec         4  how the layer is written (a number of the layer's own list)
mcs           5  index in TS 38.214, table 5.1.3.1-2
length     8-20  bytes of the layer; 0: not sent
raw          20  symbols of the key layer sent as they are; not in version 1
long          8  upper byte of the sketch's length; in version 3 only
CRC          16  gCRC16 of TS 38.212, 5.1
=========  ====  ==========================================================

The lowest version that says all is sent, each bit for bit as before there was the next: 161, 181 or 189 bits. A
receiver tries one code after the other.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.modulation import bits as bit
from semwave.modulation import crc, qam
from semwave.modulation.ldpc import NrCode

Array = NDArray[Any]
LAYERS = ("mask", "prompt", "sketch", "key")
LENGTH_BITS = {"mask": 12, "prompt": 12, "sketch": 8, "key": 20}
TAIL_BITS = {1: (0, 0), 2: (20, 0), 3: (20, 8)}  # of the fields ``raw`` and ``long``, by version
_HEAD = (("version", 4), ("number", 16), ("height", 13), ("width", 13), ("seed", 16))
_ENTRY_BITS = 4 + 5
HEADER_BITS = sum(w for _, w in _HEAD) + sum(_ENTRY_BITS + LENGTH_BITS[name] for name in LAYERS) + 16
"""Of version 1; the others have ``TAIL_BITS`` more."""
HEADER_SYMBOLS = 600
"""QPSK symbols of a coded header: the data elements of four OFDM symbols of the default numerology."""
MAX_SKETCH = (1 << (LENGTH_BITS["sketch"] + TAIL_BITS[3][1])) - 1
"""Bytes of the longest sketch that a header can announce."""


@dataclass(frozen=True)
class LayerEntry:
    """One layer as the header announces it: coded bytes, and symbols that are sent as they are.

    ``length`` 0 means that it has no coded bytes; a layer with neither is not sent. Only the key layer may have raw
    symbols.
    """

    codec: int = 0
    mcs: int = 0
    length: int = 0
    raw: int = 0


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
    """The header as bits with its CRC: uint8 [HEADER_BITS + TAIL_BITS of its version].

    Raises ValueError naming a field that does not fit.
    """
    short = LENGTH_BITS["sketch"]
    version = 3 if header.sketch.length >> short else 2 if header.key.raw else 1
    raw_bits, long_bits = TAIL_BITS[version]
    if not 0 <= header.sketch.length < 1 << (short + TAIL_BITS[3][1]):
        raise ValueError(f"sketch.length must be 0 to {MAX_SKETCH}, not {header.sketch.length}")
    values = [("version", version, 4)]
    values += [(name, getattr(header, name), width) for name, width in _HEAD[1:]]
    for name in LAYERS:
        entry = header.layer(name)
        if entry.raw and name != "key":
            raise ValueError(f"{name}.raw must be 0, not {entry.raw}: only the key layer has raw symbols")
        values += [(f"{name}.codec", entry.codec, 4), (f"{name}.mcs", entry.mcs, 5)]
        length = entry.length & ((1 << short) - 1) if name == "sketch" else entry.length
        values += [(f"{name}.length", length, LENGTH_BITS[name])]
    values += [("key.raw", header.key.raw, raw_bits), ("long", header.sketch.length >> short, long_bits)]
    for name, value, width in values:
        if not 0 <= value < 1 << width:
            raise ValueError(f"{name} must be 0 to {(1 << width) - 1}, not {value}")
    return crc.append(np.concatenate([bit.from_int(value, width) for _, value, width in values if width]), "16")


def unpack_header(bits: Array) -> SceneHeader:
    """The header in ``bits`` uint8 [HEADER_BITS + TAIL_BITS of a version]. Raises ValueError when the CRC or a field
    is wrong, and on a version that this receiver does not know.
    """
    if not crc.check(bits, "16"):
        raise ValueError("the header's CRC is wrong")
    at = 0

    def field(width: int) -> int:
        nonlocal at
        at += width
        return int(bit.to_int(bits[at - width : at]))

    head = {name: field(width) for name, width in _HEAD}
    raw_bits, long_bits = TAIL_BITS.get(head["version"], (-1, -1))
    if raw_bits < 0 or len(bits) != HEADER_BITS + raw_bits + long_bits:
        raise ValueError(f"the header is of another version than {', '.join(map(str, TAIL_BITS))}")
    layers = {name: LayerEntry(field(4), field(5), field(LENGTH_BITS[name])) for name in LAYERS}
    if raw_bits:
        layers["key"] = replace(layers["key"], raw=field(raw_bits))
    if long_bits:
        sketch = layers["sketch"]
        layers["sketch"] = replace(sketch, length=field(long_bits) << LENGTH_BITS["sketch"] | sketch.length)
    if not head["height"] or not head["width"]:
        raise ValueError("the header gives a picture without pixels")
    return SceneHeader(head["number"], head["height"], head["width"], head["seed"], **layers)


@lru_cache(maxsize=8)
def _code(bits: int, symbols: int) -> NrCode:
    return NrCode(bits, 2 * symbols)


def encode_header(header: SceneHeader, symbols: int = HEADER_SYMBOLS) -> Array:
    """The header as coded bits, uint8 [2 * symbols]: two a QPSK symbol."""
    packed = pack_header(header)
    return _code(packed.size, symbols).encode(packed)


def decode_header(received: Array, noise_variance: Array | float) -> SceneHeader | None:
    """The header in equalised QPSK symbols, complex64 [symbols], of any version; None when it does not decode."""
    llr = qam.demap_llr(received, 4, noise_variance)
    for tail in TAIL_BITS.values():
        found = _code(HEADER_BITS + sum(tail), len(received)).decode(llr, iterations=40, algorithm="spa")
        try:
            return unpack_header(found.bits)
        except ValueError:
            continue
    return None

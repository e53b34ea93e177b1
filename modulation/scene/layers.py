"""Layers: bytes with a CRC, cut into LDPC code blocks, each layer at the modulation and rate of its MCS index."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.modulation import bits as bit
from semwave.modulation import crc
from semwave.modulation.ldpc import NrCode
from semwave.modulation.mcs import table
from semwave.modulation.scene.header import LAYERS, SceneHeader

Array = NDArray[Any]
SHORT_BITS = 3824  # longest payload with a 16-bit CRC, as in TS 38.212, 6.2.1
BLOCK_BITS = 8448  # longest code block, TS 38.212, 5.2.2
SUM_PRODUCT_MCS = 1  # up to it, what the min-sum decoder does not decode is tried by the sum-product one


@dataclass(frozen=True)
class Segment:
    """Where a layer, or its raw part, lies in the scene's payload: ``bits`` coded bits of constellation ``order`` from
    symbol ``start`` on.
    """

    layer: str
    order: int
    bits: int
    start: int
    symbols: int
    raw: bool = False
    """Symbols as they are: ``order`` and ``bits`` are 0."""


def modulation_and_rate(mcs: int) -> tuple[int, float]:
    """Constellation size and code rate of an MCS index, TS 38.214, table 5.1.3.1-2. Raises ValueError where it has
    none.
    """
    entries = table("256qam")
    if not 0 <= mcs < len(entries):
        raise ValueError(f"mcs must be 0 to {len(entries) - 1}, not {mcs}")
    return entries[mcs].order, entries[mcs].code_rate


def _crc(length: int) -> str:
    return "16" if 8 * length <= SHORT_BITS else "24A"


@lru_cache(maxsize=256)
def _blocks(length: int, mcs: int) -> tuple[NrCode, int]:
    """Code and number of the equal blocks that carry ``length`` bytes."""
    order, rate = modulation_and_rate(mcs)
    per_symbol = order.bit_length() - 1
    payload = 8 * length + crc.width(_crc(length))
    count = -(-payload // BLOCK_BITS)
    k = -(-payload // count)
    n = max(-(-int(np.ceil(k / rate)) // per_symbol) * per_symbol, -(-k // per_symbol) * per_symbol)
    return NrCode(k, n, order=order), count


def coded_bits(length: int, mcs: int) -> int:
    """Coded bits of a layer of ``length`` bytes; 0 for an empty one."""
    if not length:
        return 0
    code, count = _blocks(length, mcs)
    return code.n * count


def coded_symbols(length: int, mcs: int) -> int:
    """Channel uses of a layer of ``length`` bytes."""
    order, _ = modulation_and_rate(mcs)
    return coded_bits(length, mcs) // (order.bit_length() - 1)


def capacity(symbols: int, mcs: int) -> int:
    """Most bytes that a layer can have to fit in ``symbols`` channel uses."""
    order, rate = modulation_and_rate(mcs)
    per_symbol = order.bit_length() - 1
    length = max(0, int(symbols * per_symbol * rate / 8) + 1)
    while length and coded_bits(length, mcs) > symbols * per_symbol:
        length -= 1
    return length


def encode_layer(data: bytes, mcs: int) -> Array:
    """Coded bits of a layer: uint8 [coded_bits(len(data), mcs)]."""
    if not data:
        return np.empty(0, np.uint8)
    code, count = _blocks(len(data), mcs)
    payload = crc.append(bit.unpack(data), _crc(len(data)))
    payload[8 * len(data) :] ^= 1  # inverted: the all-zero word, which erased bits decode to, has a wrong CRC
    padded = np.zeros(code.k * count, np.uint8)
    padded[: payload.size] = payload
    return code.encode(padded.reshape(count, code.k)).reshape(-1)


def decode_layer(llr: Array, length: int, mcs: int, iterations: int = 40) -> bytes | None:
    """The layer's bytes from LLRs float32 [coded_bits(length, mcs)]; None when its CRC is wrong.

    At the lowest rates, where the min-sum decoder loses 0.3 to 0.5 dB, a failure is tried again by the sum-product one.
    """
    if not length:
        return b""
    code, count = _blocks(length, mcs)
    size = 8 * length + crc.width(_crc(length))
    for algorithm in ("nms", "spa") if mcs <= SUM_PRODUCT_MCS else ("nms",):
        found = code.decode(llr.reshape(count, code.n), iterations=iterations, algorithm=algorithm)
        payload = found.bits.reshape(-1)[:size].copy()
        payload[8 * length :] ^= 1
        if crc.check(payload, _crc(length)):
            return bit.pack(payload[: 8 * length]).tobytes()
    return None


def segments(header: SceneHeader) -> list[Segment]:
    """The layers of a scene in the order they are sent, raw symbols behind their layer's coded bits.

    Raises ValueError on an MCS index that does not exist.
    """
    found, start = [], 0
    for name in LAYERS:
        entry = header.layer(name)
        if entry.length:
            order, _ = modulation_and_rate(entry.mcs)
            size, symbols = coded_bits(entry.length, entry.mcs), coded_symbols(entry.length, entry.mcs)
            found.append(Segment(name, order, size, start, symbols))
            start += symbols
        if entry.raw:
            found.append(Segment(name, 0, 0, start, entry.raw, raw=True))
            start += entry.raw
    return found


def payload_symbols(header: SceneHeader) -> int:
    """Symbols of all layers together."""
    return sum(s.symbols for s in segments(header))

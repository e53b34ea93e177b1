"""Signal fields: L-SIG (IEEE 802.11-2020, 17.3.4), HT-SIG (19.3.9.4.3) and VHT-SIG-A (21.3.8.3.3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import crc
from semwave.modulation.bits import from_int, to_int
from semwave.modulation.convolutional import ConvCode
from semwave.modulation.ieee80211 import coding
from semwave.modulation.ieee80211.params import MAX_LENGTH, RATE_BITS, TAIL

Array = npt.NDArray[Any]

CODE = ConvCode()  # rate 1/2, terminated: the six tail bits are the code's own
_RATES = {int(bits[::-1], 2): rate for rate, bits in RATE_BITS.items()}  # by the four bits as a number, R1 lowest


@dataclass(frozen=True, slots=True)
class LSig:
    """Rate and length of a legacy PPDU, or of the legacy part of a newer one."""

    rate_mbps: int
    length: int

    def bits(self) -> Array:
        """RATE, reserved, LENGTH (least significant bit first), parity: [18] uint8. Raise ValueError."""
        if self.rate_mbps not in RATE_BITS:
            raise ValueError(f"rate_mbps must be one of {', '.join(map(str, RATE_BITS))}, not {self.rate_mbps}")
        if not 1 <= self.length <= MAX_LENGTH:
            raise ValueError(f"length must be 1 to {MAX_LENGTH} octets, not {self.length}")
        rate = [int(c) for c in RATE_BITS[self.rate_mbps]]
        bits = np.concatenate([rate, [0], from_int(self.length, 12, "lsb")]).astype(np.uint8)
        return np.append(bits, bits.sum() % 2).astype(np.uint8)

    @staticmethod
    def parse(bits: Array) -> "LSig | None":
        """Read 18 bits; None if parity, reserved bit, rate or length are wrong."""
        word = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
        rate, length = _RATES.get(word & 0xF), word >> 5 & 0xFFF
        if rate is None or word & 0x10 or word.bit_count() % 2 or not length:
            return None
        return LSig(rate, length)


@dataclass(frozen=True, slots=True)
class HtSig:
    """What an HT PPDU says of itself."""

    mcs: int
    length: int
    bandwidth_40: bool = False
    smoothing: bool = True
    not_sounding: bool = True
    aggregation: bool = False
    stbc: int = 0
    ldpc: bool = False
    short_gi: bool = False
    extension: int = 0
    """Extension spatial streams."""

    def bits(self) -> Array:
        """The 42 bits before the tail, CRC included: [42] uint8. Raise ValueError for a value out of range."""
        head: list[npt.ArrayLike] = [
            from_int(self.mcs, 7, "lsb"),
            [self.bandwidth_40],
            from_int(self.length, 16, "lsb"),
            [self.smoothing, self.not_sounding, 1, self.aggregation],
            from_int(self.stbc, 2, "lsb"),
            [self.ldpc, self.short_gi],
            from_int(self.extension, 2, "lsb"),
        ]
        return crc.append(np.concatenate([np.asarray(part, np.uint8) for part in head]), "ht-sig")

    @staticmethod
    def parse(bits: Array) -> "HtSig | None":
        """Read 42 bits; None if the CRC is wrong."""
        if not crc.check(bits, "ht-sig"):
            return None
        flag = [bool(b) for b in bits]
        return HtSig(
            mcs=int(to_int(bits[:7], "lsb")),
            bandwidth_40=flag[7],
            length=int(to_int(bits[8:24], "lsb")),
            smoothing=flag[24],
            not_sounding=flag[25],
            aggregation=flag[27],
            stbc=int(to_int(bits[28:30], "lsb")),
            ldpc=flag[30],
            short_gi=flag[31],
            extension=int(to_int(bits[32:34], "lsb")),
        )

    @property
    def streams(self) -> int:
        """Spatial streams of the MCS (1 to 4)."""
        if self.mcs < 32:
            return self.mcs // 8 + 1
        return 1 if self.mcs == 32 else 2 if self.mcs < 39 else 3 if self.mcs < 53 else 4

    @property
    def problem(self) -> str:
        """Why one antenna at 20 MHz cannot take this PPDU; empty if it can."""
        if self.bandwidth_40:
            return f"HT at 40 MHz, MCS {self.mcs}"
        if self.streams > 1 or self.mcs > 7:
            return f"HT MCS {self.mcs}, {self.streams} spatial streams"
        if self.stbc:
            return f"HT with space-time block coding, MCS {self.mcs}"
        if self.extension:
            return f"HT with {self.extension} extension spatial streams"
        return "" if self.length else "HT null data packet (sounding)"


@dataclass(frozen=True, slots=True)
class VhtSigA:
    """What a VHT PPDU says of itself, as far as a report needs it."""

    bandwidth_mhz: int
    group: int
    streams: int
    stbc: bool
    short_gi: bool
    mcs: int | None
    """None in a multi-user PPDU."""

    @staticmethod
    def parse(bits: Array) -> "VhtSigA | None":
        """Read 42 bits; None if the CRC is wrong."""
        if not crc.check(bits, "ht-sig"):
            return None
        group = int(to_int(bits[4:10], "lsb"))
        single = group in (0, 63)
        return VhtSigA(
            bandwidth_mhz=20 << int(to_int(bits[:2], "lsb")),
            group=group,
            streams=int(to_int(bits[10:13], "lsb")) + 1 if single else 0,
            stbc=bool(bits[3]),
            short_gi=bool(bits[24]),
            mcs=int(to_int(bits[28:32], "lsb")) if single else None,
        )

    def __str__(self) -> str:
        if self.mcs is None:
            return f"VHT multi-user, {self.bandwidth_mhz} MHz"
        return f"VHT MCS {self.mcs}, {self.streams} space-time streams, {self.bandwidth_mhz} MHz"


def encode(bits: Array) -> Array:
    """Rate-1/2 coded bits of a signal field, tail included: [18] -> [48], [42] -> [96] uint8."""
    return CODE.encode(bits)


def decode(llr: Array) -> Array:
    """Undo :func:`encode`: LLRs [48] or [96] -> [18] or [42] uint8."""
    return coding.viterbi(llr, "1/2", llr.size // 2 - TAIL)

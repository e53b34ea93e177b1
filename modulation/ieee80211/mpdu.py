"""MAC frames as far as the PHY must know them: the FCS (IEEE 802.11-2020, 9.2.4.8) and A-MPDUs (9.7)."""

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semwave.modulation import crc

SIGNATURE = 0x4E  # of an MPDU delimiter, ASCII "N"


@dataclass(frozen=True, slots=True)
class Mpdu:
    """One MAC frame with its FCS."""

    data: bytes
    fcs_ok: bool


def append_fcs(frame: bytes) -> bytes:
    """Put the 32-bit frame check sequence behind a MAC frame."""
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def check_fcs(mpdu: bytes) -> bool:
    """Tell whether a MAC frame ends in its own frame check sequence; False where there is no room for one."""
    return len(mpdu) > 4 and zlib.crc32(mpdu[:-4]).to_bytes(4, "little") == mpdu[-4:]


@lru_cache(maxsize=4096)
def _delimiter_crc(head: bytes) -> int:
    bits = np.unpackbits(np.frombuffer(head, np.uint8), bitorder="little")
    return int(np.packbits(crc.compute(bits, "ht-sig"), bitorder="little")[0])


def delimiter(length: int) -> bytes:
    """MPDU delimiter of an HT A-MPDU (9.7.1): reserved bits, length, CRC, signature. Raise ValueError."""
    if not 0 <= length <= 4095:
        raise ValueError(f"length must be 0 to 4095 octets, not {length}")
    head = (length << 4).to_bytes(2, "little")
    return head + bytes([_delimiter_crc(head), SIGNATURE])


def aggregate(mpdus: list[bytes]) -> bytes:
    """Make an A-MPDU: every MPDU (its FCS included) behind a delimiter, padded to four octets but the last."""
    out = b""
    for mpdu in mpdus:
        out += b"\0" * (-len(out) % 4) + delimiter(len(mpdu)) + mpdu
    return out


def deaggregate(psdu: bytes) -> list[Mpdu]:
    """Find the MPDUs of an HT A-MPDU: on four-octet borders, wherever a delimiter's signature and CRC hold."""
    found, at = [], 0
    while at + 4 <= len(psdu):
        head = psdu[at : at + 2]
        length = int.from_bytes(head, "little") >> 4
        if psdu[at + 3] != SIGNATURE or psdu[at + 2] != _delimiter_crc(head):
            at += 4
            continue
        data = psdu[at + 4 : at + 4 + length]
        if length and len(data) == length:
            found.append(Mpdu(data, check_fcs(data)))
            at += length
        at += 4 + -length % 4 if length else 4
    return found

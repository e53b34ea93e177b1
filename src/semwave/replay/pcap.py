"""802.11 frames as a pcap file with radiotap headers (radiotap.org), which Wireshark opens.

A PPDU whose data were not decoded is in it too, as a radiotap header with the field 0-length-PSDU: named, not dropped.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from semwave.modulation.ieee80211 import Mpdu, Ppdu
from semwave.recording.times import instant
from semwave.replay.frame import Frame

LINKTYPE = 127  # IEEE802_11_RADIOTAP
MAGIC_NS = 0xA1B23C4D  # times in nanoseconds
SNAPLEN = 262144
_TSFT, _FLAGS, _RATE, _CHANNEL, _MCS, _AMPDU, _NO_PSDU = 0, 1, 2, 3, 19, 20, 26
_HAS_FCS, _BAD_FCS, _SHORT_GI = 0x10, 0x40, 0x80
_OFDM, _BAND_2G, _BAND_5G = 0x40, 0x80, 0x100
_NOT_CAPTURED = 1


def write_pcap(file: Path, frames: Iterable[Frame]) -> int:
    """Write the frames of the ieee80211 receiver, in order; gives the number of records. Raises OSError."""
    count = 0
    with file.open("wb") as stream:
        stream.write(struct.pack("<IHHiIII", MAGIC_NS, 2, 4, 0, 0, SNAPLEN, LINKTYPE))
        for reference, frame in enumerate(frames):
            for data in _records(frame, reference):
                stream.write(_stamp(frame, len(data)) + data)
                count += 1
    return count


def _stamp(frame: Frame, size: int) -> bytes:
    """Record header; without a date the capture begins in 1970."""
    begin = instant(frame.time) if frame.time else None
    nanoseconds = round((begin if begin is not None else (frame.time_s or 0.0)) * 10**9)
    seconds, rest = divmod(nanoseconds, 10**9)
    return struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, size, size)


def _records(frame: Frame, reference: int) -> Iterator[bytes]:
    ppdu = frame.source
    if not isinstance(ppdu, Ppdu):
        raise ValueError(f"a pcap holds frames of the receiver ieee80211, not of kind {frame.kind!r}")
    if not ppdu.mpdus:
        yield radiotap(frame, ppdu, None, reference)
    for mpdu in ppdu.mpdus:
        yield radiotap(frame, ppdu, mpdu, reference) + mpdu.data


def radiotap(frame: Frame, ppdu: Ppdu, mpdu: Mpdu | None, reference: int) -> bytes:
    """The radiotap header of one MPDU, or of a PPDU without any."""
    fields: list[tuple[int, int, bytes]] = []  # bit, alignment, bytes
    fields.append((_TSFT, 8, struct.pack("<Q", round((frame.time_s or 0.0) * 1e6))))
    flags = (_SHORT_GI if ppdu.short_gi else 0) | (0 if mpdu is None else _HAS_FCS)
    flags |= _BAD_FCS if mpdu is not None and not mpdu.fcs_ok else 0
    fields.append((_FLAGS, 1, bytes([flags])))
    if ppdu.mcs is None and ppdu.rate_mbps:
        fields.append((_RATE, 1, bytes([2 * ppdu.rate_mbps])))
    if frame.frequency:
        mhz = round(frame.frequency / 1e6)
        band = _BAND_2G if mhz < 3000 else _BAND_5G
        fields.append((_CHANNEL, 2, struct.pack("<HH", min(mhz, 0xFFFF), _OFDM | band)))
    if ppdu.mcs is not None:
        known = 0x01 | 0x02 | 0x04 | 0x10  # bandwidth, MCS, guard interval, FEC
        how = (0x04 if ppdu.short_gi else 0) | (0x10 if ppdu.ldpc else 0)
        fields.append((_MCS, 1, bytes([known, how, ppdu.mcs])))
    if ppdu.aggregation and mpdu is not None:
        fields.append((_AMPDU, 4, struct.pack("<IHBB", reference, 0, 0, 0)))
    if mpdu is None:
        fields.append((_NO_PSDU, 1, bytes([_NOT_CAPTURED])))
    body = b""
    for _, align, data in fields:
        body += bytes(-(8 + len(body)) % align) + data
    present = sum(1 << bit for bit, _, _ in fields)
    return struct.pack("<BBHI", 0, 0, 8 + len(body), present) + body

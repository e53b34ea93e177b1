"""gr-zeromq's messages to packets and back: no sockets here.

A reader survives whatever comes: what the other side has set differently is understood where that is possible, named
once and counted; the rest is skipped and counted.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from semwave.runtime.packet import Array, Packet, Tag, frozen
from semwave.wire import pmt
from semwave.wire.gr_stream import Header, HeaderError, StreamTag, decode_header, encode_header
from semwave.wire.gr_tags import from_gnuradio, to_gnuradio
from semwave.wire.slabs import Slabs


class Notes(Protocol):
    """Whom to tell: a block's context."""

    def count(self, what: str, n: int = 1) -> None:
        """Count something."""

    def warn(self, text: str) -> None:
        """Say something once."""


Buffer = bytes | bytearray | memoryview
_MAGIC = b"\xf0\x5f"
MESSAGE_BYTES = 1 << 20  # of items in one message when more is waiting; half of it is a quarter slower
SLAB_BYTES = MESSAGE_BYTES + (1 << 12)  # with a header
SLABS = 16


class StreamReader:
    """Messages of one stream to packets of ``dtype`` [n] or [n, vlen].

    ``sequence``: whether a jump of the header's index means that items are lost (PUB/SUB; with PUSH/PULL they may have
    gone to another receiver).
    """

    def __init__(
        self, dtype: Any, vlen: int, *, tags: bool, keyed: bool, sequence: bool, translate: bool, notes: Notes
    ) -> None:
        self.dtype, self.vlen = np.dtype(dtype), vlen
        self.item_bytes = self.dtype.itemsize * vlen
        self.tags, self.keyed, self.sequence, self.translate, self.notes = tags, keyed, sequence, translate, notes
        self._slabs = Slabs(SLAB_BYTES, SLABS)
        self.next: int | None = None  # index of the item that should come next

    def push(self, frames: Sequence[Buffer]) -> Packet | None:
        """The items of one message; None when it has none that can be used."""
        body = self._body(frames)
        if body is None:
            return None
        header = self._header(body)
        if header is None:
            return None
        payload = memoryview(body)[header.size :]
        if len(payload) % self.item_bytes:
            self._skip(
                f"a message has {len(payload)} bytes of items, no multiple of {self.item_bytes}: "
                f"the other side's item size differs (here {self.dtype}, vlen {self.vlen})"
            )
            return None
        data = self._array(payload)
        return self._packet(header, data) if header.size else Packet(data)

    def _skip(self, why: str) -> None:
        self.notes.count("unreadable messages")
        self.notes.warn(why)

    def _body(self, frames: Sequence[Buffer]) -> Buffer | None:
        wanted = 2 if self.keyed else 1
        if len(frames) == wanted:
            return frames[-1]
        if len(frames) == 2:
            self.notes.count("messages with a key")
            self.notes.warn("the other side sends a key; set key to choose by it")
            return frames[1]
        if len(frames) == 1:
            self.notes.count("messages without a key")
            self.notes.warn("messages without a key are skipped: the other side sends none, so leave key empty")
            return None
        self._skip(f"a message has {len(frames)} parts; streams have {wanted}")
        return None

    def _header(self, body: Buffer) -> Header | None:
        """The header, or one of no bytes where there is none; None where the message is damaged."""
        if bytes(body[:2]) != _MAGIC:
            if self.tags:
                self.notes.count("messages without a header")
                self.notes.warn("the other side sends no tags (pass_tags is off there); set tags to false")
            return Header(0, (), 0)
        try:
            header = decode_header(body)
        except HeaderError as error:
            if not self.tags:  # just items that look like the magic number
                return Header(0, (), 0)
            self._skip(f"a damaged header: {error}")
            return None
        if not self.tags:
            self.notes.count("messages with a header")
            self.notes.warn("the other side sends tags (pass_tags is on there); set tags to true")
        return header

    def _array(self, payload: memoryview) -> Array:
        array: Array = np.frombuffer(payload, self.dtype)
        if not array.flags.aligned:  # after a header it never is; later blocks are faster if it is
            aligned = self._slabs.take(len(payload))
            aligned[:] = np.frombuffer(payload, np.uint8)
            array = aligned.view(self.dtype)
        return frozen(array.reshape(-1, self.vlen) if self.vlen > 1 else array)

    def _packet(self, header: Header, data: Array) -> Packet:
        start, found = header.offset, []
        if self.next is not None and start != self.next and self.sequence:
            missing = start - self.next
            if missing > 0:
                self.notes.count("lost items", missing)
                found.append(Tag(start, "lost", missing))
            else:
                self.notes.count("restarts of the other side")
        self.next = start + len(data)
        for tag in header.tags if self.tags else ():
            if not start <= tag.offset < self.next:
                self.notes.count("tags outside their message")
                continue
            key = tag.key if isinstance(tag.key, str) else repr(tag.key)
            key, value = from_gnuradio(key, tag.value) if self.translate else (key, tag.value)
            found.append(Tag(tag.offset, key, value))
        return Packet(data, start, tuple(found))


class Message(NamedTuple):
    """What one message carries: ``items`` of them from ``offset`` on, in ``arrays`` that follow each other."""

    offset: int
    items: int
    arrays: list[Array]
    tags: list[Tag]


class Pile:
    """Consecutive packets of a stream, from which messages of any length are taken."""

    def __init__(self, packets: Sequence[Packet]) -> None:
        self.packets, self.left = packets, sum(len(p.data) for p in packets)
        self._which, self._inside = 0, 0

    def take(self, limit: int) -> Message:
        """Up to ``limit`` items."""
        offset = self.packets[self._which].start + self._inside
        message = Message(offset, min(limit, self.left), [], [])
        wanted = message.items
        while wanted:
            packet = self.packets[self._which]
            part = packet.data[self._inside : self._inside + wanted]
            low = packet.start + self._inside
            message.arrays.append(part)
            message.tags.extend(t for t in packet.tags if low <= t.at < low + len(part))
            wanted -= len(part)
            self._inside += len(part)
            if self._inside == len(packet.data):
                self._which, self._inside = self._which + 1, 0
        self.left -= message.items
        return message


def stream_message(message: Message, *, tags: bool, translate: bool, notes: Notes, slabs: Slabs) -> Any:
    """The bytes of a message: header and items; tags that no PMT holds are left out and counted."""
    arrays = [np.ascontiguousarray(a) for a in message.arrays]
    if not tags:
        return arrays[0] if len(arrays) == 1 else slabs.join([*_bytes(arrays)])
    header = encode_header(message.offset, _encodable(message.tags, translate, notes))
    return slabs.join([header, *_bytes(arrays)])


def _bytes(arrays: list[Array]) -> Iterator[memoryview]:
    return (a.reshape(-1).view(np.uint8).data for a in arrays)


def _encodable(tags: list[Tag], translate: bool, notes: Notes) -> Iterator[StreamTag]:
    for tag in tags:
        key, value = to_gnuradio(tag.key, tag.value) if translate else (tag.key, tag.value)
        try:
            pmt.dumps(value)
        except pmt.PmtError as error:
            notes.count("tags left out")
            notes.warn(f"a tag {tag.key!r} cannot be sent: {error}")
        else:
            yield StreamTag(tag.at, key, value)


# ---- PDUs ---------------------------------------------------------------------------------------------------


def read_pdu(frames: Sequence[Buffer], dtype: Any, notes: Notes) -> Packet | None:
    """The packet that a PDU, (metadata . uniform vector), is; None, counted, for anything else."""
    try:
        if len(frames) != 1:
            raise pmt.PmtError(f"a PDU is one part, not {len(frames)}")
        found = pmt.loads(frames[0])
    except pmt.PmtError as error:
        notes.count("unreadable messages")
        notes.warn(f"a message that is no PMT: {error}")
        return None
    if not (isinstance(found, pmt.Pair) and isinstance(found.cdr, np.ndarray)) or not (
        found.car is None or isinstance(found.car, (dict, pmt.Entries))
    ):
        notes.count("messages that are no PDUs")
        notes.warn("a message is no pair of metadata and a uniform vector")
        return None
    if found.cdr.dtype != np.dtype(dtype):
        notes.count("PDUs of another dtype")
        notes.warn(f"a PDU of {found.cdr.dtype} is skipped: dtype is {np.dtype(dtype)}")
        return None
    entries = found.car.items if isinstance(found.car, pmt.Entries) else (found.car or {}).items()
    return Packet(found.cdr, meta={k if isinstance(k, str) else repr(k): v for k, v in entries})


def write_pdu(packet: Packet, notes: Notes) -> bytes:
    """A packet as a PDU; metadata that no PMT holds are left out and counted."""
    meta = {}
    for key, value in packet.meta.items():
        try:
            pmt.dumps({key: value})
        except pmt.PmtError as error:
            notes.count("metadata left out")
            notes.warn(f"metadata {key!r} cannot be sent: {error}")
        else:
            meta[key] = value
    return pmt.dumps(pmt.Pair(meta or None, packet.data))

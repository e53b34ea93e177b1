"""Transport blocks of NR: CRC, segmentation, LDPC, rate matching, soft combining (3GPP TS 38.212, 5.1 to 5.5)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc import decoder, nr, tables
from semwave.modulation.ldpc.code import check_bits, make_plan
from semwave.modulation.ldpc.decoder import Plan
from semwave.modulation.ldpc.rate_matching import deinterleave, gather, interleave

Array = npt.NDArray[Any]

_LONG_CRC_ABOVE = 3824  # bits; larger payloads get CRC24A, others CRC16 (7.2.1)
_BLOCK_CRC = 24
_LIMITED_RATE = Fraction(2, 3)  # R_LBRM (5.4.2.1)


@dataclass(frozen=True)
class TransportResult:
    """bits: payload uint8 [size]. llr: its posterior LLRs float32 [size]. ok: the payload's CRC agrees.

    blocks_ok: CRC24B (or parity checks, where there is only one block) of each code block, bool [blocks].
    iterations: int32 [blocks]. soft: received LLRs added up in the circular buffers, float32 [blocks, N_cb], to be
    given to the next ``decode``.
    """

    bits: Array
    llr: Array
    ok: bool
    blocks_ok: Array
    iterations: Array
    soft: Array


class NrTransportBlock:
    """One NR transport block of ``size`` payload bits sent as ``coded_bits`` bits a time.

    ``order``: points of the constellation (bit interleaving and block lengths follow it). ``rate``: the target code
    rate that chooses the base graph (7.2.2), size / coded_bits by default. ``layers``: spatial layers sharing
    the bits. ``limited_buffer``: transport block size TBS_LBRM of limited-buffer rate matching, None for the full
    buffer.
    """

    def __init__(
        self,
        size: int,
        coded_bits: int,
        order: int = 4,
        rate: float | None = None,
        *,
        layers: int = 1,
        base_graph: int | None = None,
        limited_buffer: int | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"size must be 1 or more, not {size}")
        self.size, self.coded_bits, self.order = size, coded_bits, order
        self._per_symbol = nr.bits_per_symbol(order)
        unit = self._per_symbol * layers
        if layers < 1 or coded_bits < 1 or coded_bits % unit:
            raise ValueError(f"coded_bits must be a positive multiple of {unit} (order, layers), not {coded_bits}")
        self.crc = "24A" if size > _LONG_CRC_ABOVE else "16"
        total = size + (24 if self.crc == "24A" else 16)
        self.base_graph = base_graph or nr.choose_base_graph(size, size / coded_bits if rate is None else rate)
        if self.base_graph not in nr.MAX_BLOCK:
            raise ValueError(f"base_graph must be 1 or 2, not {base_graph}")
        self.blocks, self.block_size = segment(total, nr.MAX_BLOCK[self.base_graph])
        self.lifting_size = nr.choose_lifting(self.base_graph, total, self.block_size)
        self._graph = tables.nr_graph(self.base_graph, self.lifting_size)
        limit = None
        if limited_buffer is not None:
            limit = int(limited_buffer / (self.blocks * _LIMITED_RATE))
        self.buffer_size = nr.buffer_bits(self._graph.length - 2 * self.lifting_size, limit)
        self.lengths = block_lengths(coded_bits, self.blocks, unit)
        self._runs(0, self.lengths[0])  # refuses an empty buffer
        self._plans: dict[bytes, Plan] = {}

    def _runs(self, rv: int, length: int) -> Array:
        return nr.block_runs(self.base_graph, self.lifting_size, self.block_size, self.buffer_size, rv, length)

    def encode(self, bits: npt.ArrayLike, rv: int = 0) -> Array:
        """Encode a payload [size] for a redundancy version to uint8 [coded_bits]."""
        from semwave.modulation import crc
        from semwave.modulation.ldpc import encoder

        payload = check_bits(bits, self.size)
        if payload.shape[0] != 1:
            raise ValueError(f"bits must hold one payload, not {payload.shape[0]}")
        parts = crc.append(payload[0], self.crc).reshape(self.blocks, -1)
        if self.blocks > 1:
            parts = crc.append(parts, "24B")
        sent: list[Array] = []
        for length in sorted(set(self.lengths)):
            chosen = [i for i, e in enumerate(self.lengths) if e == length]
            runs = self._runs(rv, length)
            words = encoder.encode(self._graph, parts[chosen], runs, length, self._graph.n_rows)
            sent.append(interleave(words, self._per_symbol).ravel())  # shorter blocks come first (5.4.2.1)
        return np.concatenate(sent)

    def decode(
        self,
        llr: npt.ArrayLike,
        rv: int = 0,
        soft: Array | None = None,
        *,
        iterations: int = 20,
        algorithm: str = "nms",
        factor: float | None = None,
        precision: str | None = None,
        early_stop: bool = True,
    ) -> TransportResult:
        """Decode LLRs [coded_bits] of a redundancy version, added to the ``soft`` of earlier ones.

        Decoding options as in :meth:`LdpcCode.decode`. Raise ValueError for a wrong length or NaN.
        """
        default = nr.default_factor(self.size / self.coded_bits)
        options = decoder.check_options(iterations, algorithm, factor, precision, early_stop, default)
        values = decoder.check_llr(llr, self.coded_bits)[0]
        decoder.refuse_nan(values)
        received = self._collect(values, rv)
        if soft is not None:
            if np.shape(soft) != received.shape:
                raise ValueError(f"soft must have shape {list(received.shape)}, not {list(np.shape(soft))}")
            received = received + np.asarray(soft, np.float32)
        received = np.clip(received, -decoder.FLOAT_LIMIT, decoder.FLOAT_LIMIT)
        found = decoder.decode(self._plan(received), received, options)
        return self._join(found, received)

    def _collect(self, llr: Array, rv: int) -> Array:
        """Undo interleaving and bit selection: [coded_bits] -> float32 [blocks, N_cb]."""
        limited = np.clip(llr, -decoder.FLOAT_LIMIT, decoder.FLOAT_LIMIT)
        out = np.empty((self.blocks, self.buffer_size), np.float32)
        at, punctured = 0, np.array([2 * self.lifting_size, 0, 0])
        for block, length in enumerate(self.lengths):
            values = deinterleave(limited[at : at + length], self._per_symbol)
            out[block] = gather(values, self._runs(rv, length) - punctured, self.buffer_size)
            at += length
        return out

    def _plan(self, soft: Array) -> Plan:
        """Plan for the block columns that have been heard of; checks of unheard parity columns are left out."""
        z, graph = self.lifting_size, self._graph
        heard = np.zeros((graph.n_cols, z), bool)
        heard.reshape(-1)[2 * z : 2 * z + self.buffer_size] = (soft != 0).any(axis=0)
        columns: Array = np.logical_or.reduce(heard, axis=1)
        key = columns.tobytes()
        if key not in self._plans:
            runs = np.array([[2 * z, 0, self.buffer_size]], np.int64)
            self._plans[key] = make_plan(graph, self.block_size, self.buffer_size, runs, columns)
        return self._plans[key]

    def _join(self, found: decoder.DecodeResult, soft: Array) -> TransportResult:
        from semwave.modulation import crc

        bits, llr, blocks_ok = found.bits, found.llr, found.ok
        if self.blocks > 1:
            blocks_ok = np.asarray(crc.check(bits, "24B"), bool)
            bits, llr = bits[:, :-_BLOCK_CRC], llr[:, :-_BLOCK_CRC]
        whole = bits.reshape(-1)
        heard = bool((llr != 0).all())  # all-zero LLRs agree with any check
        return TransportResult(
            bits=whole[: self.size].copy(),
            llr=llr.reshape(-1)[: self.size].copy(),
            ok=bool(crc.check(whole, self.crc)) and heard,
            blocks_ok=blocks_ok & (found.posteriors != 0).all(axis=1),
            iterations=found.iterations,
            soft=soft,
        )


def segment(total: int, largest: int) -> tuple[int, int]:
    """Number of code blocks C and their size K', CRCs included, for ``total`` = B bits (5.2.2).

    Raise ValueError where the blocks would not be equal: transport block sizes of TS 38.214 make them so.
    """
    if total <= largest:
        return 1, total
    blocks = -(-total // (largest - _BLOCK_CRC))
    if total % blocks:
        raise ValueError(
            f"size must fill {blocks} code blocks evenly: with its CRC it is {total}, "
            f"take {total % blocks} bits less or {blocks - total % blocks} more"
        )
    return blocks, total // blocks + _BLOCK_CRC


def block_lengths(coded_bits: int, blocks: int, unit: int) -> list[int]:
    """Sent bits E_r of each code block, multiples of ``unit`` = layers * bits per symbol (5.4.2.1)."""
    units = coded_bits // unit
    short = blocks - units % blocks
    return [units // blocks * unit if r < short else -(-units // blocks) * unit for r in range(blocks)]

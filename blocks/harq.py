"""Transport blocks of 5G NR, sent once or several times: CRC, segmentation, LDPC, rate matching, HARQ."""

from fractions import Fraction
from typing import Annotated, Any

import numpy as np

from semwave.runtime import Array, Context, In, Out, Param, Stream, SyncBlock

ORDERS = (2, 4, 16, 64, 256, 1024)
TABLES = ("64qam", "256qam", "64qam_low")


class TransportBlock(SyncBlock):
    """What both ends agree on: sizes, constellation, how often a block is sent and in which redundancy versions.

    ``incremental`` redundancy sends versions 0, 2, 3, 1 (TS 38.214, 5.1.2.1), ``chase`` combining version 0 again.
    With ``mcs``, the size and the constellation come from TS 38.214, 5.1.3, for ``coded_bits`` a transmission.
    """

    size: Annotated[int | None, Param("payload of a block (without mcs)", unit="bits", low=1)] = None
    coded_bits: Annotated[int, Param("of one transmission", unit="bits", low=1)] = 2400
    order: Annotated[int, Param("points of the constellation (without mcs)", choices=ORDERS)] = 4
    mcs: Annotated[int | None, Param("row of the MCS table, in place of size and order", low=0, high=28)] = None
    mcs_table: Annotated[str, Param("table of TS 38.214", choices=TABLES)] = "64qam"
    transmissions: Annotated[int, Param("of each block, at most", low=1, high=16)] = 1
    combining: Annotated[str, Param("what is sent again", choices=("incremental", "chase"))] = "incremental"

    def check(self) -> None:
        """A size or an MCS; the transport block says itself what cannot be."""
        from semwave.modulation import ldpc, mcs

        if (self.size is None) == (self.mcs is None):
            raise ValueError("size or mcs must be given, one of them")
        size, order, rate = self.size, self.order, None
        if self.mcs is not None:
            row = mcs.scheme(self.mcs, self.mcs_table)
            order, rate = row.order, row.code_rate
            size = mcs.transport_block_size(self.coded_bits // row.bits_per_symbol, rate, row.bits_per_symbol)
        assert size is not None
        self._block: Any = ldpc.NrTransportBlock(size, self.coded_bits, order, rate)
        versions = (0, 2, 3, 1) if self.combining == "incremental" else (0,)
        self._versions = [versions[i % len(versions)] for i in range(self.transmissions)]

    @property
    def all_bits(self) -> int:
        """Coded bits of all transmissions of a block."""
        return self.coded_bits * self.transmissions


class TransportEncoder(TransportBlock):
    """Encode transport blocks of 5G NR (TS 38.212, 5.1 to 5.5), each in all its transmissions, one after the other."""

    bits = In(Stream(np.uint8))
    coded = Out(Stream(np.uint8))

    def rate(self) -> Fraction:
        """Coded bits for each bit."""
        return Fraction(self.all_bits, self._block.size)

    def step(self) -> int:
        """Whole blocks."""
        return int(self._block.size)

    def work(self, bits: Array) -> Array:
        """``[m * size] -> [m * transmissions * coded_bits]``."""
        rows = bits.reshape(-1, self._block.size)
        return np.concatenate([self._block.encode(row, rv) for row in rows for rv in self._versions])


class TransportDecoder(TransportBlock):
    """Decode transport blocks of 5G NR, adding up the soft bits of one transmission after the other (HARQ).

    A block is done with its first transmission whose CRC is right; what would have been sent after that is passed
    over. The statistics say how many blocks each number of transmissions left wrong, and the throughput.
    """

    iterations: Annotated[int, Param("iterations at most", low=1, high=1000)] = 20

    llr = In(Stream(np.float32))
    bits = Out(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        """Nothing was received yet."""
        self._ctx, self._blocks, self._spent = ctx, 0, 0
        self._wrong = [0] * self.transmissions

    def rate(self) -> Fraction:
        """Bits for each coded bit."""
        return Fraction(self._block.size, self.all_bits)

    def step(self) -> int:
        """Whole blocks."""
        return self.all_bits

    def work(self, llr: Array) -> Array:
        """``[m * transmissions * coded_bits] -> [m * size]``."""
        return np.concatenate([self._receive(row) for row in llr.reshape(-1, self.transmissions, self.coded_bits)])

    def _receive(self, row: Array) -> Array:
        found, soft = None, None
        for i, (received, rv) in enumerate(zip(row, self._versions, strict=True)):
            found = self._block.decode(received, rv, soft, iterations=self.iterations)
            self._spent += 1
            if found.ok:
                break
            self._wrong[i] += 1
            soft = found.soft
        assert found is not None
        self._blocks += 1
        self._ctx.count("blocks with a wrong CRC", int(not found.ok))
        return np.asarray(found.bits)

    def finish(self) -> tuple[()]:
        """Leave the figures in the statistics."""
        self._ctx.facts.update(self.result())
        return ()

    def result(self) -> dict[str, Any]:
        """Blocks, share wrong after each transmission, mean transmissions, information bits for each coded bit sent."""
        if not self._blocks:
            return {"blocks": 0}
        return {
            "blocks": self._blocks,
            "bler_after": [wrong / self._blocks for wrong in self._wrong],
            "mean_transmissions": self._spent / self._blocks,
            "throughput": (self._blocks - self._wrong[-1]) * self._block.size / (self._spent * self.coded_bits),
        }

    def summary(self) -> str:
        """One line."""
        if not getattr(self, "_blocks", 0):
            return "no block was received"
        r = self.result()
        rates = ", ".join(f"{rate:.2e}" for rate in r["bler_after"])
        return (
            f"{r['blocks']} blocks, BLER after 1, 2, ... transmissions {rates}; "
            f"{r['mean_transmissions']:.2f} transmissions a block, throughput {r['throughput']:.3f} bit a coded bit"
        )

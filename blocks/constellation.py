"""Any constellation: named ones, pi/2-BPSK, and points and labels of one's own."""

from fractions import Fraction
from typing import Annotated, Any

import numpy as np

from semwave.blocks.coding import Demapper
from semwave.modulation.constellation import NAMES
from semwave.runtime import Array, Context, In, Out, Param, Stream, SyncBlock


class ConstellationBlock(SyncBlock):
    """A constellation by name; ``custom``: ``points`` (I and Q each) with ``labels``, or a ``file`` of them."""

    constellation: Annotated[str, Param("which points", choices=NAMES)] = "qpsk"
    points: Annotated[tuple[tuple[float, float], ...], Param("I and Q of each point (custom)")] = ()
    labels: Annotated[tuple[int, ...], Param("label of each point; none: 0, 1, 2, ... (custom)")] = ()
    file: Annotated[str | None, Param("text file of lines 'label I Q' (custom)", path=True)] = None

    def check(self) -> None:
        """The points must be 2, 4, 8, ... in number, each with a label."""
        from semwave.modulation import constellation, qam

        custom = self.constellation == "custom"
        if (bool(self.points) + (self.file is not None)) != custom:
            raise ValueError("points or file must be given with constellation 'custom', one of them, and only there")
        self._turned = self.constellation == "pi2_bpsk"
        self._table: Any = 2
        if self.file is not None:
            self._table = constellation.read(self.file)
        elif custom:
            pairs = np.array(self.points)
            self._table = qam.from_labels(pairs[:, 0] + 1j * pairs[:, 1], self.labels or range(len(pairs)))
        elif not self._turned:
            self._table = qam.constellation(self.constellation)
        self._bits = qam.bits_per_symbol(self._table)

    def start(self, ctx: Context) -> None:
        """At symbol 0, which pi/2-BPSK counts from."""
        super().start(ctx)
        self._at = 0


class ConstellationMapper(ConstellationBlock):
    """Map bits, MSB first, to any constellation: named, pi/2-BPSK (TS 38.211, 5.1.1), or points of one's own."""

    bits = In(Stream(np.uint8))
    symbols = Out(Stream(np.complex64))

    def rate(self) -> Fraction:
        """Symbols for each bit."""
        return Fraction(1, self._bits)

    def work(self, bits: Array) -> Array:
        """``[n * k] -> [n]``."""
        from semwave.modulation import qam

        first, self._at = self._at, self._at + len(bits) // self._bits
        return qam.map_pi2_bpsk(bits, first) if self._turned else qam.map_bits(bits, self._table)


class ConstellationDemapper(ConstellationBlock, Demapper):
    """Soft bits, ln P(1)/P(0), of symbols of any constellation, exact or max-log.

    The noise has the variance ``10**(-snr_db/10)``, or each symbol's own where ``noise_variance`` is connected;
    ``gains``, where connected, are the channel's true complex gains.
    """

    def rate(self) -> Fraction:
        """Bits a symbol."""
        return Fraction(self._bits)

    def work(self, symbols: Array, *more: Array) -> Array:
        """``[n] -> [n * k]``."""
        from semwave.modulation import qam

        n0, gains = self.told(more)
        first, self._at = self._at, self._at + len(symbols)
        if self._turned:
            return qam.demap_llr_pi2_bpsk(symbols, n0, gains, first)
        return qam.demap_llr(symbols, self._table, n0, self.method, gains)

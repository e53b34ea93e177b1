"""What every LDPC code of this package can do: encode frames and decode LLRs."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc import decoder, tables
from semwave.modulation.ldpc.decoder import DecodeResult, Plan
from semwave.modulation.ldpc.graph import QuasiCyclic
from semwave.modulation.ldpc.rate_matching import deinterleave, interleave

Array = npt.NDArray[Any]


def check_bits(bits: npt.ArrayLike, k: int) -> Array:
    """Return bits as uint8 [frames, k]. Raise ValueError for a wrong length or anything but 0 and 1."""
    values = np.asarray(bits)
    if values.ndim not in (1, 2) or values.shape[-1] != k:
        raise ValueError(f"bits must have shape [{k}] or [frames, {k}], not {list(values.shape)}")
    if values.dtype != np.uint8 and values.dtype != bool and ((values != 0) & (values != 1)).any():
        raise ValueError("bits must be 0 or 1")
    values = np.ascontiguousarray(values, np.uint8).reshape(-1, k)
    if values.size and values.max() > 1:
        raise ValueError(f"bits must be 0 or 1, not {values.max()}")
    return values


def needed_rows(graph: QuasiCyclic, sent: Array) -> Array:
    """Core rows, and rows whose own parity column is sent at least in part (bool [columns] -> bool [rows])."""
    rows = np.arange(graph.n_rows)
    return (rows < graph.core) | sent[np.minimum(graph.systematic + rows, graph.n_cols - 1)]


def make_plan(graph: QuasiCyclic, k: int, n: int, runs: Array, sent: Array) -> Plan:
    """Decoder plan without the rows that tell nothing and the information columns that are all known zeros."""
    columns = np.arange(graph.n_cols)
    known = (columns >= -(-k // graph.z)) & (columns < graph.systematic)
    reduced = graph.without(rows=~needed_rows(graph, sent), cols=known)
    return Plan(reduced, k, n, graph.systematic * graph.z, runs)


class LdpcCode:
    """A binary code of k information bits and n sent bits over a quasi-cyclic graph.

    ``runs`` [any, 3] tell which code word bits are sent: first bit, first place, length. Information bits
    beyond k in the systematic columns are known zeros. Sent bits are interleaved for ``bits_per_symbol``.
    """

    def __init__(
        self, graph: QuasiCyclic, k: int, n: int, runs: Array, *, factor: float, bits_per_symbol: int = 1
    ) -> None:
        self.k = k
        self.n = n
        self.graph = graph
        self.factor = factor
        self._runs = runs
        self._bits_per_symbol = bits_per_symbol
        sent = np.zeros(graph.n_cols, bool)
        for first, _, size in runs:
            sent[first // graph.z : -(-(first + size) // graph.z)] = True
        self._rows = int(np.flatnonzero(needed_rows(graph, sent))[-1]) + 1
        self._plan = make_plan(graph, k, n, runs, sent)

    @property
    def rate(self) -> Fraction:
        """Information bits per sent bit."""
        return Fraction(self.k, self.n)

    def encode(self, bits: npt.ArrayLike) -> Array:
        """Encode bits [frames, k] or [k] to uint8 [frames, n] or [n]. Raise ValueError for a wrong shape."""
        from semwave.modulation.ldpc import encoder

        info = check_bits(bits, self.k)
        sent = encoder.encode(self.graph, info, self._runs, self.n, self._rows)
        if self._bits_per_symbol > 1:
            sent = interleave(sent, self._bits_per_symbol)
        return sent if np.ndim(bits) == 2 else sent[0]

    def decode(
        self,
        llr: npt.ArrayLike,
        *,
        iterations: int = 20,
        algorithm: str = "nms",
        factor: float | None = None,
        precision: str | None = None,
        early_stop: bool = True,
    ) -> DecodeResult:
        """Decode LLRs ln P(b=1)/P(b=0) [frames, n] or [n] by row-layered message passing.

        ``algorithm``: "nms" scales the minimum of the other magnitudes by ``factor`` (default: the code's
        own) and is indifferent to the scale of the LLRs; "oms" lowers it by ``factor`` LLR (default 0.5); "spa" is
        the exact sum-product. ``precision``: "int16" (default for nms and oms; 1/64 LLR a step, held within 128),
        "int8" (1.5 times as fast; 4 to 6.5 steps to an LLR by the code rate, held within 31, so LLRs must be to scale;
        0.02 dB worse with QPSK, up to 0.07 with 256-QAM, 0.17 there below rate 0.4), "float32" (default for spa),
        "float64" (slow reference). Infinities are held at the largest value; NaN and wrong lengths raise
        ValueError. All-zero LLRs come back as ``ok`` False. Results do not depend on how frames are batched.
        """
        options = decoder.check_options(iterations, algorithm, factor, precision, early_stop, self.factor)
        values = decoder.check_llr(llr, self.n)
        if self._bits_per_symbol > 1:
            values = np.ascontiguousarray(deinterleave(values, self._bits_per_symbol))
        found = decoder.decode(self._plan, values, options)
        if np.ndim(llr) == 2:
            return found
        return DecodeResult(found.bits[0], found.ok[0], found.iterations[0], found.posteriors[0], found.per_llr)


class WifiCode(LdpcCode):
    """LDPC code of IEEE 802.11-2020, 19.3.11.7 and annex F: n = 648, 1296 or 1944, rate 1/2, 2/3, 3/4 or 5/6.

    The default min-sum factor is 0.8: at n = 1944, rate 1/2, 1.5 dB and 20 iterations the frame error rate is
    0.017 with it, 0.046 with the customary 0.75, 0.012 with "oms" and 0.005 with sum-product.
    """

    def __init__(self, n: int, rate: str | Fraction) -> None:
        if n not in tables.WIFI_LENGTHS:
            raise ValueError(f"n must be 648, 1296 or 1944, not {n}")
        try:
            fraction = Fraction(rate)
        except (ValueError, ZeroDivisionError, TypeError):
            fraction = Fraction(0)
        if fraction not in tables.WIFI_RATES:
            raise ValueError(f"rate must be 1/2, 2/3, 3/4 or 5/6, not {rate}")
        graph = tables.wifi_graph(n, fraction)
        super().__init__(graph, int(n * fraction), n, np.array([[0, 0, n]], np.int64), factor=0.8)

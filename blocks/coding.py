"""Channel coding on streams, and what is needed around it: demapper, interleaver, scrambler, error counting."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Any

import numpy as np

from semwave.blocks.modem import Order
from semwave.runtime import Array, Context, FrameBlock, In, Out, Packet, Param, Stream, SyncBlock

CODES = ("none", "repetition", "conv_k7", "polar_5g", "ldpc_5g", "ldpc_80211n")
CodeName = Annotated[str, Param("channel code", choices=CODES)]
K = Annotated[int | None, Param("information bits of a block", unit="bits", low=1)]
N = Annotated[int | None, Param("coded bits of a block", unit="bits", low=1)]
RateText = Annotated[str | None, Param("code rate, for codes that have a choice: 1/2, 2/3, 3/4, 5/6")]


def make_code(block: Any) -> Any:
    """The code that a block's parameters name; raises ValueError saying which it takes."""
    from semwave.modulation import coding

    takes = coding.parameters(block.code)
    asked = {"k": block.k, "n": block.n, "rate": block.code_rate}
    given = {name: value for name, value in asked.items() if value is not None}
    if getattr(block, "iterations", None) is not None and "iterations" in takes:
        given["iterations"] = block.iterations
    return coding.code(block.code, **given)


class ChannelEncoder(SyncBlock):
    """Encode a stream of bits block by block: LDPC of 5G and 802.11n, polar of 5G, convolutional K=7, repetition."""

    code: CodeName = "ldpc_80211n"
    k: K = None
    n: N = None
    code_rate: RateText = None

    bits = In(Stream(np.uint8))
    coded = Out(Stream(np.uint8))

    def check(self) -> None:
        """The code must exist."""
        self._code = make_code(self)

    def rate(self) -> Fraction:
        """Coded bits for each bit."""
        return Fraction(self._code.n, self._code.k)

    def step(self) -> int:
        """Whole blocks."""
        return int(self._code.k)

    def work(self, bits: Array) -> Array:
        """``[m * k] -> [m * n]``."""
        return self._code.encode(bits.reshape(-1, self._code.k)).reshape(-1)


class ChannelDecoder(SyncBlock):
    """Decode a stream of soft bits, ln P(1)/P(0), block by block; blocks known to be wrong are counted."""

    code: CodeName = "ldpc_80211n"
    k: K = None
    n: N = None
    code_rate: RateText = None
    iterations: Annotated[int | None, Param("iterations at most, for codes that iterate", low=1, high=1000)] = None

    llr = In(Stream(np.float32))
    bits = Out(Stream(np.uint8))

    def check(self) -> None:
        """The code must exist."""
        self._code = make_code(self)

    def start(self, ctx: Context) -> None:
        """Count blocks."""
        self._ctx = ctx

    def rate(self) -> Fraction:
        """Bits for each coded bit."""
        return Fraction(self._code.k, self._code.n)

    def step(self) -> int:
        """Whole blocks."""
        return int(self._code.n)

    def work(self, llr: Array) -> Array:
        """``[m * n] -> [m * k]``."""
        found = self._code.decode(llr.reshape(-1, self._code.n))
        if found.ok is not None:
            self._ctx.count("blocks that failed their check", int(np.count_nonzero(~np.asarray(found.ok))))
        return found.bits.reshape(-1)


class QamDemapper(SyncBlock):
    """Soft bits, ln P(1)/P(0), of symbols in noise of known variance ``10**(-snr_db/10)``.

    ``gains``, where connected, are the channel's true complex gains: a genie receiver for flat fading.
    """

    order: Order = 16
    snr_db: Annotated[float, Param("Es/N0 that the noise has", unit="dB", low=-60, high=200, tunable=True)] = 10.0
    method: Annotated[str, Param("max-log or exact", choices=("maxlog", "exact"))] = "maxlog"

    symbols = In(Stream(np.complex64))
    gains = In(Stream(np.complex64), optional=True)
    llr = Out(Stream(np.float32))

    def rate(self) -> Fraction:
        """Bits a symbol."""
        return Fraction(self.order.bit_length() - 1)

    def work(self, symbols: Array, gains: Array | None = None) -> Array:
        """``[n] -> [n * k]``."""
        from semwave.modulation import qam

        return qam.demap_llr(symbols, self.order, 10 ** (-self.snr_db / 10), self.method, gains)


class HardDecision(SyncBlock):
    """The likelier bit of each soft bit; 0 where both are alike."""

    llr = In(Stream(np.float32))
    bits = Out(Stream(np.uint8))

    def work(self, llr: Array) -> Array:
        """``[n] -> [n]``."""
        return (llr > 0).astype(np.uint8)


class Scrambler(SyncBlock):
    """Add the sequence of 802.11 (x^7 + x^4 + 1) or the Gold sequence of TS 38.211 (5.2.1) to bits; the same undoes
    it.
    """

    kind: Annotated[str, Param("sequence", choices=("802.11", "gold"))] = "gold"
    seed: Annotated[int, Param("initial state", low=1)] = 1

    bits = In(Stream(np.uint8))
    scrambled = Out(Stream(np.uint8))

    def check(self) -> None:
        """The register of 802.11 has 7 bits, that of the Gold sequence 31."""
        most = 127 if self.kind == "802.11" else 2**31 - 1
        if self.seed > most:
            raise ValueError(f"seed must be at most {most} for {self.kind}, not {self.seed}")

    def start(self, ctx: Context) -> None:
        """At the beginning of the sequence."""
        self._at, self._sequence = 0, np.empty(0, np.uint8)

    def work(self, bits: Array) -> Array:
        """``[n] -> [n]``."""
        from semwave.modulation import scramble

        end = self._at + len(bits)
        if end > self._sequence.size:
            make = scramble.wifi_sequence if self.kind == "802.11" else scramble.gold
            size = max(1 << 16, 2 * end)
            self._sequence = make(size, self.seed) if self.kind == "802.11" else make(self.seed, size)
        out: Array = bits ^ self._sequence[self._at : end]
        self._at = end
        return out


class Interleaver(SyncBlock):
    """Permute blocks of ``n`` items by a seeded random permutation, or one that spreads neighbours far (``golden``)."""

    kind: Annotated[str, Param("permutation", choices=("random", "golden"))] = "random"
    n: Annotated[int, Param("items of a block", unit="items", low=1)] = 1024
    seed: Annotated[int, Param("of the random permutation", low=0)] = 0
    undo: Annotated[bool, Param("put back in order")] = False

    items = In(Stream(None))
    permuted = Out(Stream(None))

    def step(self) -> int:
        """Whole blocks."""
        return self.n

    def start(self, ctx: Context) -> None:
        """Make the permutation."""
        from semwave.modulation import interleave

        self._order = interleave.golden(self.n) if self.kind == "golden" else interleave.random(self.n, self.seed)

    def work(self, items: Array) -> Array:
        """``[m * n] -> [m * n]``."""
        return self._order.deinterleave(items) if self.undo else self._order.interleave(items)


class ErrorCounter(FrameBlock):
    """Count bits of ``received`` that differ from ``sent``, and blocks of ``block`` bits with any such bit.

    The run ends as soon as ``errors`` wrong blocks have been counted, so that a point costs what its confidence needs.
    The
    summary gives both rates with 95 % Clopper-Pearson intervals.
    """

    pairing = "any"
    block: Annotated[int, Param("bits of a block", unit="bits", low=1)] = 1000
    errors: Annotated[int | None, Param("wrong blocks that end the run; none: to the end of the stream", low=1)] = None

    sent = In(Stream(np.uint8))
    received = In(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        """Nothing is counted yet."""
        from semwave.modulation.metrics import ErrorCounter as Counter

        self._ctx, self._bits, self._blocks = ctx, Counter(), Counter()
        self._wait: dict[str, Array] = {"sent": np.empty(0, np.uint8), "received": np.empty(0, np.uint8)}

    def work(self, port: str, packet: Packet) -> Iterable[Packet]:
        """Compare what both sides have, in whole blocks, up to the one that ends the run."""
        self._wait[port] = np.concatenate([self._wait[port], packet.data])
        whole = min(map(len, self._wait.values())) // self.block
        if not whole or self._ctx.finished:
            return ()
        sent, received = (self._wait[p][: whole * self.block].reshape(whole, self.block) for p in ("sent", "received"))
        if self.errors is not None:
            wrong = np.cumsum((sent != received).any(axis=1)) + self._blocks.errors
            last = int(np.searchsorted(wrong, self.errors)) + 1
            sent, received = sent[:last], received[:last]
        self._bits.add_bits(sent, received)
        self._blocks.add_blocks(sent, received)
        self._wait = {p: rest[whole * self.block :] for p, rest in self._wait.items()}
        if self.errors is not None and self._blocks.errors >= self.errors:
            self._ctx.finish()
        return ()

    def finish(self) -> Iterable[Packet]:
        """What fills no block is counted as left over."""
        for port, rest in self._wait.items():
            if not self._ctx.finished:
                self._ctx.count(f"left over {port} bits", len(rest))
        self._ctx.facts.update(self.result())
        return ()

    def result(self) -> dict[str, Any]:
        """Rates, intervals, counts."""
        found: dict[str, Any] = {}
        for name, counter in (("ber", self._bits), ("bler", self._blocks)):
            low, high = counter.interval()
            found |= {name: counter.rate, f"{name}_low": low, f"{name}_high": high}
            found |= {f"{name}_errors": counter.errors, f"{name}_trials": counter.trials}
        return found

    def summary(self) -> str:
        """Both rates."""
        if not hasattr(self, "_bits") or not self._bits.trials:
            return "no whole block was compared"
        r = self.result()
        return "\n".join(
            f"{name.upper():<4} {r[name]:.3e}   95 % in {r[name + '_low']:.2e} to {r[name + '_high']:.2e}   "
            f"{r[name + '_errors']} of {r[name + '_trials']}"
            for name in ("ber", "bler")
        )

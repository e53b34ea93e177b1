"""Channel coding on streams, and what is needed around it: demapper, CRC, interleaver, scrambler."""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

import numpy as np

from semwave.blocks.modem import Order
from semwave.runtime import Array, Context, In, Out, Param, Stream, SyncBlock

CODES = ("none", "repetition", "conv_k7", "polar_5g", "ldpc_5g", "ldpc_80211n", "bch", "rs", "turbo")
CRCS = ("24A", "24B", "24C", "16", "11", "6", "32", "ht-sig")
ENDINGS = ("terminated", "truncated", "tail_biting")
INTERLEAVERS = ("random", "golden", "block", "802.11", "802.11_ht")


class CodedBlock(SyncBlock):
    """A code by name, with the parameters that it takes."""

    code: Annotated[str, Param("channel code", choices=CODES)] = "ldpc_80211n"
    k: Annotated[int | None, Param("information bits of a block", unit="bits", low=1)] = None
    n: Annotated[int | None, Param("coded bits of a block", unit="bits", low=1)] = None
    code_rate: Annotated[str | None, Param("code rate, for codes that have a choice: 1/2, 2/3, 3/4, 5/6")] = None
    ending: Annotated[str | None, Param("end of a conv_k7 block", choices=(None, *ENDINGS))] = None
    link: Annotated[str | None, Param("polar_5g: bits as on which link", choices=(None, "uplink", "downlink"))] = None
    m: Annotated[int | None, Param("field GF(2^m) of bch and rs", low=2, high=14)] = None
    t: Annotated[int | None, Param("errors that bch corrects", low=1)] = None
    symbols: Annotated[int | None, Param("information symbols of rs, m bits each", low=1)] = None

    def check(self) -> None:
        """The code must exist; its own message says which parameters it takes."""
        from semwave.modulation import coding

        asked = {"rate" if name == "code_rate" else name: value for name, value in self.parameters().items()}
        del asked["code"]
        given = {name: value for name, value in asked.items() if value is not None}
        self._code: Any = coding.code(self.code, **given)


class ChannelEncoder(CodedBlock):
    """Encode a stream of bits block by block: LDPC, polar, convolutional K=7, BCH, Reed-Solomon, turbo."""

    bits = In(Stream(np.uint8))
    coded = Out(Stream(np.uint8))

    def rate(self) -> Fraction:
        """Coded bits for each bit."""
        return Fraction(self._code.n, self._code.k)

    def step(self) -> int:
        """Whole blocks."""
        return int(self._code.k)

    def work(self, bits: Array) -> Array:
        """``[m * k] -> [m * n]``."""
        return self._code.encode(bits.reshape(-1, self._code.k)).reshape(-1)


class ChannelDecoder(CodedBlock):
    """Decode a stream of soft bits, ln P(1)/P(0), block by block; blocks known to be wrong are counted."""

    iterations: Annotated[int | None, Param("iterations at most, for codes that iterate", low=1, high=1000)] = None
    algorithm: Annotated[str | None, Param("check node of ldpc", choices=(None, "nms", "oms", "spa"))] = None
    precision: Annotated[str | None, Param("numbers of ldpc", choices=(None, "int8", "int16", "float32"))] = None
    list_size: Annotated[int | None, Param("paths kept by polar_5g", low=1, high=64)] = None

    llr = In(Stream(np.float32))
    bits = Out(Stream(np.uint8))

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


class CrcAppender(SyncBlock):
    """Append a CRC to every block of ``block`` bits (TS 38.212, 5.1: 24A ... 6; 802.11: 32, ht-sig)."""

    block: Annotated[int, Param("bits of a block without the CRC", unit="bits", low=1)] = 1000
    crc: Annotated[str, Param("polynomial", choices=CRCS)] = "24A"

    bits = In(Stream(np.uint8))
    checked = Out(Stream(np.uint8))

    def rate(self) -> Fraction:
        """Bits with CRC for each bit."""
        return Fraction(self.block + crc_width(self.crc), self.block)

    def step(self) -> int:
        """Whole blocks."""
        return self.block

    def work(self, bits: Array) -> Array:
        """``[m * block] -> [m * (block + crc)]``."""
        from semwave.modulation import crc

        return crc.append(bits.reshape(-1, self.block), self.crc).reshape(-1)


class CrcChecker(SyncBlock):
    """Take the CRC off every block of ``block`` bits; blocks whose CRC is wrong are counted and passed on."""

    block: Annotated[int, Param("bits of a block without the CRC", unit="bits", low=1)] = 1000
    crc: Annotated[str, Param("polynomial", choices=CRCS)] = "24A"

    checked = In(Stream(np.uint8))
    bits = Out(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        """Count blocks."""
        self._ctx = ctx

    def rate(self) -> Fraction:
        """Bits for each bit with CRC."""
        return Fraction(self.block, self.block + crc_width(self.crc))

    def step(self) -> int:
        """Whole blocks."""
        return self.block + crc_width(self.crc)

    def work(self, checked: Array) -> Array:
        """``[m * (block + crc)] -> [m * block]``."""
        from semwave.modulation import crc

        rows = checked.reshape(-1, self.step())
        good = np.asarray(crc.check(rows, self.crc))
        self._ctx.count("blocks with a good CRC", int(np.count_nonzero(good)))
        self._ctx.count("blocks with a wrong CRC", int(np.count_nonzero(~good)))
        return rows[:, : self.block].reshape(-1)


def crc_width(name: str) -> int:
    """Bits of a CRC."""
    from semwave.modulation import crc

    return crc.width(name)


class Demapper(SyncBlock):
    """Soft bits from symbols: how the noise is known, and the optional inputs that tell it, and the gains."""

    snr_db: Annotated[float, Param("Es/N0 that the noise has", unit="dB", low=-60, high=200, tunable=True)] = 10.0
    method: Annotated[str, Param("max-log or exact", choices=("maxlog", "exact"))] = "maxlog"

    symbols = In(Stream(np.complex64))
    gains = In(Stream(np.complex64), optional=True)
    noise_variance = In(Stream(np.float32), optional=True)
    llr = Out(Stream(np.float32))

    def start(self, ctx: Context) -> None:
        """See which optional inputs are there."""
        self._also = [name for name in ("gains", "noise_variance") if name in ctx.inputs]

    def told(self, more: tuple[Array, ...]) -> tuple[Any, Any]:
        """Noise variance and gains, from the optional inputs or the parameter."""
        given = dict(zip(self._also, more, strict=True))
        return given.get("noise_variance", 10 ** (-self.snr_db / 10)), given.get("gains")


class QamDemapper(Demapper):
    """Soft bits, ln P(1)/P(0), of symbols in noise of known variance ``10**(-snr_db/10)``.

    ``gains``, where connected, are the channel's true complex gains: a genie receiver for flat fading.
    ``noise_variance``, where connected, is each symbol's own and takes the place of ``snr_db``.
    """

    order: Order = 16

    def rate(self) -> Fraction:
        """Bits a symbol."""
        return Fraction(self.order.bit_length() - 1)

    def work(self, symbols: Array, *more: Array) -> Array:
        """``[n] -> [n * k]``."""
        from semwave.modulation import qam

        n0, gains = self.told(more)
        return qam.demap_llr(symbols, self.order, n0, self.method, gains)


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
    """Permute blocks of items: at random, by rows and columns, as 802.11 does, or far apart over time and carriers.

    ``random`` (seeded) and ``golden`` (neighbours far apart) take ``n``; ``block`` writes ``rows`` and reads
    ``columns``; ``802.11`` (17.3.5.7) and ``802.11_ht`` (19.3.11.8.3) permute the bits of one OFDM symbol.
    """

    kind: Annotated[str, Param("permutation", choices=INTERLEAVERS)] = "random"
    n: Annotated[int, Param("items of a block (random, golden)", unit="items", low=1)] = 1024
    seed: Annotated[int, Param("of the random permutation", low=0)] = 0
    rows: Annotated[int, Param("written one after the other (block)", low=1)] = 32
    columns: Annotated[int, Param("read one after the other (block)", low=1)] = 32
    bits_per_symbol: Annotated[int, Param("bits of a carrier (802.11)", choices=(1, 2, 4, 6, 8))] = 2
    bandwidth_mhz: Annotated[int, Param("of 802.11_ht", unit="MHz", choices=(20, 40))] = 20
    spatial_stream: Annotated[int, Param("of 802.11_ht, counted from 1", low=1, high=4)] = 1
    undo: Annotated[bool, Param("put back in order")] = False

    items = In(Stream(None))
    permuted = Out(Stream(None))

    def step(self) -> int:
        """Whole blocks."""
        if self.kind == "block":
            return self.rows * self.columns
        return self.n if self.kind in ("random", "golden") else self._made().n

    def _made(self) -> Any:
        from semwave.modulation import interleave

        makers: dict[str, Callable[[], Any]] = {
            "random": lambda: interleave.random(self.n, self.seed),
            "golden": lambda: interleave.golden(self.n),
            "block": lambda: interleave.block(self.rows, self.columns),
            "802.11": lambda: interleave.wifi(self.bits_per_symbol),
            "802.11_ht": lambda: interleave.wifi_ht(self.bits_per_symbol, self.bandwidth_mhz, self.spatial_stream),
        }
        return makers[self.kind]()

    def start(self, ctx: Context) -> None:
        """Make the permutation."""
        self._order = self._made()

    def work(self, items: Array) -> Array:
        """``[m * n] -> [m * n]``."""
        return self._order.deinterleave(items) if self.undo else self._order.interleave(items)

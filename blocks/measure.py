"""Measuring a link: errors with confidence intervals, error vectors, what soft bits are worth."""

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np

from semwave.blocks.modem import Order
from semwave.runtime import Array, Context, FrameBlock, In, Packet, Param, Stream, SyncBlock


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


class EvmMeter(SyncBlock):
    """Error vector magnitude of symbols against the nearest points of their constellation, and SNR from moments.

    Decision directed: at low SNR, where decisions err, the true EVM is larger than the one shown.
    """

    order: Order = 4

    symbols = In(Stream(np.complex64))

    def start(self, ctx: Context) -> None:
        """Nothing is measured yet."""
        self._ctx, self._count = ctx, 0
        self._error = self._power = self._second = self._fourth = 0.0

    def work(self, symbols: Array) -> None:
        """Add to the sums."""
        from semwave.modulation import qam

        nearest = qam.map_bits(qam.demap_hard(symbols, self.order), self.order)
        power = np.abs(symbols.astype(np.complex128)) ** 2
        self._error += float(np.sum(np.abs(symbols - nearest).astype(np.float64) ** 2))
        self._power += float(np.sum(np.abs(nearest).astype(np.float64) ** 2))
        self._second, self._fourth = self._second + float(power.sum()), self._fourth + float((power**2).sum())
        self._count += len(symbols)

    def finish(self) -> Iterable[Packet]:
        """Leave the figures in the statistics."""
        self._ctx.facts.update(self.result())
        return ()

    def result(self) -> dict[str, Any]:
        """EVM in percent and dB, mean power, symbols."""
        if not self._count:
            return {"symbols": 0}
        evm = float(np.sqrt(self._error / self._power))
        with np.errstate(divide="ignore"):
            decibel = float(20 * np.log10(evm))
        return {
            "evm_percent": 100 * evm,
            "evm_db": decibel,
            "power": self._second / self._count,
            "symbols": self._count,
        }

    def summary(self) -> str:
        """One line."""
        r = self.result()
        if not r["symbols"]:
            return "no symbol was measured"
        return (
            f"EVM {r['evm_percent']:.2f} % ({r['evm_db']:.1f} dB), mean power {r['power']:.3f}, {r['symbols']} symbols"
        )


class GmiMeter(SyncBlock):
    """Generalised mutual information that soft bits carry on the bits sent: the rate that a perfect binary code
    reaches.
    """

    order: Order = 4

    sent = In(Stream(np.uint8))
    llr = In(Stream(np.float32))

    def start(self, ctx: Context) -> None:
        """Nothing is measured yet."""
        self._ctx, self._loss, self._count = ctx, 0.0, 0

    def work(self, sent: Array, llr: Array) -> None:
        """Add up log2(1 + exp(-L)) with L towards the bit sent."""
        towards = np.where(sent == 1, llr, -llr).astype(np.float64)
        self._loss += float(np.logaddexp(0, -towards).sum() / np.log(2))
        self._count += len(sent)

    def finish(self) -> Iterable[Packet]:
        """Leave the figure in the statistics."""
        self._ctx.facts.update(self.result())
        return ()

    def result(self) -> dict[str, Any]:
        """Bit per symbol."""
        if not self._count:
            return {"bits": 0}
        return {"gmi": (self.order.bit_length() - 1) * (1 - self._loss / self._count), "bits": self._count}

    def summary(self) -> str:
        """One line."""
        r = self.result()
        return f"GMI {r['gmi']:.4f} bit per symbol over {r['bits']} bits" if r["bits"] else "no bit was measured"

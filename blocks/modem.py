"""The modem's blocks: constellation mapper, OFDM modulator, OFDM demodulator."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Annotated, Any

import numpy as np

from semwave.modulation import qam, scene
from semwave.modulation.scene import HEADER_SYMBOLS
from semwave.runtime import (
    Array,
    Context,
    Cutter,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Param,
    Stream,
    Tag,
    frozen,
    text_packet,
)

Order = Annotated[int, Param("constellation size", choices=(2, 4, 8, 16, 64, 256, 1024))]


class QamMapper(FrameBlock):
    """Map bits to Gray-labelled constellation points of unit mean energy (3GPP TS 38.211, 5.1).

    A ``modulation`` tag on a bit changes the constellation from that bit on; there the bits so far must fill whole
    symbols. A ``raw`` tag's value, complex symbols, is put behind the symbol that its bit is in. All other tags move
    to the symbol that their bit is in.
    """

    order: Order = 16

    bits = In(Stream(np.uint8))
    symbols = Out(Stream(np.complex64))

    def start(self, ctx: Context) -> None:
        """No bits are left over yet."""
        self._ctx, self._now = ctx, self.order
        self._rest: Array = np.empty(0, np.uint8)  # bits that fill no symbol yet
        self._held: tuple[Tag, ...] = ()  # the tags on them

    def work(self, bits: Packet) -> Iterable[Packet]:
        """``[n * k] -> [n]``."""
        data = np.concatenate([self._rest, bits.data]) if self._rest.size else bits.data
        first = bits.start - self._rest.size  # absolute index of data[0]
        tags: tuple[Tag, ...] = self._held + bits.tags
        changes = [t for t in tags if t.key == "modulation"]
        starts, ends = [first, *(t.at for t in changes)], [*(t.at for t in changes), first + data.size]
        symbols: list[Array] = []
        out_tags: list[Tag] = []
        done = 0
        for i, (a, b) in enumerate(zip(starts, ends, strict=True)):
            if i:
                self._change(changes[i - 1])
            per_symbol = qam.bits_per_symbol(self._now)
            end = b - (b - a) % per_symbol
            if end != b and i < len(changes):
                raise ValueError(
                    f"the modulation changes at bit {b}, {b - end} bits into a symbol of {per_symbol} bits"
                )
            points = qam.map_bits(data[a - first : end - first], self._now)
            here = [Tag((t.at - a) // per_symbol, t.key, t.value) for t in tags if a <= t.at < end]
            points, here = _with_raw(points, here)
            symbols.append(points)
            out_tags += [Tag(done + t.at, t.key, t.value) for t in here]
            done += points.size
        self._rest, self._held = data[end - first :], tuple(t for t in tags if t.at >= end)
        yield Packet(np.concatenate(symbols), 0, tuple(out_tags), bits.meta)

    def _change(self, tag: Tag) -> None:
        if tag.value not in (2, 4, 8, 16, 64, 256, 1024):
            raise ValueError(f"tag modulation at {tag.at} is {tag.value!r}; it must be a constellation size")
        self._now = int(tag.value)

    def finish(self) -> Iterable[Packet]:
        """Bits that fill no symbol are counted."""
        self._ctx.count("left over bits", self._rest.size)
        return ()


def _with_raw(points: Array, tags: list[Tag]) -> tuple[Array, list[Tag]]:
    """Symbols of ``raw`` tags behind the points that these tags are on, and the other tags, moved along."""
    raws = [t for t in tags if t.key == "raw"]
    if not raws:
        return points, tags
    for t in raws:
        if not (isinstance(t.value, np.ndarray) and t.value.ndim == 1 and t.value.dtype == np.complex64):
            raise ValueError(f"tag raw must be complex64 [symbol], not {t.value!r}")
    pieces, last = [], 0
    for t in raws:
        pieces += [points[last : t.at + 1], t.value]
        last = t.at + 1
    others = [
        Tag(t.at + sum(len(r.value) for r in raws if r.at < t.at), t.key, t.value) for t in tags if t.key != "raw"
    ]
    return np.concatenate([*pieces, points[last:]]), others


class OfdmBlock(FrameBlock):
    """What both ends of an OFDM link agree on: the numerology, the pilots, the length of the header."""

    fft_size: Annotated[int, Param("carriers of the FFT", low=8)] = 256
    cp_len: Annotated[int, Param("cyclic prefix", unit="samples", low=0)] = 20
    first_cp_len: Annotated[int | None, Param("first symbol's, where it differs", unit="samples", low=0)] = None
    active: Annotated[int, Param("occupied carriers around DC", low=2)] = 180
    sample_rate: Annotated[float, Param("complex samples a second", unit="Hz", low=1)] = 3.84e6
    pilot_pattern: Annotated[str, Param("where pilots sit", choices=("scattered", "comb", "block"))] = "scattered"
    pilot_spacing_f: Annotated[int, Param("pilot distance in frequency", unit="carriers", low=1)] = 6
    pilot_spacing_t: Annotated[int, Param("pilot distance in time", unit="symbols", low=1)] = 4
    window_len: Annotated[int, Param("raised-cosine edge between symbols", unit="samples", low=0)] = 0
    dft_spread: Annotated[bool, Param("spread data by a DFT (DFT-s-OFDM) for a lower peak power")] = False
    header_symbols: Annotated[int, Param("QPSK symbols of a frame's header", unit="symbols", low=96)] = HEADER_SYMBOLS

    def check(self) -> None:
        """The numerology must be possible."""
        self.numerology()

    def numerology(self) -> Any:
        """The parameters as :class:`semwave.modulation.ofdm.params.OfdmParams`; raises ValueError naming one to
        change.
        """
        from semwave.modulation.ofdm.params import OfdmParams

        return OfdmParams(**{f.name: getattr(self, f.name) for f in fields(OfdmParams)})


class OfdmModulator(OfdmBlock):
    """Make one OFDM burst of each frame of symbols: preamble, header, payload spread over time and carriers, pilots.

    A ``frame`` tag marks a frame's first symbol; its value is the number of symbols, the first ``header_symbols`` of
    which are the header. Each active carrier has unit mean energy. ``gap`` zeros come before each burst and after the
    last. ``accounting`` gives one JSON text a burst: what every channel use was for.
    """

    gap: Annotated[int, Param("silence before each burst", unit="samples", low=0)] = 400
    papr_limit_db: Annotated[float | None, Param("peak that clipping and filtering aims at", unit="dB", low=0.1)] = None

    symbols = In(Stream(np.complex64))
    samples = Out(Stream(np.complex64))
    accounting = Out(Frames(np.uint8, ("byte",)), optional=True, doc="JSON, one a burst")

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """Samples at ``sample_rate``."""
        outputs: dict[str, Any] = {"samples": Stream(np.complex64, sample_rate=self.sample_rate)}
        return {**outputs, "accounting": Frames(np.uint8, ("byte",))}

    def start(self, ctx: Context) -> None:
        """Build the transmitter."""
        from semwave.modulation.ofdm.transmit import BurstTransmitter

        self._ctx, self._params = ctx, self.numerology()
        self._transmitter = BurstTransmitter(self._params, self.header_symbols, self.papr_limit_db)
        self._frames = Cutter("frame")

    def work(self, symbols: Packet) -> Iterator[tuple[str, Packet]]:
        """Frames as they become whole."""
        for frame in self._frames.push(symbols):
            if len(frame.data) < self.header_symbols:
                raise ValueError(
                    f"a frame of {len(frame.data)} symbols is shorter than its header, {self.header_symbols}"
                )
            header, payload = frame.data[: self.header_symbols], frame.data[self.header_symbols :]
            burst = self._transmitter.burst(header, payload)
            data = np.concatenate([np.zeros(self.gap, np.complex64), burst])
            yield "samples", Packet(data, 0, (Tag(self.gap, "burst", len(burst)),))
            account = dict(self._transmitter.symbols_used(len(payload)))
            account["channel_uses"] = round(account["samples"] * self.active / self.fft_size)
            told: dict[str, Any] = next((t.value for t in frame.meta["tags"] if t.key == "scene"), {})
            yield "accounting", text_packet(json.dumps({**told, **account}))

    def finish(self) -> Iterator[tuple[str, Packet]]:
        """Silence, so that the last burst leaves every channel whole."""
        left = self._frames.finish()
        if left is not None:
            self._ctx.count("incomplete frames")
        self._ctx.count("symbols outside frames", self._frames.skipped)
        yield "samples", Packet(np.zeros(self.gap, np.complex64))


class OfdmDemodulator(OfdmBlock):
    """Find bursts in samples and turn each into soft bits, from what was received alone.

    Detection, timing, carrier offset and channel come from the preamble and pilots; the header says how long the burst
    is and how each layer is modulated. ``llr`` gives ln P(1)/P(0) of all payload bits, with the header and a report of
    the reception in ``meta``; a burst whose header does not decode gives an empty frame with ``status = "header"``.
    Symbols that carry no bits are in ``meta["raw"]``, by layer: ``symbols``, equalised without bias, and their
    ``noise_variance``, infinite where lost.
    """

    max_payload: Annotated[int, Param("longest payload believed", unit="symbols", low=0)] = 1 << 21
    estimator: Annotated[str, Param("channel estimator", choices=("wiener", "ls", "dft"))] = "wiener"

    samples = In(Stream(np.complex64))
    llr = Out(Frames(np.float32, ("bit",)))
    symbols = Out(
        Frames(np.complex64, ("symbol",)), optional=True, doc="equalised payload symbols; meta: noise_variance"
    )

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The samples must come at ``sample_rate``."""
        from semwave.runtime import ConnectError

        rate = inputs["samples"].sample_rate
        if rate is not None and rate != self.sample_rate:
            raise ConnectError(f"samples come at {rate:g}/s, but sample_rate is {self.sample_rate:g} Hz")
        return {"llr": Frames(np.float32, ("bit",)), "symbols": Frames(np.complex64, ("symbol",))}

    def start(self, ctx: Context) -> None:
        """Build the receiver."""
        from semwave.modulation.ofdm.receive import BurstReceiver

        self._ctx = ctx
        self._receiver = BurstReceiver(
            self.numerology(), self.header_symbols, self._on_header, self.max_payload, estimator=self.estimator
        )

    def _on_header(self, symbols: Array, noise_variance: Array) -> int | None:
        header = scene.decode_header(symbols, noise_variance)
        try:
            return None if header is None else scene.payload_symbols(header)
        except ValueError:
            return None  # an MCS index that does not exist: the header lies

    def work(self, samples: Packet) -> Iterator[tuple[str, Packet]]:
        """Bursts as they become whole."""
        for burst in self._receiver.push(samples.data):
            yield from self._burst(burst)

    def finish(self) -> Iterator[tuple[str, Packet]]:
        """Bursts that were still waiting for samples; what was strange about the samples is counted."""
        for burst in self._receiver.finish():
            yield from self._burst(burst)
        bad = self._receiver.bad_samples
        if bad:
            self._ctx.count("NaN or infinite samples", bad)
            self._ctx.warn(f"{bad} samples were NaN or infinite and were treated as silence")

    def _burst(self, burst: Any) -> Iterator[tuple[str, Packet]]:
        report = {k: v for k, v in asdict(burst.report).items() if not isinstance(v, np.ndarray)}
        meta: dict[str, Any] = {"status": burst.status, "at": int(burst.start), "report": _plain(report)}
        self._ctx.count(f"bursts {burst.status}")
        header = scene.decode_header(burst.header, burst.header_noise_variance) if burst.header.size else None
        if header is None or burst.status == "header":
            yield "llr", Packet(np.empty(0, np.float32), meta={**meta, "status": "header"})
            return
        meta["header"] = asdict(header)
        parts = [np.empty(0, np.float32)]
        for s in scene.segments(header):
            here = slice(s.start, s.start + s.symbols)
            symbols, noise = burst.payload[here], burst.noise_variance[here]
            if s.raw:
                raw = {"symbols": frozen(symbols), "noise_variance": frozen(noise)}
                meta["raw"] = {**meta.get("raw", {}), s.layer: raw}
            else:
                parts.append(qam.demap_llr(symbols, s.order, noise))
        yield "symbols", Packet(burst.payload, meta={**meta, "noise_variance": frozen(burst.noise_variance)})
        yield "llr", Packet(np.concatenate(parts), meta=meta)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numpy scalars as Python numbers, so that the report is JSON."""
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
